/**
 * How old cluster-wide locks are: directories below priv/lock whose age each node measures by its own clock since it first saw their present state. In the real stack: the
 * lock table of pmxcfs's memdb. Left out: who holds a lock, which nobody knows.
 */
import { sameBytes, type Hasher } from "../kernel/index.ts";

/** A lock older than this, in whole seconds, may be taken away. */
export const LOCK_SECONDS = 120;

interface Lock {
  readonly since: number;
  readonly checksum: Uint8Array;
}

export type LocksState = readonly (readonly [string, Lock])[];

/** What asking for a lock's age comes to; "changed": its state is another than the one whose age was measured, and its time begins now. */
export type LockAge = "expired" | "held" | "changed";

export class Locks {
  private readonly locks = new Map<string, Lock>();

  /** The directory has been made or renewed. */
  seen(path: string, checksum: Uint8Array, seconds: number): void {
    this.locks.set(path, { since: seconds, checksum });
  }

  remove(path: string): void {
    this.locks.delete(path);
  }

  /** Another state of the tree has been taken over: all times begin now. */
  restart(found: readonly { readonly path: string; readonly checksum: Uint8Array }[], seconds: number): void {
    this.locks.clear();
    for (const { path, checksum } of found) this.seen(path, checksum, seconds);
  }

  age(path: string, checksum: Uint8Array, seconds: number): LockAge {
    const lock = this.locks.get(path);
    if (lock !== undefined && sameBytes(lock.checksum, checksum)) return seconds - lock.since > LOCK_SECONDS ? "expired" : "held";
    this.seen(path, checksum, seconds);
    return lock === undefined ? "held" : "changed";
  }

  snapshot(): LocksState {
    return [...this.locks];
  }

  restore(state: LocksState): void {
    this.locks.clear();
    for (const [path, lock] of state) this.locks.set(path, lock);
  }

  digest(h: Hasher): void {
    h.int(this.locks.size);
    for (const [path, { since, checksum }] of this.locks) h.text(path).int(since).bytes(checksum);
  }
}
