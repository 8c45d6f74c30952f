/**
 * What-if says what the world does: random designs, random losses, at once and one after another, in a world of whole nodes. More of both with
 * QUORATE_LONG=1, or as QUORATE_WHATIF_DESIGNS and QUORATE_WHATIF_SETS say. The designs are shared out to two test files, which run side by side.
 */
import { describe, expect, it } from "vitest";
import { Rng, SEC } from "../../src/engine/kernel/index.ts";
import { modelOf, whatIfDesign } from "../../src/engine/whatif/index.ts";
import { elementsOf, type Element } from "../../src/engine/whatif/elements.ts";
import { Trial, UNSETTLED, type Verdict } from "../../src/engine/whatif/trial.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import type { LabFile } from "../../src/main/lab/file/labfile-schema.ts";
import { atRest, tried } from "./brute.ts";
import { randomLab } from "./designs.ts";

const long = process.env["QUORATE_LONG"] === "1";
const designs = Number(process.env["QUORATE_WHATIF_DESIGNS"] ?? (long ? 400 : 48));
const sets = Number(process.env["QUORATE_WHATIF_SETS"] ?? (long ? 4 : 3));
const batch = 10;
/** Moments that are tried in any case. */
const momentsLeast = 4;

function draw(rng: Rng, elements: readonly Element[], size: number): Element[] {
  const left = [...elements];
  const set: Element[] = [];
  while (set.length < size && left.length > 0) set.push(...left.splice(rng.below(left.length), 1));
  return set;
}

const names = (set: readonly Element[]): string[] => set.map((e) => e.name);

/** When things are lost, since the cluster came to rest: with lms the moment between two heartbeats may decide. */
function moments(lab: LabFile): number[] {
  if (!/algorithm: lms/.test(lab.cluster?.conf ?? "")) return [0];
  const half = SEC / 2;
  return [0, 4, 8, 12, 2, 6, 10, 14, 1, 3, 5, 7, 9, 11, 13, 15].map((n) => n * half);
}

/** Differences, as lines that say how to see them again. */
function differences(seed: string): string[] {
  const rng = Rng.from(seed, "losses");
  const lab = randomLab(seed);
  const made = whatIfDesign(worldDesign(lab));
  if (!made.ok) throw new Error(`${seed}: ${made.why}`);
  const trial = new Trial(made.design, modelOf(made.design));
  const elements = elementsOf(made.design);
  const rest = atRest(lab);
  const out: string[] = [];
  const compare = (how: string, set: readonly Element[], ours: Verdict, blows: readonly (readonly string[])[]): void => {
    let theirs = 0;
    // Where the moment may decide, every verdict of the world must be among ours, and each of ours must be the world's at some moment.
    for (const [n, wait] of moments(lab).entries()) {
      if (n < momentsLeast || (theirs !== ours && (theirs & ~ours) === 0)) theirs |= tried(rest, blows, wait);
    }
    if (ours !== theirs) out.push(`${seed}: ${how} ${names(set).join(" ")}: what-if ${ours}, world ${theirs}`);
  };
  compare("nothing lost", [], trial.inOrder([]), []);
  for (let n = 0; n < sets; n++) {
    const set = draw(rng, elements, rng.between(1, 4));
    compare("at once", set, trial.atOnce(trial.topology(set)), [names(set)]);
    const order = draw(rng, elements, rng.between(2, 3));
    const passes = order.every((_, i) => trial.topology(order.slice(0, i + 1)).loose.length === 0);
    // An order through a membership that never settles is not walked: there is no "settled between".
    if (passes)
      compare(
        "one after another",
        order,
        trial.inOrder(order),
        names(order).map((name) => [name]),
      );
    else expect(trial.inOrder(order)).toBe(UNSETTLED);
  }
  return out;
}

/** Tests of every second batch of designs. */
export function compareDesigns(half: 0 | 1): void {
  describe("what-if agrees with the world", () => {
    for (let first = half * batch; first < designs; first += 2 * batch)
      it(`designs ${first} to ${Math.min(first + batch, designs) - 1}`, { timeout: 600_000 }, () => {
        const found: string[] = [];
        for (let i = first; i < Math.min(first + batch, designs); i++) found.push(...differences(`whatif-${i}`));
        expect(found).toEqual([]);
      });
  });
}
