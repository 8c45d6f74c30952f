/** Regions: one round the members of each ring, one for each node's own belief while a ring forms. */
import type { Component, LabSnapshot } from "../../../main/lab/api.ts";
import { toneOf } from "../tone.ts";
import { beliefsOf, idOf, type Belief } from "./beliefs.ts";
import { rounded } from "./lines.ts";
import { charWidth, compact, loop, type Plan } from "./plan.ts";
import type { Point, RegionShape } from "./shapes.ts";

export function regionsOf(snapshot: LabSnapshot, plan: Plan): RegionShape[] {
  const formed = snapshot.components.filter((component) => component.formed);
  const beliefs = beliefsOf(snapshot);
  return [
    ...formed.flatMap((component) => formedRegion(plan, component) ?? []),
    ...beliefs.flatMap((belief, level) => beliefRegion(snapshot, plan, belief, level, beliefs.length) ?? []),
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

/** A belief of the gather phase: nested where they agree in part, overlapping where not. */
function beliefRegion(snapshot: LabSnapshot, plan: Plan, belief: Belief, level: number, of: number): RegionShape | undefined {
  const node = belief.nodes[0];
  const column = plan.columns.findIndex(({ machine }) => machine.name === node);
  const machine = plan.columns[column]?.machine;
  if (node === undefined || machine === undefined) return undefined;
  const inside = plan.columns.map(({ machine: one }) => belief.members.includes(idOf(snapshot, machine, one.name) ?? -1));
  if (!inside.includes(true)) inside[column] = true;
  const step = of > 1 ? 26 / (of - 1) : 0;
  const inset = level * Math.min(12, step);
  const above = level % 2 === 0;
  const w = 18 + belief.text.length * charWidth;
  const pad = { side: 38 - inset, top: 34 - inset, bottom: 58 - inset };
  const y = above ? plan.y - pad.top : plan.y + plan.h + pad.bottom;
  const x = (plan.x[column] ?? 0) + (above ? plan.size.top : plan.size.bottom) + 12;
  return {
    key: `belief:${node}`,
    tone: belief.tone,
    letter: "",
    formed: false,
    path: regionPath(plan, inside, pad),
    tab: { x: Math.max(plan.left, Math.min(x, plan.right - w - 2)), y: y - 9, w, text: belief.text },
  };
}

/** A box round the columns that are inside; those between that are not stand in a notch, joined by a strip below. */
function regionPath(plan: Plan, inside: readonly boolean[], pad: { side: number; top: number; bottom: number }): string {
  const first = inside.indexOf(true);
  const last = inside.lastIndexOf(true);
  const high = plan.y - pad.top;
  const low = plan.y + plan.h + pad.bottom;
  const strip = plan.y + plan.h + 7;
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
