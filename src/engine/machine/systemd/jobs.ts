/**
 * The queue of jobs: at most one a unit, run as soon as the order of units lets it, side by side otherwise. In the real stack: job.c and the run queue of manager.c;
 * "Jobs" in systemd(1).
 */
import { cloneState, NEVER, type Hasher } from "../../kernel/index.ts";
import type { Begun } from "./core.ts";
import type { UnitGraph } from "./graph.ts";
import type { ActiveState, Job, JobMode, JobResult, JobType } from "./record.ts";
import { isRedundant, mergedType, secondWaits, type Transaction } from "./transaction.ts";

/** Finished jobs whose result can still be asked for. Ours. */
const RESULTS_MAX = 256;

/** What begins, and what is told. */
export interface JobWorld {
  readonly graph: UnitGraph;
  active(unit: string): ActiveState;
  /** Does what the job says; `failed` with the result it has then. */
  begin(job: Job): Begun | JobResult;
  /** `already`: nothing had to be done. */
  finished(job: Job, type: JobType, result: JobResult, already: boolean): void;
  setTimer(name: string, span: number): void;
  clearTimer(name: string): void;
}

export interface JobsState {
  jobs: Job[];
  nextId: number;
  results: (readonly [id: number, result: JobResult])[];
}

export class Jobs {
  private readonly jobs = new Map<number, Job>();
  private readonly byUnit = new Map<string, Job>();
  private results: (readonly [id: number, result: JobResult])[] = [];
  private nextId = 1;

  constructor(private readonly world: JobWorld) {}

  get(unit: string): Job | undefined {
    return this.byUnit.get(unit);
  }

  get size(): number {
    return this.jobs.size;
  }

  all(): readonly Job[] {
    return [...this.jobs.values()];
  }

  /** Undefined while the job is queued or runs. One that is long over counts as done. */
  result(id: number): JobResult | undefined {
    if (this.jobs.has(id)) return undefined;
    return this.results.find(([known]) => known === id)?.[1] ?? "done";
  }

  /** Queues the jobs of a transaction. @returns the id of the job that was asked for */
  install(transaction: Transaction, mode: JobMode): number {
    let anchor = 0;
    for (const { unit, type } of transaction.jobs) {
      const job = this.installOne(unit, type, mode);
      if (unit === transaction.anchor.unit) anchor = job.id;
    }
    return anchor;
  }

  private installOne(unit: string, type: JobType, mode: JobMode): Job {
    const installed = this.byUnit.get(unit);
    const both = installed === undefined ? undefined : mergedType(installed.type, type);
    if (installed !== undefined && both === undefined) this.finish(installed, "canceled");
    else if (installed !== undefined && both !== undefined) {
      const covered = installed.running && installed.type !== "restart" && installed.type !== "reload" && both === installed.type;
      if (!covered) Object.assign(installed, { running: false, queued: true });
      installed.type = both;
      if (mode === "replace-irreversibly") installed.irreversible = true;
      return installed;
    }
    const job: Job = {
      id: this.nextId++,
      unit,
      type,
      running: false,
      queued: true,
      irreversible: mode === "replace-irreversibly",
      ignoreOrder: mode === "ignore-dependencies",
    };
    this.jobs.set(job.id, job);
    this.byUnit.set(unit, job);
    const timeout = this.world.graph.get(unit)?.jobTimeout ?? NEVER;
    if (timeout !== NEVER) this.world.setTimer(`job/${job.id}`, timeout);
    return job;
  }

  /** No job that the order puts before it is left. */
  private runnable(job: Job): boolean {
    if (job.ignoreOrder) return true;
    const { graph } = this.world;
    const pending = (unit: string): Job | undefined => {
      const other = this.byUnit.get(unit);
      return other?.ignoreOrder === true ? undefined : other;
    };
    if (secondWaits(job.type) && graph.edge(job.unit, "After").some((u) => pending(u) !== undefined)) return false;
    return !graph.edge(job.unit, "Before").some((u) => {
      const other = pending(u);
      return other !== undefined && !secondWaits(other.type);
    });
  }

  /** Runs one job that can run. @returns false where there is none */
  runOne(): boolean {
    for (const job of this.jobs.values()) {
      if (!job.queued || job.running) continue;
      job.queued = false;
      if (!this.runnable(job)) continue;
      this.run(job);
      return true;
    }
    return false;
  }

  private run(job: Job): void {
    job.running = true;
    const begun = this.world.begin(job);
    if (this.jobs.get(job.id) !== job || begun === "begun") return;
    if (begun === "again") job.running = false;
    else if (begun === "already") this.finish(job, "done", true);
    else this.finish(job, begun);
  }

  /** The job's unit has changed its state. @returns whether the change is what a job asked for */
  stateChanged(unit: string, state: ActiveState, reloadFailed: boolean): boolean {
    const job = this.byUnit.get(unit);
    if (job === undefined) return false;
    if (!job.running) {
      job.queued = true;
      return false;
    }
    const down = state === "inactive" || state === "failed";
    switch (job.type) {
      case "start":
      case "verify-active":
        if (state === "active" || state === "reloading") this.finish(job, "done");
        else if (down) this.finish(job, state === "failed" ? "failed" : "done");
        return state !== "deactivating";
      case "reload":
      case "reload-or-start":
        if (state === "active") this.finish(job, reloadFailed ? "failed" : "done");
        else if (down) this.finish(job, state === "failed" ? "failed" : "done");
        return state !== "deactivating";
      case "stop":
      case "restart":
        if (down) this.finish(job, "done");
        else if (state !== "deactivating") this.finish(job, "failed");
        return down || state === "deactivating";
    }
  }

  /** Ends a job; those that hang on it fail with it, those that waited for it are looked at again. */
  finish(job: Job, result: JobResult, already = false): void {
    const { type, unit } = job;
    if (type === "restart" && result === "done") {
      // Half of it is done: now it starts.
      Object.assign(job, { type: "start", running: false, queued: true });
      this.world.finished(job, type, result, already);
      this.wakeNeighbours(unit);
      return;
    }
    this.jobs.delete(job.id);
    if (this.byUnit.get(unit) === job) this.byUnit.delete(unit);
    this.world.clearTimer(`job/${job.id}`);
    this.results.push([job.id, result]);
    if (this.results.length > RESULTS_MAX) this.results.shift();
    this.world.finished(job, type, result, already);
    if (result !== "done" && result !== "canceled") this.failDependents(unit, type);
    this.wakeNeighbours(unit);
  }

  private failDependents(unit: string, type: JobType): void {
    const { graph } = this.world;
    const starts = type === "start" || type === "verify-active" || type === "reload-or-start" || type === "restart";
    const hanging = starts
      ? [...graph.edge(unit, "Requires<"), ...graph.edge(unit, "Requisite<"), ...graph.edge(unit, "BindsTo<")]
      : type === "stop"
        ? graph.edge(unit, "Conflicts<")
        : [];
    for (const other of hanging) {
      const job = this.byUnit.get(other);
      if (job !== undefined && (job.type === "start" || job.type === "verify-active" || job.type === "reload-or-start"))
        this.finish(job, "dependency");
    }
  }

  private wakeNeighbours(unit: string): void {
    const { graph } = this.world;
    for (const name of [...graph.edge(unit, "After"), ...graph.edge(unit, "Before")]) {
      const job = this.byUnit.get(name);
      if (job !== undefined) job.queued = true;
    }
  }

  /** JobTimeoutSec= is over. */
  timer(id: number): void {
    const job = this.jobs.get(id);
    if (job !== undefined) this.finish(job, "timeout");
  }

  /** Nothing to be done for this type in the unit's present state. */
  redundant(unit: string, type: JobType): boolean {
    return this.byUnit.get(unit) === undefined && isRedundant(type, this.world.active(unit));
  }

  clear(): void {
    for (const job of this.jobs.values()) this.world.clearTimer(`job/${job.id}`);
    this.jobs.clear();
    this.byUnit.clear();
    this.results = [];
    this.nextId = 1;
  }

  snapshot(): JobsState {
    return cloneState({ jobs: [...this.jobs.values()], nextId: this.nextId, results: this.results });
  }

  restore(state: JobsState): void {
    this.clear();
    for (const job of cloneState(state.jobs)) {
      this.jobs.set(job.id, job);
      this.byUnit.set(job.unit, job);
    }
    this.nextId = state.nextId;
    this.results = cloneState(state.results);
  }

  digest(h: Hasher): void {
    h.int(this.nextId).int(this.results.length);
    for (const job of this.jobs.values()) h.int(job.id).text(job.unit).text(job.type).bool(job.running).bool(job.irreversible);
  }
}
