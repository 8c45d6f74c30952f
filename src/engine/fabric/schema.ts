/**
 * What can be wrong with the networks of a lab, as plain data: the whole schema of the fabric. In the real world these are cables, switch ports,
 * `tc netem` on an interface and a machine's packet filter. Left out: what lies between two switches; every network is one switch.
 */
import type { Duration } from "../kernel/index.ts";

/** As the machine at the cable's end sees it: `out` leaves the machine, `in` reaches it. */
export type Direction = "in" | "out";

/** What one direction does to packets. Absent: as delivered by the maker. */
export interface LinkSettings {
  /** One way, µs; a whole path is never faster than LINK_DELAY_MIN_US. */
  delayUs?: Duration;
  /** A packet takes up to this much more or less than the delay, evenly spread; so packets may overtake each other. */
  jitterUs?: Duration;
  /** 0 … 100. */
  lossPercent?: number;
  /** 0 … 100: the packet arrives twice, each copy with its own jitter. */
  dupPercent?: number;
  /** 0 … 100: the packet is held back so that later ones overtake it. */
  reorderPercent?: number;
  /** Mbit/s that the port sends, with a queue of bounded length before it. */
  rateMbit?: number;
  /**
   * Largest IP packet, bytes; what is larger is dropped without a word. Of a cable: `out` is the MTU of the machine's own interface, which its kernel
   * knows and refuses to exceed; `in` is that of the switch's port towards it, of which nobody hears.
   */
  mtuBytes?: number;
}

/** One direction of the cable between a machine and a network's switch. */
export interface CableFault {
  readonly node: string;
  readonly net: string;
  readonly direction: Direction;
  cut: boolean;
  settings: LinkSettings;
}

/** Packets from one machine to another on one network. */
export interface PairFault {
  readonly net: string;
  readonly from: string;
  readonly to: string;
  cut: boolean;
  settings: LinkSettings;
}

export interface PortBlock {
  readonly node: string;
  readonly port: number;
  readonly proto: "udp" | "tcp";
}

/** Everything that is wrong at one moment. Entries stand in the order in which they were first made. */
export interface FaultState {
  cables: CableFault[];
  pairs: PairFault[];
  switchesOff: string[];
  /** Groups that cannot reach each other on any network; machines in none reach everybody. Empty: no partition. */
  groups: string[][];
  blocks: PortBlock[];
}

/** `net` absent: every network of the machine (with `to`: every network both are on). */
export interface LinkTarget {
  readonly node: string;
  readonly net?: string;
  readonly to?: string;
  readonly direction: Direction | "both";
}

export type FabricAct =
  | { kind: "link-cut"; link: LinkTarget }
  /** Undoes cut and settings of that cable or pair; without `to` also those of pairs that the machine is one end of. */
  | { kind: "link-heal"; link: LinkTarget }
  /** Replaces the named settings and leaves the others. */
  | { kind: "link-set"; link: LinkTarget; settings: LinkSettings }
  /** Replaces an earlier partition. */
  | { kind: "partition"; groups: readonly (readonly string[])[] }
  | { kind: "switch"; net: string; on: boolean }
  /** Packets from or to this port are dropped at the machine's packet filter, in both directions; nobody is told. */
  | { kind: "block"; block: PortBlock; on: boolean }
  /** Undoes everything above. */
  | { kind: "heal" }
  /** Puts the faults back as they were at another moment (undo). */
  | { kind: "faults"; state: FaultState };

/** A machine's network card as the fabric knows it. */
export interface FabricNic {
  readonly node: string;
  readonly net: string;
  readonly address: string;
}

export interface FabricNetwork {
  readonly name: string;
  readonly cidr: string;
}

/** What a fabric is built from. One card per machine and network. */
export interface FabricDesign {
  readonly seed: string;
  /** In the lab's order; their position is their number. Undefined: it was taken away, and its number is not given again. */
  readonly networks: readonly (FabricNetwork | undefined)[];
  readonly machines: readonly (string | undefined)[];
  readonly nics: readonly FabricNic[];
}

/** One fault in force, as a person reads it. */
export interface FaultView {
  kind: "cut" | "link-setting" | "switch" | "partition" | "block";
  node?: string;
  net?: string;
  to?: string;
  direction?: Direction | "both";
  delayMs?: number;
  jitterMs?: number;
  lossPercent?: number;
  dupPercent?: number;
  reorderPercent?: number;
  rateMbit?: number;
  mtuBytes?: number;
  port?: number;
  proto?: "udp" | "tcp";
  groups?: string[][];
}

export function noFaults(): FaultState {
  return { cables: [], pairs: [], switchesOff: [], groups: [], blocks: [] };
}

/** Names of the networks there are. */
export function networkNames(design: FabricDesign): string[] {
  return design.networks.flatMap((n) => (n === undefined ? [] : [n.name]));
}

/** Names of the machines there are. */
export function machineNames(design: FabricDesign): string[] {
  return design.machines.flatMap((m) => (m === undefined ? [] : [m]));
}
