/**
 * Verdicts over sets of things, each tried once: sets that come to the same share theirs, and the ways in which a set can end are kept for the sets that
 * are larger by one. Left out: which sets are asked about.
 */
import type { Element } from "./elements.ts";
import type { Signatures } from "./alike.ts";
import type { State } from "./model.ts";
import { KEY_THINGS_MAX, keyOf } from "./sets.ts";
import type { Trial, Verdict } from "./trial.ts";
import type { Loss } from "./topology.ts";

export interface Both {
  readonly once: Verdict;
  readonly turns: Verdict;
}

export class Verdicts {
  private readonly known = new Map<string, Both>();
  private readonly ends = new Map<number | string, readonly State[]>();

  constructor(
    private readonly trial: Trial,
    private readonly elements: readonly Element[],
    private readonly signatures: Signatures,
  ) {}

  /** @param set ascending places among the elements; `loss`: what is gone with it */
  of(set: readonly number[], loss: Loss): Both {
    if (!this.signatures.useful) return this.try(set, loss);
    const signature = this.signatures.of(set);
    const known = this.known.get(signature);
    if (known !== undefined) return known;
    const made = this.try(set, loss);
    this.known.set(signature, made);
    return made;
  }

  private try(set: readonly number[], loss: Loss): Both {
    const to = this.trial.topologies.at(loss);
    return { once: this.trial.atOnce(to), turns: this.trial.verdict(this.endsOf(set, loss)) };
  }

  /** How a set can end, in any order. */
  private endsOf(set: readonly number[], loss: Loss): readonly State[] {
    if (set.length === 0) return this.trial.begin;
    const key = set.length <= KEY_THINGS_MAX ? keyOf(set) : set.join();
    const known = this.ends.get(key);
    if (known !== undefined) return known;
    const to = this.trial.topologies.at(loss);
    const ends: State[] = [];
    if (to.loose.length === 0)
      for (const i of this.lasts(set)) {
        const rest = set.filter((_, j) => j !== i);
        this.trial.after(this.endsOf(rest, this.lossOf(rest)), to, ends);
      }
    // Of the largest sets there are most, and none is larger.
    if (set.length !== KEY_THINGS_MAX || this.signatures.useful) this.ends.set(key, ends);
    return ends;
  }

  /**
   * Places in a set of what is lost last. Where nobody has more than one thing to lose, two that play the same role in a set play it in every larger one, and it
   * is enough that one of them comes last.
   */
  private lasts(set: readonly number[]): number[] {
    const all = [...set.keys()];
    if (!this.signatures.single) return all;
    const roles = this.signatures.roles(set);
    return all.filter((i) => roles.lastIndexOf(roles[i] ?? "") === i);
  }

  private lossOf(set: readonly number[]): Loss {
    const loss = this.trial.topologies.nothingLost();
    for (const i of set) {
      const element = this.elements[i];
      if (element !== undefined) loss[element.word] = (loss[element.word] ?? 0) | element.bit;
    }
    return loss;
  }
}
