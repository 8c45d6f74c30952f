/**
 * The states of a service between `dead` and `running` and back, and what is done on entering each: commands are run, signals sent, time-outs set. In the real stack:
 * the service_enter_ functions of service.c; systemd.service(5). What moves it from one to the next is in service-exits.ts, service-timeouts.ts and service.ts.
 */
import { NEVER, type Duration, type ProcessExit } from "../../kernel/index.ts";
import type { Core, Service } from "./core.ts";
import type { ExecKind } from "./definition.ts";
import { restartsAfter, type UnitResult } from "./exits.ts";
import { SERVICE_STATES, type ServiceState } from "./record.ts";
import { killProcesses, spawnCommand, type KillStep } from "./service-exec.ts";

/** The state a service is in. */
export const stateOf = (service: Service): ServiceState => service.r.sub as ServiceState;
export const STARTING: readonly ServiceState[] = ["condition", "start-pre", "start", "start-post"];
/** Its processes are told to end. */
export const STOPPING: readonly ServiceState[] = ["stop-watchdog", "stop-sigterm", "stop-sigkill"];
/** What is left of them is told to end. */
export const FINAL: readonly ServiceState[] = ["final-watchdog", "final-sigterm", "final-sigkill"];
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

/** Who is told of a command that ended before it ran. */
export interface SpawnExits {
  main(service: Service, exit: ProcessExit): void;
  control(service: Service, exit: ProcessExit): void;
}

export class ServiceStates {
  constructor(
    private readonly core: Core,
    private readonly exits: SpawnExits,
  ) {}

  private get now(): number {
    return this.core.hooks.now();
  }

  /** When the present state has lasted for too long. */
  arm(service: Service, span: Duration): void {
    const name = `${service.unit.name}/state`;
    if (span === NEVER) this.core.hooks.clearTimer(name);
    else this.core.hooks.setTimer(name, this.now + span);
  }

  /** Goes to a state, and gives up the timers that are not of it. */
  enter(service: Service, to: ServiceState, about: { readonly reloadFailed?: boolean } = {}): void {
    const { unit, r } = service;
    if (!TIMED.includes(to) && to !== "auto-restart") this.core.hooks.clearTimer(`${unit.name}/state`);
    if (SERVICE_STATES[to] !== "active" && SERVICE_STATES[to] !== "reloading" && to !== "start-post")
      for (const timer of ["watchdog", "runtime"]) this.core.hooks.clearTimer(`${unit.name}/${timer}`);
    this.core.enter(unit, r, SERVICE_STATES[to], to, about);
  }

  /** The first failure is the one that is told. */
  fails(service: Service, result: UnitResult): void {
    if (service.s.result === "success") service.s.result = result;
  }

  /** Starts the first command of a list and enters its state; where the list is empty, goes on. */
  runList(service: Service, kind: ExecKind, to: ServiceState, onward: () => void): void {
    const { def } = service;
    if (def.exec[kind].length === 0) return onward();
    this.arm(service, STARTING.includes(to) ? def.timeoutStart : to === "reload" ? def.timeoutStart : def.timeoutStop);
    this.enter(service, to);
    this.runControl(service, kind, 0);
  }

  /** Starts one command of a list. */
  runControl(service: Service, kind: ExecKind, index: number): void {
    const { s } = service;
    const started = spawnCommand(this.core, service, kind, index);
    if (started === undefined) return this.cannotSpawn(service);
    s.controlPid = started.pid;
    s.control = { kind, index };
    if (started.exit !== undefined) this.exits.control(service, started.exit);
  }

  private cannotSpawn(service: Service): void {
    if (STARTING.includes(stateOf(service)) || stateOf(service) === "dead" || stateOf(service) === "failed")
      this.enterSignal(service, "stop-sigterm", "resources");
    else if (stateOf(service) === "reload") this.enterRunning(service, "success");
    else this.enterSignal(service, stateOf(service) === "stop-post" ? "final-sigterm" : "stop-sigterm", "resources");
  }

  enterStartPre(service: Service): void {
    this.runList(service, "ExecStartPre", "start-pre", () => this.enterStart(service));
  }

  /** Its main process, or the next of a oneshot's. */
  enterStart(service: Service): void {
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
    if (failedExec !== undefined) this.exits.main(service, failedExec);
  }

  enterStartPost(service: Service): void {
    this.runList(service, "ExecStartPost", "start-post", () => this.enterRunning(service, "success"));
  }

  /** It is up, unless something failed on the way. */
  enterRunning(service: Service, result: UnitResult): void {
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

  /** ExecStop=, then signals. */
  enterStop(service: Service, result: UnitResult): void {
    this.fails(service, result);
    this.runList(service, "ExecStop", "stop", () => this.enterSignal(service, "stop-sigterm", "success"));
  }

  /** Sends the signal of a stopping state and waits for the processes to end. */
  enterSignal(service: Service, to: ServiceState, result: UnitResult): void {
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

  /** What is run after it has ended. */
  enterStopPost(service: Service, result: UnitResult): void {
    this.fails(service, result);
    this.runList(service, "ExecStopPost", "stop-post", () => this.enterSignal(service, "final-sigterm", "success"));
  }

  /** It is over; perhaps it comes again. */
  enterDead(service: Service, result: UnitResult): void {
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

  /** From now on it has to say that it is alive. */
  startWatchdog({ unit, def, s }: Service): void {
    const span = s.watchdogOverride ?? def.watchdog;
    if (span > 0 && span !== NEVER) this.core.hooks.setTimer(`${unit.name}/watchdog`, this.now + span);
  }
}
