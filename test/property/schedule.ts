/** The fault schedules of fuzz runs for a world that is not yet powered on: for tests that bring their own worlds. */
import { SEC, type Instant } from "../../src/engine/kernel/index.ts";
import { drawSchedule, type Bounds as ScheduleBounds, type ScheduledAct } from "../../src/engine/fuzz/index.ts";

export interface Schedule {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  /** In order of time, with what heals everything at the end. */
  readonly acts: readonly ScheduledAct[];
  /** From here on everything is healed. */
  readonly healedAt: Instant;
}

export type Bounds = Omit<ScheduleBounds, "faultsFor">;

/** Clusters have formed by then. */
const FORMED_BY = 15 * SEC;

/** The schedule of seed `seed`: faults for forty seconds, so that it lasts more than a minute. */
export function scheduleOf(seed: string, bounds: Bounds): Schedule {
  const schedule = drawSchedule(seed, { ...bounds, faultsFor: 40 * SEC });
  const later = ({ at, act }: ScheduledAct): ScheduledAct => ({ at: FORMED_BY + at, act });
  return {
    seed,
    nodes: schedule.nodes.length,
    links: schedule.links,
    acts: [...schedule.acts, ...schedule.mends].map(later),
    healedAt: FORMED_BY + (schedule.mends[0]?.at ?? 0),
  };
}
