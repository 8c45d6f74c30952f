/** config.db as SQLite itself sees it: what the lab writes it opens, whole and with the real schema, and what it writes the lab reads. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { expect, test } from "vitest";
import { Rng } from "../../src/engine/kernel/index.ts";
import { TREE_SCHEMA, rootEntry, rowOf, type Row } from "../../src/engine/pmxcfs/backend.ts";
import { readImage, writeImage } from "../../src/engine/pmxcfs/sqlite-image.ts";

function joined(pages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pages));
}

function withFile<T>(perform: (path: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "quorate-pmxcfs-"));
  try {
    return perform(join(dir, "config.db"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Trees of every size, with files around the sizes at which a cell spills. */
function rowsOf(seed: number): Row[] {
  const rng = Rng.from("sqlite", String(seed));
  const count = rng.pick([0, 1, 5, 60, 400, 1500]);
  const rows = [rowOf(rootEntry(rng.between(0, 2 ** 31)))];
  let inode = 1;
  for (let i = 0; i < count; i++) {
    inode += rng.between(1, rng.pick([1, 200, 70_000]));
    const size = rng.pick([0, 1, 30, 200, rng.between(3900, 4200), rng.between(8000, 9000), i === 3 ? 1_048_576 : 10]);
    const data = size === 0 ? undefined : Uint8Array.from({ length: size }, (_, k) => (k * 31 + i) & 0xff);
    const name = rng.pick(["a", "ünï", `${i}`, "x".repeat(rng.between(1, 250))]) + i;
    rows.push({
      inode,
      parent: rng.between(0, 300),
      version: inode,
      writer: rng.between(0, 3),
      mtime: rng.between(0, 2 ** 32 - 1),
      type: 8,
      name,
      data,
    });
  }
  return rows;
}

function compact(rows: readonly Row[]): string[] {
  return rows.map(
    (r) =>
      `${r.inode} ${r.parent} ${r.version} ${r.writer} ${r.mtime} ${r.type} ${r.name} ${r.data === undefined ? "NULL" : Buffer.from(r.data).toString("base64")}`,
  );
}

test("SQLite finds the lab's file in order, with the real schema, mode and rows", () => {
  for (let seed = 0; seed < 60; seed++)
    withFile((path) => {
      const rows = rowsOf(seed);
      const image = joined(writeImage(rows));
      writeFileSync(path, image);
      const db = new DatabaseSync(path);
      expect(db.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      expect(db.prepare("PRAGMA journal_mode").all()).toEqual([{ journal_mode: "wal" }]);
      expect(db.prepare("SELECT sql FROM sqlite_schema").all()).toEqual([{ sql: TREE_SCHEMA.replace(/;$/, "") }]);
      const read = db.prepare("SELECT * FROM tree ORDER BY inode").all() as unknown as (Omit<Row, "data"> & { data: Uint8Array | null })[];
      expect(compact(read.map((row) => ({ ...row, data: row.data ?? undefined })))).toEqual(compact(rows));
      db.close();
      const again = readImage(image);
      expect(again !== "no table" && "rows" in again ? compact(again.rows) : again).toEqual(compact(rows));
    });
});

test("the lab reads what SQLite wrote, changed and vacuumed", () => {
  for (let seed = 100; seed < 120; seed++)
    withFile((path) => {
      const rows = rowsOf(seed);
      const db = new DatabaseSync(path);
      if (seed % 2 === 0) db.exec("PRAGMA page_size = 1024");
      db.exec(TREE_SCHEMA);
      const insert = db.prepare("INSERT INTO tree VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      db.exec("BEGIN");
      for (const r of rows) insert.run(r.inode, r.parent, r.version, r.writer, r.mtime, r.type, r.name, r.data ?? null);
      db.exec("COMMIT");
      db.exec("DELETE FROM tree WHERE inode % 3 = 1");
      db.close();
      const read = readImage(Uint8Array.from(readFileSync(path)));
      const left = rows.filter((row) => row.inode % 3 !== 1);
      expect(read !== "no table" && "rows" in read ? compact(read.rows) : read).toEqual(compact(left));
    });
});

test("a file that is no database, one that was cut and one without the table are told apart", () => {
  const image = joined(writeImage(rowsOf(3)));
  expect(readImage(new TextEncoder().encode("garbage\n"))).toEqual({ error: "file is not a database" });
  expect(readImage(image.subarray(0, 5000))).toEqual({ error: "database disk image is malformed" });
  withFile((path) => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE other (x)");
    db.close();
    expect(readImage(Uint8Array.from(readFileSync(path)))).toBe("no table");
  });
});

test("rows shorter than the header of a database are read as any other", () => {
  const rows: Row[] = [
    rowOf(rootEntry(1)),
    { inode: 2, parent: 0, version: 2, writer: 1, mtime: 7, type: 4, name: "q", data: undefined },
    { inode: 3, parent: 2, version: 3, writer: 1, mtime: 7, type: 8, name: "f", data: undefined },
  ];
  const read = readImage(joined(writeImage(rows)));
  expect(read !== "no table" && "rows" in read ? compact(read.rows) : read).toEqual(compact(rows));
});
