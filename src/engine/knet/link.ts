/**
 * One link to one host: ping, pong, back-off, up and down. In the real stack: struct knet_link and threads_heartbeat.c of libknet. Sources: kronosnet
 * as observed (debug logs): a link comes up with the pong after `pongCount` good ones, and goes down at a heartbeat wake when no pong came for the
 * ping timeout times the back-off, which starts at 10 and shrinks by one about every second.
 */
import { NEVER, type Hasher } from "../kernel/index.ts";
import { dataMtu, type Seal } from "./seal.ts";

/** libknet: KNET_LINK_PONG_TIMEOUT_BACKOFF. */
export const BACKOFF_START = 10;
/** libknet: KNET_LINK_PMTUD_CRYPTO_TIMEOUT_MULTIPLIER_MIN. */
export const PATIENCE_MIN = 2;
/** Packets of this size pass everywhere (libknet: KNET_PMTUD_MIN_MTU_V4, _V6). */
const MTU_EVERYWHERE = { ipv4: 576, ipv6: 1280 };

/** Bytes of IP and UDP header. */
export function overhead(address: string): number {
  return address.includes(":") ? 48 : 28;
}

/** What the data MTU is before anything was discovered: 469 with AES and SHA-256 over IPv4, 1157 over IPv6. */
export function minMtu(address: string, seal: Seal): number {
  return dataMtu(address.includes(":") ? MTU_EVERYWHERE.ipv6 : MTU_EVERYWHERE.ipv4, overhead(address), seal);
}

export interface LinkParams {
  readonly link: number;
  readonly net: string;
  readonly localAddress: string;
  readonly port: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly pongCount: number;
  readonly priority: number;
}

/** stats.knet.nodeN.linkM.*, under the names the stats map has. */
export interface LinkCounters {
  tx_data_packets: number;
  tx_data_bytes: number;
  rx_data_packets: number;
  rx_data_bytes: number;
  tx_ping_packets: number;
  tx_ping_bytes: number;
  rx_ping_packets: number;
  rx_ping_bytes: number;
  tx_pong_packets: number;
  tx_pong_bytes: number;
  rx_pong_packets: number;
  rx_pong_bytes: number;
  tx_pmtu_packets: number;
  tx_pmtu_bytes: number;
  rx_pmtu_packets: number;
  rx_pmtu_bytes: number;
  up_count: number;
  down_count: number;
  latency_samples: number;
  latency_min: number;
  latency_max: number;
  latency_ave: number;
}

export interface LinkState {
  readonly node: number;
  readonly link: number;
  readonly remoteAddress: string;
  connected: boolean;
  /** The host answered "port unreachable": taken as down at the next wake. */
  refused: boolean;
  pingLast: number;
  pongLast: number;
  receivedPong: number;
  backoff: number;
  /** Bytes of data one packet carries, as last discovered. */
  mtu: number;
  /** Multiplier of the wait for the answer to a probe. */
  patience: number;
  /** Round trip of the last pong that counted, µs; absent before one. Nothing in libknet: it keeps only the mean. */
  latencyLast?: number;
  c: LinkCounters;
}

export function zeroCounters(): LinkCounters {
  return {
    tx_data_packets: 0,
    tx_data_bytes: 0,
    rx_data_packets: 0,
    rx_data_bytes: 0,
    tx_ping_packets: 0,
    tx_ping_bytes: 0,
    rx_ping_packets: 0,
    rx_ping_bytes: 0,
    tx_pong_packets: 0,
    tx_pong_bytes: 0,
    rx_pong_packets: 0,
    rx_pong_bytes: 0,
    tx_pmtu_packets: 0,
    tx_pmtu_bytes: 0,
    rx_pmtu_packets: 0,
    rx_pmtu_bytes: 0,
    up_count: 0,
    down_count: 0,
    latency_samples: 0,
    latency_min: 4_294_967_295,
    latency_max: 0,
    latency_ave: 0,
  };
}

/** knet_handle_clear_stats: everything is zero, minima too; only the running mean goes on. */
export function clearedCounters({ latency_samples, latency_ave }: LinkCounters): LinkCounters {
  return { ...zeroCounters(), latency_min: 0, latency_samples, latency_ave };
}

export function newLink(node: number, link: number, remoteAddress: string, seal: Seal): LinkState {
  return {
    node,
    link,
    remoteAddress,
    connected: false,
    refused: false,
    pingLast: -1,
    pongLast: -1,
    receivedPong: 0,
    backoff: BACKOFF_START,
    mtu: minMtu(remoteAddress, seal),
    patience: PATIENCE_MIN,
    // libknet counts the first configuration as a down.
    c: { ...zeroCounters(), down_count: 1 },
  };
}

export function pingDue(l: LinkState, p: LinkParams, now: number): boolean {
  return l.pingLast < 0 || now - l.pingLast >= p.pingIntervalMs * 1000;
}

/** Instant from which a wake takes the link down; NEVER without a pong to count from. */
export function downAt(l: LinkState, p: LinkParams): number {
  return l.pongLast < 0 ? NEVER : l.pongLast + p.pingTimeoutMs * 1000 * l.backoff + 2 * l.c.latency_ave;
}

/** Instant from which a wake has something to do with the link, apart from letting its back-off shrink. */
export function dueAt(l: LinkState, p: LinkParams): number {
  if (l.pingLast < 0 || (l.connected && l.refused)) return 0;
  return Math.min(l.pingLast + p.pingIntervalMs * 1000, downAt(l, p));
}

/** Pongs that it takes to bring a link up: as many as are counted, and the one that follows. */
export const pongsNeeded = (p: LinkParams | undefined): number => (p === undefined ? 0 : p.pongCount + 1);

/** What a pong did: it came too late to count, brought the link up, was counted towards that, or kept up what was up. */
export type PongResult = "late" | "up" | "counted" | "kept";

export function onPong(l: LinkState, p: LinkParams, sentAt: number, now: number): PongResult {
  const latency = now - sentAt;
  if (latency < 0 || latency > p.pingTimeoutMs * 1000) return "late";
  const c = l.c;
  const weight = Math.min(c.latency_samples, 2047);
  c.latency_ave = Math.floor((c.latency_ave * weight + latency) / (weight + 1));
  c.latency_samples++;
  // Both are those of the mean, not of what it is taken from (observed).
  c.latency_min = Math.min(c.latency_min, c.latency_ave);
  c.latency_max = Math.max(c.latency_max, c.latency_ave);
  l.pongLast = now;
  l.latencyLast = latency;
  if (l.connected) return "kept";
  if (l.receivedPong < p.pongCount) {
    l.receivedPong++;
    return "counted";
  }
  liftUp(l);
  return "up";
}

/** The link is taken for up. */
export function liftUp(l: LinkState): void {
  l.connected = true;
  l.refused = false;
  l.c.up_count++;
}

/** What follows from silence at a wake: the link is taken down (true if it had been up). */
export function takeDown(l: LinkState): boolean {
  const was = l.connected;
  l.connected = false;
  l.refused = false;
  l.pongLast = -1;
  l.receivedPong = 0;
  if (was) {
    l.backoff = BACKOFF_START;
    l.c.down_count++;
  }
  return was;
}

export function digestLink(h: Hasher, l: LinkState): void {
  h.int(l.node)
    .int(l.link)
    .bool(l.connected)
    .bool(l.refused)
    .int(l.pingLast)
    .int(l.pongLast)
    .int(l.receivedPong)
    .int(l.backoff)
    .int(l.mtu)
    .int(l.patience);
  h.int(l.c.rx_data_packets).int(l.c.tx_data_packets);
}
