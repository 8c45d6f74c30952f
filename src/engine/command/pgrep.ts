/**
 * pgrep and pkill: processes by their names, and signals to them, as procps 4.0 does it. Left out: what pgrep-options.ts names.
 */
import { SEC, fromUtf8 } from "../kernel/index.ts";
import { compileEre, ereTrouble } from "./ere.ts";
import { parsePgrep, USAGE_STATUS, type Call, type Name, type Said } from "./pgrep-options.ts";
import { commandLine, processes, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { contents, failed, kill, print, self, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

const COMM_MAX = 15;

function listMatches(row: ProcessRow, { by, values }: Call["lists"][number], users: ReadonlyMap<number, string>, me: ProcessRow): boolean {
  return values.some((value) => {
    switch (by) {
      case "P":
        return row.ppid === Number(value);
      case "g":
        return row.pgid === (value === "0" ? me.pgid : Number(value));
      case "s":
        return row.sid === (value === "0" ? me.sid : Number(value));
      case "t":
        return row.tty === value.replace(/^\/dev\//, "");
      case "r":
        return value.includes(row.state);
      default:
        return row.uid === userNumber(users, value);
    }
  });
}

/** Matching processes in the order of their pids; -n and -o leave one. */
function matching(rows: readonly ProcessRow[], call: Call, test: (row: ProcessRow) => boolean): readonly ProcessRow[] {
  const found = rows.filter((row) => test(row) !== call.flags.has("v"));
  const later = (a: ProcessRow, b: ProcessRow): boolean =>
    a.startUnixMicros > b.startUnixMicros || (a.startUnixMicros === b.startUnixMicros && a.pid > b.pid);
  if (call.flags.has("n")) return found.length === 0 ? [] : [found.reduce((best, row) => (later(row, best) ? row : best))];
  if (call.flags.has("o")) return found.length === 0 ? [] : [found.reduce((best, row) => (later(best, row) ? row : best))];
  return found;
}

/** The number that a file begins with. */
function* pidOf(path: string): ToolPart<number | "not valid"> {
  const read = yield* contents(path);
  const text = read.ok && read.value === "data" ? fromUtf8(read.data) : "";
  const number = /^\s*([0-9]{1,10})\s*$/.exec(text.split("\n")[0] ?? "")?.[1];
  return number === undefined || Number(number) === 0 ? "not valid" : Number(number);
}

function ancestorsOf(row: ProcessRow, rows: readonly ProcessRow[]): readonly number[] {
  const parent = rows.find((r) => r.pid === row.ppid && r !== row);
  return parent === undefined ? [] : [parent.pid, ...ancestorsOf(parent, rows)];
}

function* answered({ said, status }: Said): ToolBody {
  yield* print(said, status === 0 ? "stdout" : "stderr");
  return status;
}

function* search(name: Name, call: Call): ToolPart<readonly ProcessRow[] | number> {
  const { flags, pattern } = call;
  if (pattern !== undefined && !flags.has("f") && pattern.length > COMM_MAX)
    return yield* failed(
      `${name}: pattern that searches for process name longer than 15 characters will result in zero matches\nTry \`${name} -f' option to match against the complete command line.\n`,
    );
  const found =
    pattern === undefined ? () => true : compileEre(flags.has("x") ? `^(${pattern})$` : pattern, { ignoreCase: flags.has("i") });
  if (found === undefined) return yield* failed(`${name}: regex error: ${ereTrouble(pattern ?? "")}\n`, USAGE_STATUS);
  const rows = yield* processes();
  const users = yield* userNames();
  const me = yield* self();
  for (const { by, values } of call.lists) {
    const unknown = by === "u" || by === "U" ? values.find((v) => userNumber(users, v) === undefined) : undefined;
    if (unknown !== undefined) return yield* failed(`${name}: invalid user name: ${unknown}\n`, USAGE_STATUS);
  }
  const own = rows.find((row) => row.pid === me.pid);
  if (own === undefined) throw new Error(`${name} is not in the process list`);
  const pids = call.pidFile === undefined ? undefined : yield* pidOf(call.pidFile);
  if (pids === "not valid") return yield* failed(`${name}: pidfile not valid\nTry \`${name} --help' for more information.\n`);
  const ancestors = flags.has("A") ? ancestorsOf(own, rows) : [];
  const others = rows.filter((row) => row !== own && !ancestors.includes(row.pid));
  return matching(others, call, (row) => {
    if (pids !== undefined && row.pid !== pids) return false;
    if (call.olderSeconds !== undefined && me.unixMicros - row.startUnixMicros < call.olderSeconds * SEC) return false;
    return call.lists.every((list) => listMatches(row, list, users, own)) && found(flags.has("f") ? commandLine(row) : row.comm);
  });
}

function* pgrepBody(argv: readonly string[]): ToolBody {
  const call = parsePgrep("pgrep", argv.slice(1));
  if ("said" in call) return yield* answered(call);
  const rows = yield* search("pgrep", call);
  if (typeof rows === "number") return rows;
  if (call.flags.has("c")) yield* print(`${rows.length}\n`);
  else if (rows.length > 0) {
    const lines = rows.map((row) =>
      call.flags.has("a") ? `${row.pid} ${commandLine(row)}` : call.flags.has("l") ? `${row.pid} ${row.comm}` : String(row.pid),
    );
    yield* print(`${lines.join(call.delimiter)}\n`);
  }
  return rows.length > 0 ? 0 : 1;
}

function* pkillBody(argv: readonly string[]): ToolBody {
  const call = parsePgrep("pkill", argv.slice(1));
  if ("said" in call) return yield* answered(call);
  const rows = yield* search("pkill", call);
  if (typeof rows === "number") return rows;
  let hit = 0;
  for (const row of rows) {
    const errno = call.signal === 0 ? undefined : yield* kill(row.pid, call.signal);
    if (errno === "EPERM") yield* print(`pkill: killing pid ${row.pid} failed: Operation not permitted\n`, "stderr");
    if (errno !== undefined) continue;
    hit++;
    if (call.flags.has("e")) yield* print(`${row.comm} killed (pid ${row.pid})\n`);
  }
  if (call.flags.has("c")) yield* print(`${rows.length}\n`);
  return hit > 0 ? 0 : 1;
}

const COMMON = [
  { flag: "-f", help: "match the whole command line" },
  { flag: "-x", help: "match exactly" },
  { flag: "-n", help: "the newest alone" },
  { flag: "-o", help: "the oldest alone" },
  { flag: "-c", help: "count" },
  { flag: "-u", help: "of these users" },
  { flag: "-P", help: "children of these" },
];

export const pgrep: Tool = {
  name: "pgrep",
  summary: "find processes by name",
  options: [{ flag: "-l", help: "with names" }, { flag: "-a", help: "with command lines" }, ...COMMON],
  body: pgrepBody,
};

export const pkill: Tool = {
  name: "pkill",
  summary: "signal processes by name",
  options: [{ flag: "-e", help: "say what is signalled" }, { flag: "--signal", help: "which signal" }, ...COMMON],
  body: pkillBody,
};
