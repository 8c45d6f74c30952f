/**
 * uniq: a group of equal lines is printed when the next one begins. Our own because just-bash (3.4.2) waits for the end of its input, prints counts in
 * another width, and has neither -f, -s, -w nor an output file.
 */
import type { Program, Run } from "../interpreter/program.ts";
import { decode } from "../bytes.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { FileError } from "../files.ts";
import type { OpenFile } from "../streams.ts";
import { openOutput } from "../interpreter/redirect.ts";

interface Group {
  line: string;
  key: string;
  count: number;
}

const INPUT_MAX = 1 << 26;

/** Lines without their end. */
async function* lines(run: Run, file: OpenFile, zero: boolean): AsyncGenerator<string> {
  if (!zero) return yield* run.lines(file);
  const all = decode(await file.readAll(run.interrupt, INPUT_MAX)).split("\0");
  if (all.at(-1) === "") all.pop();
  yield* all;
}

export const uniq: Program = async (run: Run) => {
  const options = parseOptions(run.args, {
    flags: "cduizD",
    values: "fsw",
    long: {
      count: "c",
      repeated: "d",
      unique: "u",
      "ignore-case": "i",
      "zero-terminated": "z",
      "skip-fields": "f",
      "skip-chars": "s",
      "check-chars": "w",
    },
  });
  const number = (letter: string): number => {
    const text = options.value(letter) ?? "0";
    if (!/^\d+$/.test(text))
      throw new UsageError(
        `${text}: invalid number of ${letter === "f" ? "fields to skip" : letter === "s" ? "bytes to skip" : "bytes to compare"}`,
      );
    return Number(text);
  };
  const [fields, skip, check] = [number("f"), number("s"), number("w")];
  const keyOf = (line: string): string => {
    let key = line;
    for (let n = 0; n < fields; n++) key = key.replace(/^\s*\S+/, "");
    key = key.slice(skip, check > 0 ? skip + check : undefined);
    return options.has("i") ? key.toLowerCase() : key;
  };
  const [source = "-", target, extra] = options.operands;
  if (extra !== undefined) throw new UsageError(`extra operand '${extra}'\nTry 'uniq --help' for more information.`);
  const end = options.has("z") ? "\0" : "\n";
  const input = await run.open(source).catch((error: unknown) => {
    throw error instanceof FileError ? new UsageError(`${source}: ${error.message}`) : error;
  });
  const output = target === undefined ? undefined : await openOutput(run.ctx, target, false);
  const write = (text: string): Promise<void> => (output ? output.write(text, run.interrupt) : run.out(text));
  const print = async (group: Group | undefined): Promise<void> => {
    if (!group || options.has("D") || (options.has("d") && group.count < 2) || (options.has("u") && group.count > 1)) return;
    await write(`${options.has("c") ? `${String(group.count).padStart(7)} ` : ""}${group.line}${end}`);
  };
  try {
    let group: Group | undefined;
    for await (const line of lines(run, input, options.has("z"))) {
      const key = keyOf(line);
      if (group?.key === key) {
        // All lines of a group of several, the first one with the second.
        if (options.has("D")) await write(group.count === 1 ? `${group.line}${end}${line}${end}` : `${line}${end}`);
        group.count++;
      } else {
        await print(group);
        group = { line, key, count: 1 };
      }
    }
    await print(group);
  } finally {
    await input.release();
    await output?.release();
  }
  return 0;
};
