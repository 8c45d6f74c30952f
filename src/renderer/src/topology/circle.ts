/** The drawing for many machines: nodes on a circle, switches as circles inside and outside, cables as short spokes. A pure function of the snapshot. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import { shortNames } from "../names.ts";
import { cableDescription, cableState } from "./cable-look.ts";
import { circleRing } from "./circle-rings.ts";
import { sectorsOf } from "./circle-sectors.ts";
import { centreOf } from "./circle-centre.ts";
import type { Point } from "./shapes.ts";
import { polar, type CircleScene, type CircleSwitch, type Measures, type Slot, type Spoke } from "./circle-shapes.ts";
import { nodeLook } from "./look.ts";
import { columnsOf } from "./plan.ts";
import { groupOf, groupsOf } from "./switch-bar.ts";
import { switchWords } from "../words/topology.ts";

/** Room for the outermost switch's name, and between two switches outside. */
const labelRoom = 24;
const betweenSwitches = 12;
/** A machine takes so much of the circle at least, and no more than that. */
const pitchMin = 42;
const pitchMax = 116;
/** Below this pitch the flat boxes stand. */
const roomyPitch = 56;

/** The circle as large as the room allows, so that it is drawn at its own size and nothing on it gets smaller than it can be read. */
function measure(n: number, nets: number, room: number): Measures {
  const outside = Math.max(0, nets - 1);
  const radius = (band: number, spoke: number): number => {
    const wanted = room / 2 - labelRoom - outside * (spoke + betweenSwitches) - band / 2;
    return Math.min(Math.max(wanted, (n * pitchMin) / (2 * Math.PI), 150), Math.max(170, (n * pitchMax) / (2 * Math.PI)));
  };
  const roomy = radius(64, 26);
  const pitch = (2 * Math.PI * roomy) / n;
  if (pitch >= roomyPitch) return { r: roomy, band: 64, spoke: 26, box: { w: Math.min(72, pitch - 14), h: 30 } };
  const r = radius(52, 22);
  return { r, band: 52, spoke: 22, box: { w: Math.min(56, (2 * Math.PI * r) / n - 8), h: 22 } };
}

/** The whole drawing, about the origin. `room`: width and height there is. */
export function circleOf(snapshot: LabSnapshot, room = 640): CircleScene {
  const columns = columnsOf(snapshot);
  const n = columns.length;
  const measures = measure(n, snapshot.networks.length, room);
  const { r, band, box } = measures;
  const radii = switchRadii(snapshot, measures);
  const outermost = Math.max(r + band / 2, ...radii);
  const names = shortNames(
    columns.map(({ machine }) => machine.name),
    box.w - 5,
    { size: 12, strong: true },
  );
  const slots = columns.map(({ machine }, index): Slot => {
    const angle = (index / n) * 2 * Math.PI;
    const label = names.get(machine.name) ?? machine.name;
    const own = { key: `node:${machine.name}`, kind: "node" as const, name: machine.name, label };
    return { ...own, angle, ...polar(r, angle), look: nodeLook(snapshot, machine), ...box };
  });
  const size = 2 * (outermost + labelRoom);
  const hosts = hostSlots(snapshot, n, size / 2);
  const walls = wallAngles(snapshot, slots);
  const formed = snapshot.components.filter((component) => component.formed);
  const inner = radii[0] ?? r - band / 2;
  return {
    size,
    slots: [...slots, ...hosts],
    spokes: snapshot.networks.flatMap((net, index) =>
      [...slots, ...hosts].flatMap((slot) => spoke(snapshot, slot, net.name, radii[index] ?? r) ?? []),
    ),
    switches: snapshot.networks.map((net, index) => circleSwitch(snapshot, net, radii[index] ?? r, r, walls)),
    sectors: sectorsOf(snapshot, slots, measures),
    rings: formed.map((component) => circleRing(component, slots, measures, formed.length > 1)),
    walls: walls.map((angle) => line(polar(inner - 12, angle), polar(outermost + 12, angle))),
    centre: centreOf(snapshot, inner),
  };
}

const line = (a: Point, b: Point): string => `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`;

/** Where two neighbours on the circle are of two groups of a partition: the angle between them. */
function wallAngles(snapshot: LabSnapshot, slots: readonly Slot[]): number[] {
  const group = groupOf(snapshot);
  const listed = slots.filter(({ name }) => group(name) !== undefined);
  const half = Math.PI / Math.max(1, slots.length);
  return listed.flatMap((slot, index) => {
    const before = listed[(index + listed.length - 1) % listed.length];
    return before !== undefined && group(before.name) !== group(slot.name) ? [slot.angle - half] : [];
  });
}

/** Hosts of the quorum device stand in the corners, outside every circle, where a spoke passes between two machines. */
function hostSlots(snapshot: LabSnapshot, n: number, half: number): Slot[] {
  const step = (2 * Math.PI) / n;
  return snapshot.nodes
    .filter(({ kind }) => kind === "qnetd")
    .map((machine, index): Slot => {
      const corner = Math.PI * (0.75 + 0.5 * index);
      const angle = (Math.floor(corner / step) + 0.5) * step;
      const [w, h] = [84, 30];
      const at = Math.min((half - w / 2 - 4) / Math.abs(Math.sin(angle)), (half - h / 2 - 4) / Math.abs(Math.cos(angle)));
      const label = shortNames([machine.name], w - 24, { size: 12, strong: true }).get(machine.name) ?? machine.name;
      const own = { key: `node:${machine.name}`, kind: "qnetd" as const, name: machine.name, label };
      return { ...own, angle, ...polar(at, angle), look: nodeLook(snapshot, machine), w, h };
    });
}

/** The first network inside the circle of machines, the others outside. */
function switchRadii(snapshot: LabSnapshot, { r, band, spoke: length }: Measures): number[] {
  return snapshot.networks.map((_, index) =>
    index === 0 ? r - band / 2 - length : r + band / 2 + length + (index - 1) * (length + betweenSwitches),
  );
}

function circleSwitch(
  snapshot: LabSnapshot,
  net: LabSnapshot["networks"][number],
  r: number,
  slotsAt: number,
  walls: readonly number[],
): CircleSwitch {
  const link = switchWords.link(net.link);
  const state = net.on ? "" : `${switchWords.off} · `;
  const detail = `${link} · ${net.cidr}`;
  const split = walls.length === 0 ? "" : `, ${switchWords.split(groupsOf(snapshot))}`;
  const name = switchWords.name(net.name);
  const inside = r < slotsAt;
  return {
    key: `switch:${net.name}`,
    net: net.name,
    on: net.on,
    arcs: arcsOf(r, walls),
    // Inside there is little room at the top of the circle: one line below the other.
    labels: inside
      ? [{ x: 0, y: -r + 24, text: name, strong: true }, ...(r > 100 ? [{ x: 0, y: -r + 38, text: `${state}${link}`, strong: false }] : [])]
      : [{ x: 0, y: -r - 10, text: `${name} · ${state}${detail}`, strong: false }],
    description: `${name}, ${detail}, ${net.on ? "on" : "off"}${split}`,
  };
}

/** A circle, or its pieces between the walls. */
function arcsOf(r: number, walls: readonly number[]): string[] {
  if (walls.length === 0) return [`M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0`];
  const gap = 12 / r;
  const angles = walls.toSorted((a, b) => a - b);
  return angles.map((from, index) => {
    const to = (angles[index + 1] ?? (angles[0] ?? 0) + 2 * Math.PI) - gap;
    const [a, b] = [polar(r, from + gap), polar(r, to)];
    return `M${a.x} ${a.y}A${r} ${r} 0 ${to - from - gap > Math.PI ? 1 : 0} 1 ${b.x} ${b.y}`;
  });
}

function spoke(snapshot: LabSnapshot, slot: Slot, net: string, r: number): Spoke | undefined {
  const cable = snapshot.cables.find((one) => one.node === slot.name && one.net === net);
  if (cable === undefined) return undefined;
  const slotR = Math.hypot(slot.x, slot.y);
  const edge = boxEdge(slot);
  return {
    key: `cable:${slot.name}:${net}`,
    node: slot.name,
    net,
    state: cableState(cable),
    from: polar(r < slotR ? slotR - edge : slotR + edge, slot.angle),
    to: polar(r, slot.angle),
    description: cableDescription(cable),
  };
}

/** Distance from a machine's middle to its edge in the direction of the spoke. */
function boxEdge({ angle, w, h }: Slot): number {
  const sin = Math.abs(Math.sin(angle));
  const cos = Math.abs(Math.cos(angle));
  return Math.min(sin > 0.001 ? w / 2 / sin : Number.POSITIVE_INFINITY, cos > 0.001 ? h / 2 / cos : Number.POSITIVE_INFINITY) + 2;
}
