// Workers built from engines with one rule broken: each is caught by the digest of its first stretch in which the rule counts, and the first event that differs is named.
import { afterEach, expect, test } from "vitest";
import { LabFault } from "../../src/engine/host/hub.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import type { WorldAct } from "../../src/engine/world/index.ts";
import { workerMutants } from "./worker-mutants.ts";
import { buildWorker, type Built } from "./worker-program.ts";
import { clusterDesign, startHub } from "./worlds.ts";

/** A program on every node joins a group and multicasts. */
const load = { from: 21 * SEC, until: 60 * SEC, every: 400 * MS, burst: 2, bytes: 100 };

const cut: WorldAct = { to: "fabric", act: { kind: "link-cut", link: { node: "pve2", direction: "both" } } };

let built: Built | undefined;
let pool: WorkerPool | undefined;

afterEach(async () => {
  await pool?.close();
  built?.remove();
});

test.each(workerMutants)("$rule: told, with its first event", async ({ patch, told }) => {
  built = await buildWorker(patch);
  pool = await WorkerPool.open({ program: built });
  const design = clusterDesign("mutant", 4);
  const { hub, host, lost } = await startHub(design, { pool, load });
  await host.schedule(30 * SEC, cut);
  const error: unknown = await host.runUntil(60 * SEC).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LabFault);
  const text = error instanceof Error ? error.message : "";
  expect(text).toMatch(/^pve[1234]: /);
  expect(text).toMatch(told);
  expect(lost).toEqual([]);
  // Nothing that happened there or later is confirmed any more.
  await expect(hub.whenConfirmed(Number(/ of (\d+)/.exec(text)?.[1]))).rejects.toThrow(text);
  await host.close();
});
