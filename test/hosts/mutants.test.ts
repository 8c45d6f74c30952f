// Workers built from engines with one rule broken: each is caught by the digest of its first stretch in which the rule counts, and the first event that differs is named,
// however far the hub is ahead by then. Which event that is, is found out beside it by running both engines event by event.
import { expect, test } from "vitest";
import { loadedMachines } from "../../src/engine/fuzz/index.ts";
import { LabFault } from "../../src/engine/host/hub.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import type { WorldAct } from "../../src/engine/world/index.ts";
import { firstDifferences } from "./side-by-side.ts";
import { workerMutants } from "./worker-mutants.ts";
import { buildProgram, type Built } from "./worker-program.ts";
import { clusterDesign, startHub } from "./worlds.ts";

/** A program on every node joins a group and multicasts. */
const load = { from: 21 * SEC, until: 60 * SEC, every: 400 * MS, burst: 2, bytes: 100 };

const cut: WorldAct = { to: "fabric", act: { kind: "link-cut", link: { node: "pve2", direction: "both" } } };

/** How far the hub may be ahead of its workers, virtual time; undefined: as far as it may ever be. */
const LEADS = process.env["QUORATE_LONG"] === "1" ? [0, 50 * MS, undefined] : [50 * MS];

const design = clusterDesign("mutant", 4);
const UNTIL = 60 * SEC;

/** What each machine of the broken engine does otherwise first. */
async function expected(engine: Built): Promise<ReadonlyMap<string, string>> {
  const { loadedMachines: broken } = (await import(engine.file)) as { loadedMachines: typeof loadedMachines };
  return firstDifferences(design, loadedMachines(load), broken(load), (world) => {
    world.schedule(30 * SEC, cut);
    world.runUntil(UNTIL);
  });
}

test.each(workerMutants)("$rule: told, with its first event", async ({ patch, told }) => {
  const program = await buildProgram("test/hosts/engine-entry.ts", patch);
  const differences = await expected(program);
  const pool = await WorkerPool.open({ program });
  try {
    for (const lead of LEADS) {
      const { hub, host, lost } = await startHub(design, { pool, load }, lead === undefined ? {} : { lead });
      await host.schedule(30 * SEC, cut);
      const error: unknown = await host.runUntil(UNTIL).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(LabFault);
      const text = error instanceof Error ? error.message : "";
      const [, machine = ""] = /^(pve[1234]): /.exec(text) ?? [];
      expect([lead, text]).toEqual([lead, `${machine}: its process ${differences.get(machine) ?? "does the same"}`]);
      expect(text).toMatch(told);
      expect(lost).toEqual([]);
      // Nothing that happened there or later is confirmed any more.
      await expect(hub.whenConfirmed(Number(/ of (\d+)/.exec(text)?.[1]))).rejects.toThrow(text);
      await host.close();
    }
  } finally {
    await pool.close();
    program.remove();
  }
});
