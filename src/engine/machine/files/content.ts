/**
 * What a file holds: pieces of at most FILE_CHUNK_BYTES, each with the hash of its bytes as its name, so that disks, snapshots and records can say the name and keep the
 * bytes once. A piece that is not there reads as zeros, and so does what is missing at a piece's end. In the real stack: pages and extents. The hash has 128 bits; it tells
 * contents apart that nobody made to collide, and guards no secret.
 */
import { FILE_CHUNK_BYTES } from "../../kernel/index.ts";
import { cutFrom, eachFrom, emptyMap, getAt, setAt, type IntMap } from "./int-map.ts";

export interface Chunk {
  readonly hash: string;
  /** Immutable. */
  readonly data: Uint8Array;
}

export type Content = IntMap<Chunk>;

export const NO_CONTENT: Content = emptyMap();

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

function mixed(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const hex = (x: number): string => (x >>> 0).toString(16).padStart(8, "0");

/** 32 hex digits that name a byte string: four lanes of 32 bits, each multiplied, rotated and added to its neighbour for every 16 bytes. */
export function contentHash(data: Uint8Array): string {
  const n = data.length;
  let [a, b, c, d] = [0x243f6a88, 0x85a308d3 | 0, 0x13198a2e, 0x03707344];
  const word = (i: number): number =>
    (data[i] ?? 0) | ((data[i + 1] ?? 0) << 8) | ((data[i + 2] ?? 0) << 16) | ((data[i + 3] ?? 0) << 24) | 0;
  const whole = n & ~15;
  for (let i = 0; i < whole; i += 16) {
    const w = (data[i] as number) | ((data[i + 1] as number) << 8) | ((data[i + 2] as number) << 16) | ((data[i + 3] as number) << 24);
    const x = (data[i + 4] as number) | ((data[i + 5] as number) << 8) | ((data[i + 6] as number) << 16) | ((data[i + 7] as number) << 24);
    const y =
      (data[i + 8] as number) | ((data[i + 9] as number) << 8) | ((data[i + 10] as number) << 16) | ((data[i + 11] as number) << 24);
    const z =
      (data[i + 12] as number) | ((data[i + 13] as number) << 8) | ((data[i + 14] as number) << 16) | ((data[i + 15] as number) << 24);
    a = (Math.imul(rotate(a ^ Math.imul(rotate(Math.imul(w, 0x9e3779b1), 15), 0x85ebca77), 19) + b, 5) + 0x561ccd1b) | 0;
    b = (Math.imul(rotate(b ^ Math.imul(rotate(Math.imul(x, 0xc2b2ae3d), 16), 0x27d4eb2f), 17) + c, 5) + 0x0bcaa747) | 0;
    c = (Math.imul(rotate(c ^ Math.imul(rotate(Math.imul(y, 0x165667b1), 17), 0xd3a2646d), 15) + d, 5) + 0x96cd1c35) | 0;
    d = (Math.imul(rotate(d ^ Math.imul(rotate(Math.imul(z, 0xfd7046c5), 18), 0xb55a4f09), 13) + a, 5) + 0x32ac3b17) | 0;
  }
  if (whole < n) {
    a ^= Math.imul(rotate(Math.imul(word(whole), 0x9e3779b1), 15), 0x85ebca77);
    b ^= Math.imul(rotate(Math.imul(word(whole + 4), 0xc2b2ae3d), 16), 0x27d4eb2f);
    c ^= Math.imul(rotate(Math.imul(word(whole + 8), 0x165667b1), 17), 0xd3a2646d);
    d ^= Math.imul(rotate(Math.imul(word(whole + 12), 0xfd7046c5), 18), 0xb55a4f09);
  }
  // Every lane reaches every other twice, so that each digit depends on each byte.
  for (let round = 0; round < 2; round++) {
    a = mixed((a ^ n) + b + c + d);
    b = mixed(b + Math.imul(a, 0x9e3779b1));
    c = mixed(c + Math.imul(b, 0xc2b2ae3d));
    d = mixed(d + Math.imul(c, 0x165667b1));
  }
  return hex(a) + hex(b) + hex(c) + hex(d);
}

export function chunkOf(data: Uint8Array): Chunk {
  return { hash: contentHash(data), data };
}

/** Bytes `at` … `at + length`; the caller has cut it at the file's size. */
export function readContent(content: Content, at: number, length: number): Uint8Array {
  const first = Math.floor(at / FILE_CHUNK_BYTES);
  const inside = at - first * FILE_CHUNK_BYTES;
  const one = getAt(content, first)?.data;
  // Within one piece nothing is copied: its bytes never change.
  if (one !== undefined && inside + length <= one.length) return one.subarray(inside, inside + length);
  const out = new Uint8Array(length);
  for (let index = first; index * FILE_CHUNK_BYTES < at + length; index++) {
    const data = getAt(content, index)?.data;
    if (data === undefined) continue;
    const start = Math.max(0, at - index * FILE_CHUNK_BYTES);
    const end = Math.min(data.length, at + length - index * FILE_CHUNK_BYTES);
    if (start < end) out.set(data.subarray(start, end), index * FILE_CHUNK_BYTES + start - at);
  }
  return out;
}

/** What stands in piece `index` after `data` is written into it from its byte `at` on. */
export function patched(old: Chunk | undefined, at: number, data: Uint8Array): Chunk {
  const before = old?.data;
  const bytes = new Uint8Array(Math.max(before?.length ?? 0, at + data.length));
  if (before !== undefined) bytes.set(before);
  bytes.set(data, at);
  return chunkOf(bytes);
}

/** Entries of a file's list of pieces for `n` pieces that are not there. */
const hole = (n: number): string => `-${n}`;

/** The list of pieces as a disk's row has it: hashes, and `-N` for N pieces in a row that are not there. */
export function pieceList(content: Content): string[] {
  const list: string[] = [];
  let next = 0;
  eachFrom(content, 0, (chunk, index) => {
    if (index > next) list.push(hole(index - next));
    list.push(chunk.hash);
    next = index + 1;
  });
  return list;
}

/** The pieces of a row's list; undefined where one of them cannot be had. */
export function contentOf(list: readonly string[], chunks: (hash: string) => Uint8Array | undefined): Content | undefined {
  let content = NO_CONTENT;
  let index = 0;
  for (const item of list) {
    if (item.startsWith("-")) {
      index += Number(item.slice(1));
      continue;
    }
    const data = chunks(item);
    if (data === undefined) return undefined;
    content = setAt(content, index++, { hash: item, data });
  }
  return content;
}

/** The pieces of a file cut to `length` bytes. */
export function cutContent(content: Content, length: number): Content {
  const index = Math.floor(length / FILE_CHUNK_BYTES);
  const inside = length - index * FILE_CHUNK_BYTES;
  const edge = getAt(content, index);
  const kept = cutFrom(content, inside === 0 ? index : index + 1);
  if (inside === 0 || edge === undefined || edge.data.length <= inside) return kept;
  return setAt(kept, index, chunkOf(edge.data.slice(0, inside)));
}

/** Blocks of 4 KiB that a piece takes. */
export function blocksOf(chunk: Chunk | undefined): number {
  return chunk === undefined ? 0 : (chunk.data.length + 4095) >> 12;
}
