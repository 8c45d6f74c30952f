/** What a live host is told when it begins: its pace, and who hears of what goes wrong. */
import type { HostClock } from "./clock.ts";
import type { DiskDifference } from "./disk-sink.ts";
import type { Speed } from "./pace.ts";

export interface LiveOptions {
  readonly clock?: HostClock;
  readonly speed?: Speed;
  readonly paused?: boolean;
  /** How long one claim to the floor stops time, wall ms. Default 1000; for a scripted run Infinity. */
  readonly floorBoundMs?: number;
  /** Another lead than the host's own, wall ms at the lab's speed; unpaced as at ×1. */
  readonly leadMs?: number;
  /** The world broke an assertion, or the lab failed: the host has stopped. Without it the error is thrown into the event loop. */
  readonly onFailure?: (error: unknown) => void;
  /** A worker died or fell silent: its machine is about to lose its power. The lab goes on. */
  readonly onLost?: (machine: string, why: string) => void;
  /** A machine is about to boot from a disk that is not as it had it in mind. */
  readonly onDisk?: (machine: string, difference: DiskDifference) => void;
  /** Is called last when the host is closed: ends what the host does not know of. */
  readonly onClosed?: () => Promise<void>;
}
