/** The disks of a lab: what each node had in mind is compared with what lies there, a cut makes them one instant, and a file that is broken is put aside. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeDisks, type DiskState } from "../../src/engine/host/disk/node-disks.ts";
import { contentOf, imageAfter, write } from "./commits.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-disks-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A disk after commits 1 … `seq`, as a machine has it in mind. */
function after(seq: number): DiskState {
  return { image: imageAfter(seq), chunks: new Map([[`hash-${seq}`, contentOf(seq)]]) };
}

function withDisks<T>(work: (disks: NodeDisks) => T): T {
  const disks = new NodeDisks(dir);
  try {
    return work(disks);
  } finally {
    disks.close();
  }
}

const LATE = 1_000_000;

describe("when a lab is brought up", () => {
  it("a machine that never ran has nothing on its disk", () => {
    expect(withDisks((disks) => disks.look(0, LATE, after(1)))).toEqual({ found: "nothing" });
  });

  it("what the machine has in mind is what lies there", () => {
    withDisks((disks) => {
      disks.of(0).follow(1, () => after(1));
      disks.of(0).write([write(2, 200)]);
    });
    expect(withDisks((disks) => disks.look(0, LATE, after(2)))).toEqual({ found: "same" });
  });

  it("what nobody had been told has not happened: all disks are cut at one instant", () => {
    withDisks((disks) => {
      for (const number of [0, 1]) disks.of(number).follow(1, () => after(1));
      disks.of(0).write([write(2, 200), write(3, 300)]);
      disks.of(1).write([write(2, 210)]);
    });
    withDisks((disks) => {
      expect(disks.look(0, 250, after(2))).toEqual({ found: "same" });
      expect(disks.look(1, 250, after(2))).toEqual({ found: "same" });
      // The machine had come further in the record than the disk had been released.
      expect(disks.look(0, 250, after(3))).toMatchObject({ found: "other", foreign: 0, state: { image: imageAfter(2) } });
    });
  });

  it("what somebody wrote there by hand is found, with its contents", () => {
    withDisks((disks) => disks.of(0).follow(2, () => after(2)));
    const db = new DatabaseSync(join(dir, "disks", "0", "disk.db"));
    db.exec("UPDATE inode SET mode = 384");
    db.close();
    const found = withDisks((disks) => disks.look(0, LATE, after(2)));
    expect(found).toMatchObject({ found: "other", foreign: 1, state: { image: { inodes: [{ inode: { mode: 0o600 } }] } } });
    // A machine that had something else in mind does not have the contents either.
    expect(withDisks((disks) => disks.look(0, LATE, after(1)))).toMatchObject({
      found: "other",
      state: { chunks: new Map([["hash-2", contentOf(2)]]) },
    });
  });

  it("a file that is broken is put aside and named, and the next one is new", () => {
    withDisks((disks) => disks.of(0).follow(1, () => after(1)));
    for (const k of [1, 2]) {
      writeFileSync(join(dir, "disks", "0", "disk.db"), `broken ${k} `.repeat(900));
      const found = withDisks((disks) => disks.look(0, LATE, after(1)));
      expect(found).toMatchObject({ found: "damaged", aside: join(dir, "disks", `0.damaged-${k}`) });
      expect(readFileSync(join(dir, "disks", `0.damaged-${k}`, "disk.db"), "utf8")).toContain(`broken ${k}`);
      expect(existsSync(join(dir, "disks", "0"))).toBe(false);
      withDisks((disks) => disks.of(0).follow(1, () => after(1)));
      expect(withDisks((disks) => disks.look(0, LATE, after(1)))).toEqual({ found: "same" });
    }
  });
});

describe("while a lab runs", () => {
  it("a disk that stands where the machine stands is not laid down again", () => {
    withDisks((disks) => {
      const disk = disks.of(0);
      disk.follow(2, () => after(2));
      disk.follow(2, () => {
        throw new Error("asked for the whole disk");
      });
      disk.write([write(3, 300)]);
      disk.follow(3, () => {
        throw new Error("asked for the whole disk");
      });
    });
  });

  it("commits reach the rows when all have confirmed them, and asking is free where there is nothing", () => {
    withDisks((disks) => {
      const disk = disks.of(0);
      disk.follow(1, () => after(1));
      disk.write([write(2, 200), write(3, 300)]);
      disk.confirmed(250);
      disk.confirmed(240);
    });
    // Cut at nothing: what had not reached the rows is gone.
    expect(withDisks((disks) => disks.look(0, 0, after(2)))).toEqual({ found: "same" });
  });

  it("a whole disk with a hole in a file is laid down", () => {
    const [file] = imageAfter(1).inodes;
    if (file === undefined) throw new Error("an image without a file");
    const image = { ...imageAfter(1), inodes: [{ ...file, inode: { ...file.inode, chunks: ["-3", "hash-1"] } }] };
    const state = { image, chunks: after(1).chunks };
    withDisks((disks) => disks.of(0).follow(1, () => state));
    expect(withDisks((disks) => disks.look(0, LATE, state))).toEqual({ found: "same" });
  });
});
