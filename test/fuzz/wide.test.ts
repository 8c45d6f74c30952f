// Sixteen seeded schedules (a hundred with QUORATE_LONG=1) with every fault the fabric has: beside those of the thousand, slow and narrow cables, blocked ports and cards that are down. All
// invariants hold in each.
import { expect, test } from "vitest";
import { drawSchedule, type Bounds } from "../../src/engine/fuzz/index.ts";
import { runTasks } from "./runs.ts";

const RUNS = process.env["QUORATE_LONG"] === "1" ? 100 : 16;
const bounds: Bounds = { nodes: [2, 5], links: [1, 2], faultsFor: 30_000_000, wide: true };
const seeds = Array.from({ length: RUNS }, (_, i) => `w${i}`);

/** The faults that only such schedules have. */
function wideFaults(seed: string): string[] {
  return drawSchedule(seed, bounds).acts.flatMap(({ act }) => {
    if (act.act.kind === "block") return ["block"];
    if (act.act.kind === "nic-up" && !act.act.up) return ["card down"];
    return act.act.kind === "link-set" ? Object.keys(act.act.settings).filter((key) => key === "rateMbit" || key === "mtuBytes") : [];
  });
}

test(
  `${RUNS} seeds with every fault of the fabric keep every invariant`,
  async () => {
    expect([...new Set(seeds.flatMap(wideFaults))].sort()).toEqual(["block", "card down", "mtuBytes", "rateMbit"]);
    const reports = await runTasks(seeds.map((seed) => ({ seed, bounds, tries: 0 })));
    expect(reports.map((r) => r.seed)).toEqual(seeds);
    expect(reports.flatMap((r) => r.violations.slice(0, 1).map((v) => `seed ${r.seed} (${r.nodes} nodes): ${v}`))).toEqual([]);
    for (const r of reports) expect([r.seed, r.livedUs >= 60_000_000, r.faults >= 8]).toEqual([r.seed, true, true]);
  },
  10 * 60_000,
);
