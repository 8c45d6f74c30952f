/**
 * Time that passes under the eyes of the checkers, and the coming to rest of a healed cluster. Statuses are looked at on whole half seconds since power
 * on, so that a schedule and the scenario made of it are looked at in the same moments. Left out: what makes a violation.
 */
import { SEC, type Duration, type Instant } from "../kernel/index.ts";
import { notOneRing, type InvariantWatch } from "../world/checkers/index.ts";
import { follow, type Plan } from "../world/moves.ts";
import type { World } from "../world/world.ts";

const LOOK_EVERY: Duration = SEC / 2;
/** After healing a cluster has so long to come together. Daemons are started 30 s into it; then links, a gather or two with lost tokens. */
const MEND_MAX: Duration = 120 * SEC;
/** A ring that holds for so long holds. */
const QUIET: Duration = 5 * SEC;

/** Every event before `until`, looking at all statuses twice a second. */
export function* watched(world: World, until: Instant, watch: InvariantWatch): Plan<void> {
  while (world.now < until) {
    const look = (Math.floor(world.now / LOOK_EVERY) + 1) * LOOK_EVERY;
    yield Math.min(look, until);
    if (world.now === look) watch.look(look, world.statuses());
  }
}

/** The same at once. */
export function runWatched(world: World, until: Instant, watch: InvariantWatch): void {
  follow(world, watched(world, until, watch));
}

/**
 * Until all nodes have been on one ring for a while, or the time for that is over; then has the invariants of rest judged.
 * @returns the instant since which there is one ring
 */
export function* comingToRest(world: World, watch: InvariantWatch): Plan<Instant> {
  const limit = world.now + MEND_MAX;
  let since = world.now;
  while (world.now < limit && world.now - since < QUIET) {
    yield* watched(world, world.now + LOOK_EVERY, watch);
    if (notOneRing(world.statuses()) !== undefined) since = world.now;
  }
  watch.atRest(world.now, world.statuses());
  return since;
}

/** The same at once. */
export function comeToRest(world: World, watch: InvariantWatch): Instant {
  return follow(world, comingToRest(world, watch));
}
