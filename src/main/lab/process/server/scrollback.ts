/** The last of what a terminal has put out, for whoever comes back to it: bounded, and cut where a line ends. */

/** Characters kept of one terminal. Some thousands of lines. */
export const SCROLLBACK_CHARS_MAX = 256 << 10;
/** Pieces are let go whole; smaller ones are put together up to this. */
const PIECE_CHARS = 8 << 10;

/** A program draws on a screen of its own, or no longer. */
const SCREEN = /\u001b\[\?(?:1049|1047|47)([hl])/g;

export class Scrollback {
  private pieces: string[] = [];
  private chars = 0;
  private dropped = false;
  /** Where the first piece begins a program had a screen of its own. */
  private ownScreen = false;

  add(text: string): void {
    const last = this.pieces.length - 1;
    const piece = this.pieces[last];
    if (piece !== undefined && piece.length + text.length <= PIECE_CHARS) this.pieces[last] = piece + text;
    else this.pieces.push(text);
    this.chars += text.length;
    while (this.chars > SCROLLBACK_CHARS_MAX) this.drop();
  }

  private drop(): void {
    const first = this.pieces.shift() ?? "";
    this.chars -= first.length;
    this.dropped = true;
    const switched = [...first.matchAll(SCREEN)].at(-1);
    if (switched !== undefined) this.ownScreen = switched[1] === "h";
    // One piece may be longer than all that is kept.
    if (this.pieces.length > 0) return;
    const kept = first.slice(-PIECE_CHARS);
    this.pieces.push(kept);
    this.chars = kept.length;
  }

  /** What draws the same again on an empty terminal. */
  text(): string {
    const all = this.pieces.join("");
    if (!this.dropped) return all;
    const rest = all.slice(all.indexOf("\n") + 1);
    return this.ownScreen ? `\u001b[?1049h${rest}` : rest;
  }
}
