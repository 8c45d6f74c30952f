/** The twenty-five seeded schedules that are compared in one process and with workers, and a pool over each transport. */
import { afterAll, beforeAll } from "vitest";
import type { Transport } from "../../src/engine/host/endpoint.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { buildWorker, type Built } from "./worker-program.ts";

const SIZES = [3, 5, 3, 3, 3, 5, 3, 3, 5, 3, 8, 3, 5, 3, 3, 3, 3, 8, 3, 3, 3, 3, 5, 3, 3];
export const schedules = SIZES.map((nodes, i) => [`workers${i}`, nodes] as const);

/** A pool over each transport, for the tests of one file. */
export function bothPools(): (transport: Transport) => WorkerPool {
  let program: Built | undefined;
  const pools = new Map<Transport, WorkerPool>();
  beforeAll(async () => {
    program = await buildWorker();
    for (const transport of ["ipc", "tcp"] as const) pools.set(transport, await WorkerPool.open({ program, transport }));
  });
  afterAll(async () => {
    for (const pool of pools.values()) await pool.close();
    program?.remove();
  });
  return (transport) => {
    const pool = pools.get(transport);
    if (pool === undefined) throw new Error(`no pool over ${transport}`);
    return pool;
  };
}
