/** Draws a prompt and the text behind it over as many rows as they need, and puts the cursor where it belongs. */

/** Columns a character takes. */
function width(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 32 || (code >= 0x300 && code <= 0x36f)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xff00 && code <= 0xff60) ||
    code >= 0x1f300;
  return wide ? 2 : 1;
}

/** Row and column after `text` was written from column 0. */
function place(text: string, cols: number): { row: number; col: number } {
  let [row, col] = [0, 0];
  for (const char of text) {
    if (char === "\n") {
      row++;
      col = 0;
      continue;
    }
    const w = width(char);
    if (col + w > cols) {
      row++;
      col = 0;
    }
    col += w;
    if (col >= cols) {
      row++;
      col = 0;
    }
  }
  return { row, col };
}

export class Screen {
  private row = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly cols: () => number,
  ) {}

  /** A new line: the cursor is at its start. */
  reset(): void {
    this.row = 0;
  }

  /** Shows `prompt` and `text` with the cursor before character `cursor` of the text; `below` stands under it. */
  draw(prompt: string, text: string, cursor: number, below = ""): void {
    const cols = Math.max(2, this.cols());
    const end = place(prompt + text, cols);
    const at = place(prompt + [...text].slice(0, cursor).join(""), cols);
    let out = `${this.row > 0 ? `\u001b[${this.row}A` : ""}\r\u001b[J${prompt}${text}`;
    // a full last row leaves the cursor behind its edge; a blank brings it to the next one
    if (end.col === 0 && prompt + text !== "" && !text.endsWith("\n")) out += " \r";
    let last = end.row;
    if (below !== "") {
      out += `\n${below}`;
      last += 1 + place(below, cols).row;
    }
    if (last > at.row) out += `\u001b[${last - at.row}A`;
    out += `\r${at.col > 0 ? `\u001b[${at.col}C` : ""}`;
    this.row = at.row;
    this.write(out);
  }

  /** The cursor goes to the line after the text. */
  leave(prompt: string, text: string): void {
    const cols = Math.max(2, this.cols());
    const end = place(prompt + text, cols);
    const down = end.row - this.row;
    this.write(`${down > 0 ? `\u001b[${down}B` : ""}\n`);
    this.row = 0;
  }

  /** Whether one more character at the end can simply be written. */
  fits(prompt: string, text: string, char: string): boolean {
    const cols = Math.max(2, this.cols());
    const before = place(prompt + text, cols);
    return width(char) > 0 && before.col + width(char) < cols;
  }
}
