/**
 * The units of one machine and the jobs on them: what systemd (PID 1) does with services of Type=notify, with its journal lines. A unit's main process is
 * somebody else's (the node's); this file starts it, hears of its end, and says what systemd would say. Sources: systemd.service(5), systemd 252's
 * messages as seen in Debian 12's journal. Left out: targets other than "wanted at boot", sockets, cgroups, CPU accounting,
 * and the lines a failing ExecStop= adds after a crash.
 */
import {
  cloneState,
  MS,
  SEC,
  type Duration,
  type Hasher,
  type Instant,
  type LogLevel,
  type TraceEvent,
  type UnitState,
} from "../kernel/index.ts";
import { exitText, RESTARTS, resultOf, type ExitStatus, type UnitResult } from "./unit-results.ts";

/** systemd: DefaultTimeoutStartSec and DefaultTimeoutStopSec. */
export const UNIT_TIMEOUT: Duration = 90 * SEC;

/** systemd: DefaultRestartSec, DefaultStartLimitIntervalSec and DefaultStartLimitBurst. */
const RESTART_PAUSE: Duration = 100 * MS;
const START_LIMIT_INTERVAL: Duration = 10 * SEC;
const START_LIMIT_BURST = 5;

export interface UnitSpec {
  /** Without `.service`. */
  readonly name: string;
  readonly description: string;
  /** ExecStart= as written in the unit file. */
  readonly execStart: string;
  /** ConditionPathExists=. */
  readonly conditionPath?: string;
  /** Requires= and After=: started before this one, stopped after it. */
  readonly requires?: string;
  /** Restart=; absent: no. A drop-in may say otherwise. */
  readonly restart?: "on-failure" | "on-abnormal";
  /** Started at boot unless disabled; the order of the list is the order of starting. */
  readonly wantedAtBoot: boolean;
}

export interface UnitRecord {
  state: UnitState;
  enabled: boolean;
  result: UnitResult;
  /** Exit code or signal of the last main process; undefined before the first end. */
  exit: ExitStatus | undefined;
  /** The condition of the last start attempt did not hold, at this instant. */
  conditionFailedAt: Instant | undefined;
  mainPid: number;
  /** Instant of the last change of `state`. */
  since: Instant;
  /** When the main process was started and when it ended last. */
  startedAt: Instant | undefined;
  endedAt: Instant | undefined;
  /** A start waits for the stop to finish (restart). */
  startQueued: boolean;
  /** It has failed and is about to be started again; meanwhile it counts as activating, without a process. */
  autoRestart: boolean;
  /** Restarts by systemd since the last start that somebody asked for. */
  restarts: number;
  /** When the present interval of the start limit began, and starts in it. */
  limitSince: Instant;
  limitStarts: number;
  /** A job on the unit is running: its verb's caller waits. */
  job: "start" | "stop" | undefined;
  /** Result of the last finished start job, as systemctl reports it. */
  lastJob: "done" | "failed" | "timeout" | "canceled" | undefined;
}

/** What units need of their machine. */
export interface UnitHooks {
  now(): Instant;
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  log(unit: string, pid: number, level: LogLevel, text: string): void;
  trace(event: TraceEvent): void;
  pathExists(path: string): boolean;
  /** The last value a drop-in of the unit gives this setting; undefined where none does. */
  dropIn(unit: string, setting: string): string | undefined;
  newPid(): number;
  /** exec of the main process. */
  spawn(unit: string, pid: number): void;
  /** The polite way to end it: ExecStop= or SIGTERM. */
  stop(unit: string, polite: "exec-stop" | "SIGTERM"): void;
  /** SIGKILL: the process is gone when this returns; `exited` is not called back for it. */
  kill(unit: string): void;
}

export interface UnitsState {
  [unit: string]: UnitRecord;
}

export class Units {
  private records: UnitsState = {};
  private readonly byName = new Map<string, UnitSpec>();
  /** Ends of other processes while one is being killed. */
  private waitingEnds: [unit: string, exit: ExitStatus][] | undefined;

  constructor(
    private readonly hooks: UnitHooks,
    readonly specs: readonly UnitSpec[],
    disabled: readonly string[],
  ) {
    for (const spec of specs) {
      this.byName.set(spec.name, spec);
      this.records[spec.name] = {
        state: "inactive",
        enabled: spec.wantedAtBoot && !disabled.includes(spec.name),
        result: "success",
        exit: undefined,
        conditionFailedAt: undefined,
        mainPid: 0,
        since: 0,
        startedAt: undefined,
        endedAt: undefined,
        startQueued: false,
        autoRestart: false,
        restarts: 0,
        limitSince: -START_LIMIT_INTERVAL,
        limitStarts: 0,
        job: undefined,
        lastJob: undefined,
      };
    }
  }

  spec(unit: string): UnitSpec | undefined {
    return this.byName.get(unit);
  }

  /** The record of `unit`, not to be written to; undefined for a unit that is not found. */
  get(unit: string): Readonly<UnitRecord> | undefined {
    return this.records[unit];
  }

  /** Name of every unit → its state, in the order of the specs. */
  states(): { [unit: string]: UnitState } {
    const out: { [unit: string]: UnitState } = {};
    for (const spec of this.specs) out[spec.name] = this.records[spec.name]?.state ?? "inactive";
    return out;
  }

  private both(unit: string): { spec: UnitSpec; r: UnitRecord } | undefined {
    const spec = this.byName.get(unit);
    const r = this.records[unit];
    return spec === undefined || r === undefined ? undefined : { spec, r };
  }

  private say(unit: string, level: LogLevel, text: string): void {
    this.hooks.log(unit, 1, level, text);
  }

  private title(spec: UnitSpec): string {
    return `${spec.name}.service - ${spec.description}`;
  }

  private enter(unit: string, r: UnitRecord, state: UnitState): void {
    r.state = state;
    r.since = this.hooks.now();
    if (state === "active" || state === "inactive" || state === "failed") this.hooks.trace({ what: "unit", unit, state });
  }

  /** systemctl start. Does nothing on a unit that is active or starting; on one that is stopping the start waits. */
  start(unit: string): void {
    const found = this.both(unit);
    if (found === undefined) return;
    const { spec, r } = found;
    if (r.autoRestart) {
      // The restart that is coming is what is asked for.
      r.job = "start";
      r.lastJob = undefined;
      return;
    }
    if (r.state === "active" || r.state === "activating") return;
    if (r.state === "deactivating") {
      r.startQueued = true;
      return;
    }
    if (!r.startQueued) r.restarts = 0;
    r.startQueued = false;
    this.startNow(unit, spec, r);
  }

  private startNow(unit: string, spec: UnitSpec, r: UnitRecord): void {
    if (spec.requires !== undefined && this.waitsFor(unit, r, spec.requires)) return;
    // Counted before any condition is looked at, and whoever asks.
    if (this.tooOften(unit, r)) {
      if (r.result === "success") r.result = "start-limit-hit";
      this.say(unit, "warning", `${unit}.service: Start request repeated too quickly.`);
      this.say(unit, "warning", `${unit}.service: Failed with result '${r.result}'.`);
      this.failedToStart(unit, spec, r, "failed");
      return;
    }
    if (spec.conditionPath !== undefined && !this.hooks.pathExists(spec.conditionPath)) {
      r.conditionFailedAt = this.hooks.now();
      r.lastJob = "done";
      this.say(
        unit,
        "info",
        `${this.title(spec)} was skipped because of an unmet condition check (ConditionPathExists=${spec.conditionPath}).`,
      );
      return;
    }
    r.conditionFailedAt = undefined;
    r.job = "start";
    r.lastJob = undefined;
    r.mainPid = this.hooks.newPid();
    r.startedAt = this.hooks.now();
    r.endedAt = undefined;
    r.exit = undefined;
    this.enter(unit, r, "activating");
    this.say(unit, "info", `Starting ${this.title(spec)}...`);
    this.hooks.setTimer(`${unit}/timeout`, this.hooks.now() + UNIT_TIMEOUT);
    this.hooks.spawn(unit, r.mainPid);
  }

  /** The start limit: so many starts in an interval that begins with the first of them; an interval of 0 is none. Drop-ins give whole seconds. */
  private tooOften(unit: string, r: UnitRecord): boolean {
    const given = (setting: string): number => Number(this.hooks.dropIn(unit, setting) ?? NaN);
    const [seconds, starts] = [given("StartLimitIntervalSec"), given("StartLimitBurst")];
    const interval = Number.isInteger(seconds) ? seconds * SEC : START_LIMIT_INTERVAL;
    const burst = Number.isInteger(starts) ? starts : START_LIMIT_BURST;
    if (interval === 0) return false;
    const now = this.hooks.now();
    if (now - r.limitSince >= interval) {
      r.limitSince = now;
      r.limitStarts = 0;
    }
    if (r.limitStarts >= burst) return true;
    r.limitStarts++;
    return false;
  }

  private failedToStart(unit: string, spec: UnitSpec, r: UnitRecord, lastJob: "failed" | "timeout"): void {
    r.job = undefined;
    if (r.state !== "failed") this.enter(unit, r, "failed");
    r.lastJob = lastJob;
    this.say(unit, "error", `Failed to start ${this.title(spec)}.`);
    this.dependencyFailed(unit);
  }

  private restartsAfter(spec: UnitSpec, result: UnitResult): boolean {
    const restart = this.hooks.dropIn(spec.name, "Restart") ?? spec.restart;
    return restart !== undefined && RESTARTS[restart]?.includes(result) === true;
  }

  /** RestartSec is over: a restart job, which starts what the unit requires too. */
  private restartNow(unit: string, spec: UnitSpec, r: UnitRecord): void {
    r.autoRestart = false;
    r.restarts++;
    this.say(unit, "info", `${unit}.service: Scheduled restart job, restart counter is at ${r.restarts}.`);
    this.say(unit, "info", `Stopped ${this.title(spec)}.`);
    this.enter(unit, r, "inactive");
    this.startNow(unit, spec, r);
  }

  /** The unit that `unit` requires is started first. True: `unit` waits for it. */
  private waitsFor(unit: string, r: UnitRecord, required: string): boolean {
    if (this.records[required]?.state === "active") return false;
    r.job = "start";
    r.lastJob = undefined;
    r.startQueued = true;
    this.start(required);
    const state = this.records[required]?.state;
    if (state === "activating" || state === "deactivating") return true;
    // Skipped by its condition, which is no failure; or it has failed at once, and this unit has been told.
    const goesOn = r.startQueued;
    r.startQueued = false;
    return !goesOn;
  }

  /** Units that require `unit`. */
  private dependents(unit: string): { spec: UnitSpec; r: UnitRecord }[] {
    return this.specs.filter((s) => s.requires === unit).flatMap((s) => this.both(s.name) ?? []);
  }

  private dependencyFailed(unit: string): void {
    for (const { spec, r } of this.dependents(unit)) {
      if (!r.startQueued) continue;
      r.startQueued = false;
      r.job = undefined;
      r.lastJob = "failed";
      this.say(spec.name, "warning", `Dependency failed for ${this.title(spec)}.`);
      this.say(spec.name, "notice", `${spec.name}.service: Job ${spec.name}.service/start failed with result 'dependency'.`);
    }
  }

  /** The main process said READY=1. */
  ready(unit: string): void {
    const found = this.both(unit);
    if (found === undefined || found.r.state !== "activating") return;
    const { spec, r } = found;
    this.hooks.clearTimer(`${unit}/timeout`);
    r.job = undefined;
    r.lastJob = "done";
    r.result = "success";
    this.enter(unit, r, "active");
    this.say(unit, "info", `Started ${this.title(spec)}.`);
    for (const d of this.dependents(unit)) if (d.r.startQueued) this.start(d.spec.name);
  }

  /**
   * systemctl stop (`polite` "exec-stop"), or SIGTERM sent by PID 1. No effect on a unit that does not run. The stop that belongs to a restart leaves
   * alone who is about to be started again anyway.
   */
  stop(unit: string, polite: "exec-stop" | "SIGTERM", restarting = false): void {
    const found = this.both(unit);
    if (found === undefined) return;
    const { spec, r } = found;
    // A start that waits for another unit is given up.
    if (r.startQueued && r.state !== "deactivating") Object.assign(r, { job: undefined, lastJob: "canceled" });
    r.startQueued = false;
    for (const d of this.dependents(unit)) if (!restarting || !d.r.autoRestart) this.stop(d.spec.name, "SIGTERM");
    if (r.autoRestart) {
      this.hooks.clearTimer(`${unit}/restart`);
      r.autoRestart = false;
      r.job = undefined;
      this.enter(unit, r, "inactive");
      this.say(unit, "info", `Stopped ${this.title(spec)}.`);
      return;
    }
    if (r.state !== "active" && r.state !== "activating") return;
    // ExecStop= is for units that came up; one still starting gets SIGTERM.
    const way = r.state === "active" ? polite : "SIGTERM";
    r.job = "stop";
    this.enter(unit, r, "deactivating");
    this.say(unit, "info", `Stopping ${this.title(spec)}...`);
    this.hooks.setTimer(`${unit}/timeout`, this.hooks.now() + UNIT_TIMEOUT);
    this.hooks.stop(unit, way);
  }

  restart(unit: string, polite: "exec-stop" | "SIGTERM"): void {
    const record = this.records[unit];
    if (record === undefined) return;
    const running = this.dependents(unit).filter((d) => d.r.state === "active");
    this.stop(unit, polite, true);
    if (record.state === "deactivating") record.startQueued = true;
    else this.start(unit);
    for (const d of running) this.start(d.spec.name);
  }

  /** SIGKILL of the main process. */
  kill(unit: string): void {
    const r = this.records[unit];
    if (r === undefined || r.mainPid === 0) return;
    // Whoever ends because this one is gone ends after it: systemd hears of this one first.
    const after: [unit: string, exit: ExitStatus][] = [];
    this.waitingEnds = after;
    this.hooks.kill(unit);
    this.waitingEnds = undefined;
    this.exited(unit, { signal: "SIGKILL" });
    for (const [other, ended] of after) this.exited(other, ended);
  }

  /** The main process is gone. */
  exited(unit: string, exit: ExitStatus): void {
    if (this.waitingEnds !== undefined) {
      this.waitingEnds.push([unit, exit]);
      return;
    }
    const found = this.both(unit);
    if (found === undefined || found.r.mainPid === 0) return;
    const { spec, r } = found;
    const was = r.state;
    const timedOut = r.result === "timeout" && was !== "active";
    this.hooks.clearTimer(`${unit}/timeout`);
    r.mainPid = 0;
    r.exit = exit;
    r.endedAt = this.hooks.now();
    r.job = undefined;
    r.result = timedOut ? "timeout" : resultOf(exit);
    if (was === "activating" && r.result === "success") r.result = "protocol";
    if (r.result === "success") {
      this.say(unit, "info", `${unit}.service: Deactivated successfully.`);
    } else {
      this.say(unit, "notice", `${unit}.service: Main process exited, ${exitText(exit)}`);
      this.say(unit, "warning", `${unit}.service: Failed with result '${r.result}'.`);
    }
    this.enter(unit, r, r.result === "success" ? "inactive" : "failed");
    if (was === "activating") this.failedToStart(unit, spec, r, timedOut ? "timeout" : "failed");
    if (was !== "deactivating" && this.restartsAfter(spec, r.result)) {
      r.autoRestart = true;
      this.enter(unit, r, "activating");
      this.hooks.setTimer(`${unit}/restart`, this.hooks.now() + RESTART_PAUSE);
    }
    if (was === "deactivating") this.say(unit, "info", `Stopped ${this.title(spec)}.`);
    if (r.startQueued) this.start(unit);
  }

  /** A timer set through the hooks ran out. */
  timer(name: string): void {
    const slash = name.indexOf("/");
    const unit = name.slice(0, slash);
    const found = this.both(unit);
    if (found?.r.autoRestart === true) return this.restartNow(unit, found.spec, found.r);
    const r = found?.r;
    if (r === undefined || r.mainPid === 0) return;
    r.result = "timeout";
    if (r.state === "activating") {
      this.say(unit, "warning", `${unit}.service: start operation timed out. Terminating.`);
      this.hooks.setTimer(name, this.hooks.now() + UNIT_TIMEOUT);
      this.hooks.stop(unit, "SIGTERM");
      r.state = "activating";
    } else if (r.state === "deactivating") {
      this.say(unit, "warning", `${unit}.service: State 'stop-sigterm' timed out. Killing.`);
      this.kill(unit);
    }
  }

  setEnabled(unit: string, enabled: boolean): void {
    const r = this.records[unit];
    if (r !== undefined) r.enabled = enabled;
  }

  /** systemctl reset-failed. */
  resetFailed(unit: string): void {
    const r = this.records[unit];
    if (r === undefined) return;
    Object.assign(r, { restarts: 0, limitSince: -START_LIMIT_INTERVAL, limitStarts: 0 });
    if (r.state !== "failed") return;
    r.result = "success";
    this.enter(unit, r, "inactive");
  }

  /** The power went: no process is left, nothing was said. */
  powerLost(): void {
    for (const spec of this.specs) {
      const r = this.records[spec.name];
      if (r === undefined) continue;
      const fresh: Partial<UnitRecord> = {
        result: "success",
        exit: undefined,
        conditionFailedAt: undefined,
        mainPid: 0,
        startedAt: undefined,
      };
      Object.assign(r, fresh, { endedAt: undefined, startQueued: false, job: undefined, lastJob: undefined });
      Object.assign(r, { autoRestart: false, restarts: 0, limitSince: -START_LIMIT_INTERVAL, limitStarts: 0 });
      for (const timer of ["timeout", "restart"]) this.hooks.clearTimer(`${spec.name}/${timer}`);
      if (r.state !== "inactive") this.enter(spec.name, r, "inactive");
    }
  }

  /** No unit is on its way up or down. */
  settled(): boolean {
    return this.specs.every((s) => {
      const state = this.records[s.name]?.state;
      return state !== "activating" && state !== "deactivating";
    });
  }

  snapshot(): UnitsState {
    return cloneState(this.records);
  }

  restore(state: UnitsState): void {
    this.records = cloneState(state);
  }

  digest(h: Hasher): void {
    for (const spec of this.specs) {
      const r = this.records[spec.name];
      if (r !== undefined)
        h.text(r.state)
          .int(r.mainPid)
          .text(r.result)
          .bool(r.enabled)
          .bool(r.startQueued)
          .bool(r.autoRestart)
          .int(r.restarts)
          .int(r.limitSince)
          .int(r.limitStarts);
    }
  }
}
