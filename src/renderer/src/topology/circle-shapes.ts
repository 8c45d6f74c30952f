/** The things of the drawing for many machines, about the middle of the circle. */
import type { Look } from "./look.ts";
import type { CableState, Point, RingShape } from "./shapes.ts";

export interface Slot extends Point {
  key: string;
  kind: "node" | "qnetd";
  name: string;
  /** The name as the box holds it. */
  label: string;
  angle: number;
  look: Look;
  w: number;
  h: number;
}

export interface Spoke {
  key: string;
  node: string;
  net: string;
  state: CableState;
  /** From the machine to the switch's port. */
  from: Point;
  to: Point;
  description: string;
}

export interface CircleSwitch {
  key: string;
  net: string;
  on: boolean;
  /** Its circle, or the arcs into which a partition splits it. */
  arcs: string[];
  labels: (Point & { text: string; strong: boolean })[];
  description: string;
}

export interface CircleScene {
  size: number;
  slots: Slot[];
  spokes: Spoke[];
  switches: CircleSwitch[];
  sectors: Sector[];
  rings: (RingShape & { arrows: { d: string; chevron: string }[] })[];
  /** Radial lines between the groups of a partition. */
  walls: string[];
  centre: CentreLine[];
}

/** How the circle is measured: radius on which the machines stand, width of the tinted band, length of the spokes, the machines' boxes. */
export interface Measures {
  r: number;
  band: number;
  spoke: number;
  box: { w: number; h: number };
}

/** One run of machines of a ring or a belief. */
export interface Sector {
  key: string;
  tone: string;
  letter: string;
  formed: boolean;
  path: string;
  tab: (Point & { w: number; text: string }) | undefined;
  description: string;
}

export interface CentreLine {
  y: number;
  text: string;
  look: "figure" | "line" | "ok" | "bad" | "soft";
}

export const polar = (r: number, angle: number): Point => ({ x: r * Math.sin(angle), y: -r * Math.cos(angle) });
