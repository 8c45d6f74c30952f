// The checkers see: an engine with one rule broken is caught, by the invariant that the rule keeps. The rule is broken in a copy made while it is loaded.
import { describe, expect, test } from "vitest";
import { applyPatch, bundleWorker } from "./bundle.ts";
import { mutants } from "./mutants.ts";
import { runSeeds } from "./pool.ts";
import type { Bounds } from "./schedule.ts";
import type { Report } from "./worker.ts";

/** Lives within which a broken rule must show. */
const SEEDS = 200;
const bounds: Bounds = { nodes: [2, 5], links: [1, 1] };

describe("a broken rule is caught", () => {
  test.each(mutants)(
    "$rule ($invariant)",
    async ({ invariant, patch }) => {
      const complains = (r: Report): boolean => r.violations.some((v) => v.includes(` ${invariant}: `));
      const tasks = Array.from({ length: SEEDS }, (_, i) => ({ seed: `m${i}`, bounds }));
      const reports = await runSeeds(await bundleWorker(patch), tasks, 2, complains);
      expect(reports.filter(complains).length, `no ${invariant} in ${reports.length} lives`).toBeGreaterThan(0);
    },
    180_000,
  );
});

test("a patch that no longer applies is an error", async () => {
  const patch = { file: "totem/token.ts", find: "no such text", replace: "" };
  await expect(bundleWorker(patch)).rejects.toThrow("the patch for totem/token.ts does not apply: its text stands there 0 times");
  await expect(bundleWorker({ ...patch, file: "totem/no-such-file.ts" })).rejects.toThrow("the engine does not use that file");
  expect(() => applyPatch("a b a", { file: "x", find: "a", replace: "c" })).toThrow("stands there 2 times");
});
