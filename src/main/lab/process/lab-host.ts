/** The host that grants a lab its time: over the driver of this process, or over the hub whose nodes are processes of their own. */
import { rmSync } from "node:fs";
import { Hub } from "../../../engine/host/hub.ts";
import { InProcessDriver, LiveHost, type Speed } from "../../../engine/host/index.ts";
import { WorkerPool } from "../../../engine/host/worker-pool.ts";
import type { World } from "../../../engine/world/index.ts";
import { entry } from "./entries.ts";

/** What the lab is told by its host. */
export interface HostListener {
  /** The engine broke an assertion, or a process did not do what its node did: no more time. */
  failed(error: unknown): void;
  /** A machine's process died untold or fell silent. */
  lost(machine: string, why: string): void;
}

export interface Pacing {
  readonly speed: Speed;
  readonly paused: boolean;
}

/** Every node in this process. `listener` is asked for when something happens, so that whoever listens may come later. */
export function inProcess(world: World, pacing: Pacing, listener: () => HostListener): LiveHost {
  return new LiveHost(new InProcessDriver(world), { ...pacing, onFailure: (error) => listener().failed(error) });
}

/**
 * Every node followed by a process of its own, beginning where `world` stands. Throws where one does not come up; then none is left.
 * @param dir for the socket to them; taken away at the end
 */
export async function withWorkers(dir: string | undefined, world: World, pacing: Pacing, listener: () => HostListener): Promise<LiveHost> {
  const pool = await WorkerPool.open({ program: entry("worker"), ...(dir === undefined ? {} : { dir }) });
  try {
    const hub = await Hub.start(world.design, { pool, snapshot: world.snapshot() });
    return new LiveHost(hub, {
      ...pacing,
      onFailure: (error) => listener().failed(error),
      onLost: (machine, why) => listener().lost(machine, why),
      onClosed: async () => {
        await pool.close();
        if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
      },
    });
  } catch (error) {
    await pool.close();
    throw error;
  }
}
