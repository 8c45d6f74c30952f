/** The pieces a word is expanded into, and what the parts of expansion need of each other. */
import type { Word } from "unbash";
import type { Cells } from "./arithmetic.ts";
import type { Context } from "./shell.ts";

/** Text of a word: quoted (nothing more happens to it), raw (subject to splitting and patterns), pattern (typed `*`), or a border between fields. */
export interface Piece {
  readonly kind: "quoted" | "raw" | "pattern" | "border";
  readonly text: string;
}

export interface WordExpander {
  pieces(ctx: Context, word: Word): Promise<Piece[]>;
  /** One string, without splitting or file names. */
  text(ctx: Context, word: Word): Promise<string>;
  /** The word as a pattern: what was quoted stands for itself. */
  pattern(ctx: Context, word: Word): Promise<string>;
  cells(ctx: Context): Cells;
}

/** `$@`, `$*`, `${a[@]}`, `${a[*]}`. */
export function listPieces(ctx: Context, list: readonly string[], star: string, quoted: boolean): Piece[] {
  const kind = quoted ? "quoted" : "raw";
  if (star === "*" && quoted) return [{ kind, text: list.join((ctx.shell.get("IFS") ?? " ").charAt(0)) }];
  const out: Piece[] = [];
  for (const [index, text] of list.entries()) {
    if (index > 0) out.push({ kind: "border", text: "" });
    out.push({ kind, text });
  }
  return out;
}
