/** The drawing for many machines: nodes on a circle, switches as circles inside and outside, cables as short spokes. A pure function of the snapshot. */
import type { Component, LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { toneOf } from "../tone.ts";
import { nodeLook, type Look } from "./look.ts";
import { columnsOf } from "./plan.ts";
import { beliefsOf } from "./beliefs.ts";
import type { CableState, Point, RingShape } from "./shapes.ts";
import { cableState } from "./wiring.ts";

export interface Slot extends Point {
  key: string;
  kind: "node" | "qnetd";
  name: string;
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
  r: number;
  on: boolean;
  name: string;
  detail: string;
  label: Point;
  description: string;
}

/** The part of the circle a ring's members take. */
export interface Sector {
  key: string;
  tone: string;
  letter: string;
  formed: boolean;
  path: string;
  tab: Point & { w: number; text: string };
}

export interface CircleScene {
  size: number;
  slots: Slot[];
  spokes: Spoke[];
  switches: CircleSwitch[];
  sectors: Sector[];
  rings: (RingShape & { arrows: { d: string; chevron: string }[] })[];
}

/** Room of one machine on the circle, and the width of the tinted band. */
const perSlot = 84;
const band = 96;
const box = { w: 60, h: 40 };
const gapAngle = 0.05;

const polar = (r: number, angle: number): Point => ({ x: r * Math.sin(angle), y: -r * Math.cos(angle) });

/** The whole drawing, about the origin. */
export function circleOf(snapshot: LabSnapshot): CircleScene {
  const columns = columnsOf(snapshot);
  const formed = snapshot.components.filter((component) => component.formed);
  const n = columns.length;
  const r = Math.max(200, (n * perSlot) / (2 * Math.PI));
  const radii = switchRadii(snapshot, r);
  const outermost = Math.max(r + band / 2, ...radii);
  const slots = columns.map(({ machine }, index): Slot => {
    const angle = (index / n) * 2 * Math.PI;
    const look = nodeLook(snapshot, machine);
    return { key: `node:${machine.name}`, kind: "node", name: machine.name, angle, ...polar(r, angle), look, ...box };
  });
  const size = 2 * (outermost + 34);
  const hosts = hostSlots(snapshot, n, size / 2);
  return {
    size,
    slots: [...slots, ...hosts],
    spokes: snapshot.networks.flatMap((net, index) =>
      [...slots, ...hosts].flatMap((slot) => spoke(snapshot, slot, net.name, radii[index] ?? r) ?? []),
    ),
    switches: snapshot.networks.map((net, index) => circleSwitch(net, radii[index] ?? r, r)),
    sectors: sectorsOf(snapshot, slots, r),
    rings: formed.map((component) => circleRing(component, columns, slots, r, formed.length > 1)),
  };
}

/** Hosts of the quorum device stand in the corners, outside every circle, where a spoke passes between two machines. */
function hostSlots(snapshot: LabSnapshot, n: number, half: number): Slot[] {
  const step = (2 * Math.PI) / n;
  return snapshot.nodes
    .filter(({ kind }) => kind === "qnetd")
    .map((machine, index): Slot => {
      const corner = Math.PI * (0.75 + 0.5 * index);
      const angle = (Math.floor(corner / step) + 0.5) * step;
      const [w, h] = [box.w + 24, box.h];
      const at = Math.min((half - w / 2 - 4) / Math.abs(Math.sin(angle)), (half - h / 2 - 4) / Math.abs(Math.cos(angle)));
      const look = nodeLook(snapshot, machine);
      return { key: `node:${machine.name}`, kind: "qnetd", name: machine.name, angle, ...polar(at, angle), look, w, h };
    });
}

/** The first network inside the circle of machines, the others outside. */
function switchRadii(snapshot: LabSnapshot, r: number): number[] {
  return snapshot.networks.map((_, index) => (index === 0 ? r - band / 2 - 42 : r + band / 2 + 42 * index));
}

function circleSwitch(net: LabSnapshot["networks"][number], r: number, slotsAt: number): CircleSwitch {
  const detail = `${net.link === null ? "no corosync link" : `link ${net.link}`} · ${net.cidr}`;
  return {
    key: `switch:${net.name}`,
    net: net.name,
    r,
    on: net.on,
    name: `switch ${net.name}`,
    detail: net.on ? detail : `off · ${detail}`,
    label: { x: 0, y: r < slotsAt ? -r + 26 : -r - 14 },
    description: `switch ${net.name}, ${detail}, ${net.on ? "on" : "off"}`,
  };
}

function spoke(snapshot: LabSnapshot, slot: Slot, net: string, r: number): Spoke | undefined {
  const cable = snapshot.cables.find((one) => one.node === slot.name && one.net === net);
  if (cable === undefined) return undefined;
  const slotR = Math.hypot(slot.x, slot.y);
  const edge = boxEdge(slot);
  const state = cableState(cable);
  return {
    key: `cable:${slot.name}:${net}`,
    node: slot.name,
    net,
    state,
    from: polar(r < slotR ? slotR - edge : slotR + edge, slot.angle),
    to: polar(r, slot.angle),
    description: `cable ${slot.name} to switch ${net}, ${cable.address}: ${state}`,
  };
}

/** Distance from a machine's middle to its edge in the direction of the spoke. */
function boxEdge({ angle, w, h }: Slot): number {
  const sin = Math.abs(Math.sin(angle));
  const cos = Math.abs(Math.cos(angle));
  return Math.min(sin > 0.001 ? w / 2 / sin : Number.POSITIVE_INFINITY, cos > 0.001 ? h / 2 / cos : Number.POSITIVE_INFINITY) + 2;
}

/** The parts of the ring-shaped band: one for each ring; a belief of the gather phase is an arc of its own width, the widest outside. */
function sectorsOf(snapshot: LabSnapshot, slots: readonly Slot[], r: number): Sector[] {
  const formed = snapshot.components
    .filter((component) => component.formed)
    .flatMap(({ letter, ringId, nodes }) => {
      const inside = slots.filter(({ name }) => nodes.includes(name));
      return (
        sector(slots, inside, r, 0, { key: `region:${letter}`, tone: toneOf(letter), letter, formed: true, text: `ring ${ringId}` }) ?? []
      );
    });
  const beliefs = beliefsOf(snapshot);
  return [
    ...formed,
    ...beliefs.flatMap(({ nodes, members, tone, text }, level) => {
      const inside = slots.filter(({ name, look }) => nodes.includes(name) || members.includes(look.id ?? -1));
      const inset = (level / beliefs.length) * (band / 2 - 8);
      return sector(slots, inside, r, inset, { key: `belief:${nodes.join()}`, tone, letter: "", formed: false, text }) ?? [];
    }),
  ];
}

function sector(
  slots: readonly Slot[],
  inside: readonly Slot[],
  r: number,
  inset: number,
  what: Pick<Sector, "key" | "tone" | "letter" | "formed"> & { text: string },
): Sector | undefined {
  const first = inside[0];
  if (first === undefined) return undefined;
  const step = (2 * Math.PI) / slots.length;
  const a = first.angle - step / 2 + gapAngle;
  const b = (inside.at(-1)?.angle ?? first.angle) + step / 2 - gapAngle;
  const whole = inside.length === slots.length || b - a > 2 * Math.PI - 3 * gapAngle - step / 2;
  const inner = r - band / 2 + inset;
  const outer = r + band / 2 - inset;
  const at = polar(outer, a + (whole ? step / 2 : 0.06));
  const { text, ...rest } = what;
  return {
    ...rest,
    path: whole ? annulus(inner, outer) : sectorPath(inner, outer, a, b),
    tab: { ...at, w: (what.formed ? 30 : 18) + text.length * 5.9, text },
  };
}

function annulus(inner: number, outer: number): string {
  const circle = (r: number): string => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
  return circle(outer) + circle(inner);
}

function sectorPath(inner: number, outer: number, a: number, b: number): string {
  const large = b - a > Math.PI ? 1 : 0;
  const [p, q, s, t] = [polar(outer, a), polar(outer, b), polar(inner, b), polar(inner, a)];
  return `M${p.x} ${p.y}A${outer} ${outer} 0 ${large} 1 ${q.x} ${q.y}L${s.x} ${s.y}A${inner} ${inner} 0 ${large} 0 ${t.x} ${t.y}Z`;
}

/** Hops from member to member along the circle; round who is not a member they bend inwards. */
function circleRing(
  component: Component,
  columns: readonly { machine: MachineView }[],
  slots: readonly Slot[],
  r: number,
  shared: boolean,
): CircleScene["rings"][number] {
  const members = slots.flatMap((slot, index) => {
    const id = columns[index]?.machine.corosync?.nodeId;
    return component.nodes.includes(slot.name) && id !== undefined ? [{ slot, id, index }] : [];
  });
  const places = new Map<number, Point>();
  const hops = new Map<number, readonly Point[]>();
  const arrows: { d: string; chevron: string }[] = [];
  members.forEach(({ slot, id, index }, at) => {
    places.set(id, polar(r, slot.angle + Math.min(0.18, (Math.PI / slots.length) * 0.9)));
    const next = members[(at + 1) % members.length];
    if (next === undefined || next.id === id) return;
    // The last hop of a ring that shares the circle with another goes back inside its own sector.
    const back = shared && at === members.length - 1;
    const way = back ? wayBack(slot, next.slot, r) : hopWay(slot, next.slot, r, next.index === (index + 1) % slots.length);
    hops.set(id, way);
    arrows.push({ d: smooth(way), chevron: arrowHead(way) });
  });
  return {
    key: `ring:${component.letter}`,
    tone: toneOf(component.letter),
    hatched: false,
    track: "",
    chevrons: [],
    slots: places,
    hops,
    rate: { x: 0, y: 0, room: 0 },
    arrows,
  };
}

function hopWay(from: Slot, to: Slot, r: number, neighbours: boolean): Point[] {
  let span = to.angle - from.angle;
  if (span <= 0) span += 2 * Math.PI;
  const clear = Math.min(0.45, (box.w / 2 + 6) / r / span);
  const points: Point[] = [];
  for (let step = 0; step <= 8; step++) {
    const share = clear + ((1 - 2 * clear) * step) / 8;
    const bend = neighbours ? 0 : 34 * 4 * share * (1 - share);
    points.push(polar(r - bend, from.angle + span * share));
  }
  return points;
}

/** Against the others' direction, along the inner edge of the band. */
function wayBack(from: Slot, to: Slot, r: number): Point[] {
  const steps = 24;
  return Array.from({ length: steps + 1 }, (_, step) => {
    const share = step / steps;
    const edge = Math.min(share, 1 - share) * steps;
    return polar(r - (edge < 1 ? box.h / 2 + 2 : 38), from.angle + (to.angle - from.angle) * share);
  });
}

const smooth = (points: readonly Point[]): string =>
  points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

function arrowHead(points: readonly Point[]): string {
  const middle = Math.floor(points.length / 2);
  const tip = points[middle + 1];
  const back = points[middle - 1];
  if (tip === undefined || back === undefined) return "";
  const angle = Math.atan2(tip.y - back.y, tip.x - back.x);
  const wing = (turn: number): string =>
    `${(tip.x - 7 * Math.cos(angle + turn)).toFixed(1)} ${(tip.y - 7 * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${wing(0.7)}L${tip.x.toFixed(1)} ${tip.y.toFixed(1)}L${wing(-0.7)}`;
}
