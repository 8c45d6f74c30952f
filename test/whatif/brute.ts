/** The same questions asked of the world: nodes, knet, Totem and all, with the losses done to it and time passing until the rest has settled. */
import { SEC, type Duration, type MachineStatus } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { HOLDS, KILLS, SPLITS, UNSETTLED, type Verdict } from "../../src/engine/whatif/trial.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import type { LabFile } from "../../src/main/lab/file/labfile-schema.ts";

/** Longer than links, a lost commit token, consensus and every window of the designs take one after another; a device has heartbeats to wait for. */
const settleUs = (lab: { qnetd?: unknown }): Duration => (lab.qnetd === undefined ? 25 : 60) * SEC;

export interface Rest {
  readonly world: World;
  readonly settleUs: Duration;
}

/** The cluster of a lab, formed and at rest. */
export function atRest(lab: LabFile): Rest {
  const world = new World(worldDesign(lab), makeMachine, makeMachine, false);
  beginLab(world, lab);
  world.runUntil(world.now + settleUs(lab));
  return { world, settleUs: settleUs(lab) };
}

/** What is done to a world when `name`, an element of the answers, is lost. */
function actOf(name: string): WorldAct {
  const [kind, rest = ""] = name.split(":");
  if (kind === "node") return { to: "machine", machine: rest, act: { kind: "power-cut" } };
  if (kind === "qnetd") return { to: "machine", machine: "qnetd", act: { kind: "power-cut" } };
  if (kind === "network") return { to: "fabric", act: { kind: "switch", net: rest, on: false } };
  const [node = "", net = ""] = rest.split("/");
  return { to: "fabric", act: { kind: "link-cut", link: { node, net, direction: "both" } } };
}

const running = (world: World): MachineStatus[] => world.statuses().filter((s) => s.kind === "node" && s.power === "on");

/** Ring by node, for telling whether memberships go on changing. */
const rings = (world: World): string =>
  running(world)
    .map((s) => `${s.corosync?.ringId ?? ""} ${s.corosync?.syncing ?? false}`)
    .join(" ");

function verdictNow(world: World): Verdict {
  const components = new Set(running(world).flatMap((s) => (s.quorum?.quorate === true ? [s.corosync?.ringId ?? ""] : [])));
  return components.size === 0 ? KILLS : components.size > 1 ? SPLITS : HOLDS;
}

/** The verdict after `blows`, each a set of things lost in one moment, with time to settle after each and `wait` before each. */
export function tried(rest: Rest, blows: readonly (readonly string[])[], wait: Duration = 0): Verdict {
  const { settleUs } = rest;
  const world = rest.world.fork();
  for (const blow of blows) {
    world.runUntil(world.now + wait);
    for (const name of blow) world.act(actOf(name));
    world.runUntil(world.now + settleUs);
  }
  const before = rings(world);
  const verdict = verdictNow(world);
  world.runUntil(world.now + settleUs / 2);
  return rings(world) === before ? verdict : UNSETTLED;
}
