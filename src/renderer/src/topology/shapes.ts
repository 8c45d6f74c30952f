/** The things of the drawing for a row of machines: shapes with their places, in the drawing's own units (pixels at 100 %). */
import type { Look } from "./look.ts";

export interface Point {
  x: number;
  y: number;
}

export interface MachineShape extends Point {
  key: string;
  name: string;
  /** The name as the card holds it. */
  label: string;
  w: number;
  h: number;
  kind: "node" | "qnetd";
  compact: boolean;
  look: Look;
}

export type CableState = "carrying" | "idle" | "down" | "unused" | "silent" | "cut" | "cut-in" | "cut-out";

export interface CableLabel extends Point {
  text: string;
  bad: boolean;
}

/** What stands on a switch's bar, in the room between its ports. */
export interface BarText extends Point {
  text: string;
  look: "name" | "detail" | "bad";
}

/** Where the network is split: a wall from the first switch to the last. */
export interface Wall {
  key: string;
  x: number;
}

export interface CableShape {
  key: string;
  node: string;
  net: string;
  state: CableState;
  /** The machine's socket and the switch's port. */
  socket: Point;
  port: Point;
  /** What stands beside it, each line as long as there is room. */
  labels: CableLabel[];
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
  /** The pieces of its bar: one, or where the network is split one for each run of machines of one group. */
  pieces: { key: string; x: number; w: number }[];
  texts: BarText[];
  description: string;
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
  ringId: string;
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
  walls: Wall[];
  /** From the first switch to the last. */
  wallEnds: { top: number; bottom: number };
}

/** The line from `a` to `b` crosses that from `c` to `d`. */
export function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point): number => Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
  return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
}
