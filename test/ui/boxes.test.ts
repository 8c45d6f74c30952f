/** No text runs out of its box, and none lies on another: every written state, small and large windows, three to thirty-two nodes, names as clusters have them. */
import { expect, test } from "@playwright/test";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import { misplacedTexts } from "./boxes.ts";
import { openFake, show } from "./driving.ts";
import {
  broken,
  gather,
  gathering,
  harmed,
  healthy,
  installing,
  optioned,
  partition,
  realNames,
  renamed,
  resumed,
  sixteen,
  sixteenWitnessed,
  split,
  stalled,
  witnessed,
  witnessedSplit,
} from "./fixtures.ts";

test.describe.configure({ mode: "parallel" });

const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const longName = (id: number): string => `hypervisor-rack-${String(id).padStart(2, "0")}-frankfurt-production`;

/** The states a lab of so many nodes can be in. */
const states = (n: number): Record<string, LabSnapshot> => ({
  healthy: healthy(n),
  "split in two": split(n, [upTo(1, n - 1), [n]]),
  "split in halves": split(n, [upTo(1, Math.ceil(n / 2)), upTo(Math.ceil(n / 2) + 1, n)]),
  "split between": split(n, [upTo(1, n).filter((id) => id % 2 === 1), upTo(1, n).filter((id) => id % 2 === 0)]),
  "one node stalled": stalled(n),
  "it runs on": resumed(n),
  "a ring installs": installing(n),
  gather: gathering(n),
  "cables harmed": harmed(n),
});
const written: Record<string, LabSnapshot> = {
  partition: partition(),
  gather: gather(),
  broken: broken(),
  witnessed: witnessed(),
  witnessedSplit: witnessedSplit(),
  optioned: optioned(),
};

const cases: [string, Record<string, LabSnapshot>][] = [
  ["3 nodes", { ...states(3), ...written }],
  ["5 nodes with real names", Object.fromEntries(Object.entries(states(5)).map(([name, one]) => [name, renamed(one, realNames)]))],
  [
    "5 nodes with names of 40 characters",
    Object.fromEntries(Object.entries(states(5)).map(([name, one]) => [name, renamed(one, upTo(1, 5).map(longName))])),
  ],
  ["16 nodes", { ...states(16), sixteen: sixteen(), sixteenWitnessed: sixteenWitnessed() }],
  ["32 nodes", states(32)],
  [
    "32 nodes with long names",
    Object.fromEntries(Object.entries(states(32)).map(([name, one]) => [name, renamed(one, upTo(1, 32).map(longName))])),
  ],
];

for (const [name, shown] of cases)
  test(name, async ({ page }) => {
    const [first] = Object.values(shown);
    if (first === undefined) throw new Error("no state to draw");
    const lab = await openFake(page, first);
    await page.emulateMedia({ reducedMotion: "reduce" });
    const wrong: string[] = [];
    for (const size of sizes) {
      await page.setViewportSize(size);
      for (const [state, snapshot] of Object.entries(shown)) {
        await show(page, lab, snapshot);
        for (const line of await misplacedTexts(page)) wrong.push(`${size.width} ${state}: ${line}`);
      }
    }
    await lab.close();
    expect(wrong).toEqual([]);
  });
