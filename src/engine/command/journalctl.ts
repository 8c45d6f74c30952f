/**
 * journalctl: the machine's journal, newest last, over all its boots. Options and texts are those of systemd 252. Left out, and said so: options not listed here; -x is taken
 * and adds nothing, as there is no message catalogue. The lab keeps a journal in one active file, of which vacuuming frees nothing.
 */
import type { JournalLine } from "../kernel/index.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import { systemdTime } from "./dates.ts";
import type { ToolHost } from "./host.ts";
import { bootId, fieldsOf, FORMATS, journalText, LEVELS, messageText, type Format } from "./journal-format.ts";
import { parseTimestamp, span } from "./journal-time.ts";
import { fail, notModelled, ok, unixMicros, type CommandSpec, type Follow, type Result } from "./spec.ts";

const NAME = "journalctl";
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
/** What systemd 252 has besides. */
const OTHER_FORMATS = ["export", "json-sse", "json-seq", "with-unit"];
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
  "case-sensitive=",
  "identifier=",
  "list-boots",
  "disk-usage",
  "vacuum-time=",
  "vacuum-size=",
  "vacuum-files=",
  "rotate",
  "flush",
  "sync",
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
const IDLE = new Set(["no-pager", "catalog", "all", "no-full", "full", "utc"]);
/** Lines that -e shows of the end. */
const PAGER_END_LINES = 1000;

interface Call {
  follow: boolean;
  /** undefined: all. */
  lines: number | undefined;
  units: string[];
  since: number | undefined;
  until: number | undefined;
  format: Format;
  /** 0 the present boot, -1 the one before …, or an id; undefined: all. */
  boot: number | string | undefined;
  reverse: boolean;
  /** Levels from the first to the second, both included. */
  levels: readonly [number, number];
  identifiers: string[];
  grep: RegExp | undefined;
  /** Every group of fields has to fit, or another one of those that `+` parts. */
  matches: (readonly [field: string, value: string])[][];
  instead: "list-boots" | "disk-usage" | "vacuum" | "nothing" | undefined;
  quiet: boolean;
  hostname: boolean;
}

/** `-n` and `-b` may stand without their argument; getopt's options cannot say so, hence this step before it. */
function normalise(args: readonly string[]): string[] {
  const out: string[] = [];
  args.forEach((word, i) => {
    const next = args[i + 1];
    const takesNumber = next !== undefined && /^[-+]?\d+$/.test(next);
    const takesBoot = takesNumber || (next !== undefined && /^[0-9a-f]{32}$/.test(next));
    if (word === "-n" && next !== "all" && !takesNumber) out.push("-n10");
    else if (word === "--lines" && next !== "all" && !takesNumber) out.push("--lines=10");
    else if ((word === "-b" || word === "--boot") && !takesBoot) out.push("--boot=0");
    else if (word === "-b" || word === "--boot") out.push("--boot=" + (next ?? "0"), "\u0000");
    else if (/^-b([-+]?\d+|[0-9a-f]{32})$/.test(word)) out.push(`--boot=${word.slice(2)}`);
    else if (/^-[a-z]+[a-z]$/.test(word) && word.endsWith("n") && !takesNumber) out.push(`${word}10`);
    else out.push(word);
  });
  return out.filter((word, i) => out[i - 1] !== "\u0000" && word !== "\u0000");
}

function emptyCall(): Call {
  return {
    follow: false,
    lines: undefined,
    units: [],
    since: undefined,
    until: undefined,
    format: "short",
    boot: undefined,
    reverse: false,
    levels: [0, 7],
    identifiers: [],
    grep: undefined,
    matches: [],
    instead: undefined,
    quiet: false,
    hostname: true,
  };
}

function parse(host: ToolHost, args: readonly string[]): Call | Result {
  const call = emptyCall();
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
  const wrong = addMatches(call, parsed.operands);
  if (wrong !== undefined) return fail(`Failed to add match '${wrong}': Invalid argument\n`);
  if (call.follow && call.lines === undefined && !noTail) call.lines = 10;
  return call;
}

/** `FIELD=value` operands and `+`. @returns the first that is neither */
function addMatches(call: Call, operands: readonly string[]): string | undefined {
  if (operands.length > 0) call.matches.push([]);
  for (const word of operands) {
    const m = /^([A-Z_][A-Z0-9_]*)=(.*)$/.exec(word);
    if (word === "+") call.matches.push([]);
    else if (m === null) return word;
    else call.matches.at(-1)?.push([m[1] ?? "", m[2] ?? ""]);
  }
  return undefined;
}

/** A pattern of -g: it ignores case where it has none of its own. Nested repetitions, which could take for ever, and references are not taken. */
function grepPattern(text: string): RegExp | Result {
  if (/\([^)]*[*+{][^)]*\)[*+{]|\\[1-9]|\(\?[=!<]/.test(text)) return notModelled(`${NAME} -g ${text}`);
  try {
    return new RegExp(text, text === text.toLowerCase() ? "iu" : "u");
  } catch {
    return fail(`Bad pattern "${text}": Invalid argument\n`);
  }
}

/** Options that take the place of the lines. */
const INSTEAD: Readonly<Record<string, Call["instead"]>> = {
  "list-boots": "list-boots",
  "disk-usage": "disk-usage",
  "vacuum-time": "vacuum",
  "vacuum-size": "vacuum",
  "vacuum-files": "vacuum",
  rotate: "nothing",
  flush: "nothing",
  sync: "nothing",
};

function applyChoice(host: ToolHost, call: Call, name: string, value: string): Result | undefined | "unknown" {
  if (name === "identifier") call.identifiers.push(value);
  else if (name === "pager-end") call.lines ??= PAGER_END_LINES;
  else if (name === "grep") {
    const pattern = grepPattern(value);
    if ("stdout" in pattern) return pattern;
    call.grep = pattern;
  } else if (name === "case-sensitive")
    call.grep = call.grep === undefined ? undefined : new RegExp(call.grep.source, /^(no|false|0)$/.test(value) ? "iu" : "u");
  else if (name in INSTEAD) {
    if (name === "vacuum-time" && span(value) === undefined) return fail(`Failed to parse vacuum time: ${value}\n`);
    if (name === "vacuum-size" && !/^\d+(\.\d+)?[KMGT]?$/.test(value)) return fail(`Failed to parse vacuum size: ${value}\n`);
    call.instead = INSTEAD[name];
  } else return "unknown";
  return undefined;
}

function apply(host: ToolHost, call: Call, name: string, value: string): Result | undefined {
  if (name === "follow") call.follow = true;
  else if (name === "reverse") call.reverse = true;
  else if (name === "quiet") call.quiet = true;
  else if (name === "no-hostname") call.hostname = false;
  else if (name === "dmesg") {
    call.units.push("kernel");
    call.boot ??= 0;
  } else if (name === "unit") call.units.push(value.replace(/\.service$/, ""));
  else if (name === "boot") call.boot = /^[0-9a-f]{32}$/.test(value) ? value : Number(value);
  else if (name === "lines") {
    const n = value === "all" ? Infinity : wholeNumber(value, 0, 2_147_483_647);
    if (n === undefined) return fail(`Failed to parse lines '${value}'\n`);
    call.lines = n === Infinity ? undefined : n;
  } else if (name === "priority") {
    const [low, high] = value.includes("..") ? value.split("..") : ["emerg", value];
    const [from, to] = [LEVEL_NAMES[low ?? ""], LEVEL_NAMES[high ?? ""]];
    if (from === undefined || to === undefined) return fail(`Unknown log level ${value}\n`);
    call.levels = [Math.min(from, to), Math.max(from, to)];
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
  else {
    const chosen = applyChoice(host, call, name, value);
    return chosen === "unknown" ? notModelled(`${NAME} ${name.length === 1 ? "-" : "--"}${name}`) : chosen;
  }
  return undefined;
}

/** The boots that the journal has lines of, in order, with their first and last instants. */
function bootsOf(lines: readonly JournalLine[]): { readonly boot: number; readonly first: number; readonly last: number }[] {
  const out: { boot: number; first: number; last: number }[] = [];
  for (const { boot, instant } of lines) {
    const last = out.at(-1);
    if (last?.boot === boot) last.last = instant;
    else out.push({ boot, first: instant, last: instant });
  }
  return out;
}

/** Which boot -b means: counted from the present one backwards, or from the first one forwards. */
function chosenBoot(host: ToolHost, wanted: number | string, lines: readonly JournalLine[]): number | undefined {
  const boots = bootsOf(lines);
  if (typeof wanted === "string") return boots.find((b) => bootId(host, b.boot) === wanted)?.boot;
  return boots.at(wanted - 1)?.boot;
}

/** Values for one field are alternatives, fields come together: systemd.journal-fields(7). */
function fits(host: ToolHost, line: JournalLine, matches: Call["matches"]): boolean {
  const fields = fieldsOf(host, line);
  return matches.some((group) =>
    group.every(([name]) => group.some(([n, v]) => n === name && fields.some(([f, x]) => f === n && x === v))),
  );
}

function select(host: ToolHost, call: Call, all: readonly JournalLine[]): JournalLine[] {
  const boot = call.boot === undefined ? undefined : chosenBoot(host, call.boot, all);
  return all.filter((line) => {
    const at = unixMicros(host, line.instant);
    const level = LEVELS.indexOf(line.level);
    if (call.boot !== undefined && line.boot !== boot) return false;
    if (call.units.length > 0 && !call.units.includes(line.unit)) return false;
    if (call.identifiers.length > 0 && !call.identifiers.includes(line.identifier)) return false;
    if (call.matches.length > 0 && !fits(host, line, call.matches)) return false;
    if (call.grep?.test(messageText(line)) === false) return false;
    return (
      (call.since === undefined || at >= call.since) &&
      (call.until === undefined || at <= call.until) &&
      level >= call.levels[0] &&
      level <= call.levels[1]
    );
  });
}

function render(host: ToolHost, call: Call, chosen: readonly JournalLine[], all: readonly JournalLine[]): string {
  const began = new Map(bootsOf(all).map((b) => [b.boot, b.first]));
  const marks = call.format.startsWith("short") || call.format === "verbose";
  let text = "";
  let before: number | undefined;
  for (const line of chosen) {
    if (before !== undefined && before !== line.boot && marks) text += `-- Boot ${bootId(host, line.boot)} --\n`;
    before = line.boot;
    text += journalText(host, line, call.format, call.hostname, began.get(line.boot));
  }
  return text;
}

function listBoots(host: ToolHost, all: readonly JournalLine[]): string {
  const boots = bootsOf(all);
  const time = (instant: number): string => systemdTime(unixMicros(host, instant));
  const header = ["IDX", "BOOT ID".padEnd(32), "FIRST ENTRY".padEnd(27), "LAST ENTRY".padEnd(27)].join(" ").trimEnd();
  const rows = boots.map((b, i) => [String(i - boots.length + 1).padStart(3), bootId(host, b.boot), time(b.first), time(b.last)].join(" "));
  return [header, ...rows].map((l) => `${l}\n`).join("");
}

/** journald's files begin with 8 MiB and grow by as much. */
const FILE_BYTES = 8 * 1024 * 1024;
/** What an entry with its fields takes in one. */
const ENTRY_BYTES = 512;

function instead(host: ToolHost, call: Call, all: readonly JournalLine[]): Result {
  switch (call.instead) {
    case "list-boots":
      return ok(listBoots(host, all));
    case "disk-usage": {
      const size = Math.max(1, Math.ceil((all.length * ENTRY_BYTES) / FILE_BYTES)) * 8;
      return ok(`Archived and active journals take up ${size.toFixed(1)}M in the file system.\n`);
    }
    case "vacuum":
      return { stdout: "", stderr: call.quiet ? "" : "Vacuuming done, freed 0B of archived journals from /var/log/journal.\n", status: 0 };
    default:
      return ok("");
  }
}

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(host, argv.slice(1));
  if ("stdout" in call) return call;
  const all = host.journalSince(0);
  if (call.instead !== undefined) return instead(host, call, all);
  const found = select(host, call, all);
  const chosen = call.lines === undefined ? found : found.slice(Math.max(0, found.length - call.lines));
  if (call.reverse) chosen.reverse();
  if (chosen.length === 0) return { ...ok(call.quiet || call.follow ? "" : "-- No entries --\n"), status: call.grep === undefined ? 0 : 1 };
  return ok(render(host, call, chosen, all));
}

/** -f: the last lines, then every new one. */
const following: Follow = {
  begin: (host, argv) => ({ state: { next: host.journalLength() }, stdout: query(host, argv).stdout }),
  poll: (host, argv, state) => {
    const from = Number(state.next);
    if (host.journalLength() <= from) return { state, stdout: "" };
    const call = parse(host, argv.slice(1));
    if ("stdout" in call) return { state, stdout: "", stderr: call.stderr, status: 1 };
    const newer = host.journalSince(from);
    const chosen = select(host, { ...call, boot: undefined }, newer);
    return { state: { next: host.journalLength() }, stdout: render(host, call, chosen, newer) };
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
    { flag: "-t", help: "lines of one identifier" },
    { flag: "-g", help: "lines that a pattern fits" },
    { flag: "-o", help: `format: ${FORMATS.join(", ")}` },
    { flag: "--list-boots", help: "the boots that have lines" },
    { flag: "--since", help: "from this time on" },
    { flag: "--until", help: "up to this time" },
    { flag: "--no-pager", help: "no pager" },
  ],
  takesUnit: (before) => before.at(-1) === "-u" || before.at(-1) === "--unit",
  isQuery: (argv, host) => !isFollow(argv) || "stdout" in parse(host, argv.slice(1)),
  query,
  follow: (argv) => (isFollow(argv) ? following : undefined),
};
