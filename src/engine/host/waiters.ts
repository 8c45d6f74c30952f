/** Who waits for a moment of virtual time: for something to hold, at most until an instant, at the lab's pace or as fast as can be. */
import { NEVER, type Duration, type Instant } from "../kernel/index.ts";

/** Virtual time between two looks at the conditions that somebody waits for, at most. */
const LOOK_EVERY: Duration = 1000;

export interface Waiter {
  readonly holds: () => boolean;
  readonly max: Instant;
  /** Virtual time between two looks; 0: after each event. */
  readonly every: Duration;
  /** Unpaced, also while time is paused. */
  readonly fast: boolean;
  readonly done: (held: boolean) => void;
}

export class Waiters {
  private all: readonly Waiter[] = [];

  add(waiter: Waiter): void {
    this.all = [...this.all, waiter];
  }

  get any(): boolean {
    return this.all.length > 0;
  }

  get fast(): boolean {
    return this.all.some((w) => w.fast);
  }

  /** The first instant at which somebody's wait ends anyway. */
  get bound(): Instant {
    return this.all.reduce((least, w) => Math.min(least, w.max), NEVER);
  }

  get every(): Duration {
    return this.all.reduce((least, w) => Math.min(least, w.every), LOOK_EVERY);
  }

  /** Answers those whose time has come. True if there was one. */
  settle(now: Instant): boolean {
    if (this.all.length === 0) return false;
    const left: Waiter[] = [];
    const over: [Waiter, boolean][] = [];
    for (const w of this.all) {
      if (w.holds()) over.push([w, true]);
      else if (now >= w.max) over.push([w, false]);
      else left.push(w);
    }
    if (over.length === 0) return false;
    this.all = left;
    for (const [w, held] of over) w.done(held);
    return true;
  }

  /** It will not come about: for everybody, or for those alone that wait unpaced. */
  abandon(fastOnly = false): void {
    const ended = this.all.filter((w) => !fastOnly || w.fast);
    this.all = this.all.filter((w) => fastOnly && !w.fast);
    for (const w of ended) w.done(false);
  }
}
