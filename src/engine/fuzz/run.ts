/**
 * Plays one schedule under the eyes of all checkers. Left out: making the world and forming its cluster, which the caller does as for any lab, so that a schedule
 * can be told as a scenario.
 */
import { NEVER, type Duration, type Instant, type MachineAct } from "../kernel/index.ts";
import { InvariantWatch, ONE_RING, type Checker, type Violation } from "../world/checkers/index.ts";
import type { World } from "../world/world.ts";
import type { FaultSchedule } from "./fault-schedule.ts";
import { AGREED, movedBy } from "./reloads.ts";
import { comeToRest, runWatched } from "./rest.ts";
import type { Tally } from "./load.ts";

/** How worlds come about. */
export interface WorldMaker {
  /** The world of the schedule before power on; `tally` counts what its nodes send and deliver. */
  make(schedule: FaultSchedule, tally: Tally): World;
  /** Brings it to where the schedule begins: a formed cluster. Why it did not form; undefined when it did. */
  begin(world: World, schedule: FaultSchedule): string | undefined;
}

export interface ScheduleRun {
  readonly violations: readonly Violation[];
  /** When the schedule began, since power on. */
  readonly start: Instant;
  /** Undefined where the maker's worlds keep none. */
  readonly digest: string | undefined;
  readonly events: number;
  /** What broke from then on broke at rest; NEVER where the run did not get there. */
  readonly restedAt: Instant;
  /** At the end nothing was at fault any more: no cable, no machine, no daemon. */
  readonly whole: boolean;
  /** Virtual µs in all. */
  readonly ranFor: Duration;
  /** Virtual µs from healing to one ring; 0 where the run ended before. */
  readonly mended: Duration;
  /** Rings installed since the schedule began. */
  readonly memberships: number;
  readonly tally: Tally;
}

/** An assertion of the engine counts as a violation by this name. */
export const ASSERTION = "assertion";

/** Plays `schedule`. Throws only where an act is malformed. */
export function runSchedule(schedule: FaultSchedule, maker: WorldMaker, checkers?: readonly Checker[]): ScheduleRun {
  const tally: Tally = { sent: 0, delivered: 0 };
  const world = maker.make(schedule, tally);
  const watch = new InvariantWatch(world, checkers);
  world.watch(watch);
  const rings = new Set<string>();
  let [start, since, restedAt] = [0, 0, NEVER];
  try {
    const why = maker.begin(world, schedule);
    start = world.now;
    if (why !== undefined) {
      watch.broke(start, ONE_RING, why);
      return { ...nothing, violations: watch.violations, start, digest: digestOf(world), events: world.events, ranFor: start, tally };
    }
    world.watch({
      effect: (_at, _machine, effect) => {
        if (effect.kind === "trace" && effect.event.what === "membership") rings.add(effect.event.ring);
      },
    });
    since = playOut(world, schedule, watch);
    if (schedule.endsAt === undefined) restedAt = world.now;
  } catch (error) {
    if (error instanceof MalformedAct) throw error;
    watch.broke(world.now, ASSERTION, error instanceof Error ? error.message : String(error));
  }
  const healedAt = start + (schedule.mends[0]?.at ?? 0);
  return {
    violations: watch.violations,
    start,
    restedAt,
    whole: isWhole(world, schedule),
    digest: digestOf(world),
    events: world.events,
    ranFor: world.now,
    mended: Math.max(0, since - healedAt),
    memberships: rings.size,
    tally,
  };
}

const digestOf = (world: World): string | undefined => (world.traced ? world.digest() : undefined);

const nothing = { restedAt: NEVER, whole: false, mended: 0, memberships: 0 };

class MalformedAct extends Error {}

/** The machine's daemon reads its file after this, as far as one act tells. */
function rereads(act: MachineAct): boolean {
  if (act.kind === "command") return act.argv[1] === "-R";
  // A start says nothing of a daemon that runs.
  return act.kind === "service" && act.unit === "corosync" && act.op === "restart";
}

function isWhole(world: World, schedule: FaultSchedule): boolean {
  const { cables, pairs, switchesOff, groups, blocks } = world.fabric.faults();
  if (cables.length + pairs.length + switchesOff.length + groups.length + blocks.length > 0) return false;
  // A process that was stopped does not show in any status, nor does a file that was changed and not read since.
  const stopped = new Set<string>();
  const files = new Map<string, "unread" | "read" | "another">();
  const process = (machine: string, unit: string): string => `${machine} ${unit}`;
  for (const { act } of [...schedule.acts, ...schedule.mends]) {
    if (act.to !== "machine") continue;
    const moved = movedBy(act.act);
    if (moved !== undefined) files.set(act.machine, moved.from === AGREED ? "unread" : "another");
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

function playOut(world: World, schedule: FaultSchedule, watch: InvariantWatch): Instant {
  const start = world.now;
  for (const scheduled of [...schedule.acts, ...schedule.mends]) {
    const done = world.schedule(start + scheduled.at, scheduled.act);
    if (!done.ok) throw new MalformedAct(`schedule ${schedule.seed}: ${JSON.stringify(scheduled)}: ${done.message}`);
  }
  if (schedule.endsAt !== undefined) {
    runWatched(world, start + schedule.endsAt, watch);
    return world.now;
  }
  const last = schedule.mends[schedule.mends.length - 1] ?? schedule.acts[schedule.acts.length - 1];
  runWatched(world, start + (last?.at ?? 0) + 1, watch);
  return comeToRest(world, watch);
}
