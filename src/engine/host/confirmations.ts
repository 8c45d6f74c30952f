/**
 * What the workers still have to confirm, in the order in which it was told them, and who waits for it: nothing leaves the lab before every worker has confirmed the
 * instant it belongs to. Stands where a disk's write barrier stands. Left out: what a confirmation says, which is compared elsewhere (verifier.ts).
 */
import type { Instant } from "../kernel/index.ts";

interface Waiting {
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** One stretch of the world, told to all workers that had something in it. */
export interface Round {
  readonly sequence: number;
  readonly from: Instant;
  readonly until: Instant;
  /** Workers that have not confirmed it. */
  owed: number;
  readonly waiting: Waiting[];
}

export class Confirmations {
  private rounds: Round[] = [];
  private broken: { readonly error: unknown } | undefined;

  /** @param settled is told when the oldest round has been confirmed by all */
  constructor(private readonly settled: () => void) {}

  /** How many rounds are not confirmed yet. */
  get length(): number {
    return this.rounds.length;
  }

  /** Where the oldest of them begins; undefined: everything is confirmed. */
  get from(): Instant | undefined {
    return this.rounds[0]?.from;
  }

  /** A round that workers owe. */
  open(round: Omit<Round, "waiting">): Round {
    const opened = { ...round, waiting: [] };
    if (opened.owed > 0) this.rounds.push(opened);
    return opened;
  }

  /** One worker has confirmed it, or what it owed has been done without it. */
  confirm(round: Round): void {
    round.owed--;
    let any = false;
    // A later round does not count before the earlier ones.
    for (let first = this.rounds[0]; first?.owed === 0; first = this.rounds[0]) {
      this.rounds.shift();
      any = true;
      for (const { done } of first.waiting) done();
    }
    if (any) this.settled();
  }

  /** Resolves when everything so far that happened at `at` or before is confirmed. Rejects when the lab has failed. */
  when(at: Instant): Promise<void> {
    if (this.broken !== undefined) return Promise.reject(this.broken.error);
    const last = this.rounds.findLast((round) => round.from <= at);
    if (last === undefined) return Promise.resolve();
    return new Promise((done, fail) => last.waiting.push({ done, fail }));
  }

  /** Somebody waits. */
  get awaited(): boolean {
    return this.rounds.some((round) => round.waiting.length > 0);
  }

  /** Nothing is confirmed any more. */
  fail(error: unknown): void {
    this.broken = { error };
    for (const round of this.rounds) for (const { fail } of round.waiting) fail(error);
    this.rounds = [];
  }
}
