/** Arrow keys on the canvas: the nearest machine, cable or switch in a direction, as the drawing has them. */
import type { LabSnapshot } from "../../main/lab/api.ts";
import { fromKey, keyOf, type Selected } from "./selection.svelte.ts";
import { circleOf } from "./topology/circle.ts";
import { inCircle } from "./topology/plan.ts";
import { sceneOf } from "./topology/scene.ts";
import type { Point } from "./topology/shapes.ts";

interface Spot extends Point {
  key: string;
  kind: string;
}

function spotsOf(snapshot: LabSnapshot): Spot[] {
  if (inCircle(snapshot)) {
    const scene = circleOf(snapshot);
    return [
      ...scene.slots.map(({ key, x, y }) => ({ key, kind: "node", x, y })),
      ...scene.spokes.map(({ key, from, to }) => ({ key, kind: "cable", x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 })),
      ...scene.switches.map(({ key, labels }) => ({ key, kind: "switch", x: labels[0]?.x ?? 0, y: labels[0]?.y ?? 0 })),
    ];
  }
  const scene = sceneOf(snapshot);
  return [
    ...scene.machines.map(({ key, x, y, w, h }) => ({ key, kind: "node", x: x + w / 2, y: y + h / 2 })),
    ...scene.cables.map(({ key, socket, port }) => ({ key, kind: "cable", x: socket.x, y: (socket.y + port.y) / 2 })),
    ...scene.switches.map(({ key, x, y, w, h }) => ({ key, kind: "switch", x: x + w / 2, y: y + h / 2 })),
  ];
}

/** The next selection; undefined when nothing lies that way. Left and right stay among things of one kind. */
export function nextInDirection(snapshot: LabSnapshot, selected: Selected | undefined, dx: number, dy: number): Selected | undefined {
  const spots = spotsOf(snapshot);
  const here = spots.find(({ key }) => selected !== undefined && key === keyOf(selected));
  if (here === undefined) return fromKey(spots[0]?.key ?? "", snapshot);
  const circle = inCircle(snapshot);
  let best: { spot: Spot; cost: number } | undefined;
  for (const spot of spots) {
    const ahead = (spot.x - here.x) * dx + (spot.y - here.y) * dy;
    const aside = Math.abs((spot.x - here.x) * dy) + Math.abs((spot.y - here.y) * dx);
    if (ahead < 4 || spot.key === here.key) continue;
    if (dx !== 0 && !circle && spot.kind !== here.kind) continue;
    const cost = ahead + 2 * aside + (spot.kind === "switch" && here.kind !== "cable" ? 400 : 0);
    if (best === undefined || cost < best.cost) best = { spot, cost };
  }
  return best === undefined ? undefined : fromKey(best.spot.key, snapshot);
}
