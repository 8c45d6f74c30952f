/** A node's disk as it lies on the computer: what is written is there after a SIGKILL, nothing is applied before all have confirmed it, and damage is named. */
import { fork } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Contents } from "../../src/engine/host/disk/contents.ts";
import { Damaged } from "../../src/engine/host/disk/database.ts";
import { Disk } from "../../src/engine/host/disk/disk.ts";
import { imageDigest } from "../../src/engine/host/disk/rows.ts";
import { contentOf, diskFile, imageAfter, storeFile, write } from "./commits.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-disk-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function opened<T>(work: (disk: Disk, contents: Contents) => T): T {
  const contents = new Contents(storeFile(dir));
  const disk = new Disk(diskFile(dir), contents);
  try {
    return work(disk, contents);
  } finally {
    disk.close();
    contents.close();
  }
}

describe("what is written", () => {
  it("reaches the rows only up to the instant that all have confirmed", () => {
    opened((disk) => {
      disk.write([write(1, 100), write(2, 200), write(3, 300)]);
      expect(disk.empty).toBe(true);
      disk.settle(200);
      expect(disk.appliedSeq).toBe(2);
      expect(disk.lastSeq).toBe(3);
      expect(disk.read()).toEqual({ image: imageAfter(2), foreign: 0 });
      expect(disk.current()).toEqual(imageAfter(3));
    });
  });

  it("is cut at the instant up to which all had confirmed", () => {
    opened((disk) => {
      disk.write([write(1, 100), write(2, 200), write(3, 300)]);
      disk.cut(250);
      expect(disk.lastSeq).toBe(2);
      disk.settle(1000);
      expect(disk.read().image).toEqual(imageAfter(2));
    });
  });

  it("may be written twice, as a hub does for a worker that died between write and confirmation", () => {
    opened((disk) => {
      disk.write([write(1, 100)]);
      disk.write([write(1, 100), write(2, 100)]);
      disk.settle(100);
      disk.write([write(1, 100), write(2, 100), write(3, 400)]);
      disk.settle(500);
      expect(disk.read().image).toEqual(imageAfter(3));
    });
  });

  it("is there again when the file is opened anew, with its contents", () => {
    opened((disk) => disk.write([write(1, 100), write(2, 200)]));
    opened((disk, contents) => {
      disk.settle(200);
      const { image } = disk.read();
      expect(image).toEqual(imageAfter(2));
      const chunk = image.inodes[0]?.inode.chunks?.[0] ?? "";
      expect(contents.get(chunk)).toEqual(contentOf(2));
    });
  });

  it("does not skip a commit that is missing", () => {
    opened((disk) => {
      disk.write([write(1, 100), write(3, 200)]);
      expect(() => disk.settle(200)).toThrow(/commit 2 is missing/);
      expect(disk.appliedSeq).toBe(0);
    });
  });

  it("goes away with an inode and an entry that are gone", () => {
    opened((disk) => {
      disk.write([write(1, 100)]);
      const gone = {
        seq: 2,
        chunks: [],
        rows: [
          { row: "inode" as const, ino: 2, inode: undefined },
          { row: "entry" as const, dir: 1, name: "file", ino: undefined },
        ],
      };
      disk.write([{ at: 200, commit: gone }]);
      disk.settle(200);
      expect(disk.read().image).toEqual({ seq: 2, inodes: [], entries: [] });
    });
  });
});

describe("a whole disk", () => {
  it("is laid down over what was there, its log included", () => {
    opened((disk) => {
      disk.write([write(1, 100), write(2, 200), write(3, 300)]);
      disk.settle(200);
      disk.lay(imageAfter(1), () => contentOf(1));
      expect(disk.lastSeq).toBe(1);
      expect(disk.read().image).toEqual(imageAfter(1));
      expect(imageDigest(disk.current())).toBe(imageDigest(imageAfter(1)));
    });
  });

  it("has another digest when anything in it differs, and the same one whatever the order of its rows", () => {
    const image = imageAfter(3);
    const [first] = image.inodes;
    if (first === undefined) throw new Error("an image without an inode");
    const second = { ino: 9, inode: { ...first.inode, size: 7 } };
    expect(imageDigest({ ...image, inodes: [first, second] })).toBe(imageDigest({ ...image, inodes: [second, first] }));
    for (const change of [{ mode: 0o600 }, { uid: 33 }, { mtime: 1 }, { size: 4 }, { chunks: ["other"] }, { target: "" }])
      expect(imageDigest({ ...image, inodes: [{ ino: first.ino, inode: { ...first.inode, ...change } }] })).not.toBe(imageDigest(image));
  });
});

describe("contents", () => {
  it("are kept once and collected when nobody refers to them", () => {
    opened((disk, contents) => {
      disk.write([write(1, 100), write(2, 200), write(3, 300)]);
      contents.add(write(2, 200).commit.chunks);
      expect(contents.count).toBe(3);
      disk.settle(300);
      const inUse = new Set(disk.read().image.inodes.flatMap(({ inode }) => inode.chunks ?? []));
      expect(contents.collect(inUse)).toBe(2);
      expect(contents.get([...inUse][0] ?? "")).toEqual(contentOf(3));
      expect(() => contents.get("no such piece")).toThrow(Damaged);
    });
  });

  it("remember up to which instant something was told", () => {
    opened((_, contents) => {
      expect(contents.released).toBeUndefined();
      contents.release(5);
      contents.release(7_000_000_000);
    });
    opened((_, contents) => expect(contents.released).toBe(7_000_000_000));
  });
});

describe("what somebody else did to the files", () => {
  it("is noticed where a row was changed by hand", () => {
    opened((disk) => {
      disk.write([write(1, 100)]);
      disk.settle(100);
    });
    const db = new DatabaseSync(diskFile(dir));
    db.exec("UPDATE inode SET mode = 511");
    db.exec("INSERT INTO entry (dir, name, ino) VALUES (1, 'put here', 2)");
    db.close();
    opened((disk) => {
      const { image, foreign } = disk.read();
      expect(foreign).toBe(2);
      expect(image.inodes[0]?.inode.mode).toBe(0o777);
      expect(image.entries.map((e) => e.name)).toEqual(["file", "put here"]);
    });
  });

  it("is damage where the file is none of SQLite's", () => {
    writeFileSync(diskFile(dir), "not a database, but long enough to be looked at as one ".repeat(40));
    expect(() => opened(() => undefined)).toThrow(Damaged);
    expect(() => opened(() => undefined)).toThrow(diskFile(dir));
  });

  it("is damage where pages were overwritten", () => {
    opened((disk) => {
      for (let seq = 1; seq <= 60; seq++) disk.write([write(seq, seq)]);
    });
    const bytes = readFileSync(diskFile(dir));
    bytes.fill(0xff, 4096 + 40, bytes.length);
    writeFileSync(diskFile(dir), bytes);
    expect(() =>
      opened((disk) => {
        disk.settle(1000);
        disk.read();
      }),
    ).toThrow(Damaged);
  });

  it("is damage where a commit of the log is not what was written", () => {
    opened((disk) => disk.write([write(1, 100)]));
    const db = new DatabaseSync(diskFile(dir));
    db.exec("UPDATE redo SET instant = 50");
    db.close();
    opened((disk) => {
      expect(() => disk.settle(100)).toThrow(/commit 1 of its log/);
    });
  });

  it("is refused where a later version of the lab wrote it", () => {
    opened(() => undefined);
    const db = new DatabaseSync(diskFile(dir));
    db.exec("PRAGMA user_version = 9");
    db.close();
    expect(() => opened(() => undefined)).toThrow(/format 9, this version of the lab reads format 1/);
  });
});

describe("a process that is killed", () => {
  it("leaves everything it had said was written, and one disk can be copied and opened elsewhere", async () => {
    for (let round = 0; round < 5; round++) {
      const at = mkdtempSync(join(dir, "killed-"));
      const said = await new Promise<number>((resolve, reject) => {
        const writer = fork(new URL("writer.ts", import.meta.url), [at], { execArgv: ["--import", import.meta.resolve("tsx")] });
        let last = 0;
        writer.on("message", (seq) => {
          last = Number(seq);
          if (last === 40 + 13 * round) writer.kill("SIGKILL");
        });
        writer.on("error", reject);
        writer.on("exit", () => resolve(last));
      });
      const contents = new Contents(storeFile(at));
      const disk = new Disk(diskFile(at), contents);
      expect(disk.lastSeq).toBeGreaterThanOrEqual(said);
      disk.settle(Number.MAX_SAFE_INTEGER);
      const { image, foreign } = disk.read();
      expect(foreign).toBe(0);
      expect(image).toEqual(imageAfter(image.seq));
      expect(contents.get(image.inodes[0]?.inode.chunks?.[0] ?? "")).toEqual(contentOf(image.seq));
      disk.close();
      contents.close();
      const elsewhere = mkdtempSync(join(at, "elsewhere-"));
      copyFileSync(diskFile(at), diskFile(elsewhere));
      const store = new Contents(storeFile(elsewhere));
      const copy = new Disk(diskFile(elsewhere), store);
      expect(copy.read().image).toEqual(image);
      copy.close();
      store.close();
    }
  }, 60_000);
});
