// Sixty-four seeded fault schedules (a thousand with QUORATE_LONG=1) for clusters of two to eight nodes with one or two links: faults of every kind for half a minute, then healing and quiet. Some have
// options in their quorum section, some a quorum device, in some files are changed and read again. All invariants hold in each, and each was a real run: more than a minute, an hour's worth of trouble,
// and memberships that came and went.
import { expect, test } from "vitest";
import type { Bounds } from "../../src/engine/fuzz/index.ts";
import type { FuzzReport, FuzzTask } from "../../src/main/lab/fuzz/fuzz.ts";
import { runTasks } from "./runs.ts";

const RUNS = process.env["QUORATE_LONG"] === "1" ? 1000 : 64;
const small: Bounds = { nodes: [2, 5], links: [1, 2], faultsFor: 30_000_000 };
/** Large clusters take longer: one schedule in six. */
const large: Bounds = { ...small, nodes: [6, 8] };
const optioned: Bounds = { ...small, options: true };
/** The vote of a device takes half a minute to move. */
const witnessed: Bounds = { ...small, faultsFor: 90_000_000, qdevice: true };

/** Of a hundred schedules six have options and four a device, half of these options beside it; in two of a hundred corosync.conf is changed and read again. */
function taskOf(i: number): FuzzTask {
  const tries = 0;
  if (i % 25 === 12) {
    const more = { ...(i % 2 === 1 ? { options: true } : {}), ...(i % 200 === 12 || i % 200 === 137 ? { reloads: true } : {}) };
    return { seed: `d${i}`, bounds: { ...witnessed, ...more }, tries };
  }
  if (i % 16 === 4) return { seed: `o${i}`, bounds: i % 128 === 4 ? { ...optioned, reloads: true } : optioned, tries };
  if (i % 128 === 33) return { seed: `r${i}`, bounds: { ...small, reloads: true }, tries };
  return { seed: `p${i}`, bounds: i % 6 === 5 ? large : small, tries };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test(
  `${RUNS} seeds of 2 to 8 nodes and 1 to 2 links keep every invariant`,
  async () => {
    const tasks = Array.from({ length: RUNS }, (_, i) => taskOf(i));
    for (const [letter, least] of [
      ["o", RUNS / 20],
      ["d", RUNS / 25],
    ] as const)
      expect(tasks.filter((t) => t.seed.startsWith(letter)).length).toBeGreaterThanOrEqual(least);
    expect(tasks.filter((t) => t.bounds.reloads === true).length).toBeGreaterThanOrEqual(RUNS / 50);
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
    console.log(`${RUNS} schedules, ${all((r) => r.events).reduce((a, b) => a + b, 0)} events: ${figures.join(", ")}`);
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
