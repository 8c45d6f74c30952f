/** A lab brought up from its directory: who may read it, what a start that fails leaves, and what is made good from what. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { printLabFile } from "../../src/main/lab/file/labfile.ts";
import { bringUp, labTextOf, type Standing } from "../../src/main/lab/process/start/bring-up.ts";
import { LabDisk, writeLab } from "../../src/main/lab/store/disk.ts";
import { NamedSnapshots } from "../../src/main/lab/store/named-snapshots.ts";
import { makePrivate } from "../../src/main/lab/store/private-files.ts";
import { stateOfWorld } from "../../src/main/lab/store/world-state.ts";

const labFile = defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "lab", seed: "up", epoch: "2026-01-01T00:00:00Z" });
let dir: string;
let lab: Standing;
/** What the machine commits goes into the log of its disk, and no further. */
let logged: boolean;

const at = (name: string): string => join(dir, name);

function up(): Standing {
  lab = bringUp(dir, labTextOf(dir), false);
  follow();
  return lab;
}

/** The disk has what the machine has in mind. */
function follow(): void {
  const machine = lab.found.world.machineAt(0);
  if (machine !== undefined) lab.disks.of(0).follow(machine.diskImage());
}

function crash(): void {
  lab.disk.close();
  lab.disks.close();
}

function down(): void {
  lab.disk.freeze(lab.found.world, 1, false);
  crash();
}

function write(path: string, text: string): void {
  const act = { kind: "file-write", path, data: Buffer.from(text), append: false } as const;
  expect(lab.found.world.act({ to: "machine", machine: "pve1", act })).toMatchObject({ ok: true });
  lab.disk.note(lab.found.world);
  if (!logged) follow();
}

function read(path: string): string | undefined {
  const reply = lab.found.world.query("pve1", { kind: "file-read", path });
  return reply.kind === "file" ? Buffer.from(reply.data).toString() : undefined;
}

beforeEach(() => {
  logged = false;
  dir = mkdtempSync(join(tmpdir(), "quorate-up-"));
  writeFileSync(at("lab.yaml"), printLabFile(labFile));
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

describe.skipIf(process.platform === "win32")("the files of a lab", () => {
  /** Every file and folder with its mode. */
  function modes(of: string): string[] {
    return readdirSync(of, { recursive: true, withFileTypes: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${entry.isDirectory() ? "d" : "-"}${(statSync(path).mode & 0o777).toString(8)}`;
    });
  }

  const all = (of: string): Set<string> => new Set([`d${(statSync(of).mode & 0o777).toString(8)}`, ...modes(of)]);

  it.each([0, 0o077, 0o277])("are its owner's alone under umask %o", (umask) => {
    const before = process.umask(umask);
    try {
      up();
      write("/root/x", "x".repeat(5000));
      new NamedSnapshots(dir, lab.disks.contents).save("calm", stateOfWorld(lab.found.world));
      expect(all(dir)).toEqual(new Set(["d700", "-600"]));
      const fork = at("fork");
      writeLab(fork, printLabFile(labFile), { world: stateOfWorld(lab.found.world), speed: 1, paused: true });
      makePrivate(fork);
      expect(all(fork)).toEqual(new Set(["d700", "-600"]));
      rmSync(fork, { recursive: true });
      down();
      expect(all(dir)).toEqual(new Set(["d700", "-600"]));
    } finally {
      process.umask(before);
    }
  });

  it("become so where they were made before, and what is somebody else's stays as it is", () => {
    up();
    down();
    for (const name of ["lab.yaml", "record.jsonl", "frozen.bin", "disks/contents.db", "disks/0/disk.db"]) chmodSync(at(name), 0o644);
    for (const name of [".", "disks", "disks/0"]) chmodSync(at(name), 0o755);
    writeFileSync(at("notes.txt"), "mine");
    chmodSync(at("notes.txt"), 0o644);
    up();
    crash();
    expect(statSync(at("notes.txt")).mode & 0o777).toBe(0o644);
    rmSync(at("notes.txt"));
    expect(all(dir)).toEqual(new Set(["d700", "-600"]));
  });
});

describe("a start that fails", () => {
  it("leaves the frozen state, and the next one goes on from it", () => {
    up();
    write("/root/x", "frozen");
    lab.found.world.runUntil(5_000_000);
    down();
    vi.spyOn(LabDisk.prototype, "saveDisks").mockImplementationOnce(() => {
      throw new Error("no room");
    });
    expect(up).toThrow("no room");
    expect(existsSync(at("frozen.bin"))).toBe(true);
    expect([up().found.how, lab.said, read("/root/x")]).toEqual(["frozen", [], "frozen"]);
    expect(existsSync(at("frozen.bin"))).toBe(false);
    crash();
  });
});

describe("a node with directories two thousand deep", () => {
  const deep = `/srv/${"a/".repeat(2000)}`;
  const names = (): string => {
    const list = lab.found.world.query("pve1", { kind: "file-list", path: deep });
    return list.kind === "list" ? list.entries.map(({ name }) => name).join(" ") : list.kind;
  };

  it("can be taken down, kept, forked and brought up again, after a crash too, and removed", () => {
    up();
    const { world } = lab.found;
    world.act({ to: "machine", machine: "pve1", act: { kind: "file-mkdir", path: deep, parents: true } });
    write(`${deep}end`, "x");
    new NamedSnapshots(dir, lab.disks.contents).save("deep", stateOfWorld(world));
    writeLab(at("fork"), printLabFile(labFile), { world: stateOfWorld(world), speed: 1, paused: true });
    down();
    expect([up().found.how, names()]).toEqual(["frozen", "end"]);
    crash();
    expect([up().found.how, names()]).toEqual(["crashed", "end"]);
    crash();
    const fork = bringUp(at("fork"), labTextOf(at("fork")), false);
    expect(fork.found.how).toBe("frozen");
    fork.disk.close();
    fork.disks.close();
    up();
    lab.found.world.act({ to: "machine", machine: "pve1", act: { kind: "file-remove", path: "/srv/a", recursive: true } });
    expect(names()).toBe("error");
    crash();
  });
});

describe("what is lost of a lab", () => {
  it("is nothing where the last line of the record lacks its end alone: that line counts, the next time too", () => {
    up();
    write("/root/x", "one");
    write("/root/y", "two");
    crash();
    rmSync(at("disks.bin"));
    truncateSync(at("record.jsonl"), statSync(at("record.jsonl")).size - 1);
    up();
    expect(read("/root/y")).toBe("two");
    crash();
    rmSync(at("disks.bin"));
    up();
    expect([read("/root/x"), read("/root/y")]).toEqual(["one", "two"]);
    crash();
  });

  it("is the end of a record from a damaged line on: it is named with its place, and kept aside", () => {
    up();
    write("/root/x", "one");
    write("/root/y", "two");
    crash();
    rmSync(at("disks.bin"));
    const text = readFileSync(at("record.jsonl"), "utf8");
    writeFileSync(at("record.jsonl"), text.replace("/root/y", "/root/z"));
    up();
    const line = text.split("\n").findIndex((each) => each.includes("/root/y")) + 1;
    expect(lab.said).toContain(
      `${at("record.jsonl")}:${line}: this line, or one that stood before it, is not what was written: its sum does not fit; ` +
        `it was put aside as ${at("record.jsonl")}.damaged-1 and was written anew from what is known`,
    );
    expect([read("/root/x"), read("/root/z")]).toEqual(["one", undefined]);
    crash();
    expect(readFileSync(at("record.jsonl.damaged-1"), "utf8")).toContain("/root/z");
  });

  it("is said where acts that had been told of are missing at the end of the record", () => {
    up();
    write("/root/x", "one");
    write("/root/y", "two");
    lab.disks.contents.release(lab.found.world.now, new Map(), lab.found.world.inputs().length);
    crash();
    rmSync(at("disks.bin"));
    const text = readFileSync(at("record.jsonl"), "utf8");
    writeFileSync(at("record.jsonl"), text.slice(0, text.lastIndexOf("\n", text.indexOf("/root/y")) + 1));
    expect(up().said).toContain(`${at("record.jsonl")} lacks the last act that the lab had done`);
    crash();
  });

  it("is no lab file: it is that which the record was made from", () => {
    up();
    down();
    const text = readFileSync(at("lab.yaml"), "utf8");
    writeFileSync(at("lab.yaml"), text.replace("seed", "sead"));
    expect(up().said).toEqual([
      `${at("lab.yaml")} is not what the lab was made from; it was put aside as ${at("lab.yaml")}.damaged-1 and was written anew from the record`,
    ]);
    down();
    rmSync(at("lab.yaml"));
    expect(up().said).toEqual([`${at("lab.yaml")} is missing; it was written anew from the record`]);
    expect(readFileSync(at("lab.yaml"), "utf8")).toBe(text);
    crash();
  });

  it("is said where a hand had written to a row that the node itself had changed last", () => {
    up();
    write("/root/x", "one");
    const machine = lab.found.world.machineAt(0);
    if (machine === undefined) throw new Error("no machine");
    logged = true;
    lab.found.world.watch({
      effect: (instant, _number, effect) => {
        if (effect.kind === "commit") lab.disks.of(0).write([{ at: instant, commit: effect.commit }]);
      },
    });
    write("/root/x", "two");
    const { world } = lab.found;
    logged = false;
    lab.disks.contents.release(world.now, new Map([[0, machine.diskSeq()]]), world.inputs().length);
    crash();
    const db = new DatabaseSync(at("disks/0/disk.db"));
    db.exec("UPDATE inode SET mode = 256 WHERE ino = (SELECT ino FROM entry WHERE name = 'x')");
    db.close();
    const said =
      "on the disk of pve1 somebody else than the lab wrote to a row that the node itself had changed last: what the node wrote counts";
    expect(up().said).toContain(said);
    expect(read("/root/x")).toBe("two");
    crash();
    expect(up().said).not.toContain(said);
    crash();
  });
});
