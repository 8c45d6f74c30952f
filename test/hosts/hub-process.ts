/** A process that runs a hub at full speed until somebody ends it, and tells who its workers are. Usage: hub-process WORKER-PROGRAM, with a channel. */
import { Hub } from "../../src/engine/host/hub.ts";
import { UnpacedHost } from "../../src/engine/host/index.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { clusterDesign } from "./worlds.ts";

const pool = await WorkerPool.open({ program: { file: process.argv[2] ?? "", execArgv: [] } });
const host = new UnpacedHost(await Hub.start(clusterDesign("hub process", 3), { pool }));
process.send?.({ pids: pool.pids, address: pool.address });
for (;;) await host.runUntil(host.world.now + SEC);
