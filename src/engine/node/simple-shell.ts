/**
 * Simple command lines taken apart: arguments with quotes and backslashes, `;`, `&&`, `||`, line ends, comments, and one file that the output goes to. In the real stack: dash's parser. Left out:
 * everything else, the first of which is named.
 */

/** One simple command. */
export interface Simple {
  readonly argv: readonly string[];
  /** `> path`, `>> path`. */
  readonly to: { readonly path: string; readonly append: boolean } | undefined;
}

export interface Step {
  /** What stands before it. */
  readonly when: ";" | "&&" | "||";
  readonly command: Simple;
}

/** Characters that mean more than themselves outside of quotes. */
const MORE = /[|&<>()`$*?[\]{}~]/;
/** Reserved names that begin something longer. */
const RESERVED = new Set([
  "if",
  "for",
  "while",
  "until",
  "case",
  "function",
  "!",
  "{",
  "set",
  "export",
  "trap",
  "exec",
  "cd",
  "read",
  "eval",
]);

type Token = { readonly word: string } | { readonly operator: ";" | "&&" | "||" | ">" | ">>" };

/** Steps in order, or what of the text is not among these things. */
export function parseScript(text: string): readonly Step[] | string {
  const tokens = tokensOf(text);
  if (typeof tokens === "string") return tokens;
  const steps: Step[] = [];
  let when: Step["when"] = ";";
  let argv: string[] = [];
  let to: Simple["to"];
  const close = (): void => {
    if (argv.length > 0) steps.push({ when, command: { argv, to } });
    [argv, to] = [[], undefined];
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    if ("word" in token) {
      argv.push(token.word);
    } else if (token.operator === ">" || token.operator === ">>") {
      const next = tokens[++i];
      if (next === undefined || !("word" in next)) return token.operator;
      to = { path: next.word, append: token.operator === ">>" };
    } else {
      close();
      when = token.operator;
    }
  }
  close();
  return steps;
}

function tokensOf(text: string): Token[] | string {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const blank = /^[ \t]+|^\\\n/.exec(rest)?.[0] ?? /^#[^\n]*/.exec(rest)?.[0];
    const operator = /^(?:&&|\|\||>>|>|;|\n)/.exec(rest)?.[0];
    if (blank !== undefined) at += blank.length;
    else if (operator !== undefined) {
      tokens.push({ operator: operator === "\n" ? ";" : (operator as ";" | "&&" | "||" | ">" | ">>") });
      at += operator.length;
    } else {
      const word = wordOf(rest);
      if (typeof word === "string") return word;
      const before = tokens.at(-1);
      const begins = before === undefined || ("operator" in before && !before.operator.startsWith(">"));
      if (begins && !word.quoted && (RESERVED.has(word.text) || /^[A-Za-z_]\w*=/.test(word.text))) return word.text;
      tokens.push({ word: word.text });
      at += word.length;
    }
  }
  return tokens;
}

function wordOf(text: string): { readonly text: string; readonly length: number; readonly quoted: boolean } | string {
  let [out, at, quoted] = ["", 0, false];
  while (at < text.length) {
    const rest = text.slice(at);
    const piece = /^'([^']*)'/.exec(rest) ?? /^"((?:[^"\\$`]|\\.)*)"/.exec(rest);
    if (piece !== null) {
      out += piece[0].startsWith("'") ? (piece[1] ?? "") : (piece[1] ?? "").replace(/\\([\\"$`])/g, "$1");
      at += piece[0].length;
      quoted = true;
      continue;
    }
    const c = text[at] ?? "";
    if (/[ \t\n;]/.test(c) || /^(?:&&|\|\||>)/.test(rest)) break;
    if (c === "\\" && at + 1 < text.length) {
      out += text[at + 1] ?? "";
      at += 2;
      quoted = true;
    } else if (MORE.test(c) || c === "'" || c === '"') return text.slice(at).split(/[\s;]/)[0] ?? c;
    else {
      out += c;
      at++;
    }
  }
  return { text: out, length: at, quoted };
}
