/**
 * How journalctl is called: options and operands. Options and messages are those of systemd 252. Left out, and said so: options not listed here; -x is taken and adds nothing, as there is no message
 * catalogue.
 */
import { compilePerl } from "./ere.ts";
import { getopt, wholeNumber, type Parsed } from "../kernel/getopt.ts";
import { FORMATS, type Format } from "./journal-format.ts";
import { parseTimestamp, span } from "./journal-time.ts";
import { yesOrNo } from "./yes-or-no.ts";
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
const SHORT = "hefo:aln:qmkD:p:g:c:S:U:t:u:NF:xrM:i:";
/** In systemd's order, which shows where a shortened one is ambiguous. An equals sign: with an argument. */
const LONG = (
  "help version no-pager pager-end follow force output= all full no-full lines= no-tail new-id128 quiet merge boot= list-boots dmesg system user directory= file= root= image= header " +
  "identifier= priority= facility= grep= case-sensitive= setup-keys interval= verify verify-key= disk-usage cursor= cursor-file= after-cursor= show-cursor since= until= unit= user-unit= " +
  "field= fields catalog list-catalog dump-catalog update-catalog reverse machine= utc flush relinquish-var smart-relinquish-var= sync rotate vacuum-size= vacuum-files= vacuum-time= " +
  "no-hostname output-fields= namespace="
).split(" ");
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
  l: "full",
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
  grep: { readonly pattern: string; test: (text: string) => boolean } | undefined;
  /** Undefined: as the pattern is written. */
  caseSensitive: boolean | undefined;
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
    const takesNumber = next !== undefined && /^\+?\d+$/.test(next);
    const takesBoot = (next !== undefined && /^[-+]?\d+$/.test(next)) || (next !== undefined && /^[0-9a-f]{32}$/.test(next));
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
    caseSensitive: undefined,
    matches: [],
    instead: undefined,
    quiet: false,
    hostname: true,
  };
}

function options(args: readonly string[]): Parsed {
  return getopt(NAME, normalise(args), SHORT, LONG);
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
  if (wrong === "+") return fail('"+" can only be used between terms\n');
  if (wrong !== undefined) return fail(`Failed to add match '${wrong}': Invalid argument\n`);
  if (call.grep !== undefined && call.caseSensitive !== undefined)
    call.grep.test = compilePerl(call.grep.pattern, !call.caseSensitive) ?? call.grep.test;
  if (call.follow && call.reverse) return fail("Please specify either --reverse= or --follow=, not both.\n");
  if (call.since !== undefined && call.until !== undefined && call.since > call.until) return fail("--since= must be before --until=.\n");
  if (call.follow && call.lines === undefined && !noTail) call.lines = 10;
  return call;
}

/** `FIELD=value` operands and `+`. @returns the first that is neither */
function addMatches(call: JournalCall, operands: readonly string[]): string | undefined {
  if (operands.length > 0) call.matches.push([]);
  for (const word of operands) {
    const m = /^([A-Z_][A-Z0-9_]*)=(.*)$/.exec(word);
    if (word === "+") {
      if (call.matches.at(-1)?.length === 0) return word;
      call.matches.push([]);
    } else if (m === null) return word;
    else call.matches.at(-1)?.push([m[1] ?? "", m[2] ?? ""]);
  }
  return operands.length > 0 && call.matches.at(-1)?.length === 0 ? "+" : undefined;
}

/** What PCRE2 says of a pattern that is none, by what the engine here says. */
const PATTERN_FAULTS: Readonly<Record<string, string>> = {
  "Unterminated group": "missing closing parenthesis",
  "Unmatched ')'": "unmatched closing parenthesis",
  "Unterminated character class": "missing terminating ] for character class",
  "Lone quantifier brackets": "quantifier does not follow a repeatable item",
  "Nothing to repeat": "quantifier does not follow a repeatable item",
  "Range out of order in character class": "range out of order in character class",
  "\\ at end of pattern": "\\ at end of pattern",
};

/** A pattern of -g: it ignores case where it has none of its own. What looks back or about is not taken. */
function grepPattern(pattern: string): NonNullable<JournalCall["grep"]> | Result {
  try {
    // For its fault alone: looking for it is bounded by how it is made, and not by how long it takes.
    new RegExp(pattern, "u");
  } catch (fault) {
    const [, said] = Object.entries(PATTERN_FAULTS).find(([ours]) => fault instanceof Error && fault.message.includes(ours)) ?? [];
    return fail(`Bad pattern "${pattern}": ${said ?? "Invalid argument"}\n`);
  }
  const test = compilePerl(pattern, pattern === pattern.toLowerCase());
  return test === undefined ? notModelled(`${NAME} -g ${pattern}`) : { pattern, test };
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
  } else if (name === "case-sensitive") {
    call.caseSensitive = yesOrNo(value);
    if (call.caseSensitive === undefined) return fail(`Bad --case-sensitive= argument "${value}": Invalid argument\n`);
  } else if (name in INSTEAD) {
    if (name === "vacuum-time" && span(value) === undefined) return fail(`Failed to parse vacuum time: ${value}\n`);
    if (name === "vacuum-files" && !/^\d+$/.test(value)) return fail(`Failed to parse vacuum files: ${value}\n`);
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
    if (from === undefined || to === undefined)
      return fail(value.includes("..") ? `Failed to parse log level range ${value}\n` : `Unknown log level ${value}\n`);
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
