/** Sets of node ids as sorted arrays without repetition: the memb_set_* operations of totemsrp, kept sorted so that order is never an accident. */

export function union(a: readonly number[], b: readonly number[]): number[] {
  const out = [...a];
  for (const id of b) if (!out.includes(id)) out.push(id);
  return out.sort((x, y) => x - y);
}

export function subtract(a: readonly number[], b: readonly number[]): number[] {
  return a.filter((id) => !b.includes(id));
}

/** Is every element of `a` in `b`? */
export function isSubset(a: readonly number[], b: readonly number[]): boolean {
  return a.every((id) => b.includes(id));
}

export function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && isSubset(a, b);
}
