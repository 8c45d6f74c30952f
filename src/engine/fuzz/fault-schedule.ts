/**
 * A fault schedule: a cluster, what happens to it when, and what it sends meanwhile. Plain data that is drawn from a seed (draw.ts), played (run.ts) and shrunk
 * (minimise.ts). Left out: how a cluster is made from it, which is the caller's, so that a schedule and a scenario file are the same run.
 */
import type { Release } from "../config/index.ts";
import type { Duration, Instant } from "../kernel/index.ts";
import type { WorldAct } from "../world/types.ts";
import type { DeviceOptions, QuorumOptions } from "./options.ts";
import type { Variant } from "./variants.ts";

/** What every node multicasts. Instants since power on. */
export interface Load {
  readonly from: Instant;
  readonly until: Instant;
  /** Between two bursts of one node, µs. */
  readonly every: Duration;
  /** Messages of one burst. */
  readonly burst: number;
  readonly bytes: number;
}

export interface ScheduledAct {
  /** Since the cluster has formed. */
  readonly at: Duration;
  readonly act: WorldAct;
}

export interface FaultSchedule {
  readonly seed: string;
  /** Names, in the order of joining. */
  readonly nodes: readonly string[];
  readonly links: number;
  /** What nodes run that do not run the default release, by name; absent: all run that. */
  readonly releases?: Readonly<Record<string, Release>> | undefined;
  /** Keys of the quorum section besides the provider. */
  readonly quorum?: QuorumOptions | undefined;
  /** The host of the quorum device; undefined where there is none. */
  readonly arbiter?: string | undefined;
  /** How the device is set up; absent where it is as `pvecm qdevice setup` does it. */
  readonly device?: DeviceOptions | undefined;
  readonly load: Load | undefined;
  /** Files beside corosync.conf that acts put in its place; absent where nobody changes it. */
  readonly variants?: readonly Variant[] | undefined;
  /** Faults, and what undoes some of them, in order of time. */
  readonly acts: readonly ScheduledAct[];
  /** What heals everything, after all acts. */
  readonly mends: readonly ScheduledAct[];
  /** Faults among the acts: what undoes one is none. */
  readonly faults: number;
  /** Ends then, in the middle of it all; undefined: when everything is mended and at rest. */
  readonly endsAt: Duration | undefined;
}

/** What schedules are drawn from: both ends included. */
export interface Bounds {
  readonly nodes: readonly [number, number];
  readonly links: readonly [number, number];
  /** Faults come for so long, µs. */
  readonly faultsFor: Duration;
  /** Also rates, MTUs, blocked ports and interfaces that are down. Absent: none, so that seeds of old keep their schedules. */
  readonly wide?: boolean | undefined;
  /** Clusters have options of the quorum section. */
  readonly options?: boolean | undefined;
  /** Clusters have a quorum device. */
  readonly qdevice?: boolean | undefined;
  /** corosync.conf is changed and read again. */
  readonly reloads?: boolean | undefined;
  /** Clusters are of any release, or of several. */
  readonly releases?: boolean | undefined;
}

/** When the last of `acts` is done; 0 for none. */
export function lastAt(acts: readonly ScheduledAct[]): Duration {
  return acts[acts.length - 1]?.at ?? 0;
}
