/**
 * What a terminal is given to draw, tamed: a few bytes of a file or a banner must not keep the page busy for minutes. Counts of control sequences go as far as the screen does,
 * a letter wears no more than some marks, and what is long comes in pieces between which the page gets its turn. Our own: xterm takes any count as it comes.
 */

/** Whatever fits no screen: sequences with a meaning of their own for large numbers do not exist. */
const NUMBER_MAX = 9_999;
/** A sequence longer than this is nobody's; the rest of it is dropped. */
const SEQUENCE_MAX = 256;
/** Marks on one letter. Text of any language has at most a few. */
const MARKS_MAX = 16;
/** Characters of one piece. */
const PIECE_MAX = 2_048;

export interface Screen {
  readonly cols: number;
  readonly rows: number;
}

// C0 controls may stand inside of a sequence: they act at once, and the sequence goes on. DEL is ignored there.
const sequences = /(?:\x1b\[|\x9b)([\x00-\x17\x19\x1c-\x1f0-?\x7f]*)([\x00-\x17\x19\x1c-\x1f -/\x7f]*)([@-~])/g;
const unfinished = /(?:\x1b\[|\x9b)[\x00-\x17\x19\x1c-\x1f -?\x7f]*$|\x1b$/;
const controls = /[\x00-\x17\x19\x1c-\x1f]/g;
const marks = /[\p{M}\p{Cf}\u1160-\u11ff]+/gu;

/** How far a sequence's count is of use. */
function countMax(final: string, { cols, rows }: Screen): number {
  if ("LMST".includes(final)) return rows;
  if ("@PXIZ".includes(final)) return cols;
  return final === "b" ? Math.min(NUMBER_MAX, cols * rows) : NUMBER_MAX;
}

export class Tamed {
  /** The beginning of a sequence whose end has not come. */
  private held = "";
  /** Marks that the last letter so far wears. */
  private worn = 0;

  constructor(private readonly screen: () => Screen) {}

  /** What to draw for `data`, in pieces. */
  pieces(data: string): string[] {
    const whole = this.held + this.undressed(data);
    const from = whole.search(unfinished);
    this.held = from < 0 ? "" : whole.slice(from, from + SEQUENCE_MAX);
    const text = (from < 0 ? whole : whole.slice(0, from)).replace(sequences, (_, numbers: string, between: string, final: string) =>
      this.bounded(numbers, between, final),
    );
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += PIECE_MAX) pieces.push(text.slice(at, at + PIECE_MAX));
    return pieces;
  }

  private bounded(numbers: string, between: string, final: string): string {
    const most = countMax(final, this.screen());
    const acting = [...(numbers + between).matchAll(controls)].join("");
    const plain = (text: string): string => text.replace(controls, "").replaceAll("\x7f", "");
    const fewer = plain(numbers)
      .slice(0, SEQUENCE_MAX)
      .replace(/\d+/g, (digits) => String(Math.min(Number(digits), most)));
    return `${acting}\x1b[${fewer}${plain(between)}${final}`;
  }

  private undressed(data: string): string {
    const carried = this.worn;
    let tail = 0;
    const text = data.replace(marks, (run: string, at: number) => {
      const room = Math.max(0, MARKS_MAX - (at === 0 ? carried : 0));
      const kept = [...run];
      if (at + run.length === data.length) tail = (at === 0 ? carried : 0) + kept.length;
      return kept.length > room ? kept.slice(0, room).join("") : run;
    });
    this.worn = Math.min(tail, MARKS_MAX);
    return text;
  }
}
