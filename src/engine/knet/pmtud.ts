/**
 * Path MTU discovery: how large a packet gets through on each link, one link after the other, from the interface's own MTU downwards. In the real stack:
 * libknet's PMTUd thread (threads_pmtud.c). With encryption a probe without an answer is tried again with twice the patience, up to 128 times the ping
 * timeout, before its size counts as too large; so a network that swallows large packets is found out after minutes, and until then data of that size is lost.
 * Sources: kronosnet 1.25, observed with interfaces of MTU 1400 and 1500, and with a bridge that swallows what is larger than 1400, with and without
 * encryption; starts and reloads with totem.knet_mtu, which takes the place of all searching. Left out: retries where the socket is full.
 */
import { MS, type Duration, type Hasher, type Port } from "../kernel/index.ts";
import { hostWith, linkWith, type HostState } from "./hosts.ts";
import { PATIENCE_MIN, minMtu, overhead, type LinkParams, type LinkState } from "./link.ts";
import { dataMtu, dataWire, onWire, type Seal } from "./seal.ts";

/** libknet: KNET_LINK_PMTUD_CRYPTO_TIMEOUT_MULTIPLIER_MAX. */
const PATIENCE_MAX = 128;
/** How long after a link came up discovery begins (observed). */
const AFTER_UP_US = 200 * MS;
/** How long after another MTU was given by hand it is in force: 30 to 140 ms (observed). */
const AFTER_SET_US = 100 * MS;
/** The largest MTU there is (libknet: KNET_PMTUD_SIZE_V4). */
export const MTU_MAX = 65_535;

/** The search on one link. Sizes are IP packets, bytes. */
interface Discovery {
  readonly node: number;
  readonly link: number;
  /** MTU of the interface, which the kernel tells. */
  readonly kernel: number;
  size: number;
  /** Largest that got through, and smallest that did not; 0: none yet. */
  good: number;
  bad: number;
  /** An answer makes the next wait shorter: not in a search that had to grow more patient. */
  reduce: boolean;
}

export interface PmtudState {
  globalMtu: number;
  /** When the next round is due by itself. */
  next: number;
  now: Discovery | undefined;
  /** Links that the round under way has still to come to. */
  left: { node: number; link: number }[];
  /** Another round was asked for meanwhile. */
  again: boolean;
}

/** What the discovery has from its handle. */
export interface PmtudHandle {
  readonly port: Port;
  hosts(): readonly HostState[];
  link(number: number): LinkParams | undefined;
  seal(): Seal;
  intervalS(): number;
  /** An MTU given by hand, 0: none. */
  manualMtu(): number;
  /** MTU of the interface with this address, as the kernel refuses what is larger. */
  interfaceMtu(address: string): number;
  probe(p: LinkParams, link: LinkState, payload: number): void;
}

export class Pmtud {
  state: PmtudState;

  constructor(private readonly handle: PmtudHandle) {
    this.state = { globalMtu: minMtu("", handle.seal()), next: Number.MAX_SAFE_INTEGER, now: undefined, left: [], again: false };
  }

  private log(level: "debug" | "info" | "warning", text: string): void {
    this.handle.port.log(level, "KNET", text);
  }

  private get encrypts(): boolean {
    return this.handle.seal().around > 0;
  }

  /** The links are configured. */
  begin(): void {
    this.state.next = this.handle.port.now() + this.handle.intervalS() * 1000 * MS;
  }

  stop(): void {
    for (const name of ["pmtud", "probe"]) this.handle.port.clearTimer(name);
  }

  /** A link came up, or went out of the configuration: all data goes in the smallest pieces until the next round has been made. */
  reset(): void {
    this.state.globalMtu = minMtu("", this.handle.seal());
    this.handle.port.setTimer("pmtud", this.handle.port.now() + AFTER_UP_US);
  }

  /** Another MTU is given by hand, or none any more. */
  manualChanged(): void {
    this.handle.port.setTimer("pmtud", this.handle.port.now() + AFTER_SET_US);
  }

  /** Bytes of data that a fragment over this link carries. */
  pieceBytes(link: LinkState): number {
    const { globalMtu } = this.state;
    // An MTU given by hand may leave no room for data: libknet then cuts at the largest MTU there is.
    return link.mtu > 0 ? Math.min(link.mtu, globalMtu) : globalMtu;
  }

  /** At a wake of the heartbeat. */
  wake(now: number): void {
    if (now >= this.state.next) this.round();
  }

  timer(name: "pmtud" | "probe"): void {
    if (name === "pmtud") this.round();
    else this.unanswered();
  }

  /** A round over all links that are up. */
  private round(): void {
    const s = this.state;
    if (s.now !== undefined) {
      s.again = true;
      return;
    }
    s.next = Number.MAX_SAFE_INTEGER;
    if (this.handle.manualMtu() > 0) {
      this.takeManual(this.handle.manualMtu());
      return;
    }
    s.left = this.handle.hosts().flatMap((host) => host.links.map(({ link }) => ({ node: host.nodeId, link })));
    this.nextLink();
  }

  /** Every link that is up has the MTU that was given. */
  private takeManual(mtu: number): void {
    for (const host of this.handle.hosts())
      for (const l of host.links) if (l.connected) l.mtu = dataMtu(mtu, overhead(l.remoteAddress), this.handle.seal());
    this.settle();
    this.state.next = this.handle.port.now() + this.handle.intervalS() * 1000 * MS;
  }

  private nextLink(): void {
    const s = this.state;
    s.now = undefined;
    for (let place = s.left.shift(); place !== undefined; place = s.left.shift()) {
      const [link, p] = [this.linkTo(place.node, place.link), this.handle.link(place.link)];
      if (link?.connected !== true || p === undefined) continue;
      this.log("debug", `pmtud: Starting PMTUD for host: ${place.node} link: ${place.link}`);
      // The first probe is of the largest size there is; the kernel refuses it, and tells its own.
      const kernel = this.handle.interfaceMtu(p.localAddress);
      this.log("debug", `udp: detected kernel MTU: ${kernel}`);
      // A ping is known to get through, so the search begins above it.
      s.now = {
        ...place,
        kernel,
        size: kernel,
        good: overhead(link.remoteAddress) + dataWire(0, this.handle.seal()),
        bad: 0,
        reduce: true,
      };
      this.probe(s.now, link, p);
      return;
    }
    this.settle();
    s.next = this.handle.port.now() + this.handle.intervalS() * 1000 * MS;
    if (!s.again) return;
    s.again = false;
    this.handle.port.setTimer("pmtud", this.handle.port.now() + AFTER_UP_US);
  }

  private linkTo(node: number, link: number): LinkState | undefined {
    const host = hostWith(this.handle.hosts(), node);
    return host === undefined ? undefined : linkWith(host, link);
  }

  private probe(d: Discovery, link: LinkState, p: LinkParams): void {
    const payload = d.size - overhead(link.remoteAddress);
    link.c.tx_pmtu_packets++;
    link.c.tx_pmtu_bytes += payload;
    this.handle.probe(p, link, payload);
    this.handle.port.setTimer("probe", this.handle.port.now() + this.wait(link, p));
  }

  /** As long as a link is young its back-off makes everything wait longer (observed). */
  private wait(link: LinkState, p: LinkParams): Duration {
    return p.pingTimeoutMs * 1000 * link.backoff * (this.encrypts ? link.patience : 1);
  }

  private unanswered(): void {
    const d = this.state.now;
    if (d === undefined) return;
    const [link, p] = [this.linkTo(d.node, d.link), this.handle.link(d.link)];
    if (link === undefined || p === undefined) {
      this.nextLink();
      return;
    }
    if (this.encrypts && link.patience < PATIENCE_MAX) {
      link.patience *= 2;
      d.reduce = false;
      this.log("debug", `pmtud: Increasing PMTUd response timeout multiplier to (${link.patience}) for host ${d.node} link: ${d.link}`);
      this.probe(d, link, p);
      return;
    }
    d.bad = d.size;
    if (d.size === d.kernel) for (const text of misconfigured(d)) this.log("warning", text);
    this.tryNext(d, link, p);
  }

  /** A probe of `payload` bytes was answered. */
  answered(node: number, link: LinkState, payload: number): void {
    const d = this.state.now;
    const p = this.handle.link(link.link);
    if (d?.node !== node || d.link !== link.link || p === undefined || payload + overhead(link.remoteAddress) !== d.size) return;
    this.handle.port.clearTimer("probe");
    d.good = d.size;
    if (this.encrypts && d.reduce && link.patience > PATIENCE_MIN) {
      link.patience /= 2;
      this.log("debug", `pmtud: Decreasing PMTUd response timeout multiplier to (${link.patience}) for host ${d.node} link: ${d.link}`);
    }
    // The search ends where the sizes that pass and do not are one block apart.
    if (d.bad === 0 || d.bad <= d.size + this.handle.seal().block) this.found(d, link);
    else this.tryNext(d, link, p);
  }

  /** Half way between what passed and what did not. */
  private tryNext(d: Discovery, link: LinkState, p: LinkParams): void {
    d.size = onWire(Math.floor((d.good + d.bad) / 2), overhead(link.remoteAddress), this.handle.seal());
    if (d.size <= d.good) this.found(d, link);
    else this.probe(d, link, p);
  }

  private found(d: Discovery, link: LinkState): void {
    const mtu = dataMtu(d.good, overhead(link.remoteAddress), this.handle.seal());
    if (link.mtu !== mtu) this.log("info", `pmtud: PMTUD link change for host: ${d.node} link: ${d.link} from ${link.mtu} to ${mtu}`);
    link.mtu = mtu;
    this.log("debug", `pmtud: PMTUD completed for host: ${d.node} link: ${d.link} current link mtu: ${mtu}`);
    this.nextLink();
  }

  /** At the end of a round the smallest of the links that are up holds for all data. Numbers have no sign there: what is below zero is very large. */
  private settle(): void {
    const up = this.handle.hosts().flatMap((host) => host.links.filter((l) => l.connected));
    const smallest = up.reduce((least, l) => (l.mtu > 0 && l.mtu < least ? l.mtu : least), MTU_MAX);
    if (up.length === 0 || smallest === this.state.globalMtu) return;
    this.state.globalMtu = smallest;
    this.log("info", `pmtud: Global data MTU changed to: ${smallest}`);
  }

  /** The link went down: its search is given up, and begins again with the next round. */
  down(node: number, link: number): void {
    const d = this.state.now;
    if (d?.node !== node || d.link !== link) return;
    this.log("debug", `pmtud: PMTUD for host: ${node} link: ${link} has been rescheduled`);
    this.handle.port.clearTimer("probe");
    this.state.again = true;
    this.nextLink();
  }

  digest(h: Hasher): void {
    const { globalMtu, next, now: d, left, again } = this.state;
    h.int(globalMtu).int(next).bool(again).int(left.length);
    for (const place of left) h.int(place.node).int(place.link);
    h.int(d?.node ?? -1)
      .int(d?.link ?? -1)
      .int(d?.size ?? 0)
      .int(d?.good ?? 0)
      .int(d?.bad ?? 0);
    h.int(d?.kernel ?? 0).bool(d?.reduce ?? false);
  }
}

/** What is said where the size that the kernel sends gets no answer. */
function misconfigured(d: Discovery): string[] {
  return [
    `pmtud: possible MTU misconfiguration detected. kernel is reporting MTU: ${d.kernel} bytes for host ${d.node} link ${d.link} but the other node is not acknowledging packets of this size. `,
    "pmtud: This can be caused by this node interface MTU too big or a network device that does not support or has been misconfigured to manage MTU of this size, or packet loss. knet will continue to run but performances might be affected.",
  ];
}
