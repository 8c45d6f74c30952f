/**
 * Replaying a record: the same design and the same inputs at the same instants, compared with the digests the record carries. Left out: reading the
 * lab file, which the caller turns into a design first.
 */
import type { Instant } from "../../kernel/index.ts";
import type { MachineFactory, WorldDesign } from "../design.ts";
import { follow, type Plan } from "../moves.ts";
import type { WorldRecord } from "./record.ts";
import type { Input, WorldAct } from "../types.ts";
import { World } from "../world.ts";

export interface ReplayResult {
  readonly world: World;
  readonly instant: Instant;
  readonly digest: string;
  /** Every digest that both runs have is the same. */
  readonly equal: boolean;
  /** How many digests both have. */
  readonly compared: number;
  /** First instant at which a digest differs: something before it ran differently. */
  readonly firstDifference: Instant | undefined;
}

/** A new world with all inputs waiting for their instants. Throws on an input that the design does not know (a machine that is not there). */
export function replayWorld(design: WorldDesign, makeMachine: MachineFactory, inputs: readonly Input[]): World {
  const world = new World(design, makeMachine);
  const known = new Set(world.names);
  for (const input of inputs) {
    const result = foreseen(known, input.act) ? world.expect(input.at, input.act) : world.schedule(input.at, input.act);
    if (!result.ok) throw new Error(`input at ${input.at}: ${result.message}`);
  }
  return world;
}

/** Whether what the act names is there by then, if need be by an act before it. */
export function foreseen(known: Set<string>, act: WorldAct): boolean {
  if (act.to === "machine") return known.has(act.machine);
  if (act.to === "lab" && act.act.kind === "machine-add") known.add(act.act.machine.name);
  if (act.to === "lab" && act.act.kind === "machine-rename") known.add(act.act.to);
  return true;
}

/** Runs the record to `until`, at most to its end; without an end, to its last line. */
export function replay(design: WorldDesign, makeMachine: MachineFactory, record: WorldRecord, until?: Instant): ReplayResult {
  const world = replayWorld(design, makeMachine, record.inputs);
  return follow(world, replaying(world, record, until));
}

/** The same as a plan for a new world that has the inputs. */
export function* replaying(world: World, record: WorldRecord, until: Instant | undefined): Plan<ReplayResult> {
  const last =
    record.end?.at ?? Math.max(0, ...record.inputs.slice(-1).map((i) => i.at + 1), ...record.checkpoints.slice(-1).map((c) => c.at));
  const stop = Math.min(until ?? last, last);
  yield stop;
  // The recorded run may have ended right after acts of its last instant.
  if (record.end?.at === stop) while (world.waiting()[0]?.at === stop) yield "event";
  const { compared, firstDifference } = compare(record, world, stop);
  return { world, instant: world.now, digest: world.digest(), equal: firstDifference === undefined, compared, firstDifference };
}

function compare(record: WorldRecord, world: World, stop: Instant): { compared: number; firstDifference: Instant | undefined } {
  const mine = new Map(world.checkpoints().map((c) => [c.at, c.digest]));
  const both = record.checkpoints.filter((c) => c.at <= stop && mine.has(c.at));
  const different = both.find((c) => mine.get(c.at) !== c.digest);
  if (record.end?.at !== stop) return { compared: both.length, firstDifference: different?.at };
  const endDiffers = record.end.digest !== world.digest();
  return { compared: both.length + 1, firstDifference: different?.at ?? (endDiffers ? stop : undefined) };
}
