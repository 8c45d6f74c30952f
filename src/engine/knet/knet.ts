/**
 * Kronosnet as corosync uses it: every node pings every other on every link, data goes over the best link that is up (passive mode), fragments and
 * duplicates are hidden from Totem. In the real stack: libknet's heartbeat, RX, TX and PMTUd threads. Left out: the active and round-robin
 * policies and compression (corosync's knet transport with PVE's settings uses neither), and SCTP.
 * Sources: kronosnet 1.25 as observed in debug logs; corosync.conf(5) for knet_ping_interval, knet_ping_timeout, knet_pong_count, knet_link_priority.
 */
import { NEVER, cloneState, type Datagram, type Hasher, type Instant, type LinkStatus, type Port } from "../kernel/index.ts";
import { newWindow, takeFragment } from "./defrag.ts";
import { keepPorts, linkCounters, linkStatuses, regroup, type HostState, type KnetCounters, type KnetParams } from "./hosts.ts";
import {
  digestLink,
  downAt,
  dueAt,
  clearedCounters,
  zeroCounters,
  onPong,
  pingDue,
  takeDown,
  type LinkCounters,
  type LinkParams,
  type LinkState,
  type PongResult,
} from "./link.ts";
import { DATA, PING, PMTUD, PMTUD_REPLY, PONG, open, sealData, sealPing, sealPong, sealProbe } from "./packets.ts";
import { Pmtud, type PmtudState } from "./pmtud.ts";
import { dataWire, digestBytes, sealKey, sealOfKey, type SealKey } from "./seal.ts";
import { beginWakes, chooseWake, noWakes, shrinks, stoodStill, wakeNow, type Wakes } from "./wakes.ts";

/** A packet to oneself takes this long (a socket pair and a turn of the main loop; ours). */
const LOOPBACK_US = 20;
/** Own packets on their way back to oneself; more than Totem can have outstanding. */
const LOOPBACK_MAX = 4096;

export interface KnetUp {
  /** A packet of Totem, from `from`. Own multicasts come back through here too. */
  data(from: number, bytes: Uint8Array): void;
  hostChange(nodeId: number, reachable: boolean): void;
}

export interface KnetState {
  hosts: HostState[];
  wakes: Wakes;
  startedAt: number;
  configured: boolean;
  pmtud: PmtudState;
  loop: { at: number; bytes: Uint8Array }[];
  own: LinkCounters;
  rxCrypt: number;
  txCrypt: number;
  /** A tool has set the counters to zero. */
  statsCleared: boolean;
  /** While the cluster changes its key: the one to come, and the one before. */
  nextKey: SealKey | undefined;
  oldKey: SealKey | undefined;
}

export interface KnetSnapshot {
  state: KnetState;
  params: KnetParams;
  key: SealKey;
  links: LinkParams[];
}

export class Knet {
  private s: KnetState;
  private key: SealKey;
  private links: Map<number, LinkParams>;
  private readonly pmtud: Pmtud;

  /** @param out the sockets, and what the kernel tells of the interface with an address */
  constructor(
    private readonly port: Port,
    private params: KnetParams,
    private readonly out: { send(datagram: Datagram): void; interfaceMtu(address: string): number },
    private readonly up: KnetUp,
  ) {
    this.key = sealKey(params.key, params.seal);
    this.links = new Map(params.links.map((l) => [l.link, l]));
    this.pmtud = new Pmtud({
      port,
      hosts: () => this.s.hosts,
      link: (number) => this.links.get(number),
      seal: () => sealOfKey(this.key),
      intervalS: () => this.params.pmtudIntervalS,
      interfaceMtu: (address) => out.interfaceMtu(address),
      probe: (p, link, payload) => this.transmit(p, link, sealProbe(this.key, PMTUD, this.params.nodeId, payload)),
    });
    this.s = {
      hosts: [],
      wakes: noWakes(),
      startedAt: port.now(),
      configured: false,
      pmtud: this.pmtud.state,
      loop: [],
      own: { ...zeroCounters(), up_count: 1 },
      rxCrypt: 0,
      txCrypt: 0,
      statsCleared: false,
      nextKey: undefined,
      oldKey: undefined,
    };
  }

  /** "totemknet initialized": the heartbeat thread begins to count its wakes. */
  start(): void {
    this.s.startedAt = this.port.now();
    this.s.wakes = beginWakes(this.port.now());
    this.port.setTimer("wake", this.s.wakes.next);
  }

  /** The links are configured (about 0.1 s later): the sockets are open, the first ping leaves at the next wake. */
  configure(): void {
    const { params } = this;
    // The own host has one link, the loopback, whatever the number of links to others.
    const loopback = params.links[0];
    if (loopback !== undefined)
      this.port.log("info", "KNET", `link: Resetting MTU for link ${loopback.link} because host ${params.nodeId} joined`);
    this.s.hosts = regroup([], params).hosts;
    for (const host of this.s.hosts) {
      // Adding the host, its link and the link's priority each recompute the choice (observed: three times a link).
      for (let i = 0; i < 3 * host.links.length; i++) this.logChoice(host);
    }
    this.s.configured = true;
    this.pmtud.begin();
    this.planWake();
  }

  /**
   * The nodelist, the links or the ping timers are others now (a reload): what stays keeps its state, a link that is new begins down, one that is gone
   * takes its host with it when it was the last. Data to and from a host that is gone is lost. A changed port has no effect on a link that stays.
   */
  reconfigure(params: KnetParams): void {
    const before = this.links;
    this.params = params;
    this.links = keepPorts(params.links, before);
    const next = regroup(this.s.hosts, params);
    this.s.hosts = next.hosts;
    for (const link of next.gone) {
      if (!link.connected) continue;
      this.port.log("info", "KNET", `link: Resetting MTU for link ${link.link} because host ${link.node} joined`);
      this.pmtud.reset();
    }
    for (const host of next.grown) this.logChoice(host);
    this.logManualMtu();
    for (const host of this.s.hosts) {
      if (next.grown.includes(host)) {
        this.logChoice(host);
        this.logChoice(host);
      } else if (next.shrunk.includes(host) || host.links.some((l) => (before.get(l.link)?.priority ?? 1) !== this.priority(l.link))) {
        this.chooseLink(host);
      }
    }
    this.planWake();
  }

  /** Parameters that are not those of links and hosts. */
  retune({ blockUnlisted, pmtudIntervalS }: KnetParams): void {
    this.params = Object.freeze({ ...this.params, blockUnlisted, pmtudIntervalS });
  }

  /** Said at every change of the handle's parameters. */
  logManualMtu(): void {
    this.port.log("info", "KNET", "pmtud: MTU manually set to: 0");
  }

  /** Another key (a reload): taken from now on, used from `useNextKey` on; the one before is forgotten with `dropOldKey`. */
  addKey({ key, seal }: Pick<KnetParams, "key" | "seal">): void {
    this.s.nextKey = sealKey(key, seal);
    this.params = Object.freeze({ ...this.params, key });
  }

  useNextKey(): void {
    if (this.s.nextKey === undefined) return;
    this.s.oldKey = this.key;
    this.key = this.s.nextKey;
    this.s.nextKey = undefined;
    this.pmtud.reset();
  }

  dropOldKey(): void {
    this.s.oldKey = undefined;
  }

  /** Where its sockets are bound: one for each own link; none before the links are configured and after the end. */
  sockets(): { readonly address: string; readonly port: number }[] {
    if (!this.s.configured) return [];
    return [...this.links.values()].map((l) => ({ address: l.localAddress, port: l.port }));
  }

  private socket(address: string, port: number): LinkParams | undefined {
    return [...this.links.values()].find((l) => l.localAddress === address && l.port === port);
  }

  stop(): void {
    this.s.configured = false;
    this.s.loop = [];
    this.s.wakes = noWakes();
    for (const name of ["wake", "loop"]) this.port.clearTimer(name);
    this.pmtud.stop();
  }

  timer(name: string): void {
    switch (name) {
      case "wake":
        this.wake();
        return;
      case "loop":
        this.loopback();
        return;
      case "pmtud":
      case "probe":
        this.pmtud.timer(name);
        this.planWake();
        return;
      default:
        throw new Error(`knet has no timer ${name}`);
    }
  }

  // ── heartbeat ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private wake(): void {
    const now = this.port.now();
    const s = this.s;
    wakeNow(s.wakes, now);
    const shrink = shrinks(s.wakes);
    for (const host of s.hosts) {
      for (const link of host.links) {
        if (shrink && link.backoff > 1) link.backoff--;
        this.checkLink(host, link, now);
      }
    }
    if (s.configured) this.pmtud.wake(now);
    this.planWake();
  }

  /** Whenever something has changed that a wake looks at. */
  private planWake(): void {
    const { wakes, hosts, configured } = this.s;
    if (wakes.last === NEVER) return;
    let due = configured ? this.pmtud.state.next : NEVER;
    let shrinking = false;
    for (const host of hosts) {
      for (const link of host.links) {
        const p = this.links.get(link.link);
        if (p !== undefined) due = Math.min(due, dueAt(link, p));
        shrinking ||= link.backoff > 1;
      }
    }
    chooseWake(wakes, this.port.now(), due, shrinking);
    if (wakes.next === NEVER) this.port.clearTimer("wake");
    else this.port.setTimer("wake", wakes.next);
  }

  /** The process has not run since `since`: its next wake comes late. Called when it runs again, before anything else. */
  stoodStill(since: Instant): void {
    if (this.s.wakes.last === NEVER) return;
    stoodStill(this.s.wakes, since);
    this.port.setTimer("wake", this.s.wakes.next);
  }

  private checkLink(host: HostState, link: LinkState, now: number): void {
    const p = this.links.get(link.link);
    if (p === undefined) return;
    if (pingDue(link, p, now)) {
      link.pingLast = now;
      link.c.tx_ping_packets++;
      link.c.tx_ping_bytes += 80;
      this.transmit(p, link, sealPing(this.key, this.params.nodeId, now, host.txSeq));
    }
    if ((link.connected && link.refused) || now >= downAt(link, p)) this.linkDown(host, link);
  }

  private linkDown(host: HostState, link: LinkState): void {
    if (!takeDown(link)) return;
    this.port.log("info", "KNET", `link: host: ${host.nodeId} link: ${link.link} is down`);
    this.pmtud.down(host.nodeId, link.link);
    this.chooseLink(host);
  }

  private linkUp(host: HostState, link: LinkState): void {
    this.port.log("info", "KNET", `rx: host: ${host.nodeId} link: ${link.link} is up`);
    this.port.log("info", "KNET", `link: Resetting MTU for link ${link.link} because host ${host.nodeId} joined`);
    this.pmtud.reset();
    this.chooseLink(host);
  }

  /** Passive mode: the connected link of highest priority; of equal ones the lowest number. */
  private chooseLink(host: HostState): void {
    let best: LinkState | undefined;
    for (const link of host.links) {
      if (!link.connected) continue;
      if (best === undefined || this.priority(link.link) > this.priority(best.link)) best = link;
    }
    if (best !== undefined) host.active = best.link;
    const reachable = best !== undefined;
    const changed = reachable !== host.reachable;
    host.reachable = reachable;
    // A host that was away may have started anew: its numbers begin again.
    if (changed && reachable) host.rx = newWindow();
    this.logChoice(host);
    if (!changed) return;
    this.port.log("debug", "TOTEM", `Knet host change callback. nodeid: ${host.nodeId} reachable: ${reachable ? 1 : 0}`);
    this.up.hostChange(host.nodeId, reachable);
  }

  private priority(link: number): number {
    return this.links.get(link)?.priority ?? 1;
  }

  private logChoice(host: HostState): void {
    this.port.log("info", "KNET", `host: host: ${host.nodeId} (passive) best link: ${host.active} (pri: ${this.priority(host.active)})`);
    if (!host.reachable) this.port.log("warning", "KNET", `host: host: ${host.nodeId} has no active links`);
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `wire`: bytes of UDP payload that the real packet has, where the lab's own has fewer. */
  private transmit(p: LinkParams, link: LinkState, bytes: Uint8Array, wire = bytes.length): void {
    this.s.txCrypt++;
    // One literal with all of it: this is done for every packet, and copies of objects are dear.
    const { net, localAddress: src, port } = p;
    this.out.send({ proto: "udp", net, src, srcPort: port, dst: link.remoteAddress, dstPort: port, bytes, wire });
  }

  /** To every reachable host, and back to oneself. Implements TotemTransport. */
  multicast(packet: Uint8Array): void {
    for (const host of this.s.hosts) this.sendTo(host, packet);
    this.toMyself(packet);
  }

  /** To one node; silently lost when no link to it is up. Implements TotemTransport. */
  unicast(nodeId: number, packet: Uint8Array): void {
    if (nodeId === this.params.nodeId) {
      this.toMyself(packet);
      return;
    }
    const host = this.s.hosts.find((h) => h.nodeId === nodeId);
    if (host !== undefined) this.sendTo(host, packet);
  }

  private sendTo(host: HostState, packet: Uint8Array): void {
    if (!host.reachable) return;
    const p = this.links.get(host.active);
    const link = host.links.find((l) => l.link === host.active);
    if (p === undefined || link === undefined) return;
    host.txSeq = (host.txSeq + 1) & 0xffff;
    const size = Math.min(link.mtu, this.pmtud.state.globalMtu);
    const fragments = Math.max(1, Math.ceil(packet.length / size));
    for (let i = 0; i < fragments; i++) {
      const piece = fragments === 1 ? packet : packet.subarray(i * size, (i + 1) * size);
      link.c.tx_data_packets++;
      link.c.tx_data_bytes += piece.length;
      const sealed = sealData(this.key, this.params.nodeId, host.txSeq, fragments, i, piece);
      this.transmit(p, link, sealed, dataWire(piece.length, sealOfKey(this.key)));
    }
  }

  private toMyself(packet: Uint8Array): void {
    const loop = this.s.loop;
    if (loop.length >= LOOPBACK_MAX) return;
    this.s.own.tx_data_packets++;
    this.s.own.tx_data_bytes += packet.length;
    const at = this.port.now() + LOOPBACK_US;
    loop.push({ at, bytes: packet });
    if (loop.length === 1) this.port.setTimer("loop", at);
  }

  private loopback(): void {
    const first = this.s.loop.shift();
    const next = this.s.loop[0];
    if (next !== undefined) this.port.setTimer("loop", next.at);
    if (first !== undefined) this.up.data(this.params.nodeId, first.bytes);
  }

  // ── receiving ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A datagram, or the news that a port is closed, for one of the link sockets. */
  receive(datagram: Datagram): void {
    if (!this.s.configured) return;
    if (datagram.proto === "icmp-port-unreachable") {
      this.onRefused(datagram);
      return;
    }
    const p = this.socket(datagram.dst, datagram.dstPort);
    if (p === undefined) return;
    const packet = this.unseal(datagram.bytes);
    if (packet?.type === "foreign") {
      if (packet.size >= digestBytes(sealOfKey(this.key)))
        this.port.log("error", "KNET", "nsscrypto: Digest does not match. Check crypto key and configuration.");
      this.port.log("error", "KNET", `rx: Unable to decrypt packet from ${datagram.src}:${datagram.srcPort} (size ${packet.size})!`);
      return;
    }
    if (packet === undefined) return;
    this.s.rxCrypt++;
    const host = this.s.hosts.find((h) => h.nodeId === packet.from);
    const link = host?.links.find((l) => l.link === p.link);
    // A node id of no entry of the nodelist: nothing is said of it but at debug level.
    if (host === undefined || link === undefined) return;
    // libknet's access list: the address must be the one listed for this very node id.
    if (this.params.blockUnlisted && link.remoteAddress !== datagram.src) {
      this.port.log("warning", "KNET", `rx: Packet rejected from ${datagram.src}:${datagram.srcPort}`);
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
        this.transmit(p, link, sealPong(this.key, this.params.nodeId, packet.sentAt));
        return;
      case PONG:
        link.c.rx_pong_packets++;
        link.c.rx_pong_bytes += 26;
        this.takePong(host, link, onPong(link, p, packet.sentAt, this.port.now()));
        this.planWake();
        return;
      case PMTUD:
        link.c.rx_pmtu_packets++;
        link.c.rx_pmtu_bytes += packet.size;
        this.transmit(p, link, sealProbe(this.key, PMTUD_REPLY, this.params.nodeId, packet.size));
        return;
      case PMTUD_REPLY:
        link.c.rx_pmtu_packets++;
        if (link.connected) this.pmtud.answered(host.nodeId, link, packet.size);
        this.planWake();
        return;
      case DATA: {
        link.c.rx_data_packets++;
        link.c.rx_data_bytes += packet.bytes.length;
        // libknet discards data of a host it does not hold reachable itself.
        if (!host.reachable) return;
        const whole = takeFragment(host.rx, packet.seq, packet.fragments, packet.index, packet.bytes);
        if (whole !== undefined) this.up.data(host.nodeId, whole);
      }
    }
  }

  /** Under the key in force, or one of the two it is used beside while the key changes. */
  private unseal(bytes: Uint8Array): ReturnType<typeof open> {
    let packet = open(this.key, bytes);
    for (const key of [this.s.nextKey, this.s.oldKey]) if (packet?.type === "foreign" && key !== undefined) packet = open(key, bytes);
    return packet;
  }

  private takePong(host: HostState, link: LinkState, result: PongResult): void {
    const say = (text: string): void => this.port.log("debug", "KNET", `rx: ${text}`);
    const place = `host: ${host.nodeId} link: ${link.link}`;
    if (result === "up") this.linkUp(host, link);
    else if (result === "counted") say(`${place} received pong: ${link.receivedPong}`);
    else if (result === "late") say(`Incoming pong packet from ${place} has higher latency than pong_timeout. Discarding`);
  }

  private onRefused(datagram: Datagram): void {
    for (const host of this.s.hosts) {
      for (const link of host.links) {
        if (link.remoteAddress !== datagram.src) continue;
        this.port.log("debug", "KNET", `udp: Received ICMP error from ${datagram.src}: Connection refused ${datagram.src}`);
        // Said each time while the link is up; of one that is down already the error alone is told.
        if (link.connected) this.port.log("debug", "KNET", `udp: Setting down host ${host.nodeId} link ${link.link}`);
        link.refused = true;
      }
    }
    this.planWake();
  }

  // ── what others may know ───────────────────────────────────────────────────────────────────────────────────────────

  status(): LinkStatus[] {
    return linkStatuses(this.s.hosts, this.links);
  }

  /** stats.knet.*: counters of every link (the own node's loopback link included) and of the handle. */
  stats(): KnetCounters {
    const { own, rxCrypt, txCrypt, statsCleared } = this.s;
    return { links: linkCounters(this.s.hosts, own, this.params), rxCrypt, txCrypt, cleared: statsCleared };
  }

  clearStats(): void {
    this.s.rxCrypt = 0;
    this.s.txCrypt = 0;
    this.s.statsCleared = true;
    this.s.own = clearedCounters(this.s.own);
    for (const host of this.s.hosts) for (const link of host.links) link.c = clearedCounters(link.c);
  }

  snapshot(): KnetSnapshot {
    return { state: cloneState(this.s), params: this.params, key: this.key, links: [...this.links.values()] };
  }

  restore(snapshot: KnetSnapshot): void {
    this.params = snapshot.params;
    this.key = [...snapshot.key];
    this.links = new Map(snapshot.links.map((l) => [l.link, l]));
    this.s = cloneState(snapshot.state);
    this.pmtud.state = this.s.pmtud;
  }

  digest(h: Hasher): void {
    for (const key of [this.key, this.s.nextKey, this.s.oldKey])
      h.int(key?.[0] ?? 0)
        .int(key?.[1] ?? 0)
        .int(key?.[2] ?? 0);
    for (const l of this.links.values())
      h.int(l.link).text(l.localAddress).int(l.port).int(l.pingIntervalMs).int(l.pingTimeoutMs).int(l.pongCount).int(l.priority);
    h.int(this.s.wakes.count).int(this.s.wakes.last).bool(this.s.configured).int(this.s.loop.length);
    this.pmtud.digest(h);
    for (const host of this.s.hosts) {
      h.int(host.nodeId).bool(host.reachable).int(host.active).int(host.txSeq).int(host.rx.newest);
      for (const link of host.links) digestLink(h, link);
    }
  }
}
