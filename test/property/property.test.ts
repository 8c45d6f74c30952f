// A thousand seeded lives of clusters of two to seven nodes with one or two links: faults for a minute, then healing and quiet. All invariants hold in each.
import { expect, test } from "vitest";
import { bundleWorker } from "./bundle.ts";
import { runSeeds } from "./pool.ts";
import type { Bounds } from "./schedule.ts";

const RUNS = 1000;
const bounds: Bounds = { nodes: [2, 7], links: [1, 2] };
const seeds = Array.from({ length: RUNS }, (_, i) => `p${i}`);

test(
  `${RUNS} seeds of 2 to 7 nodes and 1 to 2 links keep every invariant`,
  async () => {
    const reports = await runSeeds(
      await bundleWorker(),
      seeds.map((seed) => ({ seed, bounds })),
      2,
    );
    expect(reports.length).toBe(RUNS);
    expect(reports.flatMap((r) => r.violations.map((v) => `seed ${r.seed}: ${v}`))).toEqual([]);
    for (const r of reports) expect([r.seed, r.livedUs >= 60_000_000, r.faults >= 5]).toEqual([r.seed, true, true]);
    // The lives were really led: every size was there, messages were delivered in nearly all, and the faults did harm that had to be mended.
    expect([...new Set(reports.map((r) => `${r.nodes}/${r.links}`))].sort()).toEqual(
      [2, 3, 4, 5, 6, 7].flatMap((n) => [`${n}/1`, `${n}/2`]).sort(),
    );
    expect(reports.filter((r) => r.delivered > 50).length).toBeGreaterThan(RUNS * 0.9);
    expect(reports.filter((r) => r.mendedUs > 1_000_000).length).toBeGreaterThan(RUNS / 2);
    const total = (pick: (r: (typeof reports)[number]) => number): number => reports.reduce((sum, r) => sum + pick(r), 0);
    const hours = (total((r) => r.livedUs) / 3.6e9).toFixed(1);
    console.log(`${RUNS} lives, ${hours} virtual hours, ${total((r) => r.events)} events, ${total((r) => r.faults)} faults`);
  },
  15 * 60_000,
);
