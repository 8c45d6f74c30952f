/** Lines as path data: rounded polygons and polylines, points on the way. */
import type { Point } from "./shapes.ts";

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

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);

export function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) * by) / whole, y: from.y + ((to.y - from.y) * by) / whole };
}

/** An open line with rounded corners. */
export function polyline(points: readonly Point[], radius: number): string {
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

/** An arrowhead to the right (1) or to the left (-1). */
export const chevron = ({ x, y }: Point, dir: 1 | -1): string => `M${x - 2 * dir} ${y - 4}l${4 * dir} 4l${-4 * dir} 4`;
