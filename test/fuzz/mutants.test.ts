// The checkers see: an engine with one rule broken is caught, by the invariant that the rule keeps, within a few schedules; and what is told of it is a short
// scenario that breaks the same invariant again. The rule is broken in a copy made while it is loaded.
import { afterAll, describe, expect, test } from "vitest";
import type { Bounds } from "../../src/engine/fuzz/index.ts";
import type { FuzzReport } from "../../src/main/lab/fuzz/fuzz.ts";
import { parseLabFile } from "../../src/main/lab/file/labfile.ts";
import { applyPatch, bundleWorker } from "./bundle.ts";
import { mutants } from "./mutants.ts";
import { runTasks } from "./runs.ts";

/** Schedules within which a broken rule must show. */
const SEEDS = 200;
/** From the first schedule on. */
const LONG = process.env["QUORATE_LONG"] === "1";
const bounds: Bounds = { nodes: [2, 5], links: [1, 1], faultsFor: 60_000_000 };

describe("a broken rule is caught", () => {
  const table: string[] = [];

  test.each(mutants.filter(({ long = false }) => !long || LONG))(
    "$rule ($invariant)",
    async ({ rule, invariant, patch, options = false, qdevice = false, reloads = false, releases = false, first = 0 }) => {
      const schedules: Bounds = qdevice
        ? { ...bounds, qdevice, faultsFor: 90_000_000 }
        : { ...bounds, options, reloads, ...(releases ? { releases } : {}) };
      const tasks = Array.from({ length: SEEDS }, (_, i) => ({ seed: `m${(LONG ? 0 : first) + i}`, bounds: schedules, tries: 0 }));
      const caught = (r: FuzzReport): boolean => r.violations.some((v) => v.includes(` ${invariant}: `));
      // Most are caught in a few schedules, and a second thread would have to learn the engine anew for them.
      const reports = await runTasks(tasks, patch, caught, 1);
      const at = reports.findIndex(caught);
      expect(
        at,
        `no ${invariant} in ${reports.length} schedules: ${reports
          .flatMap((r) => r.violations)
          .slice(0, 3)
          .join("; ")}`,
      ).not.toBe(-1);
      table.push(`${String(at + 1).padStart(4)}  ${invariant.padEnd(22)} ${rule}`);
    },
    180_000,
  );

  afterAll(() => {
    console.log(["seeds to catch", ...table].join("\n"));
  });
});

test("a patch that no longer applies is an error", async () => {
  const patch = { file: "totem/token.ts", find: "no such text", replace: "" };
  await expect(bundleWorker(patch)).rejects.toThrow("the patch for totem/token.ts does not apply: its text stands there 0 times");
  await expect(bundleWorker({ ...patch, file: "totem/no-such-file.ts" })).rejects.toThrow("the engine does not use that file");
  expect(() => applyPatch("a b a", { file: "x", find: "a", replace: "c" })).toThrow("stands there 2 times");
});

describe("what breaks is shrunk to a scenario of a few steps, which was seen to break the same invariant", () => {
  const shrunk = async (rule: string, invariant: string) => {
    const tasks = Array.from({ length: 40 }, (_, i) => ({ seed: `m${i}`, bounds, tries: 150 }));
    const reports = await runTasks(tasks, mutants.find((m) => m.rule === rule)?.patch, (r) => r.found?.invariant === invariant);
    const report = reports.find((r) => r.found?.invariant === invariant);
    if (report?.found === undefined) throw new Error(`no ${invariant} was found`);
    console.log(`seed ${report.seed}: ${report.nodes} nodes, ${report.faults} faults, shrunk to\n${report.found.scenario}`);
    return { report, lab: parseLabFile(report.found.scenario, "scenario") };
  };

  test("a line that leaves out who left, where two leave at once: one act, and time to see what came of it", async () => {
    const { lab } = await shrunk("the line of a new membership leaves out who left", "journal-tells");
    expect(lab.steps.length).toBeLessThanOrEqual(3);
    expect(Object.keys(lab.nodes).length).toBeLessThanOrEqual(3);
    expect([lab.load, lab.invariants]).toEqual([undefined, ["journal-tells"]]);
  }, 180_000);

  test("messages that do not come in order: the load stays, most acts go", async () => {
    const { report, lab } = await shrunk("a message is delivered although an earlier one is missing", "total-order");
    expect(lab.load).toBeDefined();
    expect(lab.steps.length).toBeLessThan(report.faults);
    expect(lab.steps.length).toBeLessThanOrEqual(4);
  }, 180_000);
});
