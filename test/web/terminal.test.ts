/** What a page's terminal is given to draw: everything a program means is drawn as ever, and no few bytes keep the page busy. xterm itself is the judge. */
import fc from "fast-check";
import xterm from "@xterm/headless";
import { describe, expect, test } from "vitest";
import { Tamed } from "../../src/renderer/src/dock/tamed.ts";

const SCREEN = { cols: 80, rows: 24 };
const FINALS = [..."@ABCDEFGHIJKLMPSTXZ`abcdefgmr"];

interface Drawn {
  readonly lines: string[];
  readonly cursor: readonly [number, number];
  /** The largest count each final character came with. */
  readonly counts: ReadonlyMap<string, number>;
}

async function drawn(pieces: readonly string[]): Promise<Drawn> {
  const term = new xterm.Terminal({ ...SCREEN, scrollback: 200, allowProposedApi: true });
  const counts = new Map<string, number>();
  for (const final of FINALS)
    term.parser.registerCsiHandler({ final }, (params) => {
      counts.set(final, Math.max(counts.get(final) ?? 0, ...params.flat()));
      return false;
    });
  for (const piece of pieces) term.write(piece);
  await new Promise<void>((done) => term.write("", done));
  const buffer = term.buffer.active;
  const lines = Array.from({ length: buffer.length }, (_, y) => buffer.getLine(y)?.translateToString(true) ?? "");
  const cursor = [buffer.cursorX, buffer.cursorY] as const;
  term.dispose();
  return { lines, cursor, counts };
}

const tamed = (chunks: readonly string[]): string[] => {
  const tame = new Tamed(() => SCREEN);
  return chunks.flatMap((chunk) => tame.pieces(chunk));
};

/** The text in as many chunks as its length, or fewer. */
const cut = (text: string, at: readonly number[]): string[] => {
  const places = [0, ...at.map((n) => n % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((end, i) => text.slice(places[i], end));
};

describe("the terminal's text", () => {
  const small = fc.integer({ min: 0, max: 20 });
  const part = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."abc xyz é→界🙂") }),
    fc.constantFrom(
      "\r\n",
      "\t",
      "\b",
      "\x1b7",
      "\x1b8",
      "\x1bM",
      "e\u0301",
      "\x1b]0;title\x07",
      "\x1b[?25l",
      "\x1b[?1049h",
      "\x1b[38;2;1;200;3m",
      "\x1b[38:5:200m",
    ),
    fc.tuple(small, fc.constantFrom(...FINALS)).map(([n, final]) => `\x1b[${n}${final}`),
    fc.tuple(small, small).map(([y, x]) => `\x1b[${y};${x}H`),
  );

  test("is drawn as it is, however it is cut into chunks", async () => {
    const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(10_000), { maxLength: 12 }), async (whole, at) => {
        const plain = await drawn([whole]);
        const same = await drawn(tamed(cut(whole, at)));
        expect([same.lines, same.cursor]).toEqual([plain.lines, plain.cursor]);
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  test("counts go no further than the screen, also with controls inside of a sequence and when it is cut", async () => {
    const digits = fc.array(fc.constantFrom(..."0123456789", "\n", "\x7f", "\0"), { minLength: 3, maxLength: 400 }).map((d) => d.join(""));
    const wild = fc.tuple(fc.constantFrom("\x1b[", "\x9b"), fc.array(digits, { minLength: 1, maxLength: 3 }), fc.constantFrom(...FINALS));
    const text = fc
      .array(
        wild.map(([start, numbers, final]) => `A${start}${numbers.join(";")}${final}`),
        { maxLength: 6 },
      )
      .map((all) => all.join(""));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(10_000), { maxLength: 6 }), async (whole, at) => {
        const { counts } = await drawn(tamed(cut(whole, at)));
        for (const [final, count] of counts) {
          const most = "LMST".includes(final)
            ? SCREEN.rows
            : "@PXIZ".includes(final)
              ? SCREEN.cols
              : final === "b"
                ? SCREEN.cols * SCREEN.rows
                : 9_999;
          expect([final, count <= most]).toEqual([final, true]);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
  });

  test.each(["\x1b[10000000b", "\x1b[2147483647S", "\x1b[2147483647T", "\x1b[2147483647L", "\x1b[2147483647I"])(
    "%j is over at once",
    async (sequence) => {
      expect((await drawn(tamed([`A${sequence}`, "done\r\n"]))).counts.size).toBe(1);
    },
  );

  test("a letter wears some marks, wherever the chunks end, and the next one its own", async () => {
    const { lines } = await drawn(tamed(["a", "\u0301".repeat(60_000), "\u0301\u200d".repeat(20_000), "bc\u0301"]));
    expect(lines[0]).toBe(`a${"\u0301".repeat(16)}bc\u0301`);
  });

  test("long text comes in pieces, between which the page gets its turn", () => {
    const pieces = tamed(["\x1b[5L".repeat(50_000)]);
    expect(pieces.length).toBeGreaterThan(90);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(2_048);
    expect(pieces.join("")).toBe("\x1b[5L".repeat(50_000));
  });
});
