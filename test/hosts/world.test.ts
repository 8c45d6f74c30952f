// The world by itself, with small machines that talk at random: order, stamps, faults, snapshots, forks, records.
import { describe, expect, test } from "vitest";
import { MS, SEC, type MachineAct } from "../../src/engine/kernel/index.ts";
import { World, parseRecord, printRecord, replay, replayWorld, type WorldAct } from "../../src/engine/world/index.ts";
import { FlightQueue, flightBefore, type Flight } from "../../src/engine/world/queue.ts";
import type { Direction, LinkSettings } from "../../src/engine/fabric/index.ts";
import { makeTalker, talkers, type Talker } from "./talker.ts";
import { resummed } from "../records.ts";

const on = (machine: string, act: MachineAct): WorldAct => ({ to: "machine", machine, act });
const cut = (node: string, direction: Direction | "both" = "both", to?: string): WorldAct => ({
  to: "fabric",
  act: { kind: "link-cut", link: { node, direction, ...(to === undefined ? {} : { to }) } },
});

/** A world and its machines, to look inside. */
function open(count: number, seed = "s"): { world: World; machines: Map<string, Talker> } {
  const machines = new Map<string, Talker>();
  const world = new World(talkers(count, seed), (w, m) => {
    const made = makeTalker(w, m);
    machines.set(m.name, made);
    return made;
  });
  return { world, machines };
}

/** Says `text` from `from` to everybody and returns who heard it, with how long it took. */
function heardBy(world: World, machines: Map<string, Talker>, from: string, text: string): Record<string, number[]> {
  const start = world.now;
  const said = world.act(on(from, { kind: "command", id: text, argv: [text], cwd: "/", stdin: "" }));
  if (!said.ok) throw new Error(said.message);
  world.runUntil(start + SEC);
  const out: Record<string, number[]> = {};
  for (const [name, machine] of machines) {
    const times = machine.received().filter((r) => r.text === text);
    if (times.length > 0) out[name] = times.map((r) => r.at - said.at);
  }
  return out;
}

describe("time", () => {
  test("runs everything before an instant and stands there", () => {
    const { world, machines } = open(3);
    world.runUntil(50 * MS);
    expect(world.now).toBe(50 * MS);
    expect(world.nextAt()).toBeGreaterThanOrEqual(50 * MS);
    for (const m of machines.values()) for (const r of m.received()) expect(r.at).toBeLessThan(50 * MS);
    expect(world.events).toBeGreaterThan(100);
  });

  test("goes the same way by events, by windows, in one go and in slices", () => {
    const until = 300 * MS;
    const whole = open(4).world;
    whole.runUntil(until);
    const byEvent = open(4).world;
    while (byEvent.nextAt() < until) byEvent.stepEvent();
    byEvent.runUntil(until);
    const byWindow = open(4).world;
    while (byWindow.nextAt() + 200 < until) byWindow.runWindow();
    byWindow.runUntil(until);
    const slices = open(4).world;
    while (!slices.runUntil(until, 7));
    expect([byEvent.digest(), byWindow.digest(), slices.digest()]).toEqual([whole.digest(), whole.digest(), whole.digest()]);
    expect(open(4, "other").world.digest()).not.toBe(whole.digest());
  });

  test("delivers in the order instant, target, source, link, count", () => {
    const flights: Flight[] = [];
    for (let i = 0; i < 500; i++) {
      const datagram = { proto: "udp" as const, net: "n", src: "", srcPort: 0, dst: "", dstPort: 0, bytes: new Uint8Array() };
      flights.push({ at: (i * 7) % 5, target: (i * 3) % 4, source: (i * 5) % 3, link: i % 2, sequence: i, datagram });
    }
    const queue = new FlightQueue();
    for (const f of flights) queue.push(f);
    const out: Flight[] = [];
    for (let f = queue.pop(); f !== undefined; f = queue.pop()) out.push(f);
    const sorted = [...flights].sort((a, b) => (flightBefore(a, b) ? -1 : 1));
    expect(out.map((f) => f.sequence)).toEqual(sorted.map((f) => f.sequence));
  });
});

describe("acts", () => {
  test("an act comes before the events of its instant, and in the order of asking", () => {
    const { world } = open(2);
    world.schedule(5 * MS, on("m1", { kind: "stall" }));
    world.schedule(5 * MS, on("m2", { kind: "stall" }));
    world.schedule(2 * MS, on("m1", { kind: "resume" }));
    const order: string[] = [];
    world.watch({ input: (i) => order.push(`${i.at} ${i.act.to === "machine" ? `${i.act.machine} ${i.act.act.kind}` : ""}`) });
    world.runUntil(5 * MS);
    world.act(on("m2", { kind: "resume" }));
    expect(order).toEqual(["2000 m1 resume", "5000 m1 stall", "5000 m2 stall", "5000 m2 resume"]);
    expect(world.inputs().map((i) => i.at)).toEqual([2000, 5000, 5000, 5000]);
  });

  test("an act in the middle of an instant is stamped one microsecond later", () => {
    const { world } = open(3);
    const stepped = world.stepEvent();
    const result = world.act(on("m1", { kind: "stall" }));
    expect(result).toMatchObject({ ok: true, at: (stepped?.at ?? 0) + 1 });
    expect(world.now).toBe((stepped?.at ?? 0) + 1);
  });

  test("returns what the machine answered at once", () => {
    const { world } = open(2);
    const result = world.act(on("m1", { kind: "file-write", path: "/a", data: new Uint8Array([1]), append: false }));
    expect(result.ok && result.effects[0]).toEqual({ kind: "file-result", path: "/a", error: undefined });
  });

  test("refuses what is not there, in one line that names what is", () => {
    const { world } = open(2);
    expect(world.act(on("m9", { kind: "stall" }))).toEqual({
      ok: false,
      code: "no-such-machine",
      message: "no machine m9; there are m1, m2",
    });
    expect(world.act(cut("m9"))).toMatchObject({ ok: false, code: "bad-fault", message: "no machine m9; there are m1, m2" });
    expect(world.act(cut("m1", "both", "m1"))).toMatchObject({ ok: false, message: "m1 has no cable to itself" });
    const bad: LinkSettings = { lossPercent: 101 };
    expect(world.act({ to: "fabric", act: { kind: "link-set", link: { node: "m1", direction: "both" }, settings: bad } })).toMatchObject({
      ok: false,
      message: "loss must be 0 to 100 percent",
    });
    expect(world.act({ to: "fabric", act: { kind: "partition", groups: [["m1"], ["m2", "m1"]] } })).toMatchObject({
      ok: false,
      message: "m1 stands in the partition twice",
    });
    world.runUntil(10);
    expect(world.schedule(9, cut("m1"))).toMatchObject({ ok: false, code: "past" });
    expect(world.inputs()).toEqual([]);
  });
});

describe("the fabric", () => {
  test("takes 200 µs by default, and nothing is lost", () => {
    const { world, machines } = open(3);
    expect(heardBy(world, machines, "m1", "x")).toEqual({ m2: [200], m3: [200] });
  });

  test("a cut cable, one direction of it, and a cut pair", () => {
    for (const [act, expected] of [
      [cut("m3"), { m2: [200] }],
      [cut("m3", "in"), { m2: [200] }],
      [cut("m3", "out"), { m2: [200], m3: [200] }],
      [cut("m1", "out"), {}],
      [cut("m1", "in"), { m2: [200], m3: [200] }],
      [cut("m1", "both", "m2"), { m3: [200] }],
      [cut("m1", "out", "m2"), { m3: [200] }],
      [cut("m1", "in", "m2"), { m2: [200], m3: [200] }],
    ] as const) {
      const { world, machines } = open(3);
      world.act(act);
      expect(heardBy(world, machines, "m1", "x")).toEqual(expected);
      world.act({ to: "fabric", act: { kind: "heal" } });
      expect(heardBy(world, machines, "m1", "y")).toEqual({ m2: [200], m3: [200] });
    }
  });

  test("a partition parts its groups; who is in none reaches everybody; a later one replaces it", () => {
    const { world, machines } = open(4);
    world.act({ to: "fabric", act: { kind: "partition", groups: [["m1"], ["m2", "m3"]] } });
    expect(heardBy(world, machines, "m1", "a")).toEqual({ m4: [200] });
    expect(heardBy(world, machines, "m4", "b")).toEqual({ m1: [200], m2: [200], m3: [200] });
    expect(heardBy(world, machines, "m2", "c")).toEqual({ m3: [200], m4: [200] });
    world.act({ to: "fabric", act: { kind: "partition", groups: [["m4"], ["m2"]] } });
    expect(heardBy(world, machines, "m1", "d")).toEqual({ m2: [200], m3: [200], m4: [200] });
  });

  test("a switch that is off carries nothing", () => {
    const { world, machines } = open(2);
    world.act({ to: "fabric", act: { kind: "switch", net: "net0", on: false } });
    expect(heardBy(world, machines, "m1", "a")).toEqual({});
    expect(world.fabric.list()).toEqual([{ kind: "switch", net: "net0" }]);
    world.act({ to: "fabric", act: { kind: "switch", net: "net0", on: true } });
    expect(heardBy(world, machines, "m1", "b")).toEqual({ m2: [200] });
  });

  test("a packet in flight over a cable that is pulled is lost", () => {
    const { world, machines } = open(2);
    world.act(on("m1", { kind: "command", id: "1", argv: ["x"], cwd: "/", stdin: "" }));
    world.runUntil(100);
    world.act(cut("m2"));
    world.runUntil(10 * MS);
    expect(machines.get("m2")?.received()).toEqual([]);
  });

  const set = (node: string, settings: LinkSettings, direction: Direction | "both" = "both"): WorldAct => ({
    to: "fabric",
    act: { kind: "link-set", link: { node, direction }, settings },
  });

  test("delays add up along the way, are never below 50 µs, and hold per direction", () => {
    const { world, machines } = open(3);
    world.act(set("m2", { delayUs: 20 * MS }, "in"));
    world.act(set("m1", { delayUs: 5 * MS }, "out"));
    world.act(set("m3", { delayUs: 0 }));
    expect(heardBy(world, machines, "m1", "a")).toEqual({ m2: [25 * MS], m3: [5 * MS] });
    expect(heardBy(world, machines, "m2", "b")).toEqual({ m1: [200], m3: [50] });
    expect(world.fabric.windowUs()).toBe(50);
    expect(world.fabric.list()).toEqual([
      { kind: "link-setting", node: "m2", net: "net0", direction: "in", delayMs: 20 },
      { kind: "link-setting", node: "m1", net: "net0", direction: "out", delayMs: 5 },
      { kind: "link-setting", node: "m3", net: "net0", direction: "both", delayMs: 0 },
    ]);
  });

  test("loss, duplication, jitter and reordering come about as often as asked", () => {
    const { world, machines } = open(2, "shares");
    const heard = (): readonly { text: string }[] => (machines.get("m2")?.received() ?? []).filter((r) => r.text.startsWith("n "));
    const say = (count: number): { text: string }[] => {
      const before = heard().length;
      for (let i = 0; i < count; i++) {
        world.act(on("m1", { kind: "command", id: String(i), argv: ["n", String(i)], cwd: "/", stdin: "" }));
        world.runUntil(world.now + 300);
      }
      world.runUntil(world.now + 100 * MS);
      return heard().slice(before);
    };
    world.act(set("m2", { lossPercent: 30 }, "in"));
    expect(Math.abs(say(2000).length - 1400)).toBeLessThan(90);
    world.act(set("m2", { lossPercent: 0, dupPercent: 20 }, "in"));
    expect(Math.abs(say(2000).length - 2400)).toBeLessThan(80);
    world.act({ to: "fabric", act: { kind: "heal" } });
    const ordered = (list: { text: string }[]): number =>
      list.filter((r, i) => i > 0 && Number(r.text.slice(2)) < Number(list[i - 1]?.text.slice(2))).length;
    expect(ordered(say(500))).toBe(0);
    world.act(set("m2", { reorderPercent: 25 }, "in"));
    const out = say(2000);
    expect(out.length).toBe(2000);
    expect(ordered(out)).toBeGreaterThan(200);
    world.act({ to: "fabric", act: { kind: "heal" } });
    world.act(set("m2", { delayUs: 2 * MS, jitterUs: MS }, "in"));
    const jittered = say(500);
    expect(jittered.length).toBe(500);
    expect(ordered(jittered)).toBeGreaterThan(50);
    expect(world.fabric.windowUs()).toBe(50);
  });

  test("undo: the faults as they were can be put back by an act", () => {
    const { world } = open(3);
    world.act(cut("m1", "in"));
    const before = world.fabric.faults();
    world.act({ to: "fabric", act: { kind: "partition", groups: [["m1"], ["m2"]] } });
    world.act({ to: "fabric", act: { kind: "faults", state: before } });
    expect(world.fabric.list()).toEqual([{ kind: "cut", node: "m1", net: "net0", direction: "in" }]);
    world.act({ to: "fabric", act: { kind: "link-heal", link: { node: "m1", direction: "both" } } });
    expect(world.fabric.list()).toEqual([]);
  });
});

describe("snapshots and records", () => {
  /** A run with acts of every sort, some asked for beforehand and some in the middle of an instant. */
  function eventful(seed: string): World {
    const { world } = open(5, seed);
    world.schedule(700 * MS, cut("m2", "in"));
    world.runUntil(150 * MS);
    world.act(on("m1", { kind: "stall" }));
    world.act(on("m3", { kind: "file-write", path: "/x", data: new Uint8Array([1, 2, 250]), append: true, mode: 0o600 }));
    for (let i = 0; i < 40; i++) world.stepEvent();
    world.act({
      to: "fabric",
      act: { kind: "link-set", link: { node: "m4", direction: "in" }, settings: { lossPercent: 20, jitterUs: 500, dupPercent: 5 } },
    });
    world.runUntil(SEC);
    world.act(on("m1", { kind: "resume" }));
    world.schedule(1700 * MS, on("m5", { kind: "command", id: "c", argv: ["a", "b"], cwd: "/", stdin: "" }));
    world.runUntil(1500 * MS);
    return world;
  }

  test("a run replays from its inputs, and goes on from a snapshot in the middle, to the same digest", () => {
    for (const seed of ["1", "2", "3"]) {
      const live = eventful(seed);
      const middle = structuredClone(live.snapshot());
      live.runUntil(3 * SEC);
      const again = replayWorld(live.design, makeTalker, live.inputs());
      again.runUntil(3 * SEC);
      expect(again.digest()).toBe(live.digest());
      const resumed = new World(live.design, makeTalker);
      resumed.restore(middle);
      resumed.runUntil(3 * SEC);
      expect(resumed.digest()).toBe(live.digest());
      expect(resumed.inputs()).toEqual(live.inputs());
    }
  });

  test("a fork goes its own way and leaves the original alone", () => {
    const live = eventful("f");
    const fork = live.fork();
    const control = live.fork();
    fork.act(cut("m1"));
    fork.runUntil(3 * SEC);
    live.runUntil(3 * SEC);
    control.runUntil(3 * SEC);
    expect(control.digest()).toBe(live.digest());
    expect(fork.digest()).not.toBe(live.digest());
  });

  test("without a trace the same happens, also in a fork, and a digest is refused rather than made up", () => {
    const design = talkers(3, "s");
    const [traced, plain] = [new World(design, makeTalker), new World(design, makeTalker, makeTalker, false)];
    for (const world of [traced, plain]) {
      world.act(cut("a"));
      world.runUntil(2 * SEC);
    }
    const fork = plain.fork();
    for (const world of [traced, plain, fork]) world.runUntil(3 * SEC);
    expect([plain.events, fork.events]).toEqual([traced.events, traced.events]);
    for (const world of [plain, fork]) expect(() => world.digest()).toThrow("keeps no trace digest");
  });

  test("questions leave the digest unchanged", () => {
    const asked = eventful("q");
    const silent = eventful("q");
    for (let at = 1500 * MS; at <= 2500 * MS; at += 10 * MS) {
      asked.runUntil(at);
      asked.query("m1", { kind: "command", argv: ["n"], cwd: "/", stdin: "" });
      asked.statuses();
      asked.snapshot();
    }
    silent.runUntil(2500 * MS);
    expect(asked.digest()).toBe(silent.digest());
  });

  test("a record is written, read and replayed; a torn last line is dropped; a changed one is found", () => {
    const live = eventful("r");
    live.runUntil(4 * SEC);
    const end = live.closeInstant();
    const text = printRecord({ lab: "name: x\n", inputs: [...live.inputs()], checkpoints: [...live.checkpoints()], end });
    const read = parseRecord(text);
    if (!read.ok) throw new Error(read.message);
    expect(read.record.lab).toBe("name: x\n");
    const result = replay(live.design, makeTalker, read.record);
    expect([result.equal, result.instant, result.digest]).toEqual([true, end.at, end.digest]);
    live.act(cut("m1"));
    const cutShort = printRecord({ lab: "", inputs: [...live.inputs()], checkpoints: [], end: { at: live.now, digest: live.digest() } });
    const readShort = parseRecord(cutShort);
    expect(readShort.ok && replay(live.design, makeTalker, readShort.record).equal).toBe(true);
    const torn = parseRecord(`${text.split("\n").slice(0, 6).join("\n")}\n{"at":99`);
    expect(torn.ok).toBe(true);
    const other = parseRecord(resummed(text.replace('"kind":"resume"', '"kind":"stall"')));
    if (!other.ok) throw new Error(other.message);
    expect(replay(live.design, makeTalker, other.record).firstDifference).toBe(2 * SEC);
    expect(parseRecord("hello\n")).toMatchObject({ ok: false, line: 1 });
    expect(parseRecord(resummed(`${text}{"at":-1}\n`))).toMatchObject({ ok: false, message: "neither an input nor a digest nor a note" });
  });
});
