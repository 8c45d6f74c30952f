/**
 * The packets of kronosnet as the lab sends them: data (in fragments), ping, pong and path-MTU probes, each sealed with the cluster's key. In the real
 * stack: onwire_v1.h of libknet plus the crypto envelope. The envelope here is a key fingerprint: the lab shows what a wrong key does, it keeps no secret.
 */
import { ByteReader, ByteWriter, ShortPacket, newPacket, putU16, putU32 } from "../kernel/index.ts";
import { HEADER, dataWire, sealKey, sealOfEnvelope, type SealKey } from "./seal.ts";

export const DATA = 1;
export const PING = 2;
export const PONG = 3;
export const PMTUD = 4;
export const PMTUD_REPLY = 5;
/** Data that would be shorter on a real wire. */
export const COMPRESSED = 6;

/** What a compressed packet has on a real wire, bytes. */
interface CompressedSizes {
  /** This fragment. */
  wire: number;
  /** All fragments together. */
  total: number;
}

export type KnetPacket =
  | ({ type: typeof DATA; from: number; seq: number; fragments: number; index: number; bytes: Uint8Array } & Partial<CompressedSizes>)
  /** `seq`: of the last data packet to this host; 0: none since the process began. */
  | { type: typeof PING; from: number; sentAt: number; seq: number }
  | { type: typeof PONG; from: number; sentAt: number }
  | { type: typeof PMTUD; from: number; size: number }
  | { type: typeof PMTUD_REPLY; from: number; size: number };

const VERSION = 1;
function seal(key: Readonly<SealKey>, type: number, from: number): ByteWriter {
  return new ByteWriter()
    .u32(key[0])
    .u32(key[1])
    .u8(VERSION | (key[2] << 4))
    .u8(type)
    .u32(from);
}

/** Bytes of the envelope and the header before a piece of data. */
const SEALED_DATA = 20;

export function sealData(
  key: Readonly<SealKey>,
  from: number,
  seq: number,
  fragments: number,
  index: number,
  bytes: Uint8Array,
): Uint8Array {
  // Of all packets these are the most and the longest: written into place, without a writer between.
  const packet = newPacket(SEALED_DATA + bytes.length);
  putU32(packet, 0, key[0]);
  putU32(packet, 4, key[1]);
  packet[8] = VERSION | (key[2] << 4);
  packet[9] = DATA;
  putU32(packet, 10, from);
  putU16(packet, 14, seq);
  putU16(packet, 16, fragments);
  putU16(packet, 18, index);
  packet.set(bytes, SEALED_DATA);
  return packet;
}

export function sealCompressed(
  key: Readonly<SealKey>,
  from: number,
  part: {
    readonly seq: number;
    readonly fragments: number;
    readonly index: number;
    readonly bytes: Uint8Array;
  } & Readonly<CompressedSizes>,
): Uint8Array {
  const { seq, fragments, index, bytes, wire, total } = part;
  return seal(key, COMPRESSED, from).u16(seq).u16(fragments).u16(index).u32(wire).u32(total).raw(bytes).done();
}

export function sealPing(key: Readonly<SealKey>, from: number, sentAt: number, seq: number): Uint8Array {
  return seal(key, PING, from).u64(sentAt).u16(seq).done();
}

export function sealPong(key: Readonly<SealKey>, from: number, sentAt: number): Uint8Array {
  return seal(key, PONG, from).u64(sentAt).done();
}

/** A probe is padded to the size it tests; its reply is small. */
export function sealProbe(key: Readonly<SealKey>, type: typeof PMTUD | typeof PMTUD_REPLY, from: number, size: number): Uint8Array {
  const w = seal(key, type, from).u16(size);
  return type === PMTUD ? w.raw(new Uint8Array(Math.max(0, size - 16))).done() : w.done();
}

/** A packet that was not sealed with this node's key. `size`: bytes it has on a real wire, which the complaint names. */
export interface ForeignPacket {
  readonly type: "foreign";
  readonly size: number;
}

/** What a node without encryption seals with. */
const PLAIN = sealKey(new Uint8Array(0), { around: 0, block: 1 });

/** Bytes of such a packet on a real wire: a ping or pong is a bare header. */
function wireSize(bytes: Uint8Array): number {
  const r = new ByteReader(bytes);
  if (r.left < 14) return bytes.length;
  r.u32();
  r.u32();
  const version = r.u8();
  const type = r.u8();
  if ((version & 0xf) !== VERSION || type < DATA || type > COMPRESSED) return bytes.length;
  if (type === COMPRESSED && r.left >= 14) {
    r.raw(10);
    return dataWire(r.u32(), sealOfEnvelope(version >> 4));
  }
  return dataWire(type === PING || type === PONG ? 0 : Math.max(0, bytes.length - HEADER), sealOfEnvelope(version >> 4));
}

/** undefined: nothing a node with this key takes notice of. */
export function open(key: Readonly<SealKey>, bytes: Uint8Array): KnetPacket | ForeignPacket | undefined {
  try {
    const r = new ByteReader(bytes);
    const same = r.left >= 8 && r.u32() === key[0] >>> 0 && r.u32() === key[1] >>> 0;
    if (!same) {
      const plain = key[0] === PLAIN[0] && key[1] === PLAIN[1];
      return plain || bytes.length === 0 ? undefined : { type: "foreign", size: wireSize(bytes) };
    }
    if ((r.u8() & 0xf) !== VERSION) return undefined;
    const type = r.u8();
    const from = r.u32();
    switch (type) {
      case DATA:
      case COMPRESSED: {
        const seq = r.u16();
        const fragments = r.u16();
        const index = r.u16();
        if (fragments === 0 || index >= fragments) return undefined;
        const sizes = type === COMPRESSED ? { wire: r.u32(), total: r.u32() } : {};
        return { type: DATA, from, seq, fragments, index, bytes: r.raw(r.left), ...sizes };
      }
      case PING:
        return { type, from, sentAt: r.u64(), seq: r.u16() };
      case PONG:
        return { type, from, sentAt: r.u64() };
      case PMTUD:
      case PMTUD_REPLY:
        return { type, from, size: r.u16() };
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof ShortPacket) return undefined;
    throw error;
  }
}
