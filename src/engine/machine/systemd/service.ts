/**
 * The course of a service: the states between `dead` and `running` and back, and what moves it from one to the next — an end of a process, a notification, a time-out, a
 * request. In the real stack: service.c; systemd.service(5). Left out: sockets, file descriptor stores, main processes that are no children of PID 1 by other ways than
 * PIDFile= and the control group.
 */
import { fromUtf8, NEVER, type Duration, type ProcessExit } from "../../kernel/index.ts";
import type { Begun, Core, Service } from "./core.ts";
import type { ExecKind } from "./definition.ts";
import { exitText, restartsAfter, resultOf, type UnitResult } from "./exits.ts";
import type { Notification } from "./hooks.ts";
import { SERVICE_STATES, type ServiceState } from "./record.ts";
import { killProcesses, recordExit, spawnCommand, type KillStep } from "./service-exec.ts";

const state = (service: Service): ServiceState => service.r.sub as ServiceState;
const STARTING: readonly ServiceState[] = ["condition", "start-pre", "start", "start-post"];
const STOPPING: readonly ServiceState[] = ["stop-watchdog", "stop-sigterm", "stop-sigkill"];
const FINAL: readonly ServiceState[] = ["final-watchdog", "final-sigterm", "final-sigkill"];
/** Time-outs that wait for a state's processes. */
const TIMED: readonly ServiceState[] = [
  "condition",
  "start-pre",
  "start",
  "start-post",
  "reload",
  "stop",
  ...STOPPING,
  "stop-post",
  ...FINAL,
];

export class Services {
  constructor(private readonly core: Core) {}

  private get now(): number {
    return this.core.hooks.now();
  }

  private arm(service: Service, span: Duration): void {
    const name = `${service.unit.name}/state`;
    if (span === NEVER) this.core.hooks.clearTimer(name);
    else this.core.hooks.setTimer(name, this.now + span);
  }

  private enter(service: Service, to: ServiceState, about: { readonly reloadFailed?: boolean } = {}): void {
    const { unit, r } = service;
    if (!TIMED.includes(to) && to !== "auto-restart") this.core.hooks.clearTimer(`${unit.name}/state`);
    if (SERVICE_STATES[to] !== "active" && SERVICE_STATES[to] !== "reloading" && to !== "start-post")
      for (const timer of ["watchdog", "runtime"]) this.core.hooks.clearTimer(`${unit.name}/${timer}`);
    this.core.enter(unit, r, SERVICE_STATES[to], to, about);
  }

  private fails(service: Service, result: UnitResult): void {
    if (service.s.result === "success") service.s.result = result;
  }

  // ---- on its way up

  start(service: Service): Begun {
    const at = state(service);
    if (at === "stop" || at === "stop-post" || STOPPING.includes(at) || FINAL.includes(at) || at === "auto-restart") return "again";
    if (STARTING.includes(at)) return "begun";
    if (at !== "dead" && at !== "failed") return "already";
    const { s } = service;
    if (!s.keepRestarts) s.restarts = 0;
    Object.assign(s, { result: "success", reloadResult: "success", mainIndex: 0, mainExit: undefined, execs: [], forbidRestart: false });
    s.bySignal = false;
    Object.assign(s, { restarting: false, keepRestarts: false, statusText: "", watchdogOverride: undefined });
    this.runList(service, "ExecCondition", "condition", () => this.enterStartPre(service));
    return "begun";
  }

  /** The start limit is reached: it fails without having been tried. */
  startLimitHit(service: Service): void {
    this.core.say(service.unit, "warning", "Start request repeated too quickly.");
    this.fails(service, "start-limit-hit");
    service.s.forbidRestart = true;
    this.enterDead(service, "start-limit-hit");
  }

  /** A start is not over at once: it has to be announced. */
  takesTime({ def }: Service): boolean {
    const lists = [def.exec.ExecCondition, def.exec.ExecStartPre, def.exec.ExecStartPost];
    return (def.type !== "simple" && def.type !== "idle" && def.exec.ExecStart.length > 0) || lists.some((list) => list.length > 0);
  }

  stopTakesTime(service: Service): boolean {
    const { unit, def } = service;
    if (state(service) === "auto-restart") return false;
    return def.exec.ExecStop.length > 0 || def.exec.ExecStopPost.length > 0 || this.core.hooks.processes(unit.name).length > 0;
  }

  /** Starts the first command of a list and enters its state; where the list is empty, goes on. */
  private runList(service: Service, kind: ExecKind, to: ServiceState, onward: () => void): void {
    const { def } = service;
    if (def.exec[kind].length === 0) return onward();
    this.arm(service, STARTING.includes(to) ? def.timeoutStart : to === "reload" ? def.timeoutStart : def.timeoutStop);
    this.enter(service, to);
    this.runControl(service, kind, 0);
  }

  private runControl(service: Service, kind: ExecKind, index: number): void {
    const { s } = service;
    const started = spawnCommand(this.core, service, kind, index);
    if (started === undefined) return this.cannotSpawn(service);
    s.controlPid = started.pid;
    s.control = { kind, index };
    if (started.exit !== undefined) this.controlExited(service, started.exit);
  }

  private cannotSpawn(service: Service): void {
    if (STARTING.includes(state(service)) || state(service) === "dead" || state(service) === "failed")
      this.enterSignal(service, "stop-sigterm", "resources");
    else if (state(service) === "reload") this.enterRunning(service, "success");
    else this.enterSignal(service, state(service) === "stop-post" ? "final-sigterm" : "stop-sigterm", "resources");
  }

  private enterStartPre(service: Service): void {
    this.runList(service, "ExecStartPre", "start-pre", () => this.enterStart(service));
  }

  private enterStart(service: Service): void {
    const { def, s } = service;
    if (def.exec.ExecStart.length === 0) {
      this.enter(service, "start");
      return this.enterStartPost(service);
    }
    if (def.type === "forking") return this.runList(service, "ExecStart", "start", () => undefined);
    const waits = def.type === "notify" || def.type === "oneshot" || def.type === "dbus";
    if (waits) {
      this.arm(service, def.timeoutStart);
      this.enter(service, "start");
    }
    this.startWatchdog(service);
    const started = spawnCommand(this.core, service, "ExecStart", s.mainIndex);
    if (started === undefined) return this.cannotSpawn(service);
    s.mainPid = started.pid;
    const failedExec = started.exit;
    if (def.type === "exec" && failedExec !== undefined) this.enter(service, "start");
    else if (!waits) this.enterStartPost(service);
    if (failedExec !== undefined) this.mainExited(service, failedExec);
  }

  private enterStartPost(service: Service): void {
    this.runList(service, "ExecStartPost", "start-post", () => this.enterRunning(service, "success"));
  }

  private enterRunning(service: Service, result: UnitResult): void {
    const { unit, def, s } = service;
    this.fails(service, result);
    if (s.result !== "success") return this.enterSignal(service, "stop-sigterm", result);
    if (this.good(service)) {
      if (def.runtimeMax !== NEVER) this.core.hooks.setTimer(`${unit.name}/runtime`, this.now + def.runtimeMax);
      this.enter(service, "running", { reloadFailed: s.reloadResult !== "success" });
    } else if (def.remainAfterExit) this.enter(service, "exited", { reloadFailed: s.reloadResult !== "success" });
    else this.enterStop(service, "success");
  }

  /** Something of it runs. */
  private good({ unit, def, s }: Service): boolean {
    if (s.mainPid !== 0) return true;
    return def.type === "forking" && this.core.hooks.processes(unit.name).length > 0;
  }

  // ---- on its way down

  /** A job asks for it: no restart follows, unless the job itself is one. */
  stop(service: Service, restarting: boolean): Begun {
    const { s } = service;
    const at = state(service);
    if (at === "dead" || at === "failed") return "already";
    s.forbidRestart = true;
    if (restarting) s.restarting = true;
    if (SERVICE_STATES[at] === "deactivating") return "begun";
    if (at === "auto-restart") {
      s.keepRestarts = restarting;
      s.forbidRestart = false;
      this.enter(service, "dead");
      return "begun";
    }
    if ((at === "running" || at === "exited") && !s.bySignal) this.enterStop(service, "success");
    else this.enterSignal(service, "stop-sigterm", "success");
    return "begun";
  }

  private enterStop(service: Service, result: UnitResult): void {
    this.fails(service, result);
    this.runList(service, "ExecStop", "stop", () => this.enterSignal(service, "stop-sigterm", "success"));
  }

  private enterSignal(service: Service, to: ServiceState, result: UnitResult): void {
    const { def } = service;
    this.fails(service, result);
    const step: KillStep = to.endsWith("sigkill") ? "kill" : to.endsWith("watchdog") ? "watchdog" : "terminate";
    const waits = killProcesses(this.core, service, step);
    if (waits) {
      this.arm(service, step === "watchdog" ? (def.timeoutAbort ?? def.timeoutStop) : def.timeoutStop);
      this.enter(service, to);
    } else if (step !== "kill" && def.sendSigkill)
      this.enterSignal(service, STOPPING.includes(to) ? "stop-sigkill" : "final-sigkill", "success");
    else if (STOPPING.includes(to)) this.enterStopPost(service, "success");
    else this.enterDead(service, "success");
  }

  private enterStopPost(service: Service, result: UnitResult): void {
    this.fails(service, result);
    this.runList(service, "ExecStopPost", "stop-post", () => this.enterSignal(service, "final-sigterm", "success"));
  }

  private enterDead(service: Service, result: UnitResult): void {
    const { unit, def, s } = service;
    this.fails(service, result);
    const failed = s.result !== "success" && s.result !== "exec-condition";
    if (s.result === "success") this.core.say(unit, "info", "Deactivated successfully.");
    else if (failed) this.core.say(unit, "warning", `Failed with result '${s.result}'.`);
    else this.core.say(unit, "info", "Skipped due to 'exec-condition'.");
    const restarts = !s.forbidRestart && restartsAfter(def, s.result, s.mainExit);
    s.mainPid = 0;
    s.control = undefined;
    s.forbidRestart = false;
    s.keepRestarts = restarts;
    this.enter(service, failed ? "failed" : "dead");
    if (!restarts) return;
    this.arm(service, def.restartSec);
    this.enter(service, "auto-restart");
  }

  // ---- what happens to it

  reload(service: Service): Begun {
    if (state(service) !== "running" && state(service) !== "exited") return "failed";
    service.s.reloadResult = "success";
    this.runList(service, "ExecReload", "reload", () => this.enterRunning(service, "success"));
    return "begun";
  }

  canReload(def: Service["def"]): boolean {
    return def.exec.ExecReload.length > 0;
  }

  /** A process of the unit has ended. */
  exited(service: Service, pid: number, exit: ProcessExit): void {
    recordExit(service, pid, exit, this.now);
    if (pid === service.s.mainPid && pid !== 0) this.mainExited(service, exit);
    else if (pid === service.s.controlPid && pid !== 0) this.controlExited(service, exit);
    else this.othersExited(service);
  }

  private mainExited(service: Service, exit: ProcessExit): void {
    const { unit, def, s } = service;
    recordExit(service, s.mainPid, exit, this.now);
    s.mainPid = 0;
    s.mainExit = exit;
    const command = def.exec.ExecStart[s.mainIndex];
    const real = resultOf(exit, def, def.type !== "oneshot");
    const result = command?.ignoreFailure === true ? "success" : real;
    if (real !== "success") this.core.say(unit, "notice", `Main process exited, ${exitText(exit)}`);
    // A watchdog's signal is what was asked for.
    this.fails(service, result);
    if (def.type === "oneshot" && state(service) === "start" && result === "success" && s.mainIndex + 1 < def.exec.ExecStart.length) {
      s.mainIndex++;
      return this.enterStart(service);
    }
    this.afterMain(service, result);
  }

  private afterMain(service: Service, result: UnitResult): void {
    const { def, s } = service;
    const at = state(service);
    if (at === "start" && def.type === "oneshot") {
      if (result === "success") this.enterStartPost(service);
      else this.enterSignal(service, "stop-sigterm", result);
    } else if (at === "start" && def.type === "notify")
      this.enterSignal(service, "stop-sigterm", result === "success" ? "protocol" : result);
    else if (at === "start" || at === "running") this.enterRunning(service, result);
    else if (STOPPING.includes(at) && s.controlPid === 0) this.enterStopPost(service, result);
    else if (FINAL.includes(at) && s.controlPid === 0) this.enterDead(service, result);
  }

  private controlExited(service: Service, exit: ProcessExit): void {
    const { unit, def, s } = service;
    recordExit(service, s.controlPid, exit, this.now);
    s.controlPid = 0;
    const { kind, index } = s.control ?? { kind: "ExecStart" as const, index: 0 };
    const real = resultOf(exit, def, false);
    const skips = kind === "ExecCondition" && "code" in exit && exit.code > 0 && exit.code < 255;
    const result: UnitResult = def.exec[kind][index]?.ignoreFailure === true ? "success" : skips ? "exec-condition" : real;
    if (real !== "success" && !skips) this.core.say(unit, "notice", `Control process exited, ${exitText(exit)}`);
    if (state(service) === "reload") s.reloadResult = result;
    else this.fails(service, result);
    if (result === "success" && index + 1 < def.exec[kind].length && kind !== "ExecStart" && !STOPPING.includes(state(service)))
      return this.runControl(service, kind, index + 1);
    this.afterControl(service, result);
  }

  private afterControl(service: Service, result: UnitResult): void {
    const at = state(service);
    const { s } = service;
    if (STARTING.includes(at) && result !== "success") return this.enterSignal(service, "stop-sigterm", result);
    switch (at) {
      case "condition":
        return this.enterStartPre(service);
      case "start-pre":
        return this.enterStart(service);
      case "start":
        return this.forked(service);
      case "start-post":
      case "reload":
        return this.enterRunning(service, "success");
      case "stop":
        return this.enterSignal(service, "stop-sigterm", result);
      case "stop-post":
        return this.enterSignal(service, "final-sigterm", result);
      default:
        if (s.mainPid !== 0) return;
        if (STOPPING.includes(at)) this.enterStopPost(service, result);
        else if (FINAL.includes(at)) this.enterDead(service, result);
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
    this.startWatchdog(service);
    this.enterStartPost(service);
  }

  /** One that is neither its main process nor a control process; perhaps the last. */
  private othersExited(service: Service): void {
    const { unit, s } = service;
    if (s.mainPid !== 0 || s.controlPid !== 0 || this.core.hooks.processes(unit.name).length > 0) return;
    const at = state(service);
    if (at === "running") this.enterRunning(service, "success");
    else if (STOPPING.includes(at)) this.enterStopPost(service, "success");
    else if (FINAL.includes(at)) this.enterDead(service, "success");
  }

  notified(service: Service, pid: number, said: Notification): void {
    const { unit, def, s } = service;
    if (pid !== s.mainPid && pid !== s.controlPid) {
      this.core.say(unit, "warning", `Got notification message from PID ${pid}, but reception only permitted for main PID ${s.mainPid}`);
      return;
    }
    const at = state(service);
    const main = Number(said["MAINPID"]);
    if (Number.isInteger(main) && main > 0) s.mainPid = main;
    if (said["STATUS"] !== undefined) s.statusText = said["STATUS"];
    if (said["RELOADING"] === "1" && at === "running") this.enter(service, "reload");
    if (said["READY"] === "1") {
      if (at === "start" && def.type === "notify") this.enterStartPost(service);
      else if (state(service) === "reload" && s.controlPid === 0) this.enterRunning(service, "success");
    }
    if (said["STOPPING"] === "1" && state(service) === "running") {
      this.arm(service, def.timeoutStop);
      this.enter(service, "stop-sigterm");
    }
    const usec = Number(said["WATCHDOG_USEC"]);
    if (Number.isInteger(usec) && usec > 0) s.watchdogOverride = usec;
    if (said["WATCHDOG"] === "1" || Number.isInteger(usec)) this.startWatchdog(service);
    if (said["WATCHDOG"] === "trigger") this.watchdogFired(service);
  }

  private startWatchdog({ unit, def, s }: Service): void {
    const span = s.watchdogOverride ?? def.watchdog;
    if (span > 0 && span !== NEVER) this.core.hooks.setTimer(`${unit.name}/watchdog`, this.now + span);
  }

  private watchdogFired(service: Service): void {
    this.enterSignal(service, "stop-watchdog", "watchdog");
  }

  // ---- time-outs

  /** A timer of the unit ran out: `state`, `watchdog` or `runtime`. */
  timer(service: Service, which: string, limit: (span: Duration) => string): void {
    const { unit, def, s } = service;
    if (which === "watchdog") {
      this.core.say(unit, "error", `Watchdog timeout (limit ${limit(s.watchdogOverride ?? def.watchdog)})!`);
      this.watchdogFired(service);
    } else if (which === "runtime") {
      this.core.say(unit, "warning", "Service reached runtime time limit. Stopping.");
      this.enterSignal(service, "stop-sigterm", "timeout");
    } else if (state(service) === "auto-restart") this.core.request(unit.name, "restart", "replace", "restart");
    else this.timedOut(service);
  }

  private timedOut(service: Service): void {
    const { unit, def, s } = service;
    const at = state(service);
    const warn = (text: string): void => this.core.say(unit, "warning", text);
    switch (at) {
      case "condition":
      case "start-pre":
      case "start":
        warn(`${at} operation timed out. Terminating.`);
        return this.enterSignal(service, "stop-sigterm", "timeout");
      case "start-post":
        warn("start-post operation timed out. Stopping.");
        return this.enterStop(service, "timeout");
      case "reload":
        warn("Reload operation timed out. Killing reload process.");
        if (s.controlPid !== 0) this.core.hooks.kill(s.controlPid, "SIGKILL");
        s.controlPid = 0;
        s.reloadResult = "timeout";
        return this.enterRunning(service, "success");
      case "stop":
        warn("Stopping timed out. Terminating.");
        return this.enterSignal(service, "stop-sigterm", "timeout");
      case "stop-watchdog":
        warn("State 'stop-watchdog' timed out. Killing.");
        return this.enterSignal(service, "stop-sigkill", "timeout");
      case "stop-sigterm":
        warn(`State 'stop-sigterm' timed out. ${def.sendSigkill ? "Killing." : "Skipping SIGKILL."}`);
        return def.sendSigkill ? this.enterSignal(service, "stop-sigkill", "timeout") : this.enterStopPost(service, "timeout");
      case "stop-sigkill":
        warn("Processes still around after SIGKILL. Ignoring.");
        return this.enterStopPost(service, "timeout");
      case "stop-post":
        warn("State 'stop-post' timed out. Terminating.");
        return this.enterSignal(service, "final-sigterm", "timeout");
      case "final-sigterm":
      case "final-watchdog":
        warn(`State '${at}' timed out. ${def.sendSigkill ? "Killing." : "Skipping SIGKILL. Entering failed mode."}`);
        return def.sendSigkill ? this.enterSignal(service, "final-sigkill", "timeout") : this.enterDead(service, "timeout");
      case "final-sigkill":
        warn("Processes still around after final SIGKILL. Entering failed mode.");
        return this.enterDead(service, "timeout");
      default:
        return;
    }
  }

  /** systemctl reset-failed. */
  resetFailed(service: Service): void {
    const { s } = service;
    if (state(service) === "failed") this.enter(service, "dead");
    Object.assign(s, { result: "success", reloadResult: "success", restarts: 0 });
  }
}
