/**
 * Values of unit files: booleans, spans of time, items with quotes and escapes, command lines with their prefixes, and the environment that is put into them. In the real
 * stack: parse-util.c, time-util.c, extract-word.c; systemd.syntax(7), systemd.service(5) "Command lines". Left out: octal and Unicode escapes.
 */
import { HOUR, MINUTE, MS, NEVER, SEC, SIGNALS, type Duration, type Signal } from "../../kernel/index.ts";

export function parseBoolean(text: string): boolean | undefined {
  const t = text.toLowerCase();
  if (["1", "yes", "y", "true", "t", "on"].includes(t)) return true;
  return ["0", "no", "n", "false", "f", "off"].includes(t) ? false : undefined;
}

const DAY = 24 * HOUR;
const SPAN_UNITS: Readonly<Record<string, Duration>> = {
  us: 1,
  usec: 1,
  µs: 1,
  ms: MS,
  msec: MS,
  "": SEC,
  s: SEC,
  sec: SEC,
  second: SEC,
  seconds: SEC,
  m: MINUTE,
  min: MINUTE,
  minute: MINUTE,
  minutes: MINUTE,
  h: HOUR,
  hr: HOUR,
  hour: HOUR,
  hours: HOUR,
  d: DAY,
  day: DAY,
  days: DAY,
  w: 7 * DAY,
  week: 7 * DAY,
  weeks: 7 * DAY,
  M: 2_629_800 * SEC,
  month: 2_629_800 * SEC,
  months: 2_629_800 * SEC,
  y: 31_557_600 * SEC,
  year: 31_557_600 * SEC,
  years: 31_557_600 * SEC,
};

/** `5min 20s`, `90` (seconds), `infinity`: µs, or undefined. */
export function parseSpan(text: string): Duration | undefined {
  let rest = text.trim();
  if (rest === "infinity") return NEVER;
  if (rest === "") return undefined;
  let total = 0;
  while (rest !== "") {
    const m = /^(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)\s*/.exec(rest);
    const unit = SPAN_UNITS[m?.[2] ?? ""];
    if (!m || unit === undefined) return undefined;
    total += Math.round(Number(m[1]) * unit);
    rest = rest.slice(m[0].length);
  }
  return total;
}

/** `SIGTERM`, `TERM` or `15`. */
export function parseSignal(text: string): Signal | undefined {
  const upper = text.toUpperCase();
  const names = Object.keys(SIGNALS) as Signal[];
  return names.find((n) => n === upper || n === `SIG${upper}` || String(SIGNALS[n]) === text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  s: " ",
  '"': '"',
  "'": "'",
  "\\": "\\",
};

/** The items of a line: blanks part them, quotes around a word or a part of it keep blanks. Undefined: a quote is not closed. */
export function splitItems(text: string): string[] | undefined {
  const items: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (c === "\\" && i + 1 < text.length) {
      const hex = /^x([0-9a-fA-F]{2})/.exec(text.slice(i + 1, i + 4))?.[1];
      const next = text[i + 1] ?? "";
      word = (word ?? "") + (hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPES[next] ?? `\\${next}`));
      i += hex !== undefined ? 3 : 1;
    } else if (quote !== "") {
      if (c === quote) quote = "";
      else word = (word ?? "") + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= "";
    } else if (/\s/.test(c)) {
      if (word !== undefined) items.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (quote !== "") return undefined;
  if (word !== undefined) items.push(word);
  return items;
}

/** One command of an Exec line. */
export interface ExecCommand {
  readonly path: string;
  /** With the name of the program; `@` lets it differ from the path. Variables are not put in yet. */
  readonly argv: readonly string[];
  /** As written, without prefixes: what `systemctl status` shows. */
  readonly text: string;
  /** `-`: a failure counts as success. */
  readonly ignoreFailure: boolean;
  /** `:`: no variables are put in. */
  readonly literal: boolean;
}

/** The commands of one Exec assignment, which `;` parts; or what is wrong with it. */
export function parseExec(value: string): readonly ExecCommand[] | { readonly problem: string } {
  const items = splitItems(value);
  if (items === undefined) return { problem: `Unbalanced quoting, ignoring: "${value}"` };
  const commands: ExecCommand[] = [];
  let group: string[] = [];
  const texts = value.split(/\s;(?=\s|$)/);
  for (const word of [...items, ";"]) {
    if (word !== ";") {
      group.push(word === "\\;" ? ";" : word);
      continue;
    }
    const [first, ...rest] = group;
    group = [];
    if (first === undefined) continue;
    const prefix = /^[-@:+!|]*/.exec(first)?.[0] ?? "";
    const path = first.slice(prefix.length);
    if (path === "") return { problem: `Empty path in command line, ignoring: "${value}"` };
    if (path.endsWith("/")) return { problem: `Executable path specifies a directory, ignoring: ${path}` };
    const argv = prefix.includes("@") ? rest : [path, ...rest];
    const text = (texts[commands.length] ?? "").trim().slice(prefix.length);
    commands.push({ path, argv, text, ignoreFailure: prefix.includes("-"), literal: prefix.includes(":") });
  }
  return commands.length === 0 ? { problem: `Empty path in command line, ignoring: "${value}"` } : commands;
}

/** `$NAME` as a word of its own is split into items, `${NAME}` anywhere stays one; `$$` is a dollar sign. What is not set is empty. */
export function withEnvironment(command: ExecCommand, environment: ReadonlyMap<string, string>): string[] {
  if (command.literal) return [...command.argv];
  return command.argv.flatMap((word, i) => {
    const whole = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(word)?.[1];
    if (whole !== undefined && i > 0) return (environment.get(whole) ?? "").split(/\s+/).filter((w) => w !== "");
    return [
      word.replace(/\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (match, name: string | undefined) =>
        match === "$$" ? "$" : (environment.get(name ?? "") ?? ""),
      ),
    ];
  });
}

/** `NAME=value` items of Environment=; undefined for one that is no assignment. */
export function parseVariable(word: string): readonly [name: string, value: string] | undefined {
  const m = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(word);
  return m === null ? undefined : [m[1] ?? "", m[2] ?? ""];
}

/** An environment file: shell-like assignments; comments with `#` and `;`. */
export function parseEnvironmentFile(text: string): (readonly [name: string, value: string])[] {
  return text
    .replace(/\\\n/g, "")
    .split("\n")
    .flatMap((raw) => {
      const line = raw.trim();
      if (line === "" || line.startsWith("#") || line.startsWith(";")) return [];
      const variable = parseVariable(line.replace(/^export\s+/, ""));
      if (variable === undefined) return [];
      const value = variable[1].trim();
      const quoted = /^"((?:[^"\\]|\\.)*)"$|^'([^']*)'$/.exec(value);
      const bare = quoted?.[2] ?? (quoted?.[1] !== undefined ? quoted[1].replace(/\\(.)/g, "$1") : value);
      return [[variable[0], bare] as const];
    });
}

const SPAN_PARTS: readonly (readonly [Duration, string])[] = [
  [7 * DAY, "w"],
  [DAY, "d"],
  [HOUR, "h"],
  [MINUTE, "min"],
];

/** `1min 5.123s`: a span as the manager writes it, to the millisecond. */
export function spanText(micros: Duration): string {
  if (micros === NEVER) return "infinity";
  const parts: string[] = [];
  let rest = micros;
  for (const [unit, name] of SPAN_PARTS) {
    const n = Math.floor(rest / unit);
    if (n > 0) parts.push(`${n}${name}`);
    rest -= n * unit;
  }
  const ms = Math.floor(rest / MS);
  if (ms >= 1000) parts.push(`${Math.floor(ms / 1000)}${ms % 1000 === 0 ? "" : `.${String(ms % 1000).padStart(3, "0")}`}s`);
  else if (ms > 0 || parts.length === 0) parts.push(parts.length === 0 && ms === 0 && micros > 0 ? `${micros}us` : `${ms}ms`);
  return parts.join(" ");
}
