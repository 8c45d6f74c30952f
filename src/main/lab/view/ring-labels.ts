/**
 * A letter for every ring, stable over time: the part that keeps the majority of a ring keeps its letter, the rest gets the next free one; when rings
 * merge, the first letter of the alphabet wins. At no instant have two rings in which somebody stands one letter. The letter tells rings apart for
 * people who do not see colours.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** The first letter that is free; past Z two of them: AA, AB, … */
export function freeLetter(used: ReadonlySet<string>): string {
  for (let n = 0; ; n++) {
    const letter = n < 26 ? (alphabet[n] ?? "") : `${alphabet[Math.floor(n / 26) - 1] ?? "Z"}${alphabet[n % 26] ?? ""}`;
    if (!used.has(letter)) return letter;
  }
}

/** The order in which letters are given. */
export const byLetter = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** Rings remembered; older ones have no bands left to label. */
const ringsMax = 512;

export interface RingLabels {
  /** Ring id → letter and members (node ids), in the order in which they were first seen. */
  rings: Map<string, { letter: string; members: number[] }>;
  /** Node id → the ring it was last in. */
  current: Map<number, string>;
}

export function noRingLabels(): RingLabels {
  return { rings: new Map(), current: new Map() };
}

function majority(part: readonly number[], whole: readonly number[]): boolean {
  const kept = whole.filter((id) => part.includes(id)).length * 2;
  // Of two equal halves the one with the lowest node id stays what it was, as auto_tie_breaker would choose.
  return kept > whole.length || (kept === whole.length && part.includes(Math.min(...whole)));
}

/** The letter of a ring that `node` has just formed with `members`; assigns one when the ring is new. */
export function letterOf(state: RingLabels, node: number, ring: string, members: readonly number[]): string {
  let known = state.rings.get(ring);
  if (!known) {
    const before = [...new Set(members.map((id) => state.current.get(id)).filter((id): id is string => id !== undefined))];
    const others = [...state.current].filter(([id]) => !members.includes(id)).map(([, id]) => id);
    const labelsOf = (rings: readonly string[]): Set<string> => new Set(rings.map((id) => state.rings.get(id)?.letter ?? ""));
    // Who has not left the old ring yet does not keep its letter from the part that inherits it.
    const elsewhere = labelsOf(others.filter((id) => !before.includes(id)));
    const kept = before
      .map((id) => state.rings.get(id))
      .filter((old): old is { letter: string; members: number[] } => old !== undefined && majority(members, old.members))
      .map((old) => old.letter)
      .filter((letter) => !elsewhere.has(letter))
      .sort(byLetter)[0];
    const letter = kept ?? freeLetter(labelsOf(others));
    known = { letter, members: [...members] };
    state.rings.set(ring, known);
    // Who still stands in a ring that has passed on its letter (it was stalled, or has not noticed yet) is in another ring now.
    const left = new Set(others.filter((id) => state.rings.get(id)?.letter === letter));
    for (const id of left) {
      const old = state.rings.get(id);
      if (old !== undefined) old.letter = freeLetter(labelsOf([...others, ring]));
    }
    if (state.rings.size > ringsMax) state.rings.delete([...state.rings.keys()][0] ?? "");
  }
  state.current.set(node, ring);
  return known.letter;
}

/** The letter of the ring the node was last in; empty when it was in none. */
export function lastLetter(state: RingLabels, node: number): string {
  return state.rings.get(state.current.get(node) ?? "")?.letter ?? "";
}

/** The node left its ring: powered off, or corosync stopped. Its letter is free for others. */
export function leaveRing(state: RingLabels, node: number): void {
  state.current.delete(node);
}
