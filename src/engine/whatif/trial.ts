/**
 * The verdict over one set of losses: all at once, and one after another in every order, with a settled membership after each. A set kills when afterwards
 * no powered-on node is quorate, and splits when two components are. One after another it does so when some order does: nobody chooses the order
 * in which things fail; with a QDevice it is enough that it does at some moment between two heartbeats. An order that passes a membership that never settles is none of "settled between" and is not walked; a set is unsettled when
 * it ends in one, or when no order is left.
 */
import type { WhatIfDesign } from "./design.ts";
import type { Element } from "./elements.ts";
import type { Model, State } from "./model.ts";
import { Topologies, type Loss, type Topology } from "./topology.ts";

/** Bits of a verdict; more than one can be set where order or moment matter. */
export const HOLDS = 1;
export const KILLS = 2;
export const SPLITS = 4;
export const UNSETTLED = 8;
export type Verdict = number;

function verdictOf(state: State): Verdict {
  return state.quorate === 0 ? KILLS : state.quorate > 1 ? SPLITS : HOLDS;
}

export class Trial {
  readonly topologies: Topologies;
  readonly whole: Topology;
  /** Where everything begins; empty where even the whole design never settles. */
  readonly begin: readonly State[];

  constructor(
    design: WhatIfDesign,
    private readonly model: Model,
  ) {
    this.topologies = new Topologies(design);
    this.whole = this.topologies.at(this.topologies.nothingLost());
    this.begin = this.whole.loose.length > 0 ? [] : [model.begin(this.whole)];
  }

  /** All of it in one blow. */
  atOnce(to: Topology): Verdict {
    const [start] = this.begin;
    if (start === undefined) return UNSETTLED;
    if (to.loose.length > 0 && !this.model.apart) return UNSETTLED;
    const verdict = this.verdict(this.model.next(start, to));
    return to.loose.length > 0 && verdict !== SPLITS ? UNSETTLED : verdict;
  }

  /** Adds to `ends` what the last loss leads to from `before`, one of the ways in which all but one of the set can end. */
  after(before: readonly State[], to: Topology, ends: State[]): void {
    if (to.loose.length > 0) return;
    for (const state of before) {
      for (const end of this.model.next(state, to)) if (!ends.includes(end)) ends.push(end);
    }
  }

  verdict(ends: readonly State[]): Verdict {
    let bits = ends.length === 0 ? UNSETTLED : 0;
    for (const state of ends) bits |= verdictOf(state);
    return bits;
  }

  topology(set: readonly Element[]): Topology {
    const loss: Loss = this.topologies.nothingLost();
    for (const { word, bit } of set) loss[word] = (loss[word] ?? 0) | bit;
    return this.topologies.at(loss);
  }

  /** In this order, settled between. */
  inOrder(order: readonly Element[]): Verdict {
    let ends = this.begin;
    for (let n = 1; n <= order.length; n++) {
      const next: State[] = [];
      this.after(ends, this.topology(order.slice(0, n)), next);
      ends = next;
    }
    return this.verdict(ends);
  }
}
