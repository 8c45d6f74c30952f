/** The plan of the row: which machine stands in which column, how wide, how high. */
import type { Component, LabSnapshot, MachineView } from "../../../main/lab/api.ts";

/** Measures of the drawing, in its own units (pixels at 100 %). */
const top = 14;
export const barHeight = 22;
export const barGap = 30;
const machineHeight = 88;
/** A line more on every machine, where there is a quorum device, and where nodes do not fit together. */
const moreLine = 18;
export const wide = { w: 148, gap: 58, groupGap: 92, pad: 40, top: 54, bottom: 98, up: 76, down: 98 };
export const compact = { w: 114, gap: 34, groupGap: 68, pad: 34, top: 54, bottom: 76, up: 60, down: 84 };
/** The ring's loop beside and below the machines. */
export const loop = { side: 16, below: 28, radius: 14 };
export const charWidth = 6.1;
/** The strip by which a ring joins below other rings' nodes: its first one's depth below the machines, its height, and that of one more. */
export const strip = { depth: 54, height: 24, step: 28 };

/** More machines than this stand in a circle. */
const inRowMax = 8;

export interface Column {
  machine: MachineView;
  group: number;
}

/** The formed ring a node stands in. */
function formedOf(snapshot: LabSnapshot, node: string): Component | undefined {
  return snapshot.components.find((component) => component.formed && component.nodes.includes(node));
}

/**
 * Machines in the lab's order, whatever happens to them: a node that leaves and comes back stands where it stood. `group` is that of the ring a machine
 * stands in; who is in no ring and stands between two members of one belongs to their group, because the ring passes round it.
 */
export function columnsOf(snapshot: LabSnapshot): Column[] {
  const nodes = snapshot.nodes.filter(({ kind }) => kind === "node");
  const rings = nodes.map(({ name }) => snapshot.components.findIndex((one) => one.formed && one.nodes.includes(name)));
  return nodes.map((machine, index) => {
    const own = rings[index] ?? -1;
    if (own >= 0) return { machine, group: own };
    const before = rings.slice(0, index).findLast((ring) => ring >= 0) ?? -1;
    const after = rings.slice(index + 1).find((ring) => ring >= 0) ?? -1;
    return { machine, group: before >= 0 && before === after ? before : -1 - index };
  });
}

/** Rings with a node of another ring between two of their own: they join below the others. In the order of the components. */
function joinedBelow(snapshot: LabSnapshot, columns: readonly Column[]): number[] {
  return snapshot.components.flatMap((component, index) => {
    if (!component.formed) return [];
    const first = columns.findIndex(({ group }) => group === index);
    const last = columns.findLastIndex(({ group }) => group === index);
    const between = columns.slice(Math.max(0, first), last + 1);
    return between.some(({ group }) => group !== index && group >= 0) ? [index] : [];
  });
}

/** More nodes than stand in a row; the qnetd host stands beside, and does not count. */
export const inCircle = (snapshot: LabSnapshot): boolean => snapshot.nodes.filter(({ kind }) => kind === "node").length > inRowMax;

export interface Plan {
  columns: Column[];
  x: number[];
  size: typeof wide;
  /** The compact machines stand: the wide ones have no room. */
  small: boolean;
  /** Top edge of the machines. */
  y: number;
  /** Height of the machines. */
  h: number;
  left: number;
  right: number;
  /** By index of its component: how deep below the machines a ring joins that has other rings' nodes between its own. */
  depths: ReadonlyMap<number, number>;
}

/** `room` is the width there is: where the wide machines do not fit in it, the compact ones stand. */
export function planOf(snapshot: LabSnapshot, room: number): Plan {
  // Who counts the votes of the device stands at the end of the row, apart: it is in no ring.
  const nodes = columnsOf(snapshot);
  const columns = [
    ...nodes,
    ...snapshot.nodes.flatMap((machine, index) => (machine.kind === "qnetd" ? [{ machine, group: -1000 - index }] : [])),
  ];
  const roomy = nodes.length <= 4 ? placed(snapshot, columns, wide) : undefined;
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
  const device = snapshot.nodes.some(({ quorum }) => quorum?.qdevice);
  const depths = new Map(joinedBelow(snapshot, columns).map((ring, level) => [ring, strip.depth + level * strip.step]));
  return {
    columns,
    x,
    depths,
    small: size === compact,
    size: { ...size, down: size.down + depths.size * strip.step },
    y: top + barHeight + barGap * Math.max(0, tops - 1) + size.up,
    h: machineHeight + (device ? moreLine : 0) + (snapshot.mismatches.length > 0 ? moreLine : 0),
    left: 4,
    right: at + size.w + size.pad,
  };
}

/** A wider gap stands between two rings. Beliefs overlap, so they need none. */
function alone(snapshot: LabSnapshot, a: Column, b: Column): boolean {
  return (
    a.group !== b.group &&
    (b.machine.kind === "qnetd" || formedOf(snapshot, a.machine.name) !== undefined || formedOf(snapshot, b.machine.name) !== undefined)
  );
}
