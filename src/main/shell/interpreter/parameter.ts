/** `${…}`: defaults, lengths, slices, removal, replacement, case, indirection, arrays. */
import type { ParameterExpansionPart, ParameterOperation, Word } from "unbash";
import { evaluateText } from "./arithmetic.ts";
import { matchPattern, removeMatch, replaceMatch } from "./pattern.ts";
import type { Piece, WordExpander } from "./pieces.ts";
import { listPieces } from "./pieces.ts";
import type { Context } from "./shell.ts";
import { ShellError, STRING_MAX } from "./shell.ts";
import { element, elements, isAssociative, keys, NAME, quote, setElement, special } from "./variables.ts";

/** What a parameter holds before an operation is applied. */
interface Target {
  /** As messages name it. */
  name: string;
  values: string[];
  set: boolean;
  /** `@` or `*` when it stands for a list. */
  list: "@" | "*" | undefined;
  assign: (text: string) => void;
}

const PARAMETER = /^(?:[A-Za-z_]\w*|\d+|[@*#?$!-])$/;

export async function expandParameter(
  expander: WordExpander,
  ctx: Context,
  part: ParameterExpansionPart,
  quoted: boolean,
): Promise<Piece[]> {
  if (!PARAMETER.test(part.parameter) || part.operation?.type === "Unknown") {
    throw new ShellError(`${part.text}: bad substitution`, 1, true);
  }
  if (part.prefix === "!" && part.operation?.type === "Names") {
    const names = [...ctx.shell.vars.keys()].filter((name) => name.startsWith(part.parameter)).sort();
    return listPieces(ctx, names, part.operation.operator, quoted);
  }
  const star = part.index && (part.index.text === "@" || part.index.text === "*") ? part.index.text : undefined;
  if (part.prefix === "!" && star) return listPieces(ctx, keys(ctx.shell, part.parameter), star, quoted);
  const target = await find(expander, ctx, part);
  if (part.prefix === "#") {
    const length = target.list ? target.values.length : [...(target.values[0] ?? "")].length;
    return [{ kind: quoted ? "quoted" : "raw", text: String(length) }];
  }
  return apply(expander, ctx, target, part.operation, quoted);
}

async function find(expander: WordExpander, ctx: Context, part: ParameterExpansionPart): Promise<Target> {
  let name = part.parameter;
  let index: string | undefined;
  if (part.index) index = part.index.text;
  if (part.prefix === "!") {
    const pointed = await special(ctx, name);
    const m = /^([A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[([^]*)\])?$/.exec(pointed ?? "");
    if (!m) throw new ShellError(`${pointed ?? name}: invalid variable name`, 1, true);
    name = m[1] ?? "";
    index = m[2];
  }
  const shell = ctx.shell;
  if (name === "@" || name === "*") {
    const values = shell.positional;
    return { name, values, set: values.length > 0, list: name, assign: () => cannotAssign(name) };
  }
  if (index === "@" || index === "*") {
    const values = elements(shell, name);
    return { name: `${name}[${index}]`, values, set: values.length > 0, list: index, assign: () => cannotAssign(name) };
  }
  if (index !== undefined) {
    const key =
      isAssociative(shell, name) && part.index ? await expander.text(ctx, part.index) : await indexOf(expander, ctx, part.index, index);
    const value = element(shell, name, key);
    return {
      name: `${name}[${key}]`,
      values: value === undefined ? [] : [value],
      set: value !== undefined,
      list: undefined,
      assign: (text) => setElement(shell, name, key, text),
    };
  }
  const value = await special(ctx, name);
  const assign = (text: string): void => (NAME.test(name) ? shell.set(name, text) : cannotAssign(name));
  return { name, values: value === undefined ? [] : [value], set: value !== undefined, list: undefined, assign };
}

async function indexOf(expander: WordExpander, ctx: Context, word: Word | undefined, text: string): Promise<string> {
  return (await evaluateText(word ? await expander.text(ctx, word) : text, expander.cells(ctx))).toString();
}

function cannotAssign(name: string): never {
  throw new ShellError(`$${name}: cannot assign in this way`, 1, true);
}

async function apply(
  expander: WordExpander,
  ctx: Context,
  target: Target,
  operation: ParameterOperation | undefined,
  quoted: boolean,
): Promise<Piece[]> {
  if (operation?.type === "Default") return applyDefault(expander, ctx, target, operation, quoted);
  if (!target.set && ctx.shell.options.nounset && target.list === undefined) {
    throw new ShellError(`${target.name}: unbound variable`, 127, true);
  }
  if (operation?.type === "Slice") return slice(expander, ctx, target, operation.offset, operation.length, quoted);
  const change = operation ? await changer(expander, ctx, operation) : (text: string): string => text;
  const values = target.values.map(change);
  return show(ctx, target, values, quoted);
}

function show(ctx: Context, target: Target, values: readonly string[], quoted: boolean): Piece[] {
  if (target.list) return listPieces(ctx, values, target.list, quoted);
  const text = values[0];
  if (text === undefined) return quoted ? [{ kind: "quoted", text: "" }] : [];
  return [{ kind: quoted ? "quoted" : "raw", text }];
}

async function applyDefault(
  expander: WordExpander,
  ctx: Context,
  target: Target,
  operation: Extract<ParameterOperation, { type: "Default" }>,
  quoted: boolean,
): Promise<Piece[]> {
  const colon = operation.operator.startsWith(":");
  const empty = !target.set || (colon && target.values.join("") === "");
  const operand = async (): Promise<Piece[]> => {
    const pieces = await expander.pieces(ctx, operation.operand);
    // an operand typed without quotes is split like any unquoted word
    if (quoted) return pieces.map((piece) => ({ kind: "quoted", text: piece.text }));
    return operation.operand.parts ? pieces : pieces.map((piece) => ({ kind: "raw", text: piece.text }));
  };
  switch (operation.operator.replace(":", "")) {
    case "-":
      return empty ? operand() : show(ctx, target, target.values, quoted);
    case "+":
      return empty ? (quoted ? [{ kind: "quoted", text: "" }] : []) : operand();
    case "=": {
      if (!empty) return show(ctx, target, target.values, quoted);
      const text = await expander.text(ctx, operation.operand);
      target.assign(text);
      return [{ kind: quoted ? "quoted" : "raw", text }];
    }
    default: {
      if (!empty) return show(ctx, target, target.values, quoted);
      const message = await expander.text(ctx, operation.operand);
      throw new ShellError(`${target.name}: ${message || (colon ? "parameter null or not set" : "parameter not set")}`, 127, true);
    }
  }
}

async function slice(
  expander: WordExpander,
  ctx: Context,
  target: Target,
  offsetWord: Word,
  lengthWord: Word | undefined,
  quoted: boolean,
): Promise<Piece[]> {
  const numberOf = async (word: Word): Promise<number> => Number(await evaluateText(await expander.text(ctx, word), expander.cells(ctx)));
  const items = target.list ? (target.name === "@" || target.name === "*" ? [ctx.shell.arg0, ...target.values] : target.values) : undefined;
  const text = target.values[0] ?? "";
  // A long text is not cut into characters unless one of them needs two units.
  const whole: string | readonly string[] = items ?? (/[\ud800-\udfff]/.test(text) ? [...text] : text);
  let from = await numberOf(offsetWord);
  if (from < 0) from = Math.max(0, whole.length + from);
  let to = whole.length;
  if (lengthWord) {
    const length = await numberOf(lengthWord);
    if (length < 0 && items) throw new ShellError(`${length}: substring expression < 0`, 1, true);
    to = length < 0 ? whole.length + length : from + length;
  }
  const taken = whole.slice(from, Math.max(from, to));
  return show(ctx, target, typeof taken === "string" ? [taken] : items ? taken : [taken.join("")], quoted);
}

async function changer(expander: WordExpander, ctx: Context, operation: ParameterOperation): Promise<(text: string) => string> {
  switch (operation.type) {
    case "Remove": {
      const pattern = await expander.pattern(ctx, operation.operand);
      return (text) => removeMatch(text, pattern, operation.operator);
    }
    case "Replace": {
      const pattern = await expander.pattern(ctx, operation.pattern);
      const replacement = await expander.text(ctx, operation.replacement);
      const withMatch = operation.replacement.text.includes("&") && !/["'\\$`]/.test(operation.replacement.text);
      return (text) => {
        const changed = replaceMatch(text, pattern, replacement, operation.operator, withMatch);
        if (changed.length > STRING_MAX) throw new ShellError(`cannot allocate ${changed.length} bytes`, 1, true);
        return changed;
      };
    }
    case "CaseModification": {
      const pattern = operation.operand ? await expander.pattern(ctx, operation.operand) : "?";
      const turn = (c: string): string =>
        !matchPattern(pattern, c) ? c : operation.operator.startsWith("^") ? c.toUpperCase() : c.toLowerCase();
      if (operation.operator.length === 2 && pattern === "?")
        return (text) => (operation.operator.startsWith("^") ? text.toUpperCase() : text.toLowerCase());
      if (operation.operator.length === 2) return (text) => [...text].map(turn).join("");
      return (text) => turn([...text][0] ?? "") + [...text].slice(1).join("");
    }
    case "Transform": {
      const how = await expander.text(ctx, operation.operand);
      if (how === "Q") return quote;
      if (how === "U") return (text) => text.toUpperCase();
      if (how === "L") return (text) => text.toLowerCase();
      if (how === "u") return (text) => text.charAt(0).toUpperCase() + text.slice(1);
      throw new ShellError(`@${how}: bad substitution`, 1, true);
    }
    default:
      throw new ShellError("bad substitution", 1, true);
  }
}
