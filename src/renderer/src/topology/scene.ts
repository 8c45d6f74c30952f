/** Where everything of the canvas stands, for labs small enough for a row of machines: a pure function of the snapshot. */
import type { LabSnapshot } from "../../../main/lab/api.ts";
import { nodeLook } from "./look.ts";
import { compact, planOf } from "./plan.ts";
import { regionsOf } from "./regions.ts";
import { ringOf } from "./rings.ts";
import type { Scene } from "./shapes.ts";
import { wiring } from "./wiring.ts";

/** The whole drawing, for a canvas of this width. */
export function sceneOf(snapshot: LabSnapshot, room = 640): Scene {
  const plan = planOf(snapshot, room);
  const machines = plan.columns.map(({ machine }, index) => ({
    key: `node:${machine.name}`,
    name: machine.name,
    x: plan.x[index] ?? 0,
    y: plan.y,
    w: plan.size.w,
    h: plan.h,
    kind: machine.kind,
    compact: plan.size === compact,
    look: nodeLook(snapshot, machine),
  }));
  const rings = snapshot.components.filter(({ formed }) => formed).flatMap((component) => ringOf(snapshot, plan, component) ?? []);
  const regions = regionsOf(snapshot, plan);
  const { switches, cables, bottom } = wiring(snapshot, plan, rings);
  return { width: plan.right + 4, height: Math.max(bottom + 16, plan.y + plan.h + 62), machines, cables, switches, regions, rings };
}
