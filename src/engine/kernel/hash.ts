/**
 * The rolling hash behind trace digests and state digests: two 32-bit lanes in pure integer arithmetic, so that every host and every Node
 * version computes the same 16 hex digits. It detects differences; it is not a cryptographic hash and guards no secret.
 */

/** From here on it pays to read four bytes at a time. */
const LONG_BYTES_MIN = 256;

export class Hasher {
  private a = 0x9e3779b9;
  private b = 0x85ebca6b;

  /** Mixes one integer: its low 32 bits, and whatever lies above them (instants need 53 bits). */
  int(n: number): this {
    this.word(n | 0);
    if (n > 0x7fffffff || n < -0x80000000) this.word(Math.floor(n / 4_294_967_296) | 0);
    return this;
  }

  private word(w: number): void {
    let a = this.a ^ w;
    a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
    let b = (this.b + w) | 0;
    b = Math.imul(b ^ (b >>> 13), 0x297a2d39);
    this.a = (a ^ (a >>> 12) ^ (b << 7)) | 0;
    this.b = (b ^ (b >>> 15) ^ (a >>> 9)) | 0;
  }

  bool(value: boolean): this {
    this.word(value ? 1 : 2);
    return this;
  }

  bytes(data: Uint8Array): this {
    const n = data.length;
    let a = 0x811c9dc5 ^ n;
    let b = 0x2545f491;
    let i = 0;
    // Long packets are hashed once per receiver, so this loop is among the hottest of the engine: four lanes that do not wait for each other.
    if (n >= LONG_BYTES_MIN) {
      const view = new DataView(data.buffer, data.byteOffset, n);
      let c = 0x9e3779b9;
      let d = 0x85ebca6b;
      for (const end = n & ~15; i < end; i += 16) {
        a = Math.imul(a ^ view.getInt32(i, true), 0x01000193);
        b = Math.imul(b ^ view.getInt32(i + 4, true), 0x01000193);
        c = Math.imul(c ^ view.getInt32(i + 8, true), 0x01000193);
        d = Math.imul(d ^ view.getInt32(i + 12, true), 0x01000193);
      }
      a ^= Math.imul(c ^ (c >>> 15), 0x2c1b3c6d);
      b ^= Math.imul(d ^ (d >>> 13), 0x297a2d39);
    }
    for (const end = n & ~3; i < end; i += 4) {
      const w = (data[i] as number) | ((data[i + 1] as number) << 8) | ((data[i + 2] as number) << 16) | ((data[i + 3] as number) << 24);
      a = Math.imul(a ^ w, 0x01000193);
      b = (Math.imul(b, 31) + w) | 0;
    }
    for (; i < n; i++) {
      const w = data[i] as number;
      a = Math.imul(a ^ w, 0x01000193);
      b = (Math.imul(b, 31) + w) | 0;
    }
    this.word(a ^ (a >>> 15));
    this.word(b ^ (b >>> 13));
    return this;
  }

  text(value: string): this {
    const pair = value.length <= MEMO_TEXT_MAX ? remembered(value) : hashOfText(value);
    this.word(pair[0]);
    this.word(pair[1]);
    return this;
  }

  /** Sixteen lower-case hex digits of everything mixed so far. More may be mixed afterwards. */
  hex(): string {
    return hexOf(this.a) + hexOf(this.b);
  }

  snapshot(): [number, number] {
    return [this.a, this.b];
  }

  static restore(state: readonly [number, number]): Hasher {
    const h = new Hasher();
    h.a = state[0];
    h.b = state[1];
    return h;
  }
}

/** Two hex digits of every byte: a digest is asked for with every message delivered. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hexOf(word: number): string {
  const digits = (shift: number): string => HEX[(word >>> shift) & 0xff] ?? "";
  return digits(24) + digits(16) + digits(8) + digits(0);
}

/** The digest of one byte string, 16 hex digits. */
export function hashBytes(data: Uint8Array): string {
  return new Hasher().bytes(data).hex();
}

/** Names of networks, addresses, phases and units are hashed over and over: what they come to is remembered, up to so many texts of so many characters. */
const MEMO_TEXT_MAX = 24;
const MEMO_MAX = 2048;
const memo = new Map<string, readonly [number, number]>();

function remembered(text: string): readonly [number, number] {
  let pair = memo.get(text);
  if (pair === undefined) {
    pair = hashOfText(text);
    if (memo.size >= MEMO_MAX) memo.clear();
    memo.set(text, pair);
  }
  return pair;
}

/** Two 32-bit numbers that stand for a text, whatever was mixed before it. */
function hashOfText(text: string): readonly [number, number] {
  let a = 0x811c9dc5 ^ text.length;
  let b = 0x2545f491;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 0x01000193);
    b = (Math.imul(b, 31) + c) | 0;
  }
  return [a ^ (a >>> 15), b ^ (b >>> 13)];
}
