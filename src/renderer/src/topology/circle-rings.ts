/** The Totem ring on the circle: hops from member to member in ring order, along lanes inside the machines where others stand between. */
import type { Component } from "../../../main/lab/api.ts";
import { toneOf } from "../tone.ts";
import { polar, type CircleScene, type Measures, type Slot } from "./circle-shapes.ts";
import type { Point } from "./shapes.ts";

type CircleRing = CircleScene["rings"][number];

/** `shared`: other rings stand on the circle too, so the last hop goes back inside its own part. */
export function circleRing(component: Component, slots: readonly Slot[], measures: Measures, shared: boolean): CircleRing {
  const members = slots
    .flatMap((slot, index) => {
      const { id } = slot.look;
      return component.nodes.includes(slot.name) && id !== undefined ? [{ slot, id, index }] : [];
    })
    .sort((a, b) => component.members.indexOf(a.id) - component.members.indexOf(b.id));
  const { r, box } = measures;
  const places = new Map<number, Point>();
  const hops = new Map<number, readonly Point[]>();
  const arrows: { d: string; chevron: string }[] = [];
  members.forEach(({ slot, id, index }, at) => {
    places.set(id, polar(r, slot.angle + Math.min(0.18, (Math.PI / slots.length) * 0.96)));
    const next = members[(at + 1) % members.length];
    if (next === undefined || next.id === id) return;
    const near = next.index === (index + 1) % slots.length;
    const forward = next.index > index || !shared;
    const way = near
      ? arc(slot.angle, ahead(slot.angle, next.slot.angle), r, (box.w / 2 + 4) / r)
      : lane(slot, next.slot, measures, forward);
    hops.set(id, way);
    arrows.push({ d: smooth(way), chevron: arrowHead(way) });
  });
  const tone = toneOf(component.letter);
  const row = { hatched: false, track: "", chevrons: [], rate: { x: 0, y: 0, room: 0 } };
  return { key: `ring:${component.key}`, ringId: component.ringId, tone, ...row, slots: places, hops, arrows };
}

const ahead = (from: number, to: number): number => (to > from ? to : to + 2 * Math.PI);

/** From one angle to the other at one radius, `clear` of both. */
function arc(from: number, to: number, r: number, clear: number): Point[] {
  const steps = 6;
  const edge = Math.min(clear, (to - from) * 0.42);
  return Array.from({ length: steps + 1 }, (_, step) => polar(r, from + edge + ((to - from - 2 * edge) * step) / steps));
}

/** Past others: with the circle on the outer lane, back on the inner one. */
function lane(from: Slot, to: Slot, { r, band, box }: Measures, forward: boolean): Point[] {
  const inside = band / 2 - box.h / 2;
  const at = r - box.h / 2 - inside * (forward ? 0.4 : 0.75);
  const end = forward ? ahead(from.angle, to.angle) : to.angle;
  const steps = Math.max(8, Math.ceil(Math.abs(end - from.angle) / 0.12));
  const middle = Array.from({ length: steps + 1 }, (_, step) => polar(at, from.angle + ((end - from.angle) * step) / steps));
  return [polar(r - box.h / 2 - 1, from.angle), ...middle, polar(r - box.h / 2 - 1, to.angle)];
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
