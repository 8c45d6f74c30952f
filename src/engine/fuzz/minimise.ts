/**
 * Shrinks a schedule that breaks an invariant to one that a person can read and that still breaks it: what comes after the break goes first, then acts (delta
 * debugging), nodes, links, what is sent, and time that passes between the acts. Every step is tried by playing it. Left out: whether it is
 * the same defect; the same invariant is what is asked.
 */
import { MS, SEC, type Duration } from "../kernel/index.ts";
import type { WorldAct } from "../world/types.ts";
import { lastAt, type ScheduledAct, type FaultSchedule } from "./fault-schedule.ts";

/** How a schedule fails. */
export interface Failing {
  /** Since the schedule began; the first break. */
  readonly at: Duration;
  /** It broke at rest, when nothing was at fault any more: mending must stay as far as there is something to mend. */
  readonly resting: boolean;
  readonly text: string;
}

export interface Minimised {
  readonly schedule: FaultSchedule;
  readonly failing: Failing;
  /** Schedules played on the way. */
  readonly tries: number;
}

/** After the break the run goes on for so long, so that the break is in it. */
const AFTER_BREAK: Duration = 10 * MS;
/** The cluster is left alone for so long before the first act. */
const FIRST_AT: Duration = 1 * SEC;

/** Plays `schedule` and says how it breaks the invariant; undefined when it does not. */
export type Judge = (schedule: FaultSchedule) => Failing | undefined;

class Search {
  tries = 0;

  constructor(
    public schedule: FaultSchedule,
    public failing: Failing,
    private readonly judge: Judge,
    private readonly triesMax: number,
  ) {}

  get over(): boolean {
    return this.tries >= this.triesMax;
  }

  /** Takes `candidate` where it still breaks the invariant. */
  take(candidate: FaultSchedule): boolean {
    if (this.over) return false;
    this.tries++;
    const failing = this.judge(candidate);
    if (failing === undefined) return false;
    // What broke at rest must not break for want of mending.
    if (failing.resting && candidate.endsAt !== undefined) return false;
    this.failing = failing;
    this.schedule = start(candidate, failing);
    return true;
  }
}

/** What the search goes on from. Mending is as good as any act: it is missed where something stays at fault. */
function start(schedule: FaultSchedule, failing: Failing): FaultSchedule {
  return failing.resting ? { ...schedule, acts: [...schedule.acts, ...schedule.mends], mends: [] } : cutAfter(schedule, failing.at);
}

/** The run ends with its break: nothing after it can have had a part. */
function cutAfter(schedule: FaultSchedule, at: Duration): FaultSchedule {
  const acts = [...schedule.acts, ...schedule.mends].filter((d) => d.at <= at);
  return { ...schedule, acts, mends: [], endsAt: Math.max(0, at) + AFTER_BREAK };
}

/**
 * @param schedule breaks the invariant as `failing` says
 * @param triesMax schedules to be tried at most: a bound on time, and the result is the smallest until then
 */
export function minimise(schedule: FaultSchedule, failing: Failing, judge: Judge, triesMax: number): Minimised {
  const search = new Search(start(schedule, failing), failing, judge, triesMax);
  let size = Number.POSITIVE_INFINITY;
  while (sizeOf(search.schedule) < size && !search.over) {
    size = sizeOf(search.schedule);
    fewerActs(search);
    fewerNodes(search);
    fewerLinks(search);
    lessLoad(search);
    lessTime(search);
  }
  return { schedule: search.schedule, failing: search.failing, tries: search.tries };
}

const sizeOf = (schedule: FaultSchedule): number =>
  schedule.acts.length * 100 + schedule.nodes.length * 10 + schedule.links + lastAt(schedule.acts) / (1000 * SEC);

/** Delta debugging: leaves out half of the acts, a quarter, … one, as long as something can be left out. */
function fewerActs(search: Search): void {
  for (let size = Math.ceil(search.schedule.acts.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what undoes comes after what it undoes.
    for (let from = search.schedule.acts.length - size; from > -size && !search.over; from -= size) {
      const { acts } = search.schedule;
      const rest = [...acts.slice(0, Math.max(0, from)), ...acts.slice(Math.max(0, from + size))];
      if (rest.length < acts.length) search.take({ ...search.schedule, acts: rest });
      from = Math.min(from, search.schedule.acts.length);
    }
  }
}

function fewerNodes(search: Search): void {
  for (const name of [...search.schedule.nodes].reverse()) {
    if (search.schedule.nodes.length <= 1) return;
    search.take(withoutNode(search.schedule, name));
  }
}

/** The schedule without machine `name`, with those acts of others that make sense without it. */
export function withoutNode(schedule: FaultSchedule, name: string): FaultSchedule {
  const keep = (acts: readonly ScheduledAct[]): ScheduledAct[] =>
    acts.flatMap((scheduled) => {
      const act = actWithout(scheduled.act, name);
      return act === undefined ? [] : [{ at: scheduled.at, act }];
    });
  return { ...schedule, nodes: schedule.nodes.filter((n) => n !== name), acts: keep(schedule.acts), mends: keep(schedule.mends) };
}

function actWithout(act: WorldAct, name: string): WorldAct | undefined {
  if (act.to === "machine") return act.machine === name ? undefined : act;
  const fabric = act.act;
  if ("link" in fabric) return fabric.link.node === name || fabric.link.to === name ? undefined : act;
  if (fabric.kind === "block" && fabric.block.node === name) return undefined;
  if (fabric.kind !== "partition") return act;
  const groups = fabric.groups.map((g) => g.filter((n) => n !== name)).filter((g) => g.length > 0);
  return groups.length < 2 ? undefined : { to: "fabric", act: { kind: "partition", groups } };
}

function fewerLinks(search: Search): void {
  while (search.schedule.links > 1) {
    const links = search.schedule.links - 1;
    const gone = `net${links}`;
    const keep = (acts: readonly ScheduledAct[]): ScheduledAct[] => acts.filter((d) => netOf(d.act) !== gone);
    const { schedule } = search;
    if (!search.take({ ...schedule, links, acts: keep(schedule.acts), mends: keep(schedule.mends) })) return;
  }
}

function netOf(act: WorldAct): string | undefined {
  if (act.to === "machine") return act.act.kind === "nic-up" ? act.act.net : undefined;
  return "link" in act.act ? act.act.link.net : act.act.kind === "switch" ? act.act.net : undefined;
}

function lessLoad(search: Search): void {
  const { load } = search.schedule;
  if (load === undefined || search.take({ ...search.schedule, load: undefined })) return;
  search.take({ ...search.schedule, load: { ...load, burst: 1 } });
}

/** Acts follow each other sooner: those from each one on come earlier by what can be spared. */
function lessTime(search: Search): void {
  for (let i = 0; i < search.schedule.acts.length && !search.over; i++) {
    for (const gap of [0, 1 * SEC, 5 * SEC]) {
      const { acts } = search.schedule;
      const at = acts[i]?.at;
      if (at === undefined) return;
      const before = i === 0 ? FIRST_AT : (acts[i - 1]?.at ?? 0);
      const spared = at - before - gap;
      if (spared > SEC && search.take(sooner(search.schedule, i, spared))) break;
    }
  }
}

function sooner(schedule: FaultSchedule, from: number, by: Duration): FaultSchedule {
  const earlier = (d: ScheduledAct): ScheduledAct => ({ at: d.at - by, act: d.act });
  return {
    ...schedule,
    acts: schedule.acts.map((d, i) => (i < from ? d : earlier(d))),
    mends: schedule.mends.map(earlier),
    load: schedule.load === undefined ? undefined : { ...schedule.load, until: Math.max(schedule.load.from, schedule.load.until - by) },
  };
}
