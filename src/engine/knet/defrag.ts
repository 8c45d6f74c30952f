/**
 * Receiving data from one host: a window that drops what came twice, and the putting together of fragments. In the real stack: libknet's circular
 * buffers (_seq_num_lookup, KNET_CBUFFER_SIZE) and its defrag buffers (KNET_MAX_LINK fragments in 32 buffers a host).
 */
import { ByteWriter } from "../kernel/index.ts";

/** Numbers below the newest one that are remembered. libknet: 4096; fewer here, as a snapshot copies them. */
const WINDOW = 1024;
const BITMAP_LENGTH = WINDOW / 32;
const SEQ_MOD = 65_536;
/** Messages of one host that may be in pieces at a time (libknet: KNET_DEFRAG_BUFFERS). */
const DEFRAG_BUFFERS = 32;

export interface RxWindow {
  /** Newest number seen; -1 before the first. */
  newest: number;
  /** One bit a number, by number modulo WINDOW. */
  seen: number[];
  pieces: { seq: number; parts: (Uint8Array | undefined)[] }[];
}

export function newWindow(): RxWindow {
  return { newest: -1, seen: new Array<number>(BITMAP_LENGTH).fill(0), pieces: [] };
}

function bit(w: RxWindow, seq: number): boolean {
  const i = seq % WINDOW;
  return (((w.seen[i >>> 5] ?? 0) >>> (i & 31)) & 1) === 1;
}

function setBit(w: RxWindow, seq: number, on: boolean): void {
  const i = seq % WINDOW;
  const word = w.seen[i >>> 5] ?? 0;
  w.seen[i >>> 5] = on ? word | (1 << (i & 31)) : word & ~(1 << (i & 31));
}

/** Was `seq` complete before? A number far from the newest one means that the sender started anew, and so does the window. */
function isRepeat(w: RxWindow, seq: number): boolean {
  if (w.newest < 0) {
    w.newest = seq;
    return false;
  }
  const ahead = (seq - w.newest + SEQ_MOD) % SEQ_MOD;
  const behind = (w.newest - seq + SEQ_MOD) % SEQ_MOD;
  if (ahead > 0 && ahead < WINDOW) {
    for (let i = 1; i <= ahead; i++) setBit(w, (w.newest + i) % SEQ_MOD, false);
    w.newest = seq;
    // What is still in pieces when its number has left the window never gets whole, and its number comes again.
    if (w.pieces.length > 0) w.pieces = w.pieces.filter((p) => (seq - p.seq + SEQ_MOD) % SEQ_MOD < WINDOW);
    return false;
  }
  if (behind < WINDOW) return bit(w, seq);
  w.newest = seq;
  w.seen.fill(0);
  w.pieces = [];
  return false;
}

/** Takes one fragment; returns the whole message when it completes one for the first time. */
export function takeFragment(w: RxWindow, seq: number, fragments: number, index: number, bytes: Uint8Array): Uint8Array | undefined {
  if (isRepeat(w, seq)) return undefined;
  if (fragments === 1) {
    setBit(w, seq, true);
    return bytes;
  }
  let entry = w.pieces.find((p) => p.seq === seq);
  if (entry === undefined) {
    if (w.pieces.length >= DEFRAG_BUFFERS) w.pieces.shift();
    entry = { seq, parts: new Array<Uint8Array | undefined>(fragments).fill(undefined) };
    w.pieces.push(entry);
  }
  if (entry.parts.length !== fragments) return undefined;
  entry.parts[index] = bytes;
  if (entry.parts.includes(undefined)) return undefined;
  const out = new ByteWriter();
  for (const part of entry.parts) if (part !== undefined) out.raw(part);
  w.pieces = w.pieces.filter((p) => p !== entry);
  setBit(w, seq, true);
  return out.done();
}
