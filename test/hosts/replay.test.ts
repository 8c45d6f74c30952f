// Real nodes: a run replays from its inputs to the same trace digest, also from a snapshot in the middle; and questions leave the digest unchanged.
import { describe, expect, test } from "vitest";
import { MS, Rng, SEC, type MachineQuery } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World, parseRecord, printRecord, replay, replayWorld, type MachineFactory, type WorldAct } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { sendingNodes } from "../../src/engine/fuzz/index.ts";
import { scheduleOf } from "../property/schedule.ts";

const RUNS = process.env["QUORATE_LONG"] === "1" ? 25 : 10;
const END = 110 * SEC;

/** Tools that act or wait: each becomes an input of the run. */
const TOOLS: readonly (readonly string[])[] = [
  ["corosync-quorumtool", "-v", "2", "-n", "1"],
  ["corosync-quorumtool", "-e", "9"],
  ["pvecm", "expected", "3"],
  ["corosync-cfgtool", "-k", "2"],
  ["systemctl", "restart", "corosync"],
  ["journalctl", "-u", "corosync", "-f"],
];

const QUESTIONS: readonly MachineQuery[] = [
  ...[
    ["corosync-quorumtool", "-s"],
    ["corosync-quorumtool", "-l", "-i"],
    ["corosync-cfgtool", "-s"],
    ["corosync-cfgtool", "-n"],
    ["corosync-cmapctl"],
    ["corosync-cmapctl", "-m", "stats"],
    ["pvecm", "status"],
    ["pvecm", "nodes"],
    ["systemctl", "status", "corosync"],
    ["journalctl", "-u", "corosync", "-n", "20"],
    ["no-such-command"],
  ].map((argv): MachineQuery => ({ kind: "command", argv, cwd: "/root", stdin: "" })),
  { kind: "file-read", path: "/etc/corosync/corosync.conf" },
  { kind: "file-list", path: "/etc" },
  { kind: "file-stat", path: "/var/lib/corosync" },
  { kind: "complete", argv: ["corosync-quorumtool", "-"], cwd: "/" },
];

interface Run {
  readonly world: World;
  readonly make: MachineFactory;
}

/** A cluster of three or five nodes, its faults, and tools called in the middle. Nothing has happened yet. */
function open(seed: string): Run {
  const nodes = Number(seed.slice(1)) % 2 === 0 ? 3 : 5;
  const schedule = scheduleOf(seed, { nodes: [nodes, nodes], links: [1, 2] });
  const lab = defaultLabFile({ nodes, links: schedule.links, clustered: true, name: seed, seed, epoch: "2026-01-01T00:00:00Z" });
  const make = sendingNodes({ from: 15 * SEC, until: 80 * SEC, every: 400 * MS, burst: 2, bytes: 100 }, { sent: 0, delivered: 0 });
  const world = new World(worldDesign(lab), make);
  for (const act of schedule.acts) world.schedule(act.at, act.act);
  const rng = Rng.from(seed, "tools");
  for (let i = 0; i < 8; i++) {
    const machine = `pve${rng.between(1, nodes)}`;
    const act: WorldAct = { to: "machine", machine, act: { kind: "command", id: `c${i}`, argv: rng.pick(TOOLS), cwd: "/root", stdin: "" } };
    world.schedule(20 * SEC + rng.below(60 * SEC), act);
  }
  world.schedule(40 * SEC, {
    to: "machine",
    machine: "pve1",
    act: { kind: "file-write", path: "/root/notes", data: Uint8Array.of(1, 2, 255), append: true },
  });
  return { world, make };
}

describe("runs of real nodes", () => {
  test.each(Array.from({ length: RUNS }, (_, i) => `h${i}`))("%s replays, and goes on from a snapshot, to the same digest", (seed) => {
    const { world, make } = open(seed);
    world.runUntil(45 * SEC + 12_345);
    const middle = structuredClone(world.snapshot());
    const before = world.digest();
    // A person steps, and acts in the middle of an instant.
    for (let i = 0; i < 50; i++) world.stepEvent();
    world.act({ to: "machine", machine: "pve2", act: { kind: "service", op: "restart", unit: "corosync" } });
    world.runUntil(END);

    const again = replayWorld(world.design, make, world.inputs());
    again.runUntil(END);
    expect(again.digest()).toBe(world.digest());

    const resumed = new World(world.design, make);
    resumed.restore(middle);
    expect(resumed.digest()).toBe(before);
    for (const input of world.inputs().slice(middle.inputs.length)) {
      if (!middle.scheduled.some((s) => s.at === input.at && JSON.stringify(s.act) === JSON.stringify(input.act))) {
        expect(resumed.schedule(input.at, input.act).ok).toBe(true);
      }
    }
    resumed.runUntil(END);
    expect(resumed.digest()).toBe(world.digest());
    expect(world.events).toBeGreaterThan(5000);
  });

  test("another seed is another run", () => {
    const digests = ["h0", "h2"].map((seed) => {
      const { world } = open(seed);
      world.runUntil(30 * SEC);
      return world.digest();
    });
    expect(digests[0]).not.toBe(digests[1]);
  });

  test("the record of a run, written and read again, replays and is equal to the end", () => {
    const { world, make } = open("h4");
    world.runUntil(60 * SEC);
    const end = world.closeInstant();
    const read = parseRecord(printRecord({ lab: "", inputs: [...world.inputs()], checkpoints: [...world.checkpoints()], end }));
    if (!read.ok) throw new Error(read.message);
    expect(replay(world.design, make, read.record)).toMatchObject({ equal: true, digest: end.digest, instant: end.at });
  });

  test("questions of every kind, to machines in every state, leave the digest unchanged", () => {
    const asked = open("h1").world;
    const silent = open("h1").world;
    const answers = new Map<string, number>();
    for (let at = SEC / 2; at <= 90 * SEC; at += SEC / 2) {
      asked.runUntil(at);
      silent.runUntil(at);
      for (const name of asked.names) {
        const question = QUESTIONS[(at / (SEC / 2)) % QUESTIONS.length];
        if (question === undefined) throw new Error("no question");
        const { kind } = asked.query(name, question);
        answers.set(kind, (answers.get(kind) ?? 0) + 1);
      }
      asked.statuses();
      expect(asked.digest()).toBe(silent.digest());
    }
    for (const kind of ["result", "no-such-command", "file", "list", "stat", "completions"])
      expect(answers.get(kind) ?? 0).toBeGreaterThan(5);
    expect(asked.snapshot()).toEqual(silent.snapshot());
  });
});

test("a lone machine without a cluster idles without events", () => {
  const lab = defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "one", seed: "1", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(lab), makeNode);
  world.runUntil(60 * SEC);
  const events = world.events;
  world.runUntil(3600 * SEC);
  expect(world.events).toBe(events);
});
