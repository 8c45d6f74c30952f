/**
 * Regular expressions in linear time: a pattern becomes a set of states, and a text is read once, however the pattern is made. In the real stack: regcomp(3) and regexec(3) as pgrep
 * uses them, and of PCRE2, which journalctl uses, what is no more than a regular expression. Left out: back references (which ERE has not) and whatever else looks back or about, collating
 * elements, locales; a class is compared by UTF-16 units.
 */
import { posixClass } from "../kernel/index.ts";

/** States a pattern may have; repetition copies. Ours: RE_DUP_MAX is 255 per count. */
const STATES_MAX = 20_000;

/** Of the text, or of a word. */
type Edge = "begin" | "end" | "word" | "no-word";

type State =
  | { readonly kind: "char"; readonly test: (c: string) => boolean; next: number }
  | { readonly kind: "split"; next: number; other: number }
  | { readonly kind: Edge; next: number }
  | { readonly kind: "match" };

type Node =
  | { readonly node: "char"; readonly test: (c: string) => boolean }
  | { readonly node: Edge | "empty" }
  | { readonly node: "seq" | "or"; readonly parts: readonly Node[] }
  | { readonly node: "repeat"; readonly of: Node; readonly least: number; readonly most: number | undefined };

/** Its message is glibc's. */
class SyntaxFault extends Error {}

/** It is more than a regular expression. */
class Beyond extends Error {}

/** What stands for a class, and what for a character, after a backslash in Perl's syntax. */
const PERL_CLASSES: { readonly [letter: string]: RegExp } = {
  d: /[0-9]/,
  D: /[^0-9]/,
  w: /[A-Za-z0-9_]/,
  W: /[^A-Za-z0-9_]/,
  s: /[ \t\n\r\f\v]/,
  S: /[^ \t\n\r\f\v]/,
  h: /[ \t]/,
  H: /[^ \t]/,
};
const PERL_CHARACTERS: { readonly [letter: string]: string } = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", e: "\x1b", a: "\x07" };

const REPEATS_NOTHING = "Invalid preceding regular expression";
const OPEN_PARENTHESIS = "Unmatched ( or \\(";
const OPEN_BRACKET = "Unmatched [, [^, [:, [., or [=";
const TOO_BIG = "Regular expression too big";
/** RE_DUP_MAX of glibc. */
const REPEATS_MAX = 32_767;

class Parser {
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly fold: boolean,
    private readonly perl: boolean,
  ) {}

  /** A parenthesis that closes nothing stands for itself. */
  whole(): Node {
    const parts = [this.alternatives()];
    while (this.text[this.at] === ")") {
      this.at++;
      parts.push(this.repeated({ node: "char", test: this.literal(")") }), this.alternatives());
    }
    return { node: "seq", parts };
  }

  private alternatives(): Node {
    const parts = [this.sequence()];
    while (this.text[this.at] === "|") {
      this.at++;
      parts.push(this.sequence());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { node: "or", parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    for (let c = this.text[this.at]; c !== undefined && c !== "|" && c !== ")"; c = this.text[this.at])
      parts.push(this.repeated(this.atom()));
    return { node: "seq", parts };
  }

  private repeated(atom: Node): Node {
    let node = atom;
    for (;;) {
      const c = this.text[this.at];
      if (c === "*") node = { node: "repeat", of: node, least: 0, most: undefined };
      else if (c === "+") node = { node: "repeat", of: node, least: 1, most: undefined };
      else if (c === "?") node = { node: "repeat", of: node, least: 0, most: 1 };
      else if (c === "{") {
        const m = /^\{([0-9]*)(,([0-9]*))?\}/.exec(this.text.slice(this.at));
        if (m === null || m[0] === "{}") throw new SyntaxFault("Unmatched \\{");
        const least = Number(m[1]);
        const most = m[2] === undefined ? least : m[3] === "" ? undefined : Number(m[3]);
        if (Math.max(least, most ?? 0) > REPEATS_MAX) throw new SyntaxFault(TOO_BIG);
        if (most !== undefined && most < least) throw new SyntaxFault("Invalid content of \\{\\}");
        this.at += m[0].length - 1;
        node = { node: "repeat", of: node, least, most };
      } else return node;
      this.at++;
      // A match is looked for, not how long it is: lazy or not is the same. A possessive one is not.
      if (this.perl && this.text[this.at] === "?") this.at++;
      if (this.perl && this.text[this.at] === "+") throw new Beyond();
    }
  }

  /** After a backslash, in Perl's syntax. */
  private perlEscape(c: string): Node {
    if (c === "b" || c === "B") return { node: c === "b" ? "word" : "no-word" };
    if (c === "A") return { node: "begin" };
    if (c === "z" || c === "Z") return { node: "end" };
    return { node: "char", test: this.perlCharacter(c) };
  }

  private perlCharacter(c: string): (other: string) => boolean {
    const known = PERL_CLASSES[c];
    if (known !== undefined) return (other) => known.test(other);
    const named = PERL_CHARACTERS[c];
    if (named !== undefined) return this.literal(named);
    const code = c === "x" ? /^(?:([0-9A-Fa-f]{1,2})|\{([0-9A-Fa-f]{1,4})\})/.exec(this.text.slice(this.at, this.at + 8)) : null;
    if (code !== null) {
      this.at += code[0].length;
      return this.literal(String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? "0", 16)));
    }
    if (/[A-Za-z0-9]/.test(c)) throw new Beyond();
    return this.literal(c);
  }

  private atom(): Node {
    const c = this.text[this.at++] ?? "";
    if (c === "^") return { node: "begin" };
    if (c === "$") return { node: "end" };
    if (c === ".") return { node: "char", test: this.perl ? (other) => other !== "\n" : () => true };
    if (c === "[") return { node: "char", test: this.bracket() };
    if (c === "(") {
      if (this.perl && this.text[this.at] === "?") {
        if (this.text[this.at + 1] !== ":") throw new Beyond();
        this.at += 2;
      }
      const inner = this.alternatives();
      if (this.text[this.at++] !== ")") throw new SyntaxFault(OPEN_PARENTHESIS);
      return inner;
    }
    if (c === "*" || c === "+" || c === "?" || c === "{") throw new SyntaxFault(REPEATS_NOTHING);
    if (c !== "\\") return { node: "char", test: this.literal(c) };
    const escaped = this.text[this.at++];
    if (escaped === undefined) throw new SyntaxFault("Trailing backslash");
    return this.perl ? this.perlEscape(escaped) : { node: "char", test: this.literal(escaped) };
  }

  private literal(c: string): (other: string) => boolean {
    const lower = c.toLowerCase();
    return this.fold ? (other) => other.toLowerCase() === lower : (other) => other === c;
  }

  private bracket(): (c: string) => boolean {
    const not = this.text[this.at] === "^";
    if (not) this.at++;
    const tests: ((c: string) => boolean)[] = [];
    for (let first = true; first || this.text[this.at] !== "]"; first = false) {
      const c = this.text[this.at++];
      // glibc says the more general thing where nothing stands in it.
      if (c === undefined) throw new SyntaxFault(first ? "Invalid regular expression" : OPEN_BRACKET);
      const named = c === "[" ? /^:([a-z]+):\]/.exec(this.text.slice(this.at)) : null;
      if (named !== null) {
        const known = posixClass(named[1] ?? "");
        if (known === undefined) throw new SyntaxFault("Invalid character class name");
        this.at += named[0].length;
        tests.push((other) => known.test(other));
      } else if (this.perl && c === "\\") {
        const escaped = this.text[this.at++] ?? "";
        tests.push(this.perlCharacter(escaped));
      } else if (this.text[this.at] === "-" && this.text[this.at + 1] !== "]" && this.text[this.at + 1] !== undefined) {
        const to = this.text[this.at + 1] ?? "";
        if (to < c) throw new SyntaxFault("Invalid range end");
        this.at += 2;
        tests.push((other) => other >= c && other <= to);
      } else tests.push((other) => other === c);
    }
    this.at++;
    const hit = (c: string): boolean => tests.some((t) => t(c));
    const folded = this.fold ? (c: string): boolean => hit(c.toLowerCase()) || hit(c.toUpperCase()) : hit;
    return not ? (c) => !folded(c) : folded;
  }
}

/** States from the end backwards: each part is given where it goes on. */
function build(node: Node, next: number, states: State[]): number {
  const add = (state: State): number => {
    if (states.length >= STATES_MAX) throw new SyntaxFault(TOO_BIG);
    return states.push(state) - 1;
  };
  switch (node.node) {
    case "char":
      return add({ kind: "char", test: node.test, next });
    case "begin":
    case "end":
    case "word":
    case "no-word":
      return add({ kind: node.node, next });
    case "empty":
      return next;
    case "seq":
      return node.parts.reduceRight((to, part) => build(part, to, states), next);
    case "or":
      return node.parts.map((part) => build(part, next, states)).reduce((other, to) => add({ kind: "split", next: to, other }));
    case "repeat": {
      let to = next;
      if (node.most === undefined) {
        const loop: Extract<State, { kind: "split" }> = { kind: "split", next: 0, other: next };
        to = add(loop);
        loop.next = build(node.of, to, states);
      } else for (let n = node.least; n < node.most; n++) to = add({ kind: "split", next: build(node.of, to, states), other: next });
      for (let n = 0; n < node.least; n++) to = build(node.of, to, states);
      return to;
    }
  }
}

/** What regerror(3) says of a pattern that is none. */
export function ereTrouble(pattern: string): string {
  try {
    build(new Parser(pattern, false, false).whole(), 0, [{ kind: "match" }]);
  } catch (fault) {
    if (fault instanceof SyntaxFault) return fault.message;
    throw fault;
  }
  return "Success";
}

/** Whether the pattern is found anywhere in a text; undefined where the pattern is none. */
export function compileEre(pattern: string, options: { readonly ignoreCase?: boolean } = {}): ((text: string) => boolean) | undefined {
  const states: State[] = [{ kind: "match" }];
  let start: number;
  try {
    start = build(new Parser(pattern, options.ignoreCase === true, false).whole(), 0, states);
  } catch (fault) {
    if (fault instanceof SyntaxFault) return undefined;
    throw fault;
  }
  return (text) => found(states, start, text);
}

/** The same in Perl's syntax; undefined where it is more than a regular expression, or none. */
export function compilePerl(pattern: string, ignoreCase: boolean): ((text: string) => boolean) | undefined {
  const states: State[] = [{ kind: "match" }];
  try {
    const start = build(new Parser(pattern, ignoreCase, true).whole(), 0, states);
    return (text) => found(states, start, text);
  } catch (fault) {
    if (fault instanceof SyntaxFault || fault instanceof Beyond) return undefined;
    throw fault;
  }
}

function found(states: readonly State[], start: number, text: string): boolean {
  let now = new Set<number>();
  for (let at = 0; at <= text.length; at++) {
    const reached = new Set<number>();
    for (const from of [...now, start]) follow(states, from, at, text, reached);
    if (reached.has(0)) return true;
    now = new Set();
    const c = text[at];
    if (c === undefined) return false;
    for (const s of reached) {
      const state = states[s];
      if (state?.kind === "char" && state.test(c)) now.add(state.next);
    }
  }
  return false;
}

const isWord = (c: string | undefined): boolean => c !== undefined && /[A-Za-z0-9_]/.test(c);

function holds(edge: Edge, at: number, text: string): boolean {
  if (edge === "begin") return at === 0;
  if (edge === "end") return at === text.length;
  return (isWord(text[at - 1]) !== isWord(text[at])) === (edge === "word");
}

/** Everything reached from `from` without reading. */
function follow(states: readonly State[], from: number, at: number, text: string, reached: Set<number>): void {
  const open = [from];
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    if (reached.has(s)) continue;
    reached.add(s);
    const state = states[s];
    if (state === undefined || state.kind === "match" || state.kind === "char") continue;
    if (state.kind === "split") open.push(state.other, state.next);
    else if (holds(state.kind, at, text)) open.push(state.next);
  }
}
