/**
 * The relation of virtual to wall time: an anchor where both were known, the target that follows from it, and how fast time has really gone. Left
 * out: granting, which is the host's.
 */
import type { Instant } from "../kernel/index.ts";
import { SLOW_LAG_MAX_MS } from "./beats.ts";
import type { HostClock } from "./clock.ts";

export type Speed = number | "max";

export const SPEED_MIN = 0.001;
export const SPEED_MAX = 100;
/** Virtual seconds a second at and below which whoever looks on can follow single packets. */
export const SLOW_SPEED_MAX = 1 / 20;

/** Throws where it is none. */
export function checkSpeed(speed: Speed): void {
  if (speed !== "max" && !(speed >= SPEED_MIN && speed <= SPEED_MAX))
    throw new Error(`speed ${speed}: ${SPEED_MIN} to ${SPEED_MAX}, or max`);
}

/** Wall time over which the achieved speed is taken. */
const ROLLING_MS = 2000;
const SAMPLE_MS = 100;
/** Less wall time than this says nothing about speed. */
const SAMPLE_ENOUGH_MS = 200;

export class Pace {
  private wall: number;
  private samples: { wall: number; at: Instant }[];

  constructor(
    private readonly clock: HostClock,
    private at: Instant,
  ) {
    this.wall = clock.now();
    this.samples = [{ wall: this.wall, at }];
  }

  /** From here on time counts anew: what the wall clock did before is not caught up. */
  anchor(at: Instant): void {
    this.wall = this.clock.now();
    this.at = at;
  }

  /** The same, and the achieved speed is forgotten: time was meant to stand still, or another speed was asked for. */
  restart(at: Instant): void {
    this.anchor(at);
    this.samples = [{ wall: this.wall, at }];
  }

  target(speed: number): Instant {
    return this.at + Math.floor((this.clock.now() - this.wall) * 1000 * speed);
  }

  /** Where time is to be, from `now` on. In slow motion a host that was late goes on from where it is: what it caught up would be over before it was drawn. */
  due(now: Instant, speed: number): Instant {
    const target = this.target(speed);
    const most = now + Math.ceil(SLOW_LAG_MAX_MS * 1000 * speed);
    if (speed > SLOW_SPEED_MAX || target <= most) return target;
    this.anchor(now);
    return most;
  }

  /** What is further behind than `lagMs` of wall time is not caught up. */
  forgive(now: Instant, speed: number, lagMs: number): void {
    if (this.target(speed) - now > lagMs * 1000 * speed) this.anchor(now);
  }

  /** Wall ms until it is `instant`; rounded up, so that it has come when the time is over. */
  wallUntil(instant: Instant, speed: number): number {
    return Math.ceil((instant - this.at) / (1000 * speed) - (this.clock.now() - this.wall));
  }

  note(at: Instant): void {
    const wall = this.clock.now();
    const last = this.samples[this.samples.length - 1];
    if (last !== undefined && wall - last.wall < SAMPLE_MS) return;
    this.samples.push({ wall, at });
    while (this.samples.length > 2 && wall - (this.samples[0]?.wall ?? wall) > ROLLING_MS) this.samples.shift();
  }

  achieved(now: Instant, speed: number | "max"): number {
    const first = this.samples[0];
    const wall = this.clock.now() - (first?.wall ?? 0);
    if (first === undefined || wall < SAMPLE_ENOUGH_MS) return speed === "max" ? 0 : speed;
    return (now - first.at) / (wall * 1000);
  }
}
