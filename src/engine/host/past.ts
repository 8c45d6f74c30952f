/**
 * The past of a live run, kept in the background: lets the replica follow in short slices between the grants of the live run, and takes callers to
 * instants of the past. It holds the thread no longer than about SLICE_MS at a time. It decides when; the history decides what. Left out: files,
 * and whatever is shown of the past.
 */
import { HISTORY_SPACING_US, MINUTE, type Instant } from "../kernel/index.ts";
import { History, type MachineFactory, type World, type WorldSnapshot } from "../world/index.ts";
import { wallClock, type HostClock } from "./clock.ts";

/** Wall time of one slice. */
const SLICE_MS = 8;
/** Events between two looks at the wall clock. */
const CHUNK = 256;
/** Wall time between two slices of a replica that is behind: the live run comes first. */
const BEHIND_MS = 20;
/** Wall time until a replica that has caught up looks again. */
const LOOK_MS = 1000;
/** Callers on their way at once. */
const VISITS_MAX = 8;
/** Behind by more than this, the replica goes on from a snapshot of the run where one can be had. */
const LAG_MAX = 10 * MINUTE;
/** A replica that is behind leaves so many snapshots on the way. */
const LEAVES = 64;

export interface PastOptions {
  readonly clock?: HostClock;
  /** A snapshot of the run at hand: see History. */
  readonly start?: WorldSnapshot;
  /** Where the run's machines are in this process: a snapshot of it as it stands. */
  readonly snapshot?: () => WorldSnapshot;
  /** The replica did not repeat the run, or broke an assertion: it has stopped. */
  readonly onFailure?: (text: string) => void;
}

/** Why a visit did not take place. */
export class PastError extends Error {}

interface Visit {
  /** Works for a while. True when the visit is over. */
  go(until: () => boolean): boolean;
  fail(error: Error): void;
}

export class Past {
  private readonly clock: HostClock;
  private readonly history: History;
  private visits: Visit[] = [];
  private cancel: (() => void) | undefined;
  private following = false;
  /** The run is being put elsewhere. */
  private moved = 0;
  private closed = false;

  constructor(
    readonly run: World,
    makeMachine: MachineFactory,
    private readonly options: PastOptions = {},
  ) {
    this.clock = options.clock ?? wallClock;
    this.history = new History(run, makeMachine, options.start);
  }

  /** From now on the replica follows the run. */
  follow(): void {
    this.following = true;
    this.plan(0);
  }

  /** Instants that can be had at once. */
  instants(): Instant[] {
    return this.history.instants();
  }

  /**
   * Stands a world at `to`, 0 up to the run's instant, and lets `look` look at it; `look` must not run it on. Acts of that instant are done, its events to
   * come; at the run's own instant it stands as far as the run does. Throws PastError.
   */
  visit<T>(to: Instant, look: (world: World) => T): Promise<T> {
    if (this.closed) return Promise.reject(new PastError("the lab is ending"));
    if (this.visits.length >= VISITS_MAX)
      return Promise.reject(new PastError(`at most ${VISITS_MAX} looks into the past can be under way`));
    return new Promise<T>((resolve, reject) => {
      const journey = this.history.journey(to);
      const go = (over: () => boolean): boolean => {
        let arrived = journey.slice(CHUNK);
        while (!arrived && !over()) arrived = journey.slice(CHUNK);
        if (!arrived) return false;
        resolve(look(journey.world));
        this.history.release(journey);
        return true;
      };
      this.visits.push({ go, fail: reject });
      this.plan(0);
    });
  }

  /**
   * The run goes on from an earlier state, where `put` puts it, which may take its time. Looks under way end with an error. The replica stands meanwhile: it would follow the course
   * that is given up, and be ahead of the one that begins.
   */
  async rewind(state: WorldSnapshot, put: () => Promise<void>): Promise<void> {
    this.abandon("the lab was rolled back meanwhile");
    this.moved++;
    this.plan(0);
    this.history.rewind(state);
    try {
      await put();
    } finally {
      this.moved--;
      // Whoever came meanwhile set out on the course that was given up.
      this.abandon("the lab was rolled back meanwhile");
      this.plan(0);
    }
  }

  close(): void {
    this.closed = true;
    this.cancel?.();
    this.cancel = undefined;
    this.abandon("the lab is ending");
  }

  private abandon(why: string): void {
    const visits = this.visits;
    this.visits = [];
    for (const visit of visits) visit.fail(new PastError(why));
  }

  private plan(ms: number): void {
    this.cancel?.();
    this.cancel = this.closed || this.moved > 0 ? undefined : this.clock.after(ms, () => this.tick());
  }

  private tick(): void {
    this.cancel = undefined;
    const until = this.clock.now() + SLICE_MS;
    const over = (): boolean => this.clock.now() >= until;
    const [visit] = this.visits;
    if (visit !== undefined) {
      this.travel(visit, over);
      return this.plan(this.visits.length > 0 ? 0 : BEHIND_MS);
    }
    if (!this.following) return;
    try {
      const abreast = this.goAlong(over);
      if (this.following) this.plan(abreast ? LOOK_MS : BEHIND_MS);
    } catch (error) {
      this.stop(error instanceof Error ? error.message : String(error));
    }
  }

  private travel(visit: Visit, over: () => boolean): void {
    let done = true;
    try {
      done = visit.go(over);
    } catch (error) {
      visit.fail(error instanceof Error ? error : new PastError(String(error)));
    }
    if (done) this.visits = this.visits.filter((v) => v !== visit);
  }

  /** True when the replica is abreast of the run. */
  private goAlong(over: () => boolean): boolean {
    const { history } = this;
    const snapshot = this.options.snapshot;
    if (history.lag > LAG_MAX && snapshot !== undefined) history.adopt(snapshot());
    const spacing = Math.max(HISTORY_SPACING_US, Math.ceil(history.lag / LEAVES / HISTORY_SPACING_US) * HISTORY_SPACING_US);
    let abreast = history.follow(CHUNK, spacing);
    while (!abreast && !over()) abreast = history.follow(CHUNK, spacing);
    const at = history.differs();
    if (at !== undefined) this.stop(`the run and its replay differ at ${at / 1e6} s or in the second before`);
    return abreast;
  }

  private stop(why: string): void {
    this.following = false;
    this.options.onFailure?.(why);
  }
}
