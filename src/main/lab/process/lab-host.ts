/** The host that grants a lab its time: over the driver of this process, or over the hub whose nodes are processes of their own. */
import { rmSync } from "node:fs";
import { AllDisks, type NodeDisks } from "../../../engine/host/disk/node-disks.ts";
import { Hub } from "../../../engine/host/hub.ts";
import { InProcessDriver, LiveHost, type DiskDifference, type Speed } from "../../../engine/host/index.ts";
import { WorkerPool } from "../../../engine/host/worker-pool.ts";
import type { World } from "../../../engine/world/index.ts";
import { entry } from "./entries.ts";

/** What the lab is told by its host. */
export interface HostListener {
  /** The engine broke an assertion, or a process did not do what its node did: no more time. */
  failed(error: unknown): void;
  /** A machine's process died untold or fell silent. */
  lost(machine: string, why: string): void;
  /** A machine is about to boot from a disk that is not as it had it in mind. */
  disk(machine: string, difference: DiskDifference): void;
}

export interface Pacing {
  readonly speed: Speed;
  readonly paused: boolean;
}

/** Every node in this process. `listener` is asked for when something happens, so that whoever listens may come later. */
export function inProcess(world: World, disks: NodeDisks, pacing: Pacing, listener: () => HostListener): LiveHost {
  const sink = new AllDisks(disks, (name) => world.numberOf(name), false);
  return new LiveHost(new InProcessDriver(world, sink), { ...pacing, onFailure: (error) => listener().failed(error) });
}

/** Starts processes for so many nodes, which come up beside what is done meanwhile. `dir` for the socket to them. */
export async function startWorkers(dir: string | undefined, count: number): Promise<WorkerPool> {
  const pool = await WorkerPool.open({ program: entry("worker"), ...(dir === undefined ? {} : { dir }) });
  pool.warm(count);
  return pool;
}

/**
 * Every node followed by a process of its own, beginning where `world` stands. Throws where one does not come up.
 * @param pool of this lab alone; it is closed with the host
 * @param dir of its socket; taken away at the end
 */
export async function withWorkers(
  pool: WorkerPool,
  dir: string | undefined,
  world: World,
  disks: NodeDisks,
  pacing: Pacing,
  listener: () => HostListener,
): Promise<LiveHost> {
  // Names and numbers as the hub's own world has them: machines come and go.
  const numberOf = (name: string): number => hub.world.numberOf(name);
  const hub: Hub = await Hub.start(world.design, {
    pool,
    snapshot: world.snapshot(),
    disks: new AllDisks(disks, numberOf, true),
    diskDir: disks.dir,
  });
  await pool.endIdle();
  return new LiveHost(hub, {
    ...pacing,
    onFailure: (error) => listener().failed(error),
    onLost: (machine, why) => listener().lost(machine, why),
    onDisk: (machine, difference) => listener().disk(machine, difference),
    onClosed: async () => {
      await pool.close();
      if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
    },
  });
}
