/**
 * The six packets of the Totem single-ring protocol and their bytes. In the real stack: the structs of totemsrp.c (magic 0xC070, version 3, type,
 * encapsulated flag, node id, target). Field order and widths are ours; names and meaning are corosync's. Left out: byte-order conversion
 * (every lab node is little-endian) and the system_from address list (knet needs node ids only).
 */
import { ByteReader, ByteWriter, ShortPacket } from "../kernel/index.ts";
import type { RingId } from "./types.ts";

export const MAGIC = 0xc070;
export const VERSION = 3;
/** Node id in the header of a join that says goodbye. */
export const LEAVE_NODEID = 0;

export const ORF_TOKEN = 0;
export const MCAST = 1;
export const MERGE_DETECT = 2;
export const JOIN = 3;
export const COMMIT_TOKEN = 4;
export const HOLD_CANCEL = 5;

export interface RtrItem {
  ring: RingId;
  seq: number;
}

/** The circulating token. `seq`: highest message number assigned; `aru`: all-received-up-to; `aruAddr` 0: nobody lowers it. */
export interface OrfToken {
  type: typeof ORF_TOKEN;
  seq: number;
  tokenSeq: number;
  aru: number;
  aruAddr: number;
  ring: RingId;
  backlog: number;
  fcc: number;
  retransFlg: boolean;
  rtr: RtrItem[];
}

/** An application message, or, `encapsulated`, one of the old ring carried through recovery (`payload` is then its whole packet). */
export interface Mcast {
  readonly type: typeof MCAST;
  readonly encapsulated: boolean;
  /** Originator. */
  readonly from: number;
  readonly seq: number;
  readonly ring: RingId;
  readonly payload: Uint8Array;
}

export interface MergeDetect {
  type: typeof MERGE_DETECT;
  from: number;
  ring: RingId;
}

export interface Join {
  type: typeof JOIN;
  /** Sender. */
  from: number;
  /** Header node id is LEAVE_NODEID. */
  leave: boolean;
  ringSeq: number;
  proc: number[];
  failed: number[];
}

export interface CommitEntry {
  ring: RingId;
  aru: number;
  highDelivered: number;
  receivedFlg: boolean;
}

export interface CommitToken {
  type: typeof COMMIT_TOKEN;
  tokenSeq: number;
  ring: RingId;
  retransFlg: boolean;
  /** How many entries are filled in. */
  membIndex: number;
  addrs: number[];
  entries: CommitEntry[];
}

export interface HoldCancel {
  type: typeof HOLD_CANCEL;
  from: number;
  ring: RingId;
}

export type TotemMessage = OrfToken | Mcast | MergeDetect | Join | CommitToken | HoldCancel;

/** Sequence numbers start at 0; a new token's aru is -1, which travels as ffffffff. Wrap-around past 2^31 messages in one ring is left out. */
const signed = (v: number): number => v | 0;

function header(w: ByteWriter, type: number, encapsulated: boolean, nodeId: number): ByteWriter {
  return w
    .u16(MAGIC)
    .u8(VERSION)
    .u8(type)
    .u8(encapsulated ? 1 : 0)
    .u32(nodeId)
    .u32(0);
}

function putRing(w: ByteWriter, ring: RingId): ByteWriter {
  return w.u32(ring.rep).u64(ring.seq);
}

function putIds(w: ByteWriter, ids: readonly number[]): void {
  w.u32(ids.length);
  for (const id of ids) w.u32(id);
}

export function encodeToken(t: OrfToken): Uint8Array {
  const w = header(new ByteWriter(), ORF_TOKEN, false, 0).u32(t.seq).u32(t.tokenSeq).u32(t.aru).u32(t.aruAddr);
  putRing(w, t.ring)
    .u32(t.backlog)
    .u32(t.fcc)
    .u8(t.retransFlg ? 1 : 0)
    .u32(t.rtr.length);
  for (const item of t.rtr) putRing(w, item.ring).u32(item.seq);
  return w.done();
}

/** Whether a packet is the ring's token, and not one that forms a ring. */
export function isOrfToken(packet: Uint8Array): boolean {
  return packet[3] === ORF_TOKEN;
}

export function encodeMcast(m: Mcast): Uint8Array {
  const w = header(new ByteWriter(), MCAST, m.encapsulated, m.from).u32(m.seq);
  return putRing(w, m.ring).blob(m.payload).done();
}

export function encodeMergeDetect(from: number, ring: RingId): Uint8Array {
  return putRing(header(new ByteWriter(), MERGE_DETECT, false, from), ring).done();
}

export function encodeHoldCancel(from: number, ring: RingId): Uint8Array {
  return putRing(header(new ByteWriter(), HOLD_CANCEL, false, from), ring).done();
}

export function encodeJoin(j: Join): Uint8Array {
  const w = header(new ByteWriter(), JOIN, false, j.leave ? LEAVE_NODEID : j.from)
    .u32(j.from)
    .u64(j.ringSeq);
  putIds(w, j.proc);
  putIds(w, j.failed);
  return w.done();
}

export function encodeCommit(c: CommitToken): Uint8Array {
  const w = header(new ByteWriter(), COMMIT_TOKEN, false, 0).u32(c.tokenSeq);
  putRing(w, c.ring)
    .u8(c.retransFlg ? 1 : 0)
    .u32(c.membIndex);
  putIds(w, c.addrs);
  for (const e of c.entries)
    putRing(w, e.ring)
      .u32(e.aru)
      .u32(e.highDelivered)
      .u8(e.receivedFlg ? 1 : 0);
  return w.done();
}

function ring(r: ByteReader): RingId {
  const rep = r.u32();
  return { rep, seq: r.u64() };
}

function ids(r: ByteReader): number[] {
  const n = r.u32();
  if (n * 4 > r.left) throw new ShortPacket("list longer than its packet");
  const out: number[] = [];
  for (let i = 0; i < n; i++) out.push(r.u32());
  return out;
}

/** The type byte of a packet, without decoding the rest; undefined where it is no Totem packet. */
export function messageType(packet: Uint8Array): number | undefined {
  return packet.length >= 13 && packet[0] === (MAGIC & 0xff) && packet[1] === MAGIC >>> 8 && packet[2] === VERSION ? packet[3] : undefined;
}

function decodeToken(r: ByteReader): OrfToken {
  const seq = r.u32();
  const tokenSeq = r.u32();
  const aru = signed(r.u32());
  const aruAddr = r.u32();
  const ringId = ring(r);
  const backlog = signed(r.u32());
  const fcc = signed(r.u32());
  const retransFlg = r.u8() === 1;
  const rtr: RtrItem[] = [];
  for (let n = r.u32(); n > 0; n--) rtr.push({ ring: ring(r), seq: r.u32() });
  return { type: ORF_TOKEN, seq, tokenSeq, aru, aruAddr, ring: ringId, backlog, fcc, retransFlg, rtr };
}

function decodeCommit(r: ByteReader): CommitToken {
  const tokenSeq = r.u32();
  const ringId = ring(r);
  const retransFlg = r.u8() === 1;
  const membIndex = r.u32();
  const addrs = ids(r);
  const entries = addrs.map((): CommitEntry => ({
    ring: ring(r),
    aru: signed(r.u32()),
    highDelivered: r.u32(),
    receivedFlg: r.u8() === 1,
  }));
  return { type: COMMIT_TOKEN, tokenSeq, ring: ringId, retransFlg, membIndex, addrs, entries };
}

/**
 * Decodes one packet.
 * @returns undefined for bytes that are no Totem packet of this version; the receiver drops those
 */
export function decode(packet: Uint8Array): TotemMessage | undefined {
  const type = messageType(packet);
  if (type === undefined) return undefined;
  const r = new ByteReader(packet);
  r.raw(4);
  const encapsulated = r.u8() === 1;
  const nodeId = r.u32();
  r.u32();
  try {
    switch (type) {
      case ORF_TOKEN:
        return decodeToken(r);
      case MCAST: {
        const seq = r.u32();
        const ringId = ring(r);
        return Object.freeze({ type: MCAST, encapsulated, from: nodeId, seq, ring: Object.freeze(ringId), payload: r.blob() });
      }
      case MERGE_DETECT:
        return { type: MERGE_DETECT, from: nodeId, ring: ring(r) };
      case HOLD_CANCEL:
        return { type: HOLD_CANCEL, from: nodeId, ring: ring(r) };
      case JOIN: {
        const from = r.u32();
        const ringSeq = r.u64();
        return { type: JOIN, from, leave: nodeId === LEAVE_NODEID, ringSeq, proc: ids(r), failed: ids(r) };
      }
      case COMMIT_TOKEN:
        return decodeCommit(r);
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof ShortPacket) return undefined;
    throw error;
  }
}
