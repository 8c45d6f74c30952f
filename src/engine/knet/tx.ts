/**
 * Sending: a packet of Totem goes in fragments over the link that carries data, and back to oneself. In the real stack: libknet's TX thread (threads_tx.c) and
 * totemknet's loopback. Left out: retries where a socket is full.
 */
import type { KnetHandle } from "./handle.ts";
import { hostWith, linkWith, type HostState } from "./hosts.ts";
import { sealData } from "./packets.ts";
import { dataWire, sealOfKey } from "./seal.ts";

/** A packet to oneself takes this long (a socket pair and a turn of the main loop; ours). */
const LOOPBACK_US = 20;
/** Own packets on their way back to oneself; more than Totem can have outstanding. */
const LOOPBACK_MAX = 4096;

/** To every reachable host, and back to oneself. Implements TotemTransport. */
export function multicast(h: KnetHandle, packet: Uint8Array): void {
  for (const host of h.s.hosts) sendTo(h, host, packet);
  toMyself(h, packet);
}

/** To one node; silently lost when no link to it is up. Implements TotemTransport. */
export function unicast(h: KnetHandle, nodeId: number, packet: Uint8Array): void {
  if (nodeId === h.params.nodeId) {
    toMyself(h, packet);
    return;
  }
  const host = hostWith(h.s.hosts, nodeId);
  if (host !== undefined) sendTo(h, host, packet);
}

function sendTo(h: KnetHandle, host: HostState, packet: Uint8Array): void {
  if (!host.reachable) return;
  const p = h.links.get(host.active);
  const link = linkWith(host, host.active);
  if (p === undefined || link === undefined) return;
  host.txSeq = (host.txSeq + 1) & 0xffff;
  const size = Math.min(link.mtu, h.pmtud.state.globalMtu);
  const fragments = Math.max(1, Math.ceil(packet.length / size));
  for (let i = 0; i < fragments; i++) {
    const piece = fragments === 1 ? packet : packet.subarray(i * size, (i + 1) * size);
    link.c.tx_data_packets++;
    link.c.tx_data_bytes += piece.length;
    const sealed = sealData(h.key, h.params.nodeId, host.txSeq, fragments, i, piece);
    h.transmit(p, link, sealed, dataWire(piece.length, sealOfKey(h.key)));
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
