/** The things of the drawing for a row of machines: shapes with their places, in the drawing's own units (pixels at 100 %). */
import type { Look } from "./look.ts";

export interface Point {
  x: number;
  y: number;
}

export interface MachineShape extends Point {
  key: string;
  name: string;
  w: number;
  h: number;
  kind: "node" | "qnetd";
  compact: boolean;
  look: Look;
}

export type CableState = "carrying" | "idle" | "down" | "unused" | "cut" | "cut-in" | "cut-out";

export interface CableShape {
  key: string;
  node: string;
  net: string;
  state: CableState;
  /** The machine's socket and the switch's port. */
  socket: Point;
  port: Point;
  label: string;
  /** A ring passes under this cable here, if it does. */
  crossing: number | undefined;
  description: string;
}

export interface SwitchShape extends Point {
  key: string;
  net: string;
  w: number;
  h: number;
  on: boolean;
  name: string;
  detail: string;
  detailX: number;
  description: string;
  /** Cut pairs on this network, as a phrase. */
  pairs: string;
}

export interface RegionShape {
  key: string;
  tone: string;
  letter: string;
  formed: boolean;
  path: string;
  tab: { x: number; y: number; w: number; text: string };
}

export interface RingShape {
  key: string;
  tone: string;
  hatched: boolean;
  track: string;
  chevrons: string[];
  /** Where the token rests at a node. */
  slots: ReadonlyMap<number, Point>;
  /** The way of the token from node id to the next one. */
  hops: ReadonlyMap<number, readonly Point[]>;
  rate: { x: number; y: number; room: number };
}

export interface Scene {
  width: number;
  height: number;
  machines: MachineShape[];
  cables: CableShape[];
  switches: SwitchShape[];
  regions: RegionShape[];
  rings: RingShape[];
}

/** The line from `a` to `b` crosses that from `c` to `d`. */
export function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point): number => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}
