/** The Totem ring as a line through its members, and where its token rests and travels. */
import type { Component, LabSnapshot } from "../../../main/lab/api.ts";
import { toneOf } from "../tone.ts";
import { chevron, polyline } from "./lines.ts";
import { loop, type Plan } from "./plan.ts";
import type { Point, RingShape } from "./shapes.ts";

/** A member's place in the row. */
interface Stand {
  column: number;
  id: number;
  left: number;
  right: number;
}

/** A ring's line from member to member in ring order: to the right through the machines, and back below them. */
export function ringOf(snapshot: LabSnapshot, plan: Plan, component: Component): RingShape | undefined {
  const stands = plan.columns.flatMap(({ machine }, column): Stand[] => {
    const id = machine.corosync?.nodeId;
    const left = plan.x[column] ?? 0;
    return component.nodes.includes(machine.name) && id !== undefined ? [{ column, id, left, right: left + plan.size.w }] : [];
  });
  const first = stands[0];
  const last = stands.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const order = stands.toSorted((a, b) => component.members.indexOf(a.id) - component.members.indexOf(b.id));
  const mid = plan.y + plan.h / 2;
  const depth = plan.depths.get(snapshot.components.indexOf(component));
  // Below other rings' nodes there is a lane each way; below one's own the way back alone.
  const [there, back] = depth === undefined ? [loop.below / 2, loop.below] : [depth + 7, depth + 16];
  const slots = new Map<number, Point>();
  const hops = new Map<number, readonly Point[]>();
  const lines: string[] = [];
  const chevrons: string[] = [];
  order.forEach((from, at) => {
    const to = order[(at + 1) % order.length] ?? from;
    const forward = to.column > from.column;
    const near = to.column === from.column + 1;
    const start = { x: from.right, y: mid };
    const end = { x: to.left, y: mid };
    const low = plan.y + plan.h + back;
    const way = near ? [start, end] : forward ? detour(start, end, plan.y + plan.h + there) : wayBack(start, end, low);
    slots.set(from.id, start);
    hops.set(from.id, way);
    lines.push(polyline(way, near || forward ? loop.radius / 2 : loop.radius));
    if (near) chevrons.push(chevron({ x: (start.x + end.x) / 2, y: mid }, 1));
    else if (forward) chevrons.push(chevron({ x: start.x + 8, y: mid }, 1));
    else chevrons.push(chevron({ x: order.length === 1 ? from.left + plan.size.w * 0.32 : (from.left + to.right) / 2, y: low }, -1));
  });
  const bottoms = snapshot.networks.length > 1;
  const rateX = first.left + (bottoms ? plan.size.bottom + 14 : 4);
  // The rate stands under the machines that are next to each other, up to the next cable.
  const second = stands[1];
  const beside = second !== undefined && second.column === first.column + 1;
  const end = beside ? (bottoms ? second.left + plan.size.bottom - 14 : last.right + loop.side) : first.right + loop.side;
  const tone = toneOf(component.letter);
  return {
    key: `ring:${component.key}`,
    ringId: component.ringId,
    tone,
    hatched: tone !== "r1",
    track: lines.join(""),
    chevrons,
    slots,
    hops,
    rate: { x: rateX, y: plan.y + plan.h + 43, room: end - rateX },
  };
}

/** Under the machines that stand between: the ring passes round who is not in it. */
function detour(from: Point, to: Point, low: number): Point[] {
  return [from, { x: from.x + 14, y: from.y }, { x: from.x + 14, y: low }, { x: to.x - 14, y: low }, { x: to.x - 14, y: to.y }, to];
}

function wayBack(from: Point, to: Point, low: number): Point[] {
  const [right, left] = [from.x + loop.side, to.x - loop.side];
  return [from, { x: right, y: from.y }, { x: right, y: low }, { x: left, y: low }, { x: left, y: to.y }, to];
}
