/** Speeds and slow motion as messages: the table of speeds, where the tokens are, what is skipped, what comes next. Pure, as api.ts is. */
import { z } from "zod";

const instant = z.number();

export type Speed = number | "max";

/** The slowest and the fastest speed there is, but for max; virtual seconds a second. */
export const SPEED_MIN = 0.001;
export const SPEED_MAX = 100;

export interface SpeedRow {
  readonly speed: Speed;
  /** On a button. */
  readonly name: string;
  /** In a list. */
  readonly title: string;
}

const row = (speed: number): SpeedRow => ({ speed, name: `×${speed}`, title: `×${speed}` });

/** Every speed that has a name, the slowest first; the lab takes everything between. */
export const SPEEDS: readonly SpeedRow[] = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].map(row),
  { speed: "max", name: "max", title: "max, as fast as this computer can" },
];

/** Speeds to slow down to. */
export const SLOW_SPEEDS: readonly { readonly speed: number; readonly name: string }[] = SPEEDS.flatMap(({ speed, name }) =>
  speed !== "max" && speed <= 0.1 ? [{ speed, name }] : [],
);

/** At and below this, single packets are told of and stretches that show nothing are skipped. */
export const SLOW_SPEED_MAX = 0.05;

/** Where a speed stands among all: greater is faster. */
export const speedRank = (speed: Speed): number => (speed === "max" ? Number.POSITIVE_INFINITY : speed);

export function speedName(speed: Speed): string {
  return SPEEDS.find((one) => one.speed === speed)?.name ?? (speed === "max" ? "max" : `×${Number(speed.toFixed(4))}`);
}

/** The next faster (1) or slower (-1) speed of the table; undefined at its end. */
export function nextSpeed(speed: Speed, by: 1 | -1): Speed | undefined {
  const rank = speedRank(speed);
  const next = by > 0 ? SPEEDS.find((one) => speedRank(one.speed) > rank) : SPEEDS.findLast((one) => speedRank(one.speed) < rank);
  return next?.speed;
}

/** How time goes beyond the speed that was asked for. */
export const motion = z.object({
  /** Slows down by itself when something changes … */
  onChange: z.boolean(),
  /** … to this speed. */
  slowSpeed: z.number(),
  /** It has, and has not gone back yet. */
  eased: z.boolean(),
  /** The last stretch that showed nothing and was passed over; null before one. */
  skipped: z.object({ from: instant, to: instant }).nullable(),
});

/** The token of a ring that is formed. */
export const token = z.object({
  ringId: z.string(),
  /** Held by an idle representative; in a cable; neither: it was lost, or waits for its retransmission. */
  state: z.enum(["rests", "travels", "lost"]),
  /** Where it rests, or who sent it. */
  node: z.string().nullable(),
  /** Where it is going, and when it will be there. */
  to: z.string().nullable(),
  due: instant.nullable(),
  heldUntil: instant.nullable(),
  /** Rotations a second as the nodes counted them; null while they have not counted for long enough, and while the token is lost. */
  rate: z.number().nullable(),
});

/** Something that can happen next. */
export interface Upcoming {
  at: number;
  what: "act" | "timer" | "packet";
  text: string;
  /** Where it happens; null: to the networks. */
  node: string | null;
  from?: string | undefined;
  net?: string | undefined;
  packet?: {
    /** The sender's count: `packet drop FROM NODE NET NUMBER` drops it. */
    number: number;
    totem: boolean;
    /** False: its path has been cut meanwhile. */
    arrives: boolean;
    bytes: number;
    /** By the names of the real structs. */
    fields: { name: string; text: string }[];
  };
}

/** What one event was. */
export interface Happened {
  at: number;
  text: string;
  node: string | null;
  from?: string | undefined;
  net?: string | undefined;
}
