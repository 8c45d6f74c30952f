/**
 * cut: fields, characters or bytes of each line, as they come. Our own because just-bash (3.4.2) waits for the end of its input, prints fields in the
 * order asked for, an empty line for one without the delimiter, and has neither -b, --complement, --output-delimiter nor -z.
 */
import { latin } from "../bytes.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import type { OpenFile } from "../streams.ts";
import { eachInput } from "./text.ts";

const INPUT_MAX = 1 << 26;

type Range = readonly [number, number];

const TRY = "\nTry 'cut --help' for more information.";

function rangesOf(list: string, ofFields: boolean): Range[] {
  return list.split(/[, \t]/).map((part) => {
    const m = /^(\d*)(-?)(\d*)$/.exec(part);
    if (!m && /[^\d-]/.test(part))
      throw new UsageError(`invalid ${ofFields ? "field value" : "byte/character position"} '${part.replace(/^[\d-]*/, "")}'${TRY}`);
    if (part === "-") throw new UsageError(`invalid range with no endpoint: -${TRY}`);
    if (!m) throw new UsageError(`invalid ${ofFields ? "field" : "byte or character"} range${TRY}`);
    const from = Number(m[1] || "1");
    const to = m[2] === "-" ? Number(m[3] || Number.MAX_SAFE_INTEGER) : from;
    if (from === 0 || part === "") throw new UsageError(`${ofFields ? "fields" : "byte/character positions"} are numbered from 1${TRY}`);
    if (to < from) throw new UsageError(`invalid decreasing range${TRY}`);
    return [from, to];
  });
}

/** In order, and those that overlap as one. */
function merged(ranges: readonly Range[]): Range[] {
  const out: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** What the ranges leave out. */
function others(ranges: readonly Range[]): Range[] {
  const out: Range[] = [];
  let next = 1;
  for (const [from, to] of ranges) {
    if (from > next) out.push([next, from - 1]);
    next = to + 1;
  }
  if (next < Number.MAX_SAFE_INTEGER) out.push([next, Number.MAX_SAFE_INTEGER]);
  return out;
}

/** Lines without their end, one character a byte: GNU cut counts bytes, for -c as well. */
async function* lines(run: Run, file: OpenFile, end: number): AsyncGenerator<string> {
  if (end === 10) {
    for (let line = await file.readLine(run.interrupt); line !== null; line = await file.readLine(run.interrupt)) {
      await run.system.step(run.interrupt);
      yield Buffer.from(line.at(-1) === 10 ? line.subarray(0, -1) : line).toString("latin1");
    }
    return;
  }
  const all = Buffer.from(await file.readAll(run.interrupt, INPUT_MAX))
    .toString("latin1")
    .split("\0");
  if (all.at(-1) === "") all.pop();
  yield* all;
}

export const cut: Program = async (run) => {
  const options = parseOptions(run.args, {
    flags: "snzC",
    values: "dfcbo",
    long: {
      delimiter: "d",
      fields: "f",
      characters: "c",
      bytes: "b",
      "only-delimited": "s",
      "output-delimiter": "o",
      complement: "C",
      "zero-terminated": "z",
    },
  });
  const lists = [...options.all("f"), ...options.all("c"), ...options.all("b")];
  const [list] = lists;
  if (list === undefined) throw new UsageError(`you must specify a list of bytes, characters, or fields${TRY}`);
  if (lists.length > 1) throw new UsageError(`only one list may be specified${TRY}`);
  const ofFields = options.value("f") !== undefined;
  const delimiter = latin(options.value("d") ?? "\t");
  if (delimiter.length > 1) throw new UsageError(`the delimiter must be a single character${TRY}`);
  if (!ofFields && options.value("d") !== undefined)
    throw new UsageError(`an input delimiter may be specified only when operating on fields${TRY}`);
  if (!ofFields && options.has("s"))
    throw new UsageError(`suppressing non-delimited lines makes sense\n\tonly when operating on fields${TRY}`);
  const named = merged(rangesOf(list, ofFields));
  const ranges = options.has("C") ? others(named) : named;
  const between = latin(options.value("o") ?? (ofFields ? delimiter : ""));
  const end = options.has("z") ? 0 : 10;
  /** @returns undefined where nothing of the line is shown, not even its end */
  const cutLine = (line: string): string | undefined => {
    if (!ofFields) return ranges.flatMap(([from, to]) => (from > line.length ? [] : [line.slice(from - 1, to)])).join(between);
    const parts = line.split(delimiter === "" ? "\0" : delimiter);
    if (parts.length === 1) return options.has("s") ? undefined : line;
    return ranges.flatMap(([from, to]) => parts.slice(from - 1, to)).join(between);
  };
  return eachInput(run, options.operands, async (file) => {
    for await (const line of lines(run, file, end)) {
      const shown = cutLine(line);
      if (shown !== undefined) await run.out(Buffer.from(`${shown}${String.fromCharCode(end)}`, "latin1"));
    }
  });
};
