/** What the written style asks of a file, beyond what ESLint sees: its opening, its length, its functions' length, what must not stay. */
import ts from "typescript";

/** A file a reader cannot hold in the head wants another file; the design says about 400 lines and about 60 a function. */
export const maxFileLines = 450;
/** A folder whose listing is longer says no more where something is. */
export const maxFolderFiles = 15;
export const maxFunctionLines = 80;

/** An engine file opens with a paragraph: what it is, what it is in the real stack, what it leaves out. */
const paragraphCharacters = 80;

/** The comment a file opens with, without its marks; empty if it opens with something else. */
export function openingComment(text: string): string {
  const body = text.replace(/^#!.*\n/, "").trimStart();
  const block = /^\/\*\*?([\s\S]*?)\*\//.exec(body) ?? /^<!--([\s\S]*?)-->/.exec(body);
  if (block !== null) return (block[1] ?? "").replace(/^\s*\* ?/gm, "").trim();
  return (
    /^(\/\/[^\n]*\n)+/
      .exec(body)?.[0]
      .replace(/^\/\/ ?/gm, "")
      .trim() ?? ""
  );
}

/** What is wrong with the opening of a file, or undefined. An index that only exports names needs none. */
export function badOpening(path: string, text: string): string | undefined {
  const opening = openingComment(text);
  if (path.endsWith(".svelte") && opening === "")
    return openingComment(text.replace(/^\s*<script[^>]*>\s*/, "")) === "" ? "opens without saying what it is" : undefined;
  if (opening === "") return "opens without saying what it is";
  if (path.startsWith("src/engine/") && !path.endsWith("/index.ts") && opening.length < paragraphCharacters) {
    return `opens with ${opening.length} characters: an engine file opens with a paragraph`;
  }
  return undefined;
}

/** Functions longer than allowed, as "line: name, N lines". Functions inside a function count for themselves, not for it. */
export function longFunctions(path: string, text: string, limit = maxFunctionLines): string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const linesOf = (node: ts.Node): number => lineAt(node.getEnd()) - lineAt(node.getStart(source)) + 1;
  const innerLines = (node: ts.Node): number => {
    let lines = 0;
    ts.forEachChild(node, (child) => {
      lines += ts.isFunctionLike(child) ? linesOf(child) - 1 : innerLines(child);
    });
    return lines;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const from = lineAt(node.getStart(source));
      const lines = linesOf(node) - innerLines(node);
      const name = node.name === undefined ? "a function" : node.name.getText(source);
      if (lines > limit) found.push(`${from + 1}: ${name}, ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Things said to be done some other time, and paths of somebody's machine. */
const unfinished = /\b(TODO|FIXME|XXX|HACK)\b|(?<!Function )not implemented|unimplemented/;
const privatePath = /(?:["'`\s(]|^)\/work\/|\.\.\/shared\//;

export function leftOvers(path: string, text: string): string[] {
  const found: string[] = [];
  text.split("\n").forEach((line, index) => {
    if (unfinished.test(line)) found.push(`${index + 1}: ${line.trim()}`);
    if (path.startsWith("src/") && privatePath.test(line)) found.push(`${index + 1}: ${line.trim()}`);
  });
  return found;
}

/** A checker states one invariant, in one sentence at its top. */
export function badChecker(text: string): string | undefined {
  const first = openingComment(text).split("\n\n")[0] ?? "";
  return /^[A-Z][^.]{15,}\.(\s|$)/.test(first) ? undefined : "does not open with the sentence of its invariant";
}
