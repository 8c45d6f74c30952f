/**
 * The course of a service as its jobs, its processes and its notifications ask for it; the states are in service-states.ts. In the real stack: service.c;
 * systemd.service(5). Left out: sockets and file descriptor stores.
 */
import type { Duration, ProcessExit } from "../../kernel/index.ts";
import type { Begun, Core, Service } from "./core.ts";
import type { Notification } from "./hooks.ts";
import { SERVICE_STATES } from "./record.ts";
import { ServiceExits } from "./service-exits.ts";
import { FINAL, ServiceStates, STARTING, STOPPING, stateOf } from "./service-states.ts";
import { ServiceTimeouts } from "./service-timeouts.ts";

export class Services {
  private readonly states: ServiceStates;
  private readonly exits: ServiceExits;
  private readonly timeouts: ServiceTimeouts;

  constructor(private readonly core: Core) {
    this.states = new ServiceStates(core, {
      main: (service, exit) => this.exits.mainExited(service, exit),
      control: (service, exit) => this.exits.controlExited(service, exit),
    });
    this.exits = new ServiceExits(core, this.states);
    this.timeouts = new ServiceTimeouts(core, this.states);
  }

  // ---- on its way up

  start(service: Service): Begun {
    const at = stateOf(service);
    if (at === "stop" || at === "stop-post" || STOPPING.includes(at) || FINAL.includes(at) || at === "auto-restart") return "again";
    if (STARTING.includes(at)) return "begun";
    if (at !== "dead" && at !== "failed") return "already";
    const { s } = service;
    if (!s.keepRestarts) s.restarts = 0;
    Object.assign(s, { result: "success", reloadResult: "success", mainIndex: 0, mainExit: undefined, execs: [], forbidRestart: false });
    s.bySignal = false;
    Object.assign(s, { restarting: false, keepRestarts: false, statusText: "", watchdogOverride: undefined });
    this.states.runList(service, "ExecCondition", "condition", () => this.states.enterStartPre(service));
    return "begun";
  }

  /** The start limit is reached: it fails without having been tried. */
  startLimitHit(service: Service): void {
    this.core.say(service.unit, "warning", "Start request repeated too quickly.");
    this.states.fails(service, "start-limit-hit");
    service.s.forbidRestart = true;
    this.states.enterDead(service, "start-limit-hit");
  }

  /** A start is not over at once: it has to be announced. */
  takesTime({ def }: Service): boolean {
    const lists = [def.exec.ExecCondition, def.exec.ExecStartPre, def.exec.ExecStartPost];
    return (def.type !== "simple" && def.type !== "idle" && def.exec.ExecStart.length > 0) || lists.some((list) => list.length > 0);
  }

  stopTakesTime(service: Service): boolean {
    const { unit, def } = service;
    if (stateOf(service) === "auto-restart") return false;
    return def.exec.ExecStop.length > 0 || def.exec.ExecStopPost.length > 0 || this.core.hooks.processes(unit.name).length > 0;
  }

  // ---- on its way down

  /** A job asks for it: no restart follows, unless the job itself is one. */
  stop(service: Service, restarting: boolean): Begun {
    const { s } = service;
    const at = stateOf(service);
    if (at === "dead" || at === "failed") return "already";
    s.forbidRestart = true;
    if (restarting) s.restarting = true;
    if (SERVICE_STATES[at] === "deactivating") return "begun";
    if (at === "auto-restart") {
      s.keepRestarts = restarting;
      s.forbidRestart = false;
      this.states.enter(service, "dead");
      return "begun";
    }
    if ((at === "running" || at === "exited") && !s.bySignal) this.states.enterStop(service, "success");
    else this.states.enterSignal(service, "stop-sigterm", "success");
    return "begun";
  }

  // ---- what happens to it

  reload(service: Service): Begun {
    if (stateOf(service) !== "running" && stateOf(service) !== "exited") return "failed";
    service.s.reloadResult = "success";
    this.states.runList(service, "ExecReload", "reload", () => this.states.enterRunning(service, "success"));
    return "begun";
  }

  canReload(def: Service["def"]): boolean {
    return def.exec.ExecReload.length > 0;
  }

  /** A process of the unit has ended. */
  exited(service: Service, pid: number, exit: ProcessExit): void {
    this.exits.exited(service, pid, exit);
  }

  /** sd_notify(3) by a process of the unit. */
  notified(service: Service, pid: number, said: Notification): void {
    const { unit, def, s } = service;
    if (pid !== s.mainPid && pid !== s.controlPid) {
      this.core.say(unit, "warning", `Got notification message from PID ${pid}, but reception only permitted for main PID ${s.mainPid}`);
      return;
    }
    const at = stateOf(service);
    const main = Number(said["MAINPID"]);
    if (Number.isInteger(main) && main > 0) s.mainPid = main;
    if (said["STATUS"] !== undefined) s.statusText = said["STATUS"];
    if (said["RELOADING"] === "1" && at === "running") this.states.enter(service, "reload");
    if (said["READY"] === "1") {
      if (at === "start" && def.type === "notify") this.states.enterStartPost(service);
      else if (stateOf(service) === "reload" && s.controlPid === 0) this.states.enterRunning(service, "success");
    }
    if (said["STOPPING"] === "1" && stateOf(service) === "running") {
      this.states.arm(service, def.timeoutStop);
      this.states.enter(service, "stop-sigterm");
    }
    const usec = Number(said["WATCHDOG_USEC"]);
    if (Number.isInteger(usec) && usec > 0) s.watchdogOverride = usec;
    if (said["WATCHDOG"] === "1" || Number.isInteger(usec)) this.states.startWatchdog(service);
    if (said["WATCHDOG"] === "trigger") this.states.enterSignal(service, "stop-watchdog", "watchdog");
  }

  /** A timer of the unit ran out: `state`, `watchdog` or `runtime`. */
  timer(service: Service, which: string, limit: (span: Duration) => string): void {
    this.timeouts.timer(service, which, limit);
  }

  /** systemctl reset-failed. */
  resetFailed(service: Service): void {
    const { s } = service;
    if (stateOf(service) === "failed") this.states.enter(service, "dead");
    Object.assign(s, { result: "success", reloadResult: "success", restarts: 0 });
  }
}
