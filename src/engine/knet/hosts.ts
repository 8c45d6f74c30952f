/**
 * The hosts of a knet handle and their links, from the configuration and again from another one (a reload). In the real stack: knet_host_add and _remove and
 * knet_link_set_config and _clear_config of libknet, as totemknet calls them. What stays keeps its state. Left out: a link whose address changes, which Totem does not allow.
 */
import type { ReleaseProfile } from "../config/release.ts";
import type { LinkStatus } from "../kernel/index.ts";
import type { Compression } from "./compress.ts";
import { newWindow, type RxWindow } from "./defrag.ts";
import { newLink, pongsNeeded, type LinkCounters, type LinkParams, type LinkState } from "./link.ts";
import { shortTimeout } from "./ping-timers.ts";
import type { Seal } from "./seal.ts";

/** The best link; all of them; one after the other. */
export type LinkPolicy = "passive" | "active" | "rr";

export interface KnetPeer {
  readonly nodeId: number;
  readonly name: string;
  /** By link number; undefined where the peer has no address on that link. */
  readonly addresses: readonly (string | undefined)[];
}

export interface KnetParams {
  readonly nodeId: number;
  readonly links: readonly LinkParams[];
  /** The other nodes of the nodelist. */
  readonly peers: readonly KnetPeer[];
  readonly key: Uint8Array;
  readonly seal: Seal;
  readonly blockUnlisted: boolean;
  readonly pmtudIntervalS: number;
  /** totem.link_mode: which of the connected links carry data. */
  readonly policy: LinkPolicy;
  /** An MTU given by hand, bytes of an IP packet; 0: it is found out. */
  readonly manualMtu: number;
  readonly compression: Compression;
  /** What the release does otherwise than others. */
  readonly profile: KnetProfile;
}

export type KnetProfile = Pick<ReleaseProfile, "dataLiftsLinks" | "checksListedAddresses" | "refusesShortTimeouts">;

export interface HostState {
  readonly nodeId: number;
  reachable: boolean;
  /** Link that carries data in passive mode; keeps its last value while none does. */
  active: number;
  /** As it was when the host was added: a reload leaves it. */
  readonly policy: LinkPolicy;
  /** Which of its connected links the next packet goes over (rr). */
  turn: number;
  txSeq: number;
  rx: RxWindow;
  links: LinkState[];
}

/** stats.knet.handle.*, under the names the stats map has. */
export interface CompressionCounters {
  rx_compressed_packets: number;
  rx_compressed_original_bytes: number;
  rx_compressed_size_bytes: number;
  tx_compressed_packets: number;
  tx_compressed_original_bytes: number;
  tx_compressed_size_bytes: number;
  tx_uncompressed_packets: number;
}

export const noneCompressed = (): CompressionCounters => ({
  rx_compressed_packets: 0,
  rx_compressed_original_bytes: 0,
  rx_compressed_size_bytes: 0,
  tx_compressed_packets: 0,
  tx_compressed_original_bytes: 0,
  tx_compressed_size_bytes: 0,
  tx_uncompressed_packets: 0,
});

export interface KnetCounters {
  readonly links: { node: number; link: number; connected: boolean; mtu: number; counters: LinkCounters }[];
  /** Packets decrypted and encrypted. */
  readonly rxCrypt: number;
  readonly txCrypt: number;
  readonly compressed: CompressionCounters;
  readonly cleared: boolean;
}

/** Hosts under other parameters, and what changed for whom. */
export interface Regrouped {
  readonly hosts: HostState[];
  /** With a link that is new. */
  readonly grown: readonly HostState[];
  /** Without a link that was there. */
  readonly shrunk: readonly HostState[];
  /** Links that are no longer configured. */
  readonly gone: readonly LinkState[];
}

/** The host of that node id. Asked for every packet: a loop is several times as fast as a search by closure. */
export function hostWith(hosts: readonly HostState[], nodeId: number): HostState | undefined {
  for (const host of hosts) if (host.nodeId === nodeId) return host;
  return undefined;
}

export function linkWith(host: HostState, link: number): LinkState | undefined {
  for (const l of host.links) if (l.link === link) return l;
  return undefined;
}

function linksOf(host: HostState | undefined, peer: KnetPeer, params: KnetParams): LinkState[] {
  return params.links.flatMap((l) => {
    const address = peer.addresses[l.link];
    if (address === undefined) return [];
    return [host?.links.find((have) => have.link === l.link) ?? newLink(peer.nodeId, l.link, address, params.seal)];
  });
}

/** In the order of the peers. */
export function regroup(old: readonly HostState[], params: KnetParams): Regrouped {
  const grown: HostState[] = [];
  const shrunk: HostState[] = [];
  const gone = old.filter((h) => !params.peers.some((p) => p.nodeId === h.nodeId)).flatMap((h) => h.links);
  const hosts = params.peers.map((peer) => {
    const known = old.find((h) => h.nodeId === peer.nodeId);
    const links = linksOf(known, peer, params);
    const host = known ?? {
      nodeId: peer.nodeId,
      reachable: false,
      active: params.links[0]?.link ?? 0,
      policy: params.policy,
      turn: 0,
      txSeq: 0,
      rx: newWindow(),
      links,
    };
    const lost = host.links.filter((l) => !links.includes(l));
    if (known === undefined || links.some((l) => !host.links.includes(l))) grown.push(host);
    if (lost.length > 0) shrunk.push(host);
    gone.push(...lost);
    host.links = links;
    return host;
  });
  return { hosts, grown, shrunk, gone };
}

/** A link that stays keeps its port: another one of the file takes effect with a restart. Timers that libknet refuses are not taken. */
export function keepPorts(
  links: readonly LinkParams[],
  before: ReadonlyMap<number, LinkParams>,
  { refusesShortTimeouts }: KnetProfile,
): Map<number, LinkParams> {
  const kept = (l: LinkParams): LinkParams => {
    const old = before.get(l.link);
    if (old === undefined) return l;
    const { pingIntervalMs, pingTimeoutMs } = refusesShortTimeouts && shortTimeout(l) ? old : l;
    return { ...l, port: old.port, pingIntervalMs, pingTimeoutMs };
  };
  return new Map(links.map((l) => [l.link, kept(l)]));
}

/** One entry per other node and link, in the order of the nodelist. */
export function linkStatuses(hosts: readonly HostState[], links: ReadonlyMap<number, LinkParams>): LinkStatus[] {
  return hosts.flatMap((host) =>
    host.links.map((link) => ({
      to: host.nodeId,
      link: link.link,
      connected: link.connected,
      active: host.reachable && (host.policy === "passive" ? host.active === link.link : link.connected),
      latencyUs: link.c.latency_ave,
      latencyLastUs: link.latencyLast ?? 0,
      localAddress: links.get(link.link)?.localAddress ?? "",
      remoteAddress: link.remoteAddress,
      mtu: link.mtu,
      priority: links.get(link.link)?.priority ?? 1,
      pongs: link.receivedPong,
      pongsNeeded: pongsNeeded(links.get(link.link)),
    })),
  );
}

/** Copies of the counters, by node and link; the own node has one link, to itself. */
export function linkCounters(hosts: readonly HostState[], own: LinkCounters, params: KnetParams): KnetCounters["links"] {
  const others = hosts.flatMap((h) =>
    h.links.map((l) => ({ node: h.nodeId, link: l.link, connected: l.connected, mtu: l.mtu, counters: { ...l.c } })),
  );
  const self = params.links
    .slice(0, 1)
    .map((l) => ({ node: params.nodeId, link: l.link, connected: true, mtu: 65_535, counters: { ...own } }));
  return [...self, ...others].sort((a, b) => a.node - b.node || a.link - b.link);
}
