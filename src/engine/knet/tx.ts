/**
 * Sending: a packet of Totem goes in fragments over the link that carries data, and back to oneself. In the real stack: libknet's TX thread (threads_tx.c) and
 * totemknet's loopback. Left out: retries where a socket is full.
 */
import type { KnetHandle } from "./handle.ts";
import { linksFor } from "./choice.ts";
import { compressedSize } from "./compress.ts";
import { hostWith, linkWith, type HostState } from "./hosts.ts";
import type { LinkParams, LinkState } from "./link.ts";
import { sealCompressed, sealData } from "./packets.ts";
import { dataWire, sealOfKey } from "./seal.ts";

/** A packet to oneself takes this long (a socket pair and a turn of the main loop; ours). */
const LOOPBACK_US = 20;
/** Own packets on their way back to oneself; more than Totem can have outstanding. */
const LOOPBACK_MAX = 4096;

/** To every reachable host, and back to oneself. Implements TotemTransport. */
export function multicast(h: KnetHandle, packet: Uint8Array): void {
  const shorter = compress(h, packet);
  for (const host of h.s.hosts) sendTo(h, host, packet, shorter);
  toMyself(h, packet);
}

/** To one node; silently lost when no link to it is up. Implements TotemTransport. */
export function unicast(h: KnetHandle, nodeId: number, packet: Uint8Array): void {
  if (nodeId === h.params.nodeId) {
    toMyself(h, packet);
    return;
  }
  const host = hostWith(h.s.hosts, nodeId);
  if (host !== undefined) sendTo(h, host, packet, compress(h, packet));
}

/** Once for all hosts it goes to. Bytes it has then; undefined where it goes as it is. */
function compress(h: KnetHandle, packet: Uint8Array): number | undefined {
  const { compression } = h.params;
  if (compression.model === "none") return undefined;
  const size = compressedSize(compression, packet);
  const { compressed: c } = h.s;
  if (size === undefined) c.tx_uncompressed_packets++;
  else {
    c.tx_compressed_packets++;
    c.tx_compressed_original_bytes += packet.length;
    c.tx_compressed_size_bytes += size;
  }
  return size;
}

function sendTo(h: KnetHandle, host: HostState, packet: Uint8Array, shorter: number | undefined): void {
  if (!host.reachable) return;
  host.txSeq = (host.txSeq + 1) & 0xffff;
  for (const number of linksFor(host)) {
    const [p, link] = [h.links.get(number), linkWith(host, number)];
    if (p === undefined || link === undefined) continue;
    if (shorter === undefined) sendOver(h, host, { p, link }, packet);
    else sendCompressed(h, host, { p, link }, packet, shorter);
  }
}

interface Way {
  readonly p: LinkParams;
  readonly link: LinkState;
}

function sendOver(h: KnetHandle, host: HostState, { p, link }: Way, packet: Uint8Array): void {
  const size = h.pmtud.pieceBytes(link);
  const fragments = Math.max(1, Math.ceil(packet.length / size));
  for (let i = 0; i < fragments; i++) {
    const piece = fragments === 1 ? packet : packet.subarray(i * size, (i + 1) * size);
    link.c.tx_data_packets++;
    link.c.tx_data_bytes += piece.length;
    const sealed = sealData(h.key, h.params.nodeId, host.txSeq, fragments, i, piece);
    h.transmit(p, link, sealed, dataWire(piece.length, sealOfKey(h.key)));
  }
}

/** As many fragments, and as long on the wire, as the compressed packet has; each carries its part of the whole one. */
function sendCompressed(h: KnetHandle, host: HostState, { p, link }: Way, packet: Uint8Array, total: number): void {
  const size = h.pmtud.pieceBytes(link);
  const fragments = Math.max(1, Math.ceil(total / size));
  const part = Math.ceil(packet.length / fragments);
  for (let i = 0; i < fragments; i++) {
    const piece = packet.subarray(i * part, (i + 1) * part);
    const bytes = Math.min(size, total - i * size);
    link.c.tx_data_packets++;
    link.c.tx_data_bytes += bytes;
    const sealed = sealCompressed(h.key, h.params.nodeId, { seq: host.txSeq, fragments, index: i, bytes: piece, wire: bytes, total });
    h.transmit(p, link, sealed, dataWire(bytes, sealOfKey(h.key)));
  }
}

function toMyself(h: KnetHandle, packet: Uint8Array): void {
  const { loop } = h.s;
  if (loop.length >= LOOPBACK_MAX) return;
  h.s.own.tx_data_packets++;
  h.s.own.tx_data_bytes += packet.length;
  const at = h.port.now() + LOOPBACK_US;
  loop.push({ at, bytes: packet });
  if (loop.length === 1) h.port.setTimer("loop", at);
}

/** The oldest packet to oneself has come round. */
export function loopback(h: KnetHandle): void {
  const first = h.s.loop.shift();
  const next = h.s.loop[0];
  if (next !== undefined) h.port.setTimer("loop", next.at);
  if (first !== undefined) h.up.data(h.params.nodeId, first.bytes);
}
