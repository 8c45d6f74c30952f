/** diff: normal and unified output of two files, after Myers' greedy algorithm. */
import type { Program, Run } from "../interpreter/program.ts";
import { decode, parseOptions } from "../interpreter/program.ts";
import { strftime } from "./clock.ts";

/** Edit distance beyond which the files are shown as wholly different. */
const EDITS_MAX = 4000;

interface Hunk {
  /** First line (from 0) and number of lines on either side. */
  a: number;
  aCount: number;
  b: number;
  bCount: number;
}

/** Maximal runs of changed lines, in order. */
export function changes(a: readonly string[], b: readonly string[]): Hunk[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [aEnd, bEnd] = [a.length, b.length];
  while (aEnd > start && bEnd > start && a[aEnd - 1] === b[bEnd - 1]) {
    aEnd--;
    bEnd--;
  }
  const pairs = common(a.slice(start, aEnd), b.slice(start, bEnd));
  const hunks: Hunk[] = [];
  let [x, y] = [start, start];
  for (const [i, j] of [...pairs.map(([i, j]): [number, number] => [i + start, j + start]), [aEnd, bEnd] as [number, number]]) {
    if (i > x || j > y) hunks.push({ a: x, aCount: i - x, b: y, bCount: j - y });
    [x, y] = [i + 1, j + 1];
  }
  return hunks;
}

/** Index pairs of a longest common subsequence. */
function common(a: readonly string[], b: readonly string[]): [number, number][] {
  const max = Math.min(a.length + b.length, EDITS_MAX);
  const furthest = new Map<number, number>([[1, 0]]);
  const history: Map<number, number>[] = [];
  for (let d = 0; d <= max; d++) {
    history.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && x - k >= 0 && a[x] === b[x - k]) x++;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return backtrack(history, a.length, b.length, d);
    }
  }
  return [];
}

function backtrack(history: readonly Map<number, number>[], aLength: number, bLength: number, edits: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [x, y] = [aLength, bLength];
  for (let d = edits; d >= 0; d--) {
    const furthest = history[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const previousK = down ? k + 1 : k - 1;
    const previousX = d === 0 ? 0 : (furthest.get(previousK) ?? 0);
    const previousY = d === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY) pairs.push([--x, --y]);
    [x, y] = [previousX, previousY];
  }
  return pairs.reverse();
}

const range = (from: number, count: number): string => (count <= 1 ? String(count === 0 ? from : from + 1) : `${from + 1},${from + count}`);

function normal(hunks: readonly Hunk[], a: readonly string[], b: readonly string[]): string {
  let out = "";
  for (const hunk of hunks) {
    const kind = hunk.aCount === 0 ? "a" : hunk.bCount === 0 ? "d" : "c";
    out += `${range(hunk.a, hunk.aCount)}${kind}${range(hunk.b, hunk.bCount)}\n`;
    for (const line of a.slice(hunk.a, hunk.a + hunk.aCount)) out += `< ${line}\n`;
    if (kind === "c") out += "---\n";
    for (const line of b.slice(hunk.b, hunk.b + hunk.bCount)) out += `> ${line}\n`;
  }
  return out;
}

function unified(hunks: readonly Hunk[], a: readonly string[], b: readonly string[], context: number): string {
  let out = "";
  for (let first = 0; first < hunks.length;) {
    let last = first;
    while (last + 1 < hunks.length && (hunks[last + 1]?.a ?? 0) - ((hunks[last]?.a ?? 0) + (hunks[last]?.aCount ?? 0)) <= context * 2)
      last++;
    const group = hunks.slice(first, last + 1);
    const [head, tail] = [group[0], group.at(-1)];
    if (!head || !tail) break;
    const from = Math.max(0, head.a - context);
    const to = Math.min(a.length, tail.a + tail.aCount + context);
    const bFrom = head.b - (head.a - from);
    const bTo = tail.b + tail.bCount + (to - tail.a - tail.aCount);
    const span = (at: number, count: number): string => (count === 1 ? String(at + 1) : `${count === 0 ? at : at + 1},${count}`);
    out += `@@ -${span(from, to - from)} +${span(bFrom, bTo - bFrom)} @@\n`;
    let at = from;
    for (const hunk of group) {
      for (; at < hunk.a; at++) out += ` ${a[at] ?? ""}\n`;
      for (; at < hunk.a + hunk.aCount; at++) out += `-${a[at] ?? ""}\n`;
      for (const line of b.slice(hunk.b, hunk.b + hunk.bCount)) out += `+${line}\n`;
    }
    for (; at < to; at++) out += ` ${a[at] ?? ""}\n`;
    first = last + 1;
  }
  return out;
}

async function header(run: Run, path: string, sign: string): Promise<string> {
  const now = await run.system.now();
  const stat = path === "-" ? undefined : await run.files.maybeStat(run.path(path));
  const micros = now.epoch + (stat?.mtime ?? now.instant);
  return `${sign} ${path}\t${strftime("%Y-%m-%d %H:%M:%S.%N +0000", micros)}\n`;
}

export const diff: Program = async (run) => {
  const options = parseOptions(run.args, {
    flags: "uqsNawbrB",
    values: "U",
    long: { unified: "u", brief: "q", "report-identical-files": "s", "ignore-all-space": "w", recursive: "r" },
    status: 2,
  });
  const [left, right] = options.operands;
  if (left === undefined || right === undefined)
    return run.fail(`missing operand after '${left ?? run.name}'\ndiff: Try 'diff --help' for more information.`, 2);
  if (options.has("r")) return run.fail("-r is not modelled in this lab", 2);
  const read = async (path: string): Promise<string> => decode(await run.bytes(path));
  let texts: [string, string];
  try {
    texts = [await read(left), await read(right)];
  } catch (error) {
    return run.fail(
      `${left} ${right}: ${error instanceof Error ? error.message : ""}`.replace(
        /^.*: (.*)$/,
        `${(await run.files.maybeStat(run.path(left))) === undefined && left !== "-" ? left : right}: $1`,
      ),
      2,
    );
  }
  const split = (text: string): string[] => {
    const lines = text.split("\n");
    if (lines.at(-1) === "") lines.pop();
    return options.has("w") ? lines.map((line) => line.replace(/\s+/g, "")) : lines;
  };
  const [a, b] = [split(texts[0]), split(texts[1])];
  const hunks = changes(a, b);
  if (hunks.length === 0) {
    if (options.has("s")) await run.out(`Files ${left} and ${right} are identical\n`);
    return 0;
  }
  if (options.has("q")) await run.out(`Files ${left} and ${right} differ\n`);
  else if (options.has("u") || options.value("U") !== undefined) {
    await run.out(
      (await header(run, left, "---")) + (await header(run, right, "+++")) + unified(hunks, a, b, Number(options.value("U") ?? "3")),
    );
  } else await run.out(normal(hunks, a, b));
  return 1;
};
