/**
 * A transaction: the jobs that one request brings with it, made consistent before any of them is queued. In the real stack: transaction.c; systemd's "Concepts" in
 * systemd(1). Pure: it reads the graph and the states and gives jobs, lines for the journal, or the reason why not.
 */
import type { UnitDefinition } from "./definition.ts";
import type { UnitGraph } from "./graph.ts";
import type { ActiveState, Job, JobMode, JobType } from "./record.ts";

export interface Refusal {
  /** As systemctl has it: `Unit x.service not found.` */
  readonly error: string;
  readonly code:
    "not-found" | "masked" | "bad-setting" | "load-error" | "conflict" | "cycle" | "destructive" | "not-applicable" | "refused";
}

/** What a transaction sees of the manager. */
export interface Present {
  readonly graph: UnitGraph;
  active(unit: string): ActiveState;
  job(unit: string): Job | undefined;
  /** The unit's type and settings allow a reload. */
  canReload(unit: UnitDefinition): boolean;
  load(name: string): UnitDefinition;
}

interface Planned {
  readonly unit: string;
  type: JobType;
  /** Who needs it, and whether that one fails without it; the anchor has none. */
  readonly by: { readonly job: Planned; readonly matters: boolean; readonly conflicts: boolean }[];
}

export interface PlannedJob {
  readonly unit: string;
  readonly type: JobType;
}

export interface Transaction {
  readonly anchor: PlannedJob;
  readonly jobs: readonly PlannedJob[];
  readonly lines: readonly { readonly unit: string; readonly level: "warning" | "error"; readonly text: string }[];
}

const isActive = (state: ActiveState): boolean => state === "active" || state === "reloading";
const isDown = (state: ActiveState): boolean => state === "inactive" || state === "failed";

/** The one job that does both; undefined where they contradict each other. */
export function mergedType(a: JobType, b: JobType): JobType | undefined {
  if (a === b) return a;
  if (a === "stop" || b === "stop") return undefined;
  const pair: readonly JobType[] = [a, b];
  const other = (one: JobType): JobType | undefined => (pair.includes(one) ? pair[1 - pair.indexOf(one)] : undefined);
  if (pair.includes("restart")) return "restart";
  if (pair.includes("reload-or-start")) return "reload-or-start";
  if (other("start") === "reload") return "reload-or-start";
  return pair.includes("start") ? "start" : "reload";
}

/** Nothing would change. */
export function isRedundant(type: JobType, state: ActiveState): boolean {
  if (type === "start" || type === "verify-active") return isActive(state);
  if (type === "stop") return isDown(state);
  return type === "reload" && state === "reloading";
}

/**
 * Which of two jobs goes first, where `second` is ordered after `first`: a job that stops goes before one that starts, and of two that stop the later unit goes first.
 * @returns true where the job of `second` has to wait
 */
export function secondWaits(secondType: JobType): boolean {
  return secondType !== "stop" && secondType !== "restart";
}

function loadRefusal(unit: UnitDefinition): Refusal | undefined {
  switch (unit.loadState) {
    case "loaded":
      return undefined;
    case "not-found":
      return { code: "not-found", error: `Unit ${unit.name} not found.` };
    case "masked":
      return { code: "masked", error: `Unit ${unit.name} is masked.` };
    case "bad-setting":
      return { code: "bad-setting", error: `Unit ${unit.name} has a bad unit file setting.` };
    case "error":
      return {
        code: "load-error",
        error: `Unit ${unit.name} failed to load properly, please adjust/correct and reload service manager: Bad message`,
      };
  }
}

class Planner {
  readonly planned = new Map<string, Planned[]>();
  readonly lines: Transaction["lines"][number][] = [];
  anchor: Planned | undefined;

  constructor(
    private readonly present: Present,
    private readonly ignoreDependencies: boolean,
  ) {}

  all(): Planned[] {
    return [...this.planned.values()].flat();
  }

  /** Adds a job and all it pulls in. */
  add(name: string, type: JobType, by?: Planned["by"][number]): Refusal | undefined {
    const unit = this.present.load(name);
    const refusal = type === "stop" ? undefined : loadRefusal(unit);
    if (refusal !== undefined) return refusal;
    if (type === "reload" && !this.present.canReload(unit))
      return { code: "not-applicable", error: `Job type reload is not applicable for unit ${unit.name}.` };
    const known = this.planned.get(unit.name)?.find((p) => p.type === type);
    if (known !== undefined) {
      if (by !== undefined) known.by.push(by);
      return undefined;
    }
    const job: Planned = { unit: unit.name, type, by: by === undefined ? [] : [by] };
    this.anchor ??= job;
    this.planned.set(unit.name, [...(this.planned.get(unit.name) ?? []), job]);
    const failed = this.ignoreDependencies ? undefined : this.addDependencies(job);
    // What cannot be had without something that is not there is left out as a whole.
    if (failed !== undefined && job !== this.anchor && this.planned.get(job.unit)?.includes(job) === true) this.drop(job);
    return failed;
  }

  private addDependencies(job: Planned): Refusal | undefined {
    const { graph } = this.present;
    const pull = (names: readonly string[], type: JobType, matters: boolean, conflicts = false): Refusal | undefined => {
      for (const name of names) {
        const refusal = this.add(name, type, { job, matters, conflicts });
        if (refusal !== undefined && matters && refusal.code !== "not-applicable") return refusal;
      }
      return undefined;
    };
    if (job.type === "start" || job.type === "restart" || job.type === "reload-or-start") {
      const needed = [...graph.edge(job.unit, "Requires"), ...graph.edge(job.unit, "BindsTo")];
      const refusal =
        pull(needed, "start", true) ??
        pull(graph.edge(job.unit, "Wants"), "start", false) ??
        pull(graph.edge(job.unit, "Requisite"), "verify-active", true) ??
        pull(graph.edge(job.unit, "Conflicts"), "stop", true, true) ??
        pull(graph.edge(job.unit, "Conflicts<"), "stop", false, true);
      if (refusal !== undefined) return refusal;
    }
    if (job.type !== "stop" && job.type !== "restart") return undefined;
    const followers = (["Requires<", "BindsTo<", "Requisite<", "PartOf<"] as const).flatMap((edge) => graph.edge(job.unit, edge));
    if (job.type === "stop") return pull(followers, "stop", true);
    // A restart restarts only those of them that run.
    return pull(
      followers.filter((name) => isActive(this.present.active(name))),
      "restart",
      true,
    );
  }

  /** Everything that runs and has no part in it is stopped: isolate. */
  addIsolateStops(): void {
    for (const unit of this.present.graph.all()) {
      const ignored = unit.ignoreOnIsolate || unit.type === "slice" || unit.type === "scope" || unit.type === "mount";
      if (ignored || this.planned.has(unit.name)) continue;
      if (isDown(this.present.active(unit.name)) && this.present.job(unit.name) === undefined) continue;
      if (this.anchor !== undefined) this.add(unit.name, "stop", { job: this.anchor, matters: false, conflicts: true });
    }
  }

  /** The anchor fails without it. */
  private matters(job: Planned, seen = new Set<Planned>()): boolean {
    if (job === this.anchor) return true;
    if (seen.has(job)) return false;
    seen.add(job);
    return job.by.some((b) => b.matters && this.matters(b.job, seen));
  }

  private remove(job: Planned): void {
    const rest = (this.planned.get(job.unit) ?? []).filter((p) => p !== job);
    if (rest.length > 0) this.planned.set(job.unit, rest);
    else this.planned.delete(job.unit);
  }

  /** Takes a job out, and with it those that cannot do without it. */
  private drop(job: Planned): void {
    this.remove(job);
    for (const { job: needer, matters } of job.by)
      if (matters && this.planned.get(needer.unit)?.includes(needer) === true) this.drop(needer);
    for (const other of this.all()) {
      const left = other.by.filter((b) => b.job !== job);
      if (left.length < other.by.length) other.by.splice(0, other.by.length, ...left);
      if (left.length === 0 && other !== this.anchor && this.planned.get(other.unit)?.includes(other) === true) this.drop(other);
    }
  }

  /** One job a unit: those that agree are merged, of those that do not the less important goes. */
  merge(): Refusal | undefined {
    for (;;) {
      const clash = [...this.planned.values()].flatMap((jobs) => clashing(jobs))[0];
      if (clash === undefined) break;
      const [a, b] = clash;
      const [first, second] = [this.matters(a), this.matters(b)];
      if (first && second)
        return {
          code: "conflict",
          error: `Transaction contains conflicting jobs '${a.type}' and '${b.type}' for ${a.unit}. Probably contradicting requirement dependencies configured.`,
        };
      const stop = a.type === "stop" ? a : b;
      const other = stop === a ? b : a;
      const conflicted = stop.by.some((x) => x.conflicts);
      this.drop(first ? b : second ? a : conflicted ? other : stop);
    }
    for (const [unit, jobs] of this.planned) {
      const [first, ...rest] = jobs;
      if (first === undefined || rest.length === 0) continue;
      for (const job of rest) {
        first.type = mergedType(first.type, job.type) ?? first.type;
        first.by.push(...job.by);
        for (const other of this.all()) other.by.forEach((b, i) => b.job === job && (other.by[i] = { ...b, job: first }));
        if (job === this.anchor) this.anchor = first;
      }
      this.planned.set(unit, [first]);
    }
    return undefined;
  }

  /** Jobs that would change nothing go, but for the one that was asked for. */
  dropRedundant(): void {
    for (const job of this.all()) {
      const installed = this.present.job(job.unit);
      const clashes = installed !== undefined && mergedType(installed.type, job.type) === undefined;
      if (job !== this.anchor && isRedundant(job.type, this.present.active(job.unit)) && !clashes) this.remove(job);
    }
  }

  /** A circle in the order loses a job that nobody insists on. */
  breakCycles(): Refusal | undefined {
    for (;;) {
      const cycle = this.findCycle();
      if (cycle === undefined) return undefined;
      const [start] = cycle;
      const name = (job: Planned): string => `${job.unit}/${job.type}`;
      if (start === undefined) return undefined;
      const say = (level: "warning" | "error", text: string): number =>
        this.lines.push({ unit: start.unit, level, text: `${start.unit}: ${text}` });
      [...cycle.slice(1), start].forEach((job, i) => say("warning", `Found ${i === 0 ? "ordering cycle" : "dependency"} on ${name(job)}`));
      const victim = cycle.find((job) => !this.matters(job));
      if (victim === undefined) {
        say("error", `Unable to break cycle starting with ${name(start)}`);
        return { code: "cycle", error: "Transaction order is cyclic. See system logs for details." };
      }
      say("error", `Job ${name(victim)} deleted to break ordering cycle starting with ${name(start)}`);
      this.drop(victim);
    }
  }

  private findCycle(): Planned[] | undefined {
    const done = new Set<string>();
    const path: Planned[] = [];
    const visit = (job: Planned): Planned[] | undefined => {
      const at = path.indexOf(job);
      if (at >= 0) return path.slice(at);
      if (done.has(job.unit)) return undefined;
      path.push(job);
      for (const other of this.jobsBefore(job)) {
        const cycle = visit(other);
        if (cycle !== undefined) return cycle;
      }
      path.pop();
      done.add(job.unit);
      return undefined;
    };
    for (const job of this.all()) {
      const cycle = visit(job);
      if (cycle !== undefined) return cycle;
    }
    return undefined;
  }

  /** The jobs of this transaction that `job` waits for. */
  private jobsBefore(job: Planned): Planned[] {
    const { graph } = this.present;
    const of = (names: readonly string[]): Planned[] => names.flatMap((name) => this.planned.get(name) ?? []);
    const after = secondWaits(job.type) ? of(graph.edge(job.unit, "After")) : [];
    return [...after, ...of(graph.edge(job.unit, "Before")).filter((other) => !secondWaits(other.type))];
  }

  /** Jobs that are queued may not be thrown out in mode fail, or where they are irreversible. */
  destructive(mode: JobMode): Refusal | undefined {
    for (const job of this.all()) {
      const installed = this.present.job(job.unit);
      if (installed === undefined || mergedType(installed.type, job.type) !== undefined) continue;
      if (mode !== "fail" && !(installed.irreversible && mode !== "replace-irreversibly")) continue;
      const anchor = this.anchor ?? job;
      return {
        code: "destructive",
        error: `Transaction for ${anchor.unit}/${anchor.type} is destructive (${job.unit} has '${installed.type}' job queued, but '${job.type}' is included in transaction).`,
      };
    }
    return undefined;
  }
}

function clashing(jobs: readonly Planned[]): (readonly [Planned, Planned])[] {
  return jobs.flatMap((a, i) => jobs.slice(i + 1).flatMap((b) => (mergedType(a.type, b.type) === undefined ? [[a, b] as const] : [])));
}

export function planTransaction(present: Present, unit: string, type: JobType, mode: JobMode): Transaction | Refusal {
  const planner = new Planner(present, mode === "ignore-dependencies");
  const added = planner.add(unit, type);
  if (added !== undefined) return added;
  if (mode === "isolate") planner.addIsolateStops();
  planner.dropRedundant();
  const refusal = planner.merge() ?? planner.breakCycles() ?? planner.destructive(mode);
  if (refusal !== undefined) return refusal;
  const { anchor } = planner;
  if (anchor === undefined) throw new Error("a transaction without its own job");
  return { anchor, jobs: planner.all().map((p) => ({ unit: p.unit, type: p.type })), lines: planner.lines };
}
