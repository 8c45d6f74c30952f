/** How long the parts of a daemon's start and stop take, drawn anew each time within what recorded runs show. Microseconds throughout. */
import { MS, type Duration, type Rng } from "../kernel/index.ts";

/** Part of the token timeout after which a main loop that did not run complains. */
export const NOT_SCHEDULED_FACTOR = 0.8;

/** How often a daemon started together with others needs 0.04 to 0.05 s longer. */
const SLOW_START_PERCENT = 25;

/** From fork to the first line. */
export function execTime(rng: Rng): Duration {
  const slow = rng.percent(SLOW_START_PERCENT) ? rng.between(40 * MS, 50 * MS) : 0;
  return rng.between(8 * MS, 16 * MS) + slow;
}

/** To "totemknet initialized": the key is prepared. */
export function keyTime(rng: Rng): Duration {
  return rng.between(236 * MS, 244 * MS);
}

/** From there to the services and the links. */
export function servicesTime(rng: Rng): Duration {
  return rng.between(98 * MS, 104 * MS);
}

/** From SIGTERM to the first service unloaded. */
export function signalTime(rng: Rng): Duration {
  return rng.between(48 * MS, 52 * MS);
}

/** Waits between the services unloaded after a signal: each waits for a turn of the poll loop or not; three to six of them do. */
export function unloadGaps(rng: Rng, gaps: number): Duration[] {
  const waits = rng.between(3, 6);
  const out = Array.from({ length: gaps }, (_, i) => (i < waits ? rng.between(44 * MS, 52 * MS) : 0));
  for (let i = gaps - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [out[i], out[j]] = [out[j] ?? 0, out[i] ?? 0];
  }
  return out;
}

/** From the last service unloaded to the leave message; `ordered`: by a tool's order, not by a signal. */
export function leaveTime(rng: Rng, ordered: boolean): Duration {
  return ordered ? rng.between(3 * MS, 5 * MS) : rng.between(44 * MS, 50 * MS);
}

/** From the leave message to the end of the process: knet's threads are shut down. Pings are still answered. */
export function drainTime(rng: Rng): Duration {
  return rng.between(792 * MS, 800 * MS);
}
