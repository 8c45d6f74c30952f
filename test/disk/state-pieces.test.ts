/** State whose files' contents lie elsewhere: it is the same when it is read, holds each piece once, and is refused where a piece is missing, has changed or was never listed. */
import { beforeEach, describe, expect, it } from "vitest";
import { Damaged } from "../../src/engine/host/disk/database.ts";
import { Rng, type Piece } from "../../src/engine/kernel/index.ts";
import { contentHash } from "../../src/engine/machine/files/index.ts";
import { NoState, packState, STATE_DEPTH_MAX } from "../../src/main/lab/store/state-codec.ts";
import { NoPiece, packWithPieces, piecesReferred, unpackWithPieces, type PieceStore } from "../../src/main/lab/store/state-pieces.ts";

class Store implements PieceStore {
  readonly file = "/lab/contents.db";
  readonly pieces = new Map<string, Uint8Array>();

  keep(pieces: readonly Piece[]): void {
    for (const { hash, data } of pieces) this.pieces.set(hash, data);
  }

  get(hash: string): Uint8Array {
    const data = this.pieces.get(hash);
    if (data === undefined) throw new Damaged(this.file, `the piece ${hash} of a file's contents is missing`);
    return data;
  }
}

const text = (seed: string, length: number): Uint8Array => {
  const rng = Rng.from(seed);
  return new Uint8Array(length).map(() => rng.u32() & 0xff);
};
const piece = (data: Uint8Array): Piece => ({ hash: contentHash(data), data });

/** Plain state of every shape, with pieces that come again and again. */
function anyState(rng: Rng, known: readonly Piece[], depth = 0): unknown {
  const below = (n: number): number => rng.u32() % n;
  const some = (count: number): unknown[] => Array.from({ length: below(count) }, () => anyState(rng, known, depth + 1));
  switch (depth > 5 ? below(6) : below(10)) {
    case 0:
      return below(2) === 0 ? undefined : null;
    case 1:
      return below(1e9) / 7;
    case 2:
      return `text ${below(1000)}`;
    case 3:
      return text(String(below(20)), below(3) === 0 ? 4096 + below(60_000) : below(300));
    case 4:
    case 5:
      return known[below(known.length)];
    case 6:
      return some(6);
    case 7:
      return new Map(some(6).map((value, i) => [i, value]));
    case 8:
      return new Set(Array.from({ length: below(5) }, (_, i) => i));
    default:
      return Object.fromEntries(some(6).map((value, i) => [`k${i}`, value]));
  }
}

/** In the codec's bytes, which say every kind of value and the order of keys: a comparison of long byte strings one by one would take a minute. */
const bytesOf = (state: unknown): Buffer => Buffer.from(packState(state));
const same = (a: unknown, b: unknown): boolean => bytesOf(a).equals(bytesOf(b));

let store: Store;
beforeEach(() => {
  store = new Store();
});

describe("state with files' contents", () => {
  it("is the same when it is read, from a store and without one, and is not changed by being written: 300 states", () => {
    const known = Array.from({ length: 12 }, (_, i) => piece(text(`piece ${i}`, [0, 1, 31, 32, 33, 500, 5000, 16_384][i % 8] ?? 0)));
    let referred = 0;
    for (let seed = 0; seed < 300; seed++) {
      const make = (): unknown => ["a", "b", "c", "d", "e", "f"].map((part) => anyState(Rng.from(part, String(seed)), known));
      const state = make();
      const bytes = packWithPieces(state, store);
      expect([seed, same(state, make()), same(unpackWithPieces(bytes, store), state)]).toEqual([seed, true, true]);
      referred += piecesReferred(bytes).length;
      const whole = packWithPieces(state, undefined);
      expect(piecesReferred(whole)).toEqual([]);
      expect([seed, same(unpackWithPieces(whole, undefined), state)]).toEqual([seed, true]);
    }
    expect(referred).toBeGreaterThan(500);
    for (const [hash, data] of store.pieces) expect(contentHash(data)).toBe(hash);
  });

  it("has each piece once, however often it comes, and a long byte string in the pieces of the file that holds it", () => {
    const long = text("long", 100_000);
    const pieces = Array.from({ length: 7 }, (_, i) => piece(long.slice(16_384 * i, 16_384 * (i + 1))));
    const state = { act: { data: long }, again: long.slice(), disks: Array.from({ length: 50 }, () => pieces.map((p) => ({ ...p }))) };
    const bytes = packWithPieces(state, store);
    expect([...store.pieces.keys()]).toEqual(pieces.map((p) => p.hash));
    expect(piecesReferred(bytes)).toEqual(pieces.map((p) => p.hash));
    expect(bytes.length).toBeLessThan(5000);
    expect(packWithPieces(state, undefined).length).toBeLessThan(105_000);
    expect(same(unpackWithPieces(bytes, store), state)).toBe(true);
  });

  it("keeps what is no piece of a file where it is: short ones, and what its hash does not fit", () => {
    const short = piece(text("s", 31));
    const state = [short, { hash: "0".repeat(32), data: text("t", 2000) }, { ...piece(text("u", 2000)), size: 1 }];
    expect(piecesReferred(packWithPieces(state, store))).toEqual([]);
    expect(packWithPieces(state, store)).toEqual(packState(state));
    expect(unpackWithPieces(packWithPieces(state, undefined), undefined)).toStrictEqual(state);
  });

  it("is refused where it holds what would be taken for a reference, or is nested without end", () => {
    const nested = (depth: number): unknown => (depth === 0 ? piece(text("x", 100)) : [nested(depth - 1)]);
    for (const state of [Uint32Array.of(0), [Int32Array.of(0)], nested(STATE_DEPTH_MAX + 1)]) {
      expect(() => packWithPieces([state, piece(text("y", 100))], store)).toThrow(NoState);
      expect(store.pieces.size).toBe(0);
    }
  });
});

describe("a piece that cannot be had", () => {
  const one = piece(text("one", 100));
  let bytes: Uint8Array;
  beforeEach(() => {
    bytes = packWithPieces({ one }, store);
  });

  it("is named with where it was looked for", () => {
    store.pieces.clear();
    expect(() => unpackWithPieces(bytes, store)).toThrow(
      new NoPiece(`/lab/contents.db is damaged: the piece ${one.hash} of a file's contents is missing`),
    );
    store.pieces.set(one.hash, text("two", 100));
    expect(() => unpackWithPieces(bytes, store)).toThrow(
      new NoPiece(`/lab/contents.db is damaged: the piece ${one.hash} of a file's contents is not what its hash says`),
    );
    expect(() => unpackWithPieces(bytes, undefined)).toThrow(
      new NoPiece(`the piece ${one.hash} of a file's contents lies in the store of a lab`),
    );
  });

  it("is named where it came along and is another one", () => {
    const whole = Buffer.from(packWithPieces({ one }, undefined));
    const at = whole.indexOf(one.data);
    whole.writeUInt8(whole.readUInt8(at) ^ 1, at);
    expect(() => unpackWithPieces(whole, undefined)).toThrow(
      new NoPiece(`the piece ${one.hash} of a file's contents is not what its hash says`),
    );
  });

  it("is no trouble of the piece where the store itself cannot be asked", () => {
    store.get = () => {
      throw new Error("database is locked");
    };
    expect(() => unpackWithPieces(bytes, store)).toThrow("database is locked");
    expect(() => unpackWithPieces(bytes, store)).not.toThrow(NoPiece);
  });
});

describe("bytes that somebody else made", () => {
  const part = (body: Uint8Array): Uint8Array => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  const data = text("made", 16_384);
  const listed = packState([Uint8Array.from(Buffer.from(contentHash(data), "hex")), [data]]);
  const made = (table: Uint8Array, state: unknown): Uint8Array => Buffer.concat([Buffer.from([0xc1]), part(table), packState(state, true)]);

  it.each<[string, Uint8Array]>([
    ["of a table cut short", Buffer.from([0xc1, 0, 0])],
    ["of a table longer than what is there", Buffer.from([0xc1, 0xff, 0xff, 0xff, 0xff, 0x90])],
    ["of a table of nothing", made(packState(null), 1)],
    ["of hashes that are none", made(packState([new Uint8Array(15), null]), 1)],
    ["of pieces that are none", made(packState([new Uint8Array(16), ["x"]]), 1)],
    ["of a piece that is not listed", made(listed, Uint32Array.of(1))],
    ["of a piece before the first", made(listed, Int32Array.of(-1))],
    ["of two pieces where one must be", made(listed, Uint32Array.of(0, 0))],
    [
      "of more bytes than a state may have",
      made(
        listed,
        Int32Array.from({ length: 65_537 }, () => 0),
      ),
    ],
  ])("are refused: %s", (_what, bytes) => {
    const before = process.memoryUsage().rss;
    expect(() => unpackWithPieces(bytes, undefined)).toThrow(NoState);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it("are refused where a reference stands in what has no table", () => {
    expect(() => unpackWithPieces(packState(Uint32Array.of(0), true), store)).toThrow(NoState);
    expect(() => packState(Uint32Array.of(), true)).toThrow(NoState);
  });
});
