/**
 * The live host whose nodes are processes: grants time as the wall clock passes (×0.01 … ×100), as fast as machine and workers can (max), by single steps, or
 * not at all (pause). The face is that of the in-process host, but what has to wait for a worker answers with a promise. `world` is to be read and
 * watched as there: status, queries and journals are answered by the nodes' twins in this process. Left out: what a grant is (hub.ts).
 */
import { NEVER, SEC, type Duration, type Instant } from "../kernel/index.ts";
import type { ActResult, World, WorldAct, WorldSnapshot } from "../world/index.ts";
import { wallClock, type HostClock } from "./clock.ts";
import type { Hub } from "./hub.ts";
import { SPEED_MAX, SPEED_MIN, type HostOptions, type Speed } from "./inprocess.ts";
import { Pace } from "./pace.ts";

/** Wall time after which whatever else this process does gets its turn. */
const SLICE_MS = 100;
/** Wall time after which a run ahead lets acts in. */
const AHEAD_MS = 1000;
/** Virtual time between two moments at which whoever looks on is told during a run ahead. */
const TELL_EVERY: Duration = SEC / 2;
/** How far the lab may fall behind the wall clock and still catch up: processes that share a busy computer wait for it now and then. */
const LAG_MAX_MS = 500;
/**
 * Shortest wall time between two grants of a lab that is abreast: one event wakes nobody by itself, and those that follow from it come along. What is asked
 * or done meanwhile is granted what is due first, so nobody but an onlooker can tell.
 */
const BEAT_MS = 50;
/** The same where somebody waits for a moment of virtual time, or looks on in slow motion. */
const SHORT_BEAT_MS = 10;
/** Longest wall time between two grants, so that the time shown moves on while nothing happens. */
const TICK_MAX_MS = 50;
/** Both where nobody looks on: less than the lab may fall behind. */
const UNSEEN_BEAT_MS = 250;
/** Virtual time of one grant at full speed. */
const MAX_GRANT: Duration = 60 * SEC;
/** Virtual time between two looks at the conditions that somebody waits for. */
const LOOK_EVERY: Duration = 1000;

export interface WorkersHostOptions extends HostOptions {
  /** A worker died or fell silent: its machine has lost power. The lab goes on. */
  readonly onLost?: (machine: string, why: string) => void;
}

interface Waiter {
  readonly holds: () => boolean;
  readonly max: Instant;
  readonly every: Duration;
  readonly fast: boolean;
  readonly done: (held: boolean) => void;
}

export class WorkersHost {
  readonly world: World;
  private readonly clock: HostClock;
  private readonly floorBoundMs: number;
  private readonly pace: Pace;
  private speedNow: Speed;
  private seen = true;
  private pausedNow: boolean;
  private closed = false;
  private cancelTick: (() => void) | undefined;
  private waiters: Waiter[] = [];
  private readonly claims = new Set<number>();
  private nextClaim = 1;
  private listeners: readonly (() => void)[] = [];
  /** The grant that is under way. */
  private granting: Promise<void> | undefined;
  /** Others that move the world: steps and acts. Time waits for them. */
  private movers = 0;

  constructor(
    readonly hub: Hub,
    private readonly options: WorkersHostOptions = {},
  ) {
    this.world = hub.world;
    this.clock = options.clock ?? wallClock;
    this.floorBoundMs = options.floorBoundMs ?? 1000;
    this.speedNow = options.speed ?? 1;
    this.pausedNow = options.paused ?? false;
    this.pace = new Pace(this.clock, this.world.now);
    hub.attend({
      lost: (machine, why) => {
        options.onLost?.(machine, why);
        this.tell();
      },
      broken: (error) => this.fail(error),
    });
    this.plan();
  }

  // ── what is asked of time ──────────────────────────────────────────────────────────────────────────────────────────

  get speed(): Speed {
    return this.speedNow;
  }

  get paused(): boolean {
    return this.pausedNow;
  }

  /** Virtual seconds per wall second over the last two seconds; 0 while paused. */
  get achieved(): number {
    return this.pausedNow ? 0 : this.pace.achieved(this.world.now, this.speedNow);
  }

  /** `speed` must be SPEED_MIN … SPEED_MAX or "max". Holds for what has not been granted yet. */
  setSpeed(speed: Speed): void {
    if (speed !== "max" && !(speed >= SPEED_MIN && speed <= SPEED_MAX))
      throw new Error(`speed ${speed}: ${SPEED_MIN} to ${SPEED_MAX}, or max`);
    this.speedNow = speed;
    this.anchor();
  }

  /** Somebody looks on, or nobody does: then time comes in larger pieces, which takes the computer a fifth less. */
  watched(on: boolean): void {
    if (on === this.seen) return;
    this.seen = on;
    this.plan();
  }

  /** No more time is granted from this moment on, nor to whoever ran ahead. Resolves when the window under way has been played. */
  async pause(): Promise<void> {
    this.pausedNow = true;
    this.endRunsAhead();
    this.anchor();
    await this.still();
  }

  /** Resolves when the grant under way has ended, however it ended: who is to be told of a failure is told. */
  private async still(): Promise<void> {
    await this.granting?.catch(() => undefined);
  }

  resume(): void {
    // A lab that has failed has no more time.
    if (this.closed) return;
    this.pausedNow = false;
    this.anchor();
  }

  /** The present instant: as far as time has been granted. */
  now(): Instant {
    return this.world.now;
  }

  /** Grants what the wall clock says is due. Resolves with the present instant. */
  async catchUp(): Promise<Instant> {
    await this.still();
    if (this.speedNow !== "max" && !this.fast) await this.grantOnce();
    return this.world.now;
  }

  /** Does an act at the instant that the wall clock says it is. Rejects where a node that is powered on gets no process. */
  async act(act: WorldAct): Promise<ActResult> {
    await this.catchUp();
    return this.move(() => this.hub.act(act));
  }

  /** Does an act `after` µs of virtual time from now. */
  async actAfter(after: Duration, act: WorldAct): Promise<ActResult> {
    await this.catchUp();
    return this.move(() => this.hub.schedule(this.world.now + Math.max(1, after), act));
  }

  /** Pauses and runs `count` events or windows. Resolves when they have run, or when nothing is under way any more. */
  async step(unit: "event" | "window", count: number): Promise<void> {
    await this.pause();
    await this.move(async () => {
      for (let i = 0; i < count && !this.closed; i++) {
        const ran = unit === "event" ? (await this.hub.stepEvent()) !== undefined : await this.hub.runWindow();
        if (!ran) break;
      }
    });
    this.anchor();
  }

  /** Puts the world at a snapshot of itself, every process too. Whoever waits is told that it did not come about. */
  async restore(state: WorldSnapshot): Promise<void> {
    this.abandon();
    await this.move(() => this.hub.restore(state));
    this.anchor();
  }

  /** Time stands while `work` moves the world. */
  private async move<T>(work: () => Promise<T>): Promise<T> {
    this.movers++;
    try {
      await this.still();
      return await work();
    } finally {
      this.movers--;
      this.settle();
      this.plan();
      this.tell();
    }
  }

  // ── waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Waits, at the pace of the lab, until `holds()` is true (looked at once a virtual millisecond in which something happened) or it is `max`; time
   * then stands until the event loop has had its turn. False at `max` and when the host is closed. Paused time does not pass.
   */
  waitFor(holds: () => boolean, max: Instant, every: Duration = LOOK_EVERY): Promise<boolean> {
    return this.wait(holds, max, every, false);
  }

  /** The same, but unpaced, also while paused. `every` 0 looks after each event. */
  runUntilCondition(holds: () => boolean, max: Instant, every: Duration = LOOK_EVERY): Promise<boolean> {
    return this.wait(holds, max, every, true);
  }

  private wait(holds: () => boolean, max: Instant, every: Duration, fast: boolean): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    if (holds()) return Promise.resolve(true);
    if (this.world.now >= max) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.waiters.push({ holds, max, every, fast, done: resolve });
      this.anchor();
    });
  }

  /** Answers the waiters whose time has come. True if there was one. */
  private settle(): boolean {
    if (this.waiters.length === 0) return false;
    const now = this.world.now;
    const left: Waiter[] = [];
    const over: [Waiter, boolean][] = [];
    for (const w of this.waiters) {
      if (w.holds()) over.push([w, true]);
      else if (now >= w.max) over.push([w, false]);
      else left.push(w);
    }
    if (over.length === 0) return false;
    this.waiters = left;
    for (const [w, held] of over) w.done(held);
    return true;
  }

  /** Unpaced waits are told that it did not come about. */
  private endRunsAhead(): void {
    const ended = this.waiters.filter((w) => w.fast);
    this.waiters = this.waiters.filter((w) => !w.fast);
    for (const w of ended) w.done(false);
  }

  private abandon(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const w of waiters) w.done(false);
  }

  // ── the floor ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Claims the floor: nothing new is granted until the answer is called, at most the host's bound of wall time. */
  hold(): () => void {
    const claim = this.nextClaim++;
    this.claims.add(claim);
    const cancel = Number.isFinite(this.floorBoundMs) ? this.clock.after(this.floorBoundMs, () => this.release(claim)) : undefined;
    this.plan();
    return () => {
      cancel?.();
      this.release(claim);
    };
  }

  /** Somebody has the floor. */
  get held(): boolean {
    return this.claims.size > 0;
  }

  private release(claim: number): void {
    if (this.claims.delete(claim) && this.claims.size === 0) this.anchor();
  }

  // ── granting ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Is told after every grant and act. Returns what takes it away again. */
  onProgress(listener: () => void): () => void {
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((l) => l !== listener);
    };
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private get fast(): boolean {
    return this.waiters.some((w) => w.fast);
  }

  /** How far time may go at this moment. */
  private target(): Instant {
    if (this.closed || this.held || this.movers > 0) return this.world.now;
    const bound = this.waiters.reduce((least, w) => Math.min(least, w.max), NEVER);
    if (this.fast) return bound;
    if (this.pausedNow) return this.world.now;
    const paced = this.speedNow === "max" ? this.fullSpeedTarget() : this.pace.target(this.speedNow);
    return Math.min(bound, Math.max(paced, this.world.now));
  }

  /** A minute at a time; where nothing at all is under way a second, lest time runs away. */
  private fullSpeedTarget(): Instant {
    return this.world.now + (this.world.nextAt() === NEVER ? SEC : MAX_GRANT);
  }

  /** One grant at a time. */
  private grantOnce(): Promise<void> {
    this.granting ??= this.grant().finally(() => {
      this.granting = undefined;
      this.plan();
    });
    return this.granting;
  }

  /** Grants windows until the target is reached, somebody's wait ends, or it has gone on for long. */
  private async grant(): Promise<void> {
    const until = this.clock.now() + SLICE_MS;
    const unpaced = this.fast;
    for (;;) {
      const target = this.target();
      if (target <= this.world.now) break;
      const looked = this.fast ? await this.goAhead(target) : await this.grantTowards(target);
      if (looked && this.settle()) break;
      // The wall clock has gone on a little: that is granted with the next event, not now.
      if (this.world.now >= target && this.world.nextAt() >= this.target()) break;
      if (this.clock.now() >= until) break;
    }
    // What ran unpaced is not waited for: from where it ended time goes on at the lab's pace.
    if (unpaced) this.pace.anchor(this.world.now);
    else this.forgive();
    this.pace.note(this.world.now);
    this.tell();
  }

  /** What the machine cannot do in time is not caught up: the lab runs slower than asked, and says so. */
  private forgive(): void {
    if (this.fast || this.speedNow === "max") return;
    if (this.target() - this.world.now > LAG_MAX_MS * 1000 * this.speedNow) this.pace.anchor(this.world.now);
  }

  /** One window, or the way to the next moment at which somebody wants a look. True there. */
  private async grantTowards(target: Instant): Promise<boolean> {
    if (this.waiters.length === 0) return this.hub.advance(target);
    const next = this.world.nextAt();
    if (next >= target) return this.hub.advance(target);
    const every = this.waiters.reduce((least, w) => Math.min(least, w.every), LOOK_EVERY);
    if (every > 0) return this.hub.advance(Math.min(target, (Math.floor(next / every) + 1) * every));
    await this.hub.stepEvent();
    return true;
  }

  /** Somebody wants to be elsewhere in time: in this process alone, for a while, so that others get their turn between. */
  private async goAhead(target: Instant): Promise<boolean> {
    const { world, clock } = this;
    const until = clock.now() + AHEAD_MS;
    let breath = clock.now() + SLICE_MS;
    let told = world.now;
    const stop = (): boolean => {
      // Whoever looks on may stop time here.
      if (world.now - told >= TELL_EVERY) {
        told = world.now;
        this.tell();
        if (!this.fast) return true;
      }
      return this.waiters.some((w) => w.holds());
    };
    const stopped = await this.hub.alone(
      target,
      this.waiters.reduce((least, w) => Math.min(least, w.every), LOOK_EVERY),
      stop,
      async () => {
        if (clock.now() >= breath) {
          await new Promise<void>((resolve) => clock.after(0, resolve));
          breath = clock.now() + SLICE_MS;
        }
        return !this.closed && this.fast && !this.held && this.movers === 0 && clock.now() < until;
      },
    );
    // Only an act that waits stands in the way; it is the workers' as ever.
    if (!stopped && this.fast && world.now < target && world.waiting()[0]?.at === world.now) await this.hub.stepEvent();
    return true;
  }

  private anchor(): void {
    this.pace.restart(this.world.now);
    this.plan();
  }

  /** Arms the next grant; a grant under way arms it itself. */
  private plan(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    const wait = this.granting === undefined ? this.nextTickMs() : undefined;
    if (wait !== undefined) this.cancelTick = this.clock.after(wait, () => void this.tick());
  }

  private nextTickMs(): number | undefined {
    if (this.closed || this.held || this.movers > 0) return undefined;
    if (this.fast) return 0;
    if (this.pausedNow) return undefined;
    const next = this.world.nextAt();
    if (this.speedNow === "max") return next === NEVER ? 1 : 0;
    // An event runs when time has gone past it.
    const bound = this.waiters.reduce((least, w) => Math.min(least, w.max), next + 1);
    const wait = this.pace.wallUntil(bound, this.speedNow);
    if (wait < 0) return 0;
    if (this.speedNow < 1 || this.waiters.length > 0) return Math.min(TICK_MAX_MS, Math.max(SHORT_BEAT_MS, wait));
    return this.seen ? Math.min(TICK_MAX_MS, Math.max(BEAT_MS, wait)) : UNSEEN_BEAT_MS;
  }

  private async tick(): Promise<void> {
    this.cancelTick = undefined;
    try {
      await this.grantOnce();
    } catch (error) {
      // The hub has told it already, unless it happened outside the hub: in a listener.
      this.fail(error);
      if (this.options.onFailure === undefined) throw error;
    }
  }

  private fail(error: unknown): void {
    if (this.closed) return;
    this.stop();
    this.pausedNow = true;
    this.options.onFailure?.(error);
  }

  private stop(): void {
    this.closed = true;
    this.cancelTick?.();
    this.cancelTick = undefined;
    this.abandon();
  }

  /** No more time; the processes go back to their crew. Whoever waits is told that it did not come about. */
  async close(): Promise<void> {
    this.stop();
    await this.still();
    await this.hub.close();
  }
}
