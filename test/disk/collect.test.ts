/** A lab's store of contents and what refers to it: state files say what they need by hash, what nobody refers to goes when the lab is brought up, and a missing piece is named. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NodeDisks } from "../../src/engine/host/disk/node-disks.ts";
import { Rng } from "../../src/engine/kernel/index.ts";
import { contentHash } from "../../src/engine/machine/files/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { collectContents } from "../../src/main/lab/store/collect.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { LabDisk, writeLab } from "../../src/main/lab/store/disk.ts";
import { NamedSnapshots } from "../../src/main/lab/store/named-snapshots.ts";
import { referredBy, sealed } from "../../src/main/lab/store/sealed-file.ts";
import { stateOfWorld } from "../../src/main/lab/store/world-state.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";

const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "store", epoch: "2026-01-01T00:00:00Z" });
const [text, design] = [printLabFile(file), worldDesign(file)];

/** Bytes that are nowhere else. Short enough that the act which writes them keeps them itself. */
const bytes = (seed: string, length = 3000): Uint8Array => {
  const rng = Rng.from(seed);
  return new Uint8Array(length).map(() => rng.u32() & 0xff);
};
const [kept, gone] = [bytes("kept"), bytes("gone")];

let booted: World;
beforeAll(() => {
  booted = new World(design, makeMachine);
  booted.runUntil(20_000_000);
});

let dir: string;
let lab: { world: World; disks: NodeDisks; disk: LabDisk; named: NamedSnapshots; said: readonly string[]; how: string };

function act(own: Extract<WorldAct, { to: "machine" }>["act"], machine = "pve1"): void {
  expect(lab.world.act({ to: "machine", machine, act: own })).toMatchObject({ ok: true });
  lab.disk.note(lab.world);
  follow();
}

const write = (path: string, data: Uint8Array): void => act({ kind: "file-write", path, data, append: false });
const remove = (path: string): void => act({ kind: "file-remove", path, recursive: false });

/** The disks have what the machines have in mind. */
function follow(): void {
  for (const name of lab.world.names) {
    const number = lab.world.numberOf(name);
    const machine = lab.world.machineAt(number);
    if (machine !== undefined) lab.disks.of(number).follow(machine.diskImage());
  }
}

function up(): void {
  const disks = new NodeDisks(join(dir, "disks"));
  const disk = new LabDisk(dir, disks.contents);
  const { world, said, how } = disk.open(text, design, makeMachine);
  lab = { world, disks, disk, named: new NamedSnapshots(dir, disks.contents), said, how };
}

/** Up, with what nobody refers to collected; as the lab's process does it. */
function upCollected(): string {
  up();
  follow();
  const told = collectContents(dir, lab.disks).join("; ");
  lab.disk.saveDisks(stateOfWorld(lab.world));
  lab.disk.stands();
  return told;
}

function down(): void {
  lab.disk.freeze(lab.world, 1, true);
  crash();
}

function crash(): void {
  lab.disk.close();
  lab.disks.close();
}

const has = (data: Uint8Array): boolean => {
  try {
    return lab.disks.contents.get(contentHash(data)).length === data.length;
  } catch {
    return false;
  }
};

function read(world: World, path: string): unknown {
  const reply = world.query("pve1", { kind: "file-read", path });
  return reply.kind === "file" ? Buffer.from(reply.data).toString("hex") : reply;
}

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-store-"));
  up();
  lab.world.restore(booted.snapshot());
  follow();
});

afterEach(() => {
  crash();
  rmSync(dir, { recursive: true });
});

describe("state files", () => {
  it("refer to contents by hash: the base system of three nodes is in the store once, and in no state file", () => {
    lab.disk.saveDisks(stateOfWorld(lab.world));
    const unit = /\[Unit\]\nDescription=[^\n]+/.exec(Buffer.from(storedText()).toString("latin1"))?.[0];
    expect(unit).toBeDefined();
    expect(readFileSync(join(dir, "disks.bin"), "latin1")).not.toContain(unit);
    const referred = referredBy(join(dir, "disks.bin"), "disk");
    expect(new Set(referred).size).toBe(referred.length);
    expect(referred.length).toBeLessThan(lab.disks.contents.count + 1);
    const size = statSync(join(dir, "disks.bin")).size;
    write("/root/long", bytes("long", 500_000));
    lab.disk.saveDisks(stateOfWorld(lab.world));
    // The act and the file refer to the same 31 pieces.
    expect(referredBy(join(dir, "disks.bin"), "disk")).toHaveLength(referred.length + 31);
    expect(statSync(join(dir, "disks.bin")).size - size).toBeLessThan(4000);
  });

  /** Everything in the store, as text. */
  function storedText(): Uint8Array {
    const hashes = new Set(
      lab.world.names.flatMap((name) => [...(lab.world.machineAt(lab.world.numberOf(name))?.diskImage().chunks.keys() ?? [])]),
    );
    return Buffer.concat([...hashes].map((hash) => lab.disks.contents.get(hash)));
  }

  it("are not written where the store cannot take what they refer to", () => {
    lab.disk.saveDisks(stateOfWorld(lab.world));
    const before = readFileSync(join(dir, "disks.bin"));
    write("/root/note", kept);
    lab.disks.contents.keep = () => {
      throw new Error("database or disk is full");
    };
    const refused = new Trouble("failed", `write ${join(dir, "disks.bin")}: database or disk is full`);
    expect(() => lab.disk.saveDisks(stateOfWorld(lab.world))).toThrow(refused);
    expect(readFileSync(join(dir, "disks.bin"))).toEqual(before);
    expect(() => lab.named.save("calm", stateOfWorld(lab.world))).toThrow("database or disk is full");
    expect(lab.named.list()).toEqual([]);
  });

  it("bring contents along that are on no disk: a file that is open and has no name any more", () => {
    write("/root/note", kept);
    act({ kind: "session-open", session: "s", terminal: false, cwd: "/" });
    act({ kind: "file", id: "open", session: "s", call: { call: "open", path: "/root/note", flags: { access: "r" } } });
    remove("/root/note");
    down();
    upCollected();
    expect([lab.how, lab.said]).toEqual(["frozen", []]);
    down();
    up();
    const replies: unknown[] = [];
    lab.world.watch({ effect: (_at, _machine, effect) => effect.kind === "file-reply" && replies.push(effect.reply) });
    act({ kind: "file", id: "read", session: "s", call: { call: "read", fd: 3, length: 3000 } });
    expect(replies).toEqual([{ ok: true, value: "data", data: kept }]);
  });
});

describe("what nobody refers to", () => {
  it("goes when the lab is brought up; what a snapshot refers to stays until it is deleted, and can be gone back to", () => {
    write("/root/kept", kept);
    lab.named.save("calm", stateOfWorld(lab.world));
    write("/root/gone", gone);
    remove("/root/kept");
    remove("/root/gone");
    down();
    expect(upCollected()).toBe("");
    expect([lab.how, has(kept), has(gone)]).toEqual(["frozen", true, false]);
    const back = new World(design, makeMachine);
    back.restore(lab.named.load("calm", design, makeMachine));
    expect(read(back, "/root/kept")).toBe(hex(kept));
    // After a crash the state as last saved counts: it refers to neither.
    crash();
    upCollected();
    expect([lab.how, has(kept), has(gone)]).toEqual(["crashed", true, false]);
    lab.named.remove("calm");
    down();
    upCollected();
    expect([has(kept), has(gone)]).toEqual([false, false]);
  });

  it("is not forgotten while the state as last saved still has it", () => {
    write("/root/kept", kept);
    lab.disk.saveDisks(stateOfWorld(lab.world));
    remove("/root/kept");
    crash();
    up();
    expect([lab.how, lab.said]).toEqual(["crashed", []]);
    follow();
    collectContents(dir, lab.disks);
    expect(has(kept)).toBe(true);
    lab.disk.saveDisks(stateOfWorld(lab.world));
    collectContents(dir, lab.disks);
    expect(has(kept)).toBe(false);
  });

  it("stays where a state file cannot be asked what it refers to, which is said; a damaged one does not count", () => {
    write("/root/gone", gone);
    remove("/root/gone");
    const path = join(dir, "snapshots", "other.snapshot");
    lab.named.save("other", stateOfWorld(lab.world));
    writeFileSync(path, sealed("snap", {}, 1, "0.2.0"));
    const store = join(dir, "disks", "contents.db");
    expect(collectContents(dir, lab.disks)).toEqual([
      `contents of deleted files are kept in ${store}: ${path} is of engine 0.2.0, this is 0.3.0`,
    ]);
    expect(has(gone)).toBe(true);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    expect(collectContents(dir, lab.disks)).toEqual([expect.stringContaining(`${path} is damaged: it ends after`)]);
    expect(has(gone)).toBe(false);
  });
});

describe("a piece that is missing or has changed", () => {
  const damage = (sql: string): void => {
    crash();
    const db = new DatabaseSync(join(dir, "disks", "contents.db"));
    db.prepare(sql).run(contentHash(kept));
    db.close();
  };

  it.each<[string, string]>([
    ["missing", "DELETE FROM chunk WHERE hash = ?"],
    ["has changed", "UPDATE chunk SET data = x'00' WHERE hash = ?"],
  ])("(%s) is named: a snapshot is refused, and the lab comes up from its record", (_what, sql) => {
    write("/root/kept", kept);
    lab.named.save("calm", stateOfWorld(lab.world));
    lab.disk.saveDisks(stateOfWorld(lab.world));
    lab.disk.freeze(lab.world, 1, true);
    damage(sql);
    up();
    const store = join(dir, "disks", "contents.db");
    const why = `cannot be used: ${store} is damaged: the piece ${contentHash(kept)} of a file's contents (is missing|has changed)`;
    expect(lab.how).toBe("crashed");
    const aside = (path: string): RegExp =>
      new RegExp(`^${path} ${why}; it was put aside as ${path}.damaged-1, and what is in the record counts$`);
    expect(lab.said).toHaveLength(2);
    for (const [i, name] of ["frozen.bin", "disks.bin"].entries()) expect(lab.said[i]).toMatch(aside(join(dir, name)));
    expect(() => lab.named.load("calm", design, makeMachine)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(new RegExp(`calm\\.snapshot ${why}; "quorate snapshot --delete calm" deletes it$`)) as string,
      }),
    );
    // What the lab has in mind mends the store.
    down();
    up();
    expect([lab.how, lab.said, has(kept)]).toEqual(["frozen", [], true]);
    expect(read(lab.world, "/root/kept")).toBe(hex(kept));
  });
});

describe("a lab that is made from another one", () => {
  it("has the contents of its files in itself, and in a store of its own once it is brought up", () => {
    write("/root/kept", kept);
    const other = mkdtempSync(join(tmpdir(), "quorate-fork-"));
    writeLab(other, text, { world: stateOfWorld(lab.world), speed: 1, paused: true });
    expect(referredBy(join(other, "frozen.bin"), "frzn")).toEqual([]);
    crash();
    rmSync(dir, { recursive: true });
    dir = other;
    for (let k = 0; k < 2; k++) {
      upCollected();
      expect([lab.how, lab.said, has(kept)]).toEqual(["frozen", [], true]);
      expect(read(lab.world, "/root/kept")).toBe(hex(kept));
      down();
    }
    up();
  });
});
