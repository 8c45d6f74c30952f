/**
 * What is done with a world one thing after the other, apart from who does it: a plan yields a move, and goes on when the world has made it. So that the
 * same plan moves a world in this process and one whose machines are processes. Left out: how a move is made elsewhere (host).
 */
import type { Instant } from "../kernel/index.ts";
import type { ActResult, WorldAct } from "./types.ts";
import type { World } from "./world.ts";

/** The next event alone; every event before an instant, and stand there; an act, now. */
export type Move = "event" | Instant | WorldAct;

/** Moves that lead to a `T`. What the world is after a move is read from the world. */
export type Plan<T> = Generator<Move, T, void>;

/** Every event before `at`. */
export function* standingAt(at: Instant): Plan<void> {
  yield at;
}

/** Makes all moves of `plan` at once. Throws what an act is refused with. */
export function follow<T>(world: World, plan: Plan<T>): T {
  let step = plan.next();
  while (step.done !== true) {
    try {
      if (step.value === "event") world.stepEvent();
      else if (typeof step.value === "number") world.runUntil(step.value);
      else accept(world.act(step.value));
    } catch (error) {
      step = plan.throw(error);
      continue;
    }
    step = plan.next();
  }
  return step.value;
}

/** An act of a plan is one the world knows. */
export function accept(result: ActResult): void {
  if (!result.ok) throw new Error(result.message);
}
