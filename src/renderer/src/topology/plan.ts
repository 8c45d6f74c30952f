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

/** More nodes than stand in a row; the qnetd host stands beside, and does not count. */
export const inCircle = (snapshot: LabSnapshot): boolean => snapshot.nodes.filter(({ kind }) => kind === "node").length > inRowMax;

export interface Plan {
  columns: Column[];
  x: number[];
  size: typeof wide;
  /** Top edge of the machines. */
  y: number;
  /** Height of the machines. */
  h: number;
  left: number;
  right: number;
}

/** `room` is the width there is: where the wide machines do not fit in it, the compact ones stand. */
export function planOf(snapshot: LabSnapshot, room: number): Plan {
  // Who counts the votes of the device stands at the end of the row, apart: it is in no ring.
  const nodes = columnsOf(snapshot);
  const columns = [
    ...nodes,
    ...snapshot.nodes.flatMap((machine, index) => (machine.kind === "qnetd" ? [{ machine, group: -1 - index }] : [])),
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
  return {
    columns,
    x,
    size,
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
