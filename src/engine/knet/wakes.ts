/**
 * When knet's heartbeat thread next has something to do. In the real stack it wakes every 200 ms (libknet: KNET_THREADS_TIMERES) and most of the time finds
 * nothing; here the wakes that would find nothing are counted and not run. Left out: what is done at a wake (knet.ts).
 */
import { MS, NEVER, type Instant } from "../kernel/index.ts";

/** libknet: KNET_THREADS_TIMERES. */
export const WAKE_US = 200 * MS;
/** Every fifth wake, from the fourth on, the back-offs shrink (observed). */
const BACKOFF_EVERY = 5;
const BACKOFF_FIRST = 4;

export interface Wakes {
  /** Those up to `last`. */
  count: number;
  /** Instant of the last one that was counted; the next ones come every WAKE_US from there. NEVER: there is no thread. */
  last: Instant;
  /** Instant of the one that will be run; NEVER while none has anything to do. */
  next: Instant;
}

/** The thread begins: its first wake is one interval away. */
export function beginWakes(now: Instant): Wakes {
  return { count: 0, last: now, next: now + WAKE_US };
}

/** There is no thread. */
export const noWakes = (): Wakes => ({ count: 0, last: NEVER, next: NEVER });

/** At this wake, which comes at its time or late, the back-offs shrink. */
export const shrinks = (w: Wakes): boolean => w.count % BACKOFF_EVERY === BACKOFF_FIRST;

/** The wake that was to be run runs now; from here on the next ones are counted. */
export function wakeNow(w: Wakes, now: Instant): void {
  w.count += Math.round((w.next - w.last) / WAKE_US);
  w.last = now;
}

/**
 * Chooses the wake that will be run: the first after `now` that is not before `due`, or at which back-offs shrink that have not shrunk to the end.
 * One that is overdue, since the process stood still, stays.
 */
export function chooseWake(w: Wakes, now: Instant, due: Instant, shrinking: boolean): void {
  if (w.next <= now && w.next > w.last) return;
  const coming = Math.floor((now - w.last) / WAKE_US) + 1;
  let steps = Math.max(coming, Math.ceil((due - w.last) / WAKE_US));
  if (shrinking) steps = Math.min(steps, coming + ((BACKOFF_FIRST - ((w.count + coming) % BACKOFF_EVERY) + BACKOFF_EVERY) % BACKOFF_EVERY));
  w.next = steps === NEVER ? NEVER : w.last + steps * WAKE_US;
}

/** The process stood still from `since` on: the first wake after that is the one that comes late, whether it has something to do or not. */
export function stoodStill(w: Wakes, since: Instant): void {
  const done = Math.max(0, Math.floor((since - w.last) / WAKE_US));
  w.count += done;
  w.last += done * WAKE_US;
  w.next = w.last + WAKE_US;
}
