/**
 * Plain state as bytes and back: msgpack, and of msgpack only what plain state needs. Bytes are looked through before anything is made of them, so that no file, whoever wrote
 * it, costs more than its own length or becomes anything but plain state: no class, no code, no cycle, nothing nested without end. What is written is looked through as well:
 * a value that could not be read again is refused when it is written.
 */
import { Packr } from "msgpackr";

/** Arrays in arrays: a snapshot of a world has some 20. */
export const STATE_DEPTH_MAX = 96;

/** Why bytes are no state, or a value cannot be written as one. */
export class NoState extends Error {}

/** The codec's own extensions of msgpack: fixext 1 of these types, and typed arrays. */
const EXT_UNDEFINED = 0x00;
const EXT_RECORD = 0x72;
const EXT_SET = 0x73;
const EXT_TYPED_ARRAY = 0x74;
/** Uint8Array, Int32Array and Uint32Array among the typed arrays. */
const TYPED_UINT8 = 1;
const TYPED_INT32 = 5;
const TYPED_UINT32 = 6;

/** Records (objects of the same keys) are numbered in this range, where plain msgpack has the integers from 64 to 127. */
const RECORD_FIRST = 0x40;
const RECORD_LAST = 0x7f;

/** Walks over the bytes of one value without making anything of them. */
class Scan {
  private at = 0;
  /** Keys of each record that has been said. */
  private readonly records = new Map<number, number>();
  private readonly view: DataView;

  /** @param references lists of numbers may stand in it (state-pieces.ts) */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly references: boolean,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws NoState. */
  all(): void {
    this.value(0);
    if (this.at !== this.bytes.length) throw new NoState(`${this.bytes.length - this.at} bytes are left over`);
  }

  private take(count: number): number {
    const from = this.at;
    if (count > this.bytes.length - from) throw new NoState("it ends in the middle of a value");
    this.at = from + count;
    return from;
  }

  private uint(width: 1 | 2 | 4): number {
    const from = this.take(width);
    return width === 1 ? this.view.getUint8(from) : width === 2 ? this.view.getUint16(from) : this.view.getUint32(from);
  }

  private many(count: number, depth: number): void {
    // Each takes a byte at least: a count cannot ask for more than is there.
    if (count > this.bytes.length - this.at) throw new NoState("a list is said to be longer than what is there");
    for (let i = 0; i < count; i++) this.value(depth + 1);
  }

  private value(depth: number): void {
    if (depth > STATE_DEPTH_MAX) throw new NoState(`it is nested deeper than ${STATE_DEPTH_MAX}`);
    const token = this.uint(1);
    if (token < RECORD_FIRST || token >= 0xe0) return;
    if (token <= RECORD_LAST) return this.record(token, depth);
    if (token < 0x90) return this.many(2 * (token & 0x0f), depth);
    if (token < 0xa0) return this.many(token & 0x0f, depth);
    if (token < 0xc0) return void this.take(token & 0x1f);
    this.long(token, depth);
  }

  private record(id: number, depth: number): void {
    const keys = this.records.get(id);
    if (keys === undefined) throw new NoState("a record is used that was not said before");
    this.many(keys, depth);
  }

  private long(token: number, depth: number): void {
    switch (token) {
      case 0xc0: // null
      case 0xc2: // false
      case 0xc3: // true
        return;
      case 0xc4: // byte strings
      case 0xd9: // text
        return void this.take(this.uint(1));
      case 0xc5:
      case 0xda:
        return void this.take(this.uint(2));
      case 0xc6:
      case 0xdb:
        return void this.take(this.uint(4));
      case 0xc7: // extensions with a length
        return this.typedArray(this.uint(1));
      case 0xc8:
        return this.typedArray(this.uint(2));
      case 0xc9:
        return this.typedArray(this.uint(4));
      case 0xcc: // numbers
      case 0xd0:
        return void this.take(1);
      case 0xcd:
      case 0xd1:
        return void this.take(2);
      case 0xce:
      case 0xd2:
        return void this.take(4);
      case 0xcb:
        return void this.take(8);
      case 0xd4:
        return this.extension(depth);
      case 0xdc: // lists
        return this.many(this.uint(2), depth);
      case 0xdd:
        return this.many(this.uint(4), depth);
      case 0xde: // maps
        return this.many(2 * this.uint(2), depth);
      case 0xdf:
        return this.many(2 * this.uint(4), depth);
      default:
        throw new NoState(`it holds a kind of value (0x${token.toString(16)}) that no state has`);
    }
  }

  private typedArray(length: number): void {
    const type = this.uint(1);
    const from = this.take(length);
    const kind = this.bytes[from];
    if (type === EXT_TYPED_ARRAY && length >= 1 && kind === TYPED_UINT8) return;
    const numbers = length >= 5 && length % 4 === 1 && (kind === TYPED_INT32 || kind === TYPED_UINT32);
    if (!this.references || type !== EXT_TYPED_ARRAY || !numbers)
      throw new NoState(`it holds a kind of value (extension 0x${type.toString(16)}) that no state has`);
  }

  private extension(depth: number): void {
    const type = this.uint(1);
    const filler = this.uint(1);
    if (type === EXT_RECORD) return this.say(filler, depth);
    if (filler !== 0 || (type !== EXT_UNDEFINED && type !== EXT_SET))
      throw new NoState(`it holds a kind of value (extension 0x${type.toString(16)}) that no state has`);
    if (type === EXT_SET) this.list(depth, () => this.value(depth + 1));
  }

  /** A record is said with its first use. */
  private say(id: number, depth: number): void {
    if (id < RECORD_FIRST || id > RECORD_LAST) throw new NoState("a record has a number that there is not");
    this.records.delete(id);
    const keys = this.list(depth, () => this.key());
    this.records.set(id, keys);
    this.many(keys, depth);
  }

  /** A list and nothing else; its length. */
  private list(depth: number, item: () => void): number {
    if (depth > STATE_DEPTH_MAX) throw new NoState(`it is nested deeper than ${STATE_DEPTH_MAX}`);
    const token = this.uint(1);
    const short = token >= 0x90 && token < 0xa0;
    if (!short && token !== 0xdc && token !== 0xdd) throw new NoState("a list is expected where something else stands");
    const count = short ? token & 0x0f : this.uint(token === 0xdc ? 2 : 4);
    if (count > this.bytes.length - this.at) throw new NoState("a list is said to be longer than what is there");
    for (let i = 0; i < count; i++) item();
    return count;
  }

  /** The key of a record: a text, and not the one that stands for an object's class. */
  private key(): void {
    const token = this.uint(1);
    const short = token >= 0xa0 && token < 0xc0;
    if (!short && (token < 0xd9 || token > 0xdb)) throw new NoState("a record has a key that is no text");
    const length = short ? token & 0x1f : this.uint(token === 0xd9 ? 1 : token === 0xda ? 2 : 4);
    const from = this.take(length);
    if (length === PROTO.length && PROTO.every((byte, i) => this.bytes[from + i] === byte))
      throw new NoState("a record has the key __proto__");
  }
}

const PROTO = new TextEncoder().encode("__proto__");

/** Each file has its own: what one says of its records is nothing to another. Byte arrays stay byte arrays, maps maps and sets sets. */
function coder(): Packr {
  return new Packr({ moreTypes: true });
}

/**
 * Throws NoState for a value that no state has: a bigint, a date, numbers in a typed array, a key `__proto__`. What has a class of its own, or is a function, is in no
 * snapshot: whoever takes one sees to that (kernel/clone.ts).
 * @param references Int32Array and Uint32Array may stand in it, which are references then and no state
 */
export function packState(value: unknown, references = false): Uint8Array {
  const bytes = coder().pack(value);
  new Scan(bytes, references).all();
  return bytes;
}

/** Throws NoState. */
export function unpackState(bytes: Uint8Array, references = false): unknown {
  new Scan(bytes, references).all();
  try {
    return coder().unpack(bytes);
  } catch (error) {
    throw new NoState(error instanceof Error ? error.message : String(error));
  }
}
