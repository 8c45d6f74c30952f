/** Machines whose nodes have a load: the program that sends is brought along by the world. Nothing in the real stack. */
import { makeMachine, makeNode } from "../node/index.ts";
import type { MachineFactory } from "../world/design.ts";
import type { Load } from "./fault-schedule.ts";
import { loadProgram, type Tally } from "./load.ts";

/** Nodes that send; all count into `tally`. */
export function sendingNodes(load: Load, tally: Tally): MachineFactory {
  return (world, machine) => (machine.kind === "node" ? makeNode(world, machine, loadProgram(load, tally)) : makeMachine(world, machine));
}

/** Machines of a lab, whose nodes send where there is a load; nobody counts. */
export function loadedMachines(load: Load | undefined): MachineFactory {
  return load === undefined ? makeMachine : sendingNodes(load, { sent: 0, delivered: 0 });
}
