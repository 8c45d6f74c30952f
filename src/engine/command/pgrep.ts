/**
 * pgrep and pkill: processes by their names, and signals to them, as procps 4.0 does it. Left out: -g, -G, -F, -L, -q, --ns, --cgroup, -A, -w, which are refused by name.
 */
import { SEC, signalNamed, type Signal } from "../kernel/index.ts";
import { compileEre } from "./ere.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { commandLine, listOf, processes, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { failed, kill, print, self, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

type Name = "pgrep" | "pkill";

/** Exit status of a call that is wrong. */
const USAGE_STATUS = 2;
const COMM_MAX = 15;

interface Call {
  readonly flags: ReadonlySet<string>;
  readonly lists: { readonly by: string; readonly values: readonly string[] }[];
  readonly delimiter: string;
  readonly olderSeconds: number | undefined;
  readonly pattern: string | undefined;
  readonly signal: Signal | 0;
}

const SHORT: { readonly [name in Name]: string } = { pgrep: "d:lavcfinoP:s:t:u:U:xr:O:", pkill: "ecfinoP:s:t:u:U:xr:O:v" };
const LONG: readonly string[] = [
  "delimiter=",
  "list-name",
  "list-full",
  "inverse",
  "count",
  "full",
  "ignore-case",
  "newest",
  "oldest",
  "parent=",
  "session=",
  "terminal=",
  "euid=",
  "uid=",
  "exact",
  "runstates=",
  "older=",
  "echo",
  "signal=",
];
const SHORT_OF: { readonly [long: string]: string } = {
  delimiter: "d",
  "list-name": "l",
  "list-full": "a",
  inverse: "v",
  count: "c",
  full: "f",
  "ignore-case": "i",
  newest: "n",
  oldest: "o",
  parent: "P",
  session: "s",
  terminal: "t",
  euid: "u",
  uid: "U",
  exact: "x",
  runstates: "r",
  older: "O",
  echo: "e",
};

function parse(name: Name, args: readonly string[]): Call | string {
  let signal: Signal | 0 = "SIGTERM";
  // The first word that names a signal is one: -9, -KILL, -SIGKILL.
  const place =
    name === "pkill"
      ? args.findIndex((word) => /^-[A-Z0-9]+$/.test(word) && (word === "-0" || signalNamed(word.slice(1)) !== undefined))
      : -1;
  if (place >= 0) signal = signalOf(args[place]?.slice(1) ?? "") ?? "SIGTERM";
  const parsed = getopt(name, place < 0 ? args : args.toSpliced(place, 1), SHORT[name], LONG);
  if (parsed.error !== undefined) return `${parsed.error}\nTry \`${name} --help' for more information.\n`;
  const flags = new Set<string>();
  const lists: Call["lists"] = [];
  let [delimiter, olderSeconds]: [string, number | undefined] = ["\n", undefined];
  for (const { name: option, value } of parsed.options) {
    const letter = SHORT_OF[option] ?? option;
    if ("PstuUr".includes(letter)) lists.push({ by: letter, values: listOf(value) });
    else if (letter === "d") delimiter = value;
    else if (letter === "O") olderSeconds = wholeNumber(value, 0, 2_147_483_647) ?? 0;
    else if (option === "signal") {
      const named = signalOf(value);
      if (named === undefined) return `${name}: unknown signal ${value}\nTry \`${name} --help' for more information.\n`;
      signal = named;
    } else flags.add(letter);
  }
  const [pattern, second] = parsed.operands;
  const wrong = (text: string): string => `${name}: ${text}\nTry \`${name} --help' for more information.\n`;
  if (second !== undefined) return wrong("only one pattern can be provided");
  if (pattern === undefined && lists.length === 0 && olderSeconds === undefined) return wrong("no matching criteria specified");
  return { flags, lists, delimiter, olderSeconds, pattern, signal };
}

function signalOf(text: string): Signal | 0 | undefined {
  return text === "0" ? 0 : signalNamed(text);
}

function listMatches(row: ProcessRow, { by, values }: Call["lists"][number], users: ReadonlyMap<number, string>, me: number): boolean {
  return values.some((value) => {
    switch (by) {
      case "P":
        return row.ppid === Number(value);
      case "s":
        return row.sid === (value === "0" ? me : Number(value));
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

function* search(name: Name, call: Call): ToolPart<readonly ProcessRow[] | number> {
  const { flags, pattern } = call;
  if (pattern !== undefined && !flags.has("f") && pattern.length > COMM_MAX)
    return yield* failed(
      `${name}: pattern that searches for process name longer than 15 characters will result in zero matches\nTry \`${name} -f' option to match against the complete command line.\n`,
    );
  const found =
    pattern === undefined ? () => true : compileEre(flags.has("x") ? `^(${pattern})$` : pattern, { ignoreCase: flags.has("i") });
  if (found === undefined) return yield* failed(`${name}: regex error: Invalid regular expression\n`, USAGE_STATUS);
  const rows = yield* processes();
  const users = yield* userNames();
  const me = yield* self();
  for (const { by, values } of call.lists) {
    const unknown = by === "u" || by === "U" ? values.find((v) => userNumber(users, v) === undefined) : undefined;
    if (unknown !== undefined) return yield* failed(`${name}: invalid user name: ${unknown}\n`, USAGE_STATUS);
  }
  const others = rows.filter((row) => row.pid !== me.pid);
  return matching(others, call, (row) => {
    if (call.olderSeconds !== undefined && me.unixMicros - row.startUnixMicros < call.olderSeconds * SEC) return false;
    return call.lists.every((list) => listMatches(row, list, users, me.pid)) && found(flags.has("f") ? commandLine(row) : row.comm);
  });
}

function* pgrepBody(argv: readonly string[]): ToolBody {
  const call = parse("pgrep", argv.slice(1));
  if (typeof call === "string") return yield* failed(call, USAGE_STATUS);
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
  const call = parse("pkill", argv.slice(1));
  if (typeof call === "string") return yield* failed(call, USAGE_STATUS);
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
