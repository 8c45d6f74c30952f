/**
 * Which links to a host carry data when a link goes down or comes up. In the real stack: libknet's link.c and host.c (the destination cache). Passive is corosync's default; with
 * active every packet goes over all connected links, with rr over one after the other.
 */
import { newWindow } from "./defrag.ts";
import type { KnetHandle } from "./handle.ts";
import type { HostState } from "./hosts.ts";
import { takeDown, type LinkState } from "./link.ts";

/** The link is taken for dead; nothing where it is down already. */
export function linkDown(h: KnetHandle, host: HostState, link: LinkState): void {
  if (!takeDown(link)) return;
  h.port.log("info", "KNET", `link: host: ${host.nodeId} link: ${link.link} is down`);
  h.pmtud.down(host.nodeId, link.link);
  chooseLink(h, host);
}

/** The link has come up, by a pong or by data: its MTU is found out anew. */
export function linkUp(h: KnetHandle, host: HostState, link: LinkState, by: "pong" | "data" = "pong"): void {
  if (by === "pong") h.port.log("info", "KNET", `rx: host: ${host.nodeId} link: ${link.link} is up`);
  h.port.log("info", "KNET", `link: Resetting MTU for link ${link.link} because host ${host.nodeId} joined`);
  h.pmtud.reset();
  chooseLink(h, host);
}

/** The best one is the connected link of highest priority; of equal ones the lowest number. */
export function chooseLink(h: KnetHandle, host: HostState): void {
  let best: LinkState | undefined;
  for (const link of host.links) {
    if (!link.connected) continue;
    if (best === undefined || priority(h, link.link) > priority(h, best.link)) best = link;
  }
  if (best !== undefined) host.active = best.link;
  const reachable = best !== undefined;
  const changed = reachable !== host.reachable;
  host.reachable = reachable;
  // A host that was away may have started anew: its numbers begin again.
  if (changed && reachable) host.rx = newWindow();
  logChoice(h, host);
  if (!changed) return;
  h.port.log("debug", "TOTEM", `Knet host change callback. nodeid: ${host.nodeId} reachable: ${reachable ? 1 : 0}`);
  h.up.hostChange(host.nodeId, reachable);
}

export function priority(h: KnetHandle, link: number): number {
  return h.links.get(link)?.priority ?? 1;
}

export function logChoice(h: KnetHandle, host: HostState): void {
  const chosen =
    host.policy === "passive"
      ? `(passive) best link: ${host.active} (pri: ${priority(h, host.active)})`
      : `has ${host.links.filter((l) => l.connected).length} active links`;
  h.port.log("info", "KNET", `host: host: ${host.nodeId} ${chosen}`);
  if (!host.reachable) h.port.log("warning", "KNET", `host: host: ${host.nodeId} has no active links`);
}

/** Numbers of the links that the next packet to this host goes over. */
export function linksFor(host: HostState): number[] {
  if (!host.reachable) return [];
  if (host.policy === "passive") return [host.active];
  const connected = host.links.filter((l) => l.connected).map((l) => l.link);
  if (host.policy === "active") return connected;
  const next = connected[host.turn % connected.length];
  host.turn = (host.turn + 1) % connected.length;
  return next === undefined ? [] : [next];
}
