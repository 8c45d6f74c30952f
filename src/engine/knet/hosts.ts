/**
 * The hosts of a knet handle and their links, from the configuration and again from another one (a reload). In the real stack: knet_host_add and _remove and
 * knet_link_set_config and _clear_config of libknet, as totemknet calls them. What stays keeps its state. Left out: a link whose address changes, which Totem does not allow.
 */
import { freshWindow, type RxWindow } from "./defrag.ts";
import { freshLink, type LinkCounters, type LinkParams, type LinkState, type Seal } from "./link.ts";

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
}

export interface HostState {
  readonly nodeId: number;
  reachable: boolean;
  /** Link that carries data; keeps its last value while none does. */
  active: number;
  txSeq: number;
  rx: RxWindow;
  links: LinkState[];
}

export interface KnetCounters {
  readonly links: { node: number; link: number; connected: boolean; mtu: number; counters: LinkCounters }[];
  /** Packets decrypted and encrypted. */
  readonly rxCrypt: number;
  readonly txCrypt: number;
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

function linksOf(host: HostState | undefined, peer: KnetPeer, params: KnetParams): LinkState[] {
  return params.links.flatMap((l) => {
    const address = peer.addresses[l.link];
    if (address === undefined) return [];
    return [host?.links.find((have) => have.link === l.link) ?? freshLink(peer.nodeId, l.link, address, params.seal)];
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
    const host = known ?? { nodeId: peer.nodeId, reachable: false, active: params.links[0]?.link ?? 0, txSeq: 0, rx: freshWindow(), links };
    const lost = host.links.filter((l) => !links.includes(l));
    if (known === undefined || links.some((l) => !host.links.includes(l))) grown.push(host);
    if (lost.length > 0) shrunk.push(host);
    gone.push(...lost);
    host.links = links;
    return host;
  });
  return { hosts, grown, shrunk, gone };
}

/** A link that stays keeps its port: another one of the file takes effect with a restart. */
export function keepPorts(links: readonly LinkParams[], before: ReadonlyMap<number, LinkParams>): Map<number, LinkParams> {
  return new Map(links.map((l) => [l.link, { ...l, port: before.get(l.link)?.port ?? l.port }]));
}
