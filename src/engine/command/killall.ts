/**
 * killall: signals to processes by their exact names, as psmisc 23.6 without SELinux does it. Left out: -g and -n, which are refused by name.
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

const VERSION = `killall (PSmisc) 23.6
Copyright (C) 1993-2022 Werner Almesberger and Craig Small

PSmisc comes with ABSOLUTELY NO WARRANTY.
This is free software, and you are welcome to redistribute it under
the terms of the GNU General Public License.
For more information about these matters, see the files named COPYING.
`;

const LONG = [
  "exact",
  "ignore-case",
  "interactive",
  "list",
  "quiet",
  "regexp",
  "signal=",
  "user=",
  "verbose",
  "version",
  "wait",
  "process-group",
  "younger-than=",
  "older-than=",
  "ns=",
];
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
  version: "V",
  wait: "w",
  "process-group": "g",
  "younger-than": "y",
  "older-than": "o",
  ns: "n",
};

/** Seconds of the units that -y and -o take. */
const UNIT_SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, M: 2_629_744, y: 31_556_926 };

function ageOf(text: string): number | undefined {
  const m = /^([0-9]+(?:\.[0-9]*)?)([smhdwMy])$/.exec(text);
  return m === null ? undefined : Number(m[1]) * (UNIT_SECONDS[m[2] ?? ""] ?? 1);
}

interface Call {
  readonly flags: ReadonlySet<string>;
  readonly signal: Signal | 0;
  readonly user: string | undefined;
  /** Seconds. */
  readonly younger: number | undefined;
  readonly older: number | undefined;
  readonly names: readonly string[];
}

const unknownSignal = (word: string): { refused: string } => ({ refused: `${word}: unknown signal; killall -l lists signals.\n` });
const signalOf = (word: string): Signal | 0 | undefined => (word === "0" ? 0 : signalNamed(word));

/** Arguments that name a signal are taken out: -HUP, -SIGHUP, -1. What is told of another is its name without SIG. */
function signalArguments(
  args: readonly string[],
): { readonly signal: Signal | 0; readonly rest: readonly string[] } | { readonly refused: string } {
  let signal: Signal | 0 = "SIGTERM";
  const rest: string[] = [];
  for (const word of args) {
    const named = /^-([A-HJ-UW-Z][A-Z0-9]*|[0-9]+|INT|IO|ILL|VTALRM)$/.exec(word)?.[1]?.replace(/^SIG(?=.)/, "");
    const found = named === undefined ? undefined : signalOf(named);
    if (named === undefined) rest.push(word);
    else if (found !== undefined) signal = found;
    // A number is taken as it is, and fails for every process.
    else if (!/^[0-9]+$/.test(named)) return unknownSignal(named);
  }
  return { signal, rest };
}

function parse(args: readonly string[]): Call | { readonly refused: string; readonly status?: number } {
  const taken = signalArguments(args);
  if ("refused" in taken) return taken;
  let { signal } = taken;
  const parsed = getopt("killall", taken.rest, "eIgilqrs:u:vwVy:o:n:", LONG);
  if (parsed.error !== undefined) return { refused: USAGE };
  const flags = new Set(parsed.options.map((o) => SHORT_OF[o.name] ?? o.name));
  const ages: { y: number | undefined; o: number | undefined } = { y: undefined, o: undefined };
  let user: string | undefined;
  for (const { name, value } of parsed.options) {
    const letter = SHORT_OF[name] ?? name;
    if (letter === "V") return { refused: VERSION, status: 0 };
    if (letter === "u") user = value;
    else if (letter === "y" || letter === "o") {
      const age = ageOf(value);
      if (age === undefined) return { refused: `Invalid time format\n${USAGE}` };
      ages[letter] = age;
    } else if (letter === "n")
      return { refused: /^[0-9]+$/.test(value) ? "killall: -n: not modelled in this lab\n" : `Invalid namespace PID\n${USAGE}` };
    else if (letter === "s") {
      const found = signalOf(value.replace(/^SIG/, ""));
      if (found === undefined && !/^[0-9]+$/.test(value)) return unknownSignal(value.replace(/^SIG/, ""));
      signal = found ?? signal;
    }
  }
  if (flags.has("g")) return { refused: "killall: -g: not modelled in this lab\n" };
  if (parsed.operands.length === 0 && user === undefined && !flags.has("l")) return { refused: USAGE };
  return { flags, signal, user, younger: ages.y, older: ages.o, names: parsed.operands };
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
  if ("refused" in call) return yield* failed(call.refused, call.status ?? 1);
  const { flags } = call;
  if (flags.has("l")) {
    yield* print(procpsList());
    return 0;
  }
  const me = yield* self();
  const users = yield* userNames();
  const uid = call.user === undefined ? undefined : userNumber(users, call.user);
  if (call.user !== undefined && uid === undefined) return yield* failed(`Cannot find user ${call.user}\n`);
  const age = (row: ProcessRow): number => (me.unixMicros - row.startUnixMicros) / SEC;
  const rows = (yield* processes()).filter(
    (row) =>
      row.pid !== me.pid &&
      (uid === undefined || row.uid === uid) &&
      (call.younger === undefined || age(row) < call.younger) &&
      (call.older === undefined || age(row) > call.older),
  );
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
