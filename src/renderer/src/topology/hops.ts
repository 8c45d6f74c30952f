/** Things to animate, read from the lab's trace events; and points along a line. */
import type { Point } from "./shapes.ts";

type Shape = Record<string, unknown>;

const isShape = (value: unknown): value is Shape => typeof value === "object" && value !== null;
const isNumber = (value: unknown): value is number => typeof value === "number";

export interface TokenHop {
  /** It left then. */
  instant: number;
  from: number;
  to: number;
  seq: number;
  ring: string;
}

/** A hop of the token, if that is what the event is. */
export function tokenHop(trace: unknown, instant: number): TokenHop | undefined {
  if (!isShape(trace) || trace["what"] !== "token") return undefined;
  const { from, to, seq, ring } = trace;
  return isNumber(from) && isNumber(to) && isNumber(seq) && typeof ring === "string" ? { instant, from, to, seq, ring } : undefined;
}

export interface Sent {
  what: "join" | "commit-token" | "retransmit";
  from: number;
}

/** A message worth an envelope beside its sender. */
export function sent(trace: unknown): Sent | undefined {
  if (!isShape(trace) || !isNumber(trace["from"])) return undefined;
  const what = trace["what"];
  return what === "join" || what === "commit-token" || what === "retransmit" ? { what, from: trace["from"] } : undefined;
}

/** The point at a share (0…1) of a line's length. */
export function along(way: readonly Point[], share: number): Point {
  const lengths = way.slice(1).map((point, index) => Math.hypot(point.x - (way[index]?.x ?? 0), point.y - (way[index]?.y ?? 0)));
  let left = lengths.reduce((sum, length) => sum + length, 0) * share;
  for (const [index, length] of lengths.entries()) {
    const a = way[index];
    const b = way[index + 1];
    if (a === undefined || b === undefined) break;
    if (left <= length && length > 0) return { x: a.x + ((b.x - a.x) * left) / length, y: a.y + ((b.y - a.y) * left) / length };
    left -= length;
  }
  return way.at(-1) ?? { x: 0, y: 0 };
}
