/** How diff prints what differs: normal, unified and side by side. */
import type { Hunk } from "./changes.ts";

/** Lines of a file, one character a byte, without their newlines. */
export interface Lines {
  lines: readonly string[];
  /** The last line has no newline. */
  cut: boolean;
}

const NO_NEWLINE = "\\ No newline at end of file\n";

function put(sign: string, file: Lines, from: number, to: number): string {
  let out = "";
  for (let at = from; at < to; at++) out += `${sign}${file.lines[at] ?? ""}\n`;
  return file.cut && to === file.lines.length && from < to ? out + NO_NEWLINE : out;
}

const range = (from: number, count: number): string => (count <= 1 ? String(count === 0 ? from : from + 1) : `${from + 1},${from + count}`);

export function normal(hunks: readonly Hunk[], a: Lines, b: Lines): string {
  let out = "";
  for (const hunk of hunks) {
    const kind = hunk.aCount === 0 ? "a" : hunk.bCount === 0 ? "d" : "c";
    out += `${range(hunk.a, hunk.aCount)}${kind}${range(hunk.b, hunk.bCount)}\n`;
    out += put("< ", a, hunk.a, hunk.a + hunk.aCount);
    if (kind === "c") out += "---\n";
    out += put("> ", b, hunk.b, hunk.b + hunk.bCount);
  }
  return out;
}

/** `ignored`: hunks that are shown only beside others. */
export function unified(hunks: readonly Hunk[], a: Lines, b: Lines, context: number, ignored: (hunk: Hunk) => boolean): string {
  let out = "";
  for (let first = 0; first < hunks.length;) {
    let last = first;
    for (let next = hunks[first + 1]; next; next = hunks[last + 1]) {
      const before = hunks[last];
      const between = next.a - ((before?.a ?? 0) + (before?.aCount ?? 0));
      if (between > (ignored(next) ? context - 1 : context * 2)) break;
      last++;
    }
    const group = hunks.slice(first, last + 1);
    if (!group.every(ignored)) out += unifiedGroup(group, a, b, context);
    first = last + 1;
  }
  return out;
}

function unifiedGroup(group: readonly Hunk[], a: Lines, b: Lines, context: number): string {
  const [head, tail] = [group[0], group.at(-1)];
  if (!head || !tail) return "";
  const from = Math.max(0, head.a - context);
  const to = Math.min(a.lines.length, tail.a + tail.aCount + context);
  const bFrom = head.b - (head.a - from);
  const bTo = tail.b + tail.bCount + (to - tail.a - tail.aCount);
  const span = (at: number, count: number): string => (count === 1 ? String(at + 1) : `${count === 0 ? at : at + 1},${count}`);
  let out = `@@ -${span(from, to - from)} +${span(bFrom, bTo - bFrom)} @@\n`;
  let at = from;
  for (const hunk of group) {
    out += put(" ", a, at, hunk.a);
    at = hunk.a + hunk.aCount;
    out += put("-", a, hunk.a, at) + put("+", b, hunk.b, hunk.b + hunk.bCount);
  }
  return out + put(" ", a, at, to);
}

const TAB = 8;
/** Columns between the halves: a blank, the sign, a blank. */
const GUTTER = 3;

/** As much of a line as fits `width` columns. @returns the text and the column it ends in */
function half(line: string, width: number, from: number): { text: string; column: number } {
  let text = "";
  let [wanted, written] = [0, 0];
  for (const character of Buffer.from(line, "latin1").toString("utf8")) {
    const step = character === "\t" ? TAB - (wanted % TAB) : 1;
    // A tab that would reach beyond the half is left out; so is everything after it.
    const fits = wanted === written && (character === "\t" ? wanted + step < width : wanted + step <= width);
    wanted += step;
    if (!fits) continue;
    text += character;
    written = wanted;
  }
  return { text: Buffer.from(text, "utf8").toString("latin1"), column: from + written };
}

/** Tabs and blanks from one column to another. */
function blanks(from: number, to: number): string {
  let out = "";
  for (let stop = from + TAB - (from % TAB); stop <= to; stop += TAB) {
    out += "\t";
    from = stop;
  }
  return out + " ".repeat(Math.max(0, to - from));
}

export interface Columns {
  width: number;
  /** Of lines that both files have, only the left one is shown. */
  leftOnly: boolean;
  /** Lines that both files have are not shown. */
  changedOnly: boolean;
}

export function sideBySide(hunks: readonly Hunk[], a: Lines, b: Lines, columns: Columns): string {
  const offset = Math.floor((columns.width + TAB + GUTTER) / (2 * TAB)) * TAB;
  const width = Math.max(0, Math.min(offset - GUTTER, columns.width - offset));
  const second = width > 0 ? offset : columns.width;
  const ends = (file: Lines, at: number): boolean => !file.cut || at < file.lines.length - 1;
  const row = (left: number | undefined, sign: string, right: number | undefined): string => {
    const first = left === undefined ? { text: "", column: 0 } : half(a.lines[left] ?? "", width, 0);
    let { text, column } = first;
    const [leftEnds, rightEnds] = [left !== undefined && ends(a, left), right !== undefined && ends(b, right)];
    if (sign !== " ") {
      const place = Math.floor((width + second - 1) / 2);
      const shown = sign === "|" && leftEnds !== rightEnds ? (leftEnds ? "/" : "\\") : sign;
      text += blanks(column, place) + shown;
      column = place + 1;
    }
    const line = right === undefined ? "" : (b.lines[right] ?? "");
    if (line !== "") text += blanks(column, second) + half(line, width, second).text;
    return leftEnds || rightEnds ? `${text}\n` : text;
  };
  let out = "";
  let [x, y] = [0, 0];
  const same = (to: number): void => {
    for (; x < to; x++, y++) if (!columns.changedOnly) out += columns.leftOnly ? row(x, "(", undefined) : row(x, " ", y);
  };
  for (const hunk of hunks) {
    same(hunk.a);
    const [aEnd, bEnd] = [hunk.a + hunk.aCount, hunk.b + hunk.bCount];
    while (x < aEnd && y < bEnd) out += row(x++, "|", y++);
    while (x < aEnd) out += row(x++, "<", undefined);
    while (y < bEnd) out += row(undefined, ">", y++);
  }
  same(a.lines.length);
  return out;
}
