/**
 * Reading and writing the packets that cross the fabric. Integers are little-endian, as on the hosts the real stack runs on. Packets are
 * immutable once sent: everybody may share them, nobody may write to them.
 */

/** Buffers of writers that are done, for the next ones: a packet costs one allocation, that of its own bytes. */
const spare: Uint8Array[] = [];
const SPARE_MAX = 8;
const SPARE_BYTES_MAX = 1 << 17;
const SPENT = new Uint8Array(0);

/** Packets are cut from pieces of memory like this: an allocation of its own costs more than most packets do. */
const SLAB_BYTES = 1 << 14;
/** Larger ones are allocated alone, so that what keeps one small packet keeps no more than a slab. */
const CUT_BYTES_MAX = 1 << 11;
/** Copied byte by byte up to here; beyond it a call is faster. */
const LOOP_BYTES_MAX = 64;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

/** Room for a packet of exactly `n` bytes, all zero; its maker writes to it before anybody else has it. */
export function newPacket(n: number): Uint8Array {
  if (n > CUT_BYTES_MAX) return new Uint8Array(n);
  if (slabUsed + n > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += n;
  return slab.subarray(at, at + n);
}

export function putU16(to: Uint8Array, at: number, value: number): void {
  to[at] = value & 0xff;
  to[at + 1] = (value >>> 8) & 0xff;
}

export function putU32(to: Uint8Array, at: number, value: number): void {
  to[at] = value & 0xff;
  to[at + 1] = (value >>> 8) & 0xff;
  to[at + 2] = (value >>> 16) & 0xff;
  to[at + 3] = (value >>> 24) & 0xff;
}

/** A copy of the first `n` bytes. */
function cut(from: Uint8Array, n: number): Uint8Array {
  if (n > CUT_BYTES_MAX) return from.slice(0, n);
  const out = newPacket(n);
  if (n > LOOP_BYTES_MAX) out.set(from.subarray(0, n));
  else for (let i = 0; i < n; i++) out[i] = from[i] as number;
  return out;
}

/** A growing byte buffer. `done()` returns a copy of exactly the written length and ends the writer. */
export class ByteWriter {
  private buf = spare.pop() ?? new Uint8Array(2048);
  private n = 0;

  private room(extra: number): void {
    if (this.n + extra <= this.buf.length) return;
    if (this.buf === SPENT) throw new Error("this writer is done");
    let size = this.buf.length * 2;
    while (size < this.n + extra) size *= 2;
    const next = new Uint8Array(size);
    next.set(this.buf.subarray(0, this.n));
    this.buf = next;
  }

  u8(v: number): this {
    this.room(1);
    this.buf[this.n++] = v;
    return this;
  }

  u16(v: number): this {
    this.room(2);
    this.buf[this.n++] = v & 0xff;
    this.buf[this.n++] = (v >>> 8) & 0xff;
    return this;
  }

  u32(v: number): this {
    this.room(4);
    const b = this.buf;
    let n = this.n;
    b[n++] = v & 0xff;
    b[n++] = (v >>> 8) & 0xff;
    b[n++] = (v >>> 16) & 0xff;
    b[n++] = (v >>> 24) & 0xff;
    this.n = n;
    return this;
  }

  /** A non-negative integer below 2^53 in eight bytes. */
  u64(v: number): this {
    this.u32(v % 4_294_967_296);
    return this.u32(Math.floor(v / 4_294_967_296));
  }

  raw(data: Uint8Array): this {
    const size = data.length;
    this.room(size);
    if (size > LOOP_BYTES_MAX) this.buf.set(data, this.n);
    else for (let i = 0; i < size; i++) this.buf[this.n + i] = data[i] as number;
    this.n += size;
    return this;
  }

  /** Length (u32) and bytes. */
  blob(data: Uint8Array): this {
    return this.u32(data.length).raw(data);
  }

  /** Length (u32) and UTF-8. */
  text(value: string): this {
    if (!isAscii(value)) return this.blob(utf8(value));
    const size = value.length;
    this.u32(size);
    this.room(size);
    for (let i = 0; i < size; i++) this.buf[this.n + i] = value.charCodeAt(i);
    this.n += size;
    return this;
  }

  done(): Uint8Array {
    const out = cut(this.buf, this.n);
    if (spare.length < SPARE_MAX && this.buf.length <= SPARE_BYTES_MAX) spare.push(this.buf);
    this.buf = SPENT;
    this.n = 0;
    return out;
  }
}

/** Thrown when a packet is shorter than what it claims to hold. The receiver drops such a packet. */
export class ShortPacket extends Error {}

export class ByteReader {
  private at = 0;
  constructor(private readonly buf: Uint8Array) {}

  get left(): number {
    return this.buf.length - this.at;
  }

  private need(n: number): void {
    if (this.at + n > this.buf.length) throw new ShortPacket(`packet ends at ${this.buf.length}, ${n} bytes wanted at ${this.at}`);
  }

  u8(): number {
    this.need(1);
    return this.buf[this.at++] ?? 0;
  }

  u16(): number {
    this.need(2);
    const b = this.buf;
    const v = (b[this.at] ?? 0) | ((b[this.at + 1] ?? 0) << 8);
    this.at += 2;
    return v;
  }

  u32(): number {
    this.need(4);
    const b = this.buf;
    const i = this.at;
    this.at = i + 4;
    return ((b[i] ?? 0) | ((b[i + 1] ?? 0) << 8) | ((b[i + 2] ?? 0) << 16) | ((b[i + 3] ?? 0) << 24)) >>> 0;
  }

  u64(): number {
    const lo = this.u32();
    return lo + this.u32() * 4_294_967_296;
  }

  raw(n: number): Uint8Array {
    this.need(n);
    const out = this.buf.subarray(this.at, this.at + n);
    this.at += n;
    return out;
  }

  blob(): Uint8Array {
    return this.raw(this.u32());
  }

  text(): string {
    return fromUtf8(this.blob());
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** One after the other. A single piece is itself and no copy. */
export function joinedBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

const asciiOf = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
/** Names of groups and keys: below this a loop is faster than the decoder's call. */
const SHORT_TEXT_MAX = 48;

/** Never throws: bytes that are no UTF-8 become U+FFFD. */
export function fromUtf8(data: Uint8Array): string {
  if (data.length > SHORT_TEXT_MAX) return decoder.decode(data);
  let text = "";
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] as number;
    if (byte >= 0x80) return decoder.decode(data);
    text += asciiOf[byte] as string;
  }
  return text;
}
