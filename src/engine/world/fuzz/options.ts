/**
 * Options of the quorum section for a life: drawn from the seed apart from everything else, so that what happens to a cluster is the same with them and without. Left
 * out: the quorum device, and expected_votes_tracking, which changes nothing a membership shows.
 */
import { Rng } from "../../kernel/index.ts";

export type QuorumOptions = Readonly<Record<string, string | number>>;

/** One option or two that go together, as somebody who read the manual would write them. */
export function optionsOf(seed: string, nodes: number): QuorumOptions {
  const rng = Rng.from(seed, "options");
  const wait = { wait_for_all: 1 };
  const window = { last_man_standing: 1, last_man_standing_window: rng.pick([2000, 5000, 10_000]) };
  const choices: QuorumOptions[] = [wait, { allow_downscale: 1 }, { ...wait, ...window }, { ...wait, auto_tie_breaker: 1 }];
  if (nodes === 2) choices.push({ two_node: 1 }, { two_node: 1 }, { two_node: 1, wait_for_all: 0 });
  if (nodes % 2 === 0) {
    choices.push({ auto_tie_breaker: 1 }, { auto_tie_breaker: 1, auto_tie_breaker_node: "highest" });
    choices.push({ auto_tie_breaker: 1, auto_tie_breaker_node: "2 1" }, { auto_tie_breaker: 1, ...window });
  }
  return rng.pick(choices);
}
