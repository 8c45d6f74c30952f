/** The disks of a lab: what each node had in mind is compared with what lies there, a cut makes them one instant, and a file that is broken is put aside. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeDisks } from "../../src/engine/host/disk/node-disks.ts";
import type { DiskContents } from "../../src/engine/kernel/index.ts";
import { contentOf, imageAfter, write } from "./commits.ts";

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "quorate-disks-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** A disk after commits 1 … `seq`, as a machine has it in mind. */
function after(seq: number): DiskContents {
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
      disks.of(0).follow(after(1));
      disks.of(0).write([write(2, 200)]);
    });
    expect(withDisks((disks) => disks.look(0, LATE, after(2)))).toEqual({ found: "same" });
  });

  it("what nobody had been told has not happened: all disks are cut at one instant", () => {
    withDisks((disks) => {
      for (const number of [0, 1]) disks.of(number).follow(after(1));
      disks.of(0).write([write(2, 200), write(3, 300)]);
      disks.of(1).write([write(2, 210)]);
    });
    withDisks((disks) => {
      expect(disks.look(0, 250, after(2))).toEqual({ found: "same" });
      expect(disks.look(1, 250, after(2))).toEqual({ found: "same" });
      // The machine had come further in the record than the disk had been released.
      expect(disks.look(0, 250, after(3))).toMatchObject({ found: "other", foreign: 0, image: imageAfter(2) });
    });
  });

  it("what somebody wrote there by hand is found, with its contents", () => {
    withDisks((disks) => disks.of(0).follow(after(2)));
    const db = new DatabaseSync(join(dir, "0", "disk.db"));
    db.exec("UPDATE inode SET mode = 384");
    db.close();
    const found = withDisks((disks) => disks.look(0, LATE, after(2)));
    expect(found).toMatchObject({ found: "other", foreign: 1, image: { inodes: [{ inode: { mode: 0o600 } }] }, chunks: [] });
    // A machine that had something else in mind does not have the contents either.
    expect(withDisks((disks) => disks.look(0, LATE, after(1)))).toMatchObject({
      found: "other",
      chunks: [{ hash: "hash-2", data: contentOf(2) }],
    });
  });

  it("a file that is broken is put aside and named, and the next one is new", () => {
    withDisks((disks) => disks.of(0).follow(after(1)));
    for (const k of [1, 2]) {
      writeFileSync(join(dir, "0", "disk.db"), `broken ${k} `.repeat(900));
      const found = withDisks((disks) => disks.look(0, LATE, after(1)));
      expect(found).toMatchObject({ found: "damaged", aside: join(dir, `0.damaged-${k}`) });
      expect(readFileSync(join(dir, `0.damaged-${k}`, "disk.db"), "utf8")).toContain(`broken ${k}`);
      expect(existsSync(join(dir, "0"))).toBe(false);
      withDisks((disks) => disks.of(0).follow(after(1)));
      expect(withDisks((disks) => disks.look(0, LATE, after(1)))).toEqual({ found: "same" });
    }
  });

  it("a file in which any name of a table or a column has changed is put aside and named", () => {
    withDisks((disks) => disks.of(0).follow(after(1)));
    const file = join(dir, "0", "disk.db");
    const whole = readFileSync(file);
    const told: unknown[] = [];
    for (const name of ["TABLE redo", "instant INTEGER", "body BLOB", "chunks TEXT", "value INTEGER", "name TEXT, ino"]) {
      const bytes = Buffer.from(whole);
      const at = bytes.indexOf(name) + name.indexOf(" ") - 1;
      bytes[at] = (bytes[at] ?? 0) ^ 2;
      rmSync(join(dir, "0"), { recursive: true, force: true });
      mkdirSync(join(dir, "0"));
      writeFileSync(file, bytes);
      told.push(withDisks((disks) => disks.look(0, LATE, after(1))).found);
    }
    expect(told).toEqual(Array(6).fill("damaged"));
  });
});

describe("the contents of a lab that is brought up", () => {
  const contentsOf = (count: number): string => {
    withDisks((disks) => disks.contents.add(Array.from({ length: count }, (_, k) => ({ hash: `hash-${k}`, data: contentOf(k) }))));
    return join(dir, "contents.db");
  };
  const mended = (): string | undefined => {
    const { disks, said } = NodeDisks.mended(dir);
    disks.close();
    return said;
  };

  it("are put aside where the file ends in the middle of a page, with what can be read", () => {
    const file = contentsOf(200);
    // Its last page holds the end of one piece.
    withDisks((disks) => disks.contents.add([{ hash: "long", data: new Uint8Array(30_000).fill(7) }]));
    const whole = readFileSync(file);
    for (const less of [1, 387, 4000]) {
      writeFileSync(file, whole.subarray(0, whole.length - less));
      expect(mended()).toMatch(/contents\.db is damaged: [^\n]+; it was put aside as \S+, and \d+ pieces of files could be read$/);
      expect(mended()).toBeUndefined();
    }
  });

  it("are put aside where a piece stands out of its order, so that others would not be found", () => {
    const file = contentsOf(200);
    const bytes = readFileSync(file);
    const at = bytes.indexOf("hash-150");
    bytes.write("hash-950", at);
    writeFileSync(file, bytes);
    expect(mended()).toMatch(/contents\.db is damaged: .*; it was put aside as \S+, and 200 pieces of files could be read$/);
    withDisks(({ contents }) => {
      for (let k = 0; k < 200; k++) if (k !== 150) expect(contents.get(`hash-${k}`)).toEqual(contentOf(k));
    });
  });

  it("are put aside where any cell of any page lies elsewhere than it can, which is said in one line", () => {
    withDisks((disks) => disks.contents.add(Array.from({ length: 200 }, (_, k) => ({ hash: `hash-${k}`, data: contentOf(k) }))));
    const file = join(dir, "contents.db");
    const whole = readFileSync(file);
    const told: string[] = [];
    // The first cell pointer of every page of a tree that has one.
    for (let page = 4096; page < whole.length; page += 4096) {
      const kind = whole[page] ?? 0;
      if (![2, 5, 10, 13].includes(kind) || whole.readUInt16BE(page + 3) === 0) continue;
      const bytes = Buffer.from(whole);
      bytes.writeUInt16BE(0xfff0, page + (kind < 10 ? 12 : 8));
      writeFileSync(file, bytes);
      const { disks, said } = NodeDisks.mended(dir);
      disks.close();
      told.push(said ?? "");
      rmSync(file);
    }
    expect(told.length).toBeGreaterThan(2);
    for (const line of told)
      expect(line).toMatch(/^\S+contents\.db is damaged: [^\n*]+; it was put aside as \S+, and \d+ pieces of files could be read$/);
  });
});

describe("while a lab runs", () => {
  it("a state of another run with as many commits is laid down", () => {
    withDisks((disks) => {
      const disk = disks.of(0);
      disk.follow(after(2));
      disk.write([write(3, 300)]);
      const other = { image: { ...imageAfter(3), inodes: imageAfter(1).inodes }, chunks: after(1).chunks };
      disk.follow(other);
      expect(disk.compare(other)).toEqual({ found: "same" });
    });
  });

  it("commits reach the rows when all have confirmed them, and asking is free where there is nothing", () => {
    withDisks((disks) => {
      const disk = disks.of(0);
      disk.follow(after(1));
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
    withDisks((disks) => disks.of(0).follow(state));
    expect(withDisks((disks) => disks.look(0, LATE, state))).toEqual({ found: "same" });
  });
});

describe("the cut after a crash", () => {
  const told = (instant: number, seqs: readonly (readonly [number, number])[]): void =>
    withDisks((disks) => disks.contents.release(instant, new Map(seqs)));
  /** What is left of machine `number`. */
  const left = (number: number): number =>
    withDisks((disks) => {
      const cut = disks.toldCut();
      disks.look(number, cut.until(number), after(1), cut.seq(number));
      return disks.of(number).current().seq;
    });

  it("parts commits of one instant: those that were told, and those that were not", () => {
    withDisks((disks) => {
      disks.of(0).follow(after(1));
      disks.of(0).write([write(2, 200), write(3, 200), write(4, 300)]);
    });
    told(200, [[0, 2]]);
    expect(left(0)).toBe(2);
  });

  it("keeps on every disk what one of them has in its rows: all had confirmed it", () => {
    withDisks((disks) => {
      for (const number of [0, 1]) disks.of(number).follow(after(1));
      disks.of(0).write([write(2, 200), write(3, 300), write(4, 400)]);
      disks.of(1).write([write(2, 250), write(3, 350)]);
      // Its worker had heard that all have confirmed up to here, the other one's had not.
      disks.of(0).confirmed(320);
    });
    told(100, [
      [0, 1],
      [1, 1],
    ]);
    expect([left(0), left(1)]).toEqual([3, 2]);
  });

  it("is that of the instant where a lab was brought up before its disks' numbers were told", () => {
    withDisks((disks) => {
      disks.of(0).follow(after(1));
      disks.of(0).write([write(2, 200), write(3, 300)]);
      disks.contents.release(250);
    });
    expect(left(0)).toBe(2);
  });

  it("is nothing of a run that was given up", () => {
    withDisks((disks) => {
      disks.of(0).follow(after(1));
      disks.contents.release(500, new Map([[0, 9]]));
      disks.contents.rewind(200);
      disks.of(0).write([write(2, 200), write(3, 300)]);
    });
    expect(left(0)).toBe(2);
  });

  it("leaves in the log what not all have confirmed while a machine begins anew", () => {
    withDisks((disks) => {
      disks.of(0).follow(after(1));
      disks.of(0).write([write(2, 200), write(3, 300)]);
      expect(disks.lookRunning(0, after(3))).toEqual({ found: "same" });
      expect(disks.lookRunning(0, after(2))).toMatchObject({ found: "other" });
    });
    told(200, [[0, 2]]);
    expect(left(0)).toBe(2);
  });
});
