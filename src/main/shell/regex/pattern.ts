/**
 * A pattern as somebody typed it, compiled: RE2 looks for it in linear time, however it is made; what RE2 cannot say is looked for within bounds.
 * POSIX expressions find the longest of the leftmost, Perl's the first.
 */
import type { RE2JS } from "re2js";
import { boundedPattern } from "./bounded.ts";
import { escapeLiteral, translate, type PosixSyntax } from "./posix.ts";

export interface Found {
  readonly at: number;
  readonly end: number;
  /** The whole and its groups. */
  readonly groups: readonly (string | undefined)[];
}

export interface Pattern {
  /** @throws PatternLimit */
  find(text: string, from?: number): Found | undefined;
  /** Characters with a backslash that means nothing. */
  readonly stray: readonly string[];
}

export interface PatternOptions {
  readonly syntax: PosixSyntax | "perl" | "fixed";
  readonly ignoreCase?: boolean;
  /** Only where no letter, digit or underscore stands beside it. */
  readonly word?: boolean;
  /** Only the whole text. */
  readonly line?: boolean;
}

type Find = (text: string, from: number) => Found | undefined;

const NO_WORD = "[^0-9A-Za-z_]";

function withRe2(re2: typeof RE2JS, source: string, options: PatternOptions): Find | undefined {
  const { syntax, ignoreCase, word, line } = options;
  const flags = (ignoreCase === true ? re2.CASE_INSENSITIVE : 0) | (syntax === "perl" ? 0 : re2.DOTALL | re2.LONGEST_MATCH);
  const inner = line === true ? `^(?:${source})$` : source;
  let compiled: RE2JS;
  try {
    compiled = re2.compile(word === true ? `(?:^|${NO_WORD})(${inner})(?:${NO_WORD}|$)` : inner, flags);
  } catch {
    return undefined;
  }
  const group = word === true ? 1 : 0;
  return (text, from) => {
    const matcher = compiled.matcher(text);
    // Where a word has to begin the character before may be the one that ended the last.
    if (!matcher.find(from)) return undefined;
    const groups: (string | undefined)[] = [];
    for (let n = group; n <= matcher.groupCount(); n++) groups.push(matcher.group(n) ?? undefined);
    return { at: matcher.start(group), end: matcher.end(group), groups };
  };
}

function withinBounds(source: string, { syntax, ignoreCase, word, line }: PatternOptions): Find {
  const inner = line === true ? `^(?:${source})$` : source;
  const flags = `${ignoreCase === true ? "i" : ""}${syntax === "perl" ? "" : "s"}`;
  const look = boundedPattern(word === true ? `(?<![0-9A-Za-z_])(?:${inner})(?![0-9A-Za-z_])` : inner, flags);
  return (text, from) => {
    const found = look(text, from);
    return found && { at: found.index, end: found.index + found[0].length, groups: [...found] };
  };
}

/** The same, of what is no pattern: the text itself. */
function plain(text: string): Find {
  return (where, from) => {
    const at = where.indexOf(text, from);
    return at < 0 ? undefined : { at, end: at + text.length, groups: [text] };
  };
}

const first = (a: Found | undefined, b: Found | undefined): Found | undefined => {
  if (!a || !b) return a ?? b;
  return b.at < a.at || (b.at === a.at && b.end > a.end) ? b : a;
};

/** Compiled ones that are kept: a loop looks for the same again and again. */
const KEPT_MAX = 64;
const kept = new Map<string, Pattern>();

/** One that fits where any of them does. @throws PatternFault */
export async function compilePattern(typed: readonly string[], options: PatternOptions): Promise<Pattern> {
  const key = JSON.stringify([typed, options]);
  const known = kept.get(key);
  if (known) return known;
  const made = await compiled(typed, options);
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(key, made);
  return made;
}

async function compiled(typed: readonly string[], options: PatternOptions): Promise<Pattern> {
  const { syntax } = options;
  const finds: Find[] = [];
  const together: string[] = [];
  const beyond: string[] = [];
  const stray: string[] = [];
  for (const text of typed) {
    if (syntax === "fixed") together.push(escapeLiteral(text));
    else if (syntax === "perl") together.push(text);
    else {
      const made = translate(text, syntax);
      stray.push(...made.stray);
      (made.beyondRe2 ? beyond : together).push(made.source);
    }
  }
  const [only] = typed;
  const simple = only !== undefined && typed.length === 1 && (syntax === "fixed" || /^[\w ,:;=@%&"'#<>~-]+$/.test(only));
  if (simple && options.ignoreCase !== true && options.word !== true && options.line !== true)
    return { find: searching([plain(only)]), stray };
  if (together.length > 0) {
    // Loaded at the first pattern: most lines have none.
    const { RE2JS: re2 } = await import("re2js");
    const source = together.length === 1 ? (together[0] ?? "") : together.map((text) => `(?:${text})`).join("|");
    const find = withRe2(re2, source, options);
    if (find) finds.push(find);
    else beyond.push(...together);
  }
  for (const source of beyond) finds.push(withinBounds(source, options));
  return { find: searching(finds), stray };
}

function searching(finds: readonly Find[]): Pattern["find"] {
  return (text, from = 0) => finds.reduce<Found | undefined>((best, find) => first(best, find(text, from)), undefined);
}

/** All that do not overlap, from left to right. @throws PatternLimit */
export function* findAll(pattern: Pattern, text: string): Generator<Found> {
  for (let at = 0; at <= text.length;) {
    const found = pattern.find(text, at);
    if (!found) return;
    yield found;
    at = found.end > found.at ? found.end : found.end + 1;
  }
}
