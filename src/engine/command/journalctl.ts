/**
 * journalctl: the machine's journal, newest last. Formats are those of systemd 252. Left out, and said so: options not listed here; -x is taken and adds nothing, as
 * there is no message catalogue.
 */
import type { JournalLine, LogLevel } from "../kernel/index.ts";
import { Hasher } from "../kernel/index.ts";
import { isoTime, preciseTime, syslogTime, systemdTime } from "./dates.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import type { ToolHost } from "./host.ts";
import { parseTimestamp } from "./journal-time.ts";
import { fail, notModelled, ok, unixMicros, type CommandSpec, type Follow, type Result } from "./spec.ts";

const NAME = "journalctl";
const LEVELS: readonly LogLevel[] = ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"];
const LEVEL_NAMES: Readonly<Record<string, number>> = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
  "0": 0,
  "1": 1,
  "2": 2,
  "3": 3,
  "4": 4,
  "5": 5,
  "6": 6,
  "7": 7,
};
const FORMATS = ["short", "short-precise", "short-iso", "short-full", "cat"] as const;
type Format = (typeof FORMATS)[number];
/** What systemd 252 has besides. */
const OTHER_FORMATS = [
  "short-iso-precise",
  "short-monotonic",
  "short-unix",
  "verbose",
  "export",
  "json",
  "json-pretty",
  "json-sse",
  "json-seq",
  "with-unit",
];
const SHORT = "fn:u:S:U:o:b::rp:exqkag:M:t:";
const LONG = [
  "follow",
  "lines=",
  "unit=",
  "since=",
  "until=",
  "output=",
  "boot",
  "boot=",
  "reverse",
  "priority=",
  "pager-end",
  "catalog",
  "quiet",
  "dmesg",
  "all",
  "no-pager",
  "no-hostname",
  "no-tail",
  "no-full",
  "full",
  "utc",
  "help",
  "version",
  "grep=",
  "identifier=",
];
const SAME: Readonly<Record<string, string>> = {
  f: "follow",
  n: "lines",
  u: "unit",
  S: "since",
  U: "until",
  o: "output",
  b: "boot",
  r: "reverse",
  p: "priority",
  e: "pager-end",
  x: "catalog",
  q: "quiet",
  k: "dmesg",
  a: "all",
  g: "grep",
  t: "identifier",
};
/** Taken without effect: there is no pager, and lines are never cut. */
const IDLE = new Set(["no-pager", "catalog", "all", "no-full", "full", "utc", "pager-end"]);

interface Call {
  follow: boolean;
  /** undefined: all. */
  lines: number | undefined;
  units: string[];
  since: number | undefined;
  until: number | undefined;
  format: Format;
  /** 0 the present boot, -1 the one before …; undefined: all. */
  boot: number | undefined;
  reverse: boolean;
  worst: number;
  quiet: boolean;
  hostname: boolean;
}

/** `-n` and `-b` may stand without their argument; getopt's letters cannot say so, hence this step before it. */
function normalise(args: readonly string[]): string[] {
  const out: string[] = [];
  args.forEach((word, i) => {
    const next = args[i + 1];
    const takesNumber = next !== undefined && /^[-+]?\d+$/.test(next);
    if (word === "-n" && next !== "all" && !takesNumber) out.push("-n10");
    else if (word === "--lines" && next !== "all" && !takesNumber) out.push("--lines=10");
    else if ((word === "-b" || word === "--boot") && !takesNumber) out.push("--boot=0");
    else if (word === "-b" || word === "--boot") out.push("--boot=" + (next ?? "0"), "\u0000");
    else if (/^-b[-+]?\d+$/.test(word)) out.push(`--boot=${word.slice(2)}`);
    else if (/^-[a-z]+[a-z]$/.test(word) && word.endsWith("n") && !takesNumber) out.push(`${word}10`);
    else out.push(word);
  });
  return out.filter((word, i) => out[i - 1] !== "\u0000" && word !== "\u0000");
}

function parse(host: ToolHost, args: readonly string[]): Call | Result {
  const call: Call = {
    follow: false,
    lines: undefined,
    units: [],
    since: undefined,
    until: undefined,
    format: "short",
    boot: undefined,
    reverse: false,
    worst: 7,
    quiet: false,
    hostname: true,
  };
  const parsed = getopt(
    NAME,
    normalise(args),
    SHORT.replace("b::", ""),
    LONG.filter((l) => l !== "boot"),
  );
  let noTail = false;
  for (const option of parsed.options) {
    const name = SAME[option.name] ?? option.name;
    if (name === "no-tail") noTail = true;
    const answer = apply(host, call, name, option.value);
    if (answer) return answer;
  }
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const match = parsed.operands[0];
  if (match !== undefined) return fail(`Failed to add match '${match}': Invalid argument\n`);
  if (call.follow && call.lines === undefined && !noTail) call.lines = 10;
  return call;
}

function apply(host: ToolHost, call: Call, name: string, value: string): Result | undefined {
  if (name === "follow") call.follow = true;
  else if (name === "reverse") call.reverse = true;
  else if (name === "quiet") call.quiet = true;
  else if (name === "no-hostname") call.hostname = false;
  else if (name === "dmesg") call.units.push("kernel");
  else if (name === "unit") call.units.push(value.replace(/\.service$/, ""));
  else if (name === "boot") call.boot = Number(value);
  else if (name === "lines") {
    const n = value === "all" ? Infinity : wholeNumber(value, 0, 2_147_483_647);
    if (n === undefined) return fail(`Failed to parse lines '${value}'\n`);
    call.lines = n === Infinity ? undefined : n;
  } else if (name === "priority") {
    const [low, high] = value.includes("..") ? value.split("..") : ["emerg", value];
    const worst = Math.max(LEVEL_NAMES[low ?? ""] ?? -1, LEVEL_NAMES[high ?? ""] ?? -1);
    if (LEVEL_NAMES[low ?? ""] === undefined || LEVEL_NAMES[high ?? ""] === undefined) return fail(`Unknown log level ${value}\n`);
    call.worst = worst;
  } else if (name === "output") {
    const format = FORMATS.find((f) => f === value);
    if (format === undefined && !OTHER_FORMATS.includes(value)) return fail(`Unknown output format '${value}'.\n`);
    if (format === undefined) return notModelled(`${NAME} -o ${value} (available: ${FORMATS.join(", ")})`);
    call.format = format;
  } else if (name === "since" || name === "until") {
    const time = parseTimestamp(value, unixMicros(host, host.now));
    if (time === undefined) return fail(`Failed to parse timestamp: ${value}\n`);
    call[name] = time;
  } else if (name === "no-tail" || IDLE.has(name)) return undefined;
  else return notModelled(`${NAME} ${name.length === 1 ? "-" : "--"}${name}`);
  return undefined;
}

/** A line with the boot it belongs to, counted from the journal's first. */
interface Entry {
  readonly line: JournalLine;
  readonly boot: number;
}

/** The kernel's first line marks a boot. */
function entries(lines: readonly JournalLine[]): Entry[] {
  let boot = -1;
  return lines.map((line) => {
    if (line.unit === "kernel" && line.text.startsWith("Linux version ")) boot++;
    return { line, boot: Math.max(0, boot) };
  });
}

function select(host: ToolHost, call: Call, all: readonly Entry[]): Entry[] {
  const last = all[all.length - 1]?.boot ?? 0;
  const boot = call.boot === undefined ? undefined : call.boot > 0 ? call.boot - 1 : last + call.boot;
  return all.filter(({ line, boot: b }) => {
    const at = unixMicros(host, line.instant);
    if (boot !== undefined && b !== boot) return false;
    if (call.units.length > 0 && !call.units.includes(line.unit)) return false;
    return (
      (call.since === undefined || at >= call.since) &&
      (call.until === undefined || at <= call.until) &&
      LEVELS.indexOf(line.level) <= call.worst
    );
  });
}

/** Who wrote a line: `systemd[1]`, `corosync[1234]`, `kernel`. */
function identifier(line: JournalLine): string {
  if (line.unit === "kernel") return "kernel";
  // What is typed in a terminal logs under its own name, and belongs to the login session.
  if (line.unit.endsWith(".scope")) return `corosync[${line.pid}]`;
  return `${line.pid === 1 ? "systemd" : line.unit}[${line.pid}]`;
}

/** The message as corosync hands it to syslog: its subsystem in a bracket of its own, after two blanks. */
export function messageText(line: JournalLine): string {
  return line.subsystem === "" ? line.text : `  [${line.subsystem.padEnd(6)}] ${line.text}`;
}

/** `Nov 20 09:35:28 pve1 corosync[1234]:   [QUORUM] Members[1]: 1` and the other formats. */
export function journalText(host: ToolHost, line: JournalLine, format: Format, hostname: boolean): string {
  const text = messageText(line);
  if (format === "cat") return `${text}\n`;
  const at = unixMicros(host, line.instant);
  const time =
    format === "short"
      ? syslogTime(at)
      : format === "short-precise"
        ? preciseTime(at)
        : format === "short-iso"
          ? isoTime(at)
          : systemdTime(at);
  return `${time} ${hostname ? `${host.hostname} ` : ""}${identifier(line)}: ${text}\n`;
}

/** Thirty-two hex digits, the same for every look at one boot. */
function bootId(host: ToolHost, boot: number): string {
  const half = (salt: string): string => new Hasher().text(host.hostname).text(salt).int(boot).hex();
  return half("boot id") + half("boot id, second half");
}

function render(host: ToolHost, call: Call, chosen: readonly Entry[]): string {
  let text = "";
  let before: number | undefined;
  for (const { line, boot } of chosen) {
    if (before !== undefined && before !== boot && call.format !== "cat") text += `-- Boot ${bootId(host, boot)} --\n`;
    before = boot;
    text += journalText(host, line, call.format, call.hostname);
  }
  return text;
}

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(host, argv.slice(1));
  if ("stdout" in call) return call;
  const found = select(host, call, entries(host.journalSince(0)));
  const chosen = call.lines === undefined ? found : found.slice(Math.max(0, found.length - call.lines));
  if (call.reverse) chosen.reverse();
  if (chosen.length === 0) return ok(call.quiet || call.follow ? "" : "-- No entries --\n");
  return ok(render(host, call, chosen));
}

/** -f: the last lines, then every new one. */
const following: Follow = {
  begin: (host, argv) => ({ state: { next: host.journalLength() }, stdout: query(host, argv).stdout }),
  poll: (host, argv, state) => {
    const from = Number(state.next);
    if (host.journalLength() <= from) return { state, stdout: "" };
    const call = parse(host, argv.slice(1));
    if ("stdout" in call) return { state, stdout: "", stderr: call.stderr, status: 1 };
    const fresh = select(host, { ...call, boot: undefined }, entries(host.journalSince(from)));
    return { state: { next: host.journalLength() }, stdout: render(host, call, fresh) };
  },
};

function isFollow(argv: readonly string[]): boolean {
  const parsed = getopt(
    NAME,
    normalise(argv.slice(1)),
    SHORT.replace("b::", ""),
    LONG.filter((l) => l !== "boot"),
  );
  return parsed.error === undefined && parsed.options.some((o) => o.name === "f" || o.name === "follow");
}

export const journalctl: CommandSpec = {
  name: NAME,
  summary: "the machine's journal",
  options: [
    { flag: "-u", help: "lines of one unit" },
    { flag: "-f", help: "follow" },
    { flag: "-n", help: "the last lines" },
    { flag: "-b", help: "lines of one boot" },
    { flag: "-r", help: "newest first" },
    { flag: "-p", help: "lines of a level or worse" },
    { flag: "-o", help: "format: short, short-precise, short-iso, short-full, cat" },
    { flag: "--since", help: "from this time on" },
    { flag: "--until", help: "up to this time" },
    { flag: "--no-pager", help: "no pager" },
  ],
  isQuery: (argv, host) => !isFollow(argv) || "stdout" in parse(host, argv.slice(1)),
  query,
  follow: (argv) => (isFollow(argv) ? following : undefined),
};
