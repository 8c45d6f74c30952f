/**
 * auto_tie_breaker: which half of an even split may stay quorate. Pure. In the real stack: check_auto_tie_breaker of votequorum.c. Source: votequorum(5), observed debug lines.
 */
import type { TieBreaker } from "../config/index.ts";

/** As in runtime.votequorum.atb_type. */
export const TIE_BREAKER_NUMBER: Record<TieBreaker["type"], number> = { none: 0, lowest: 1, highest: 2, list: 3 };

export interface Split {
  readonly members: readonly number[];
  /** Members before the last change. */
  readonly previous: readonly number[];
  /** Lowest and highest id of the last quorate membership. */
  readonly lowest: number | undefined;
  readonly highest: number | undefined;
}

/** Is the tie breaker in this half? `debug` gets the daemon's log line on it. */
export function tieBreakerIsHere(breaker: TieBreaker, split: Split, debug: (text: () => string) => void): boolean {
  if (breaker.type === "none") return false;
  if (breaker.type === "list") return listIsHere(breaker.nodes, split, debug);
  const wanted = breaker.type === "lowest" ? split.lowest : split.highest;
  const here = wanted !== undefined && split.members.includes(wanted);
  debug(() => `ATB_${breaker.type.toUpperCase()} decision: ${here ? 1 : 0}`);
  return here;
}

/** The first node of the list that is here wins, unless one listed before it was here until now and is gone. */
function listIsHere(nodes: readonly number[], split: Split, debug: (text: () => string) => void): boolean {
  for (const id of nodes) {
    if (split.members.includes(id)) {
      debug(() => `ATB_LIST found node ${id} in current partition, we can be quorate`);
      return true;
    }
    if (split.previous.includes(id)) {
      debug(() => `ATB_LIST found node ${id} in previous partition but not here, quorum denied`);
      return false;
    }
  }
  debug(() => "ATB_LIST found no list nodes in current partition, we cannot be quorate");
  return false;
}
