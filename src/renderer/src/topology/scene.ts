/** Where everything of the canvas stands, for labs small enough for a row of machines: a pure function of the snapshot. */
import type { LabSnapshot, MachineView } from "../../../main/lab/api.ts";
import { shortNames } from "../names.ts";
import { nodeLook } from "./look.ts";
import { planOf } from "./plan.ts";
import { regionsOf } from "./regions.ts";
import { ringOf } from "./rings.ts";
import type { Scene } from "./shapes.ts";
import { wiring } from "./wiring.ts";

/** What a card keeps free beside its name: its edges and "ID 32". */
const nameMargin = { wide: 62, small: 56 };

/** The whole drawing, for a canvas of this width. `from` is the selected machine: what is between two machines is told from there. */
export function sceneOf(snapshot: LabSnapshot, room = 640, from: MachineView | undefined = undefined): Scene {
  const plan = planOf(snapshot, room);
  const nameRoom = plan.size.w - (plan.small ? nameMargin.small : nameMargin.wide);
  const names = shortNames(
    plan.columns.map(({ machine }) => machine.name),
    nameRoom,
    { size: 14, strong: true },
  );
  const machines = plan.columns.map(({ machine }, index) => ({
    key: `node:${machine.name}`,
    name: machine.name,
    label: names.get(machine.name) ?? machine.name,
    x: plan.x[index] ?? 0,
    y: plan.y,
    w: plan.size.w,
    h: plan.h,
    kind: machine.kind,
    compact: plan.small,
    look: nodeLook(snapshot, machine),
  }));
  const rings = snapshot.components.filter(({ formed }) => formed).flatMap((component) => ringOf(snapshot, plan, component) ?? []);
  const regions = regionsOf(snapshot, plan);
  const { bottom, ...wired } = wiring(snapshot, plan, rings, from);
  return { width: plan.right + 4, height: Math.max(bottom + 16, plan.y + plan.h + 62), machines, regions, rings, ...wired };
}
