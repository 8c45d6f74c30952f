// The same seeded schedule on another Node, the one Electron has: in one process, and on workers of that Node under a hub of this one.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { otherNode } from "./other-node.ts";
import { buildProgram, buildWorker, type Built } from "./worker-program.ts";
import { runHere, runOnWorkers, scheduleFor, traceOf } from "./worlds.ts";

const VERSION = "24.9.0";
const SCHEDULES = [
  ["node24a", 3],
  ["node24b", 5],
] as const;

const found = otherNode(VERSION);
const node = "node" in found ? found.node : "";
const title = "missing" in found ? `Node ${VERSION}: ${found.missing}` : `Node ${VERSION} against ${process.versions.node}`;

describe.skipIf("missing" in found)(title, () => {
  let worker: Built;
  let alone: Built;

  beforeAll(async () => {
    worker = await buildWorker();
    alone = await buildProgram("test/hosts/schedule-process.ts");
  });

  afterAll(() => {
    worker.remove();
    alone.remove();
  });

  test.each(SCHEDULES)("%s, %d nodes, in one process: the same trace", (seed, nodes) => {
    const output = execFileSync(node, [alone.file, seed, String(nodes)], { encoding: "utf8", maxBuffer: 64 << 20 });
    const there = JSON.parse(output) as { version: string; trace: unknown };
    expect(there.version).toBe(VERSION);
    // What JSON cannot say it says of both alike.
    expect(there.trace).toEqual(JSON.parse(JSON.stringify(traceOf(runHere(scheduleFor(seed, nodes))))));
  });

  test.each(SCHEDULES.slice(0, 1))("%s, %d nodes, on workers of it: the same trace", async (seed, nodes) => {
    const pool = await WorkerPool.open({ program: { ...worker, node } });
    const schedule = scheduleFor(seed, nodes);
    try {
      expect(await runOnWorkers(schedule, pool)).toEqual(traceOf(runHere(schedule)));
    } finally {
      await pool.close();
    }
  });
});
