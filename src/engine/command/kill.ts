/**
 * kill: signals to processes by number. Typed as `kill` it is bash's built-in with its messages; as /bin/kill it is procps'. Left out: queued values. A job
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

/** Undefined: the call is wrong. */
function parse(args: readonly string[]): Call | undefined {
  const [first = "", ...rest] = args;
  if (first === "-l" || first === "-L" || first === "--list") return { list: true, signal: "SIGTERM", signalWord: "", operands: rest };
  if (first === "-s" || first === "-n" || first === "--signal") {
    const [word, ...pids] = rest;
    return word === undefined ? undefined : { list: false, signal: signalOf(word), signalWord: word, operands: afterDashes(pids) };
  }
  if (first === "--") return { list: false, signal: "SIGTERM", signalWord: "TERM", operands: rest };
  const word = first.replace(/^--signal=/, "-");
  if (word.startsWith("-")) return { list: false, signal: signalOf(word.slice(1)), signalWord: word.slice(1), operands: afterDashes(rest) };
  return first === "" ? undefined : { list: false, signal: "SIGTERM", signalWord: "TERM", operands: args };
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

/** -l with operands: a number's name, a name's number. */
function* translate(operands: readonly string[], bash: boolean): ToolPart<number> {
  let status = 0;
  for (const word of operands) {
    // An exit status of a process that a signal ended counts as that signal.
    const number = /^[0-9]+$/.test(word) ? (Number(word) > 128 ? Number(word) - 128 : Number(word)) : undefined;
    const signal = signalNamed(number === undefined ? word : String(number));
    if (signal === undefined) {
      yield* print(bash ? `bash: kill: ${word}: invalid signal specification\n` : `kill: unknown signal name ${word}\n`, "stderr");
      status = 1;
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
  const call = parse(argv.slice(1));
  if (call?.list === true) {
    if (call.operands.length > 0) return yield* translate(call.operands, bash);
    yield* print(bash ? bashTable() : procpsList());
    return 0;
  }
  if (call === undefined || (call.signal !== undefined && call.operands.length === 0))
    return yield* failed(bash ? USAGE_BASH : USAGE_PROCPS, bash ? 2 : 1);
  if (call.signal === undefined)
    return yield* failed(
      bash ? `bash: kill: ${call.signalWord}: invalid signal specification\n` : `${name}: unknown signal name ${call.signalWord}\n`,
    );
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
