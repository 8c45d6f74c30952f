/**
 * uniq: a group of equal lines is printed when the next one begins. Our own because just-bash (3.4.2) waits for the end of its input, prints counts in
 * another width, and has neither -f, -s, -w nor an output file.
 */
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { openOutput } from "../interpreter/redirect.ts";

interface Group {
  line: string;
  key: string;
  count: number;
}

export const uniq: Program = async (run: Run) => {
  const options = parseOptions(run.args, {
    flags: "cdui",
    values: "fsw",
    long: { count: "c", repeated: "d", unique: "u", "ignore-case": "i", "skip-fields": "f", "skip-chars": "s", "check-chars": "w" },
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
  const target = options.operands[1];
  const output = target === undefined ? undefined : await openOutput(run.ctx, target, false);
  const print = async (group: Group | undefined): Promise<void> => {
    if (!group || (options.has("d") && group.count < 2) || (options.has("u") && group.count > 1)) return;
    const text = `${options.has("c") ? `${String(group.count).padStart(7)} ` : ""}${group.line}\n`;
    if (output) await output.write(text, run.interrupt);
    else await run.out(text);
  };
  const input = await run.open(options.operands[0] ?? "-");
  try {
    let group: Group | undefined;
    for await (const line of run.lines(input)) {
      const key = keyOf(line);
      if (group?.key === key) group.count++;
      else {
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
