/**
 * The question: what can this cluster lose? Every set of up to four things, every set of nodes, and as many cables or networks as can be tried. The
 * answer names the smallest sets that kill or split, and how much of one kind may go, whichever it is. Left out: how likely a loss is.
 */
import type { WhatIfDesign } from "./design.ts";
import { KINDS, elementsOf, type Element, type Kind } from "./elements.ts";
import { GroupModel, type Model, type State } from "./model.ts";
import { WitnessModel } from "./witness-model.ts";
import { sentenceOf } from "./sentence.ts";
import { KEY_THINGS_MOST, Smallest, choose, everySet, keyOf, powerOfTwo } from "./sets.ts";
import { HOLDS, KILLS, SPLITS, Trial, UNSETTLED, type Verdict } from "./trial.ts";

/** Things in the largest set of a mixture that is tried. */
const SIZE_MOST = KEY_THINGS_MOST;
/** Sets of mixtures that are tried; where there would be more, sets stay smaller. Ours: some seconds. */
const SETS_MOST = 1_200_000;
/** Sets of one kind and one size that are tried: all of 16 nodes, all of 18 cables. Ours. */
const LEVEL_MOST = 50_000;
/** Progress is told after so many sets. */
const PROGRESS_EVERY = 2048;

/** How many sets of `lost` nodes end how. */
export interface Row {
  readonly lost: number;
  readonly sets: number;
  readonly holds: number;
  readonly kills: number;
  readonly splits: number;
  readonly unsettled: number;
}

export interface Answer {
  /** The most of one kind that can go, whichever they are, without a kill or a split. */
  readonly survivesAny: Readonly<Record<Kind, number>>;
  /** Kinds of which more may go still: more were not tried. */
  readonly atLeast: readonly Kind[];
  /** Smallest sets, by names. */
  readonly killing: readonly (readonly string[])[];
  readonly splitting: readonly (readonly string[])[];
  /** Smallest sets after which the membership never settles. */
  readonly unsettled: readonly (readonly string[])[];
  readonly matrix: readonly Row[];
}

export interface WhatIf {
  readonly sentence: string;
  /** Sets of up to so many things were tried. */
  readonly upTo: number;
  readonly nodes: number;
  /** Nodes are quorate while nothing is lost. */
  readonly quorate: boolean;
  readonly atOnce: Answer;
  readonly oneAfterAnother: Answer;
}

export type Progress = (done: number, total: number) => void;

/** One way of losing: what it has found so far. */
class Finding {
  private readonly killing = new Smallest();
  private readonly splitting = new Smallest();
  private readonly unsettled = new Smallest();
  readonly survives: Record<Kind, number> = { nodes: 0, networks: 0, qnetd: 0, links: 0 };
  readonly open = new Set<Kind>();
  readonly rows: Row[] = [];

  take(set: readonly number[], verdict: Verdict): void {
    if ((verdict & KILLS) !== 0) this.killing.add(set);
    if ((verdict & SPLITS) !== 0) this.splitting.add(set);
    if ((verdict & UNSETTLED) !== 0 && !this.killing.covers(set) && !this.splitting.covers(set)) this.unsettled.add(set);
  }

  answer(elements: readonly Element[]): Answer {
    const names = (found: Smallest): string[][] => found.sets.map((set) => set.map((i) => elements[i]?.name ?? ""));
    return {
      survivesAny: { ...this.survives },
      atLeast: KINDS.filter((kind) => this.open.has(kind)),
      killing: names(this.killing),
      splitting: names(this.splitting),
      unsettled: names(this.unsettled),
      matrix: this.rows,
    };
  }
}

class Question {
  private readonly elements: readonly Element[];
  private readonly trial: Trial;
  private readonly once = new Finding();
  private readonly turns = new Finding();
  private done = 0;
  private total = 0;

  constructor(
    private readonly design: WhatIfDesign,
    model: Model,
    private readonly progress: Progress,
  ) {
    this.elements = elementsOf(design);
    this.trial = new Trial(design, model);
  }

  ask(): WhatIf {
    const upTo = this.sizeMost();
    const of = (kind: Kind): Element[] => this.elements.filter((e) => e.kind === kind);
    for (let size = 0; size <= upTo; size++) this.total += choose(this.elements.length, size);
    this.total += powerOfTwo(of("nodes").length);
    this.mixtures(upTo);
    for (const kind of KINDS) this.alone(kind, of(kind));
    const answer = {
      upTo,
      nodes: this.design.members.length,
      quorate: this.trial.begin.some((state) => state.quorate > 0),
      atOnce: this.once.answer(this.elements),
      oneAfterAnother: this.turns.answer(this.elements),
    };
    return { sentence: sentenceOf(answer, this.elements), ...answer };
  }

  private sizeMost(): number {
    for (let size = SIZE_MOST; size > 1; size--) {
      let sets = 0;
      for (let k = 1; k <= size; k++) sets += choose(this.elements.length, k);
      if (sets <= SETS_MOST) return size;
    }
    return 1;
  }

  private step(): void {
    if (++this.done % PROGRESS_EVERY === 0) this.progress(this.done, Math.max(this.total, this.done));
  }

  /** Sets of anything, up to `upTo` of it. */
  private mixtures(upTo: number): void {
    const { trial, elements } = this;
    this.once.take([], trial.atOnce(trial.whole));
    this.turns.take([], trial.verdict(trial.begin));
    let before = new Map([[0, trial.begin]]);
    for (let size = 1; size <= upTo; size++) {
      const ends = new Map<number, readonly State[]>();
      everySet(elements, size, trial.topologies.nothingLost(), (set, loss) => {
        const to = trial.topologies.at(loss);
        const states: State[] = [];
        for (let i = 0; i < size; i++) trial.after(before.get(keyOf(set, i)) ?? [], to, states);
        this.once.take(set, trial.atOnce(to));
        this.turns.take(set, trial.verdict(states));
        if (size < upTo) ends.set(keyOf(set), states);
        this.step();
      });
      before = ends;
    }
  }

  /** Sets of one kind: as many of it as go, whichever they are. Of nodes all sets are tried, for the matrix. */
  private alone(kind: Kind, of: readonly Element[]): void {
    const open = { once: true, turns: true };
    const most = kind === "networks" ? this.design.networks : kind === "links" ? this.design.cards : of.length;
    let before = new Map([[0, this.trial.begin]]);
    for (let k = 0; k <= of.length && (kind === "nodes" || open.once || open.turns); k++) {
      if (choose(of.length, k) > LEVEL_MOST) break;
      const level = this.level(k, of, before);
      before = level.ends;
      if (kind === "nodes") {
        this.once.rows.push(rowOf(k, level.once));
        this.turns.rows.push(rowOf(k, level.turns));
      }
      open.once &&= !level.once.some(harms);
      open.turns &&= !level.turns.some(harms);
      // Those that carry nothing can go as well, once all the others can.
      const survived = k === of.length ? most : k;
      if (open.once) this.once.survives[kind] = survived;
      if (open.turns) this.turns.survives[kind] = survived;
    }
    if (open.once && this.once.survives[kind] < most) this.once.open.add(kind);
    if (open.turns && this.turns.survives[kind] < most) this.turns.open.add(kind);
  }

  /** All sets of `k`, by bits; their verdicts, and how they can end. */
  private level(
    k: number,
    of: readonly Element[],
    before: ReadonlyMap<number, readonly State[]>,
  ): { once: Verdict[]; turns: Verdict[]; ends: Map<number, readonly State[]> } {
    const once: Verdict[] = [];
    const turns: Verdict[] = [];
    const ends = new Map<number, readonly State[]>();
    everySet(of, k, this.trial.topologies.nothingLost(), (set, loss) => {
      const to = this.trial.topologies.at(loss);
      const bits = set.reduce((sum, i) => sum + powerOfTwo(i), 0);
      const states: State[] = [];
      if (k === 0) states.push(...this.trial.begin);
      for (const i of set) this.trial.after(before.get(bits - powerOfTwo(i)) ?? [], to, states);
      ends.set(bits, states);
      once.push(this.trial.atOnce(to));
      turns.push(this.trial.verdict(states));
      this.step();
    });
    return { once, turns, ends };
  }
}

function harms(verdict: Verdict): boolean {
  return (verdict & (KILLS | SPLITS)) !== 0;
}

function rowOf(lost: number, verdicts: readonly Verdict[]): Row {
  const count = (test: (v: Verdict) => boolean): number => verdicts.filter(test).length;
  return {
    lost,
    sets: verdicts.length,
    holds: count((v) => v === HOLDS),
    kills: count((v) => (v & KILLS) !== 0),
    splits: count((v) => (v & SPLITS) !== 0),
    unsettled: count((v) => (v & UNSETTLED) !== 0),
  };
}

/** What `design` is tried with. */
export function modelOf(design: WhatIfDesign, alike = true): Model {
  return design.device ? new WitnessModel(design, alike) : new GroupModel(design, alike);
}

/** Answers for `design`; `progress` is called now and then, and may throw to end it. */
export function whatIf(design: WhatIfDesign, progress: Progress = () => undefined): WhatIf {
  return new Question(design, modelOf(design), progress).ask();
}
