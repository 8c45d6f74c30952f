/**
 * Whoever moves a world that nobody paces: this process, or a hub whose machines are processes. In the real stack this is the hand at the switches. Left out:
 * what is to be done, which is a plan (world/moves.ts).
 */
import type { Instant } from "../kernel/index.ts";
import {
  follow,
  foreseen,
  replaying,
  type ActResult,
  type Plan,
  type ReplayResult,
  type World,
  type WorldAct,
  type WorldRecord,
} from "../world/index.ts";

export interface Mover {
  /** To be read and watched; it is moved through this alone. */
  readonly world: World;
  act(act: WorldAct): Promise<ActResult>;
  schedule(at: Instant, act: WorldAct): Promise<ActResult>;
  /** As schedule, of an act whose machine another act is to bring first. */
  expect(at: Instant, act: WorldAct): Promise<ActResult>;
  follow<T>(plan: Plan<T>): Promise<T>;
}

/** Moves a world of this process, at once. */
export class LocalMover implements Mover {
  constructor(readonly world: World) {}

  async act(act: WorldAct): Promise<ActResult> {
    return this.world.act(act);
  }

  async schedule(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.world.schedule(at, act);
  }

  async expect(at: Instant, act: WorldAct): Promise<ActResult> {
    return this.world.expect(at, act);
  }

  async follow<T>(plan: Plan<T>): Promise<T> {
    return follow(this.world, plan);
  }
}

/** As World's `replay`, in a fresh world. Throws on an input that the design does not know. */
export async function replayOn(mover: Mover, record: WorldRecord, until?: Instant): Promise<ReplayResult> {
  const known = new Set(mover.world.names);
  for (const { at, act } of record.inputs) {
    const result = await (foreseen(known, act) ? mover.expect(at, act) : mover.schedule(at, act));
    if (!result.ok) throw new Error(`input at ${at}: ${result.message}`);
  }
  return mover.follow(replaying(mover.world, record, until));
}
