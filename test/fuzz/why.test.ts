// What is told of a lab while faults of every kind come and go: twice a second and after every act each entry of the record that a clause names exists, on that node, in that order; what is offered can
// be done; nothing is said of files, guests or HA; no side without quorum is passed over; and nothing is told where all is well. QUORATE_WHY=FIRST,COUNT plays so many schedules from that one on, and looks closer (npm run nightly -- --why 500).
import { expect, test } from "vitest";
import { drawSchedule, type Bounds } from "../../src/engine/fuzz/index.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { untracedMaker } from "../../src/main/lab/fuzz/schedule-scenario.ts";
import { snapshotOf } from "../node/reasons.ts";
import { wrongWithReasons } from "../node/why-check.ts";

const asked = process.env["QUORATE_WHY"];
const [FIRST = 0, SCHEDULES = 10] = asked?.split(",").map(Number) ?? [];
const plain: Bounds = { nodes: [2, 4], links: [1, 2], faultsFor: 20 * SEC };
const kinds: readonly Bounds[] = [
  plain,
  { ...plain, wide: true },
  { ...plain, options: true },
  { ...plain, qdevice: true },
  { ...plain, wide: true, options: true, qdevice: true },
];
/** Between two looks where nothing is done. */
const LOOK_EVERY = (asked === undefined ? 2.3 : 0.7) * SEC;
const REST = 30 * SEC;

interface Played {
  readonly looks: number;
  readonly clauses: number;
  readonly wrong: string | undefined;
}

function play(seed: string, bounds: Bounds): Played {
  const schedule = drawSchedule(seed, bounds);
  const world = untracedMaker.make(schedule, { sent: 0, delivered: 0 });
  const why = untracedMaker.begin(world, schedule);
  if (why !== undefined) return { looks: 0, clauses: 0, wrong: `did not form: ${why}` };
  const start = world.now;
  let [looks, clauses] = [0, 0];
  const look = (): string | undefined => {
    const snapshot = snapshotOf(world);
    looks++;
    clauses += snapshot.why.reduce((sum, one) => sum + one.clauses.length, 0);
    const [first] = wrongWithReasons(world, snapshot);
    return first === undefined ? undefined : `seed ${seed} at ${(world.now / SEC).toFixed(6)}: ${first}`;
  };
  const runTo = (until: number): string | undefined => {
    while (world.now < until) {
      world.runUntil(Math.min(until, world.now + LOOK_EVERY));
      const wrong = look();
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
  for (const { at, act } of [...schedule.acts, ...schedule.mends]) {
    const wrong = runTo(start + at);
    if (wrong !== undefined) return { looks, clauses, wrong };
    const done = world.act(act);
    if (!done.ok) throw new Error(`seed ${seed}: ${done.message}`);
  }
  return { wrong: runTo(world.now + REST), looks, clauses };
}

test(
  `${SCHEDULES} schedules: everything that is told is in the record`,
  () => {
    const played = Array.from({ length: SCHEDULES }, (_, i) => play(`why${FIRST + i}`, kinds[(FIRST + i) % kinds.length] ?? plain));
    expect(played.flatMap(({ wrong }) => wrong ?? [])).toEqual([]);
    const sum = (pick: (one: Played) => number): number => played.reduce((all, one) => all + pick(one), 0);
    console.log(`${SCHEDULES} schedules, ${sum(({ looks }) => looks)} looks, ${sum(({ clauses }) => clauses)} clauses`);
    expect(sum(({ clauses }) => clauses)).toBeGreaterThan(SCHEDULES * 50);
  },
  60 * 60_000,
);
