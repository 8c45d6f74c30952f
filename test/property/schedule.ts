/** The lives of fuzz runs as schedules of a world that is not yet powered on: for tests that bring their own worlds. */
import { SEC, type Instant } from "../../src/engine/kernel/index.ts";
import { lifeOf, type Bounds as LifeBounds, type Deed } from "../../src/engine/fuzz/index.ts";

export interface Schedule {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  /** In order of time, with what heals everything at the end. */
  readonly deeds: readonly Deed[];
  /** From here on everything is healed. */
  readonly healedAt: Instant;
}

export type Bounds = Omit<LifeBounds, "faultsFor">;

/** Clusters have formed by then. */
const FORMED_BY = 15 * SEC;

/** The life of seed `seed`: faults for forty seconds, so that it lasts more than a minute. */
export function scheduleOf(seed: string, bounds: Bounds): Schedule {
  const life = lifeOf(seed, { ...bounds, faultsFor: 40 * SEC });
  const later = ({ at, act }: Deed): Deed => ({ at: FORMED_BY + at, act });
  return {
    seed,
    nodes: life.nodes.length,
    links: life.links,
    deeds: [...life.deeds, ...life.mends].map(later),
    healedAt: FORMED_BY + (life.mends[0]?.at ?? 0),
  };
}
