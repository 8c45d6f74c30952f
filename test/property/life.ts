/** One seeded life of a cluster under the eyes of all checkers. */
import { MS, SEC, Rng } from "../../src/engine/kernel/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { InvariantWatch, notOneRing, type Violation } from "../../src/engine/world/checkers/index.ts";
import { worldDesign } from "../../src/main/lab/design.ts";
import { freshLabFile } from "../../src/main/lab/fresh.ts";
import { scheduleOf, type Bounds, type Schedule } from "./schedule.ts";
import { sendingNodes, type Load, type Tally } from "./sender.ts";

export interface LifeResult {
  readonly schedule: Schedule;
  readonly violations: readonly Violation[];
  readonly digest: string;
  readonly events: number;
  /** Virtual µs in all. */
  readonly lived: number;
  /** Virtual µs from healing to one ring. */
  readonly mended: number;
  readonly tally: Tally;
}

/** After healing a cluster has so long to come together. Daemons are started 30 s into it; then links, a gather or two with lost tokens. */
const MEND_MOST = 120 * SEC;
/** A ring that holds for so long holds. */
const QUIET = 5 * SEC;

/** How much the nodes of this seed send: often a little, sometimes more than the ring takes. */
function loadOf(seed: string, schedule: Schedule): Load {
  const rng = Rng.from(seed, "load");
  const heavy = rng.percent(5);
  return {
    from: 15 * SEC,
    until: schedule.healedAt,
    every: heavy ? rng.between(60, 150) * MS : rng.between(250, 1500) * MS,
    burst: heavy ? rng.between(5, 25) : rng.between(1, 4),
    bytes: heavy ? 40 : rng.pick([40, 40, 300, 3000]),
  };
}

/** The world of a seed with all its deeds waiting for their time. */
export function born(seed: string, bounds: Bounds): { world: World; schedule: Schedule; watch: InvariantWatch; tally: Tally } {
  const schedule = scheduleOf(seed, bounds);
  const lab = freshLabFile({
    nodes: schedule.nodes,
    links: schedule.links,
    clustered: true,
    name: seed,
    seed,
    epoch: "2026-01-01T00:00:00Z",
  });
  const tally: Tally = { sent: 0, delivered: 0 };
  const world = new World(worldDesign(lab), sendingNodes(loadOf(seed, schedule), tally));
  const watch = new InvariantWatch(world.names);
  world.watch(watch);
  for (const deed of schedule.deeds) {
    const done = world.schedule(deed.at, deed.act);
    if (!done.ok) throw new Error(`seed ${seed}: ${deed.words}: ${done.message}`);
  }
  return { world, schedule, watch, tally };
}

export function live(seed: string, bounds: Bounds): LifeResult {
  const { world, schedule, watch, tally } = born(seed, bounds);
  world.runUntil((schedule.deeds[schedule.deeds.length - 1]?.at ?? 0) + 1);
  const limit = schedule.healedAt + MEND_MOST;
  let since = world.now;
  while (world.now < limit && world.now - since < QUIET) {
    world.runUntil(world.now + SEC / 2);
    if (notOneRing(world.statuses()) !== undefined) since = world.now;
  }
  watch.atRest(world.now, world.statuses());
  return {
    schedule,
    violations: watch.violations,
    digest: world.digest(),
    events: world.events,
    lived: world.now,
    mended: since - schedule.healedAt,
    tally,
  };
}
