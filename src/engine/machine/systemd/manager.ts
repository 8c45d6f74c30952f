/**
 * The service manager: PID 1's units, jobs and answers to what happens to them. It starts default.target at boot, runs what people ask for, hears of processes, timers and
 * notifications, and stops everything for a shutdown. In the real stack: manager.c and unit.c of systemd 252. State is plain data; whatever happens while an event is
 * being dealt with waits until that one is done. Left out: D-Bus, generators, control groups but as the set of a unit's processes, resource control, swap, automounts.
 */
import { Hasher, cloneState, type Duration, type Instant, type LogLevel, type ProcessExit, type Signal } from "../../kernel/index.ts";
import { serviceOf, timerOf, type Core, type Service } from "./core.ts";
import { PERPETUAL } from "./defaults.ts";
import type { UnitDefinition } from "./definition.ts";
import type { UnitGraph, GraphState } from "./graph.ts";
import type { ManagerHooks, Notification, SystemAction } from "./hooks.ts";
import { Jobs, type JobsState } from "./jobs.ts";
import { doneMessage, skippedMessage, startupMessage } from "./messages.ts";
import { isTemplate, journalUnit, unitType } from "./names.ts";
import { digestRecord, type ActiveState, type Job, type JobMode, type JobResult, type JobType, type UnitRecord } from "./record.ts";
import { JobRunner } from "./run-job.ts";
import { Services } from "./service.ts";
import { ACTION_TARGETS, SideEffects } from "./side-effects.ts";
import { TimerUnits } from "./timer.ts";
import { UnitSet } from "./unit-set.ts";
import { planTransaction, type Refusal } from "./transaction.ts";
import { spanText } from "./values.ts";
import { jobTypeOf, type Verb } from "./verbs.ts";

export type Requested = { readonly job: number } | Refusal;

export interface ManagerState {
  graph: GraphState;
  records: { [unit: string]: UnitRecord };
  jobs: JobsState;
  phase: "off" | "booting" | "running" | "stopping";
  bootedAt: Instant;
  startedAt: Instant;
}

export class Manager {
  private readonly units: UnitSet;
  readonly graph: UnitGraph;
  readonly jobs: Jobs;
  private readonly services: Services;
  private readonly timers: TimerUnits;
  private readonly runner: JobRunner;
  private readonly effects: SideEffects;
  private phase: ManagerState["phase"] = "off";
  private bootedAt: Instant = 0;
  private startedAt: Instant = 0;
  /** What happened while something else was being dealt with. */
  private readonly inbox: (() => void)[] = [];
  private busy = false;
  /** The machine is to go down when the present event is dealt with. */
  private action: SystemAction | undefined;
  /** What the digest says of all this; undefined since something may have changed. A manager rests most of the time, and is asked every second. */
  private sum: readonly [number, number] | undefined;

  constructor(readonly hooks: ManagerHooks) {
    this.units = new UnitSet(hooks, (unit, level, text) => this.say(unit, level, text));
    this.graph = this.units.graph;
    const core: Core = {
      hooks,
      enter: (unit, r, active, sub, about) => this.enter(unit, r, active, sub, about?.reloadFailed === true),
      say: (unit, level, text) => this.say(unit.name, level, `${unit.name}: ${text}`),
      request: (unit, type, mode, why) => this.ownRequest(unit, type, mode, why),
    };
    this.services = new Services(core);
    this.timers = new TimerUnits(core, {
      record: (unit) => this.record(unit),
      bootedAt: () => this.bootedAt,
      startedAt: () => this.startedAt,
    });
    this.effects = new SideEffects({
      graph: this.graph,
      core,
      active: (unit) => this.active(unit),
      record: (unit) => this.record(unit),
      timers: this.timers,
      say: (unit, level, text) => this.say(unit, level, text),
      act: (action) => (this.action = action),
      later: (unit, type, mode, why) => this.inbox.push(() => this.ownRequest(unit, type, mode, why)),
    });
    this.runner = new JobRunner(core, this.services, this.timers, (unit, text) => this.say(unit.name, "info", text));
    this.jobs = new Jobs({
      graph: this.graph,
      active: (unit) => this.active(unit),
      begin: (job) => {
        const [unit, r] = [this.graph.get(job.unit), this.units.records[job.unit]];
        return unit === undefined || r === undefined ? "failed" : this.runner.begin(job, unit, r);
      },
      finished: (job, type, result, already) => this.finished(job, type, result, already),
      setTimer: (name, span) => hooks.setTimer(name, hooks.now() + span),
      clearTimer: (name) => hooks.clearTimer(name),
    });
  }

  // ---- what everybody reads

  record(unit: string): UnitRecord | undefined {
    return this.units.record(unit);
  }

  active(unit: string): ActiveState {
    return this.units.active(unit);
  }

  get stage(): ManagerState["phase"] {
    return this.phase;
  }

  private say(unit: string, level: LogLevel, text: string): void {
    this.hooks.log(journalUnit(unit), level, text);
  }

  private service(unit: UnitDefinition): Service | undefined {
    return serviceOf(unit, this.units.records[unit.name]);
  }

  // ---- loading

  private load(name: string): UnitDefinition {
    this.sum = undefined;
    return this.units.load(name);
  }

  /** systemctl daemon-reload: every unit is read anew; what runs goes on by what it was started with. */
  reload(): void {
    this.drain(() => {
      this.say("systemd", "info", "Reloading.");
      this.units.reload((unit) => this.active(unit.name) !== "inactive" || this.jobs.get(unit.name) !== undefined);
    });
  }

  // ---- one event at a time

  /** Deals with `work`, and with all that comes of it, before it returns; called from within, it waits for its turn. */
  private drain(work: () => void): void {
    this.sum = undefined;
    this.inbox.push(work);
    if (this.busy) return;
    this.busy = true;
    try {
      for (;;) {
        const next = this.inbox.shift();
        if (next !== undefined) next();
        else if (!this.jobs.runOne()) break;
      }
    } finally {
      this.busy = false;
    }
    const { action } = this;
    this.action = undefined;
    if (action !== undefined) {
      this.say("systemd", "info", "Shutting down.");
      this.hooks.act(action);
      return;
    }
    if (this.phase !== "booting" || this.jobs.size > 0) return;
    this.phase = "running";
    this.say("systemd", "info", startupMessage(this.startedAt - this.bootedAt, this.hooks.now() - this.startedAt));
    this.hooks.started();
  }

  // ---- boot and shutdown

  /** The kernel has started PID 1. @param poweredAt when the machine was switched on */
  boot(poweredAt: Instant): void {
    this.clear();
    this.phase = "booting";
    this.bootedAt = poweredAt;
    this.startedAt = this.hooks.now();
    this.drain(() => {
      for (const name of PERPETUAL) this.load(name);
      const target = this.load("default.target");
      const requested = this.plan(target.name, "start", "replace");
      if ("job" in requested) this.say("systemd", "info", `Queued start job for default target ${target.name}.`);
      else this.say("systemd", "error", `Failed to isolate default target: ${requested.error}`);
    });
  }

  shutdown(action: SystemAction): void {
    this.phase = "stopping";
    this.drain(() => {
      const requested = this.plan(ACTION_TARGETS[action], "start", "replace-irreversibly");
      if ("job" in requested) return;
      this.say("systemd", "error", `Failed to start ${ACTION_TARGETS[action]}: ${requested.error}`);
      this.hooks.act(action);
    });
  }

  /** The power went: no process is left, nothing was said. */
  powerLost(): void {
    this.clear();
  }

  private clear(): void {
    this.sum = undefined;
    for (const { name } of this.graph.all())
      for (const which of ["state", "watchdog", "runtime", "elapse"]) this.hooks.clearTimer(`${name}/${which}`);
    for (const unit of Object.keys(this.units.records)) {
      const state = this.units.records[unit]?.active;
      if (state !== "inactive" && unit.endsWith(".service")) this.hooks.trace({ what: "unit", unit: journalUnit(unit), state: "inactive" });
    }
    this.jobs.clear();
    this.inbox.length = 0;
    this.units.clear();
    this.phase = "off";
  }

  // ---- requests

  /**
   * What a verb of systemctl asks for. Names have their suffix.
   * @param bySignal the service is stopped by its signal at once, without ExecStop=
   */
  request(name: string, verb: Verb, mode: JobMode = "replace", bySignal = false): Requested {
    if (this.busy) throw new Error(`${verb} ${name}: asked for while the manager is busy`);
    if (unitType(name) === undefined || isTemplate(name)) {
      const what = isTemplate(name) ? "missing the instance name" : "not valid";
      return { code: "refused", error: `Unit name ${name} is ${what}.` };
    }
    let requested: Requested | undefined;
    this.drain(() => {
      requested = this.ask(name, verb, mode);
      const s = bySignal && "job" in requested ? this.record(name)?.service : undefined;
      if (s !== undefined) s.bySignal = true;
    });
    if (requested === undefined) throw new Error("a request without an answer");
    return requested;
  }

  private ask(name: string, verb: Verb, mode: JobMode): Requested {
    const unit = this.load(name);
    const up = this.active(unit.name) === "active" || this.active(unit.name) === "reloading" || this.active(unit.name) === "activating";
    if (verb.startsWith("try-") && !up) return { job: 0 };
    const type = jobTypeOf(verb, this.canReload(unit));
    const refused = (what: string): Refusal => ({
      code: "refused",
      error: `Operation refused, unit ${unit.name} may be requested by dependency only (it is configured to refuse manual ${what}).`,
    });
    if (type !== "stop" && type !== "reload" && unit.refuseManualStart) return refused("start/stop");
    if ((type === "stop" || type === "restart") && unit.refuseManualStop) return refused("start/stop");
    if (verb === "isolate" && !unit.allowIsolate) return { code: "refused", error: "Operation refused, unit may not be isolated." };
    if (type === "stop" && unit.loadState === "not-found" && this.active(unit.name) === "inactive")
      return { code: "not-found", error: `Unit ${unit.name} not loaded.` };
    return this.plan(unit.name, type, verb === "isolate" ? "isolate" : mode);
  }

  private canReload(unit: UnitDefinition): boolean {
    return unit.service !== undefined && this.services.canReload(unit.service);
  }

  private plan(unit: string, type: JobType, mode: JobMode): Requested {
    const plan = planTransaction(
      {
        graph: this.graph,
        active: (name) => this.active(name),
        job: (name) => this.jobs.get(name),
        canReload: (u) => this.canReload(u),
        load: (name) => this.load(name),
      },
      unit,
      type,
      mode,
    );
    if ("error" in plan) return plan;
    for (const { unit: about, level, text } of plan.lines) this.say(about, level, text);
    return { job: this.jobs.install(plan, mode) };
  }

  /** A request of the manager's own: a restart, a timer, OnFailure=. */
  private ownRequest(name: string, type: JobType, mode: JobMode, why: string): void {
    const unit = this.load(name);
    const requested = this.plan(unit.name, type, mode);
    if ("error" in requested) {
      this.say(unit.name, "warning", `${unit.name}: Failed to schedule ${why} job: ${requested.error}`);
      return;
    }
    const s = this.record(unit.name)?.service;
    if (why !== "restart" || s === undefined) return;
    s.restarts++;
    this.say(unit.name, "info", `${unit.name}: Scheduled restart job, restart counter is at ${s.restarts}.`);
  }

  /** systemctl kill. @returns false where no process of the unit gets it */
  kill(name: string, who: "all" | "main" | "control", signal: Signal): boolean {
    const unit = this.load(name);
    const s = this.record(unit.name)?.service;
    const group = this.hooks.processes(unit.name).map((p) => p.pid);
    const pids = who === "all" ? group : [who === "main" ? (s?.mainPid ?? 0) : (s?.controlPid ?? 0)].filter((pid) => pid !== 0);
    this.drain(() => {
      for (const pid of pids) this.hooks.kill(pid, signal);
    });
    return pids.length > 0;
  }

  /** systemctl reset-failed; every unit where none is named. @returns false where the unit is not loaded */
  resetFailed(name?: string): boolean {
    const units = name === undefined ? this.graph.all() : [this.graph.get(name) ?? this.load(name)];
    const known = units.every((u) => u.loadState !== "not-found" || this.active(u.name) !== "inactive");
    this.drain(() => {
      for (const unit of units) {
        const r = this.units.records[unit.name];
        if (r === undefined) continue;
        Object.assign(r, { limitSince: Number.NEGATIVE_INFINITY, limitStarts: 0 });
        const service = this.service(unit);
        if (service !== undefined) this.services.resetFailed(service);
        else if (r.active === "failed") this.enter(unit, r, "inactive", "dead", false);
      }
    });
    return known;
  }

  // ---- what happens

  /** A process of a unit's control group has ended. */
  exited(name: string, pid: number, exit: ProcessExit): void {
    this.drain(() => {
      const unit = this.graph.get(name);
      const service = unit === undefined ? undefined : this.service(unit);
      if (service !== undefined) this.services.exited(service, pid, exit);
    });
  }

  /** sd_notify(3) of a process of the unit. */
  notified(name: string, pid: number, said: Notification): void {
    this.drain(() => {
      const unit = this.graph.get(name);
      const service = unit === undefined ? undefined : this.service(unit);
      if (service !== undefined) this.services.notified(service, pid, said);
    });
  }

  /** A timer set through the hooks ran out. */
  timer(name: string): void {
    this.drain(() => {
      const slash = name.lastIndexOf("/");
      const [of, which] = [name.slice(0, slash), name.slice(slash + 1)];
      if (of === "job") return this.jobs.timer(Number(which));
      const unit = this.graph.get(of);
      if (unit === undefined) return;
      const timer = timerOf(unit, this.units.records[of]);
      const service = this.service(unit);
      if (timer !== undefined) this.timers.elapsed(timer);
      else if (service !== undefined) this.services.timer(service, which, (span: Duration) => spanText(span));
    });
  }

  // ---- what jobs come to

  private finished(job: Job, type: JobType, result: JobResult, already: boolean): void {
    const unit = this.graph.get(job.unit);
    const r = this.units.records[job.unit];
    if (unit === undefined || r === undefined || already) return;
    const starts = type === "start" || type === "reload-or-start";
    if (starts && result === "done" && r.active === "inactive" && (r.unmet !== undefined || r.service?.result === "exec-condition")) {
      this.say(unit.name, "info", skippedMessage(unit, r));
      return;
    }
    const said = doneMessage(unit, type, result);
    if (said !== undefined) this.say(unit.name, said.level, said.text);
    if (result !== "timeout" && result !== "dependency") return;
    this.say(unit.name, "notice", `${unit.name}: Job ${unit.name}/${type} failed with result '${result}'.`);
    this.effects.pull(unit, "OnFailure");
  }

  // ---- states

  private enter(unit: UnitDefinition, r: UnitRecord, active: ActiveState, sub: string, reloadFailed: boolean): void {
    const before = r.active;
    const now = this.hooks.now();
    r.active = active;
    r.sub = sub;
    r.since = now;
    const up = (s: ActiveState): boolean => s === "active" || s === "reloading";
    const down = (s: ActiveState): boolean => s === "inactive" || s === "failed";
    if (!up(before) && up(active)) r.activeEnter = now;
    if (up(before) && !up(active)) r.activeExit = now;
    if (down(before) && !down(active)) r.inactiveExit = now;
    if (!down(before) && down(active)) r.inactiveEnter = now;
    if (unit.type === "service" && before !== active && (active === "active" || active === "inactive" || active === "failed"))
      this.hooks.trace({ what: "unit", unit: journalUnit(unit.name), state: active });
    const expected = this.jobs.stateChanged(unit.name, active, reloadFailed);
    if (!expected && up(before) && !up(active) && active !== "activating") this.effects.stopBound(unit.name);
    this.effects.stateChanged(unit, r, before, active);
  }

  // ---- snapshots

  snapshot(): ManagerState {
    return {
      graph: this.graph.snapshot(),
      records: cloneState(this.units.records),
      jobs: this.jobs.snapshot(),
      phase: this.phase,
      bootedAt: this.bootedAt,
      startedAt: this.startedAt,
    };
  }

  restore(state: ManagerState): void {
    this.sum = undefined;
    this.graph.restore(state.graph);
    this.units.records = cloneState(state.records);
    this.jobs.restore(state.jobs);
    this.phase = state.phase;
    this.bootedAt = state.bootedAt;
    this.startedAt = state.startedAt;
  }

  digest(h: Hasher): void {
    if (this.sum === undefined) {
      const all = new Hasher().text(this.phase).int(this.bootedAt).int(this.startedAt);
      this.graph.digest(all);
      this.jobs.digest(all);
      for (const name of Object.keys(this.units.records)) digestRecord(all.text(name), this.units.records[name]);
      this.sum = all.snapshot();
    }
    h.int(this.sum[0]).int(this.sum[1]);
  }
}
