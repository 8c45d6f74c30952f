/**
 * Lives one life under the eyes of all checkers. Left out: making the world and forming its cluster, which the caller does as for any lab, so that a life
 * can be told as a scenario.
 */
import { NEVER, type Duration, type Instant, type MachineAct } from "../kernel/index.ts";
import { InvariantWatch, ONE_RING, type Checker, type Violation } from "../world/checkers/index.ts";
import type { World } from "../world/world.ts";
import type { Life } from "./life.ts";
import { AGREED } from "./reloads.ts";
import { comeToRest, runWatched } from "./rest.ts";
import type { Tally } from "./sender.ts";

/** How worlds come about. */
export interface Birth {
  /** The world of the life before power on; `tally` counts what its nodes send and deliver. */
  make(life: Life, tally: Tally): World;
  /** Brings it to where the life begins: a formed cluster. Why it did not form; undefined when it did. */
  begin(world: World, life: Life): string | undefined;
}

export interface Lived {
  readonly violations: readonly Violation[];
  /** When the life began, since power on. */
  readonly start: Instant;
  readonly digest: string;
  readonly events: number;
  /** What broke from then on broke at rest; NEVER where the life did not get there. */
  readonly restedAt: Instant;
  /** At the end nothing was at fault any more: no cable, no machine, no daemon. */
  readonly whole: boolean;
  /** Virtual µs in all. */
  readonly lived: Duration;
  /** Virtual µs from healing to one ring; 0 where the life ended before. */
  readonly mended: Duration;
  /** Rings installed since the life began. */
  readonly memberships: number;
  readonly tally: Tally;
}

/** An assertion of the engine counts as a violation by this name. */
export const ASSERTION = "assertion";

/** Lives `life`. Throws only where a deed is malformed. */
export function live(life: Life, birth: Birth, checkers?: readonly Checker[]): Lived {
  const tally: Tally = { sent: 0, delivered: 0 };
  const world = birth.make(life, tally);
  const watch = new InvariantWatch(world, checkers);
  world.watch(watch);
  const rings = new Set<string>();
  let [start, since, restedAt] = [0, 0, NEVER];
  try {
    const why = birth.begin(world, life);
    start = world.now;
    if (why !== undefined) {
      watch.broke(start, ONE_RING, why);
      return { ...nothing, violations: watch.violations, start, digest: world.digest(), events: world.events, lived: start, tally };
    }
    world.watch({
      effect: (_at, _machine, effect) => {
        if (effect.kind === "trace" && effect.event.what === "membership") rings.add(effect.event.ring);
      },
    });
    since = liveOn(world, life, watch);
    if (life.endsAt === undefined) restedAt = world.now;
  } catch (error) {
    if (error instanceof MalformedDeed) throw error;
    watch.broke(world.now, ASSERTION, error instanceof Error ? error.message : String(error));
  }
  const healedAt = start + (life.mends[0]?.at ?? 0);
  return {
    violations: watch.violations,
    start,
    restedAt,
    whole: isWhole(world, life),
    digest: world.digest(),
    events: world.events,
    lived: world.now,
    mended: Math.max(0, since - healedAt),
    memberships: rings.size,
    tally,
  };
}

const nothing = { restedAt: NEVER, whole: false, mended: 0, memberships: 0 };

class MalformedDeed extends Error {}

/** The machine's daemon reads its file after this, as far as one act tells. */
function rereads(act: MachineAct): boolean {
  if (act.kind === "command") return act.argv[1] === "-R";
  // A start says nothing of a daemon that runs.
  return act.kind === "service" && act.unit === "corosync" && act.op === "restart";
}

function isWhole(world: World, life: Life): boolean {
  const { cables, pairs, switchesOff, groups, blocks } = world.fabric.faults();
  if (cables.length + pairs.length + switchesOff.length + groups.length + blocks.length > 0) return false;
  // A process that was stopped does not show in any status, nor does a file that was changed and not read since.
  const stopped = new Set<string>();
  const files = new Map<string, "unread" | "read" | "another">();
  const process = (machine: string, unit: string): string => `${machine} ${unit}`;
  for (const { act } of [...life.deeds, ...life.mends]) {
    if (act.to !== "machine") continue;
    if (act.act.kind === "file-rename") files.set(act.machine, act.act.from === AGREED ? "unread" : "another");
    else if (rereads(act.act) && files.get(act.machine) === "unread") files.set(act.machine, "read");
    if (act.act.kind === "service-stall") stopped.add(process(act.machine, act.act.unit));
    else if (act.act.kind === "service-resume") stopped.delete(process(act.machine, act.act.unit));
  }
  return (
    stopped.size === 0 &&
    [...files.values()].every((file) => file === "read") &&
    world
      .statuses()
      .every((s) => s.power === "on" && !s.booting && (s.kind === "qnetd" ? s.qnetd : s.corosync) !== null && s.nics.every((n) => n.up))
  );
}

function liveOn(world: World, life: Life, watch: InvariantWatch): Instant {
  const start = world.now;
  for (const deed of [...life.deeds, ...life.mends]) {
    const done = world.schedule(start + deed.at, deed.act);
    if (!done.ok) throw new MalformedDeed(`life ${life.seed}: ${JSON.stringify(deed)}: ${done.message}`);
  }
  if (life.endsAt !== undefined) {
    runWatched(world, start + life.endsAt, watch);
    return world.now;
  }
  const last = life.mends[life.mends.length - 1] ?? life.deeds[life.deeds.length - 1];
  runWatched(world, start + (last?.at ?? 0) + 1, watch);
  return comeToRest(world, watch);
}
