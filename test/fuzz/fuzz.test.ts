// A thousand seeded lives of clusters of two to eight nodes with one or two links: faults of every kind for a minute, then healing and quiet. All invariants
// hold in each, and each was a life: an hour's worth of trouble, and memberships that came and went.
import { expect, test } from "vitest";
import type { Bounds } from "../../src/engine/world/fuzz/index.ts";
import type { FuzzReport } from "../../src/main/lab/fuzz.ts";
import { runTasks } from "./runs.ts";

const RUNS = 1000;
const small: Bounds = { nodes: [2, 5], links: [1, 2], faultsFor: 60_000_000 };
/** Large clusters take longer: one life in eight. */
const large: Bounds = { nodes: [6, 8], links: [1, 2], faultsFor: 60_000_000 };

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test(
  `${RUNS} seeds of 2 to 8 nodes and 1 to 2 links keep every invariant`,
  async () => {
    const tasks = Array.from({ length: RUNS }, (_, i) => ({ seed: `p${i}`, bounds: i % 8 === 7 ? large : small, tries: 0 }));
    const reports = await runTasks(tasks);
    expect(reports.length).toBe(RUNS);
    const all = (pick: (r: FuzzReport) => number): number[] => reports.map(pick);
    const line = (what: string, values: readonly number[]): string =>
      `median ${median(values)} ${what} (${Math.min(...values)} to ${Math.max(...values)})`;
    const figures = [
      line(
        "virtual s",
        all((r) => Math.floor(r.livedUs / 1e6)),
      ),
      line(
        "faults",
        all((r) => r.faults),
      ),
      line(
        "memberships",
        all((r) => r.memberships),
      ),
      line(
        "messages delivered",
        all((r) => r.delivered),
      ),
    ];
    console.log(`${RUNS} lives, ${all((r) => r.events).reduce((a, b) => a + b, 0)} events: ${figures.join(", ")}`);
    expect(reports.flatMap((r) => r.violations.slice(0, 1).map((v) => `seed ${r.seed} (${r.nodes} nodes): ${v}`))).toEqual([]);
    for (const r of reports)
      expect([r.seed, r.livedUs >= 60_000_000, r.faults >= 8, r.memberships >= 3]).toEqual([r.seed, true, true, true]);
    expect([...new Set(reports.map((r) => `${r.nodes}/${r.links}`))].sort()).toEqual(
      [2, 3, 4, 5, 6, 7, 8].flatMap((n) => [`${n}/1`, `${n}/2`]).sort(),
    );
    expect(reports.filter((r) => r.delivered > 50).length).toBeGreaterThan(RUNS * 0.9);
  },
  15 * 60_000,
);

/** Lives of clusters whose quorum section has options, apart from the thousand. */
const OPTION_RUNS = 60;

test(
  `${OPTION_RUNS} seeds of clusters with options of the quorum section keep every invariant`,
  async () => {
    const bounds: Bounds = { ...small, options: true };
    const reports = await runTasks(Array.from({ length: OPTION_RUNS }, (_, i) => ({ seed: `o${i}`, bounds, tries: 0 })));
    expect(reports.length).toBe(OPTION_RUNS);
    expect(reports.flatMap((r) => r.violations.slice(0, 1).map((v) => `seed ${r.seed} (${r.nodes} nodes): ${v}`))).toEqual([]);
  },
  10 * 60_000,
);

/** Lives of clusters with a quorum device, whose host, cable and daemons fail as well. */
const DEVICE_RUNS = 40;

test(
  `${DEVICE_RUNS} seeds of clusters with a quorum device keep every invariant`,
  async () => {
    const bounds: Bounds = { ...small, faultsFor: 90_000_000, qdevice: true };
    const reports = await runTasks(Array.from({ length: DEVICE_RUNS }, (_, i) => ({ seed: `d${i}`, bounds, tries: 0 })));
    expect(reports.length).toBe(DEVICE_RUNS);
    expect(reports.flatMap((r) => r.violations.slice(0, 1).map((v) => `seed ${r.seed} (${r.nodes} nodes): ${v}`))).toEqual([]);
  },
  10 * 60_000,
);
