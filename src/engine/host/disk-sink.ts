/**
 * Where the durable changes of nodes' disks go: a worker writes those of a stretch before it confirms it; the hub writes those of a worker that died before it had
 * confirmed them. In the real stack this is the cable to the disk. Left out: the disk itself, which whoever runs the lab plugs in.
 */
import type { Commit, DiskContents, DiskImage, Effect, Instant, Piece } from "../kernel/index.ts";

export interface StampedCommit {
  readonly at: Instant;
  readonly commit: Commit;
}

/** Where the disk of a machine lies on the computer the lab runs on. */
export interface DiskPlace {
  /** Of all disks of the lab. */
  readonly dir: string;
  /** Of the machine. */
  readonly number: number;
  /** The machine is off: what lies there counts. Else the machine stands as it is, and its disk is to be the same. */
  readonly look: boolean;
}

/**
 * What lies on a disk that is not what its machine has in mind, with the pieces the machine does not have, and how many rows somebody else than the lab wrote; or that its
 * file could not be read and was put aside.
 */
export type DiskDifference =
  | { readonly found: "other"; readonly image: DiskImage; readonly chunks: readonly Piece[]; readonly foreign: number }
  | { readonly found: "damaged"; readonly why: string; readonly aside: string };

/** Both may be told the same twice, by a worker and by the hub after it: to write what is written changes nothing. */
export interface DiskSink {
  /** A machine begins, with this in mind; its disk is `place`'s from here on. What `look` finds to be different is left as it lies. */
  begin?(place: DiskPlace, own: DiskContents): DiskDifference | undefined;
  /** Has `commits` on `machine`'s disk, safe from the death of this process, when it returns; they are all of instants up to `until`. */
  write(machine: string, commits: readonly StampedCommit[], until: Instant): void;
  /** Every process of the lab has confirmed what happened up to `until`: it may reach the files. */
  confirmed(machine: string, until: Instant): void;
}

/** The durable change that an effect is; undefined where it is none. */
export function commitOf(at: Instant, effect: Effect): StampedCommit | undefined {
  return effect.kind === "commit" ? { at, commit: effect.commit } : undefined;
}
