/** Which lines of two files differ: the edit script of the package `diff`, laid as GNU diff lays it where several are equally short. */
import { diffArrays } from "diff";

/** Edit distance beyond which what lies between the equal ends is shown as wholly different. */
const EDITS_MAX = 2000;

export interface Hunk {
  /** First line (from 0) and number of lines on either side. */
  a: number;
  aCount: number;
  b: number;
  bCount: number;
}

/** Equal lines, in order: line `a[n]` of one file is line `b[n]` of the other. */
interface Matches {
  a: number[];
  b: number[];
}

/** Maximal runs of changed lines, in order. `horizon`: how many equal lines at either end may still take part, as many as are shown around a change. */
export function changes(a: readonly string[], b: readonly string[], horizon: number): Hunk[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  head = Math.max(0, head - horizon);
  tail = Math.max(0, tail - horizon);
  const [left, right] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const matches = matchesOf(left, right);
  settle(left, matches.a, matches.b, right.length);
  settle(right, matches.b, matches.a, left.length);
  return hunksOf(matches, left.length, right.length).map((hunk) => ({ ...hunk, a: hunk.a + head, b: hunk.b + head }));
}

function matchesOf(a: readonly string[], b: readonly string[]): Matches {
  // A line that only one file has is changed whatever the rest is: files without a common line need no search.
  const [inA, inB] = [new Set(a), new Set(b)];
  const fromA = [...a.keys()].filter((at) => inB.has(a[at] ?? ""));
  const fromB = [...b.keys()].filter((at) => inA.has(b[at] ?? ""));
  const parts = diffArrays(
    fromA.map((at) => a[at]),
    fromB.map((at) => b[at]),
    { maxEditLength: EDITS_MAX },
  );
  const matches: Matches = { a: [], b: [] };
  let [x, y] = [0, 0];
  for (const part of parts ?? []) {
    if (!part.added && !part.removed) {
      matches.a.push(...fromA.slice(x, x + part.count));
      matches.b.push(...fromB.slice(y, y + part.count));
    }
    if (!part.added) x += part.count;
    if (!part.removed) y += part.count;
  }
  return matches;
}

/**
 * Where a run of changed lines can be moved because the lines beside it are those it begins or ends with, it joins the runs it meets and then comes to
 * lie next to a change of the other file, the last one it can reach, or else as late as it can. Moving it is to give a match another line.
 */
function settle(lines: readonly string[], matches: number[], others: readonly number[], othersLength: number): void {
  const count = matches.length;
  const start = (gap: number): number => (gap === 0 ? 0 : (matches[gap - 1] ?? 0) + 1);
  const end = (gap: number): number => matches[gap] ?? lines.length;
  const changedThere = (gap: number): boolean => (others[gap] ?? othersLength) > (gap === 0 ? 0 : (others[gap - 1] ?? 0) + 1);
  for (let gap = 0; gap <= count; gap++) {
    if (start(gap) === end(gap)) continue;
    let size: number;
    let beside: number | undefined;
    do {
      size = end(gap) - start(gap);
      while (gap > 0 && lines[start(gap) - 1] === lines[end(gap) - 1]) {
        matches[gap - 1] = end(gap) - 1;
        gap--;
      }
      beside = changedThere(gap) ? gap : undefined;
      while (gap < count && lines[start(gap)] === lines[end(gap)]) {
        matches[gap] = start(gap);
        gap++;
        if (changedThere(gap)) beside = gap;
      }
    } while (end(gap) - start(gap) > size);
    for (; beside !== undefined && gap > beside; gap--) matches[gap - 1] = end(gap) - 1;
  }
}

function hunksOf(matches: Matches, aLength: number, bLength: number): Hunk[] {
  const hunks: Hunk[] = [];
  let [a, b] = [0, 0];
  for (let at = 0; at <= matches.a.length; at++) {
    const [toA, toB] = [matches.a[at] ?? aLength, matches.b[at] ?? bLength];
    if (toA > a || toB > b) hunks.push({ a, aCount: toA - a, b, bCount: toB - b });
    [a, b] = [toA + 1, toB + 1];
  }
  return hunks;
}
