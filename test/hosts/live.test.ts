// The live host over the driver of this process, with a wall clock that the test moves on: pacing, pause, step, full speed, waiting, the floor.
import { describe, expect, test } from "vitest";
import { InProcessDriver, LiveHost, type LiveOptions } from "../../src/engine/host/index.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { World, replayWorld, type WorldAct } from "../../src/engine/world/index.ts";
import { ManualClock } from "./manual-clock.ts";
import { makeTalker, talkers } from "./talker.ts";

function start(options: LiveOptions = {}, seed = "h"): { host: LiveHost; world: World; clock: ManualClock } {
  const clock = new ManualClock();
  const world = new World(talkers(3, seed), makeTalker);
  return { host: new LiveHost(new InProcessDriver(world), { clock, ...options }), world, clock };
}

const stall: WorldAct = { to: "machine", machine: "m1", act: { kind: "stall" } };

describe("pace", () => {
  test.each([1, 0.01, 0.25, 7, 100])("at ×%d virtual time follows the wall clock", async (speed) => {
    const { host, world, clock } = start({ speed });
    await clock.pass(600);
    expect(Math.abs(world.now - 600 * 1000 * speed)).toBeLessThanOrEqual(51_000 * speed);
    expect(await host.catchUp()).toBe(600 * 1000 * speed);
    expect(host.achieved).toBeCloseTo(speed, 1);
  });

  test("pause stops time, resume goes on without catching up", async () => {
    const { host, world, clock } = start();
    await clock.pass(500);
    await host.pause();
    expect(world.now).toBe(500 * MS);
    expect(clock.pending).toBe(0);
    await clock.pass(10_000);
    expect([world.now, host.achieved]).toEqual([500 * MS, 0]);
    host.resume();
    await clock.pass(250);
    expect(await host.catchUp()).toBe(750 * MS);
  });

  test("a change of speed holds from that moment on; others are refused", async () => {
    const { host, clock } = start();
    await clock.pass(1000);
    host.setSpeed(10);
    await clock.pass(1000);
    expect(await host.catchUp()).toBe(11 * SEC);
    expect(() => host.setSpeed(101)).toThrow("0.001 to 100, or max");
    expect(() => host.setSpeed(Number.NaN)).toThrow("0.001 to 100, or max");
  });

  test("full speed leaves the thread at every slice and outruns the clock", async () => {
    const { host, world, clock } = start({ speed: "max" });
    clock.lookCostMs = 1;
    await clock.pass(500);
    expect(world.now).toBeGreaterThan(1 * SEC);
    expect(host.achieved).toBeGreaterThan(1);
    await host.pause();
  });

  test("where the machine is too slow it falls behind, says so, and does not catch up later", async () => {
    const { host, world, clock } = start({ speed: 100 });
    clock.lookCostMs = 5;
    await clock.pass(2000);
    expect(host.achieved).toBeLessThan(90);
    expect(host.achieved).toBeGreaterThan(0);
    clock.lookCostMs = 0;
    await clock.pass(100);
    const before = world.now;
    await clock.pass(200);
    expect(Math.abs(world.now - before - 20 * SEC)).toBeLessThan(6 * SEC);
  });

  test("an act is stamped at the wall clock's instant, and the run replays", async () => {
    const { host, world, clock } = start();
    await clock.pass(1234);
    expect(await host.act(stall)).toMatchObject({ ok: true, at: 1234 * MS });
    await host.actAfter(2 * SEC, { to: "machine", machine: "m1", act: { kind: "resume" } });
    await clock.pass(3000);
    expect(world.inputs().map((i) => i.at)).toEqual([1234 * MS, 3234 * MS]);
    const end = world.closeInstant();
    const again = replayWorld(world.design, makeTalker, world.inputs());
    again.runUntil(end.at);
    expect(again.digest()).toBe(end.digest);
  });
});

describe("steps", () => {
  test("one event, one window", async () => {
    const { host, world, clock } = start();
    await clock.pass(100);
    const events = world.events;
    await host.step("event", 3);
    expect([host.paused, world.events]).toEqual([true, events + 3]);
    const next = world.nextAt();
    await host.step("window", 1);
    expect(world.now).toBe(next + 200);
    await clock.pass(1000);
    expect(world.now).toBe(next + 200);
  });
});

describe("waiting", () => {
  test("paced: true within a millisecond of the moment, and time stands until the caller has had its turn", async () => {
    const { host, world, clock } = start({ speed: 100 });
    let at = -1;
    void host
      .waitFor(() => world.events >= 500, 60 * SEC)
      .then((held) => {
        at = held ? world.now : -2;
        host.hold();
      });
    await clock.pass(900);
    expect(at).toBeGreaterThan(0);
    const reference = new World(talkers(3, "h"), makeTalker);
    while (reference.events < 500) reference.stepEvent();
    expect(at - reference.now).toBeLessThanOrEqual(MS);
    expect(world.now).toBe(at);
  });

  test("a sleep ends at its very instant", async () => {
    const { host, world, clock } = start({ speed: 3 });
    await clock.pass(100);
    const until = (await host.catchUp()) + 123_456;
    let woke = -1;
    void host.waitFor(() => false, until).then(() => (woke = world.now));
    await clock.pass(1000);
    expect(woke).toBe(until);
  });

  test("unpaced, also while paused: to the condition or to its end, at the same instant on every run", async () => {
    const instants: number[] = [];
    for (const lookCostMs of [0, 3]) {
      const { host, world, clock } = start({ paused: true });
      clock.lookCostMs = lookCostMs;
      let held: boolean | undefined;
      void host.runUntilCondition(() => world.events >= 5000, 60 * SEC).then((h) => (held = h));
      await clock.pass(100_000);
      expect(held).toBe(true);
      instants.push(world.now);
      void host.runUntilCondition(() => false, world.now + 5 * SEC).then((h) => (held = h));
      const before = world.now;
      await clock.pass(100_000);
      expect([held, world.now, host.paused]).toEqual([false, before + 5 * SEC, true]);
    }
    expect(instants[0]).toBe(instants[1]);
  });

  test("closing the host ends every wait", async () => {
    const { host, clock } = start();
    const wait = host.waitFor(() => false, SEC);
    await host.close();
    expect(await wait).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe("the floor", () => {
  test("who has it stops time; two must both give it back; nothing is caught up", async () => {
    const { host, world, clock } = start({ floorBoundMs: Number.POSITIVE_INFINITY });
    await clock.pass(100);
    const first = host.hold();
    const second = host.hold();
    await clock.pass(5000);
    expect(world.now).toBe(100 * MS);
    first();
    await clock.pass(100);
    expect([world.now, host.held]).toEqual([100 * MS, true]);
    second();
    second();
    await clock.pass(100);
    expect(await host.catchUp()).toBe(200 * MS);
  });

  test("in a live lab it lapses after a second", async () => {
    const { host, clock } = start();
    host.hold();
    await clock.pass(1500);
    expect(await host.catchUp()).toBe(500 * MS);
    expect(host.held).toBe(false);
  });

  test("an unpaced run waits for it too", async () => {
    const { host, world, clock } = start({ paused: true, floorBoundMs: Number.POSITIVE_INFINITY });
    const release = host.hold();
    void host.runUntilCondition(() => false, SEC);
    await clock.pass(100);
    expect(world.now).toBe(0);
    release();
    await clock.pass(100);
    expect(world.now).toBe(SEC);
  });
});

test("a broken world stops the host and is reported", async () => {
  const clock = new ManualClock();
  const world = new World(talkers(2, "x"), (w, m) => {
    const machine = makeTalker(w, m);
    machine.receive = () => {
      throw new Error("broken");
    };
    return machine;
  });
  const failures: unknown[] = [];
  new LiveHost(new InProcessDriver(world), { clock, onFailure: (e) => failures.push(e) });
  await clock.pass(1000);
  expect(failures).toEqual([new Error("broken")]);
  expect(clock.pending).toBe(0);
});

test("after an unpaced run time goes on at the lab's pace, from where the run ended", async () => {
  const { host, world, clock } = start({ speed: 1 });
  await clock.pass(100);
  void host.runUntilCondition(() => false, 100 * SEC);
  await clock.pass(200);
  const ended = world.now;
  expect(ended).toBeGreaterThanOrEqual(100 * SEC);
  await clock.pass(2000);
  expect(world.now - ended).toBeGreaterThan(1.5 * SEC);
  expect(world.now - ended).toBeLessThan(2.5 * SEC);
});
