/**
 * Sets of things to lose: all of one size in order, each with what is gone then, and the smallest of those that have something in common. Left out: what
 * becomes of a cluster that loses one.
 */
import type { Element } from "./elements.ts";
import type { Loss } from "./topology.ts";

/** Sets of more things have no key. */
export const KEY_THINGS_MAX = 4;
const KEY_BASE = 256;

export function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}

/** A set of up to four of at most 255 things as a number; `skip`: without the thing at that place. */
export function keyOf(set: readonly number[], skip = -1): number {
  let key = 0;
  for (let i = 0; i < set.length; i++) if (i !== skip) key = key * KEY_BASE + (set[i] ?? 0) + 1;
  return key;
}

/** Calls `look` with every set of `size` things, as ascending places in `of`, and what is gone then. Both arrays are used again for the next set. */
export function everySet(of: readonly Element[], size: number, nothing: Loss, look: (set: readonly number[], loss: Loss) => void): void {
  const set = new Array<number>(size).fill(0);
  const losses = Array.from({ length: size + 1 }, () => [...nothing]);
  const from = (first: number, depth: number): void => {
    const before = losses[depth];
    if (before === undefined) return;
    if (depth === size) {
      look(set, before);
      return;
    }
    const loss = losses[depth + 1];
    if (loss === undefined) return;
    for (let i = first; i <= of.length - (size - depth); i++) {
      const element = of[i];
      if (element === undefined) return;
      for (let w = 0; w < before.length; w++) loss[w] = before[w] ?? 0;
      loss[element.word] = (loss[element.word] ?? 0) | element.bit;
      set[depth] = i;
      from(i + 1, depth + 1);
    }
  };
  from(0, 0);
}

/** The smallest sets of a sort; smaller sets come first. */
export class Smallest {
  private readonly keys = new Set<number>();
  readonly sets: number[][] = [];

  /** It or a smaller set in it is of the sort. */
  covers(set: readonly number[]): boolean {
    if (this.keys.size === 0) return false;
    for (let bits = 0; bits < 1 << set.length; bits++) {
      let key = 0;
      for (let i = 0; i < set.length; i++) if (((bits >> i) & 1) !== 0) key = key * KEY_BASE + (set[i] ?? 0) + 1;
      if (this.keys.has(key)) return true;
    }
    return false;
  }

  add(set: readonly number[]): void {
    if (this.covers(set)) return;
    this.keys.add(keyOf(set));
    this.sets.push([...set]);
  }
}
