/** Parsing of lines: what bash says of a wrong one, and whether a line wants another. */
import type { ParsedScript, SyntaxNode } from "unbash";
import { forEachChild, parse } from "unbash";

/** Bytes of one line or script (pasting more is an error, not a hang). */
export const SOURCE_MAX = 1024 * 1024;

export function parseLine(source: string): ParsedScript {
  if (source.length > SOURCE_MAX) {
    return { type: "Script", pos: 0, end: 0, shebang: undefined, commands: [], errors: [{ message: "line too long", pos: 0 }] };
  }
  return parse(source);
}

interface Wrong {
  message: string;
  pos: number;
}

/** The first error of a script or of the substitutions in it, in the order of the text. */
function firstError(node: SyntaxNode): Wrong | undefined {
  const pending: SyntaxNode[] = [node];
  for (let at = 0; at < pending.length; at++) {
    const next = pending[at];
    if (!next) continue;
    if (next.type === "Script" && next.errors?.[0]) return next.errors[0];
    forEachChild(next, (child) => pending.push(child));
  }
  return undefined;
}

/** What bash prints of a wrong script; undefined when it is right. */
export function syntaxError(script: ParsedScript, source: string): string | undefined {
  const wrong = firstError(script);
  if (!wrong) return undefined;
  if (wrong.message === "line too long") return `line too long (at most ${SOURCE_MAX / 1048576} MiB)`;
  const quotes: Readonly<Record<string, string>> = {
    "unterminated double quote": '"',
    "unterminated single quote": "'",
    "unterminated ANSI-C quote": "'",
    "unterminated backtick": "`",
    "unterminated command substitution": ")",
    "unterminated parameter expansion": "}",
    "unterminated arithmetic expansion": ")",
    "unterminated process substitution": ")",
  };
  const quote = quotes[wrong.message];
  if (quote !== undefined) return `unexpected EOF while looking for matching \`${quote}'`;
  const token = /unexpected token '(.*)'/s.exec(wrong.message)?.[1];
  if (token !== undefined) return `syntax error near unexpected token \`${token}'`;
  if (wrong.message === "expected redirect target") return `syntax error near unexpected token \`${tokenAt(source, wrong.pos)}'`;
  if (/nesting depth exceeded/.test(wrong.message)) return wrong.message;
  if (wrong.pos >= source.trimEnd().length || /to close/.test(wrong.message)) return "syntax error: unexpected end of file";
  return `syntax error near unexpected token \`${tokenAt(source, wrong.pos)}'`;
}

function tokenAt(source: string, pos: number): string {
  const m = /^\s*(?:(&&|\|\||;;|[;&|()<>])\s*)?(?:([;&|()<>]|[^\s;&|()<>]+))?/.exec(source.slice(pos));
  return m?.[2] ?? m?.[1] ?? "newline";
}

/** Whether the text is the beginning of something longer, so that a prompt asks for the next line. */
export function isIncomplete(source: string): boolean {
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(source)) return true;
  const script = parseLine(source);
  const end = source.trimEnd().length;
  const wrong = script.errors?.[0];
  if (wrong) {
    if (/^unterminated/.test(wrong.message)) return true;
    if (wrong.message === "expected redirect target") return false;
    const blank =
      source
        .slice(wrong.pos)
        .replace(/&&|\|\||\|&|\||then|do|else|elif|\{|\(/g, "")
        .trim() === "";
    return /^expected/.test(wrong.message) && (wrong.pos >= end || blank);
  }
  return hasOpenDocument(script);
}

/** A here document without its closing line gives no error. */
function hasOpenDocument(script: ParsedScript): boolean {
  const pending: SyntaxNode[] = [script];
  for (let at = 0; at < pending.length; at++) {
    const next = pending[at];
    if (!next) continue;
    if (next.type === "HereDoc" && next.closing === undefined) return true;
    forEachChild(next, (child) => pending.push(child));
  }
  return false;
}
