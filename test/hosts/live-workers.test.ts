// The live host over workers with a wall clock that the test moves on: pacing, pause, step, full speed, waiting, the floor, and a record that replays.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Hub } from "../../src/engine/host/hub.ts";
import { LiveHost, type LiveOptions } from "../../src/engine/host/index.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { replayWorld, type WorldAct } from "../../src/engine/world/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { ManualClock } from "./manual-clock.ts";
import { buildWorker, type Built } from "./worker-program.ts";
import { clusterDesign, worldHere } from "./worlds.ts";

const FORMED = 30 * SEC;
const cutPower: WorldAct = { to: "machine", machine: "pve2", act: { kind: "power-cut" } };

let program: Built;
let pool: WorkerPool;
const hosts: LiveHost[] = [];

beforeAll(async () => {
  program = await buildWorker();
  pool = await WorkerPool.open({ program });
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

afterAll(async () => {
  await pool.close();
  program.remove();
});

async function start(options: LiveOptions = {}): Promise<{ host: LiveHost; clock: ManualClock }> {
  const design = clusterDesign("host", 3);
  const world = worldHere(design);
  world.runUntil(FORMED);
  const clock = new ManualClock();
  const host = new LiveHost(await Hub.start(design, { pool, snapshot: world.snapshot() }), { clock, ...options });
  hosts.push(host);
  return { host, clock };
}

/** Moves the clock on by `ms` in small steps; the workers answer in between, as if they took no time. */
async function pass(host: LiveHost, clock: ManualClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    await clock.pass(Math.min(10, left));
    await host.catchUp();
    await host.whenConfirmed();
  }
}

/** Moves the clock on and on, while the workers take the time they need, until `holds`. */
async function passUntil(clock: ManualClock, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds() && Date.now() < end;) {
    await clock.pass(10);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(holds()).toBe(true);
}

describe("pace", () => {
  test.each([1, 0.01, 0.25, 7])("at ×%d virtual time follows the wall clock", async (speed) => {
    const { host, clock } = await start({ speed });
    await pass(host, clock, 600);
    expect(host.world.now - FORMED).toBe(600 * 1000 * speed);
    expect(host.achieved).toBeCloseTo(speed, 1);
  });

  test("the host grants by itself, without being asked", async () => {
    const { host, clock } = await start();
    let told = 0;
    host.onProgress(() => told++);
    await passUntil(clock, () => host.world.now >= FORMED + SEC && told > 5);
  });

  test("where nobody looks on time comes in larger pieces, and is there for whoever asks", async () => {
    const { host, clock } = await start();
    host.watched(false);
    for (let i = 0; i < 20; i++) await clock.pass(10);
    expect(host.world.now).toBe(FORMED);
    expect(await host.catchUp()).toBe(FORMED + 200 * MS);
    await passUntil(clock, () => host.world.now >= FORMED + 440 * MS);
    expect((host.world.now - FORMED - 200 * MS) / MS).toBeGreaterThanOrEqual(240);
    // What the processes still have to confirm takes wall time, of which the clock here knows nothing.
    await host.whenConfirmed();
    host.watched(true);
    const [from, wall] = [host.world.now, clock.now()];
    await passUntil(clock, () => host.world.now > from);
    expect(clock.now() - wall).toBeLessThanOrEqual(80);
  });

  test("pause stops time, resume goes on without catching up", async () => {
    const { host, clock } = await start();
    await pass(host, clock, 500);
    await host.pause();
    expect(clock.pending).toBe(0);
    await pass(host, clock, 10_000);
    expect([host.world.now - FORMED, host.achieved]).toEqual([500 * MS, 0]);
    host.resume();
    await pass(host, clock, 250);
    expect(host.world.now - FORMED).toBe(750 * MS);
  });

  test("a change of speed holds from that moment on; others are refused", async () => {
    const { host, clock } = await start();
    await pass(host, clock, 1000);
    host.setSpeed(10);
    await pass(host, clock, 100);
    expect(host.world.now - FORMED).toBe(2 * SEC);
    expect(() => host.setSpeed(101)).toThrow("0.001 to 100, or max");
    expect(() => host.setSpeed(Number.NaN)).toThrow("0.001 to 100, or max");
  });

  test("where the machine is too slow it falls behind, says so, and does not catch up later", async () => {
    const { host, clock } = await start({ speed: 100 });
    clock.lookCostMs = 20;
    await pass(host, clock, 2000);
    expect(host.achieved).toBeLessThan(90);
    expect(host.achieved).toBeGreaterThan(0);
    clock.lookCostMs = 0;
    await pass(host, clock, 10);
    const before = host.world.now;
    await pass(host, clock, 200);
    expect(Math.abs(host.world.now - before - 20 * SEC)).toBeLessThan(6 * SEC);
  });

  test("full speed goes on until it is paused", async () => {
    const { host, clock } = await start({ speed: "max" });
    await passUntil(clock, () => host.world.now >= FORMED + 5 * SEC);
    await host.pause();
    const stood = host.world.now;
    await clock.pass(1000);
    expect(host.world.now).toBe(stood);
  });
});

describe("acts, steps, waits", () => {
  test("an act is stamped at the wall clock's instant, and the run replays", async () => {
    const { host, clock } = await start();
    await pass(host, clock, 1230);
    await clock.pass(4);
    expect(await host.act(cutPower)).toMatchObject({ ok: true, at: FORMED + 1234 * MS });
    await host.actAfter(2 * SEC, { to: "machine", machine: "pve2", act: { kind: "power-on" } });
    await pass(host, clock, 12_000);
    expect(host.world.inputs().map((i) => i.at)).toEqual([FORMED + 1234 * MS, FORMED + 3234 * MS]);
    expect(host.world.status("pve2").power).toBe("on");
    await host.pause();
    const end = host.world.closeInstant();
    const again = replayWorld(host.world.design, makeNode, host.world.inputs());
    again.runUntil(end.at);
    expect(again.digest()).toBe(end.digest);
  });

  test("many acts at once come one after the other, each with its own answer", async () => {
    const { host } = await start({ paused: true });
    const cut = (node: string): WorldAct => ({ to: "fabric", act: { kind: "link-cut", link: { node, direction: "both" } } });
    const results = await Promise.all([host.act(cut("pve1")), host.act(cut("pve9")), host.act(cut("pve3")), host.act(cutPower)]);
    expect(results.map((r) => r.ok)).toEqual([true, false, true, true]);
    expect(host.world.inputs()).toHaveLength(3);
    expect(host.world.now).toBe(FORMED);
  });

  test("steps run events and windows while paused", async () => {
    const { host } = await start();
    const before = host.world.events;
    await host.step("event", 3);
    expect([host.world.events - before, host.paused]).toEqual([3, true]);
    const at = host.world.now;
    await host.step("window", 5);
    expect(host.world.now).toBeGreaterThan(at);
  });

  test("waits end when the condition holds, at the bound, and when the host closes", async () => {
    const { host, clock } = await start();
    const reached = host.waitFor(() => host.world.now >= FORMED + 300 * MS, FORMED + 10 * SEC);
    const bounded = host.waitFor(() => false, FORMED + 500 * MS);
    const open = host.waitFor(() => false, FORMED + 100 * SEC);
    await pass(host, clock, 600);
    expect([await reached, await bounded]).toEqual([true, false]);
    await host.close();
    expect(await open).toBe(false);
  });

  test("an unpaced wait runs while paused, and time stands again afterwards", async () => {
    const { host, clock } = await start({ paused: true });
    await host.act(cutPower);
    const parted = (): boolean => host.world.status("pve1").corosync?.members.length === 2;
    const gone = host.runUntilCondition(parted, FORMED + 60 * SEC);
    await passUntil(clock, parted);
    expect(await gone).toBe(true);
    const at = host.world.now;
    expect(at).toBeGreaterThan(FORMED + 2 * SEC);
    await pass(host, clock, 100);
    expect(host.world.now).toBe(at);
  });

  test("after a run ahead time goes on at the lab's pace, from where the run ended", async () => {
    const { host, clock } = await start();
    const ahead = host.runUntilCondition(() => false, FORMED + 60 * SEC, 0);
    let over = false;
    void ahead.then(() => (over = true));
    await passUntil(clock, () => over);
    expect(await ahead).toBe(false);
    const at = host.world.now;
    expect(at).toBeGreaterThanOrEqual(FORMED + 60 * SEC);
    await pass(host, clock, 300);
    expect(host.world.now - at).toBeGreaterThanOrEqual(200 * MS);
    expect(host.world.now - at).toBeLessThan(SEC);
  });

  test("a pause ends a run ahead, also one that looks on itself asks for", async () => {
    const { host, clock } = await start({ paused: true });
    let pausing = false;
    host.onProgress(() => {
      if (host.world.now < FORMED + 30 * SEC || pausing) return;
      pausing = true;
      void host.pause();
    });
    let over = false;
    const ahead = host.runUntilCondition(() => false, FORMED + 3600 * SEC, 0);
    void ahead.then(() => (over = true));
    await passUntil(clock, () => over);
    expect(await ahead).toBe(false);
    // Looked at twice a second.
    expect(host.world.now).toBeGreaterThanOrEqual(FORMED + 30 * SEC);
    expect(host.world.now).toBeLessThan(FORMED + 31 * SEC);
  });

  test("a wait beside a run ahead is answered where it holds", async () => {
    const { host, clock } = await start();
    const waited = host.waitFor(() => host.world.now >= FORMED + 20 * SEC, FORMED + 100 * SEC);
    let over = false;
    void host.runUntilCondition(() => false, FORMED + 60 * SEC, 0).then(() => (over = true));
    await passUntil(clock, () => over);
    expect(await waited).toBe(true);
  });

  test("a process that fell silent unseen does not spoil the way back", async () => {
    const { host } = await start({ paused: true });
    const before = host.world.snapshot();
    process.kill(host.pidOf("pve3") ?? 0, "SIGSTOP");
    await host.restore(before);
    await host.step("window", 50);
    expect(host.world.status("pve3")).toMatchObject({ power: "on", worker: "alive" });
  });

  test("who has the floor stops time, for a bounded while", async () => {
    const { host, clock } = await start({ floorBoundMs: 1000 });
    await pass(host, clock, 100);
    const release = host.hold();
    await pass(host, clock, 900);
    expect([host.world.now - FORMED, host.held]).toEqual([100 * MS, true]);
    await pass(host, clock, 200);
    expect(host.held).toBe(false);
    expect(host.world.now - FORMED).toBe(200 * MS);
    release();
  });

  test("a snapshot is gone back to, and the way on is the same", async () => {
    const { host } = await start({ paused: true });
    const start0 = host.world.snapshot();
    await host.step("window", 200);
    const first = [host.world.now, host.world.digest()];
    await host.restore(start0);
    expect(host.world.now).toBe(FORMED);
    await host.step("window", 200);
    expect([host.world.now, host.world.digest()]).toEqual(first);
  });
});

describe("faults of the lab itself", () => {
  test("a lost worker is told and time goes on", async () => {
    const said: string[] = [];
    const { host, clock } = await start({ onLost: (machine, why) => said.push(`${machine} ${why}`) });
    await pass(host, clock, 100);
    process.kill(host.pidOf("pve3") ?? 0, "SIGKILL");
    await passUntil(clock, () => said.length > 0);
    expect(said).toEqual(["pve3 was ended by SIGKILL"]);
    // What fell due while the workers took their time is granted first.
    await pass(host, clock, 20);
    const at = await host.catchUp();
    await pass(host, clock, 100);
    expect(host.world.now).toBe(at + 100 * MS);
    expect(host.world.status("pve3")).toMatchObject({ power: "off", worker: "lost" });
  });

  test("a difference between a process and the node here stops time for good, and is told once", async () => {
    const design = clusterDesign("host", 3);
    const hub = await Hub.start(design, {
      pool,
      makeMachine: (facts, machine) => makeNode({ ...facts, seed: machine.name === "pve1" ? "another" : facts.seed }, machine),
    });
    const failures: unknown[] = [];
    const clock = new ManualClock();
    const host = new LiveHost(hub, { clock, onFailure: (error) => failures.push(error) });
    hosts.push(host);
    await passUntil(clock, () => failures.length > 0);
    expect(failures.map(String)).toEqual([expect.stringMatching(/^Error: pve1: its process /)]);
    const at = host.world.now;
    await clock.pass(1000);
    expect([host.world.now, clock.pending]).toEqual([at, 0]);
  });
});
