/**
 * What is said to a world and what it says: acts and their stamps, what an act answers, who may look on, and what a snapshot holds. All plain data, so that
 * inputs and snapshots can be written to a file. Left out: queries, which are the machine's own.
 */
import type { FabricAct, FabricState } from "../fabric/index.ts";
import type { Effect, Instant, MachineAct } from "../kernel/index.ts";
import type { TraceState } from "./digest.ts";
import type { Flight } from "./queue.ts";
import type { MachineRegistryState } from "./machine-registry.ts";
import type { TopologyAct } from "./topology.ts";

export type WorldAct =
  | { readonly to: "machine"; readonly machine: string; readonly act: MachineAct }
  | { readonly to: "fabric"; readonly act: FabricAct }
  /** Machines, networks and cards themselves. */
  | { readonly to: "lab"; readonly act: TopologyAct }
  /** One packet under way is lost. */
  | { readonly to: "packet"; readonly act: PacketAct };

/** Which packet under way is meant: its sender counts its packets from 1. */
export interface PacketName {
  readonly source: string;
  readonly target: string;
  readonly net: string;
  readonly sequence: number;
}

export type PacketAct = { readonly kind: "packet-drop" } & PacketName;

/** An act with the instant at which it happens. */
export interface Input {
  readonly at: Instant;
  readonly act: WorldAct;
}

export type ActResult =
  /** `effects`: what the target answered at once; sends, commits of its disk and things to draw left out. */
  | { readonly ok: true; readonly at: Instant; readonly effects: readonly Effect[] }
  | {
      readonly ok: false;
      readonly code: "bad-act" | "no-such-machine" | "bad-fault" | "bad-change" | "no-such-packet" | "too-many" | "past";
      readonly message: string;
    };

/** Looks on. Called in the middle of a step: it must not throw, and must not call back into the world except to read `now`. */
export interface Watcher {
  /** Every effect but `send`, with the number of the machine it comes from. */
  effect?(at: Instant, machine: number, effect: Effect): void;
  /** An act was done; also one that had been scheduled. */
  input?(input: Input): void;
  /** Machines or networks have come, gone or been renamed. */
  changed?(at: Instant, act: TopologyAct): void;
}

export interface WorldSnapshot extends MachineRegistryState {
  readonly now: Instant;
  readonly opened: boolean;
  readonly events: number;
  readonly flights: readonly Flight[];
  readonly fabric: FabricState;
  readonly trace: TraceState;
  readonly scheduled: readonly Input[];
  readonly inputs: readonly Input[];
}

/** One event that has run. */
export interface Stepped {
  readonly at: Instant;
  readonly kind: "act" | "timer" | "datagram";
  readonly machine: string;
}
