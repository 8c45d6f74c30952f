/** The text being edited: characters and a cursor, and the movements and deletions of an emacs-style line. */

const isWord = (char: string | undefined): boolean => char !== undefined && /[\p{L}\p{N}_]/u.test(char);

export class Buffer {
  chars: string[] = [];
  cursor = 0;
  killed = "";

  get text(): string {
    return this.chars.join("");
  }

  set(text: string): void {
    this.chars = [...text];
    this.cursor = this.chars.length;
  }

  insert(text: string): void {
    const chars = [...text];
    this.chars.splice(this.cursor, 0, ...chars);
    this.cursor += chars.length;
  }

  move(to: number): void {
    this.cursor = Math.min(this.chars.length, Math.max(0, to));
  }

  /** Takes out a range and keeps it for `yank`. */
  kill(from: number, to: number): void {
    if (to > from) this.killed = this.chars.slice(from, to).join("");
    this.remove(from, to);
  }

  remove(from: number, to: number): void {
    this.chars.splice(from, to - from);
    this.cursor = Math.min(from, this.chars.length);
  }

  wordLeft(): number {
    let at = this.cursor;
    while (at > 0 && !isWord(this.chars[at - 1])) at--;
    while (at > 0 && isWord(this.chars[at - 1])) at--;
    return at;
  }

  wordRight(): number {
    let at = this.cursor;
    while (at < this.chars.length && !isWord(this.chars[at])) at++;
    while (at < this.chars.length && isWord(this.chars[at])) at++;
    return at;
  }

  /** Start of the blank-separated word before the cursor (Ctrl-W). */
  blankLeft(): number {
    let at = this.cursor;
    while (at > 0 && /\s/.test(this.chars[at - 1] ?? "")) at--;
    while (at > 0 && !/\s/.test(this.chars[at - 1] ?? "")) at--;
    return at;
  }

  transpose(): void {
    if (this.cursor === 0 || this.chars.length < 2) return;
    const at = this.cursor === this.chars.length ? this.cursor - 1 : this.cursor;
    const [a, b] = [this.chars[at - 1], this.chars[at]];
    if (a === undefined || b === undefined) return;
    this.chars[at - 1] = b;
    this.chars[at] = a;
    this.cursor = at + 1;
  }
}
