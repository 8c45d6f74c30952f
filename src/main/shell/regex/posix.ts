/**
 * POSIX regular expressions, with what GNU adds to them, in the syntax that RE2 and JavaScript share. In the real stack: regcomp(3) of glibc and dfa.c of
 * grep. What RE2 cannot say (back references, the start and end of a word where it is not plain from the pattern) is marked, and written for
 * JavaScript. Left out: collating elements of more than one character, locales.
 */
import { POSIX_CLASSES } from "../../../engine/kernel/index.ts";
import { PatternFault } from "./fault.ts";

/**
 * `basic` and `extended` as grep and sed take them; `posix` is what regcomp(3) does with REG_EXTENDED, as bash's `=~` has it: an operator without an
 * operand is an error there, a parenthesis that closes nothing is none.
 */
export type PosixSyntax = "basic" | "extended" | "posix";

export interface Translated {
  readonly source: string;
  /** RE2 cannot say it. */
  readonly beyondRe2: boolean;
  /** Characters with a backslash that means nothing. */
  readonly stray: readonly string[];
}

const SPACES = " \\t\\n\\v\\f\\r";
/** Of one count (RE_DUP_MAX), and what RE2 repeats at most. */
const REPEATS_MAX = 32_767;
const RE2_REPEATS_MAX = 1000;
/** Groups within groups. */
const DEPTH_MAX = 250;

const OPEN_BRACKET = "Unmatched [, [^, [:, [., or [=";
const REPEATS_NOTHING = "Invalid preceding regular expression";

export function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** A bracket expression from its `[` on, as a class. */
export function bracket(text: string, from: number): { readonly source: string; readonly end: number } {
  let at = from + 1;
  const not = text[at] === "^";
  if (not) at++;
  let out = "";
  const single = (): string => {
    const special = /^\[([.=])([^])\1\]/.exec(text.slice(at, at + 5));
    const char = special?.[2] ?? text.charAt(at);
    if (char === "") throw new PatternFault(OPEN_BRACKET);
    at += special?.[0].length ?? 1;
    return char;
  };
  for (let first = true; first || text[at] !== "]"; first = false) {
    if (at >= text.length) throw new PatternFault(OPEN_BRACKET);
    if (text.startsWith("[:", at)) {
      const end = text.indexOf(":]", at + 2);
      if (end < 0) throw new PatternFault(OPEN_BRACKET);
      const known = POSIX_CLASSES.get(text.slice(at + 2, end));
      if (known === undefined) throw new PatternFault("Invalid character class name");
      out += known;
      at = end + 2;
      continue;
    }
    const low = single();
    if (text[at] !== "-" || text[at + 1] === "]" || at + 1 >= text.length) {
      out += inClass(low);
      continue;
    }
    at++;
    const high = single();
    if (high < low) throw new PatternFault("Invalid range end");
    out += `${inClass(low)}-${inClass(high)}`;
  }
  return { source: `[${not ? "^" : ""}${out}]`, end: at };
}

const inClass = (char: string): string => char.replace(/[\\\][^-]/g, "\\$&");

class Translator {
  private at = 0;
  private groups = 0;
  private readonly closed = new Set<number>();
  private depth = 0;
  beyondRe2 = false;
  readonly stray: string[] = [];

  constructor(
    private readonly text: string,
    private readonly syntax: PosixSyntax,
  ) {}

  private get basic(): boolean {
    return this.syntax === "basic";
  }

  /** An operator of this syntax stands here: `(` is written `\(` in a basic one. */
  private sees(operator: string): boolean {
    return this.text.startsWith(this.basic ? `\\${operator}` : operator, this.at);
  }

  private skip(): void {
    this.at += this.basic ? 2 : 1;
  }

  whole(): string {
    let out = this.alternatives();
    while (this.at < this.text.length) {
      // Only a parenthesis that closes nothing ends the alternatives early.
      if (this.syntax !== "posix") throw new PatternFault("Unmatched ) or \\)");
      this.at++;
      out += `\\)${this.alternatives()}`;
    }
    return out;
  }

  private alternatives(): string {
    let out = this.sequence();
    while (this.sees("|")) {
      this.skip();
      out += `|${this.sequence()}`;
    }
    return out;
  }

  private ends(): boolean {
    return this.at >= this.text.length || this.sees("|") || this.sees(")");
  }

  private sequence(): string {
    let out = "";
    let begins = true;
    while (!this.ends()) {
      const anchor = this.anchor(begins);
      if (anchor !== undefined) out += anchor;
      else {
        out += this.repeated(this.operand(begins));
        begins = false;
      }
    }
    return out;
  }

  /** `^` and `$` where they are anchors; in a basic expression that is its edges alone. */
  private anchor(begins: boolean): string | undefined {
    const c = this.text[this.at];
    if (c === "^" && (!this.basic || begins)) {
      this.at++;
      return "^";
    }
    if (c !== "$") return undefined;
    this.at++;
    if (!this.basic || this.ends()) return "$";
    this.at--;
    return undefined;
  }

  /** What is repeated; "" where a `*` has nothing before it. */
  private operand(begins: boolean): string {
    const c = this.text.charAt(this.at);
    if (this.sees("(")) return this.group();
    if (c === "*" && begins && this.basic) {
      this.at++;
      return "\\*";
    }
    if (!this.basic && (c === "*" || c === "+" || c === "?" || (c === "{" && this.interval() !== undefined))) {
      if (this.syntax === "posix") throw new PatternFault(REPEATS_NOTHING);
      return "";
    }
    if (c === "[") {
      const { source, end } = bracket(this.text, this.at);
      this.at = end + 1;
      return source;
    }
    this.at++;
    if (c === ".") return ".";
    return c === "\\" ? this.escaped() : escapeLiteral(c);
  }

  private group(): string {
    this.skip();
    if (++this.depth > DEPTH_MAX) throw new PatternFault("Regular expression too big");
    const number = ++this.groups;
    const inner = this.alternatives();
    if (!this.sees(")")) throw new PatternFault("Unmatched ( or \\(");
    this.skip();
    this.depth--;
    this.closed.add(number);
    return `(${inner})`;
  }

  private escaped(): string {
    const c = this.text.charAt(this.at++);
    if (c === "") throw new PatternFault("Trailing backslash");
    if (/[1-9]/.test(c)) {
      if (!this.closed.has(Number(c))) throw new PatternFault("Invalid back reference");
      this.beyondRe2 = true;
      return `(?:\\${c})`;
    }
    switch (c) {
      case "w":
      case "W":
      case "b":
      case "B":
        return `\\${c}`;
      case "s":
        return `[${SPACES}]`;
      case "S":
        return `[^${SPACES}]`;
      case "`":
        return "^";
      case "'":
        return "$";
      case "<":
        if (/^(?:\w|\\w|\[[\w-]+\])/.test(this.text.slice(this.at))) return "\\b";
        this.beyondRe2 = true;
        return "\\b(?=\\w)";
      case ">":
        if (/(?:^|[^\\])(?:\w|\\w\\?\+|\\w)\\>$/.test(this.text.slice(0, this.at))) return "\\b";
        this.beyondRe2 = true;
        return "\\b(?<=\\w)";
    }
    if (/[A-Za-z]/.test(c)) this.stray.push(c);
    return escapeLiteral(c);
  }

  /** The interval that stands here, which an operator may be. */
  private interval(): { readonly least: number; readonly most: number | undefined; readonly length: number } | undefined {
    const pattern = this.basic ? /^\\\{(\d*)(,(\d*))?\\\}/ : /^\{(\d*)(,(\d*))?\}/;
    const m = pattern.exec(this.text.slice(this.at, this.at + 32));
    if (!m || (m[1] === "" && m[2] === undefined)) return undefined;
    const least = Number(m[1]);
    return { least, most: m[2] === undefined ? least : m[3] === "" ? undefined : Number(m[3]), length: m[0].length };
  }

  private operator(): string | undefined {
    if (this.text[this.at] === "*") {
      this.at++;
      return "*";
    }
    for (const operator of ["+", "?"])
      if (this.sees(operator)) {
        this.skip();
        return operator;
      }
    if (!this.sees("{")) return undefined;
    const interval = this.interval();
    if (!interval) {
      if (!this.basic) return undefined;
      throw new PatternFault(this.text.indexOf("\\}", this.at) < 0 ? "Unmatched \\{" : "Invalid content of \\{\\}");
    }
    const { least, most, length } = interval;
    if (Math.max(least, most ?? 0) > REPEATS_MAX) throw new PatternFault("Regular expression too big");
    if (most !== undefined && most < least) throw new PatternFault("Invalid content of \\{\\}");
    if (Math.max(least, most ?? 0) > RE2_REPEATS_MAX) this.beyondRe2 = true;
    this.at += length;
    return `{${least}${most === least ? "" : `,${most ?? ""}`}}`;
  }

  /** One operator after another repeats what is repeated. */
  private repeated(operand: string): string {
    let out = operand;
    for (let operator = this.operator(), first = true; operator !== undefined; operator = this.operator(), first = false) {
      if (operand === "") continue;
      const whole = first && /^(?:\\?[^]|\[[^]*\]|\([^]*\))$/.test(operand);
      out = `${whole ? out : `(?:${out})`}${operator}`;
    }
    return out;
  }
}

/** @throws PatternFault */
export function translate(text: string, syntax: PosixSyntax): Translated {
  const translator = new Translator(text, syntax);
  const source = translator.whole();
  return { source, beyondRe2: translator.beyondRe2, stray: translator.stray };
}
