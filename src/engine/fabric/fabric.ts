/**
 * The networks of a lab: takes a packet from one machine and says whether, when and where it arrives. Every network is one switch with a cable to
 * each machine; a path is the sender's cable out, the switch, the receiver's cable in. In the real stack this is Ethernet with `tc netem`. Left out:
 * ARP, MAC learning, broadcast, queues (rate) and fragmentation (MTU).
 *
 * A packet is lost if its path is cut when it is sent, or still cut when it would arrive: what is in flight over a cable that is pulled is gone.
 * Packets of one directed pair and network arrive in the order they were sent, except by jitter, reordering, or a delay that was lowered meanwhile.
 */
import {
  LINK_DELAY_DEFAULT_US,
  LINK_DELAY_MIN_US,
  Rng,
  type Datagram,
  type Duration,
  type Hasher,
  type RngState,
} from "../kernel/index.ts";
import { applyFabricAct, checkFabricAct, listFaults } from "./faults.ts";
import { noFaults, type FabricAct, type FabricDesign, type FaultState, type FaultView, type LinkSettings } from "./schema.ts";

/** One directed pair of machines on one network, with everything that is set on its way summed up. */
export interface Path {
  /** Position of sender and receiver in the lab's order. */
  readonly from: number;
  readonly to: number;
  /** Position of the network in the lab's order. */
  readonly link: number;
  readonly label: string;
  /** Nothing on the way is cut. */
  open: boolean;
  delayUs: Duration;
  jitterUs: Duration;
  reorderPercent: number;
  /** One draw each, in the order of the way. */
  losses: number[];
  dups: number[];
  /** No draw at all: the usual case. */
  plain: boolean;
  rng: Rng | undefined;
}

export interface FabricState {
  readonly faults: FaultState;
  /** Generators that have drawn, by path. */
  readonly rngs: readonly (readonly [string, RngState])[];
}

/** Takes one arrival: the path and how long after sending. */
export type Arrive = (path: Path, after: Duration) => void;

export class Fabric {
  private state: FaultState = noFaults();
  private readonly links = new Map<string, number>();
  /** By link: address → machine number. */
  private readonly hosts: Map<string, number>[] = [];
  /** By link · machines² + from · machines + to. */
  private paths: (Path | undefined)[] = [];
  private readonly rngs = new Map<string, Rng>();
  private minDelay = LINK_DELAY_DEFAULT_US;

  constructor(private readonly design: FabricDesign) {
    design.networks.forEach((n, i) => {
      this.links.set(n.name, i);
      this.hosts.push(new Map());
    });
    for (const nic of design.nics) {
      const machine = design.machines.indexOf(nic.node);
      const table = this.hosts[this.links.get(nic.net) ?? -1];
      if (machine < 0 || table === undefined) throw new Error(`fabric: card of ${nic.node} on ${nic.net}: no such machine or network`);
      table.set(nic.address, machine);
    }
  }

  /**
   * Sends `datagram` from machine number `from`: calls `arrive` for each copy that will arrive, in no case sooner than LINK_DELAY_MIN_US. An address that
   * nobody has gets nothing, as on a network where ARP finds no answer.
   */
  route(from: number, datagram: Datagram, arrive: Arrive): void {
    const link = this.links.get(datagram.net);
    if (link === undefined) return;
    const to = this.hosts[link]?.get(datagram.dst);
    if (to === undefined || to === from) return;
    const path = this.path(link, from, to);
    if (!path.open) return;
    if (path.plain) arrive(path, path.delayUs);
    else this.routeDrawn(path, arrive);
  }

  private routeDrawn(path: Path, arrive: Arrive): void {
    const rng = this.rngOf(path);
    // Every draw is made whatever the earlier ones said, so that the number of draws per packet depends on the settings alone.
    let lost = false;
    for (const percent of path.losses) lost = rng.percent(percent) || lost;
    let copies = 1;
    for (const percent of path.dups) if (rng.percent(percent)) copies = 2;
    for (let i = 0; i < copies; i++) {
      let after = path.delayUs;
      if (path.jitterUs > 0) after += rng.between(-path.jitterUs, path.jitterUs);
      if (rng.percent(path.reorderPercent)) after += rng.between(1, 1000 + 2 * path.delayUs);
      if (!lost) arrive(path, Math.max(LINK_DELAY_MIN_US, after));
    }
  }

  private rngOf(path: Path): Rng {
    if (path.rng !== undefined) return path.rng;
    const rng = this.rngs.get(path.label) ?? Rng.from(this.design.seed, "fabric", path.label);
    this.rngs.set(path.label, rng);
    path.rng = rng;
    return rng;
  }

  private path(link: number, from: number, to: number): Path {
    const n = this.design.machines.length;
    const key = (link * n + from) * n + to;
    const known = this.paths[key];
    if (known !== undefined) return known;
    const made = this.compile(link, from, to);
    this.paths[key] = made;
    return made;
  }

  private compile(link: number, from: number, to: number): Path {
    const { machines, networks } = this.design;
    const [net, a, b] = [networks[link]?.name ?? "", machines[from] ?? "", machines[to] ?? ""];
    const path: Path = {
      from,
      to,
      link,
      label: `${net} ${a} ${b}`,
      open: !this.state.switchesOff.includes(net) && !this.parted(a, b),
      delayUs: 0,
      jitterUs: 0,
      reorderPercent: 0,
      losses: [],
      dups: [],
      plain: true,
      rng: undefined,
    };
    let delays = 0;
    const take = (cut: boolean, s: LinkSettings): void => {
      if (cut) path.open = false;
      if (s.delayUs !== undefined) delays++;
      path.delayUs += s.delayUs ?? 0;
      path.jitterUs += s.jitterUs ?? 0;
      if ((s.lossPercent ?? 0) > 0) path.losses.push(s.lossPercent ?? 0);
      if ((s.dupPercent ?? 0) > 0) path.dups.push(s.dupPercent ?? 0);
      path.reorderPercent = Math.max(path.reorderPercent, s.reorderPercent ?? 0);
    };
    for (const c of this.state.cables) if (c.net === net && c.direction === "out" && c.node === a) take(c.cut, c.settings);
    for (const c of this.state.cables) if (c.net === net && c.direction === "in" && c.node === b) take(c.cut, c.settings);
    for (const p of this.state.pairs) if (p.net === net && p.from === a && p.to === b) take(p.cut, p.settings);
    path.delayUs = delays === 0 ? LINK_DELAY_DEFAULT_US : Math.max(LINK_DELAY_MIN_US, path.delayUs);
    path.plain = path.jitterUs === 0 && path.losses.length === 0 && path.dups.length === 0 && path.reorderPercent === 0;
    return path;
  }

  private parted(a: string, b: string): boolean {
    const group = (node: string): number => this.state.groups.findIndex((g) => g.includes(node));
    const [ga, gb] = [group(a), group(b)];
    return ga >= 0 && gb >= 0 && ga !== gb;
  }

  /** Whether a packet that was sent on this path may arrive now. The path may be of an earlier fault state. */
  arrives(link: number, from: number, to: number): boolean {
    return this.path(link, from, to).open;
  }

  /** The shortest time any packet can take now, µs: the width of a window. */
  windowUs(): Duration {
    return this.minDelay;
  }

  /** One line that says why `act` cannot be done; undefined when it can. */
  check(act: FabricAct): string | undefined {
    return checkFabricAct(this.design, act);
  }

  /** Does an act that `check` has let pass. */
  act(act: FabricAct): void {
    this.setFaults(applyFabricAct(this.design, this.state, act));
  }

  private setFaults(state: FaultState): void {
    this.state = state;
    this.paths = [];
    this.minDelay = LINK_DELAY_DEFAULT_US;
    for (const { settings } of [...state.cables, ...state.pairs]) {
      const low = (settings.jitterUs ?? 0) > 0 ? LINK_DELAY_MIN_US : (settings.delayUs ?? LINK_DELAY_DEFAULT_US);
      this.minDelay = Math.max(LINK_DELAY_MIN_US, Math.min(this.minDelay, low));
    }
  }

  /** The faults in force as plain data; give them to the act `faults` to have them back. */
  faults(): FaultState {
    return this.state;
  }

  list(): FaultView[] {
    return listFaults(this.state);
  }

  isOn(net: string): boolean {
    return !this.state.switchesOff.includes(net);
  }

  /** What is set on one cable; of two directions the worse. Milliseconds and percent. */
  cable(node: string, net: string): { cutIn: boolean; cutOut: boolean; delayMs: number; jitterMs: number; lossPercent: number } {
    const mine = this.state.cables.filter((c) => c.node === node && c.net === net);
    const most = (pick: (s: LinkSettings) => number | undefined): number => Math.max(0, ...mine.map((c) => pick(c.settings) ?? 0));
    return {
      cutIn: mine.some((c) => c.cut && c.direction === "in"),
      cutOut: mine.some((c) => c.cut && c.direction === "out"),
      delayMs: most((s) => s.delayUs) / 1000,
      jitterMs: most((s) => s.jitterUs) / 1000,
      lossPercent: most((s) => s.lossPercent),
    };
  }

  snapshot(): FabricState {
    // Acts replace the fault state and never write into it, so it may be shared.
    return { faults: this.state, rngs: [...this.rngs].map(([label, rng]) => [label, rng.snapshot()] as const) };
  }

  restore(state: FabricState): void {
    this.rngs.clear();
    for (const [label, rng] of state.rngs) this.rngs.set(label, Rng.restore([...rng]));
    this.setFaults(state.faults);
  }

  digest(h: Hasher): void {
    h.text(JSON.stringify(this.state));
    for (const [label, rng] of this.rngs) {
      h.text(label);
      for (const word of rng.snapshot()) h.int(word);
    }
  }
}
