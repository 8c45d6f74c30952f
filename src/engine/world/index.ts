/** The world: machines, fabric and faults under one order of events. */
export * from "./types.ts";
export * from "./design.ts";
export { mixEffect, stateOf, type Checkpoint } from "./digest.ts";
export { World } from "./world.ts";
export { flightBefore, type Flight } from "./queue.ts";
export { accept, follow, standingAt, type Move, type Plan } from "./moves.ts";
export * from "./record/record.ts";
export { parseRecord, RecordReader, type RecordOutcome } from "./record/reader.ts";
export { Said, type SaidHashes } from "./record/said.ts";
export { foreseen, replay, replaying, replayWorld, type ReplayResult } from "./record/replay.ts";
export { History, type Run } from "./history.ts";
export {
  MACHINE_NAME,
  NETWORK_NAME,
  NETWORKS_MAX,
  isIn,
  machinesOf,
  networksOf,
  networkWith,
  applyTopology,
  ownerOf,
  type Topology,
  type TopologyAct,
} from "./topology.ts";
