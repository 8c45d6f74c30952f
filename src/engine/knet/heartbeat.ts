/**
 * The heartbeat: pings that are due, links that have been silent for too long, and pongs. In the real stack: libknet's heartbeat thread
 * (threads_heartbeat.c). Left out: wakes that would find nothing; they are counted (wakes.ts).
 */
import { NEVER, type Instant } from "../kernel/index.ts";
import { linkDown, linkUp } from "./choice.ts";
import type { KnetHandle } from "./handle.ts";
import type { HostState } from "./hosts.ts";
import { downAt, dueAt, pingDue, pongsNeeded, type LinkState, type PongResult } from "./link.ts";
import { sealPing } from "./packets.ts";
import { chooseWake, shrinks, stoodStill, wakeNow } from "./wakes.ts";

/** The wake that was planned: links are looked at, pings sent, back-offs shrink. */
export function wake(h: KnetHandle): void {
  const now = h.port.now();
  const { s } = h;
  wakeNow(s.wakes, now);
  const shrink = shrinks(s.wakes);
  for (const host of s.hosts) {
    for (const link of host.links) {
      if (shrink && link.backoff > 1) link.backoff--;
      checkLink(h, host, link, now);
    }
  }
  if (s.configured) h.pmtud.wake(now);
  planWake(h);
}

/** Whenever something has changed that a wake looks at. */
export function planWake(h: KnetHandle): void {
  const { wakes, hosts, configured } = h.s;
  if (wakes.last === NEVER) return;
  let due = configured ? h.pmtud.state.next : NEVER;
  let shrinking = false;
  for (const host of hosts) {
    for (const link of host.links) {
      const p = h.links.get(link.link);
      if (p !== undefined) due = Math.min(due, dueAt(link, p));
      shrinking ||= link.backoff > 1;
    }
  }
  chooseWake(wakes, h.port.now(), due, shrinking);
  keepWake(h);
}

/** The wake that was planned stays: nothing that it looks at has become due earlier or later. */
export function keepWake(h: KnetHandle): void {
  const { wakes } = h.s;
  if (wakes.last === NEVER) return;
  if (wakes.next === NEVER) h.port.clearTimer("wake");
  else h.port.setTimer("wake", wakes.next);
}

/** The process has not run since `since`: its next wake comes late. Called when it runs again, before anything else. */
export function wakesLate(h: KnetHandle, since: Instant): void {
  if (h.s.wakes.last === NEVER) return;
  stoodStill(h.s.wakes, since);
  h.port.setTimer("wake", h.s.wakes.next);
}

function checkLink(h: KnetHandle, host: HostState, link: LinkState, now: number): void {
  const p = h.links.get(link.link);
  if (p === undefined) return;
  if (pingDue(link, p, now)) {
    link.pingLast = now;
    link.c.tx_ping_packets++;
    link.c.tx_ping_bytes += 80;
    h.transmit(p, link, sealPing(h.key, h.params.nodeId, now, host.txSeq));
  }
  if ((link.connected && link.refused) || now >= downAt(link, p)) linkDown(h, host, link);
}

/** What a pong that `onPong` has taken means for its link. */
export function takePong(h: KnetHandle, host: HostState, link: LinkState, result: PongResult): void {
  const say = (text: string): void => h.port.log("debug", "KNET", `rx: ${text}`);
  const needed = pongsNeeded(h.links.get(link.link));
  const pongs = result === "up" ? needed : link.receivedPong;
  if (result === "up" || result === "counted")
    h.port.trace({ what: "pong", node: h.params.nodeId, from: host.nodeId, link: link.link, pongs, needed, up: result === "up" });
  const place = `host: ${host.nodeId} link: ${link.link}`;
  if (result === "up") linkUp(h, host, link);
  else if (result === "counted") say(`${place} received pong: ${link.receivedPong}`);
  else if (result === "late") say(`Incoming pong packet from ${place} has higher latency than pong_timeout. Discarding`);
}
