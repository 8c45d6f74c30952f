/**
 * What a world is built from: machines, networks, seed and epoch, as plain data. A lab file becomes one of these; nothing else about the lab file
 * reaches the engine. Left out: what a lab file may say about guests, storage and packages.
 */
import type { FabricAct, FabricNetwork } from "../fabric/index.ts";
import type { Machine } from "../kernel/index.ts";
import type { ComputerDesign } from "../machine/index.ts";

export interface MachineDesign extends ComputerDesign {
  readonly kind: "node" | "qnetd";
}

export interface WorldDesign {
  readonly name: string;
  /** Any text: every generator of the world springs from it. */
  readonly seed: string;
  /** Microseconds since 1970 at instant 0. */
  readonly epochUnixMicros: number;
  readonly networks: readonly FabricNetwork[];
  /** In the lab's order; a machine's position is its number in the order of events. */
  readonly machines: readonly MachineDesign[];
  /** In force from instant 0 on. */
  readonly faults: readonly FabricAct[];
}

/** Builds one machine of a world, powered as its design says. */
export type MachineFactory = (world: WorldDesign, machine: MachineDesign) => Machine;
