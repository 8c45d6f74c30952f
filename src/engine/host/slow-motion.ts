/**
 * Slow motion that follows events: a run slows down by itself when something changes and goes back to the speed that was asked for when nothing does any more; and what
 * passes in slow motion without anything to see passes faster. It says when time is granted, never what happens in it, so that a run is the same with it and without. In
 * the real stack nothing stands here. Left out: what is worth seeing, which whoever looks on says.
 */
import { SEC, type Duration, type Effect, type Instant } from "../kernel/index.ts";
import type { HostClock } from "./clock.ts";
import { SLOW_SPEED_MAX, type Speed } from "./pace.ts";

/** What is worth seeing. Asked in the middle of a step: it must not move the world. */
export interface Interest {
  /** A change, for which a run slows down; a sight, for which slow motion is slow; nothing. `machine` is its number. */
  of(machine: number, effect: Effect): "change" | "sight" | undefined;
  /** Something worth seeing is on its way at this moment. */
  underWay(): boolean;
  /** Nothing is changing: the run may go on at the speed that was asked for. */
  settled(): boolean;
}

/** Virtual time that was passed over since there was nothing to see. */
export interface Stretch {
  readonly from: Instant;
  readonly to: Instant;
}

export interface SlowMode {
  /** Slows down for changes. */
  readonly onChange: boolean;
  /** To this speed. */
  readonly speed: number;
}

/** Wall time without a sight after which slow motion passes faster. */
const QUIET_MS = 250;
/** Then for so long at this speed, so that what is awaited is seen to come nearer; after it as fast as can be. */
const FORWARD_MS = 1_000;
const FORWARD_SPEED = 2;
/** No more virtual time than this is passed over at a time: where nothing happens any more, time must not run away. */
const FORWARD_MAX: Duration = 60 * SEC;
/** Wall time for which time stands at a change that is looked at in slow motion: two frames, so that it is drawn before the next one comes. */
const SHOWN_MS = 34;
/** Virtual time without a change after which a run goes back to its speed. */
const SETTLED_AFTER: Duration = 1.2 * SEC;

export class SlowMotion {
  private interest: Interest | undefined;
  private modeNow: SlowMode = { onChange: false, speed: 0.01 };
  private skipsIdle = false;
  /** Instant of the last change it slowed down for; undefined: it has not. */
  private changedAt: Instant | undefined;
  /** The last sight, in wall and in virtual time. */
  private seenWall: number;
  private seenAt: Instant = 0;
  /** Where what is being passed over began. */
  private forwardFrom: Instant | undefined;
  private last: Stretch | undefined;
  private turn = false;
  /** The pace is one at which single packets can be followed. */
  private slowly = false;
  /** Wall time until which a change is being looked at. */
  private shownUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: HostClock) {
    this.seenWall = clock.now();
  }

  /** Who says from now on what is worth seeing. */
  follow(interest: Interest): void {
    this.interest = interest;
  }

  get mode(): SlowMode {
    return this.modeNow;
  }

  set mode(mode: SlowMode) {
    this.modeNow = mode;
    if (!mode.onChange) this.changedAt = undefined;
  }

  /** Whether the speed that was asked for passes over what shows nothing. */
  set skipping(on: boolean) {
    this.skipsIdle = on;
  }

  /** Slowed down for a change. */
  get eased(): boolean {
    return this.changedAt !== undefined;
  }

  /** Effects decide about the pace: they have to be looked at one after the other. */
  get watching(): boolean {
    return this.interest !== undefined && (this.modeNow.onChange || this.skipsIdle);
  }

  /** The last stretch that was passed over. */
  get skipped(): Stretch | undefined {
    return this.last;
  }

  /** Nothing is being passed over at this moment: time was meant to stand, or goes on from somewhere else. */
  begin(now: Instant): void {
    this.seenWall = this.clock.now();
    this.seenAt = now;
    this.forwardFrom = undefined;
    this.turn = false;
    this.shownUntil = Number.NEGATIVE_INFINITY;
  }

  /** The run goes on from an earlier instant: what came after it has not happened. */
  restart(now: Instant): void {
    this.changedAt = undefined;
    this.last = undefined;
    this.begin(now);
  }

  take(at: Instant, machine: number, effect: Effect): void {
    const kind = this.watching ? this.interest?.of(machine, effect) : undefined;
    if (kind === undefined) return;
    if (kind === "change" && this.modeNow.onChange) {
      this.turn ||= this.changedAt === undefined;
      this.changedAt = at;
    }
    if (kind === "change" && (this.slowly || this.turn)) {
      this.shownUntil = this.clock.now() + SHOWN_MS;
      this.turn = true;
    }
    if (this.forwardFrom !== undefined) {
      if (at > this.forwardFrom) this.last = { from: this.forwardFrom, to: at };
      this.forwardFrom = undefined;
      this.turn = true;
    }
    this.seenWall = this.clock.now();
    this.seenAt = at;
  }

  /** Something has happened after which the pace is another one. */
  get turned(): boolean {
    return this.turn;
  }

  /** Wall ms for which time stands, since what has just changed is being looked at. */
  get standsMs(): number {
    return Math.max(0, this.shownUntil - this.clock.now());
  }

  /** The pace from now on, where `asked` is the speed that was asked for. */
  rate(asked: Speed, now: Instant): Speed {
    this.turn = false;
    const base = this.base(asked, now);
    this.slowly = base !== "max" && base <= SLOW_SPEED_MAX;
    const { interest } = this;
    if (interest === undefined || !this.watching || !this.slowly) {
      this.forwardFrom = undefined;
      return base;
    }
    const quietMs = this.clock.now() - this.seenWall;
    if (quietMs < QUIET_MS || now - this.seenAt >= FORWARD_MAX || interest.underWay()) return base;
    this.forwardFrom ??= now;
    return quietMs < QUIET_MS + FORWARD_MS ? FORWARD_SPEED : "max";
  }

  /** Single packets can be followed. */
  slow(asked: Speed): boolean {
    const base = this.changedAt === undefined ? asked : this.slowed(asked);
    return base !== "max" && base <= SLOW_SPEED_MAX;
  }

  private slowed(asked: Speed): Speed {
    return asked === "max" ? this.modeNow.speed : Math.min(asked, this.modeNow.speed);
  }

  /** The speed, or the slow one after a change. */
  private base(asked: Speed, now: Instant): Speed {
    if (this.changedAt === undefined) return asked;
    if (now - this.changedAt >= SETTLED_AFTER && this.interest?.settled() !== false) {
      this.changedAt = undefined;
      return asked;
    }
    return this.slowed(asked);
  }
}
