/**
 * The networks of a lab: takes a packet from one machine and says whether, when and where it arrives. Every network is one switch with a cable to
 * each machine; a path is the sender's cable out, the switch, the receiver's cable in. In the real stack this is Ethernet with `tc netem`, and packet filters
 * on the machines. Left out: ARP, MAC learning, broadcast, and IP fragments: what is too large is dropped, as with the DF bit set.
 *
 * A packet is lost if its path is cut when it is sent, or still cut when it would arrive: what is in flight over a cable that is pulled is gone.
 * Packets of one directed pair and network arrive in the order they were sent, except by jitter, reordering, or a delay that was lowered meanwhile.
 * A port with a rate is entered in the order of sending, also by packets from machines that are not equally far from it.
 */
import {
  LINK_DELAY_DEFAULT_US,
  LINK_DELAY_MIN_US,
  Rng,
  type Datagram,
  type Duration,
  type Hasher,
  type Instant,
  type RngState,
} from "../kernel/index.ts";
import { applyFabricAct, checkFabricAct, listFaults, prunedFaults } from "./faults.ts";
import { compilePath, isBlocked, packetBytes, MTU_DEFAULT_BYTES, type Path } from "./path.ts";
import { enterPort, type PortQueue } from "./port-queue.ts";
import { noFaults, type FabricAct, type FabricDesign, type FaultState, type FaultView, type LinkSettings } from "./schema.ts";

export interface FabricState {
  readonly faults: FaultState;
  /** Generators that have drawn, by path. */
  readonly rngs: readonly (readonly [string, RngState])[];
  /** Queues of ports that have a rate, by label. */
  readonly queues: readonly (readonly [string, Readonly<PortQueue>])[];
}

/** What is set on one cable; of two directions the worse. Milliseconds, percent, Mbit/s, bytes. */
export interface CableView {
  readonly cutIn: boolean;
  readonly cutOut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly lossPercent: number;
  /** Null: as fast as it comes. */
  readonly rateMbit: number | null;
  readonly mtuBytes: number;
}

/** Takes one arrival: the path and how long after sending. */
export type Arrive = (path: Path, after: Duration) => void;

export class Fabric {
  private state: FaultState = noFaults();
  private links = new Map<string, number>();
  /** By link: address → machine number. */
  private hosts: Map<string, number>[] = [];
  /** By link · machines² + from · machines + to. */
  private paths: (Path | undefined)[] = [];
  private readonly rngs = new Map<string, Rng>();
  private minDelay = LINK_DELAY_DEFAULT_US;

  private readonly queues = new Map<string, PortQueue>();

  constructor(private design: FabricDesign) {
    this.number();
  }

  private number(): void {
    const { networks, machines, nics } = this.design;
    this.links = new Map();
    this.hosts = networks.map(() => new Map<string, number>());
    networks.forEach((n, i) => n !== undefined && this.links.set(n.name, i));
    for (const nic of nics) {
      const machine = machines.indexOf(nic.node);
      const table = this.hosts[this.links.get(nic.net) ?? -1];
      if (machine < 0 || table === undefined) throw new Error(`fabric: card of ${nic.node} on ${nic.net}: no such machine or network`);
      table.set(nic.address, machine);
    }
  }

  /**
   * Sends `datagram` from machine number `from` at `now`: calls `arrive` for each copy that will arrive, in no case sooner than LINK_DELAY_MIN_US. An address
   * that nobody has gets nothing, as on a network where ARP finds no answer.
   */
  route(now: Instant, from: number, datagram: Datagram, arrive: Arrive): void {
    const link = this.links.get(datagram.net);
    if (link === undefined) return;
    const to = this.hosts[link]?.get(datagram.dst);
    if (to === undefined || to === from) return;
    const path = this.path(link, from, to);
    if (!path.open || packetBytes(datagram) > path.mtuBytes || isBlocked(path.blocks, datagram)) return;
    if (path.plain) arrive(path, path.delayUs);
    else this.routeDrawn(now, path, packetBytes(datagram), arrive);
  }

  private routeDrawn(now: Instant, path: Path, bytes: number, arrive: Arrive): void {
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
      if (lost) continue;
      const queued = path.ports.length === 0 ? 0 : this.passPorts(now, path, bytes);
      if (queued !== undefined) arrive(path, Math.max(LINK_DELAY_MIN_US, after + queued));
    }
  }

  /** Time in queues and on the wire before ports that have a rate; undefined where one of the queues is full. */
  private passPorts(now: Instant, path: Path, bytes: number): Duration | undefined {
    let spent = 0;
    for (const port of path.ports) {
      let queue = this.queues.get(port.label);
      if (queue === undefined) {
        queue = { at: now, ns: 0 };
        this.queues.set(port.label, queue);
      }
      const took = enterPort(queue, now + spent + (port.near ? 0 : path.delayUs), bytes, port.rateMbit);
      if (took === undefined) return undefined;
      spent += took;
    }
    return spent;
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
    const made = compilePath(this.design, this.state, link, from, to);
    this.paths[key] = made;
    return made;
  }

  /** Whether a packet that was sent on this path may arrive now. The path may be of an earlier fault state. */
  arrives(link: number, from: number, to: number, datagram: Datagram): boolean {
    const path = this.path(link, from, to);
    return path.open && !isBlocked(path.blocks, datagram);
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
    this.setFaults(this.after(act));
  }

  /** The faults as they will be after an act that `check` has let pass. */
  after(act: FabricAct): FaultState {
    return applyFabricAct(this.design, this.state, act);
  }

  /** Machines, networks and cards are others from now on, and so are the names in the faults; whoever is still there has its number still. */
  redesign(design: FabricDesign, faults: FaultState): void {
    this.design = design;
    this.number();
    this.setFaults(prunedFaults(design, faults));
  }

  private setFaults(state: FaultState): void {
    this.state = state;
    this.paths = [];
    this.dropQueues();
    this.minDelay = LINK_DELAY_DEFAULT_US;
    for (const { settings } of [...state.cables, ...state.pairs]) {
      const low = (settings.jitterUs ?? 0) > 0 ? LINK_DELAY_MIN_US : (settings.delayUs ?? LINK_DELAY_DEFAULT_US);
      this.minDelay = Math.max(LINK_DELAY_MIN_US, Math.min(this.minDelay, low));
    }
  }

  /** A port without a rate has no queue: what it had is under way already. */
  private dropQueues(): void {
    if (this.queues.size === 0) return;
    const rated = new Set<string>();
    for (const c of this.state.cables) if (c.settings.rateMbit !== undefined) rated.add(`${c.net} ${c.node} ${c.direction}`);
    for (const p of this.state.pairs) if (p.settings.rateMbit !== undefined) rated.add(`${p.net} ${p.from} ${p.to}`);
    for (const label of [...this.queues.keys()]) if (!rated.has(label)) this.queues.delete(label);
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

  /** What is set on one cable. */
  cable(node: string, net: string): CableView {
    const mine = this.state.cables.filter((c) => c.node === node && c.net === net);
    const most = (pick: (s: LinkSettings) => number | undefined): number => Math.max(0, ...mine.map((c) => pick(c.settings) ?? 0));
    const least = (pick: (s: LinkSettings) => number | undefined): number | undefined =>
      mine.flatMap((c) => pick(c.settings) ?? []).sort((a, b) => a - b)[0];
    return {
      cutIn: mine.some((c) => c.cut && c.direction === "in"),
      cutOut: mine.some((c) => c.cut && c.direction === "out"),
      delayMs: most((s) => s.delayUs) / 1000,
      jitterMs: most((s) => s.jitterUs) / 1000,
      lossPercent: most((s) => s.lossPercent),
      rateMbit: least((s) => s.rateMbit) ?? null,
      mtuBytes: Math.min(...["in", "out"].map((d) => mine.find((c) => c.direction === d)?.settings.mtuBytes ?? MTU_DEFAULT_BYTES)),
    };
  }

  /** MTU of a machine's own interface, as its kernel has it. */
  interfaceMtu(node: string, net: string): number {
    return interfaceMtu(this.state, node, net);
  }

  snapshot(): FabricState {
    // Acts replace the fault state and never write into it, so it may be shared.
    return {
      faults: this.state,
      rngs: [...this.rngs].map(([label, rng]) => [label, rng.snapshot()] as const),
      queues: [...this.queues].map(([label, queue]) => [label, { ...queue }] as const),
    };
  }

  restore(state: FabricState): void {
    this.rngs.clear();
    for (const [label, rng] of state.rngs) this.rngs.set(label, Rng.restore([...rng]));
    this.queues.clear();
    for (const [label, queue] of state.queues) this.queues.set(label, { ...queue });
    this.setFaults(state.faults);
  }

  digest(h: Hasher): void {
    h.text(JSON.stringify(this.state));
    for (const [label, rng] of this.rngs) {
      h.text(label);
      for (const word of rng.snapshot()) h.int(word);
    }
    for (const [label, queue] of this.queues) h.text(label).int(queue.at).int(queue.ns);
  }
}

/** MTU of a machine's own interface under these faults. */
export function interfaceMtu(state: FaultState, node: string, net: string): number {
  const out = state.cables.find((c) => c.node === node && c.net === net && c.direction === "out");
  return out?.settings.mtuBytes ?? MTU_DEFAULT_BYTES;
}
