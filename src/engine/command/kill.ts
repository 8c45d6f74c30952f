/**
 * kill: signals to processes by number. Typed as `kill` it is bash's built-in with its messages; as /bin/kill it is procps' 4.0. Left out: queued values. A job
 * (`%1`) is the shell's own: the shell puts the process ids of the job in its place before it gets here.
 */
import { SIGNALS, SIGNAL_NAMES, signalNamed, type Signal } from "../kernel/index.ts";
import { processes } from "./processes.ts";
import { failed, kill as send, print, type Tool, type ToolBody, type ToolPart } from "./tool.ts";

const USAGE_BASH = "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";
const USAGE_PROCPS = `
Usage:
 kill [options] <pid> [...]

Options:
 <pid> [...]            send signal to every <pid> listed
 -<signal>, -s, --signal <signal>
                        specify the <signal> to be sent
 -q, --queue <value>    integer value to be sent with the signal
 -l, --list=[<signal>]  list all signal names, or convert one to a name
 -L, --table            list all signal names in a nice table

 -h, --help     display this help and exit
 -V, --version  output version information and exit

For more details see kill(1).
`;

/** SIGRTMIN … SIGRTMAX as Linux numbers them for programs. */
const REAL_TIME_FIRST = 34;
const REAL_TIME_LAST = 64;

interface Call {
  readonly list: boolean;
  readonly signal: Signal | 0 | undefined;
  /** The word that named the signal. */
  readonly signalWord: string;
  readonly operands: readonly string[];
}

/** procps writes POLL for 29, and names without SIG. */
const shortName = (signal: Signal): string => (signal === "SIGIO" ? "POLL" : signal.slice(3));

const signalOf = (text: string): Signal | 0 | undefined => (text === "0" ? 0 : signalNamed(text));

/** What is printed in place of signals. */
interface Said {
  readonly said: string;
  readonly status: number;
}

/** How bash's built-in reads its arguments. */
function parseBash(args: readonly string[]): Call | Said {
  const [first = "", ...rest] = args;
  if (first === "-l" || first === "-L") return { list: true, signal: "SIGTERM", signalWord: "", operands: rest };
  if (first === "-s" || first === "-n") {
    const [word, ...pids] = rest;
    if (word === undefined) return { said: `bash: kill: ${first}: option requires an argument\n`, status: 1 };
    return named(word, pids);
  }
  if (/^-[sn]./.test(first) && signalOf(first.slice(1)) === undefined) return named(first.slice(2), rest);
  if (first === "--") return { list: false, signal: "SIGTERM", signalWord: "TERM", operands: rest };
  if (first.startsWith("-") && first !== "-") return named(first.slice(1), rest);
  return first === "" ? { said: USAGE_BASH, status: 2 } : { list: false, signal: "SIGTERM", signalWord: "TERM", operands: args };
}

function named(word: string, operands: readonly string[]): Call {
  return { list: false, signal: signalOf(word), signalWord: word, operands: afterDashes(operands) };
}

/** How procps' program does; `name`: as it was called. */
function parseProcps(args: readonly string[], name: string): Call | Said {
  const [first = "", ...rest] = args;
  const long = /^--(list|signal)=(.*)$/.exec(first);
  if (first === "-h" || first === "--help") return { said: USAGE_PROCPS, status: 0 };
  if (first === "-V" || first === "--version") return { said: "kill from procps-ng 4.0.2\n", status: 0 };
  if (first === "-L" || first === "--table") return { said: procpsTable(), status: 0 };
  if (first === "-l" || first === "--list" || long?.[1] === "list")
    return { list: true, signal: "SIGTERM", signalWord: "", operands: (long === null ? rest : [long[2] ?? ""]).slice(0, 1) };
  const invalid = (what: string): Said => ({ said: `${name}: invalid argument ${what}\n${USAGE_PROCPS}`, status: 1 });
  if (first === "-s" || first === "--signal") {
    const [word, ...pids] = rest;
    return word === undefined ? invalid("s") : procpsSignal(word, pids, name);
  }
  if (long !== null) return procpsSignal(long[2] ?? "", rest, name);
  if (first === "-q" || first === "--queue") return { said: `${name}: -q: not modelled in this lab\n`, status: 1 };
  if (first === "--") return { list: false, signal: "SIGTERM", signalWord: "TERM", operands: rest };
  if (first.startsWith("--")) return invalid("\u0000");
  if (first.startsWith("-") && first !== "-")
    return signalOf(first.slice(1)) === undefined ? invalid(first.slice(1, 2)) : named(first.slice(1), rest);
  return first === "" ? { said: USAGE_PROCPS, status: 1 } : { list: false, signal: "SIGTERM", signalWord: "TERM", operands: args };
}

/** A name after -s that is none is the kernel's to refuse, for each process. */
function procpsSignal(word: string, pids: readonly string[], name: string): Call | Said {
  if (signalOf(word) !== undefined || pids.length === 0) return named(word, pids);
  return { said: pids.map((pid) => `${name}: (${pid}): Invalid argument\n`).join(""), status: 1 };
}

const afterDashes = (operands: readonly string[]): readonly string[] => (operands[0] === "--" ? operands.slice(1) : operands);

function realTimeName(n: number): string {
  const [low, high] = [n - REAL_TIME_FIRST, REAL_TIME_LAST - n];
  if (low <= 15) return `SIGRTMIN${low === 0 ? "" : `+${low}`}`;
  return `SIGRTMAX${high === 0 ? "" : `-${high}`}`;
}

/** bash's table: five to a line. */
function bashTable(): string {
  const names: [number, string][] = SIGNAL_NAMES.map((name) => [SIGNALS[name], name]);
  for (let n = REAL_TIME_FIRST; n <= REAL_TIME_LAST; n++) names.push([n, realTimeName(n)]);
  let text = "";
  names.forEach(([n, name], i) => {
    text += `${String(n).padStart(2)}) ${name}${(i + 1) % 5 === 0 || i === names.length - 1 ? (i === names.length - 1 && (i + 1) % 5 !== 0 ? "\t\n" : "\n") : "\t"}`;
  });
  return text;
}

/** The order and the line ends of procps. */
export function procpsList(): string {
  const order = SIGNAL_NAMES.map(shortName);
  const line = (names: readonly string[]): string => `${names.join(" ")}\n`;
  return line(order.slice(0, 16)) + line(order.slice(16));
}

/** procps' -L: seven to a line. */
function procpsTable(): string {
  let text = "";
  SIGNAL_NAMES.forEach((name, i) => {
    const full = (i + 1) % 7 === 0;
    const cell = `${String(SIGNALS[name]).padStart(2)} ${shortName(name)}`;
    text += full ? `${cell}\n` : `${cell.padEnd(11)}${i === SIGNAL_NAMES.length - 1 ? "\n" : ""}`;
  });
  return text;
}

/** -l with operands: a number's name, a name's number. */
function* translate(operands: readonly string[], bash: boolean, name: string): ToolPart<number> {
  let status = 0;
  for (const word of operands) {
    // To bash an exit status of a process that a signal ended counts as that signal.
    const number = /^[0-9]+$/.test(word) ? (bash && Number(word) > 128 ? Number(word) - 128 : Number(word)) : undefined;
    const signal = signalNamed(number === undefined ? word : String(number));
    if (signal === undefined) {
      yield* print(bash ? `bash: kill: ${word}: invalid signal specification\n` : `${name}: unknown signal name ${word}\n`, "stderr");
      if (bash) status = 1;
    } else yield* print(`${number === undefined ? SIGNALS[signal] : shortName(signal)}\n`);
  }
  return status;
}

/** kill(pid, 0): whether it, or one of the group, is there. */
function* exists(pid: number): ToolPart<"ESRCH" | undefined> {
  const rows = yield* processes();
  return pid === 0 || pid === -1 || rows.some((row) => (pid > 0 ? row.pid : row.pgid) === Math.abs(pid)) ? undefined : "ESRCH";
}

function* body(argv: readonly string[]): ToolBody {
  const name = argv[0] ?? "kill";
  const bash = !name.includes("/");
  const call = bash ? parseBash(argv.slice(1)) : parseProcps(argv.slice(1), name);
  if ("said" in call) {
    yield* print(call.said, call.status === 0 ? "stdout" : "stderr");
    return call.status;
  }
  if (call.list) {
    if (call.operands.length > 0) return yield* translate(call.operands, bash, name);
    yield* print(bash ? bashTable() : procpsList());
    return 0;
  }
  if (call.signal !== undefined && call.operands.length === 0) return yield* failed(bash ? USAGE_BASH : USAGE_PROCPS, bash ? 2 : 1);
  if (call.signal === undefined) return yield* failed(`bash: kill: ${call.signalWord}: invalid signal specification\n`);
  let status = 0;
  for (const word of call.operands) {
    const complaint = yield* one(word, call.signal, name, bash);
    if (complaint === undefined) continue;
    status = 1;
    yield* print(complaint, "stderr");
  }
  return status;
}

/** What is said of one process that could not be signalled. */
function* one(word: string, signal: Signal | 0, name: string, bash: boolean): ToolPart<string | undefined> {
  if (!/^-?[0-9]{1,10}$/.test(word))
    return bash ? `bash: kill: ${word}: arguments must be process or job IDs\n` : `${name}: failed to parse argument: '${word}'\n`;
  const pid = Number(word);
  const errno = signal === 0 ? yield* exists(pid) : yield* send(pid, signal);
  if (errno === undefined) return undefined;
  const text = errno === "ESRCH" ? "No such process" : "Operation not permitted";
  return bash ? `bash: kill: (${pid}) - ${text}\n` : `${name}: (${pid}): ${text}\n`;
}

export const kill: Tool = {
  name: "kill",
  summary: "send a signal to processes",
  options: [
    { flag: "-l", help: "names of signals" },
    { flag: "-s", help: "which signal" },
  ],
  body,
};
