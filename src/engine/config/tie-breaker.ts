/**
 * quorum.auto_tie_breaker_node as the daemon reads it: `lowest`, `highest`, or node ids. In the real stack: parse_atb_string of votequorum.c. Pieces are parted by blanks alone, of
 * each the number at its beginning counts, and pieces without one are passed over; but the text as a whole must begin with a number. So `1,2` is node 1, and `2 x` node 2 (observed).
 */

export type TieBreaker =
  | { readonly type: "none" }
  | { readonly type: "lowest" }
  | { readonly type: "highest" }
  | { readonly type: "list"; readonly nodes: readonly number[] };

const LONG_MAX = (1n << 63n) - 1n;

/** C's strtol: the number a text begins with, 0 where it does not; what does not fit ends at the limit. */
function strtol(text: string): bigint {
  const digits = /^[ \t\n\v\f\r]*([+-]?[0-9]+)/.exec(text)?.[1];
  if (digits === undefined) return 0n;
  const n = BigInt(digits.replace("+", ""));
  return n > LONG_MAX ? LONG_MAX : n < -LONG_MAX - 1n ? -LONG_MAX - 1n : n;
}

/** Node ids in the order of the list, as unsigned 32-bit numbers. Undefined: not valid, and the daemon switches the tie breaker off. */
export function parseTieBreaker(text: string): TieBreaker | undefined {
  if (text === "lowest") return { type: "lowest" };
  if (text === "highest") return { type: "highest" };
  if (BigInt.asIntN(32, strtol(text)) === 0n) return undefined;
  const numbers = text.split(" ").map(strtol);
  return { type: "list", nodes: numbers.filter((n) => n !== 0n).map((n) => Number(BigInt.asUintN(32, n))) };
}
