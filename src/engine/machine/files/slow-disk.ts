/**
 * A disk that takes its time: commits go to it one after the other, each takes as long as the device needs, and who made one, or asks for what was made so far to be durable,
 * has the reply when that is done. In the real stack: the queue of the block device, and tasks in uninterruptible sleep. A power cut takes nothing of what was not done yet:
 * real disks may have done it or not.
 */
import { NEVER, type Duration, type FileReply, type Hasher, type Instant } from "../../kernel/index.ts";

/** A reply that has to wait for the disk. */
export interface LateReply {
  readonly id: number;
  readonly pid: number;
  /** What the caller calls it. */
  readonly tag: number;
  readonly reply: FileReply;
  readonly at: Instant;
}

/** Plain data. */
export interface SlowDiskState {
  readonly busyUntil: Instant;
  readonly late: readonly LateReply[];
}

export class SlowDisk {
  private busyUntil: Instant = 0;
  private late: readonly LateReply[] = [];

  /** @param wake the machine runs `due` at this instant */
  constructor(private readonly wake: (at: Instant) => void) {}

  /** Commits made at `now`, each of which takes so long. */
  commits(now: Instant, count: number, each: Duration): void {
    if (count > 0 && each > 0) this.busyUntil = Math.max(now, this.busyUntil) + count * each;
  }

  /** When everything made so far is done; undefined: it is. */
  until(now: Instant): Instant | undefined {
    return this.busyUntil > now ? this.busyUntil : undefined;
  }

  hold(reply: LateReply): void {
    this.late = [...this.late, reply];
    this.wake(reply.at);
  }

  /** Replies whose time has come, in their order. */
  due(now: Instant): readonly LateReply[] {
    const due = this.late.filter(({ at }) => at <= now);
    this.late = this.late.filter(({ at }) => at > now);
    const next = this.late.reduce((least, { at }) => Math.min(least, at), NEVER);
    if (next !== NEVER) this.wake(next);
    return due;
  }

  /** Nobody waits for the replies of this process any more. */
  drop(pid: number): void {
    if (this.late.some((reply) => reply.pid === pid)) this.late = this.late.filter((reply) => reply.pid !== pid);
  }

  clear(): void {
    this.busyUntil = 0;
    this.late = [];
  }

  snapshot(): SlowDiskState {
    return { busyUntil: this.busyUntil, late: this.late };
  }

  restore({ busyUntil, late }: SlowDiskState): void {
    this.busyUntil = busyUntil;
    this.late = late;
  }

  digest(h: Hasher): void {
    if (this.busyUntil === 0) return;
    h.int(this.busyUntil).int(this.late.length);
    for (const { id, pid, tag, at } of this.late) h.int(id).int(pid).int(tag).int(at);
  }
}
