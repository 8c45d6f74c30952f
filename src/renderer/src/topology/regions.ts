/** Regions: one round the members of each ring, one for each node's own belief while a ring forms. */
import type { Component, LabSnapshot } from "../../../main/lab/api.ts";
import { clipped, middleCut, textWidth, type Font } from "../names.ts";
import { toneOf } from "../tone.ts";
import { beliefsOf, idOf, type Belief } from "./beliefs.ts";
import { rounded } from "./lines.ts";
import { loop, strip, type Plan } from "./plan.ts";
import type { Point, RegionShape } from "./shapes.ts";

export function regionsOf(snapshot: LabSnapshot, plan: Plan): RegionShape[] {
  const beliefs = beliefsOf(snapshot);
  const places = tabPlaces(
    plan,
    beliefs,
    snapshot.components.some(({ formed }) => formed),
  );
  return [
    ...snapshot.components.flatMap((component, index) => (component.formed ? (formedRegion(plan, component, index) ?? []) : [])),
    ...beliefs.flatMap((belief, level) => beliefRegion(snapshot, plan, belief, level, places) ?? []),
  ];
}

/** What is written on tabs. */
const tabFont: Font = { size: 11, strong: true };
const tabHeight = 18;

function formedRegion(plan: Plan, component: Component, index: number): RegionShape | undefined {
  const inside = plan.columns.map(({ machine }) => component.nodes.includes(machine.name));
  const first = inside.indexOf(true);
  if (first < 0) return undefined;
  const many = inside[first + 1] === true;
  const full = `ring ${component.ringId} · members ${component.members.join(" ")}`;
  const room = many ? plan.size.w + plan.size.gap - 28 : plan.size.w - plan.size.top + loop.side - 4;
  const text = [full, `ring ${component.ringId}`].find((one) => tabWidth(one) <= room) ?? clipped(component.ringId, room - 34, tabFont);
  const x = (plan.x[first] ?? 0) + plan.size.top + 21;
  const path = regionPath(plan, inside, { side: 32, top: 26, bottom: 50 }, plan.depths.get(index));
  return {
    key: `region:${component.key}`,
    tone: toneOf(component.letter),
    letter: component.letter,
    formed: true,
    path,
    tab: { x, y: plan.y - 35, w: tabWidth(text), text },
  };
}

const tabWidth = (text: string): number => 34 + textWidth(text, tabFont);

/** Where a belief's tab begins, and on which side of the machines. */
interface TabPlace {
  x: number;
  above: boolean;
}

/** How far a belief's outline stands inside the one before it, so that all can be told apart. */
const insetOf = (level: number, of: number): number => level * Math.min(12, of > 1 ? 26 / (of - 1) : 0);

/** Above and below in turn; all below where the tabs of rings stand above. */
function tabPlaces(plan: Plan, beliefs: readonly Belief[], rings: boolean): TabPlace[] {
  return beliefs.map(({ nodes }, level) => {
    const column = plan.columns.findIndex(({ machine }) => machine.name === nodes[0]);
    const above = !rings && level % 2 === 0;
    return { x: (plan.x[column] ?? 0) + (above ? plan.size.top : plan.size.bottom) + 12, above };
  });
}

/** Tabs on one side whose lines are so close that they would lie on each other end where the next begins. */
function tabRoom(plan: Plan, places: readonly TabPlace[], level: number): number {
  const whole = plan.right - plan.left - 24;
  const own = places[level];
  if (own === undefined) return whole;
  const stepBetween = places.every(({ above }) => !above) ? 1 : 2;
  if (insetOf(stepBetween, places.length) >= tabHeight) return whole;
  const others = places.filter(({ above }, other) => above === own.above && other !== level).map(({ x }) => x);
  if (others.length === 0) return whole;
  return Math.min(plan.right, ...others.filter((x) => x > own.x)) - own.x - 24;
}

/** A belief of the gather phase: nested where they agree in part, overlapping where not. */
function beliefRegion(
  snapshot: LabSnapshot,
  plan: Plan,
  belief: Belief,
  level: number,
  places: readonly TabPlace[],
): RegionShape | undefined {
  const node = belief.nodes[0];
  const column = plan.columns.findIndex(({ machine }) => machine.name === node);
  const machine = plan.columns[column]?.machine;
  const place = places[level];
  if (node === undefined || machine === undefined || place === undefined) return undefined;
  const inside = plan.columns.map(({ machine: one }) => belief.members.includes(idOf(snapshot, machine, one.name) ?? -1));
  if (!inside.includes(true)) inside[column] = true;
  const inset = insetOf(level, places.length);
  const room = tabRoom(plan, places, level);
  const text =
    belief.texts.find((one) => textWidth(one, tabFont) <= room) ?? middleCut(belief.texts.at(-1) ?? "", Math.max(0, room), tabFont);
  const w = 18 + textWidth(text, tabFont);
  const pad = { side: 38 - inset, top: 34 - inset, bottom: 58 - inset };
  const y = place.above ? plan.y - pad.top : plan.y + plan.h + pad.bottom;
  return {
    key: `belief:${node}`,
    tone: belief.tone,
    letter: "",
    formed: false,
    path: regionPath(plan, inside, pad),
    tab: { x: Math.max(plan.left, Math.min(place.x, plan.right - w - 2)), y: y - 9, w, text },
  };
}

/** A box round the columns that are inside; those between that are not stand in a notch, joined by a strip below: `depth` deep where other rings stand in it. */
function regionPath(
  plan: Plan,
  inside: readonly boolean[],
  pad: { side: number; top: number; bottom: number },
  depth: number | undefined = undefined,
): string {
  const first = inside.indexOf(true);
  const last = inside.lastIndexOf(true);
  const high = plan.y - pad.top;
  const low = plan.y + plan.h + (depth === undefined ? pad.bottom : depth + strip.height);
  const joint = plan.y + plan.h + (depth ?? 7);
  const side = Math.min(pad.side, plan.small ? 28 : 38);
  const points: Point[] = [{ x: (plan.x[first] ?? 0) - side, y: high }];
  for (let column = first; column < last; column++) {
    const here = inside[column] === true;
    const next = inside[column + 1] === true;
    const edge = (plan.x[column] ?? 0) + plan.size.w + 20;
    const start = (plan.x[column + 1] ?? 0) - 20;
    if (here && !next) points.push({ x: edge, y: high }, { x: edge, y: joint });
    if (!here && next) points.push({ x: start, y: joint }, { x: start, y: high });
  }
  const right = (plan.x[last] ?? 0) + plan.size.w + side;
  points.push({ x: right, y: high }, { x: right, y: low }, { x: (plan.x[first] ?? 0) - side, y: low });
  return rounded(points, 16);
}
