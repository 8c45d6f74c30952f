/**
 * What the end of a process means for its service: the main process, the command of a list, or one of the others. In the real stack: service_sigchld_event of service.c. Left
 * out: main processes that are no children of PID 1 by other ways than PIDFile= and the control group.
 */
import { fromUtf8, type ProcessExit } from "../../kernel/index.ts";
import type { Core, Service } from "./core.ts";
import { exitText, resultOf, type UnitResult } from "./exits.ts";
import { recordExit } from "./service-exec.ts";
import { FINAL, STARTING, STOPPING, stateOf, type ServiceStates } from "./service-states.ts";

export class ServiceExits {
  constructor(
    private readonly core: Core,
    private readonly states: ServiceStates,
  ) {}

  /** A process of the unit has ended. */
  exited(service: Service, pid: number, exit: ProcessExit): void {
    recordExit(service, pid, exit, this.core.hooks.now());
    if (pid === service.s.mainPid && pid !== 0) this.mainExited(service, exit);
    else if (pid === service.s.controlPid && pid !== 0) this.controlExited(service, exit);
    else this.othersExited(service);
  }

  /** Its main process has ended. */
  mainExited(service: Service, exit: ProcessExit): void {
    const { unit, def, s } = service;
    recordExit(service, s.mainPid, exit, this.core.hooks.now());
    s.mainPid = 0;
    s.mainExit = exit;
    const command = def.exec.ExecStart[s.mainIndex];
    const real = resultOf(exit, def, def.type !== "oneshot");
    const result = command?.ignoreFailure === true ? "success" : real;
    if (real !== "success") this.core.say(unit, "notice", `Main process exited, ${exitText(exit)}`);
    // A watchdog's signal is what was asked for.
    this.states.fails(service, result);
    if (def.type === "oneshot" && stateOf(service) === "start" && result === "success" && s.mainIndex + 1 < def.exec.ExecStart.length) {
      s.mainIndex++;
      return this.states.enterStart(service);
    }
    this.afterMain(service, result);
  }

  private afterMain(service: Service, result: UnitResult): void {
    const { def, s } = service;
    const at = stateOf(service);
    if (at === "start" && def.type === "oneshot") {
      if (result === "success") this.states.enterStartPost(service);
      else this.states.enterSignal(service, "stop-sigterm", result);
    } else if (at === "start" && def.type === "notify")
      this.states.enterSignal(service, "stop-sigterm", result === "success" ? "protocol" : result);
    else if (at === "start" || at === "running") this.states.enterRunning(service, result);
    else if (STOPPING.includes(at) && s.controlPid === 0) this.states.enterStopPost(service, result);
    else if (FINAL.includes(at) && s.controlPid === 0) this.states.enterDead(service, result);
  }

  /** The command of a list has ended. */
  controlExited(service: Service, exit: ProcessExit): void {
    const { unit, def, s } = service;
    recordExit(service, s.controlPid, exit, this.core.hooks.now());
    s.controlPid = 0;
    const { kind, index } = s.control ?? { kind: "ExecStart" as const, index: 0 };
    const real = resultOf(exit, def, false);
    const skips = kind === "ExecCondition" && "code" in exit && exit.code > 0 && exit.code < 255;
    const result: UnitResult = def.exec[kind][index]?.ignoreFailure === true ? "success" : skips ? "exec-condition" : real;
    if (real !== "success" && !skips) this.core.say(unit, "notice", `Control process exited, ${exitText(exit)}`);
    if (stateOf(service) === "reload") s.reloadResult = result;
    else this.states.fails(service, result);
    if (result === "success" && index + 1 < def.exec[kind].length && kind !== "ExecStart" && !STOPPING.includes(stateOf(service)))
      return this.states.runControl(service, kind, index + 1);
    this.afterControl(service, result);
  }

  private afterControl(service: Service, result: UnitResult): void {
    const at = stateOf(service);
    const { s } = service;
    if (STARTING.includes(at) && result !== "success") return this.states.enterSignal(service, "stop-sigterm", result);
    switch (at) {
      case "condition":
        return this.states.enterStartPre(service);
      case "start-pre":
        return this.states.enterStart(service);
      case "start":
        return this.forked(service);
      case "start-post":
      case "reload":
        return this.states.enterRunning(service, "success");
      case "stop":
        return this.states.enterSignal(service, "stop-sigterm", result);
      case "stop-post":
        return this.states.enterSignal(service, "final-sigterm", result);
      default:
        if (s.mainPid !== 0) return;
        if (STOPPING.includes(at)) this.states.enterStopPost(service, result);
        else if (FINAL.includes(at)) this.states.enterDead(service, result);
    }
  }

  /** Type=forking: the parent is gone, the daemon goes on. */
  private forked(service: Service): void {
    const { unit, def, s } = service;
    if (def.pidFile !== undefined) {
      const data = this.core.hooks.files.read(def.pidFile);
      const pid = data === undefined ? NaN : Number(fromUtf8(data).trim());
      if (!Number.isInteger(pid) || pid <= 0) {
        this.core.say(unit, "info", `Can't open PID file ${def.pidFile} (yet?) after start: No such file or directory`);
        return;
      }
      s.mainPid = pid;
    } else {
      const group = this.core.hooks.processes(unit.name);
      s.mainPid = group.length === 1 ? (group[0]?.pid ?? 0) : 0;
    }
    this.states.startWatchdog(service);
    this.states.enterStartPost(service);
  }

  /** One that is neither its main process nor a control process; perhaps the last. */
  private othersExited(service: Service): void {
    const { unit, s } = service;
    if (s.mainPid !== 0 || s.controlPid !== 0 || this.core.hooks.processes(unit.name).length > 0) return;
    const at = stateOf(service);
    if (at === "running") this.states.enterRunning(service, "success");
    else if (STOPPING.includes(at)) this.states.enterStopPost(service, "success");
    else if (FINAL.includes(at)) this.states.enterDead(service, "success");
  }
}
