/**
 * cut: fields, characters or bytes of each line, as they come. Our own because just-bash (3.4.2) waits for the end of its input, prints fields in the
 * order asked for, an empty line for one without the delimiter, and has neither -b, --complement, --output-delimiter nor -z.
 */
import type { Program } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { eachInput } from "./text.ts";

type Range = readonly [number, number];

function rangesOf(list: string, what: string): Range[] {
  return list.split(",").map((part) => {
    const m = /^(\d*)(-?)(\d*)$/.exec(part);
    const from = Number(m?.[1] || "1");
    const to = m?.[2] === "-" ? Number(m[3] || Number.MAX_SAFE_INTEGER) : from;
    if (!m || part === "" || part === "-") throw new UsageError(`invalid ${what} list\nTry 'cut --help' for more information.`);
    if (from === 0)
      throw new UsageError(
        `${what === "field" ? "fields" : "byte/character positions"} are numbered from 1\nTry 'cut --help' for more information.`,
      );
    if (to < from) throw new UsageError("invalid decreasing range\nTry 'cut --help' for more information.");
    return [from, to];
  });
}

export const cut: Program = async (run) => {
  const options = parseOptions(run.args, {
    flags: "snz",
    values: "dfcbo",
    long: { delimiter: "d", fields: "f", characters: "c", bytes: "b", "only-delimited": "s", "output-delimiter": "o", complement: "z" },
  });
  const fields = options.value("f");
  const list = fields ?? options.value("c") ?? options.value("b");
  if (list === undefined)
    throw new UsageError("you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.");
  const delimiter = options.value("d") ?? "\t";
  if ([...delimiter].length > 1) throw new UsageError("the delimiter must be a single character\nTry 'cut --help' for more information.");
  const ranges = rangesOf(list, fields === undefined ? "byte/character" : "field");
  const wanted = (number: number): boolean => ranges.some(([from, to]) => number >= from && number <= to) !== options.has("z");
  return eachInput(run, options.operands, async (file) => {
    for await (const line of run.lines(file)) {
      if (fields === undefined) await run.out(`${[...line].filter((_, index) => wanted(index + 1)).join("")}\n`);
      else if (line.includes(delimiter)) {
        const parts = line.split(delimiter).filter((_, index) => wanted(index + 1));
        await run.out(`${parts.join(options.value("o") ?? delimiter)}\n`);
      } else if (!options.has("s")) await run.out(`${line}\n`);
    }
  });
};
