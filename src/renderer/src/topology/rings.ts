/** The Totem ring as a line through its members, and where its token rests and travels. */
import type { Component, LabSnapshot } from "../../../main/lab/api.ts";
import { toneOf } from "../tone.ts";
import { chevron, polyline } from "./lines.ts";
import { loop, type Plan } from "./plan.ts";
import type { Point, RingShape } from "./shapes.ts";

/** A ring's line through its members from left to right and back below them. */
export function ringOf(snapshot: LabSnapshot, plan: Plan, component: Component): RingShape | undefined {
  const members = plan.columns.flatMap(({ machine }, column) => (component.nodes.includes(machine.name) ? [column] : []));
  const first = members[0];
  const last = members.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const mid = plan.y + plan.h / 2;
  const low = plan.y + plan.h + loop.below;
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
  const slots = new Map<number, Point>();
  const hops = new Map<number, readonly Point[]>();
  const lines: string[] = [polyline(back, loop.radius)];
  const chevrons: string[] = [];
  members.forEach((column, index) => {
    const id = plan.columns[column]?.machine.corosync?.nodeId;
    const next = members[index + 1];
    const from = { x: (plan.x[column] ?? 0) + plan.size.w, y: mid };
    if (id !== undefined) slots.set(id, from);
    if (next === undefined) {
      if (id !== undefined) hops.set(id, back);
      return;
    }
    const to = { x: plan.x[next] ?? 0, y: mid };
    const way = next === column + 1 ? [from, to] : detour(from, to, plan.y + plan.h + loop.below / 2);
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
    slots,
    hops,
    rate: { x: rateX, y: plan.y + plan.h + 43, room },
  };
}

/** Under the machines that stand between: the ring passes round who is not in it. */
function detour(from: Point, to: Point, low: number): Point[] {
  return [from, { x: from.x + 14, y: from.y }, { x: from.x + 14, y: low }, { x: to.x - 14, y: low }, { x: to.x - 14, y: to.y }, to];
}
