/**
 * The past of a run: the state at any instant is what was seen there, a fork given the same inputs ends as the run did, so does a run put back to a snapshot,
 * and what is kept for it is bounded.
 */
import { deserialize, serialize } from "node:v8";
import { describe, expect, test } from "vitest";
import { Past, type HostClock } from "../../src/engine/host/index.ts";
import { HISTORY_SNAPSHOTS_MAX, MS, Rng, SEC, type Instant } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { History, World, type Input, type WorldAct, type WorldSnapshot } from "../../src/engine/world/index.ts";
import { Snapshots } from "../../src/engine/world/snapshots.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { makeTalker, talkers } from "./talker.ts";

const runs = process.env["QUORATE_LONG"] === "1" ? 20 : 8;
const looks = 20;
const length = 70 * SEC;

/** A cluster of 2 to 4 nodes that forms while it is disturbed. */
function cluster(seed: string): World {
  const nodes = 2 + Rng.from(seed, "nodes").below(3);
  const file = defaultLabFile({ nodes, links: 1, clustered: true, name: "lab", seed, epoch: "2026-01-01T00:00:00Z" });
  return new World(worldDesign(file), makeNode);
}

function someAct(world: World, rng: Rng): WorldAct {
  const machine = rng.pick(world.names);
  switch (rng.below(8)) {
    case 0:
      return { to: "fabric", act: { kind: "link-cut", link: { node: machine, direction: rng.pick(["in", "out", "both"] as const) } } };
    case 1:
      return {
        to: "fabric",
        act: { kind: "link-set", link: { node: machine, direction: "both" }, settings: { lossPercent: 20, jitterUs: MS } },
      };
    case 2:
      return { to: "machine", machine, act: { kind: "power-cut" } };
    case 3:
      return { to: "machine", machine, act: { kind: "service", op: "restart", unit: "corosync" } };
    case 4:
      return { to: "machine", machine, act: { kind: rng.below(2) === 0 ? "stall" : "resume" } };
    case 5:
      return {
        to: "machine",
        machine,
        act: { kind: "file-write", path: "/root/note", data: new Uint8Array([rng.below(256)]), append: true },
      };
    case 6:
      return { to: "machine", machine, act: { kind: "power-on" } };
    default:
      return { to: "fabric", act: { kind: "heal" } };
  }
}

interface Seen {
  at: Instant;
  status: string;
  digest: string;
}

const seenAt = (world: World): Seen => ({ at: world.now, status: JSON.stringify(world.statuses()), digest: world.digest() });

/** Goes through a run: acts at random instants, some announced beforehand, looks in between and right after acts; `midway` gets a snapshot. */
function live(world: World, seed: string, each: () => void = () => undefined): { seen: Seen[]; midway: WorldSnapshot } {
  const rng = Rng.from(seed, "life");
  const seen: Seen[] = [];
  let midway = world.snapshot();
  for (let i = 0; i < looks; i++) {
    world.runUntil(world.now + rng.between(1, (2 * length) / looks));
    each();
    if (i % 3 === 0) world.act(someAct(world, rng));
    if (i % 5 === 2) world.schedule(world.now + rng.between(1, 5 * SEC), someAct(world, rng));
    seen.push(seenAt(world));
    if (i === looks / 2) midway = world.snapshot();
  }
  return { seen, midway };
}

/** Stands a world at an instant of the past. */
function at(history: History, instant: Instant): World {
  const journey = history.journey(instant);
  while (!journey.slice(500));
  history.release(journey);
  return journey.world;
}

/** The same inputs from where `world` stands to the end of the run. */
function repeat(world: World, inputs: readonly Input[], end: Instant): string {
  const rest = inputs.slice(world.inputs().length);
  for (const input of rest) expect(world.schedule(input.at, input.act).ok).toBe(true);
  world.runUntil(end);
  return world.digest();
}

describe.each(Array.from({ length: runs }, (_, i) => `run ${i + 1}`))("%s", (seed) => {
  test("its past is what was seen live; a fork and a rollback, given the same inputs, end as it did", () => {
    const world = cluster(seed);
    const history = new History(world, makeNode);
    const { seen, midway } = live(world, seed, () => history.follow(2000));
    const end = world.closeInstant();
    while (!history.follow(1000));
    expect(history.differs()).toBeUndefined();
    // Backwards, so that no look has the last one's world to go on with.
    for (const { at: instant, status, digest } of seen.toReversed()) {
      const then = at(history, instant);
      expect([then.now, JSON.stringify(then.statuses()), then.digest()]).toEqual([instant, status, digest]);
    }
    for (const { at: instant } of [seen[3], seen[14]].filter((s) => s !== undefined)) {
      const fork = new World(world.design, makeNode);
      fork.restore(deserialize(serialize(at(history, instant).snapshot())) as WorldSnapshot);
      expect(repeat(fork, world.inputs(), end.at)).toBe(end.digest);
    }
    const inputs = world.inputs();
    history.rewind(midway);
    world.restore({ ...midway, scheduled: [] });
    expect(repeat(world, inputs, end.at)).toBe(end.digest);
    while (!history.follow(1000));
    expect(history.differs()).toBeUndefined();
    for (const { at: instant, status } of seen) expect(JSON.stringify(at(history, instant).statuses())).toBe(status);
  });
});

describe("a run that was rolled back", () => {
  test("has the past of its new course: nothing of the old one is left, before and after the snapshot", () => {
    const world = cluster("fork in the road");
    const history = new History(world, makeNode);
    world.runUntil(20 * SEC);
    const early = world.snapshot();
    world.act({ to: "machine", machine: "pve2", act: { kind: "power-cut" } });
    world.runUntil(40 * SEC);
    const late = world.snapshot();
    while (!history.follow(5000));
    const lost = JSON.stringify(at(history, 30 * SEC).statuses());

    history.rewind(early);
    world.restore(early);
    world.runUntil(30 * SEC);
    const kept = seenAt(world);
    expect(kept.status).not.toBe(lost);
    world.runUntil(50 * SEC);
    while (!history.follow(5000));
    expect(JSON.stringify(at(history, kept.at).statuses())).toBe(kept.status);

    // On to a snapshot of the course that was given up: its own past is back.
    history.rewind(late);
    world.restore(late);
    world.runUntil(45 * SEC);
    while (!history.follow(5000));
    expect(JSON.stringify(at(history, 30 * SEC).statuses())).toBe(lost);
    expect(history.differs()).toBeUndefined();
  });
});

describe("in the middle of an instant", () => {
  test("the present is had as far as the run is, also when the run began there", () => {
    const world = new World(talkers(4, "steps"), makeTalker);
    world.runUntil(20 * MS);
    const history = new History(world, makeTalker);
    for (let i = 0; i < 50; i++) {
      world.stepEvent();
      expect(at(history, world.now).digest()).toBe(world.digest());
    }
    const other = new History(world, makeTalker, world.snapshot());
    expect(at(other, world.now).digest()).toBe(world.digest());
    expect(at(other, 10 * MS).now).toBe(10 * MS);
  });
});

describe("what is kept", () => {
  const empty = new World(talkers(2, "kept"), makeTalker).snapshot();

  test("is bounded in number, dense for the last minute, sparser the longer ago", () => {
    const kept = new Snapshots();
    const day = 24 * 3600;
    for (let second = 1; second <= day; second++) kept.add({ ...empty, now: second * SEC });
    const ages = kept.instants().map((instant) => day - instant / SEC);
    expect(ages.length).toBe(HISTORY_SNAPSHOTS_MAX);
    expect(ages.filter((age) => age < 60).length).toBeGreaterThanOrEqual(40);
    const gaps = ages.slice(1).map((age, i) => ({ age, gap: (ages[i] ?? 0) - age }));
    for (const { age, gap } of gaps) expect(gap).toBeLessThanOrEqual(2 + (age + 15) / 8);
  });

  test("is bounded in bytes; byte strings that snapshots share count once", () => {
    const own = (): WorldSnapshot => ({ ...empty, machines: [{ data: new Uint8Array(1000) }] });
    const apart = new Snapshots(1000, 50_000);
    for (let i = 1; i <= 200; i++) apart.add({ ...own(), now: i * SEC });
    expect(apart.bytes).toBeLessThanOrEqual(50_000);
    expect(apart.instants().length).toBeGreaterThan(30);
    expect(apart.instants().length).toBeLessThan(51);
    const shared = own();
    const together = new Snapshots(1000, 50_000);
    for (let i = 1; i <= 200; i++) together.add({ ...shared, now: i * SEC });
    expect(together.instants().length).toBe(200);
  });
});

describe("in the background", () => {
  /** A clock on which every look costs half a millisecond, and no time passes otherwise. */
  class Ticks implements HostClock {
    private at = 0;
    private calls: (() => void)[] = [];
    longestMs = 0;

    now(): number {
      this.at += 0.5;
      return this.at;
    }

    after(_ms: number, call: () => void): () => void {
      this.calls.push(call);
      return () => {
        this.calls = this.calls.filter((c) => c !== call);
      };
    }

    /** Runs what is due, once. False if nothing is. */
    tick(): boolean {
      const call = this.calls.shift();
      const before = this.at;
      call?.();
      this.longestMs = Math.max(this.longestMs, this.at - before);
      return call !== undefined;
    }
  }

  test("the replica follows in short slices, and visitors are served before it", async () => {
    const world = cluster("background");
    world.runUntil(25 * SEC);
    const clock = new Ticks();
    const past = new Past(world, makeNode, { clock });
    past.follow();
    const found = past.visit(2 * SEC, (then) => then.now);
    for (let i = 0; i < 20_000 && past.instants().length < 25; i++) clock.tick();
    expect(await found).toBe(2 * SEC);
    expect(past.instants().length).toBeGreaterThanOrEqual(25);
    expect(clock.longestMs).toBeLessThan(12);
    past.close();
    expect(clock.tick()).toBe(false);
  });

  test("far behind, it goes on from the run itself", () => {
    const world = new World(talkers(2, "behind"), makeTalker);
    const clock = new Ticks();
    const past = new Past(world, makeTalker, { clock, snapshot: () => ({ ...world.snapshot(), now: 3600 * SEC }) });
    world.restore({ ...world.snapshot(), now: 3600 * SEC });
    past.follow();
    clock.tick();
    expect(past.instants()).toContain(3600 * SEC);
    past.close();
  });

  test("a replica that does not repeat the run says so and stops", () => {
    const world = new World(talkers(3, "honest"), makeTalker);
    world.runUntil(3 * SEC);
    const told: string[] = [];
    const clock = new Ticks();
    const liar = new Past(world, (design, machine) => makeTalker({ ...design, seed: "another" }, machine), {
      clock,
      onFailure: (text) => told.push(text),
    });
    liar.follow();
    for (let i = 0; i < 1000 && clock.tick(); i++);
    expect(told).toEqual(["the run and its replay differ at 0 s or in the second before"]);
  });

  test.each(["1", "2", "3"])(
    "a run that is put back again and again among acts, and not at once, keeps its past (seed %s)",
    async (seed) => {
      const rng = Rng.from(seed, "rollbacks");
      const world = new World(talkers(3, seed), makeTalker);
      const clock = new Ticks();
      const told: string[] = [];
      const past = new Past(world, makeTalker, { clock, onFailure: (text) => told.push(text) });
      past.follow();
      const kept = [world.snapshot()];
      const ticks = (most: number): void => {
        for (let i = rng.below(most); i > 0; i--) clock.tick();
      };
      for (let i = 0; i < 60; i++) {
        world.runUntil(world.now + rng.between(1, SEC));
        if (rng.below(3) > 0) world.act({ to: "machine", machine: rng.pick(world.names), act: { kind: "stall" } });
        if (rng.below(4) === 0) kept.push(world.snapshot());
        ticks(30);
        if (rng.below(5) > 0) continue;
        const state = rng.pick(kept);
        // The processes of the nodes begin anew meanwhile, which takes its time.
        await past.rewind(state, async () => {
          ticks(60);
          await Promise.resolve();
          ticks(60);
          world.restore(state);
        });
      }
      for (let i = 0; i < 2000 && clock.tick(); i++);
      expect(told).toEqual([]);
      const there = past.visit(world.now, (then) => then.digest());
      for (let i = 0; i < 200 && clock.tick(); i++);
      expect(await there).toBe(world.digest());
      past.close();
    },
  );

  test("too many visitors, a rollback meanwhile, and the end are refused in words", async () => {
    const world = new World(talkers(2, "crowd"), makeTalker);
    world.runUntil(SEC);
    const past = new Past(world, makeTalker, { clock: new Ticks() });
    const waiting = Array.from({ length: 8 }, () => past.visit(5, () => 0));
    await expect(past.visit(5, () => 0)).rejects.toThrow("at most 8 looks into the past can be under way");
    const ends = Promise.all(waiting.map((visit) => expect(visit).rejects.toThrow("rolled back meanwhile")));
    await past.rewind(world.snapshot(), () => Promise.resolve());
    await ends;
    past.close();
    await expect(past.visit(5, () => 0)).rejects.toThrow("the lab is ending");
  });
});
