/**
 * How journalctl is called: options and operands. Options and messages are those of systemd 252. Left out, and said so: options not listed here; -x is taken and adds nothing, as there is no message
 * catalogue.
 */
import { getopt, wholeNumber, type Parsed } from "../kernel/getopt.ts";
import { FORMATS, type Format } from "./journal-format.ts";
import { parseTimestamp, span } from "./journal-time.ts";
import { fail, notModelled, type Result } from "./result.ts";

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

export interface JournalCall {
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

function emptyCall(): JournalCall {
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

function options(args: readonly string[]): Parsed {
  return getopt(
    NAME,
    normalise(args),
    SHORT.replace("b::", ""),
    LONG.filter((l) => l !== "boot"),
  );
}

/** Whether a call that is right so far follows. */
export function isFollow(args: readonly string[]): boolean {
  const parsed = options(args);
  return parsed.error === undefined && parsed.options.some((o) => o.name === "f" || o.name === "follow");
}

/** @param now µs since 1970, for times that are told by it */
export function parseJournalCall(args: readonly string[], now: number): JournalCall | Result {
  const call = emptyCall();
  const parsed = options(args);
  let noTail = false;
  for (const option of parsed.options) {
    const name = SAME[option.name] ?? option.name;
    if (name === "no-tail") noTail = true;
    const answer = apply(now, call, name, option.value);
    if (answer) return answer;
  }
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const wrong = addMatches(call, parsed.operands);
  if (wrong !== undefined) return fail(`Failed to add match '${wrong}': Invalid argument\n`);
  if (call.follow && call.lines === undefined && !noTail) call.lines = 10;
  return call;
}

/** `FIELD=value` operands and `+`. @returns the first that is neither */
function addMatches(call: JournalCall, operands: readonly string[]): string | undefined {
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
const INSTEAD: Readonly<Record<string, JournalCall["instead"]>> = {
  "list-boots": "list-boots",
  "disk-usage": "disk-usage",
  "vacuum-time": "vacuum",
  "vacuum-size": "vacuum",
  "vacuum-files": "vacuum",
  rotate: "nothing",
  flush: "nothing",
  sync: "nothing",
};

function applyChoice(call: JournalCall, name: string, value: string): Result | undefined | "unknown" {
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

function apply(now: number, call: JournalCall, name: string, value: string): Result | undefined {
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
    const time = parseTimestamp(value, now);
    if (time === undefined) return fail(`Failed to parse timestamp: ${value}\n`);
    call[name] = time;
  } else if (name === "no-tail" || IDLE.has(name)) return undefined;
  else {
    const chosen = applyChoice(call, name, value);
    return chosen === "unknown" ? notModelled(`${NAME} ${name.length === 1 ? "-" : "--"}${name}`) : chosen;
  }
  return undefined;
}
