/**
 * Terms that say nothing to a stranger who knows corosync, systemd, Unix and testing: found in a file's name, its identifiers and its comments. Strings and
 * the text of a page are left alone: they are written for the person who reads them there.
 */
import { parse } from "svelte/compiler";
import ts from "typescript";

/** No part of an identifier or of a file's name, and nothing in a comment, is one of these. */
export const bannedTerms: ReadonlySet<string> = new Set([
  "bench",
  "benches",
  "court",
  "courts",
  "crew",
  "crews",
  "deed",
  "deeds",
  "ear",
  "ears",
  "fresh",
  "hands",
  "letters",
  "life",
  "lives",
  "mover",
  "plausible",
  "rack",
  "racks",
  "seat",
  "seats",
  "shelf",
  "shelve",
  "shelved",
  "shelves",
  "staff",
  "twin",
  "twins",
  "unshelve",
  "vary",
  "words",
]);

/**
 * Files that still have such terms, or the beginnings of their paths. test/tidy looks whether each has any, so that the list can only shrink.
 */
export const notYetClean: readonly string[] = [];

/** Measuring how fast something is goes by its usual name, in these files and where they are spoken of. */
const benchmarkFiles = /^(scripts\/bench\.mjs|test\/bench\/)/;
const benchmarkMentions = /npm run bench|scripts\/bench|test\/bench|\bbench\.(mjs|ts)\b|"bench"/g;

/** `tokenTimeoutMs`, `token_coefficient`, `EVENTS_MAX` in parts, in lower case. */
function partsOf(name: string): string[] {
  return name
    .split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .filter((part) => part !== "")
    .map((part) => part.toLowerCase());
}

interface Piece {
  readonly at: number;
  readonly text: string;
}

/** Each banned term as "line: term in what"; a file's name has line 0. */
export function vocabularyFaults(path: string, text: string): string[] {
  const found: string[] = [];
  const allowed = (term: string): boolean => term === "bench" && benchmarkFiles.test(path);
  const look = (piece: string, line: number): void => {
    for (const part of partsOf(piece.replace(benchmarkMentions, "")))
      if (bannedTerms.has(part) && !allowed(part)) found.push(`${line}: ${part} in ${piece.trim().split("\n")[0] ?? ""}`);
  };
  // The folder of the page's sentences is called after what is in it.
  look(path.replace(/^src\/renderer\/src\/words\//, ""), 0);
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  const lineAt = (at: number): number => lineStarts.findLastIndex((start) => start <= at) + 1;
  const { identifiers, comments } = path.endsWith(".svelte") ? svelteParts(text) : scriptParts(path, text);
  for (const { at, text: name } of identifiers) look(name, lineAt(at));
  for (const { at, text: comment } of comments) comment.split("\n").forEach((line, i) => look(line, lineAt(at) + i));
  return found;
}

interface Parts {
  readonly identifiers: readonly Piece[];
  readonly comments: readonly Piece[];
}

function scriptParts(path: string, text: string): Parts {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, path.endsWith(".mjs") ? ts.ScriptKind.JS : ts.ScriptKind.TS);
  const identifiers: Piece[] = [];
  const comments = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) identifiers.push({ at: node.getStart(source), text: node.text });
    if (node.getChildCount(source) === 0)
      for (const { pos, end } of [
        ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
        ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
      ])
        comments.set(pos, text.slice(pos, end));
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return { identifiers, comments: [...comments].map(([at, comment]) => ({ at, text: comment })) };
}

/** The syntax tree of a component as far as it is looked at. */
function svelteParts(text: string): Parts {
  const identifiers: Piece[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== "object" || value === null) return;
    const node = value as Record<string, unknown>;
    if (node["type"] === "Identifier" && typeof node["name"] === "string" && typeof node["start"] === "number")
      identifiers.push({ at: node["start"], text: node["name"] });
    for (const [key, child] of Object.entries(node)) if (key !== "loc" && key !== "metadata") visit(child);
  };
  visit(parse(text, { modern: true }));
  const comments = [...text.matchAll(/<!--[\s\S]*?-->|\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g)].map((m) => ({ at: m.index, text: m[0] }));
  return { identifiers, comments };
}
