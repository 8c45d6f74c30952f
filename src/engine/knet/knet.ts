/**
 * Kronosnet as corosync uses it: every node pings every other on every link, data goes over the links that the policy chooses of those that are up, fragments and
 * duplicates are hidden from Totem. In the real stack: libknet's heartbeat, RX, TX and PMTUd threads. Left out: SCTP.
 * Sources: kronosnet as observed in debug logs; corosync.conf(5) for knet_ping_interval, knet_ping_timeout, knet_pong_count, knet_link_priority.
 */
import { cloneState, type Datagram, type Hasher, type Instant, type LinkStatus, type Port } from "../kernel/index.ts";
import { chooseLink, logChoice, priority } from "./choice.ts";
import { KnetHandle, type KnetOut, type KnetState, type KnetUp } from "./handle.ts";
import { planWake, wake, wakesLate } from "./heartbeat.ts";
import { compressLines } from "./compress.ts";
import { keepPorts, linkCounters, linkStatuses, noneCompressed, regroup, type KnetCounters, type KnetParams } from "./hosts.ts";
import { clearedCounters, digestLink, type LinkParams } from "./link.ts";
import { timersSaid } from "./ping-timers.ts";
import { MTU_MAX } from "./pmtud.ts";
import { receive } from "./rx.ts";
import { sealKey, type SealKey } from "./seal.ts";
import { loopback, multicast, unicast } from "./tx.ts";
import { beginWakes, noWakes } from "./wakes.ts";

export interface KnetSnapshot {
  state: KnetState;
  params: KnetParams;
  key: SealKey;
  links: LinkParams[];
}

export class Knet {
  private readonly h: KnetHandle;

  constructor(port: Port, params: KnetParams, out: KnetOut, up: KnetUp) {
    this.h = new KnetHandle(port, params, out, up);
    if (params.manualMtu <= MTU_MAX) this.h.s.manualMtu = params.manualMtu;
    this.h.s.compressModule = params.compression.model;
  }

  /** "totemknet initialized": the heartbeat thread begins to count its wakes. */
  start(): void {
    this.h.s.startedAt = this.h.port.now();
    this.h.s.wakes = beginWakes(this.h.port.now());
    this.h.port.setTimer("wake", this.h.s.wakes.next);
  }

  /** The links are configured (about 0.1 s later): the sockets are open, the first ping leaves at the next wake. */
  configure(): void {
    const { params } = this.h;
    // The own host has one link, the loopback, whatever the number of links to others.
    const loopback = params.links[0];
    if (loopback !== undefined)
      this.h.port.log("info", "KNET", `link: Resetting MTU for link ${loopback.link} because host ${params.nodeId} joined`);
    this.h.s.hosts = regroup([], params).hosts;
    for (const host of this.h.s.hosts) {
      // Adding the host, its link and the link's priority each recompute the choice (observed: three times a link).
      for (let i = 0; i < 3 * host.links.length; i++) logChoice(this.h, host);
    }
    this.h.s.configured = true;
    this.h.pmtud.begin();
    planWake(this.h);
  }

  /**
   * The nodelist, the links or the ping timers are others now (a reload): what stays keeps its state, a link that is new begins down, one that is gone
   * takes its host with it when it was the last. Data to and from a host that is gone is lost. A changed port has no effect on a link that stays.
   */
  reconfigure(params: KnetParams): void {
    const before = this.h.links;
    // The policy is the one it was started with.
    this.h.params = Object.freeze({ ...params, policy: this.h.params.policy });
    this.h.links = keepPorts(params.links, before, params.profile);
    const next = regroup(this.h.s.hosts, this.h.params);
    this.h.s.hosts = next.hosts;
    for (const link of next.gone) {
      if (!link.connected) continue;
      this.h.port.log("info", "KNET", `link: Resetting MTU for link ${link.link} because host ${link.node} joined`);
      this.h.pmtud.reset();
    }
    for (const host of next.grown) logChoice(this.h, host);
    this.setHandle();
    for (const host of this.h.s.hosts) {
      if (next.grown.includes(host)) {
        logChoice(this.h, host);
        logChoice(this.h, host);
      } else if (next.shrunk.includes(host) || host.links.some((l) => (before.get(l.link)?.priority ?? 1) !== priority(this.h, l.link))) {
        chooseLink(this.h, host);
      }
    }
    planWake(this.h);
  }

  /** Parameters that are not those of links and hosts. */
  retune({ blockUnlisted, pmtudIntervalS, manualMtu }: KnetParams): void {
    const before = this.h.params.manualMtu;
    this.h.params = Object.freeze({ ...this.h.params, blockUnlisted, pmtudIntervalS, manualMtu });
    if (manualMtu !== before) this.setManualMtu();
  }

  /** The handle's parameters are set again, as a reload does whatever has changed. */
  setHandle(): void {
    this.setManualMtu();
    const { compression } = this.h.params;
    for (const line of compressLines(compression, compression.model !== this.h.s.compressModule)) this.h.port.log(...line);
    if (compression.model !== "none") this.h.s.compressModule = compression.model;
    this.sayTimers();
  }

  /** knet_link_set_ping_timers of every link to another host, the last added first. */
  private sayTimers(): void {
    const { links, peers, profile } = this.h.params;
    if (!profile.refusesShortTimeouts) return;
    for (const { nodeId } of [...peers].sort((a, b) => b.nodeId - a.nodeId))
      for (const link of links) for (const line of timersSaid(nodeId, link).lines) this.h.port.log(...line);
  }

  /** knet_handle_pmtud_set: what it refuses leaves the one before in force. */
  private setManualMtu(): void {
    const { manualMtu } = this.h.params;
    if (manualMtu > MTU_MAX) {
      this.h.port.log("warning", "TOTEM", "knet_handle_pmtud failed: Invalid argument (22)");
      return;
    }
    this.h.port.log("info", "KNET", `pmtud: MTU manually set to: ${manualMtu}`);
    if (manualMtu === this.h.s.manualMtu) return;
    this.h.s.manualMtu = manualMtu;
    this.h.pmtud.manualChanged();
  }

  /** Another key (a reload): taken from now on, used from `useNextKey` on; the one before is forgotten with `dropOldKey`. */
  addKey({ key, seal }: Pick<KnetParams, "key" | "seal">): void {
    this.h.s.nextKey = sealKey(key, seal);
    this.h.params = Object.freeze({ ...this.h.params, key });
  }

  useNextKey(): void {
    if (this.h.s.nextKey === undefined) return;
    this.h.s.oldKey = this.h.key;
    this.h.key = this.h.s.nextKey;
    this.h.s.nextKey = undefined;
    this.h.pmtud.reset();
  }

  dropOldKey(): void {
    this.h.s.oldKey = undefined;
  }

  /** Where its sockets are bound: one for each own link; none before the links are configured and after the end. */
  sockets(): { readonly address: string; readonly port: number }[] {
    if (!this.h.s.configured) return [];
    return [...this.h.links.values()].map((l) => ({ address: l.localAddress, port: l.port }));
  }

  stop(): void {
    this.h.s.configured = false;
    this.h.s.loop = [];
    this.h.s.wakes = noWakes();
    for (const name of ["wake", "loop"]) this.h.port.clearTimer(name);
    this.h.pmtud.stop();
  }

  /** The process has not run since `since`: its next wake comes late. Called when it runs again, before anything else. */
  stoodStill(since: Instant): void {
    wakesLate(this.h, since);
  }

  timer(name: string): void {
    switch (name) {
      case "wake":
        wake(this.h);
        return;
      case "loop":
        loopback(this.h);
        return;
      case "pmtud":
      case "probe":
        this.h.pmtud.timer(name);
        planWake(this.h);
        return;
      default:
        throw new Error(`knet has no timer ${name}`);
    }
  }

  /** To every reachable host, and back to oneself. Implements TotemTransport. */
  multicast(packet: Uint8Array): void {
    multicast(this.h, packet);
  }

  /** To one node; silently lost when no link to it is up. Implements TotemTransport. */
  unicast(nodeId: number, packet: Uint8Array): void {
    unicast(this.h, nodeId, packet);
  }

  /** A datagram, or the news that a port is closed, for one of the link sockets. */
  receive(datagram: Datagram): void {
    receive(this.h, datagram);
  }

  // ── what others may know ───────────────────────────────────────────────────────────────────────────────────────────

  status(): LinkStatus[] {
    return linkStatuses(this.h.s.hosts, this.h.links);
  }

  /** stats.knet.*: counters of every link (the own node's loopback link included) and of the handle. */
  stats(): KnetCounters {
    const { own, rxCrypt, txCrypt, compressed, statsCleared } = this.h.s;
    return {
      links: linkCounters(this.h.s.hosts, own, this.h.params),
      rxCrypt,
      txCrypt,
      compressed: { ...compressed },
      cleared: statsCleared,
    };
  }

  clearStats(): void {
    this.h.s.rxCrypt = 0;
    this.h.s.txCrypt = 0;
    this.h.s.compressed = noneCompressed();
    this.h.s.statsCleared = true;
    this.h.s.own = clearedCounters(this.h.s.own);
    for (const host of this.h.s.hosts) for (const link of host.links) link.c = clearedCounters(link.c);
  }

  snapshot(): KnetSnapshot {
    return { state: cloneState(this.h.s), params: this.h.params, key: this.h.key, links: [...this.h.links.values()] };
  }

  restore(snapshot: KnetSnapshot): void {
    this.h.params = snapshot.params;
    this.h.key = [...snapshot.key];
    this.h.links = new Map(snapshot.links.map((l) => [l.link, l]));
    this.h.s = cloneState(snapshot.state);
    this.h.pmtud.state = this.h.s.pmtud;
  }

  digest(h: Hasher): void {
    for (const key of [this.h.key, this.h.s.nextKey, this.h.s.oldKey])
      h.int(key?.[0] ?? 0)
        .int(key?.[1] ?? 0)
        .int(key?.[2] ?? 0);
    for (const l of this.h.links.values())
      h.int(l.link).text(l.localAddress).int(l.port).int(l.pingIntervalMs).int(l.pingTimeoutMs).int(l.pongCount).int(l.priority);
    h.int(this.h.s.wakes.count).int(this.h.s.wakes.last).bool(this.h.s.configured).int(this.h.s.loop.length);
    this.h.pmtud.digest(h);
    for (const host of this.h.s.hosts) {
      h.int(host.nodeId).bool(host.reachable).int(host.active).int(host.turn).int(host.txSeq).int(host.rx.newest);
      for (const link of host.links) digestLink(h, link);
    }
  }
}
