/** Worlds for the worker tests: seeded lives of clusters, as long as wanted, with all that happens to them. */
import type { Crew } from "../../src/engine/host/crew.ts";
import { Hub } from "../../src/engine/host/hub.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World, type WorldDesign } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { scheduleOf, type Schedule } from "../property/schedule.ts";

/** A cluster of `nodes` that boots at instant 0. */
export function clusterDesign(seed: string, nodes: number, links = 1): WorldDesign {
  return worldDesign(defaultLabFile({ nodes, links, clustered: true, name: seed, seed, epoch: "2026-01-01T00:00:00Z" }));
}

/** The same in this process. */
export function worldHere(design: WorldDesign): World {
  return new World(design, makeNode);
}

export const scheduleFor = (seed: string, nodes: number): Schedule => scheduleOf(seed, { nodes: [nodes, nodes], links: [1, 2] });

/** Twenty seconds of forming, a minute of faults, and some seconds after everything was healed. */
export const endOf = (schedule: Schedule): number => schedule.healedAt + 5 * SEC;

/** Everything two runs are compared by; plain data. */
export function traceOf(world: World): unknown {
  return { now: world.now, events: world.events, digest: world.digest(), seconds: world.checkpoints(), statuses: world.statuses() };
}

/** Lives through `schedule` in this process. */
export function liveHere(schedule: Schedule): World {
  const world = worldHere(clusterDesign(schedule.seed, schedule.nodes, schedule.links));
  for (const deed of schedule.acts) world.schedule(deed.at, deed.act);
  world.runUntil(endOf(schedule));
  return world;
}

/** The same on processes of `crew`. Throws where one is lost that should not be. */
export async function liveInWorkers(schedule: Schedule, crew: Crew): Promise<unknown> {
  const lost: string[] = [];
  const hub = await Hub.start(clusterDesign(schedule.seed, schedule.nodes, schedule.links), { crew });
  hub.attend({ lost: (machine, why) => lost.push(`${machine} ${why}`) });
  try {
    for (const deed of schedule.acts) await hub.schedule(deed.at, deed.act);
    await hub.runUntil(endOf(schedule));
    if (lost.length > 0) throw new Error(`lost: ${lost.join(", ")}`);
    return traceOf(hub.world);
  } finally {
    await hub.close();
  }
}
