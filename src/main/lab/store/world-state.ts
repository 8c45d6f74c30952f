/**
 * A world as a file holds it: the state, and two digests that a world put into it has again. What a file says is looked at before a lab has anything of it: its outline here, the
 * machines' own state by putting a world that nobody uses yet into it.
 */
import { isDatagram } from "../../../engine/kernel/act-shapes.ts";
import {
  either,
  isCount,
  isFlag,
  isInteger,
  isNothing,
  isNumber,
  isOpaque,
  isText,
  isWhen,
  listOf,
  shapeOf,
  shape,
  tuple,
} from "../../../engine/kernel/check.ts";
import { Hasher } from "../../../engine/kernel/index.ts";
import { isWorldAct } from "../../../engine/world/act-shapes.ts";
import { World, type MachineFactory, type WorldDesign, type WorldSnapshot } from "../../../engine/world/index.ts";

export interface WorldState {
  readonly state: WorldSnapshot;
  /** Of the run up to there. */
  readonly digest: string;
  /** Of the machines as they stand. */
  readonly machines: string;
}

/** The world as it stands. */
export function stateOfWorld(world: World): WorldState {
  return { state: world.snapshot(), digest: world.digest(), machines: machinesDigest(world) };
}

function machinesDigest(world: World): string {
  const h = new Hasher();
  world.topology.machines.forEach((_design, number) => world.machineAt(number)?.digest(h));
  return h.hex();
}

const isInput = shape({ at: isCount, act: isWorldAct });
const isFlight = shape({ at: isCount, target: isCount, source: isCount, link: isCount, sequence: isCount, datagram: isDatagram });
const isCheckpoint = shape({ at: isCount, digest: isText });

/** The outline of a world's snapshot; what is in a machine only the machine knows. */
const isWorldSnapshot = shapeOf<WorldSnapshot>({
  now: isCount,
  opened: isFlag,
  events: isCount,
  flights: listOf(isFlight),
  fabric: shape({ faults: isOpaque, rngs: listOf(tuple(isText, isOpaque)), queues: listOf(tuple(isText, isOpaque)) }),
  trace: shape({ hash: tuple(isInteger, isInteger), nextAt: isWhen, checkpoints: listOf(isCheckpoint), spacing: isNumber }),
  scheduled: listOf(isInput, Number.POSITIVE_INFINITY),
  inputs: listOf(isInput, Number.POSITIVE_INFINITY),
  topology: shape({ networks: listOf(either(isOpaque, isNothing)), machines: listOf(either(isOpaque, isNothing)) }),
  machines: listOf(either(isOpaque, isNothing)),
  sequences: listOf(isCount),
  removed: listOf(shape({ number: isCount, design: isOpaque, state: isOpaque, sequence: isCount })),
});

/** The state that a file holds, where it has the outline of one. */
export function asWorldSnapshot(value: unknown): WorldSnapshot | undefined {
  return isWorldSnapshot(value) ? (value as WorldSnapshot) : undefined;
}

/** A world of `design` that goes on from a state; undefined where it cannot be put there, or comes to stand somewhere else. */
export function worldAt(design: WorldDesign, make: MachineFactory, { state, digest, machines }: WorldState): World | undefined {
  const world = new World(design, make);
  try {
    world.restore(state);
    return world.digest() === digest && machinesDigest(world) === machines ? world : undefined;
  } catch {
    // Whatever the machines stumble over: it is not what they wrote.
    return undefined;
  }
}
