/**
 * Word expansion, in bash's order: braces, tilde, parameters, commands and arithmetic, splitting, file names. A word becomes pieces that remember
 * whether they were quoted; fields are cut from the pieces last.
 */
import type {
  ArithmeticWord,
  BracketGlobPart,
  CommandExpansionPart,
  DoubleQuotedChild,
  ProcessSubstitutionPart,
  Word,
  WordPart,
} from "unbash";
import { parse } from "unbash";
import type { Cells } from "./arithmetic.ts";
import { evaluate, evaluateNamed } from "./arithmetic.ts";
import { BRACES_MAX, expandBraces } from "./brace.ts";
import { unescape } from "../escapes.ts";
import { expandParameter } from "./parameter.ts";
import { escapePattern, expandPath, isPattern, unescapePattern } from "./pattern.ts";
import type { Piece, WordExpander } from "./pieces.ts";
import { listPieces } from "./pieces.ts";
import type { Context } from "./shell.ts";
import { DEPTH_MAX, ShellError, STRING_MAX } from "./shell.ts";
import { element, isAssociative, setElement, special } from "./variables.ts";

/** What expansion needs from the interpreter: running a command for its output, and its process substitutions. */
export interface Runner {
  substitute(ctx: Context, part: CommandExpansionPart): Promise<string>;
  processSubstitution(ctx: Context, part: ProcessSubstitutionPart): Promise<string>;
}

export class Expander implements WordExpander {
  constructor(private readonly runner: Runner) {}

  /** Fields of each word, as arguments of a command. */
  async fields(ctx: Context, tokens: readonly Word[]): Promise<string[]> {
    const out: string[] = [];
    for (const word of tokens) {
      for (const variant of bracesOf(word)) await this.field(ctx, variant, out);
      if (out.length > BRACES_MAX * 4) throw new ShellError("argument list too long", 126);
    }
    return out;
  }

  private async field(ctx: Context, word: Word, out: string[]): Promise<void> {
    const pieces = await this.pieces(ctx, word);
    for (const field of split(pieces, ctx.shell.get("IFS") ?? " \t\n")) {
      if (!ctx.shell.options.noglob && isPattern(field)) {
        const files = await expandPath(ctx, field);
        if (files.length > 0) {
          for (const file of files) out.push(file);
          continue;
        }
      }
      out.push(unescapePattern(field));
    }
  }

  /** One string, without splitting or file names: assignments, redirection targets, `case` subjects. */
  async text(ctx: Context, word: Word): Promise<string> {
    const pieces = await this.pieces(ctx, word);
    return pieces.map((piece) => (piece.kind === "border" ? " " : piece.text)).join("");
  }

  /** The word as a pattern: what was quoted stands for itself. */
  async pattern(ctx: Context, word: Word): Promise<string> {
    const pieces = await this.pieces(ctx, word);
    return pieces.map((p) => (p.kind === "quoted" ? escapePattern(p.text) : p.kind === "border" ? " " : p.text)).join("");
  }

  /** The word as a regular expression of `=~`: what was quoted stands for itself. */
  async regularExpression(ctx: Context, word: Word): Promise<string> {
    if (!word.parts) return word.text;
    let out = "";
    for (const part of word.parts) {
      if (part.type === "Literal" || part.type === "Glob" || part.type === "ExtendedGlob" || part.type === "BraceExpansion")
        out += part.text;
      else {
        for (const piece of await this.part(ctx, part)) {
          out += piece.kind === "quoted" ? piece.text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&") : piece.text;
        }
      }
    }
    return out;
  }

  /** Parts of a here document, where quotes mean nothing. `stripped`: leading tabs of its lines go (`<<-`). */
  async document(ctx: Context, parts: readonly WordPart[], stripped: boolean): Promise<string> {
    let out = "";
    for (const part of parts) {
      if (part.type === "Literal" && stripped) {
        out += part.value.replace(out === "" || out.endsWith("\n") ? /^\t+/gm : /(?<=\n)\t+/g, "");
        continue;
      }
      for (const piece of await this.quotedPart(ctx, part)) out += piece.kind === "border" ? " " : piece.text;
    }
    return out;
  }

  /** How arithmetic reaches variables and expansions of this context. */
  cells(ctx: Context): Cells {
    const subscript = /^(\w+)\[([^]*)\]$/;
    return {
      expand: (word: ArithmeticWord) => this.arithmeticWord(ctx, word),
      substitute: (text: string) => this.reparse(ctx, text),
      get: (name) => {
        const m = subscript.exec(name);
        if (m) return element(ctx.shell, m[1] ?? "", m[2] ?? "0");
        return name === "RANDOM" ? String((ctx.shell.random = (ctx.shell.random * 69069 + 1) >>> 17)) : ctx.shell.get(name);
      },
      set: (name, value) => {
        const m = subscript.exec(name);
        if (m) setElement(ctx.shell, m[1] ?? "", m[2] ?? "0", value);
        else ctx.shell.set(name, value);
      },
    };
  }

  private async arithmeticWord(ctx: Context, word: ArithmeticWord): Promise<string> {
    let text = "";
    if (!word.parts) text = /[$`]/.test(word.value) ? await this.reparse(ctx, word.value) : word.value;
    else for (const part of word.parts) for (const piece of await this.quotedPart(ctx, part)) text += piece.text;
    const m = /^([A-Za-z_]\w*)\[([^]+)\]$/.exec(text);
    if (!m || isAssociative(ctx.shell, m[1] ?? "") || /^\d+$/.test(m[2] ?? "")) return text;
    return `${m[1]}[${await this.subscript(ctx, m[2] ?? "0")}]`;
  }

  /** The number a subscript of an indexed array stands for. */
  async subscript(ctx: Context, text: string): Promise<string> {
    const script = parse(`((${text}))`);
    const command = script.commands[0]?.command;
    if (command?.type !== "ArithmeticCommand" || !command.expression) throw new ShellError(`${text}: bad array subscript`);
    if (ctx.shell.depth >= DEPTH_MAX) throw new ShellError(`${text}: expression recursion level exceeded`);
    ctx.shell.depth++;
    try {
      return (await evaluate(command.expression, this.cells(ctx))).toString();
    } finally {
      ctx.shell.depth--;
    }
  }

  private async reparse(ctx: Context, text: string): Promise<string> {
    const command = parse(`: "${text}"`).commands[0]?.command;
    const word = command?.type === "Command" ? command.suffix[0] : undefined;
    return word?.type === "Word" ? this.text(ctx, word) : "";
  }

  async pieces(ctx: Context, word: Word): Promise<Piece[]> {
    const home = tilde(ctx, word);
    if (!word.parts) {
      if (home === undefined) return [{ kind: "quoted", text: word.value }];
      return [{ kind: "quoted", text: home + word.value.slice(/^~[^/:]*/.exec(word.value)?.[0].length ?? 0) }];
    }
    const out: Piece[] = [];
    let size = 0;
    for (const [index, part] of word.parts.entries()) {
      let pieces = await this.part(ctx, part);
      if (index === 0 && home !== undefined && part.type === "Literal") {
        pieces = [{ kind: "quoted", text: home + part.value.slice(/^~[^/:]*/.exec(part.value)?.[0].length ?? 0) }];
      }
      for (const piece of pieces) {
        out.push(piece);
        size += piece.text.length;
      }
      if (size > STRING_MAX) throw new ShellError(`cannot allocate ${size} bytes`, 1, true);
    }
    return out;
  }

  private async part(ctx: Context, part: WordPart): Promise<Piece[]> {
    switch (part.type) {
      case "Literal":
        return part.value === "" ? [] : [{ kind: "quoted", text: part.value }];
      case "SingleQuoted":
        return [{ kind: "quoted", text: part.value }];
      case "AnsiCQuoted":
        return [{ kind: "quoted", text: ansiC(part) }];
      case "DoubleQuoted":
      case "LocaleString":
        return this.doubleQuoted(ctx, part.parts);
      case "Glob":
        return part.kind === "bracket" ? this.bracket(ctx, part) : [{ kind: "pattern", text: part.text }];
      case "ExtendedGlob":
        return [{ kind: "pattern", text: part.text }];
      case "BraceExpansion":
        return [{ kind: "quoted", text: part.text }];
      case "ProcessSubstitution":
        return [{ kind: "quoted", text: await this.runner.processSubstitution(ctx, part) }];
      default:
        return this.expansion(ctx, part, false);
    }
  }

  /** `[…]` may hold expansions: `[$x]` is what people write around a value. */
  private async bracket(ctx: Context, glob: BracketGlobPart): Promise<Piece[]> {
    if (glob.parts.every((part) => part.type === "Literal")) return [{ kind: "pattern", text: glob.text }];
    const sign = /^\[[!^]/.exec(glob.text)?.[0] ?? "[";
    const out: Piece[] = [{ kind: "pattern", text: sign }];
    for (const [index, part] of glob.parts.entries()) {
      if (part.type !== "Literal") out.push(...(await this.part(ctx, part)));
      else out.push({ kind: "pattern", text: index === 0 && sign.length === 2 ? part.text.replace(/^[!^]/, "") : part.text });
    }
    return [...out, { kind: "pattern", text: "]" }];
  }

  private async doubleQuoted(ctx: Context, parts: readonly DoubleQuotedChild[]): Promise<Piece[]> {
    const out: Piece[] = [];
    for (const part of parts) for (const piece of await this.quotedPart(ctx, part)) out.push(piece);
    const emptyList = parts.length > 0 && out.length === 0;
    return emptyList ? [] : [{ kind: "quoted", text: "" }, ...out];
  }

  private async quotedPart(ctx: Context, part: WordPart): Promise<Piece[]> {
    if (part.type === "Literal") return [{ kind: "quoted", text: part.value }];
    if (part.type === "DoubleQuoted" || part.type === "LocaleString") return this.doubleQuoted(ctx, part.parts);
    if (
      part.type === "SimpleExpansion" ||
      part.type === "ParameterExpansion" ||
      part.type === "CommandExpansion" ||
      part.type === "ArithmeticExpansion"
    ) {
      return this.expansion(ctx, part, true);
    }
    return [{ kind: "quoted", text: part.text }];
  }

  private async expansion(ctx: Context, part: Exclude<DoubleQuotedChild, { type: "Literal" }>, quoted: boolean): Promise<Piece[]> {
    const kind = quoted ? "quoted" : "raw";
    switch (part.type) {
      case "SimpleExpansion":
        return this.simple(ctx, part.text.slice(1), quoted);
      case "ParameterExpansion":
        return expandParameter(this, ctx, part, quoted);
      case "CommandExpansion":
        return [{ kind, text: await this.runner.substitute(ctx, part) }];
      case "ArithmeticExpansion": {
        const value = part.expression ? await evaluateNamed(part.expression, this.cells(ctx), part.text.slice(3, -2)) : 0n;
        return [{ kind, text: value.toString() }];
      }
    }
  }

  private async simple(ctx: Context, name: string, quoted: boolean): Promise<Piece[]> {
    if (name === "@" || name === "*") return listPieces(ctx, ctx.shell.positional, name, quoted);
    const value = await special(ctx, name);
    if (value === undefined) {
      if (ctx.shell.options.nounset) throw new ShellError(`${name}: unbound variable`, 127, true);
      return quoted ? [{ kind: "quoted", text: "" }] : [];
    }
    return [{ kind: quoted ? "quoted" : "raw", text: value }];
  }
}

/** `$'…'`: the parser gives text; bytes in it that are none are read again. */
function ansiC({ text, value }: { readonly text: string; readonly value: string }): string {
  return /[\ufffd\p{Surrogate}]/u.test(value) ? unescape(text.slice(2, -1), true).text : value;
}

function tilde(ctx: Context, word: Word): string | undefined {
  const m = /^~([^/:]*)/.exec(word.text);
  if (!m) return undefined;
  if (m[1] === "") return ctx.shell.get("HOME") ?? "/root";
  if (m[1] === "+") return ctx.shell.cwd;
  if (m[1] === "-") return ctx.shell.get("OLDPWD");
  return m[1] === "root" ? "/root" : undefined;
}

function bracesOf(word: Word): Word[] {
  if (!word.parts?.some((part) => part.type === "BraceExpansion")) return [word];
  const texts = expandBraces(word.text);
  if (!texts) throw new ShellError("brace expansion: too many words");
  const tokens: Word[] = [];
  for (const text of texts) {
    const command = parse(`: ${text}`).commands[0]?.command;
    const made = command?.type === "Command" ? command.suffix[0] : undefined;
    if (made?.type === "Word") tokens.push(made);
    else if (text === "") continue;
  }
  return tokens;
}

/** Cuts pieces into fields; a field comes out as a pattern whose quoted characters are escaped. */
export function split(pieces: readonly Piece[], ifs: string): string[] {
  const fields: string[] = [];
  let current: string | undefined;
  const white = [...ifs].filter((c) => c === " " || c === "\t" || c === "\n").join("");
  const end = (): void => {
    if (current !== undefined) fields.push(current);
    current = undefined;
  };
  for (const piece of pieces) {
    if (piece.kind === "border") end();
    else if (piece.kind === "quoted") current = (current ?? "") + escapePattern(piece.text);
    else if (piece.kind === "pattern") current = (current ?? "") + piece.text;
    else if (ifs === "") {
      if (piece.text !== "") current = (current ?? "") + piece.text;
    } else {
      let afterDelimiter = false;
      for (const c of piece.text) {
        if (white.includes(c)) {
          if (current !== undefined) {
            end();
            afterDelimiter = true;
          }
        } else if (ifs.includes(c)) {
          if (current === undefined && !afterDelimiter) current = "";
          end();
          afterDelimiter = false;
        } else {
          current = (current ?? "") + (c === "\\" ? "\\\\" : c);
          afterDelimiter = false;
        }
      }
    }
  }
  end();
  return fields;
}
