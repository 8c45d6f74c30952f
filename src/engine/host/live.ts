/**
 * The live host: grants a world its time as the wall clock passes (×0.001 … ×100), as fast as the machine can (max), by single steps, or not at all (pause). It never holds
 * the thread for longer than a slice (beats.ts). It decides when; the world decides what, and the driver who follows. In the real stack this is the passing of time. Left
 * out: worlds that nobody paces (unpaced.ts); slow motion that follows events (slow-motion.ts).
 */
import { NEVER, SEC, type Duration, type Instant } from "../kernel/index.ts";
import type { ActResult, World, WorldAct, WorldSnapshot } from "../world/index.ts";
import * as beats from "./beats.ts";
import { wallClock, type HostClock } from "./clock.ts";
import { runLooking, runSeeing, runToAct, type Driver, type HostKind } from "./driver.ts";
import { Floor } from "./floor.ts";
import type { LiveOptions } from "./live-options.ts";
import { checkSpeed, Pace, type Speed } from "./pace.ts";
import { SlowMotion, type SlowMode } from "./slow-motion.ts";
import { Turns } from "./turns.ts";
import { Waiters } from "./waiters.ts";

export class LiveHost {
  /** To be read and watched; what moves it comes through the host. */
  readonly world: World;
  private readonly clock: HostClock;
  private readonly pace: Pace;
  private readonly floor: Floor;
  private readonly waiters = new Waiters();
  private readonly turns = new Turns();
  /** To be read; who says what is worth seeing follows it. */
  readonly motion: SlowMotion;
  /** What was asked for, and the pace that is kept at this moment. */
  private speedNow: Speed;
  private rate: Speed;
  private seen = true;
  private pausedNow: boolean;
  private closed = false;
  private cancelTick: (() => void) | undefined;
  private listeners: readonly (() => void)[] = [];
  private failure: { readonly error: unknown } | undefined;
  /** Somebody's wait has just ended: time stands until the event loop has had its turn, whoever asks. */
  private standing = false;

  constructor(
    readonly driver: Driver,
    private readonly options: LiveOptions = {},
  ) {
    this.world = driver.world;
    this.clock = options.clock ?? wallClock;
    this.speedNow = options.speed ?? 1;
    this.rate = this.speedNow;
    this.motion = new SlowMotion(this.clock);
    this.world.watch({ effect: (at, machine, effect) => this.motion.take(at, machine, effect) });
    this.pausedNow = options.paused ?? false;
    this.pace = new Pace(this.clock, this.world.now);
    this.floor = new Floor(this.clock, options.floorBoundMs ?? 1000, () => this.anchor());
    driver.attend({
      lost: (machine, why) => options.onLost?.(machine, why),
      disk: (machine, difference) => options.onDisk?.(machine, difference),
      broken: (error) => this.fail(error),
      moved: () => this.tell(),
      room: () => this.plan(),
    });
    this.plan();
  }

  // ── what is asked of time ──────────────────────────────────────────────────────────────────────────────────────────

  get kind(): HostKind {
    return this.driver.kind;
  }

  get speed(): Speed {
    return this.speedNow;
  }

  get paused(): boolean {
    return this.pausedNow;
  }

  /** The lab has failed: no more time, and nothing can be done to it any more. */
  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** Virtual seconds per wall second over the last two seconds; 0 while paused. */
  get achieved(): number {
    return this.pausedNow ? 0 : this.pace.achieved(this.world.now, this.speedNow);
  }

  /** `speed` must be SPEED_MIN … SPEED_MAX or "max". `skipsIdle`: in slow motion, what shows nothing passes faster. */
  setSpeed(speed: Speed, skipsIdle = false): void {
    checkSpeed(speed);
    this.grantBefore();
    this.speedNow = speed;
    this.motion.skipping = skipsIdle;
    this.anchor();
  }

  /** Slows down for what changes from now on, or no longer. The speed of `mode` must be SPEED_MIN … SPEED_MAX. */
  setSlowMode(mode: SlowMode): void {
    checkSpeed(mode.speed);
    this.grantBefore();
    this.motion.mode = mode;
    this.anchor();
  }

  /** Single packets can be followed: paused, or in slow motion. */
  get slow(): boolean {
    return this.pausedNow || this.motion.slow(this.speedNow);
  }

  /** Somebody looks on, or nobody does: then time comes in larger pieces, which takes the computer less. */
  watched(on: boolean): void {
    if (on === this.seen) return;
    this.seen = on;
    this.plan();
  }

  /** Grants what is due, then no more, nor to whoever runs ahead: they are told that it did not come about. Resolves when nobody moves the world any more. */
  async pause(): Promise<void> {
    this.grantBefore();
    this.pausedNow = true;
    this.waiters.abandon(true);
    this.anchor();
    await this.turns.free();
  }

  resume(): void {
    // A lab that has failed has no more time.
    if (this.closed) return;
    this.pausedNow = false;
    this.anchor();
  }

  /** Grants what the wall clock says is due. Resolves with the present instant. */
  async catchUp(): Promise<Instant> {
    this.grantBefore();
    if (this.driver.waits) await this.turn(() => undefined);
    return this.world.now;
  }

  /** Does an act at the instant that the wall clock says it is. Rejects where a node that is powered on gets no process. */
  act(act: WorldAct): Promise<ActResult> {
    return this.turn(async () => {
      this.grantDue();
      const refused = this.world.check(act);
      if (refused !== undefined) return refused;
      const prepared = this.driver.prepare(act);
      if (prepared !== undefined) await prepared;
      return this.world.act(act);
    });
  }

  /** Does an act `after` µs of virtual time from now. */
  actAfter(after: Duration, act: WorldAct): Promise<ActResult> {
    return this.turn(() => {
      this.grantDue();
      return this.world.schedule(this.world.now + Math.max(1, after), act);
    });
  }

  /** Pauses and runs `count` events or windows. Resolves when they have run, or when nothing is under way any more. */
  async step(unit: "event" | "window", count: number): Promise<void> {
    await this.pause();
    await this.turn(async () => {
      let until = this.clock.now() + beats.SLICE_MS;
      for (let i = 0; i < count && !this.closed; i++) {
        const ran = unit === "event" ? this.world.stepEvent() !== undefined : this.world.runWindow();
        if (!ran) break;
        if (this.driver.waits) await this.ready();
        if (this.clock.now() < until) continue;
        this.driver.moved();
        do await new Promise<void>((resolve) => this.clock.after(0, resolve));
        while (this.driver.reach(this.lead()) <= this.world.now && !this.closed);
        until = this.clock.now() + beats.SLICE_MS;
      }
    });
    this.anchor();
  }

  /** Puts the world at a snapshot of itself; it then goes on from there, or stands there if it was paused. Whoever waits is told that it did not come about. */
  async restore(state: WorldSnapshot): Promise<void> {
    this.waiters.abandon();
    await this.turn(async () => {
      const restored = this.driver.restore(state);
      if (restored !== undefined) await restored;
    });
    this.motion.restart(this.world.now);
    this.waiters.abandon();
    this.anchor();
  }

  /** Does `work` while nobody moves the world and every worker has confirmed all there is: nobody writes to a disk meanwhile. Rejects when the lab has failed. */
  still(work: () => void): Promise<void> {
    return this.turn(async () => {
      this.driver.moved();
      await this.driver.whenConfirmed();
      work();
    });
  }

  /** Time stands while `work` moves the world, or waits for a process. */
  private async turn<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await this.turns.take(async () => {
        if (this.failure !== undefined) throw this.failure.error;
        const result = await work();
        this.driver.moved();
        if (this.driver.waits) await this.ready();
        return result;
      });
    } finally {
      if (!this.turns.taken) this.settle();
      this.plan();
      this.tell();
    }
  }

  private async ready(): Promise<void> {
    await this.driver.ready();
    this.driver.moved();
  }

  // ── what leaves the lab ────────────────────────────────────────────────────────────────────────────────────────────

  /** Everything so far that happened up to this instant is confirmed by every worker. */
  get confirmed(): Instant {
    return this.driver.confirmed;
  }

  /** Resolves when everything so far that happened up to `at`, absent: up to now, is confirmed: it may leave the lab. Rejects when the lab has failed. */
  whenConfirmed(at?: Instant): Promise<void> {
    return this.driver.whenConfirmed(at);
  }

  /** Id of the process of a machine; undefined where it has none of its own. */
  pidOf(machine: string): number | undefined {
    return this.driver.pidOf(machine);
  }

  // ── waiting ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Waits, at the pace of the lab, until `holds()` is true (looked at once a virtual millisecond in which something happened) or it is `max`; time
   * then stands still until the event loop has had its turn. False at `max` and when the host is closed. Paused time does not pass.
   */
  waitFor(holds: () => boolean, max: Instant, every?: Duration): Promise<boolean> {
    return this.wait(holds, max, every, false);
  }

  /** The same, but unpaced, also while paused. `every` 0 looks after each event. */
  runUntilCondition(holds: () => boolean, max: Instant, every?: Duration): Promise<boolean> {
    return this.wait(holds, max, every, true);
  }

  private wait(holds: () => boolean, max: Instant, every = 1000, fast: boolean): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    this.grantBefore();
    if (holds()) return Promise.resolve(true);
    if (this.world.now >= max) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.waiters.add({ holds, max, every, fast, done: resolve });
      this.anchor();
    });
  }

  private settle(): boolean {
    if (!this.waiters.settle(this.world.now)) return false;
    this.standing = true;
    return true;
  }

  // ── the floor ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Claims the floor: no time is granted until the answer is called, at most for the host's bound of wall time. */
  hold(): () => void {
    this.grantBefore();
    const release = this.floor.claim();
    this.plan();
    return release;
  }

  get held(): boolean {
    return this.floor.held;
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

  /** Virtual time that the world may be ahead of the slowest confirmation. Unpaced it is bounded by what may be under way alone. */
  private lead(): Duration {
    const { leadMs } = this.options;
    if (this.waiters.fast || this.rate === "max") return leadMs === undefined ? NEVER : leadMs * 1000;
    const close = this.seen || this.waiters.any || this.driver.awaited;
    return (leadMs ?? (close ? beats.LEAD_MS : beats.UNSEEN_LEAD_MS)) * 1000 * this.rate;
  }

  /** How far time may go at this moment. */
  private target(): Instant {
    const { now } = this.world;
    if (this.closed || this.held) return now;
    const bound = Math.min(this.waiters.bound, this.driver.reach(this.lead()));
    if (this.waiters.fast) return bound;
    if (this.pausedNow || this.motion.standsMs > 0) return now;
    // Unpaced a minute at a time; where nothing at all is under way a second, lest time runs away.
    const unpaced = now + (this.world.nextAt() === NEVER ? SEC : beats.GRANT_MAX);
    return Math.min(bound, this.rate === "max" ? unpaced : Math.max(this.pace.due(now, this.rate), now));
  }

  /** The same, where nobody is moving the world. */
  private grantBefore(): void {
    if (!this.turns.taken) this.grantDue();
  }

  /** What the wall clock says is due, before somebody asks or does something. */
  private grantDue(): void {
    if (this.rate === "max" || this.waiters.fast || this.standing || this.driver.waits) return;
    this.grant();
  }

  /** Grants one slice. */
  private grant(): void {
    const until = this.clock.now() + beats.SLICE_MS;
    const target = this.target();
    if (target <= this.world.now) return;
    const unpaced = this.waiters.fast;
    let [reached, late] = [false, false];
    let told = this.world.now;
    while (!reached && !late && !this.driver.waits) {
      reached = this.runTowards(target);
      if (this.settle() || this.motion.turned) break;
      // Whoever looks on may stop time here.
      if (unpaced && this.world.now - told >= beats.TELL_EVERY) {
        told = this.world.now;
        this.driver.moved();
        this.tell();
        if (!this.waiters.fast) break;
      }
      late = !reached && this.clock.now() >= until;
    }
    // Whoever looks at an instant sees it before its events, as a replay does.
    if ((late || this.motion.turned) && this.world.midInstant) runToAct(this.world, this.world.now + 1);
    this.driver.moved();
    // What ran unpaced is not waited for: from where it ended time goes on at the lab's pace.
    if (unpaced) this.pace.anchor(this.world.now);
    else if (late) this.forgive();
    this.pace.note(this.world.now);
    this.tell();
  }

  /** What the machine cannot do in time is not caught up: the lab runs slower than asked, and says so. */
  private forgive(): void {
    if (this.rate === "max") return;
    this.pace.forgive(this.world.now, this.rate, this.seen ? beats.LAG_MAX_MS : beats.UNSEEN_LAG_MAX_MS);
  }

  /** A piece of the way to `target`; true when it is reached. */
  private runTowards(target: Instant): boolean {
    const { world, motion, waiters, driver } = this;
    if (motion.watching) return runSeeing(world, target, beats.CHUNK, () => motion.turned || waiters.any || driver.waits);
    return waiters.any ? runLooking(world, target, waiters.every) : runToAct(world, target, beats.CHUNK);
  }

  private anchor(): void {
    this.pace.restart(this.world.now);
    this.motion.begin(this.world.now);
    this.plan();
  }

  /** The pace follows what has been seen; where it is another one, time counts anew. */
  private setRate(): void {
    const rate = this.motion.rate(this.speedNow, this.world.now);
    if (rate === this.rate) return;
    this.rate = rate;
    this.pace.restart(this.world.now);
  }

  /** Arms the next grant; who has a turn arms it at its end. */
  private plan(): void {
    this.cancelTick?.();
    this.cancelTick = undefined;
    this.setRate();
    const wait = this.turns.taken ? undefined : this.nextTickMs();
    if (wait !== undefined) this.cancelTick = this.clock.after(wait, () => this.tick());
  }

  private nextTickMs(): number | undefined {
    if (this.closed || this.held) return undefined;
    if (this.driver.waits) return 0;
    const fast = this.waiters.fast;
    if (!fast && this.pausedNow) return undefined;
    // The driver tells when there is room again.
    if (this.driver.reach(this.lead()) <= this.world.now) return undefined;
    if (fast) return 0;
    const next = this.world.nextAt();
    if (this.rate === "max") return next === NEVER ? 1 : 0;
    // An event runs when time has gone past it.
    const wait = Math.max(this.pace.wallUntil(Math.min(this.waiters.bound, next + 1), this.rate), Math.ceil(this.motion.standsMs));
    if (wait < 0) return 0;
    if (this.rate < 1 || this.motion.eased || this.waiters.any) return Math.min(beats.BEAT_MS, Math.max(beats.SHORT_BEAT_MS, wait));
    return this.seen ? beats.BEAT_MS : beats.UNSEEN_BEAT_MS;
  }

  private tick(): void {
    this.cancelTick = undefined;
    this.standing = false;
    try {
      if (this.driver.waits) {
        this.turn(() => undefined).catch((error: unknown) => this.fail(error));
        return;
      }
      this.grant();
      this.plan();
    } catch (error) {
      this.fail(error);
      if (this.options.onFailure === undefined) throw error;
    }
  }

  private fail(error: unknown): void {
    if (this.closed) return;
    this.failure = { error };
    this.stop();
    this.pausedNow = true;
    this.options.onFailure?.(error);
  }

  private stop(): void {
    this.closed = true;
    this.cancelTick?.();
    this.cancelTick = undefined;
    this.waiters.abandon();
  }

  /** No more time. Whoever waits is told that it did not come about. */
  async close(): Promise<void> {
    this.stop();
    await this.turns.free();
    await this.driver.close();
    await this.options.onClosed?.();
  }
}
