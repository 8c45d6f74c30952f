// Slow motion that follows events, with a wall clock that the test moves on: it slows down for what changes, goes back, passes over what shows nothing, and changes no run.
import { describe, expect, test } from "vitest";
import { InProcessDriver, LiveHost, SLOW_SPEED_MAX, SPEED_MAX, SPEED_MIN, type LiveOptions } from "../../src/engine/host/index.ts";
import { MS, SEC, type Instant } from "../../src/engine/kernel/index.ts";
import { World, type WorldAct, type WorldSnapshot } from "../../src/engine/world/index.ts";
import * as api from "../../src/main/lab/api.ts";
import { LabInterest } from "../../src/main/lab/motion/interest.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { ManualClock } from "./manual-clock.ts";

const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "9", epoch: "2026-01-01T00:00:00Z" });

let before: WorldSnapshot | undefined;

/** Three nodes in an idle ring. */
function formed(): World {
  const world = new World(worldDesign(file), makeNode);
  if (before === undefined) {
    expect(beginLab(world, file)).toBeUndefined();
    world.runUntil(world.now + 5 * SEC);
    before = world.snapshot();
  } else world.restore(before);
  return world;
}

interface Run {
  readonly host: LiveHost;
  readonly world: World;
  readonly clock: ManualClock;
  /** What happened, with the wall clock's time. */
  readonly seen: { what: string; at: Instant; wall: number }[];
}

function start(options: LiveOptions = {}): Run {
  const clock = new ManualClock();
  const world = formed();
  const host = new LiveHost(new InProcessDriver(world), { clock, ...options });
  host.motion.follow(new LabInterest(world));
  const seen: Run["seen"] = [];
  world.watch({
    effect: (at, _machine, effect) => {
      if (effect.kind !== "trace") return;
      const { event } = effect;
      const what = event.what === "state" ? event.state : event.what;
      seen.push({ what, at, wall: clock.now() });
    },
  });
  return { host, world, clock, seen };
}

const cut: WorldAct = { to: "fabric", act: { kind: "link-cut", link: { node: "pve3", direction: "both" } } };
const heal: WorldAct = { to: "fabric", act: { kind: "heal" } };

/** Longest wall time in which none of `what` happened, ms. */
function longestWait({ seen, clock }: Run, what: string, from: number): number {
  const walls = [from, ...seen.filter((one) => one.what === what && one.wall >= from).map(({ wall }) => wall), clock.now()];
  return Math.max(...walls.slice(1).map((wall, index) => wall - (walls[index] ?? 0)));
}

describe("slow on change", () => {
  test("runs at its speed, slows down when a join is heard, and goes back when every node has been operational for a while", async () => {
    const run = start({ speed: 1 });
    const { host, world, clock, seen } = run;
    host.setSlowMode({ onChange: true, speed: 0.01 });
    const before = world.now;
    await clock.pass(3_000);
    expect([await host.catchUp(), host.motion.eased]).toEqual([before + 3 * SEC, false]);
    await host.act(cut);
    for (let i = 0; i < 200 && !host.motion.eased; i++) await clock.pass(50);
    // Three seconds of token timeout at ×1; then what follows, slowly.
    expect(host.motion.eased).toBe(true);
    const lost = seen.find(({ what }) => what === "gather");
    expect(world.now - (lost?.at ?? 0)).toBeLessThan(1 * MS);
    for (let i = 0; i < 100 && host.motion.eased; i++) await clock.pass(1_000);
    expect(host.motion.eased).toBe(false);
    expect(world.statuses().map(({ corosync }) => corosync?.state)).toEqual(["operational", "operational", "operational"]);
    const back = world.now;
    await clock.pass(2_000);
    expect((await host.catchUp()) - back).toBeGreaterThan(1.9 * SEC);

    const healedAt = clock.now();
    await host.act(heal);
    for (let i = 0; i < 60 && !(host.motion.eased && (world.status("pve1").corosync?.members.length ?? 0) === 3); i++)
      await clock.pass(1_000);
    expect(world.status("pve1").corosync?.members).toEqual([1, 2, 3]);
    expect(clock.now() - healedAt).toBeLessThan(60_000);
    // Gather, commit and recovery are there to be seen, not over in a frame.
    const merging = seen.filter(({ wall }) => wall >= healedAt);
    const first = (what: string): number => merging.find((one) => one.what === what)?.wall ?? Number.NaN;
    expect(first("commit") - first("gather")).toBeGreaterThan(20);
    expect(first("operational") - first("gather")).toBeGreaterThan(200);
  });

  test("shows every change for two frames at least, however close they are", async () => {
    const run = start({ speed: 1 });
    const { host, world, clock, seen } = run;
    await host.act(cut);
    await clock.pass(10_000);
    host.setSlowMode({ onChange: true, speed: 0.05 });
    await host.act(heal);
    for (let i = 0; i < 60 && !(host.motion.eased && (world.status("pve1").corosync?.members.length ?? 0) === 3); i++)
      await clock.pass(1_000);
    const states = seen.filter(({ what, wall }) => wall > 10_000 && ["gather", "commit", "recovery", "operational"].includes(what));
    const instants = [...new Set(states.map(({ at }) => at))].sort((a, b) => a - b);
    // 200 µs from node to node are 4 ms at this speed.
    expect(Math.min(...instants.slice(1).map((at, index) => at - (instants[index] ?? 0)))).toBe(200);
    const walls = instants.map((at) => states.find((one) => one.at === at)?.wall ?? Number.NaN);
    const between = walls.slice(1).map((wall, index) => wall - (walls[index] ?? 0));
    expect(between.length).toBeGreaterThan(8);
    expect(Math.min(...between)).toBeGreaterThan(33);
  });

  test("a host that was late goes on from where it is", async () => {
    for (const [speed, most] of [
      [0.01, 1 * MS],
      [SLOW_SPEED_MAX, 5 * MS],
      [1, 2 * SEC],
    ] as const) {
      const { host, world, clock } = start({ speed });
      await clock.pass(500);
      const before = world.now;
      clock.stall(1_500);
      await clock.pass(0);
      expect(world.now - before, `at ${speed}`).toBeGreaterThan(0);
      expect(world.now - before, `at ${speed}`).toBeLessThanOrEqual(most);
      await host.close();
    }
  });

  test("the same acts at the same instants are the same run, whatever the pace", async () => {
    const plain = formed();
    const { host, world, clock } = start({ speed: 50 });
    host.setSlowMode({ onChange: true, speed: 0.01 });
    const from = plain.now;
    for (const one of [plain, world]) {
      one.schedule(from + 2 * SEC, cut);
      one.schedule(from + 12 * SEC, heal);
    }
    const until = from + 20 * SEC;
    let eased = false;
    for (let i = 0; i < 4_000 && world.now < until; i++) {
      await clock.pass(100);
      eased ||= host.motion.eased;
    }
    await host.pause();
    expect(eased).toBe(true);
    expect(world.now).toBeGreaterThanOrEqual(until);
    expect(host.motion.skipped).toBeDefined();
    plain.runUntil(world.now);
    expect(world.digest()).toBe(plain.digest());
    expect(world.checkpoints()).toEqual(plain.checkpoints());
  });

  test("without it nothing slows down, and the wall clock is kept", async () => {
    const { host, world, clock } = start({ speed: 1 });
    const before = world.now;
    await host.act(cut);
    await clock.pass(9_000);
    expect(await host.catchUp()).toBe(before + 9 * SEC);
  });
});

describe("what shows nothing", () => {
  test("is passed over at ×0.01: the token of an idle ring is not still for two seconds", async () => {
    const run = start({ speed: 1 });
    const { host, clock } = run;
    host.setSpeed(0.01, true);
    await clock.pass(2_000);
    const from = clock.now();
    await clock.pass(20_000);
    expect(longestWait(run, "token", from)).toBeLessThan(2_000);
    const { skipped } = host.motion;
    expect((skipped?.to ?? 0) - (skipped?.from ?? 0)).toBeGreaterThan(300 * MS);
  });

  test("is kept where nobody asked to pass over it", async () => {
    const { host, world, clock } = start({ speed: 0.01 });
    const before = world.now;
    await clock.pass(20_000);
    expect(await host.catchUp()).toBe(before + 200 * MS);
    expect(host.motion.skipped).toBeUndefined();
  });

  test("never runs away where nothing happens any more", async () => {
    const { host, world, clock } = start({ speed: 1 });
    for (const machine of world.names) await host.act({ to: "machine", machine, act: { kind: "power-cut" } });
    host.setSpeed(0.01, true);
    const before = world.now;
    await clock.pass(60_000);
    expect(world.now - before).toBeLessThan(10 * 60 * SEC);
  });
});

test("speeds have one table: every name once, in the order of their ranks, from the slowest that a host takes to the fastest", () => {
  const ranks = api.SPEEDS.map(({ speed }) => api.speedRank(speed));
  expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  expect(new Set(api.SPEEDS.map(({ name }) => name)).size).toBe(api.SPEEDS.length);
  expect([api.SPEED_MIN, api.SPEED_MAX, api.SLOW_SPEED_MAX]).toEqual([SPEED_MIN, SPEED_MAX, SLOW_SPEED_MAX]);
  expect([api.SPEEDS[0]?.speed, api.SPEEDS.at(-2)?.speed]).toEqual([SPEED_MIN, SPEED_MAX]);
  expect([api.nextSpeed(0.001, -1), api.nextSpeed(0.03, 1), api.nextSpeed(100, 1), api.nextSpeed("max", 1)]).toEqual([
    undefined,
    0.05,
    "max",
    undefined,
  ]);
  expect([api.speedName(0.001), api.speedName(0.25), api.speedName("max")]).toEqual(["×0.001", "×0.25", "max"]);
});
