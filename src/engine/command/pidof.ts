/**
 * pidof: the process ids of running programs, the youngest first, as sysvinit's does it. Left out: -c, -n, -z; they are refused.
 */
import { getopt } from "../kernel/getopt.ts";
import { processes, programName, type ProcessRow } from "./processes.ts";
import { failed, print, self, type Tool, type ToolBody } from "./tool.ts";

/** A word names a program by its path, or by the file's name. */
function runs(row: ProcessRow, word: string): boolean {
  if (row.state === "Z") return false;
  return word.startsWith("/") ? row.argv[0] === word : programName(row) === word || (row.comm === word && word.length <= 15);
}

function* body(argv: readonly string[]): ToolBody {
  const parsed = getopt("pidof", argv.slice(1), "sqxo:S:");
  if (parsed.error !== undefined) return yield* failed(`${parsed.error}\n`);
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  const omitted = parsed.options.filter((o) => o.name === "o").flatMap((o) => o.value.split(","));
  const separator = parsed.options.find((o) => o.name === "S")?.value ?? " ";
  const me = yield* self();
  const rows = (yield* processes()).filter((row) => row.pid !== me.pid && !omitted.includes(String(row.pid)));
  const found = parsed.operands.flatMap((word) => {
    const pids = rows.filter((row) => runs(row, word)).map((row) => row.pid);
    return pids.sort((a, b) => b - a).slice(0, has("s") ? 1 : undefined);
  });
  if (found.length > 0 && !has("q")) yield* print(`${found.join(separator)}\n`);
  return found.length > 0 ? 0 : 1;
}

export const pidof: Tool = {
  name: "pidof",
  summary: "process ids of running programs",
  options: [
    { flag: "-s", help: "one alone" },
    { flag: "-o", help: "not these" },
    { flag: "-q", help: "say nothing" },
  ],
  body,
};
