/**
 * auto_tie_breaker: which half of an even split may stay quorate, and how the nodes that decide are written in the configuration. Pure. In the real
 * stack: parse_atb_string and check_auto_tie_breaker of votequorum.c. Source: votequorum(5), observed debug lines.
 */

export type TieBreaker =
  | { readonly type: "none" }
  | { readonly type: "lowest" }
  | { readonly type: "highest" }
  | { readonly type: "list"; readonly nodes: readonly number[] };

/** As in runtime.votequorum.atb_type. */
export const TIE_BREAKER_NUMBER: Record<TieBreaker["type"], number> = { none: 0, lowest: 1, highest: 2, list: 3 };

/** quorum.auto_tie_breaker_node: a word, or node ids separated by blanks. undefined: not valid, and the daemon switches the tie breaker off. */
export function parseTieBreaker(text: string): TieBreaker | undefined {
  if (text.startsWith("lowest")) return { type: "lowest" };
  if (text.startsWith("highest")) return { type: "highest" };
  const parts = text.split(/ +/).filter((w) => w !== "");
  const nodes = parts.map((w) => Number(/^\d+/.exec(w)?.[0] ?? 0));
  return nodes.length === 0 || nodes.includes(0) ? undefined : { type: "list", nodes };
}

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
