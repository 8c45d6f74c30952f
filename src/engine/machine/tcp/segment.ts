/**
 * Segments on the wire of the lab, and how much of the stream's numbers they take. In the real stack: the TCP header. Left out: ports, which the datagram has, window,
 * options and checksum.
 */
import { ByteReader, ByteWriter, type Segment } from "../../kernel/index.ts";

const SYN = 1;
const ACK = 2;
const FIN = 4;
const RST = 8;

/** Flags, number, acknowledgement, data. */
export function encodeSegment(s: Segment): Uint8Array {
  const flags = (s.syn ? SYN : 0) | (s.ack ? ACK : 0) | (s.fin ? FIN : 0) | (s.rst ? RST : 0);
  return new ByteWriter().u8(flags).u64(s.seq).u64(s.acked).raw(s.data).done();
}

/** Undefined for bytes that are no segment. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < 17) return undefined;
  const r = new ByteReader(bytes);
  const flags = r.u8();
  const on = (bit: number): boolean => (flags & bit) !== 0;
  return { syn: on(SYN), ack: on(ACK), fin: on(FIN), rst: on(RST), seq: r.u64(), acked: r.u64(), data: r.raw(r.left) };
}

/** Numbers of the stream that it takes: SYN and FIN take one each. */
export function lengthOf(unit: { syn: boolean; fin: boolean; data: Uint8Array }): number {
  return unit.data.length + (unit.syn ? 1 : 0) + (unit.fin ? 1 : 0);
}
