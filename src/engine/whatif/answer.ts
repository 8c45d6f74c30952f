/**
 * What is answered to "what can this cluster lose?", as plain data: for losses at once and for losses one after another. Nothing in the real stack; an
 * administrator works it out on paper. Left out: how it is found (ask.ts).
 */
import type { Kind } from "./elements.ts";

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
