/**
 * Acts that wait for their instant, in the order of their instants; those of one instant keep the order in which they came. The world asks for the first before each
 * event.
 */
import { NEVER, type Instant } from "../kernel/index.ts";
import type { ActResult, Input, WorldAct } from "./types.ts";

/** Acts that may wait for their instant. Ours: far beyond what a person schedules. */
const SCHEDULED_MAX = 100_000;

export class ScheduledActs {
  private list: Input[] = [];

  /** Instant of the first; NEVER where none waits. */
  get firstAt(): Instant {
    return this.list[0]?.at ?? NEVER;
  }

  all(): readonly Input[] {
    return this.list;
  }

  /** Takes the first away. */
  next(): Input | undefined {
    return this.list.shift();
  }

  /** @param first instant at which an act can still be done */
  add(at: Instant, act: WorldAct, first: Instant, now: Instant): ActResult {
    if (!Number.isSafeInteger(at)) return { ok: false, code: "past", message: `an instant is a whole number of microseconds, not ${at}` };
    if (at < first) return { ok: false, code: "past", message: `instant ${at} has passed; it is ${now}` };
    if (this.list.length >= SCHEDULED_MAX)
      return { ok: false, code: "too-many", message: `at most ${SCHEDULED_MAX} acts can wait for their time` };
    let i = this.list.length;
    while (i > 0 && (this.list[i - 1]?.at ?? 0) > at) i--;
    this.list.splice(i, 0, { at, act });
    return { ok: true, at, effects: [] };
  }

  restore(list: readonly Input[]): void {
    this.list = [...list];
  }
}
