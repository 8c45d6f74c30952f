// The live host on workers with a wall clock that the test turns: pacing, pause, step, full speed, waiting, the floor, and a record that replays.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Crew } from "../../src/engine/host/crew.ts";
import { Hub } from "../../src/engine/host/hub.ts";
import { WorkersHost, type WorkersHostOptions } from "../../src/engine/host/workers.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { replayWorld, type WorldAct } from "../../src/engine/world/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { Hands } from "./hands.ts";
import { buildWorker, type Built } from "./worker-program.ts";
import { clusterDesign, worldHere } from "./worlds.ts";

const FORMED = 30 * SEC;
const cutPower: WorldAct = { to: "machine", machine: "pve2", act: { kind: "power-cut" } };

let program: Built;
let crew: Crew;
const hosts: WorkersHost[] = [];

beforeAll(async () => {
  program = await buildWorker();
  crew = await Crew.open({ program });
});

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

afterAll(async () => {
  await crew.close();
  program.remove();
});

async function start(options: WorkersHostOptions = {}): Promise<{ host: WorkersHost; hands: Hands }> {
  const design = clusterDesign("host", 3);
  const world = worldHere(design);
  world.runUntil(FORMED);
  const hands = new Hands();
  const host = new WorkersHost(await Hub.start(design, { crew, snapshot: world.snapshot() }), { clock: hands, ...options });
  hosts.push(host);
  return { host, hands };
}

/** Turns the hands by `ms` in small steps; the workers answer in between, as if they took no time. */
async function pass(host: WorkersHost, hands: Hands, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10) {
    await hands.turn(Math.min(10, left));
    await host.catchUp();
  }
}

/** Turns the hands on and on, while the workers take the time they need, until `holds`. */
async function turnUntil(hands: Hands, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !holds() && Date.now() < end;) {
    await hands.turn(10);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(holds()).toBe(true);
}

describe("pace", () => {
  test.each([1, 0.01, 0.25, 7])("at ×%d virtual time follows the wall clock", async (speed) => {
    const { host, hands } = await start({ speed });
    await pass(host, hands, 600);
    expect(host.now() - FORMED).toBe(600 * 1000 * speed);
    expect(host.achieved).toBeCloseTo(speed, 1);
  });

  test("the host grants by itself, without being asked", async () => {
    const { host, hands } = await start();
    let told = 0;
    host.onProgress(() => told++);
    await turnUntil(hands, () => host.now() >= FORMED + SEC && told > 5);
  });

  test("where nobody looks on time comes in larger pieces, and is there for whoever asks", async () => {
    const { host, hands } = await start();
    host.watched(false);
    for (let i = 0; i < 20; i++) await hands.turn(10);
    expect(host.now()).toBe(FORMED);
    expect(await host.catchUp()).toBe(FORMED + 200 * MS);
    await turnUntil(hands, () => host.now() >= FORMED + 440 * MS);
    expect((host.now() - FORMED - 200 * MS) / MS).toBeGreaterThanOrEqual(240);
    host.watched(true);
    const [from, wall] = [host.now(), hands.now()];
    await turnUntil(hands, () => host.now() > from);
    expect(hands.now() - wall).toBeLessThanOrEqual(80);
  });

  test("pause stops time, resume goes on without catching up", async () => {
    const { host, hands } = await start();
    await pass(host, hands, 500);
    await host.pause();
    expect(hands.pending).toBe(0);
    await pass(host, hands, 10_000);
    expect([host.now() - FORMED, host.achieved]).toEqual([500 * MS, 0]);
    host.resume();
    await pass(host, hands, 250);
    expect(host.now() - FORMED).toBe(750 * MS);
  });

  test("a change of speed holds from that moment on; others are refused", async () => {
    const { host, hands } = await start();
    await pass(host, hands, 1000);
    host.setSpeed(10);
    await pass(host, hands, 100);
    expect(host.now() - FORMED).toBe(2 * SEC);
    expect(() => host.setSpeed(101)).toThrow("0.01 to 100, or max");
    expect(() => host.setSpeed(Number.NaN)).toThrow("0.01 to 100, or max");
  });

  test("where the machine is too slow it falls behind, says so, and does not catch up later", async () => {
    const { host, hands } = await start({ speed: 10 });
    hands.lookCostMs = 20;
    await pass(host, hands, 2000);
    expect(host.achieved).toBeLessThan(9);
    expect(host.achieved).toBeGreaterThan(0);
    hands.lookCostMs = 0;
    await pass(host, hands, 10);
    const before = host.now();
    await pass(host, hands, 200);
    expect(host.now() - before).toBe(2 * SEC);
  });

  test("full speed goes on until it is paused", async () => {
    const { host, hands } = await start({ speed: "max" });
    await turnUntil(hands, () => host.now() >= FORMED + 5 * SEC);
    await host.pause();
    const stood = host.now();
    await hands.turn(1000);
    expect(host.now()).toBe(stood);
  });
});

describe("acts, steps, waits", () => {
  test("an act is stamped at the wall clock's instant, and the run replays", async () => {
    const { host, hands } = await start();
    await pass(host, hands, 1230);
    await hands.turn(4);
    expect(await host.act(cutPower)).toMatchObject({ ok: true, at: FORMED + 1234 * MS });
    await host.actAfter(2 * SEC, { to: "machine", machine: "pve2", act: { kind: "power-on" } });
    await pass(host, hands, 12_000);
    expect(host.world.inputs().map((i) => i.at)).toEqual([FORMED + 1234 * MS, FORMED + 3234 * MS]);
    expect(host.world.status("pve2").power).toBe("on");
    await host.pause();
    const end = await host.hub.closeInstant();
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
    expect(host.now()).toBe(FORMED);
  });

  test("steps run events and windows while paused", async () => {
    const { host } = await start();
    const before = host.world.events;
    await host.step("event", 3);
    expect([host.world.events - before, host.paused]).toEqual([3, true]);
    const at = host.now();
    await host.step("window", 5);
    expect(host.now()).toBeGreaterThan(at);
  });

  test("waits end when the condition holds, at the bound, and when the host closes", async () => {
    const { host, hands } = await start();
    const reached = host.waitFor(() => host.now() >= FORMED + 300 * MS, FORMED + 10 * SEC);
    const bounded = host.waitFor(() => false, FORMED + 500 * MS);
    const open = host.waitFor(() => false, FORMED + 100 * SEC);
    await pass(host, hands, 600);
    expect([await reached, await bounded]).toEqual([true, false]);
    await host.close();
    expect(await open).toBe(false);
  });

  test("an unpaced wait runs while paused, and time stands again afterwards", async () => {
    const { host, hands } = await start({ paused: true });
    await host.act(cutPower);
    const parted = (): boolean => host.world.status("pve1").corosync?.members.length === 2;
    const gone = host.runUntilCondition(parted, FORMED + 60 * SEC);
    await turnUntil(hands, parted);
    expect(await gone).toBe(true);
    const at = host.now();
    expect(at).toBeGreaterThan(FORMED + 2 * SEC);
    await pass(host, hands, 100);
    expect(host.now()).toBe(at);
  });

  test("after a run ahead time goes on at the lab's pace, from where the run ended", async () => {
    const { host, hands } = await start();
    const ahead = host.runUntilCondition(() => false, FORMED + 60 * SEC, 0);
    let over = false;
    void ahead.then(() => (over = true));
    await turnUntil(hands, () => over);
    expect(await ahead).toBe(false);
    const at = host.now();
    expect(at).toBeGreaterThanOrEqual(FORMED + 60 * SEC);
    await pass(host, hands, 300);
    expect(host.now() - at).toBeGreaterThanOrEqual(200 * MS);
    expect(host.now() - at).toBeLessThan(SEC);
  });

  test("a pause ends a run ahead, also one that looks on itself asks for", async () => {
    const { host, hands } = await start({ paused: true });
    let pausing = false;
    host.onProgress(() => {
      if (host.now() < FORMED + 30 * SEC || pausing) return;
      pausing = true;
      void host.pause();
    });
    let over = false;
    const ahead = host.runUntilCondition(() => false, FORMED + 3600 * SEC, 0);
    void ahead.then(() => (over = true));
    await turnUntil(hands, () => over);
    expect(await ahead).toBe(false);
    // Looked at twice a second.
    expect(host.now()).toBeGreaterThanOrEqual(FORMED + 30 * SEC);
    expect(host.now()).toBeLessThan(FORMED + 31 * SEC);
  });

  test("a wait beside a run ahead is answered where it holds", async () => {
    const { host, hands } = await start();
    const waited = host.waitFor(() => host.now() >= FORMED + 20 * SEC, FORMED + 100 * SEC);
    let over = false;
    void host.runUntilCondition(() => false, FORMED + 60 * SEC, 0).then(() => (over = true));
    await turnUntil(hands, () => over);
    expect(await waited).toBe(true);
  });

  test("a process that fell silent unseen does not spoil the way back", async () => {
    const { host } = await start({ paused: true });
    const before = host.hub.snapshot();
    process.kill(host.hub.pidOf("pve3") ?? 0, "SIGSTOP");
    await host.restore(before);
    await host.step("window", 50);
    expect(host.world.status("pve3")).toMatchObject({ power: "on", worker: "alive" });
  });

  test("who has the floor stops time, for a bounded while", async () => {
    const { host, hands } = await start({ floorBoundMs: 1000 });
    await pass(host, hands, 100);
    const release = host.hold();
    await pass(host, hands, 900);
    expect([host.now() - FORMED, host.held]).toEqual([100 * MS, true]);
    await pass(host, hands, 200);
    expect(host.held).toBe(false);
    expect(host.now() - FORMED).toBe(200 * MS);
    release();
  });

  test("a snapshot is gone back to, and the way on is the same", async () => {
    const { host } = await start({ paused: true });
    const start0 = host.hub.snapshot();
    await host.step("window", 200);
    const first = [host.now(), host.world.digest()];
    await host.restore(start0);
    expect(host.now()).toBe(FORMED);
    await host.step("window", 200);
    expect([host.now(), host.world.digest()]).toEqual(first);
  });
});

describe("faults of the lab itself", () => {
  test("a lost worker is told and time goes on", async () => {
    const said: string[] = [];
    const { host, hands } = await start({ onLost: (machine, why) => said.push(`${machine} ${why}`) });
    await pass(host, hands, 100);
    process.kill(host.hub.pidOf("pve3") ?? 0, "SIGKILL");
    await turnUntil(hands, () => said.length > 0);
    expect(said).toEqual(["pve3 was ended by SIGKILL"]);
    const at = await host.catchUp();
    await pass(host, hands, 100);
    expect(host.now()).toBe(at + 100 * MS);
    expect(host.world.status("pve3")).toMatchObject({ power: "off", worker: "lost" });
  });

  test("a difference between a process and the node here stops time for good, and is told once", async () => {
    const design = clusterDesign("host", 3);
    const hub = await Hub.start(design, {
      crew,
      makeMachine: (facts, machine) => makeNode({ ...facts, seed: machine.name === "pve1" ? "another" : facts.seed }, machine),
    });
    const failures: unknown[] = [];
    const hands = new Hands();
    const host = new WorkersHost(hub, { clock: hands, onFailure: (error) => failures.push(error) });
    hosts.push(host);
    await turnUntil(hands, () => failures.length > 0);
    expect(failures.map(String)).toEqual([expect.stringMatching(/^Error: pve1: its process /)]);
    const at = host.now();
    await hands.turn(1000);
    expect([host.now(), hands.pending]).toEqual([at, 0]);
  });
});
