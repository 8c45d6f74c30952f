/**
 * What one machine did, as numbers: a rolling digest over its events and effects, and for each event where the digest stood after it. Kept on both sides, by the
 * machine's worker and beside its replica in the hub, so that the first event that differs is found by its place. In the real stack nothing compares two runs; the lab
 * can, since a run is determined by its inputs. Left out: things to draw, which follow from the rest.
 */
import { Hasher, type Effect, type Instant } from "../kernel/index.ts";
import { mixEffect } from "../world/index.ts";

/** `state`: no event, but the state of the machine as it stood at an instant. */
export type EntryKind = "act" | "timer" | "datagram" | "state";

const KINDS = ["act", "timer", "datagram", "state"] as const;
const CODES = { act: 0, timer: 1, datagram: 2, state: 3 } as const;

export type DigestPair = readonly [number, number];

/** One event: what it was, the digest with its effects in it, and the machine's next timer after it, which is in the digest of the entry after it. */
export interface Entry {
  readonly kind: EntryKind;
  readonly at: Instant;
  readonly next: Instant;
  readonly digest: DigestPair;
}

/** Numbers of one entry. */
const WIDTH = 5;

/** The entries of one stretch. */
export class Entries {
  private readonly numbers: number[] = [];

  get length(): number {
    return this.numbers.length / WIDTH;
  }

  push(code: number, at: Instant, next: Instant, digest: DigestPair): void {
    this.numbers.push(code, at, next, digest[0], digest[1]);
  }

  at(index: number): Entry | undefined {
    const [code, at, next, a, b] = this.numbers.slice(index * WIDTH, (index + 1) * WIDTH);
    const kind = KINDS[code ?? -1];
    if (kind === undefined || at === undefined || next === undefined || a === undefined || b === undefined) return undefined;
    return { kind, at, next, digest: [a, b] };
  }
}

export class EventLog {
  private readonly hash = new Hasher();
  private entries = new Entries();
  private code = 0;
  private instant: Instant = 0;

  /** Entries since the last cut. */
  get length(): number {
    return this.entries.length;
  }

  /** An event begins. */
  begin(kind: EntryKind, at: Instant): void {
    this.code = CODES[kind];
    this.instant = at;
    this.hash.int(this.code).int(at);
  }

  effect(effect: Effect): void {
    mixEffect(this.hash, effect);
  }

  /** The event is over. */
  end(next: Instant): void {
    this.entries.push(this.code, this.instant, next, this.hash.snapshot());
    this.hash.int(next);
  }

  /** The state of the machine at `at`, before any event of that instant. */
  state(at: Instant, state: DigestPair, next: Instant): void {
    this.begin("state", at);
    this.hash.int(state[0]).int(state[1]);
    this.end(next);
  }

  digest(): DigestPair {
    return this.hash.snapshot();
  }

  /** Gives the entries so far; the digest rolls on. */
  cut(): Entries {
    const { entries } = this;
    this.entries = new Entries();
    return entries;
  }
}
