/**
 * The in-process host: one world in one thread, granted time as the wall clock passes (×0.01 … ×100), as fast as the machine can (max), by single
 * steps, or not at all (pause). It never holds the thread for longer than about SLICE_MS. It decides when; the world decides what. Left out: worker
 * processes.
 */
import { NEVER, SEC, type Duration, type Instant } from "../kernel/index.ts";
import type { ActResult, World, WorldAct, WorldSnapshot } from "../world/index.ts";
import { wallClock, type HostClock } from "./clock.ts";
import { Pace } from "./pace.ts";

export type Speed = number | "max";

export const SPEED_MIN = 0.01;
export const SPEED_MAX = 100;

/** Wall time after which the event loop gets its turn. */
const SLICE_MS = 12;
/** Events between two looks at the wall clock. */
const CHUNK = 256;
/** Longest wall time between two grants, so that the time shown moves on while nothing happens. */
const TICK_MAX_MS = 50;
/** Virtual time of one grant at full speed. */
const MAX_GRANT: Duration = 60 * SEC;
/** Virtual time between two looks at the conditions that somebody waits for. */
const LOOK_EVERY: Duration = 1000;

export interface HostOptions {
  readonly clock?: HostClock;
  readonly speed?: Speed;
  readonly paused?: boolean;
  /** How long one claim to the floor stops time, wall ms. Default 1000; for a scripted run Infinity. */
  readonly floorBoundMs?: number;
  /** The world broke an assertion: the host has stopped. Without it the error is thrown into the event loop. */
  readonly onFailure?: (error: unknown) => void;
}

interface Waiter {
  readonly holds: () => boolean;
  readonly max: Instant;
  readonly every: Duration;
  readonly fast: boolean;
  readonly done: (held: boolean) => void;
}

export class InProcessHost {
  private readonly clock: HostClock;
  private readonly floorBoundMs: number;
  private readonly onFailure: ((error: unknown) => void) | undefined;
  private readonly pace: Pace;
  private speedNow: Speed;
  private pausedNow: boolean;
  private closed = false;
  private cancelTick: (() => void) | undefined;
  private waiters: Waiter[] = [];
  private readonly claims = new Set<number>();
  private nextClaim = 1;
  private listeners: readonly (() => void)[] = [];
  /** Somebody's wait has just ended: time stands until the event loop has had its turn, whoever asks. */
  private standing = false;

  constructor(
    readonly world: World,
    options: HostOptions = {},
  ) {
    this.clock = options.clock ?? wallClock;
    this.floorBoundMs = options.floorBoundMs ?? 1000;
    this.onFailure = options.onFailure;
    this.speedNow = options.speed ?? 1;
    this.pausedNow = options.paused ?? false;
    this.pace = new Pace(this.clock, world.now);
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

  /** `speed` must be SPEED_MIN … SPEED_MAX or "max". */
  setSpeed(speed: Speed): void {
    if (speed !== "max" && !(speed >= SPEED_MIN && speed <= SPEED_MAX))
      throw new Error(`speed ${speed}: ${SPEED_MIN} to ${SPEED_MAX}, or max`);
    this.catchUp();
    this.speedNow = speed;
    this.anchor();
  }

  /** Ends also what runs unpaced: whoever waits for that is told that it did not come about. */
  pause(): void {
    this.catchUp();
    this.pausedNow = true;
    const ended = this.waiters.filter((w) => w.fast);
    this.waiters = this.waiters.filter((w) => !w.fast);
    for (const w of ended) w.done(false);
    this.anchor();
  }

  resume(): void {
    this.pausedNow = false;
    this.anchor();
  }

  /** The present instant, after granting what the wall clock says is due. */
  now(): Instant {
    this.catchUp();
    return this.world.now;
  }

  /** Does an act at the instant that the wall clock says it is. */
  act(act: WorldAct): ActResult {
    this.catchUp();
    const result = this.world.act(act);
    this.plan();
    this.tell();
    return result;
  }

  /** Does an act `after` µs of virtual time from now. */
  actAfter(after: Duration, act: WorldAct): ActResult {
    this.catchUp();
    const result = this.world.schedule(this.world.now + Math.max(1, after), act);
    this.plan();
    return result;
  }

  /** Pauses and runs `count` events or windows. Resolves when they have run, or when nothing is under way any more. */
  async step(unit: "event" | "window", count: number): Promise<void> {
    this.pause();
    let until = this.clock.now() + SLICE_MS;
    for (let i = 0; i < count && !this.closed; i++) {
      const ran = unit === "event" ? this.world.stepEvent() !== undefined : this.world.runWindow();
      if (!ran) break;
      if (this.clock.now() < until) continue;
      await this.turn();
      until = this.clock.now() + SLICE_MS;
    }
    this.anchor();
    this.tell();
  }

  private turn(): Promise<void> {
    return new Promise((resolve) => this.clock.after(0, resolve));
  }

  // ── waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Waits, at the pace of the lab, until `holds()` is true (looked at once a virtual millisecond in which something happened) or it is `max`; time
   * then stands still until the event loop has had its turn. False at `max` and when the host is closed. Paused time does not pass.
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
    this.catchUp();
    return new Promise((resolve) => {
      const waiter: Waiter = { holds, max, every, fast, done: resolve };
      if (holds()) resolve(true);
      else if (this.world.now >= max) resolve(false);
      else {
        this.waiters.push(waiter);
        this.anchor();
      }
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
    this.standing = true;
    for (const [w, held] of over) w.done(held);
    return true;
  }

  // ── the floor ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Claims the floor: no time is granted until the answer is called, at most the host's bound of wall time. */
  hold(): () => void {
    this.catchUp();
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
    if (this.closed || this.held) return this.world.now;
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

  private catchUp(): void {
    if (this.speedNow !== "max" && !this.fast && !this.standing) this.grant();
  }

  /** Grants one slice. False if the thread was needed before the target was reached. */
  private grant(): boolean {
    const until = this.clock.now() + SLICE_MS;
    const target = this.target();
    if (target <= this.world.now) return true;
    const unpaced = this.fast;
    let [reached, late] = [false, false];
    let told = this.world.now;
    while (!reached && !late) {
      reached = this.waiters.length > 0 ? this.grantLooking(target) : this.world.runUntil(target, CHUNK);
      if (this.settle()) break;
      // Whoever looks on may stop time here.
      if (unpaced && this.world.now - told >= SEC / 2) {
        told = this.world.now;
        this.tell();
        if (!this.fast) break;
      }
      late = !reached && this.clock.now() >= until;
    }
    // What the machine cannot do in time is not caught up: the lab runs slower than asked, and says so.
    // And what ran unpaced is not waited for: from where it ended time goes on at the lab's pace.
    if (unpaced || (late && this.speedNow !== "max")) this.pace.anchor(this.world.now);
    this.pace.note(this.world.now);
    this.tell();
    return reached;
  }

  /** Goes on to the next moment at which somebody wants a look. */
  private grantLooking(target: Instant): boolean {
    const next = this.world.nextAt();
    if (next >= target) return this.world.runUntil(target);
    const every = this.waiters.reduce((least, w) => Math.min(least, w.every), LOOK_EVERY);
    if (every <= 0) this.world.stepEvent();
    else this.world.runUntil(Math.min(target, (Math.floor(next / every) + 1) * every));
    return this.world.now >= target;
  }

  private anchor(): void {
    this.pace.restart(this.world.now);
    this.plan();
  }

  /** Arms the next grant. */
  private plan(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    const wait = this.nextTickMs();
    if (wait !== undefined) this.cancelTick = this.clock.after(wait, () => this.tick());
  }

  private nextTickMs(): number | undefined {
    if (this.closed || this.held) return undefined;
    if (this.fast) return 0;
    if (this.pausedNow) return undefined;
    const next = this.world.nextAt();
    if (this.speedNow === "max") return next === NEVER ? 1 : 0;
    // An event runs when time has gone past it.
    const bound = this.waiters.reduce((least, w) => Math.min(least, w.max), next + 1);
    return Math.min(TICK_MAX_MS, Math.max(0, this.pace.wallUntil(bound, this.speedNow)));
  }

  private tick(): void {
    this.cancelTick = undefined;
    this.standing = false;
    try {
      this.grant();
    } catch (error) {
      this.close();
      if (this.onFailure === undefined) throw error;
      this.onFailure(error);
      return;
    }
    this.plan();
  }

  /** Puts the world at a snapshot of itself; it then goes on from there, or stands there if it was paused. Whoever waits is told that it did not come about. */
  restore(state: WorldSnapshot): void {
    this.world.restore(state);
    this.abandon();
    this.anchor();
  }

  private abandon(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const w of waiters) w.done(false);
  }

  /** No more time. Whoever waits is told that it did not come about. */
  close(): void {
    this.closed = true;
    this.cancelTick?.();
    this.cancelTick = undefined;
    this.abandon();
  }
}
