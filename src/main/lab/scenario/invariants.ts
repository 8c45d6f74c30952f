/** The invariants by name, as a scenario's `invariants:` and the results of fuzz runs speak of them. */
import { allCheckers, type Checker } from "../../../engine/world/checkers/index.ts";
import { ASSERTION } from "../../../engine/fuzz/index.ts";

/** The engine's own assertions count as one: they have no checker. */
export const invariantNames = [ASSERTION, ...allCheckers().map((checker) => checker.name)];

/** New checkers of the invariants `names`. */
export function checkersOf(names: readonly string[]): Checker[] {
  return allCheckers().filter((checker) => names.includes(checker.name));
}
