/**
 * The question: what can this cluster lose? Every set of up to four things, every set of nodes, and as many cables or networks as can be tried. The
 * answer names the smallest sets that kill or split, and how much of one kind may go, whichever it is. Left out: how likely a loss is.
 */
import { Signatures, classesOf, tieOrderOf } from "./alike.ts";
import type { WhatIfDesign } from "./design.ts";
import type { Answer, Row, WhatIf } from "./answer.ts";
import { KINDS, elementsOf, type Element, type Kind } from "./elements.ts";
import { GroupModel, type Model } from "./model.ts";
import { WitnessModel } from "./witness-model.ts";
import { sentenceOf } from "./sentence.ts";
import { KEY_THINGS_MAX, Smallest, choose, everySet } from "./sets.ts";
import { Verdicts } from "./verdicts.ts";
import { HOLDS, KILLS, SPLITS, Trial, UNSETTLED, type Verdict } from "./trial.ts";

/** Things in the largest set of a mixture that is tried. */
const SIZE_MAX = KEY_THINGS_MAX;
/** Sets of mixtures that are tried; where there would be more, sets stay smaller. Ours: some seconds. */
const SETS_MAX = 1_200_000;
/** Sets of one kind and one size that are tried: all of 18 cables. Ours. */
const LEVEL_MAX = 50_000;
/** Progress is told after so many sets. */
const PROGRESS_EVERY = 2048;

type Counts = { -readonly [K in keyof Row]: Row[K] };

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
  private readonly classes: readonly number[];
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
    this.classes = classesOf(design);
  }

  ask(): WhatIf {
    const upTo = this.sizeMost();
    for (let size = 0; size <= upTo; size++) this.total += choose(this.elements.length, size);
    this.mixtures(upTo);
    this.nodes();
    for (const kind of ["networks", "qnetd", "links"] as const) this.alone(kind);
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
    for (let size = SIZE_MAX; size > 1; size--) {
      let sets = 0;
      for (let k = 1; k <= size; k++) sets += choose(this.elements.length, k);
      if (sets <= SETS_MAX) return size;
    }
    return 1;
  }

  private step(): void {
    if (++this.done % PROGRESS_EVERY === 0) this.progress(this.done, Math.max(this.total, this.done));
  }

  private verdictsOf(elements: readonly Element[]): Verdicts {
    return new Verdicts(this.trial, elements, new Signatures(this.classes, tieOrderOf(this.design), elements));
  }

  /** Sets of anything, up to `upTo` of it. */
  private mixtures(upTo: number): void {
    const verdicts = this.verdictsOf(this.elements);
    for (let size = 0; size <= upTo; size++)
      everySet(this.elements, size, this.trial.topologies.nothingLost(), (set, loss) => {
        const { once, turns } = verdicts.of(set, loss);
        this.once.take(set, once);
        this.turns.take(set, turns);
        this.step();
      });
  }

  /** Sets of one kind alone, as many of it as go, whichever they are. */
  private alone(kind: Kind): void {
    const of = this.elements.filter((e) => e.kind === kind);
    const most = kind === "networks" ? this.design.networks : kind === "links" ? this.design.cards : of.length;
    const verdicts = this.verdictsOf(of);
    const open = { once: true, turns: true };
    for (let k = 0; k <= of.length && (open.once || open.turns) && choose(of.length, k) <= LEVEL_MAX; k++) {
      everySet(of, k, this.trial.topologies.nothingLost(), (set, loss) => {
        const { once, turns } = verdicts.of(set, loss);
        open.once &&= !harms(once);
        open.turns &&= !harms(turns);
        this.step();
      });
      // Those that carry nothing can go as well, once all the others can.
      const survived = k === of.length ? most : k;
      if (open.once) this.once.survives[kind] = survived;
      if (open.turns) this.turns.survives[kind] = survived;
    }
    if (open.once && this.once.survives[kind] < most) this.once.open.add(kind);
    if (open.turns && this.turns.survives[kind] < most) this.turns.open.add(kind);
  }

  /** Sets of nodes, all of them: how many nodes may go, and the matrix. */
  private nodes(): void {
    const of = this.elements.filter((e) => e.kind === "nodes");
    const verdicts = this.verdictsOf(of);
    const open = { once: true, turns: true };
    for (let k = 0; k <= of.length; k++) {
      const rows = { once: emptyRow(k), turns: emptyRow(k) };
      everySet(of, k, this.trial.topologies.nothingLost(), (set, loss) => {
        const { once, turns } = verdicts.of(set, loss);
        count(rows.once, once);
        count(rows.turns, turns);
        open.once &&= !harms(once);
        open.turns &&= !harms(turns);
        this.step();
      });
      this.once.rows.push(rows.once);
      this.turns.rows.push(rows.turns);
      if (open.once) this.once.survives.nodes = k;
      if (open.turns) this.turns.survives.nodes = k;
    }
  }
}

function harms(verdict: Verdict): boolean {
  return (verdict & (KILLS | SPLITS)) !== 0;
}

function emptyRow(lost: number): Counts {
  return { lost, sets: 0, holds: 0, kills: 0, splits: 0, unsettled: 0 };
}

function count(row: Counts, verdict: Verdict): void {
  row.sets++;
  if (verdict === HOLDS) row.holds++;
  if ((verdict & KILLS) !== 0) row.kills++;
  if ((verdict & SPLITS) !== 0) row.splits++;
  if ((verdict & UNSETTLED) !== 0) row.unsettled++;
}

/** What `design` is tried with. */
export function modelOf(design: WhatIfDesign, alike = true): Model {
  return design.device ? new WitnessModel(design, alike) : new GroupModel(design, alike);
}

/** Answers for `design`; `progress` is called now and then, and may throw to end it. */
export function whatIf(design: WhatIfDesign, progress: Progress = () => undefined): WhatIf {
  return new Question(design, modelOf(design), progress).ask();
}
