/** Where everything of the canvas stands, for labs small enough for a row of machines: a pure function of the snapshot. */
import type { Component, LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { latency } from "../format.ts";
import { toneOf } from "../tone.ts";
import { nodeLook, type Look } from "./look.ts";

export interface Point {
  x: number;
  y: number;
}

export interface MachineShape extends Point {
  key: string;
  name: string;
  w: number;
  h: number;
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
  words: string;
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
  words: string;
  /** Cut pairs on this network, in words. */
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
  seats: ReadonlyMap<number, Point>;
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

/** Measures of the drawing, in its own units (pixels at 100 %). */
const top = 14;
const barHeight = 22;
const barGap = 30;
const machineHeight = 88;
const wide = { w: 148, gap: 58, groupGap: 92, pad: 40, top: 54, bottom: 98, up: 76, down: 98 };
const compact = { w: 104, gap: 40, groupGap: 68, pad: 34, top: 54, bottom: 76, up: 60, down: 84 };
/** The ring's loop beside and below the machines. */
const loop = { side: 16, below: 28, radius: 14 };
const charWidth = 6.1;

/** More machines than this stand in a circle. */
export const maxInRow = 8;

interface Column {
  machine: MachineView;
  group: number;
}

/** The formed ring a node stands in. */
function formedOf(snapshot: LabSnapshot, node: string): Component | undefined {
  return snapshot.components.find((component) => component.formed && component.nodes.includes(node));
}

/** Machines from left to right: the lab's order, members of one ring together and in ring order; who is in no ring keeps its place. */
export function columnsOf(snapshot: LabSnapshot): Column[] {
  const nodes = snapshot.nodes.filter(({ kind }) => kind === "node");
  const columns: Column[] = [];
  const placed = new Set<string>();
  let group = 0;
  nodes.forEach((machine, index) => {
    if (placed.has(machine.name)) return;
    const ring = formedOf(snapshot, machine.name);
    if (ring === undefined) {
      placed.add(machine.name);
      columns.push({ machine, group: group++ });
      return;
    }
    const last = nodes.findLastIndex(({ name }) => ring.nodes.includes(name));
    // Ring order is that of the members' ids; who is away stays where it was, and the ring passes round it.
    const inside = nodes
      .slice(index, last + 1)
      .filter(({ name }) => !placed.has(name) && (ring.nodes.includes(name) || !formedOf(snapshot, name)));
    const order = inRingOrder(inside, ring);
    for (const one of order) {
      placed.add(one.name);
      columns.push({ machine: one, group });
    }
    group++;
  });
  return columns;
}

function inRingOrder(inside: readonly MachineView[], ring: Component): MachineView[] {
  const rank = (machine: MachineView): number => ring.members.indexOf(machine.corosync?.nodeId ?? -1);
  const members = inside.filter(({ name }) => ring.nodes.includes(name)).sort((a, b) => rank(a) - rank(b));
  let next = 0;
  return inside.map((machine) => (ring.nodes.includes(machine.name) ? (members[next++] ?? machine) : machine));
}

/** A polygon with rounded corners, as path data. */
export function rounded(points: readonly Point[], radius: number): string {
  const parts = points.map((point, index) => {
    const before = points[(index + points.length - 1) % points.length] ?? point;
    const after = points[(index + 1) % points.length] ?? point;
    const r = Math.min(radius, distance(before, point) / 2, distance(point, after) / 2);
    const from = towards(point, before, r);
    const to = towards(point, after, r);
    return `${index === 0 ? "M" : "L"}${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
  });
  return `${parts.join("")}Z`;
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / whole, y: from.y + ((to.y - from.y) * by) / whole };
}

interface Plan {
  columns: Column[];
  x: number[];
  size: typeof wide;
  /** Top edge of the machines. */
  y: number;
  left: number;
  right: number;
}

/** `room` is the width there is: where the wide machines do not fit in it, the compact ones stand. */
function planOf(snapshot: LabSnapshot, room: number): Plan {
  const columns = columnsOf(snapshot);
  const roomy = columns.length <= 4 ? placed(snapshot, columns, wide) : undefined;
  return roomy !== undefined && roomy.right + 4 <= room * 1.08 ? roomy : placed(snapshot, columns, compact);
}

function placed(snapshot: LabSnapshot, columns: Column[], size: typeof wide): Plan {
  const tops = snapshot.networks.filter((_, index) => index % 2 === 0).length;
  const x: number[] = [];
  let at = size.pad + 4;
  columns.forEach((column, index) => {
    const before = columns[index - 1];
    if (before !== undefined) at += size.w + (alone(snapshot, before, column) ? size.groupGap : size.gap);
    x.push(at);
  });
  return { columns, x, size, y: top + barHeight + barGap * Math.max(0, tops - 1) + size.up, left: 4, right: at + size.w + size.pad };
}

/** A wider gap stands between two rings. Beliefs overlap, so they need none. */
function alone(snapshot: LabSnapshot, a: Column, b: Column): boolean {
  return a.group !== b.group && (formedOf(snapshot, a.machine.name) !== undefined || formedOf(snapshot, b.machine.name) !== undefined);
}

/** The whole drawing, for a canvas of this width. */
export function sceneOf(snapshot: LabSnapshot, room = 640): Scene {
  const plan = planOf(snapshot, room);
  const machines = plan.columns.map(({ machine }, index) => ({
    key: `node:${machine.name}`,
    name: machine.name,
    x: plan.x[index] ?? 0,
    y: plan.y,
    w: plan.size.w,
    h: machineHeight,
    compact: plan.size === compact,
    look: nodeLook(snapshot, machine),
  }));
  const rings = snapshot.components.filter(({ formed }) => formed).flatMap((component) => ringOf(snapshot, plan, component) ?? []);
  const regions = regionsOf(snapshot, plan);
  const { switches, cables, bottom } = wiring(snapshot, plan, rings);
  return { width: plan.right + 4, height: Math.max(bottom + 16, plan.y + machineHeight + 62), machines, cables, switches, regions, rings };
}

// ── switches and cables ────────────────────────────────────────────────────────────────────────────────────────────────

/** Networks in turn above and below the machines, the first one nearest to them. */
function wiring(
  snapshot: LabSnapshot,
  plan: Plan,
  rings: readonly RingShape[],
): { switches: SwitchShape[]; cables: CableShape[]; bottom: number } {
  const switches: SwitchShape[] = [];
  const cables: CableShape[] = [];
  const machineBottom = plan.y + machineHeight;
  let bottom = machineBottom;
  snapshot.networks.forEach((net, index) => {
    const above = index % 2 === 0;
    const rank = Math.floor(index / 2);
    const y = above ? plan.y - plan.size.up - barHeight - rank * barGap : machineBottom + plan.size.down + rank * barGap;
    bottom = Math.max(bottom, above ? 0 : y + barHeight);
    const offset = (above ? plan.size.top : plan.size.bottom) + (above ? rank * 22 : -rank * 22);
    const socketX = (column: number): number => (plan.x[column] ?? 0) + Math.min(plan.size.w - 14, Math.max(14, offset));
    const detail = `${net.link === null ? "no corosync link" : `link ${net.link}`} · ${net.cidr}`;
    const first = plan.columns.findIndex(({ machine }) => machine.nics.some((nic) => nic.net === net.name));
    const pairs = pairWords(snapshot, net.name);
    switches.push({
      key: `switch:${net.name}`,
      net: net.name,
      x: plan.left,
      y,
      w: plan.right - plan.left,
      h: barHeight,
      on: net.on,
      name: `switch ${net.name}`,
      detail: net.on ? detail : `off · ${detail}`,
      detailX: Math.max(plan.left + 24 + 6.6 * (net.name.length + 7), (first < 0 ? 0 : socketX(first)) + 14),
      pairs,
      words: `switch ${net.name}, ${detail}, ${net.on ? "on" : "off"}${pairs === "" ? "" : `, cut: ${pairs}`}`,
    });
    plan.columns.forEach(({ machine }, column) => {
      const cable = snapshot.cables.find((one) => one.node === machine.name && one.net === net.name);
      if (cable === undefined) return;
      const x = socketX(column);
      cables.push({
        ...cableShape(snapshot, machine, cable, net.link),
        socket: { x, y: above ? plan.y : machineBottom },
        port: { x, y: above ? y + barHeight : y },
        crossing: above || !rings.some((ring) => spans(ring, x)) ? undefined : machineBottom + loop.below,
      });
    });
  });
  return { switches, cables, bottom };
}

function spans(ring: RingShape, x: number): boolean {
  const xs = [...ring.seats.values()].map((seat) => seat.x);
  return x > Math.min(...xs) - wide.w && x < Math.max(...xs);
}

/** "pve1 – pve3" for a pair cut both ways, "pve1 → pve3" for one way. */
function pairWords(snapshot: LabSnapshot, net: string): string {
  const cuts = snapshot.pairCuts.filter((cut) => cut.net === net);
  const words: string[] = [];
  for (const cut of cuts) {
    const back = cuts.some(({ from, to }) => from === cut.to && to === cut.from);
    if (!back) words.push(`${cut.from} → ${cut.to}`);
    else if (cut.from < cut.to) words.push(`${cut.from} – ${cut.to}`);
  }
  return words.join(", ");
}

type Cable = LabSnapshot["cables"][number];

export function cableState(cable: Cable): CableState {
  if (cable.cutIn && cable.cutOut) return "cut";
  if (cable.cutIn) return "cut-in";
  if (cable.cutOut) return "cut-out";
  return cable.state;
}

const stateWords: Record<CableState, string> = {
  carrying: "up, carries data",
  idle: "up, probed, idle",
  down: "down",
  unused: "not used by corosync",
  cut: "cut both ways",
  "cut-in": "nothing comes in, out passes",
  "cut-out": "in passes, nothing goes out",
};

/** What stands beside the cable, and what a screen reader says. */
function cableShape(
  snapshot: LabSnapshot,
  machine: MachineView,
  cable: Cable,
  link: number | null,
): Pick<CableShape, "key" | "node" | "net" | "state" | "label" | "words"> {
  const state = cableState(cable);
  const measured = slowest(machine, link);
  const extra = settingWords(cable);
  const round = measured === undefined ? "" : latency(measured);
  const label = {
    carrying: round,
    idle: round === "" ? "idle" : `idle · ${round}`,
    down: switchOff(snapshot, cable.net) || machine.power === "off" ? "" : "down",
    unused: "",
    cut: "cut both ways",
    "cut-in": "",
    "cut-out": "",
  }[state];
  return {
    key: `cable:${cable.node}:${cable.net}`,
    node: cable.node,
    net: cable.net,
    state,
    label: [label, extra].filter((part) => part !== "").join(" · "),
    words: `cable ${cable.node} to switch ${cable.net}, ${cable.address}: ${stateWords[state]}${extra === "" ? "" : `, ${extra}`}`,
  };
}

const switchOff = (snapshot: LabSnapshot, net: string): boolean => snapshot.networks.some(({ name, on }) => name === net && !on);

/** The slowest round trip this node measured on a link, µs. */
export function slowest(machine: MachineView, link: number | null): number | undefined {
  const all = (machine.corosync?.links ?? []).filter((one) => one.link === link && one.connected && one.latencyUs > 0);
  return all.length === 0 ? undefined : Math.max(...all.map(({ latencyUs }) => latencyUs));
}

/** What `link set` did to it. */
function settingWords(cable: Cable): string {
  const words: string[] = [];
  if (cable.delayMs > 0) words.push(`delay ${cable.delayMs} ms`);
  if (cable.jitterMs > 0) words.push(`± ${cable.jitterMs} ms`);
  if (cable.lossPercent > 0) words.push(`loses ${cable.lossPercent} %`);
  return words.join(", ");
}

// ── rings ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A ring's line through its members from left to right and back below them. */
function ringOf(snapshot: LabSnapshot, plan: Plan, component: Component): RingShape | undefined {
  const members = plan.columns.flatMap(({ machine }, column) => (component.nodes.includes(machine.name) ? [column] : []));
  const first = members[0];
  const last = members.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const mid = plan.y + machineHeight / 2;
  const low = plan.y + machineHeight + loop.below;
  const left = plan.x[first] ?? 0;
  const right = (plan.x[last] ?? 0) + plan.size.w;
  const back: Point[] = [
    { x: right, y: mid },
    { x: right + loop.side, y: mid },
    { x: right + loop.side, y: low },
    { x: left - loop.side, y: low },
    { x: left - loop.side, y: mid },
    { x: left, y: mid },
  ];
  const seats = new Map<number, Point>();
  const hops = new Map<number, readonly Point[]>();
  const lines: string[] = [polyline(back, loop.radius)];
  const chevrons: string[] = [];
  members.forEach((column, index) => {
    const id = plan.columns[column]?.machine.corosync?.nodeId;
    const next = members[index + 1];
    const from = { x: (plan.x[column] ?? 0) + plan.size.w, y: mid };
    if (id !== undefined) seats.set(id, from);
    if (next === undefined) {
      if (id !== undefined) hops.set(id, back);
      return;
    }
    const to = { x: plan.x[next] ?? 0, y: mid };
    const way = next === column + 1 ? [from, to] : detour(from, to, plan.y + machineHeight + loop.below / 2);
    if (id !== undefined) hops.set(id, way);
    lines.push(polyline(way, loop.radius / 2));
    chevrons.push(chevron({ x: next === column + 1 ? (from.x + to.x) / 2 : from.x + 8, y: mid }, 1));
    chevrons.push(chevron({ x: (from.x + to.x) / 2, y: low }, -1));
  });
  if (members.length === 1) chevrons.push(chevron({ x: left + plan.size.w * 0.32, y: low }, -1));
  const bottoms = snapshot.networks.length > 1;
  const rateX = left + (bottoms ? plan.size.bottom + 14 : 4);
  const room = (members.length > 1 && bottoms ? (plan.x[members[1] ?? first] ?? 0) + plan.size.bottom - 14 : right + loop.side) - rateX;
  const tone = toneOf(component.letter);
  return {
    key: `ring:${component.letter}`,
    tone,
    hatched: tone !== "r1",
    track: lines.join(""),
    chevrons,
    seats,
    hops,
    rate: { x: rateX, y: plan.y + machineHeight + 43, room },
  };
}

/** Under the machines that stand between: the ring passes round who is not in it. */
function detour(from: Point, to: Point, low: number): Point[] {
  return [from, { x: from.x + 14, y: from.y }, { x: from.x + 14, y: low }, { x: to.x - 14, y: low }, { x: to.x - 14, y: to.y }, to];
}

function polyline(points: readonly Point[], radius: number): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      const after = points[index + 1];
      if (before === undefined) return `M${point.x} ${point.y}`;
      if (after === undefined) return `L${point.x} ${point.y}`;
      const r = Math.min(radius, distance(before, point) / 2, distance(point, after) / 2);
      const from = towards(point, before, r);
      const to = towards(point, after, r);
      return `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
    })
    .join("");
}

const chevron = ({ x, y }: Point, dir: 1 | -1): string => `M${x - 2 * dir} ${y - 4}l${4 * dir} 4l${-4 * dir} 4`;

// ── regions ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function regionsOf(snapshot: LabSnapshot, plan: Plan): RegionShape[] {
  const formed = snapshot.components.filter((component) => component.formed);
  const beliefs = snapshot.components.filter((component) => !component.formed).sort((a, b) => b.members.length - a.members.length);
  return [
    ...formed.flatMap((component) => formedRegion(plan, component) ?? []),
    ...beliefs.flatMap((component, level) => beliefRegion(snapshot, plan, component, level, beliefs.length) ?? []),
  ];
}

function formedRegion(plan: Plan, component: Component): RegionShape | undefined {
  const inside = plan.columns.map(({ machine }) => component.nodes.includes(machine.name));
  const first = inside.indexOf(true);
  if (first < 0) return undefined;
  const many = inside.filter(Boolean).length > 1;
  const full = `ring ${component.ringId} · members ${component.members.join(" ")}`;
  const room = many ? plan.size.w + plan.size.gap - 28 : plan.size.w - plan.size.top + loop.side - 4;
  const text = tabWidth(full) <= room ? full : `ring ${component.ringId}`;
  const x = (plan.x[first] ?? 0) + plan.size.top + 21;
  const path = regionPath(plan, inside, { side: 32, top: 26, bottom: 50 });
  return {
    key: `region:${component.letter}`,
    tone: toneOf(component.letter),
    letter: component.letter,
    formed: true,
    path,
    tab: { x, y: plan.y - 35, w: tabWidth(text), text },
  };
}

const tabWidth = (text: string): number => 30 + text.length * charWidth * 0.93;

/** One node's belief in the gather phase: nested where they agree, overlapping where not. */
function beliefRegion(snapshot: LabSnapshot, plan: Plan, component: Component, level: number, of: number): RegionShape | undefined {
  const node = component.nodes[0];
  const column = plan.columns.findIndex(({ machine }) => machine.name === node);
  const machine = plan.columns[column]?.machine;
  if (node === undefined || machine === undefined) return undefined;
  const inside = plan.columns.map(({ machine: one }) => component.members.includes(idOf(snapshot, machine, one.name) ?? -1));
  if (!inside.includes(true)) inside[column] = true;
  const step = of > 1 ? 26 / (of - 1) : 0;
  const inset = level * Math.min(12, step);
  const still = machine.corosync !== null && sameMembers(machine.corosync.members, component.members);
  const text = `${node} ${still ? "still believes" : "believes"} ${component.members.join(" ")}`;
  const above = level % 2 === 0;
  const w = 18 + text.length * charWidth;
  const pad = { side: 38 - inset, top: 34 - inset, bottom: 58 - inset };
  const y = above ? plan.y - pad.top : plan.y + machineHeight + pad.bottom;
  const x = (plan.x[column] ?? 0) + (above ? plan.size.top : plan.size.bottom) + 12;
  return {
    key: `belief:${node}`,
    tone: beliefTone(snapshot, node),
    letter: component.letter,
    formed: false,
    path: regionPath(plan, inside, pad),
    tab: { x: Math.min(x, plan.right - w - 2), y: y - 9, w, text },
  };
}

/** A belief is no ring and has no letter; it takes a tone by its node, past those of the formed rings. */
export function beliefTone(snapshot: LabSnapshot, node: string): string {
  const taken = new Set(snapshot.components.filter(({ formed }) => formed).map(({ letter }) => toneOf(letter)));
  const free = ["r1", "r2", "r3", "r4", "r5", "r6"].filter((tone) => !taken.has(tone));
  const rank = snapshot.components.filter(({ formed }) => !formed).findIndex(({ nodes }) => nodes.includes(node));
  return free[Math.max(0, rank) % Math.max(1, free.length)] ?? "r6";
}

/** The id under which a machine knows another one: the other's own, or from its list of nodes. */
function idOf(snapshot: LabSnapshot, believer: MachineView, name: string): number | undefined {
  return (
    snapshot.nodes.find((one) => one.name === name)?.corosync?.nodeId ??
    believer.corosync?.nodelist.find((one) => one.name === name)?.nodeId
  );
}

const sameMembers = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id) => b.includes(id));

/** A box round the columns that are inside; those between that are not stand in a notch, joined by a strip below. */
function regionPath(plan: Plan, inside: readonly boolean[], pad: { side: number; top: number; bottom: number }): string {
  const first = inside.indexOf(true);
  const last = inside.lastIndexOf(true);
  const high = plan.y - pad.top;
  const low = plan.y + machineHeight + pad.bottom;
  const strip = plan.y + machineHeight + 7;
  const side = Math.min(pad.side, plan.size === compact ? 28 : 38);
  const points: Point[] = [{ x: (plan.x[first] ?? 0) - side, y: high }];
  for (let column = first; column < last; column++) {
    const here = inside[column] === true;
    const next = inside[column + 1] === true;
    const edge = (plan.x[column] ?? 0) + plan.size.w + 20;
    const start = (plan.x[column + 1] ?? 0) - 20;
    if (here && !next) points.push({ x: edge, y: high }, { x: edge, y: strip });
    if (!here && next) points.push({ x: start, y: strip }, { x: start, y: high });
  }
  const right = (plan.x[last] ?? 0) + plan.size.w + side;
  points.push({ x: right, y: high }, { x: right, y: low }, { x: (plan.x[first] ?? 0) - side, y: low });
  return rounded(points, 16);
}
