/**
 * State whose files' contents lie elsewhere: a piece of a file is in the state only as a number in a table of hashes, and its bytes are in the lab's store or, once each, beside
 * the table, for a state that is to be read in another lab. Byte strings of BYTES_MIN and more (an act that writes a file) are cut into pieces as a file is, so that they share
 * them. What is shorter than its reference stays where it is.
 *
 *     0  1  0xc1, which no msgpack begins with (state without pieces is msgpack alone)
 *     1  4  bytes of the table
 *     5     table: [hashes of 16 bytes each in one string, the pieces or null where they are in the store] (msgpack), state (msgpack)
 */
import { Damaged } from "../../../engine/host/disk/database.ts";
import { FILE_CHUNK_BYTES, type Piece } from "../../../engine/kernel/index.ts";
import { contentHash } from "../../../engine/machine/files/index.ts";
import { NoState, packState, STATE_DEPTH_MAX, unpackState } from "./state-codec.ts";

/** Where pieces are that state files refer to. */
export interface PieceStore {
  readonly file: string;
  /** When it returns they are there, whatever happens to the computer. */
  keep(pieces: readonly Piece[]): void;
  /** Throws Damaged where the piece is not there or has changed. */
  get(hash: string): Uint8Array;
}

/** What a state refers to is not there, or not what its hash says. */
export class NoPiece extends Error {}

const TABLE_FOLLOWS = 0xc1;
const TABLE_AT = 5;
const HASH_BYTES = 16;
/** A reference takes about as many: its hash in the table, and its number. */
const PIECE_MIN = 32;
/** Longer than a datagram of any network here: what is on its way for an instant does not go into the store. */
const BYTES_MIN = 4096;
/** Of the byte strings that are put together from pieces again: no more than a state may have bytes. */
const JOINED_MAX = 1024 * 1024 * 1024;

type Plain = Record<string, unknown>;

function isPlain(value: object): value is Plain {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Hashes of bytes that never change, so that a state that is saved again and again costs only what is new in it. */
const known = new WeakMap<Uint8Array, string>();

/** {hash, data} under a hash that is right; anything else of that shape is not taken for a piece of a file. */
function isPiece(value: Plain): boolean {
  const { hash, data } = value;
  if (typeof hash !== "string" || !(data instanceof Uint8Array) || Object.keys(value).length !== 2) return false;
  let found = known.get(data);
  if (found === undefined) known.set(data, (found = contentHash(data)));
  return found === hash;
}

/** Takes the pieces out of a state, which stays as it is: what changes is copied. */
class Taking {
  readonly pieces: Piece[] = [];
  private readonly numbers = new Map<string, number>();
  /** Byte strings so far: one that comes again is the same list. */
  private readonly lists = new Map<Uint8Array, Int32Array>();
  private joined = 0;

  private number(piece: Piece): number {
    let number = this.numbers.get(piece.hash);
    if (number === undefined) {
      number = this.pieces.push(piece) - 1;
      this.numbers.set(piece.hash, number);
    }
    return number;
  }

  value(value: unknown, depth = 0): unknown {
    if (typeof value !== "object" || value === null) return value;
    // Deeper than this it is refused in a moment.
    if (depth > STATE_DEPTH_MAX) return value;
    if (value instanceof Uint8Array) return this.bytes(value);
    if (value instanceof Int32Array || value instanceof Uint32Array) throw new NoState("it holds a kind of value that no state has");
    if (Array.isArray(value)) return this.list(value, depth);
    if (value instanceof Map) return this.map(value, depth);
    return isPlain(value) ? this.object(value, depth) : value;
  }

  private bytes(data: Uint8Array): unknown {
    if (data.length < BYTES_MIN) return data;
    const same = this.lists.get(data);
    if (same !== undefined) return same;
    this.joined += data.length;
    if (this.joined > JOINED_MAX) throw new NoState(`its byte strings have more than ${JOINED_MAX} bytes`);
    const numbers: number[] = [];
    for (let at = 0; at < data.length; at += FILE_CHUNK_BYTES) {
      const part = data.subarray(at, at + FILE_CHUNK_BYTES);
      numbers.push(this.number({ hash: contentHash(part), data: part }));
    }
    const list = Int32Array.from(numbers);
    this.lists.set(data, list);
    return list;
  }

  private list(values: readonly unknown[], depth: number): readonly unknown[] {
    let out: unknown[] | undefined;
    for (const [i, value] of values.entries()) {
      const next = this.value(value, depth + 1);
      if (next === value) continue;
      out ??= values.slice();
      out[i] = next;
    }
    return out ?? values;
  }

  private map(values: ReadonlyMap<unknown, unknown>, depth: number): ReadonlyMap<unknown, unknown> {
    return new Map([...values].map(([key, value]) => [key, this.value(value, depth + 1)]));
  }

  private object(value: Plain, depth: number): unknown {
    if (isPiece(value)) {
      const piece = value as unknown as Piece;
      return piece.data.length < PIECE_MIN ? value : Uint32Array.of(this.number(piece));
    }
    let changed = false;
    const entries = Object.entries(value).map(([key, before]): [string, unknown] => {
      const after = this.value(before, depth + 1);
      changed ||= after !== before;
      return [key, after];
    });
    return changed ? Object.fromEntries(entries) : value;
  }
}

/** Puts pieces back into a state that nobody else has. Its depth has been looked at. */
class Putting {
  /** Byte strings so far by the numbers of their pieces: one that comes again is the same. */
  private readonly strings = new Map<string, Uint8Array>();
  private joined = 0;

  constructor(private readonly pieces: readonly Piece[]) {}

  private piece(number: number): Piece {
    const piece = this.pieces[number];
    if (piece === undefined) throw new NoState("it refers to a piece that it does not list");
    return piece;
  }

  value(value: unknown): unknown {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Set) return value;
    if (value instanceof Uint32Array) {
      if (value.length !== 1) throw new NoState("a piece is expected where a list of pieces stands");
      return this.piece(value[0] ?? 0);
    }
    if (value instanceof Int32Array) return this.bytes(value);
    if (Array.isArray(value)) {
      const list: unknown[] = value;
      for (const [i, before] of list.entries()) list[i] = this.value(before);
    } else if (value instanceof Map) for (const [key, before] of value) value.set(key, this.value(before));
    else {
      const object = value as Plain;
      for (const key of Object.keys(object)) object[key] = this.value(object[key]);
    }
    return value;
  }

  private bytes(numbers: Int32Array): Uint8Array {
    const key = numbers.join(" ");
    const same = this.strings.get(key);
    if (same !== undefined) return same;
    const parts = Array.from(numbers, (number) => this.piece(number).data);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.joined += length;
    if (this.joined > JOINED_MAX) throw new NoState(`its byte strings have more than ${JOINED_MAX} bytes`);
    const out = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    this.strings.set(key, out);
    return out;
  }
}

/**
 * A state as bytes. Throws NoState, and whatever the store throws.
 * @param store has the pieces before this returns; undefined: they come along, so that the bytes can be read anywhere
 */
export function packWithPieces(value: unknown, store: PieceStore | undefined): Uint8Array {
  const taking = new Taking();
  const rest = taking.value(value);
  const { pieces } = taking;
  if (pieces.length === 0) return packState(value);
  const hashes = Buffer.from(pieces.map(({ hash }) => hash).join(""), "hex");
  const table = packState([Uint8Array.from(hashes), store === undefined ? pieces.map(({ data }) => data) : null]);
  const state = packState(rest, true);
  store?.keep(pieces);
  const front = Buffer.alloc(TABLE_AT);
  front.writeUInt8(TABLE_FOLLOWS, 0);
  front.writeUInt32BE(table.length, 1);
  return Buffer.concat([front, table, state]);
}

interface Table {
  readonly hashes: readonly string[];
  readonly own: readonly Uint8Array[] | null;
  /** Where the state begins. */
  readonly end: number;
}

/** Undefined where the state has no pieces. */
function tableOf(bytes: Uint8Array): Table | undefined {
  if (bytes[0] !== TABLE_FOLLOWS) return undefined;
  const front = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = front.length < TABLE_AT ? 0 : TABLE_AT + front.readUInt32BE(1);
  if (end === 0 || end > front.length) throw new NoState("it ends in the middle of its table of pieces");
  const table = unpackState(front.subarray(TABLE_AT, end));
  const [names, own]: readonly unknown[] = Array.isArray(table) ? table : [];
  const whole = own === null || (Array.isArray(own) && own.every((data) => data instanceof Uint8Array));
  if (!(names instanceof Uint8Array) || names.length % HASH_BYTES !== 0 || !whole) throw new NoState("its table of pieces is none");
  const text = Buffer.from(names).toString("hex");
  const hashes = Array.from({ length: names.length / HASH_BYTES }, (_, i) => text.slice(2 * HASH_BYTES * i, 2 * HASH_BYTES * (i + 1)));
  // As looked at just now.
  return { hashes, own: own as Uint8Array[] | null, end };
}

function pieceFrom({ hashes, own }: Table, number: number, store: PieceStore | undefined): Piece {
  const hash = hashes[number] ?? "";
  if (own === null && store === undefined) throw new NoPiece(`the piece ${hash} of a file's contents lies in the store of a lab`);
  let data: Uint8Array | undefined;
  try {
    data = own === null ? store?.get(hash) : own[number];
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new NoPiece(error.message);
  }
  if (data === undefined || contentHash(data) !== hash) {
    const where = own === null && store !== undefined ? `${store.file} is damaged: ` : "";
    throw new NoPiece(`${where}the piece ${hash} of a file's contents is not what its hash says`);
  }
  return { hash, data };
}

/** Throws NoState; NoPiece for a piece that cannot be had, with its hash and where it was looked for. */
export function unpackWithPieces(bytes: Uint8Array, store: PieceStore | undefined): unknown {
  const table = tableOf(bytes);
  if (table === undefined) return unpackState(bytes);
  const state = unpackState(bytes.subarray(table.end), true);
  const pieces = table.hashes.map((_, number) => pieceFrom(table, number, store));
  return new Putting(pieces).value(state);
}

/** Hashes of the pieces that a state needs from the store. Throws NoState. */
export function piecesReferred(bytes: Uint8Array): readonly string[] {
  const table = tableOf(bytes);
  return table?.own === null ? table.hashes : [];
}
