/**
 * Shell patterns: `*`, `?`, brackets, and bash's extended `?(…)`, `*(…)`, `+(…)`, `@(…)`, `!(…)`. In the real stack: fnmatch(3) with FNM_EXTMATCH, glob(7). A pattern is
 * carried through a text with all places it may stand at, once: how it is made does not matter, but for `!(…)`, which asks from each place anew and has a bound. Left
 * out: collating elements, locales.
 */
import { posixClass } from "./posix-classes.ts";

/** Characters that one question may look at; and what putting spans together counts for. */
const STEPS_MAX = 10_000_000;
const STEPS_OF_SPANS = 100;

/** The question would take too long. */
export class GlobLimit extends Error {
  constructor() {
    super("pattern takes too long");
  }
}

type Element =
  | { readonly kind: "char"; readonly test: (c: string) => boolean }
  | { readonly kind: "star" }
  | { readonly kind: "group"; readonly operator: string; readonly of: readonly (readonly Element[])[] };

/** Places in a text, as spans from the first to the last, in order and apart. */
type Places = readonly (readonly [number, number])[];

const ANY: Element = { kind: "char", test: () => true };

/** A bracket expression from its `[` on; undefined where it is none. */
function bracket(pattern: string, from: number): { readonly element: Element; readonly end: number } | undefined {
  let at = from + 1;
  const not = pattern[at] === "!" || pattern[at] === "^";
  if (not) at++;
  const tests: ((c: string) => boolean)[] = [];
  for (let first = true; first || pattern[at] !== "]"; first = false) {
    if (at >= pattern.length) return undefined;
    const named = /^\[:(\w+):\]/.exec(pattern.slice(at, at + 16));
    if (named !== null) {
      const known = posixClass(named[1] ?? "");
      if (known !== undefined) tests.push((c) => known.test(c));
      at += named[0].length;
      continue;
    }
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    const low = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    at += low.length;
    if (pattern[at] !== "-" || pattern[at + 1] === "]" || at + 1 >= pattern.length) {
      tests.push((c) => c === low);
      continue;
    }
    at++;
    if (pattern[at] === "\\" && at + 1 < pattern.length) at++;
    const high = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    at += high.length;
    tests.push((c) => c >= low && c <= high);
  }
  const hit = (c: string): boolean => tests.some((test) => test(c));
  return { element: { kind: "char", test: not ? (c) => !hit(c) : hit }, end: at };
}

/** Where the parenthesis that opens at `from` closes; -1 where it does not. */
function closing(pattern: string, from: number): number {
  let depth = 0;
  for (let at = from; at < pattern.length; at++) {
    const c = pattern[at];
    if (c === "\\") at++;
    else if (c === "(") depth++;
    else if (c === ")" && --depth === 0) return at;
  }
  return -1;
}

function alternatives(body: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
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

/** Groups within groups. */
const DEPTH_MAX = 100;

function parse(pattern: string, extended: boolean, depth = 0): Element[] {
  const out: Element[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const c = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
    if (extended && pattern[at + 1] === "(" && "?*+@!".includes(c) && depth < DEPTH_MAX) {
      const end = closing(pattern, at + 1);
      if (end > 0) {
        const of = alternatives(pattern.slice(at + 2, end)).map((part) => parse(part, extended, depth + 1));
        out.push({ kind: "group", operator: c, of });
        at = end;
        continue;
      }
    }
    const set = c === "[" ? bracket(pattern, at) : undefined;
    if (set) {
      out.push(set.element);
      at = set.end;
    } else if (c === "*") {
      if (out.at(-1)?.kind !== "star") out.push({ kind: "star" });
    } else if (c === "?") out.push(ANY);
    else {
      const escaped = c === "\\" && at + 1 < pattern.length;
      if (escaped) at++;
      const literal = escaped ? String.fromCodePoint(pattern.codePointAt(at) ?? 0) : c;
      out.push({ kind: "char", test: (other) => other === literal });
      at += literal.length - 1;
    }
  }
  return out;
}

const reversed = (elements: readonly Element[]): Element[] =>
  elements.map((e): Element => (e.kind === "group" ? { ...e, of: e.of.map(reversed) } : e)).reverse();

function merged(places: readonly (readonly [number, number])[]): Places {
  const out: [number, number][] = [];
  for (const [from, to] of [...places].sort((a, b) => a[0] - b[0])) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** Those of `places` that are not in `others`. */
function without(places: Places, others: Places): Places {
  const out: [number, number][] = [];
  let next = 0;
  for (const [from, to] of places) {
    let at = from;
    while ((others[next]?.[1] ?? Infinity) < at) next++;
    for (let n = next; n < others.length && at <= to; n++) {
      const [a, b] = others[n] ?? [0, 0];
      if (a > to) break;
      if (a > at) out.push([at, a - 1]);
      at = Math.max(at, b + 1);
    }
    if (at <= to) out.push([at, to]);
  }
  return out;
}

/** One question to one text. */
class Walk {
  private steps = 0;

  constructor(private readonly text: string) {}

  through(elements: readonly Element[], from: Places): Places {
    let places = from;
    for (const element of elements) {
      if (places.length === 0) return places;
      places = this.past(element, places);
    }
    return places;
  }

  private past(element: Element, from: Places): Places {
    switch (element.kind) {
      case "char":
        return this.characters(element.test, from);
      case "star":
        return [[from[0]?.[0] ?? 0, this.text.length]];
      case "group":
        return this.group(element.operator, element.of, from);
    }
  }

  private spend(steps: number): void {
    this.steps += steps;
    if (this.steps > STEPS_MAX) throw new GlobLimit();
  }

  private characters(test: (c: string) => boolean, from: Places): Places {
    const { text } = this;
    const out: [number, number][] = [];
    for (const [a, b] of from) {
      this.spend(b - a + 1);
      for (let at = a; at <= b && at < text.length; at++) {
        const c = String.fromCodePoint(text.codePointAt(at) ?? 0);
        if (!test(c)) continue;
        const to = at + c.length;
        const last = out.at(-1);
        if (last?.[1] === to - 1) last[1] = to;
        else if (last === undefined || last[1] < to) out.push([to, to]);
      }
    }
    return out;
  }

  private group(operator: string, of: readonly (readonly Element[])[], from: Places): Places {
    const once = (places: Places): Places => merged(of.flatMap((alternative) => this.through(alternative, places)));
    if (operator === "@") return once(from);
    if (operator === "?") return merged([...from, ...once(from)]);
    if (operator === "!") {
      let ends: Places = [];
      for (const [a, b] of from)
        for (let at = a; at <= b; at++) {
          const not = once([[at, at]]);
          this.spend(STEPS_OF_SPANS + not.length);
          ends = merged([...ends, ...without([[at, this.text.length]], not)]);
          this.spend(ends.length);
        }
      return ends;
    }
    let all: Places = operator === "*" ? from : [];
    for (let added = operator === "*" ? from : once(from); added.length > 0;) {
      this.spend(STEPS_OF_SPANS + all.length + added.length);
      all = merged([...all, ...added]);
      added = without(once(added), all);
    }
    return all;
  }
}

export class Glob {
  private readonly elements: readonly Element[];
  private readonly backwards: readonly Element[];

  /** @param extended with bash's `@(…)` and its kin */
  constructor(pattern: string, extended: boolean) {
    this.elements = parse(pattern, extended);
    this.backwards = reversed(this.elements);
  }

  /** The whole text fits. @throws GlobLimit */
  matches(text: string): boolean {
    const last = new Walk(text).through(this.elements, [[0, 0]]).at(-1);
    return last?.[1] === text.length;
  }

  /** Where what fits from the start of the text on ends; undefined where nothing does. @throws GlobLimit */
  start(text: string, longest: boolean): number | undefined {
    return edge(new Walk(text).through(this.elements, [[0, 0]]), longest);
  }

  /** Where what fits up to the end of the text begins; undefined where nothing does. @throws GlobLimit */
  end(text: string, longest: boolean): number | undefined {
    const length = edge(new Walk(backwards(text)).through(this.backwards, [[0, 0]]), longest);
    return length === undefined ? undefined : text.length - length;
  }

  /** The longest of what fits, from left to right, each beginning after the one before. @throws GlobLimit */
  *all(text: string): Generator<readonly [from: number, to: number]> {
    const walk = new Walk(text);
    let [failed, ask] = [0, FAILED_MIN];
    for (let at = 0; at < text.length || (at === 0 && text === "");) {
      const to = edge(walk.through(this.elements, [[at, at]]), true);
      if (to !== undefined) {
        yield [at, to];
        at = Math.max(to, at + 1);
        [failed, ask] = [0, FAILED_MIN];
        continue;
      }
      at++;
      // Where it fits nowhere from here on, it is not asked from each place anew.
      if (++failed < ask) continue;
      if (walk.through(this.elements, [[at, text.length]]).length === 0) return;
      ask *= 2;
    }
  }
}

/** Places in a row at which a pattern does not fit, before all that follow are asked together. */
const FAILED_MIN = 16;
/** Characters that are turned round at once. */
const PIECE = 65_536;

/** Whole characters from the last to the first. */
function backwards(text: string): string {
  const out: string[] = [];
  for (let to = text.length; to > 0;) {
    let from = Math.max(0, to - PIECE);
    const c = text.charCodeAt(from);
    if (from > 0 && c >= 0xdc00 && c < 0xe000) from++;
    out.push([...text.slice(from, to)].reverse().join(""));
    to = from;
  }
  return out.join("");
}

function edge(places: Places, last: boolean): number | undefined {
  return last ? places.at(-1)?.[1] : places[0]?.[0];
}

/** fnmatch(3) without flags. */
export function globMatches(pattern: string, text: string): boolean {
  return new Glob(pattern, false).matches(text);
}
