/**
 * Where the durable changes of nodes' disks go: a worker writes those of a stretch before it confirms it; the hub writes those of a worker that died before it had
 * confirmed them. In the real stack this is the cable to the disk. Left out: the disk itself, which whoever runs the lab plugs in.
 */
import type { Commit, Effect, Instant } from "../kernel/index.ts";

export interface StampedCommit {
  readonly at: Instant;
  readonly commit: Commit;
}

/** Both may be told the same twice, by a worker and by the hub after it: to write what is written changes nothing. */
export interface DiskSink {
  /** Has `commits` on `machine`'s disk, safe from the death of this process, when it returns; they are all of instants up to `until`. */
  write(machine: string, commits: readonly StampedCommit[], until: Instant): void;
  /** Every process of the lab has confirmed what happened up to `until`: it may reach the files. */
  confirmed(machine: string, until: Instant): void;
}

/** The durable change that an effect is; undefined where it is none. */
export function commitOf(at: Instant, effect: Effect): StampedCommit | undefined {
  return effect.kind === "commit" ? { at, commit: effect.commit } : undefined;
}
