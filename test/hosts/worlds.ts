/** Worlds for the worker tests: clusters under seeded schedules of faults, as long as wanted, with all that is done to them. */
import { Hub, type HubOptions } from "../../src/engine/host/hub.ts";
import { UnpacedHost, type UnpacedOptions } from "../../src/engine/host/index.ts";
import type { WorkerPool } from "../../src/engine/host/worker-pool.ts";
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

/** Goes through `schedule` in this process. */
export function runHere(schedule: Schedule): World {
  const world = worldHere(clusterDesign(schedule.seed, schedule.nodes, schedule.links));
  for (const input of schedule.acts) world.schedule(input.at, input.act);
  world.runUntil(endOf(schedule));
  return world;
}

/** A hub of `design` whose world nobody paces. */
export async function startHub(
  design: WorldDesign,
  options: HubOptions,
  unpaced: UnpacedOptions = {},
): Promise<{ hub: Hub; host: UnpacedHost; lost: string[] }> {
  const hub = await Hub.start(design, options);
  const lost: string[] = [];
  hub.attend({ lost: (machine, why) => lost.push(`${machine} ${why}`) });
  return { hub, host: new UnpacedHost(hub, unpaced), lost };
}

/** The same on processes of `pool`. Throws where one is lost that should not be. */
export async function runOnWorkers(schedule: Schedule, pool: WorkerPool, options: UnpacedOptions = {}): Promise<unknown> {
  const { hub, host, lost } = await startHub(clusterDesign(schedule.seed, schedule.nodes, schedule.links), { pool }, options);
  try {
    for (const input of schedule.acts) await host.schedule(input.at, input.act);
    await host.runUntil(endOf(schedule));
    if (lost.length > 0) throw new Error(`lost: ${lost.join(", ")}`);
    return traceOf(hub.world);
  } finally {
    await host.close();
  }
}
