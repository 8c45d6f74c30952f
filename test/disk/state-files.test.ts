/** The files that hold a lab's state: what is written is read again, and what was cut short, changed, of another version or made to do harm is refused in one line. */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialize } from "node:v8";
import { Packr } from "msgpackr";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { NamedSnapshots } from "../../src/main/lab/store/named-snapshots.ts";
import { readHead, readSealed, sealed, SealTrouble, type Head } from "../../src/main/lab/store/sealed-file.ts";
import { NoState, packState, STATE_DEPTH_MAX, unpackState } from "../../src/main/lab/store/state-codec.ts";
import { asWorldSnapshot, stateOfWorld, worldAt, type WorldState } from "../../src/main/lab/store/world-state.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";
import { resummed } from "../records.ts";

const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "files", epoch: "2026-01-01T00:00:00Z" });
const [text, design] = [printLabFile(file), worldDesign(file)];

let formed: World;
let kept: WorldState;
let dir: string;

beforeAll(() => {
  formed = new World(design, makeMachine);
  beginLab(formed, file);
  // In the middle of everything: packets under way, a command that waits, a file with more than one piece.
  const act = (own: Parameters<World["act"]>[0] & { to: "machine" }): void => expect(formed.act(own)).toMatchObject({ ok: true });
  const long = new Uint8Array(150_000).map((_, i) => i);
  act({ to: "machine", machine: "pve1", act: { kind: "file-write", path: "/root/long", data: long, append: false } });
  act({ to: "machine", machine: "pve2", act: { kind: "command", id: "c", argv: ["sleep", "100"], cwd: "/", stdin: "" } });
  formed.schedule(formed.now + 5_000_000, { to: "machine", machine: "pve3", act: { kind: "power-cut" } });
  for (let i = 0; i < 50; i++) formed.stepEvent();
  kept = stateOfWorld(formed);
});

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-state-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("state as bytes", () => {
  it("is the same state when it is read, and goes the same way", () => {
    const read = asWorldSnapshot(unpackState(packState(kept.state)));
    expect(read).toStrictEqual(kept.state);
    if (read === undefined) return;
    const [there, here] = [worldAt(design, makeMachine, { ...kept, state: read }), formed.fork()];
    for (const world of [there, here]) world?.runUntil(kept.state.now + 20_000_000);
    expect([there?.digest(), there?.statuses()]).toEqual([here.digest(), here.statuses()]);
  });

  it.each<[string, unknown]>([
    ["numbers", [0, 1, 63, 64, 127, 128, 255, 65_536, 2 ** 32, 2 ** 53 - 1, -1, -32, -33, -(2 ** 31), -(2 ** 53) + 1, 0.1, 1e300]],
    ["numbers that are none", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
    ["nothing", [undefined, null, { a: undefined }, [undefined]]],
    ["text", ["", "é", "𝄞", "x".repeat(70_000), "nul\0", "\ufeff"]],
    ["bytes", [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(70_000).fill(7)]],
    [
      "maps",
      new Map<unknown, unknown>([
        ["a", new Map([[1, { b: new Set([1, "2"]) }]])],
        [2, undefined],
      ]),
    ],
    ["sets", [new Set(), new Set([new Uint8Array([1])])]],
    ["more shapes than records have numbers", Array.from({ length: 500 }, (_, i) => ({ [`k${i % 200}`]: i, [`l${i % 3}`]: { i } }))],
    ["keys of every kind", { "": 1, "a b": 2, constructor: 3, toString: 4, "1": 5, é: 6, ["k".repeat(300)]: 7 }],
    ["many keys", Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i]))],
  ])("holds %s", (_what, value) => {
    expect(unpackState(packState(value))).toStrictEqual(value);
  });

  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  it.each<[string, unknown]>([
    ["a bigint", [1n]],
    ["a bigint beyond 64 bits", [2n ** 80n]],
    ["a date", [new Date(0)]],
    ["a regular expression", [/x/]],
    ["an error", [new Error("x")]],
    ["a buffer of numbers", [new Float64Array(2)]],
    ["memory", [new ArrayBuffer(2)]],
    ["the key __proto__", JSON.parse('{"__proto__": {"polluted": true}}')],
    ["what is nested without end", nested(STATE_DEPTH_MAX + 1)],
  ])("is refused where it would hold %s", (_what, value) => {
    expect(() => packState(value)).toThrow(NoState);
  });

  const bytes = (...parts: (number | readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat());
  const records = new Packr();
  it.each<[string, Uint8Array]>([
    ["nothing", bytes()],
    ["a list of four thousand million", bytes(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ["a map of four thousand million", bytes(0xdf, 0xff, 0xff, 0xff, 0xff)],
    ["a text of four thousand million", bytes(0xdb, 0xff, 0xff, 0xff, 0xff)],
    ["bytes of four thousand million", bytes(0xc6, 0xff, 0xff, 0xff, 0xff)],
    ["a typed array of four thousand million", bytes(0xc9, 0xff, 0xff, 0xff, 0xff, 0x74, 1)],
    ["lists in lists without end", new Uint8Array(5_000_000).fill(0x91)],
    ["records in records without end", bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, Array(100_000).fill(0x40) as number[])],
    ["a record that was not said", bytes(0x41)],
    ["a record without a list of keys", bytes(0xd4, 0x72, 0x40, 0x01)],
    ["a record whose key is a number", bytes(0xd4, 0x72, 0x40, 0x91, 0x01, 0x01)],
    ["a record of another number", bytes(0xd4, 0x72, 0x20, 0x90)],
    ["a record with two bytes of number", bytes(0xd5, 0x72, 0x40, 0x00, 0x90)],
    ["the key __proto__", bytes(0xd4, 0x72, 0x40, 0x91, 0xa9, [...Buffer.from("__proto__")], 0x80)],
    ["a pointer to what comes later", bytes(0xd6, 0x70, 0, 0, 0, 1)],
    ["a place for pointers", bytes(0xd6, 0x69, 0, 0, 0, 1, 0x90)],
    ["bundled text", bytes(0xd6, 0x62, 0, 0, 0, 4, 0xc1, 0x04)],
    ["a set of no list", bytes(0xd4, 0x73, 0x00, 0x05)],
    ["a date", bytes(0xd6, 0xff, 0, 0, 0, 1)],
    ["a big integer", bytes(0xcf, 0, 0, 0, 0, 0, 0, 0, 1)],
    ["more than one value", bytes(0x01, 0x02)],
    ["a value cut short", bytes(0x92, 0x01)],
    ["a typed array without a type", bytes(0xc7, 0x00, 0x74)],
    ["something of a class", records.pack(new Date(1))],
  ])("is not %s", (_what, hostile) => {
    const before = process.memoryUsage().heapUsed;
    expect(() => unpackState(hostile)).toThrow(NoState);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("a sealed file", () => {
  let whole: Buffer;
  beforeAll(() => {
    whole = sealed("snap", { name: "x", instant: 1 }, kept.state);
  });

  const put = (content: Uint8Array): string => {
    const path = join(dir, "file.bin");
    writeFileSync(path, content);
    return path;
  };

  /** One line that names the file. */
  function refusal(content: Uint8Array, kind: "snap" | "frzn" = "snap"): SealTrouble {
    const path = put(content);
    try {
      readSealed(path, kind);
    } catch (error) {
      if (!(error instanceof SealTrouble)) throw error;
      expect(error.message).toMatch(new RegExp(`^${path} [^\n]+$`));
      return error;
    }
    throw new Error("it was taken");
  }

  it("is what was written", () => {
    expect(readSealed(put(whole), "snap")).toStrictEqual({ head: { name: "x", instant: 1, engine: "0.3.0" }, value: kept.state });
    expect(readHead(put(whole), "snap")).toStrictEqual({ name: "x", instant: 1, engine: "0.3.0" });
  });

  it("is refused with any bit changed", () => {
    let looked = 0;
    for (let at = 0; at < whole.length; at += at < 200 ? 1 : 97) {
      const other = Buffer.from(whole);
      other[at] = (other[at] ?? 0) ^ (1 << (at & 7));
      expect([at, refusal(other).fault]).toEqual([at, at < 8 ? "strange" : "damaged"]);
      looked++;
    }
    expect(looked).toBeGreaterThan(1000);
  });

  it("is refused where it was cut short, or goes on", () => {
    for (let length = 0; length < whole.length; length += length < 300 ? 1 : 1009)
      expect([length, refusal(whole.subarray(0, length)).fault]).toEqual([length, "damaged"]);
    expect(refusal(whole.subarray(0, -1)).message).toMatch(/is damaged: it ends after \d+ of \d+ bytes$/);
    expect(refusal(Buffer.concat([whole, Buffer.from("x")])).message).toMatch(/is damaged: 1 bytes follow its end$/);
  });

  it("is refused where it is another file, or of another version", () => {
    expect(refusal(whole, "frzn")).toMatchObject({ fault: "strange" });
    for (const strange of [serialize(kept.state), Buffer.from('{"quorateSnapshot":1}\n'), Buffer.from("\0".repeat(500))])
      expect(refusal(strange)).toMatchObject({ fault: "strange" });
    expect(refusal(sealed("snap", {}, 1, "0.2.0"))).toMatchObject({ fault: "version", why: "is of engine 0.2.0, this is 0.3.0" });
    const later = Buffer.from(whole);
    later.writeUInt32BE(2, 12);
    const head = later.subarray(92, 92 + later.readUInt32BE(16));
    createHash("sha256").update(later.subarray(0, 60)).update(head).digest().copy(later, 60);
    expect(refusal(later)).toMatchObject({ fault: "version", why: "has format 2, this version of the lab reads format 1" });
  });
});

/** A lab that was frozen where `formed` stands. */
function frozenLab(): void {
  const disk = new LabDisk(dir);
  const { world } = disk.open(text, design, makeMachine);
  world.restore(kept.state);
  disk.saveDisks(stateOfWorld(world));
  disk.freeze(world, 2, true);
  disk.close();
}

const open = (): ReturnType<LabDisk["open"]> => {
  const disk = new LabDisk(dir);
  try {
    return disk.open(text, design, makeMachine);
  } finally {
    disk.close();
  }
};

describe("a lab's directory", () => {
  beforeEach(frozenLab);

  it("goes on where it was frozen", () => {
    const found = open();
    expect([found.how, found.speed, found.paused, found.said]).toEqual(["frozen", 2, true, []]);
    expect(found.world.snapshot()).toStrictEqual(kept.state);
    // A start that goes no further has taken nothing away.
    expect(open().world.snapshot()).toStrictEqual(kept.state);
    new LabDisk(dir).stands();
    expect(existsSync(join(dir, "frozen.bin"))).toBe(false);
  });

  it("needs no record to go on, and has one again", () => {
    rmSync(join(dir, "record.jsonl"));
    expect(open()).toMatchObject({
      how: "frozen",
      said: [`${join(dir, "record.jsonl")} is missing; it was written anew from what is known`],
    });
    expect(readFileSync(join(dir, "record.jsonl"), "utf8")).toContain("/root/long");
  });

  it.each(["frozen.bin", "disks.bin"])("names a damaged %s, keeps it, and has all that the record tells", (name) => {
    const path = join(dir, name);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    writeFileSync(path, bytes);
    // After a crash there is no frozen state.
    if (name === "disks.bin") rmSync(join(dir, "frozen.bin"));
    const found = open();
    expect(found.how).toBe("crashed");
    expect(found.said).toEqual([
      `${path} is damaged: its state is not what was written; it was put aside as ${path}.damaged-1, and what is in the record counts`,
    ]);
    expect(readFileSync(`${path}.damaged-1`)).toEqual(bytes);
    expect(found.world.now).toBeGreaterThan(kept.state.inputs.at(-1)?.at ?? 0);
    const read = found.world.query("pve1", { kind: "file-stat", path: "/root/long" });
    expect(read).toMatchObject({ kind: "stat", stat: { size: 150_000 } });
  });

  /** Whole by its hashes, and not a lab. */
  const heads = (): Head => ({ instant: kept.state.now, digest: kept.digest, machines: kept.machines });
  const rest = { speed: 1, paused: false, notes: [] };
  it.each<[string, (state: WorldState["state"]) => unknown, Head?]>([
    ["nothing", () => null],
    ["a list", () => [1, 2]],
    ["no world", () => rest],
    ["no speed", (world) => ({ world, paused: false, notes: [] })],
    ["a key more", (world) => ({ world, ...rest, more: 1 })],
    ["a world without packets", ({ flights: _, ...world }) => ({ world, ...rest })],
    ["packets that are none", (world) => ({ world: { ...world, flights: [{ at: 1 }] }, ...rest })],
    [
      "an act that is none",
      (world) => ({ world: { ...world, inputs: [{ at: 1, act: { to: "machine", machine: "pve1", act: {} } }] }, ...rest }),
    ],
    ["no machines", (world) => ({ world: { ...world, machines: [] }, ...rest })],
    ["machines that hold nothing", (world) => ({ world: { ...world, machines: world.machines.map(() => ({})) }, ...rest })],
    [
      "machines that hold something else",
      (world) => ({ world: { ...world, machines: world.machines.map(() => ({ computer: new Map() })) }, ...rest }),
    ],
    ["machines that were changed for each other", (world) => ({ world: { ...world, machines: world.machines.toReversed() }, ...rest })],
    ["a topology of nothing", (world) => ({ world: { ...world, topology: { networks: [], machines: [{}] } }, ...rest })],
    ["cables of nothing", (world) => ({ world: { ...world, fabric: { ...world.fabric, faults: { x: 1 } } }, ...rest })],
    ["an instant without end", (world) => ({ world: { ...world, now: Number.POSITIVE_INFINITY }, ...rest })],
    ["another digest", (world) => ({ world, ...rest }), { instant: 0, digest: "0", machines: "0" }],
  ])("is not brought up from a state file of %s", (_what, value, head) => {
    writeFileSync(join(dir, "frozen.bin"), sealed("frzn", head ?? heads(), value(kept.state)));
    const found = open();
    expect(found.how).toBe("crashed");
    expect(found.said).toEqual([
      expect.stringMatching(/frozen\.bin is damaged: (it does not hold the state of a lab|no lab stands where it says);/),
    ]);
    expect(found.world.names).toEqual(["pve1", "pve2", "pve3"]);
  });

  it("is refused where another version made it, and nothing in it is changed", () => {
    const contents = (): [string, string][] => readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString("base64")]);
    const record = join(dir, "record.jsonl");
    const own = readFileSync(record, "utf8");
    const older = [own.replace('"engine":"0.3.0"', '"engine":"0.2.0"'), own.replace('"engine":"0.3.0"', '"engine":"0.4.0"')];
    for (const [i, changed] of older.entries()) {
      writeFileSync(record, resummed(changed));
      // As it was frozen in that version.
      if (i === 0) writeFileSync(join(dir, "frozen.bin"), serialize({ engine: "0.2.0", world: {} }));
      const before = contents();
      expect(open).toThrow(
        new Trouble(
          "lab",
          `${dir} is a lab of engine 0.${i === 0 ? 2 : 4}.0, this is 0.3.0; bring it up with the version that made it, or "quorate rm" deletes it`,
        ),
      );
      expect(contents()).toEqual(before);
    }
    writeFileSync(record, own);
    writeFileSync(join(dir, "frozen.bin"), sealed("frzn", heads(), { world: kept.state, ...rest }, "0.2.9"));
    const before = contents();
    expect(open).toThrow(/frozen\.bin is of engine 0\.2\.9, this is 0\.3\.0; bring it up with the version that made it/);
    expect(contents()).toEqual(before);
  });
});

describe("a named snapshot", () => {
  let named: NamedSnapshots;
  const path = (): string => join(dir, "snapshots", "calm.snapshot");
  beforeEach(() => {
    named = new NamedSnapshots(dir);
    named.save("calm", kept);
  });

  it("is listed and taken back", () => {
    expect(named.list()).toEqual([{ name: "calm", instant: kept.state.now, digest: kept.digest }]);
    expect(named.load("calm", design, makeMachine)).toStrictEqual(kept.state);
  });

  it.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ["was cut short", (bytes) => bytes.subarray(0, 5000), /is damaged: it ends after 5000 of \d+ bytes/],
    ["is of a version before", () => serialize({}), /is no state of a lab, or one of a version before 0\.3\.0/],
    ["is of another engine", () => sealed("snap", {}, {}, "0.2.0"), /is of engine 0\.2\.0, this is 0\.3\.0/],
    [
      "holds other machines than it says",
      () => sealed("snap", { name: "calm", instant: 1, digest: kept.digest, machines: "0" }, kept.state),
      /is damaged: no lab stands where it says/,
    ],
    ["holds nothing", () => sealed("snap", { name: "calm", instant: 1, digest: "0", machines: "0" }, {}), /is damaged: no lab stands/],
  ])("that %s is refused, in one line that says what to do", (_what, damage, told) => {
    writeFileSync(path(), damage(readFileSync(path())));
    let message = "";
    try {
      named.load("calm", design, makeMachine);
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      message = error.message;
    }
    expect(message).toMatch(told);
    expect(message).toMatch(/; "quorate snapshot --delete calm" deletes it$/);
    expect(message).not.toContain("\n");
    // It can be deleted, and its name used again.
    named.remove("calm");
    expect(named.save("calm", kept)).toMatchObject({ name: "calm" });
  });
});

afterAll(() => expect(Object.keys(Object.prototype)).toEqual([]));
