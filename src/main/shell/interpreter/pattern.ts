/** Shell patterns (`*`, `?`, `[…]`, and the extended `@(…)` forms) and their expansion into file names. */
import { Glob, GlobLimit } from "../../../engine/kernel/glob.ts";
import { FileError, resolvePath } from "../files.ts";
import type { Context } from "./shell.ts";
import { filesOf, ShellError, STRING_MAX } from "./shell.ts";

/** Files one pattern may expand to. */
const MATCHES_MAX = 65_536;

export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]()|!@+]/g, "\\$&");
}

/** Whether a pattern (with `\` escapes) can match anything but itself. */
export function isPattern(pattern: string): boolean {
  return /[*?]|\[.*\]|[@+!]\(/s.test(pattern.replace(/\\./gs, ""));
}

export function unescapePattern(pattern: string): string {
  return pattern.replace(/\\(.)/gs, "$1");
}

/** Compiled ones that are kept: a loop asks the same again and again. */
const KEPT_MAX = 64;
const kept = new Map<string, Glob>();

function compile(pattern: string): Glob {
  const known = kept.get(pattern);
  if (known) return known;
  const made = new Glob(pattern, true);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(pattern, made);
  return made;
}

/** @throws ShellError where the question has no end in sight */
function bounded<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof GlobLimit) throw new ShellError(error.message, 1, true);
    throw error;
  }
}

export function matchPattern(pattern: string, text: string): boolean {
  if (!isPattern(pattern)) return unescapePattern(pattern) === text;
  return bounded(() => compile(pattern).matches(text));
}

/** `${x#p}` and its kin: `text` without the matching start or end. */
export function removeMatch(text: string, pattern: string, operator: "#" | "##" | "%" | "%%"): string {
  const longest = operator.length === 2;
  const glob = compile(pattern);
  return operator.startsWith("#")
    ? text.slice(bounded(() => glob.start(text, longest)) ?? 0)
    : text.slice(0, bounded(() => glob.end(text, longest)) ?? text.length);
}

/** Where `${x/p/r}` replaces, from left to right. */
function* places(text: string, pattern: string, operator: "/" | "//" | "/#" | "/%"): Generator<readonly [number, number]> {
  const glob = compile(pattern);
  if (operator === "/#" || operator === "/%") {
    const at = operator === "/#" ? glob.start(text, true) : glob.end(text, true);
    if (at !== undefined) yield operator === "/#" ? [0, at] : [at, text.length];
    return;
  }
  if (isPattern(pattern)) {
    for (const place of glob.all(text)) {
      yield place;
      if (operator === "/") return;
    }
    return;
  }
  const plain = unescapePattern(pattern);
  for (let at = text.indexOf(plain); at >= 0; at = text.indexOf(plain, at + plain.length)) {
    yield [at, at + plain.length];
    if (operator === "/") return;
  }
}

/** `${x/p/r}`; `withMatch`: an `&` in the replacement is what was matched. @throws ShellError where it comes out too long */
export function replaceMatch(
  text: string,
  pattern: string,
  replacement: string,
  operator: "/" | "//" | "/#" | "/%",
  withMatch: boolean,
): string {
  if (pattern === "") return text;
  return bounded(() => {
    let out = "";
    let past = 0;
    for (const [from, to] of places(text, pattern, operator)) {
      const match = text.slice(from, to);
      out += text.slice(past, from) + (withMatch ? replacement.replaceAll("&", () => match) : replacement);
      past = to;
      if (out.length > STRING_MAX) throw new ShellError(`cannot allocate ${out.length} bytes`, 1, true);
    }
    return out + text.slice(past);
  });
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
    const glob = compile(part);
    const hidden = part.startsWith(".") || part.startsWith("\\.");
    const out: string[] = [];
    for (const { name, type } of entries) {
      if ((name.startsWith(".") && !hidden) || !bounded(() => glob.matches(name))) continue;
      if (!last && type !== "directory" && type !== "symlink") continue;
      out.push(base + name + tail);
    }
    return out;
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}
