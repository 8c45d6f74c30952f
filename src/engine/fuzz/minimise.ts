/**
 * Shrinks a life that breaks an invariant to one that a person can read and that still breaks it: what comes after the break goes first, then deeds (delta
 * debugging), nodes, links, what is sent, and time that passes between the deeds. Every step is tried by living it. Left out: whether it is
 * the same defect; the same invariant is what is asked.
 */
import { MS, SEC, type Duration } from "../kernel/index.ts";
import type { WorldAct } from "../world/types.ts";
import { lastAt, type Deed, type Life } from "./life.ts";

/** How a life fails. */
export interface Failing {
  /** Since the life began; the first break. */
  readonly at: Duration;
  /** It broke at rest, when nothing was at fault any more: mending must stay as far as there is something to mend. */
  readonly resting: boolean;
  readonly text: string;
}

export interface Minimised {
  readonly life: Life;
  readonly failing: Failing;
  /** Lives lived on the way. */
  readonly tries: number;
}

/** After the break the run goes on for so long, so that the break is in it. */
const AFTER_BREAK: Duration = 10 * MS;
/** The cluster is left alone for so long before the first deed. */
const FIRST_AT: Duration = 1 * SEC;

/** Lives `life` and says how it breaks the invariant; undefined when it does not. */
export type Judge = (life: Life) => Failing | undefined;

class Search {
  tries = 0;

  constructor(
    public life: Life,
    public failing: Failing,
    private readonly judge: Judge,
    private readonly triesMost: number,
  ) {}

  get over(): boolean {
    return this.tries >= this.triesMost;
  }

  /** Takes `candidate` where it still breaks the invariant. */
  take(candidate: Life): boolean {
    if (this.over) return false;
    this.tries++;
    const failing = this.judge(candidate);
    if (failing === undefined) return false;
    // What broke at rest must not break for want of mending.
    if (failing.resting && candidate.endsAt !== undefined) return false;
    this.failing = failing;
    this.life = start(candidate, failing);
    return true;
  }
}

/** What the search goes on from. Mending is as good as any deed: it is missed where something stays at fault. */
function start(life: Life, failing: Failing): Life {
  return failing.resting ? { ...life, deeds: [...life.deeds, ...life.mends], mends: [] } : cutAfter(life, failing.at);
}

/** The life ends with its break: nothing after it can have had a part. */
function cutAfter(life: Life, at: Duration): Life {
  const deeds = [...life.deeds, ...life.mends].filter((d) => d.at <= at);
  return { ...life, deeds, mends: [], endsAt: Math.max(0, at) + AFTER_BREAK };
}

/**
 * @param life breaks the invariant as `failing` says
 * @param triesMost lives to be tried at most: a bound on time, and the result is the smallest until then
 */
export function minimise(life: Life, failing: Failing, judge: Judge, triesMost: number): Minimised {
  const search = new Search(start(life, failing), failing, judge, triesMost);
  let size = Number.POSITIVE_INFINITY;
  while (sizeOf(search.life) < size && !search.over) {
    size = sizeOf(search.life);
    fewerDeeds(search);
    fewerNodes(search);
    fewerLinks(search);
    lessLoad(search);
    lessTime(search);
  }
  return { life: search.life, failing: search.failing, tries: search.tries };
}

const sizeOf = (life: Life): number => life.deeds.length * 100 + life.nodes.length * 10 + life.links + lastAt(life.deeds) / (1000 * SEC);

/** Delta debugging: leaves out half of the deeds, a quarter, … one, as long as something can be left out. */
function fewerDeeds(search: Search): void {
  for (let size = Math.ceil(search.life.deeds.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what undoes comes after what it undoes.
    for (let from = search.life.deeds.length - size; from > -size && !search.over; from -= size) {
      const { deeds } = search.life;
      const rest = [...deeds.slice(0, Math.max(0, from)), ...deeds.slice(Math.max(0, from + size))];
      if (rest.length < deeds.length) search.take({ ...search.life, deeds: rest });
      from = Math.min(from, search.life.deeds.length);
    }
  }
}

function fewerNodes(search: Search): void {
  for (const name of [...search.life.nodes].reverse()) {
    if (search.life.nodes.length <= 1) return;
    search.take(withoutNode(search.life, name));
  }
}

/** The life without machine `name`, with those deeds of others that make sense without it. */
export function withoutNode(life: Life, name: string): Life {
  const keep = (deeds: readonly Deed[]): Deed[] =>
    deeds.flatMap((deed) => {
      const act = actWithout(deed.act, name);
      return act === undefined ? [] : [{ at: deed.at, act }];
    });
  return { ...life, nodes: life.nodes.filter((n) => n !== name), deeds: keep(life.deeds), mends: keep(life.mends) };
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
  while (search.life.links > 1) {
    const links = search.life.links - 1;
    const gone = `net${links}`;
    const keep = (deeds: readonly Deed[]): Deed[] => deeds.filter((d) => netOf(d.act) !== gone);
    const { life } = search;
    if (!search.take({ ...life, links, deeds: keep(life.deeds), mends: keep(life.mends) })) return;
  }
}

function netOf(act: WorldAct): string | undefined {
  if (act.to === "machine") return act.act.kind === "nic-up" ? act.act.net : undefined;
  return "link" in act.act ? act.act.link.net : act.act.kind === "switch" ? act.act.net : undefined;
}

function lessLoad(search: Search): void {
  const { load } = search.life;
  if (load === undefined || search.take({ ...search.life, load: undefined })) return;
  search.take({ ...search.life, load: { ...load, burst: 1 } });
}

/** Deeds follow each other sooner: those from each one on come earlier by what can be spared. */
function lessTime(search: Search): void {
  for (let i = 0; i < search.life.deeds.length && !search.over; i++) {
    for (const gap of [0, 1 * SEC, 5 * SEC]) {
      const { deeds } = search.life;
      const at = deeds[i]?.at;
      if (at === undefined) return;
      const before = i === 0 ? FIRST_AT : (deeds[i - 1]?.at ?? 0);
      const spared = at - before - gap;
      if (spared > SEC && search.take(sooner(search.life, i, spared))) break;
    }
  }
}

function sooner(life: Life, from: number, by: Duration): Life {
  const earlier = (d: Deed): Deed => ({ at: d.at - by, act: d.act });
  return {
    ...life,
    deeds: life.deeds.map((d, i) => (i < from ? d : earlier(d))),
    mends: life.mends.map(earlier),
    load: life.load === undefined ? undefined : { ...life.load, until: Math.max(life.load.from, life.load.until - by) },
  };
}
