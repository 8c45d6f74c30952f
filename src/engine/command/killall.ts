/**
 * killall: signals to processes by their exact names, as psmisc 23 does it. Left out: -g, -n, -o, -y, -Z, which are refused by name.
 */
import { SEC, SIGNALS, signalNamed, type Signal } from "../kernel/index.ts";
import { compileEre } from "./ere.ts";
import { getopt } from "../kernel/getopt.ts";
import { procpsList } from "./kill.ts";
import { processes, programName, userNames, userNumber, type ProcessRow } from "./processes.ts";
import { failed, kill as send, print, readLine, self, sleep, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

const USAGE = `Usage: killall [OPTION]... [--] NAME...
       killall -l, --list
       killall -V, --version

  -e,--exact          require exact match for very long names
  -I,--ignore-case    case insensitive process name match
  -g,--process-group  kill process group instead of process
  -y,--younger-than   kill processes younger than TIME
  -o,--older-than     kill processes older than TIME
  -i,--interactive    ask for confirmation before killing
  -l,--list           list all known signal names
  -q,--quiet          don't print complaints
  -r,--regexp         interpret NAME as an extended regular expression
  -s,--signal SIGNAL  send this signal instead of SIGTERM
  -u,--user USER      kill only process(es) running as USER
  -v,--verbose        report if the signal was successfully sent
  -V,--version        display version information
  -w,--wait           wait for processes to die
  -n,--ns PID         match processes that belong to the same namespaces
                      as PID
  -Z,--context REGEXP kill only process(es) having context
                      (must precede other arguments)

`;

const LONG = ["exact", "ignore-case", "interactive", "list", "quiet", "regexp", "signal=", "user=", "verbose", "wait"];
const SHORT_OF: { readonly [long: string]: string } = {
  exact: "e",
  "ignore-case": "I",
  interactive: "i",
  list: "l",
  quiet: "q",
  regexp: "r",
  signal: "s",
  user: "u",
  verbose: "v",
  wait: "w",
};

interface Call {
  readonly flags: ReadonlySet<string>;
  readonly signal: Signal | 0;
  readonly user: string | undefined;
  readonly names: readonly string[];
}

function parse(args: readonly string[]): Call | { readonly refused: string } {
  const unknown = (word: string): { refused: string } => ({ refused: `${word}: unknown signal; killall -l lists signals.\n` });
  let signal: Signal | 0 | undefined = "SIGTERM";
  const rest: string[] = [];
  for (const word of args) {
    const named = /^-([A-Z]{3,}[A-Z0-9]*|[0-9]+)$/.exec(word)?.[1];
    if (named === undefined) rest.push(word);
    else if ((signal = named === "0" ? 0 : signalNamed(named)) === undefined) return unknown(named);
  }
  const parsed = getopt("killall", rest, "eIgilqrs:u:vw", LONG);
  if (parsed.error !== undefined) return { refused: `${parsed.error}\n${USAGE}` };
  const flags = new Set(parsed.options.map((o) => SHORT_OF[o.name] ?? o.name));
  if (flags.has("g")) return { refused: "killall: -g: not modelled in this lab\n" };
  let user: string | undefined;
  for (const { name, value } of parsed.options) {
    const letter = SHORT_OF[name] ?? name;
    if (letter === "u") user = value;
    else if (letter === "s" && (signal = value === "0" ? 0 : signalNamed(value)) === undefined) return unknown(value);
  }
  if (parsed.operands.length === 0 && user === undefined && !flags.has("l")) return { refused: USAGE };
  return { flags, signal: signal ?? "SIGTERM", user, names: parsed.operands };
}

/** A name of up to fifteen characters is the kernel's; a longer one is compared with the command line. A path is the file itself. */
function namedLike(row: ProcessRow, name: string, fold: boolean): boolean {
  const same = (a: string, b: string): boolean => (fold ? a.toLowerCase() === b.toLowerCase() : a === b);
  if (name.includes("/")) return row.argv[0] === name;
  return name.length > 15 ? same(programName(row), name) : same(row.comm, name);
}

function tester(name: string, flags: ReadonlySet<string>): ((row: ProcessRow) => boolean) | undefined {
  if (!flags.has("r")) return (row) => namedLike(row, name, flags.has("I"));
  const found = compileEre(name, { ignoreCase: flags.has("I") });
  return found && ((row) => found(row.comm));
}

/** Signals one process; true where it was done. */
function* one(row: ProcessRow, { flags, signal }: Call): ToolPart<boolean> {
  if (flags.has("i")) {
    const line = yield* readLine(`${signal === "SIGTERM" || signal === "SIGKILL" ? "Kill" : "Signal"} ${row.comm}(${row.pid}) ? (y/N) `);
    if (line === undefined || !/^y/i.test(line)) return false;
  }
  const errno = signal === 0 ? undefined : yield* send(row.pid, signal);
  if (errno === "EPERM") yield* print(`${row.comm}(${row.pid}): Operation not permitted\n`, "stderr");
  if (errno !== undefined) return false;
  if (flags.has("v")) yield* print(`Killed ${row.comm}(${row.pid}) with signal ${signal === 0 ? 0 : SIGNALS[signal]}\n`, "stderr");
  return true;
}

/** -w: looks every second whether they are gone. */
function* untilGone(pids: readonly number[]): ToolPart<void> {
  for (;;) {
    const rows = yield* processes();
    if (!rows.some((row) => pids.includes(row.pid) && row.state !== "Z")) return;
    yield* sleep(1 * SEC);
  }
}

function* body(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("refused" in call) return yield* failed(call.refused);
  const { flags } = call;
  if (flags.has("l")) {
    yield* print(procpsList());
    return 0;
  }
  const me = yield* self();
  const users = yield* userNames();
  const uid = call.user === undefined ? undefined : userNumber(users, call.user);
  if (call.user !== undefined && uid === undefined) return yield* failed(`Cannot find user ${call.user}\n`);
  const rows = (yield* processes()).filter((row) => row.pid !== me.pid && (uid === undefined || row.uid === uid));
  const hit: number[] = [];
  let missed = false;
  for (const name of call.names.length > 0 ? call.names : [undefined]) {
    const test = name === undefined ? () => true : tester(name, flags);
    if (test === undefined) return yield* failed(`killall: Bad regular expression: ${name ?? ""}\n`);
    const found = rows.filter(test);
    for (const row of found) if (yield* one(row, call)) hit.push(row.pid);
    if (found.length > 0) continue;
    missed = true;
    if (!flags.has("q") && name !== undefined) yield* print(`${name}: no process found\n`, "stderr");
  }
  if (flags.has("w")) yield* untilGone(hit);
  return missed || hit.length === 0 ? 1 : 0;
}

export const killall: Tool = {
  name: "killall",
  summary: "signal processes by name",
  options: [
    { flag: "-s", help: "which signal" },
    { flag: "-v", help: "say what is signalled" },
    { flag: "-w", help: "wait until they are gone" },
    { flag: "-q", help: "no complaints" },
    { flag: "-u", help: "of this user" },
  ],
  body,
};
