/** Shell patterns (`*`, `?`, `[…]`, and the extended `@(…)` forms) and their expansion into file names. */
import { FileError, resolvePath } from "../files.ts";
import type { Context } from "./shell.ts";
import { filesOf } from "./shell.ts";

const CLASSES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9a-fA-F",
  cntrl: "\\x00-\\x1f\\x7f",
  print: "\\x20-\\x7e",
  graph: "\\x21-\\x7e",
};

/** Files one pattern may expand to. */
const MATCHES_MAX = 65_536;

export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]()|!@+]/g, "\\$&");
}

export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Whether a pattern (with `\` escapes) can match anything but itself. */
export function isPattern(pattern: string): boolean {
  return /[*?]|\[.*\]|[@+!]\(/s.test(pattern.replace(/\\./gs, ""));
}

export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, "$1");
}

/** The end of a bracket expression that starts at `from`, or -1. */
function bracketEnd(pattern: string, from: number): number {
  let at = from + 1;
  if (pattern[at] === "!" || pattern[at] === "^") at++;
  if (pattern[at] === "]") at++;
  for (; at < pattern.length; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) {
      const close = pattern.indexOf(":]", at + 2);
      if (close < 0) return -1;
      at = close + 1;
    } else if (pattern[at] === "]") return at;
  }
  return -1;
}

function bracketSource(body: string): string {
  const negated = body.startsWith("!") || body.startsWith("^");
  const inner = (negated ? body.slice(1) : body)
    .replace(/\[:(\w+):\]/g, (whole, name: string) => (CLASSES[name] === undefined ? whole : `\u0000${name}\u0000`))
    .replace(/\\(.)|([[\]\\^])/gs, (_whole, escaped: string | undefined, special: string | undefined) =>
      escaped === undefined ? `\\${special ?? ""}` : escaped.replace(/[\\\]^[-]/, "\\$&"),
    )
    .replace(/\u0000(\w+)\u0000/g, (_whole, name: string) => CLASSES[name] ?? "");
  return `[${negated ? "^" : ""}${inner}]`;
}

function closingParen(pattern: string, from: number): number {
  let depth = 0;
  for (let at = from; at < pattern.length; at++) {
    const c = pattern[at];
    if (c === "\\") at++;
    else if (c === "(") depth++;
    else if (c === ")" && --depth === 0) return at;
  }
  return -1;
}

function splitAlternatives(body: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < body.length; at++) {
    const c = body[at];
    if (c === "\\") at++;
    else if (c === "(") depth++;
    else if (c === ")") depth--;
    else if (c === "|" && depth === 0) {
      parts.push(body.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, body.slice(from)];
}

/** The source of a regular expression for a pattern. `greedy` false makes `*` take as little as it can. */
export function patternSource(pattern: string, greedy = true): string {
  const many = greedy ? "*" : "*?";
  let out = "";
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern.charAt(at);
    if (c === "\\") {
      at++;
      out += escapeRegExp(pattern.charAt(at));
      continue;
    }
    if (pattern[at + 1] === "(" && "?*+@!".includes(c)) {
      const end = closingParen(pattern, at + 1);
      if (end > 0) {
        const inner = splitAlternatives(pattern.slice(at + 2, end)).map((part) => patternSource(part, greedy));
        const group = `(?:${inner.join("|")})`;
        out += c === "!" ? `(?:(?!${group}$)[^]${many})` : c === "@" ? group : `${group}${c}`;
        at = end;
        continue;
      }
    }
    if (c === "*") {
      while (pattern[at + 1] === "*") at++;
      out += `[^]${many}`;
    } else if (c === "?") out += "[^]";
    else if (c === "[") {
      const end = bracketEnd(pattern, at);
      if (end < 0) out += "\\[";
      else {
        out += bracketSource(pattern.slice(at + 1, end));
        at = end;
      }
    } else out += escapeRegExp(c);
  }
  return out;
}

function compile(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch {
    // a range such as [z-a] is no regular expression; bash lets it match nothing
    return /(?!)/;
  }
}

export function matchPattern(pattern: string, text: string): boolean {
  if (!isPattern(pattern)) return unescapePattern(pattern) === text;
  return compile(`^${patternSource(pattern)}$`).test(text);
}

/** `${x#p}` and its kin: `text` without the matching start or end. */
export function removeMatch(text: string, pattern: string, operator: "#" | "##" | "%" | "%%"): string {
  const source = patternSource(pattern, operator.length === 2);
  if (operator.startsWith("#")) return text.replace(compile(`^(?:${source})`), "");
  if (operator === "%%") {
    const found = compile(`(?:${source})$`).exec(text);
    return found ? text.slice(0, found.index) : text;
  }
  const found = compile(`^([^]*)(?:${source})$`).exec(text);
  return found ? (found[1] ?? "") : text;
}

/** `${x/p/r}`; `withMatch`: an `&` in the replacement is what was matched. */
export function replaceMatch(
  text: string,
  pattern: string,
  replacement: string,
  operator: "/" | "//" | "/#" | "/%",
  withMatch: boolean,
): string {
  if (pattern === "") return text;
  const source = patternSource(pattern);
  const whole = operator === "/#" ? `^(?:${source})` : operator === "/%" ? `(?:${source})$` : source;
  const found = compile(whole);
  return text.replace(operator === "//" ? new RegExp(found.source, "g") : found, (match) =>
    withMatch ? replacement.replaceAll("&", () => match) : replacement,
  );
}

/** File names that match; empty when none does. `pattern` has `\` before characters that stand for themselves. */
export async function expandPath(ctx: Context, pattern: string): Promise<string[]> {
  const absolute = pattern.startsWith("/");
  const parts = pattern.split("/").filter((part, index) => part !== "" || index > 0);
  let found: string[] = [absolute ? "/" : ""];
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      for (const candidate of await expandPart(ctx, base, part, last)) next.push(candidate);
      if (next.length > MATCHES_MAX) return next;
    }
    found = next;
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

async function expandPart(ctx: Context, base: string, part: string, last: boolean): Promise<string[]> {
  const { cwd } = ctx.shell;
  const files = filesOf(ctx);
  const tail = last ? "" : "/";
  if (part === "") return [base];
  if (!isPattern(part)) {
    const path = base + unescapePattern(part);
    const stat = await files.maybeStat(resolvePath(cwd, path));
    return stat && (last || stat.type === "directory") ? [path + tail] : [];
  }
  try {
    const entries = await files.names(resolvePath(cwd, base === "" ? "." : base));
    const test = compile(`^${patternSource(part)}$`);
    const hidden = part.startsWith(".") || part.startsWith("\\.");
    const out: string[] = [];
    for (const { name, type } of entries) {
      if ((name.startsWith(".") && !hidden) || !test.test(name)) continue;
      if (!last && type !== "directory" && type !== "symlink") continue;
      out.push(base + name + tail);
    }
    return out;
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}
