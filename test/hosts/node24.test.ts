// The same seeded life on another Node, the one Electron has: in one process, and on workers of that Node under a hub of this one.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Crew } from "../../src/engine/host/crew.ts";
import { otherNode } from "./other-node.ts";
import { buildProgram, buildWorker, type Built } from "./worker-program.ts";
import { liveHere, liveInWorkers, scheduleFor, traceOf } from "./worlds.ts";

const VERSION = "24.9.0";
const LIVES = [
  ["node24a", 3],
  ["node24b", 5],
] as const;

const found = otherNode(VERSION);
const node = "node" in found ? found.node : "";
const title = "missing" in found ? `Node ${VERSION}: ${found.missing}` : `Node ${VERSION} against ${process.versions.node}`;

describe.skipIf("missing" in found)(title, () => {
  let worker: Built;
  let life: Built;

  beforeAll(async () => {
    worker = await buildWorker();
    life = await buildProgram("test/hosts/life-process.ts");
  });

  afterAll(() => {
    worker.remove();
    life.remove();
  });

  test.each(LIVES)("%s, %d nodes, in one process: the same trace", (seed, nodes) => {
    const output = execFileSync(node, [life.file, seed, String(nodes)], { encoding: "utf8", maxBuffer: 64 << 20 });
    const there = JSON.parse(output) as { version: string; trace: unknown };
    expect(there.version).toBe(VERSION);
    // What JSON cannot say it says of both alike.
    expect(there.trace).toEqual(JSON.parse(JSON.stringify(traceOf(liveHere(scheduleFor(seed, nodes))))));
  });

  test.each(LIVES.slice(0, 1))("%s, %d nodes, on workers of it: the same trace", async (seed, nodes) => {
    const crew = await Crew.open({ program: { ...worker, node } });
    const schedule = scheduleFor(seed, nodes);
    try {
      expect(await liveInWorkers(schedule, crew)).toEqual(traceOf(liveHere(schedule)));
    } finally {
      await crew.close();
    }
  });
});
