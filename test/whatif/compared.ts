/**
 * What-if says what the world does: random designs, random losses, at once and one after another, in a world of whole nodes. More of both with
 * QUORATE_WHATIF_DESIGNS and QUORATE_WHATIF_SETS. The designs are shared out to two test files, which run side by side.
 */
import { describe, expect, it } from "vitest";
import { Rng } from "../../src/engine/kernel/index.ts";
import { modelOf, whatIfDesign } from "../../src/engine/whatif/index.ts";
import { elementsOf, type Element } from "../../src/engine/whatif/elements.ts";
import { Trial, UNSETTLED, type Verdict } from "../../src/engine/whatif/trial.ts";
import { worldDesign } from "../../src/main/lab/design.ts";
import { atRest, tried } from "./brute.ts";
import { randomLab } from "./designs.ts";

const designs = Number(process.env["QUORATE_WHATIF_DESIGNS"] ?? 200);
const sets = Number(process.env["QUORATE_WHATIF_SETS"] ?? 3);
const batch = 10;

function draw(rng: Rng, elements: readonly Element[], size: number): Element[] {
  const left = [...elements];
  const set: Element[] = [];
  while (set.length < size && left.length > 0) set.push(...left.splice(rng.below(left.length), 1));
  return set;
}

const names = (set: readonly Element[]): string[] => set.map((e) => e.name);

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
  const compare = (how: string, set: readonly Element[], ours: Verdict, theirs: Verdict): void => {
    if (ours !== theirs) out.push(`${seed}: ${how} ${names(set).join(" ")}: what-if ${ours}, world ${theirs}`);
  };
  compare("nothing lost", [], trial.inOrder([]), tried(rest, []));
  for (let n = 0; n < sets; n++) {
    const set = draw(rng, elements, rng.between(1, 4));
    compare("at once", set, trial.atOnce(trial.topology(set)), tried(rest, [names(set)]));
    const order = draw(rng, elements, rng.between(2, 3));
    const passes = order.every((_, i) => trial.topology(order.slice(0, i + 1)).loose.length === 0);
    // An order through a membership that never settles is not walked: there is no "settled between".
    if (passes)
      compare(
        "one after another",
        order,
        trial.inOrder(order),
        tried(
          rest,
          names(order).map((name) => [name]),
        ),
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
