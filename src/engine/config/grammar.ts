/**
 * The line grammar of corosync.conf, as coroparse reads it: `name {` opens a section, `}` alone on a line closes it, `key: value` sets. Blanks
 * and tabs around are trimmed, a line whose first visible character is `#` is a comment. After an error the real parser stops; this one notes it,
 * skips the line and goes on, so that a checker can name all of them; the first in the list is the daemon's verdict. Linear time; never throws.
 * Left out: bytes after a NUL in lines longer than the daemon's line buffer.
 */
import type { Conf, ConfEntry, ConfError, ConfSection } from "./ast.ts";
import { EXIT_MAIN_CONFIG } from "./ast.ts";
import type { ReleaseProfile } from "./release.ts";

/** Bytes of one line, without its line end. corosync: a buffer of 512 with line feed and NUL. */
export const LINE_BYTES_MAX = 510;

/** corosync: ICMAP_KEYNAME_MAXLEN; a path must stay below it. */
export const KEY_NAME_MAX = 255;

/** Errors one parse reports; later ones are left out. Ours: a person mends a few at a time. */
export const ERRORS_MAX = 200;

interface OpenSection {
  readonly name: string;
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly entries: ConfEntry[];
  /** Opened by a line that is an error: its body is read, and dropped. */
  readonly dropped: boolean;
}

/** Length of `text` in UTF-8, bytes. */
export function utf8Length(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    // a surrogate pair is four bytes: two for each half
    n += c < 0x80 ? 1 : c < 0x800 || (c >= 0xd800 && c < 0xe000) ? 2 : 3;
  }
  return n;
}

function isBlank(c: string | undefined): boolean {
  return c === " " || c === "\t";
}

/** What is left of a no-break space of UTF-8 once its second byte, A0, has been taken for a blank: its first, which is no character. */
const HALF_NO_BREAK = "\uFFFD";

/** Without blanks at the end. */
function trimEnd(line: string, blankA0: boolean): string {
  let end = line.length;
  while (end > 0 && isBlank(line[end - 1])) end--;
  if (blankA0 && line[end - 1] === "\u00A0") return line.slice(0, end - 1) + HALF_NO_BREAK;
  return line.slice(0, end);
}

/** Names lose blanks, and colons at their end, as long as one character is left: `totem: {` opens `totem`. */
function trimName(text: string): string {
  let from = 0;
  while (isBlank(text[from])) from++;
  let to = text.length;
  while (to - from > 1 && (isBlank(text[to - 1]) || text[to - 1] === ":")) to--;
  return text.slice(from, to);
}

function indent(line: string): number {
  let i = 0;
  while (isBlank(line[i])) i++;
  return i;
}

class Reader {
  readonly errors: ConfError[] = [];

  constructor(private readonly profile: Pick<ReleaseProfile, "blankA0">) {}

  private readonly stack: OpenSection[] = [{ name: "", path: "", line: 0, column: 0, entries: [], dropped: false }];

  error(line: number, column: number, text: string): void {
    if (this.errors.length < ERRORS_MAX) this.errors.push({ line, column, text, exitCode: EXIT_MAIN_CONFIG });
  }

  private get top(): OpenSection {
    const top = this.stack[this.stack.length - 1];
    if (top === undefined) throw new Error("config: the section stack lost its root");
    return top;
  }

  line(raw: string, no: number): void {
    let line = raw;
    const nul = line.indexOf("\0");
    if (nul > 0) return this.error(no, nul + 1, "Line too long");
    if (nul === 0) return;
    if (line.length > LINE_BYTES_MAX || utf8Length(line) > LINE_BYTES_MAX) return this.error(no, LINE_BYTES_MAX + 1, "Line too long");
    if (line.endsWith("\r")) line = line.slice(0, -1);
    line = trimEnd(line, this.profile.blankA0);
    const first = indent(line);
    if (first === line.length || line[first] === "#") return;
    const brace = line.indexOf("{");
    if (brace >= 0) return this.open(line, brace, first, no);
    const colon = line.indexOf(":");
    if (colon >= 0) return this.key(line, colon, first, no);
    if (line.indexOf("}") >= 0) return this.close(line, first, no);
    this.error(no, first + 1, "Line is not opening or closing section or key value");
  }

  private open(line: string, brace: number, first: number, no: number): void {
    const name = trimName(line.slice(0, brace));
    const parent = this.top;
    const path = parent.path === "" ? name : `${parent.path}.${name}`;
    let bad: string | undefined;
    let column = first + 1;
    if (name === "") bad = "Missing section name before opening bracket '{'";
    else if (brace + 1 < line.length) {
      bad = "Extra characters after opening bracket '{'";
      column = brace + 2;
    } else if (utf8Length(parent.path) + utf8Length(name) + 1 >= KEY_NAME_MAX) bad = "Start of section makes total cmap path too long";
    if (bad !== undefined) this.error(no, column, bad);
    // `name { }` on one line is one mistake, not two
    if (bad !== undefined && line.indexOf("}", brace) >= 0) return;
    const dropped = parent.dropped || bad !== undefined;
    this.stack.push({ name, path: dropped ? parent.path : path, line: no, column: first + 1, entries: [], dropped });
  }

  private key(line: string, colon: number, first: number, no: number): void {
    let at = colon + 1;
    while (isBlank(line[at])) at++;
    // The daemon cuts the key one character before the value, so `: x` leaves the colon as the key and `:x` an empty one.
    const name = trimName(line.slice(0, at - 1));
    const parent = this.top;
    if (utf8Length(parent.path) + utf8Length(name) + 1 >= KEY_NAME_MAX) {
      return this.error(no, first + 1, "New key makes total cmap path too long");
    }
    parent.entries.push(Object.freeze({ kind: "key", name, value: line.slice(at), line: no, column: first + 1, valueColumn: at + 1 }));
  }

  private close(line: string, first: number, no: number): void {
    if (line.length !== first + 1) return this.error(no, first + 1, "Extra characters before or after closing bracket '}'");
    if (this.stack.length === 1) return this.error(no, first + 1, "Unexpected closing brace");
    this.pop(no);
  }

  private pop(endLine: number | undefined): void {
    const done = this.top;
    this.stack.pop();
    if (done.dropped) return;
    this.top.entries.push(
      freezeSection({ kind: "section", name: done.name, entries: done.entries, line: done.line, column: done.column, endLine }),
    );
  }

  end(lines: number, lastColumn: number): Conf {
    if (this.stack.length > 1) this.error(Math.max(lines, 1), lastColumn, "Missing closing brace");
    while (this.stack.length > 1) this.pop(undefined);
    return Object.freeze({ entries: Object.freeze(this.top.entries), lines });
  }
}

function freezeSection(section: ConfSection): ConfSection {
  Object.freeze(section.entries);
  return Object.freeze(section);
}

/** Lines and sections of `text`. Errors in the order of the file. */
export function readLines(text: string, profile: Pick<ReleaseProfile, "blankA0">): { conf: Conf; errors: ConfError[] } {
  const reader = new Reader(profile);
  let no = 0;
  let at = 0;
  let lastColumn = 1;
  while (at < text.length) {
    const next = text.indexOf("\n", at);
    const end = next < 0 ? text.length : next;
    no++;
    reader.line(text.slice(at, end), no);
    lastColumn = end - at + 1;
    at = end + 1;
  }
  const conf = reader.end(no, lastColumn);
  return { conf, errors: reader.errors };
}
