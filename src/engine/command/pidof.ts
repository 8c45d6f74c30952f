/**
 * pidof: the process ids of running programs, the youngest first, as sysvinit 3.06 does it; of a wrong call it says nothing. -c, -n and -z change nothing here: every process has the same root directory,
 * nothing lies on the network, and zombies have no program. Left out: -x, which finds scripts by name: the lab runs none.
 */
import { getopt } from "../kernel/getopt.ts";
import { processes, programName, type ProcessRow } from "./processes.ts";
import { print, self, type Tool, type ToolBody } from "./tool.ts";

const USAGE = `pidof usage: [options] <program-name>

 -c           Return PIDs with the same root directory
 -d <sep>     Use the provided character as output separator
 -h           Display this help text
 -n           Avoid using stat system function on network shares
 -o <pid>     Omit results with a given PID
 -q           Quiet mode. Do not display output
 -s           Only return one PID
 -x           Return PIDs of shells running scripts with a matching name
 -z           List zombie and I/O waiting processes. May cause pidof to hang.

`;

/** A word names a program by its path, or by the file's name. */
function runs(row: ProcessRow, word: string): boolean {
  if (row.state === "Z") return false;
  return word.startsWith("/") ? row.argv[0] === word : programName(row) === word || (row.comm === word && word.length <= 15);
}

function* body(argv: readonly string[]): ToolBody {
  const parsed = getopt("pidof", argv.slice(1), "hcd:sqxo:nz");
  if (parsed.error !== undefined) return 1;
  const has = (name: string): boolean => parsed.options.some((o) => o.name === name);
  if (has("h")) {
    yield* print(USAGE);
    return 0;
  }
  const omitted = parsed.options.filter((o) => o.name === "o").flatMap((o) => o.value.split(","));
  const separator = parsed.options.findLast((o) => o.name === "d")?.value.slice(0, 1) ?? " ";
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
    { flag: "-d", help: "what stands between them" },
    { flag: "-q", help: "say nothing" },
  ],
  body,
};
