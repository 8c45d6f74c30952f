/**
 * Receiving: which link and which host a datagram is of, whether it may be, and what is done with it by its type. In the real stack: libknet's RX thread
 * (threads_rx.c) and the errors its sockets report.
 */
import type { Datagram } from "../kernel/index.ts";
import { newWindow, takeFragment } from "./defrag.ts";
import type { KnetHandle } from "./handle.ts";
import { linkUp } from "./choice.ts";
import { keepWake, planWake, takePong } from "./heartbeat.ts";
import { hostWith, linkWith, type HostState } from "./hosts.ts";
import { dueAt, liftUp, onPong, type LinkParams, type LinkState } from "./link.ts";
import { DATA, PING, PMTUD, PMTUD_REPLY, PONG, open, sealPong, sealProbe } from "./packets.ts";
import { digestBytes, sealOfKey } from "./seal.ts";

/** A datagram, or the news that a port is closed, for one of the link sockets. */
export function receive(h: KnetHandle, datagram: Datagram): void {
  if (!h.s.configured) return;
  if (datagram.proto === "icmp-port-unreachable") {
    onRefused(h, datagram);
    return;
  }
  const p = socket(h, datagram.dst, datagram.dstPort);
  if (p === undefined) return;
  const packet = unseal(h, datagram.bytes);
  if (packet?.type === "foreign") {
    if (packet.size >= digestBytes(sealOfKey(h.key)))
      h.port.log("error", "KNET", "nsscrypto: Digest does not match. Check crypto key and configuration.");
    h.port.log("error", "KNET", `rx: Unable to decrypt packet from ${datagram.src}:${datagram.srcPort} (size ${packet.size})!`);
    return;
  }
  if (packet === undefined) return;
  h.s.rxCrypt++;
  const host = hostWith(h.s.hosts, packet.from);
  const link = host === undefined ? undefined : linkWith(host, p.link);
  // A node id of no entry of the nodelist: nothing is said of it but at debug level.
  if (host === undefined || link === undefined) return;
  // libknet's access list: the address must be the one listed for this very node id.
  if ((h.params.blockUnlisted || h.params.profile.checksListedAddresses) && link.remoteAddress !== datagram.src) {
    h.port.log("warning", "KNET", `rx: Packet rejected from ${datagram.src}:${datagram.srcPort}`);
    return;
  }
  switch (packet.type) {
    case PING:
      link.c.rx_ping_packets++;
      link.c.rx_ping_bytes += 26;
      link.c.tx_pong_packets++;
      link.c.tx_pong_bytes += 80;
      // Nothing sent so far: a process that has just begun and numbers from the start. What the one before it sent is no measure (libknet: clear_buf).
      if (packet.seq === 0 && host.rx.newest >= 0) host.rx = newWindow();
      h.transmit(p, link, sealPong(h.key, h.params.nodeId, packet.sentAt));
      return;
    case PONG:
      link.c.rx_pong_packets++;
      link.c.rx_pong_bytes += 26;
      onPongPacket(h, host, link, p, packet.sentAt);
      return;
    case PMTUD:
      link.c.rx_pmtu_packets++;
      link.c.rx_pmtu_bytes += packet.size;
      h.transmit(p, link, sealProbe(h.key, PMTUD_REPLY, h.params.nodeId, packet.size));
      return;
    case PMTUD_REPLY: {
      link.c.rx_pmtu_packets++;
      const { next } = h.pmtud.state;
      if (link.connected) h.pmtud.answered(host.nodeId, link, packet.size);
      if (h.pmtud.state.next === next) keepWake(h);
      else planWake(h);
      return;
    }
    case DATA: {
      link.c.rx_data_packets++;
      link.c.rx_data_bytes += packet.wire ?? packet.bytes.length;
      if (!host.reachable && !lifted(h, host, link)) return;
      const whole = takeFragment(host.rx, packet.seq, packet.fragments, packet.index, packet.bytes);
      if (whole === undefined) return;
      if (packet.total !== undefined) decompressed(h, whole.length, packet.total);
      h.up.data(host.nodeId, whole);
    }
  }
}

/**
 * Data of a host that is not held reachable is dropped (knet_handle's access to a host that is down), unless the link it came over has had a pong since it went down: then the link is taken
 * for up at once, without the line a pong would have caused.
 */
function lifted(h: KnetHandle, host: HostState, link: LinkState): boolean {
  if (!h.params.profile.dataLiftsLinks || link.receivedPong === 0) return false;
  const what = `host: ${host.nodeId} link: ${link.link} received data during valid ping/pong activity. Force link up.`;
  h.port.log("debug", "KNET", `rx: ${what}`);
  liftUp(link);
  linkUp(h, host, link, "data");
  planWake(h);
  return true;
}

function decompressed(h: KnetHandle, original: number, size: number): void {
  const { compressed: c } = h.s;
  c.rx_compressed_packets++;
  c.rx_compressed_original_bytes += original;
  c.rx_compressed_size_bytes += size;
}

function onPongPacket(h: KnetHandle, host: HostState, link: LinkState, p: LinkParams, sentAt: number): void {
  const before = dueAt(link, p);
  const result = onPong(link, p, sentAt, h.port.now());
  takePong(h, host, link, result);
  // Most pongs keep up what is up and leave the next ping where it was: with dozens of nodes nothing is as frequent as this.
  if (result === "kept" && dueAt(link, p) === before) keepWake(h);
  else planWake(h);
}

/** Under the key in force, or one of the two it is used beside while the key changes. */
function unseal(h: KnetHandle, bytes: Uint8Array): ReturnType<typeof open> {
  let packet = open(h.key, bytes);
  for (const key of [h.s.nextKey, h.s.oldKey]) if (packet?.type === "foreign" && key !== undefined) packet = open(key, bytes);
  return packet;
}

function onRefused(h: KnetHandle, datagram: Datagram): void {
  for (const host of h.s.hosts) {
    for (const link of host.links) {
      if (link.remoteAddress !== datagram.src) continue;
      h.port.log("debug", "KNET", `udp: Received ICMP error from ${datagram.src}: Connection refused ${datagram.src}`);
      // Said each time while the link is up; of one that is down already the error alone is told.
      if (link.connected) h.port.log("debug", "KNET", `udp: Setting down host ${host.nodeId} link ${link.link}`);
      link.refused = true;
    }
  }
  planWake(h);
}

function socket(h: KnetHandle, address: string, port: number): LinkParams | undefined {
  for (const l of h.links.values()) if (l.localAddress === address && l.port === port) return l;
  return undefined;
}
