/**
 * The disk of one node on the computer the lab runs on: `disk.db`, with the rows of the node's root file system and, before them, a redo log of the commits that not every
 * process of the lab has confirmed yet. A commit is in the log before its worker confirms it; it reaches the rows only up to the instant that all have confirmed, so that a
 * crash of the hub leaves disks of which one consistent cut can be made. In the real stack: the block device under pve-root. Left out: blocks, partitions, the journal of
 * ext4.
 */
import { Packr } from "msgpackr";
import { Hasher, type Commit, type DiskImage, type DiskRow, type Instant } from "../../kernel/index.ts";
import type { Contents } from "./contents.ts";
import { Damaged, Database, type Row } from "./database.ts";
import { Numbers } from "./numbers.ts";
import { entryHash, entryOf, INODE_COLUMNS, inodeOf, inodeValues, isHole } from "./rows.ts";

const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE inode (ino INTEGER PRIMARY KEY, type TEXT, mode INTEGER, uid INTEGER, gid INTEGER,
    atime INTEGER, mtime INTEGER, ctime INTEGER, size INTEGER, target TEXT, chunks TEXT, hash TEXT);
  CREATE TABLE entry (dir INTEGER, name TEXT, ino INTEGER, hash TEXT, PRIMARY KEY (dir, name)) WITHOUT ROWID;
  CREATE TABLE redo (seq INTEGER PRIMARY KEY, instant INTEGER NOT NULL, body BLOB NOT NULL, hash TEXT NOT NULL);
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`;

const packr = new Packr({ useRecords: false, moreTypes: true });

/** What was found when a disk was read. */
export interface Found {
  readonly image: DiskImage;
  /** Rows that somebody else than the lab wrote: their own hash does not fit them, or they are no rows of a disk at all. */
  readonly foreign: number;
}

function redoHash(seq: number, instant: Instant, body: Uint8Array): string {
  return new Hasher().int(seq).int(instant).bytes(body).hex();
}

export class Disk {
  private readonly db: Database;
  private readonly meta: Numbers;

  /** Opens the file, or makes an empty one. Throws Damaged. */
  constructor(
    readonly file: string,
    private readonly contents: Contents,
  ) {
    this.db = new Database(file, SCHEMA, FORMAT);
    this.meta = new Numbers(this.db, "meta");
  }

  // ── what the lab writes ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts commits of `instant` into the redo log, their contents first. One that is there already is left: to write again what was written changes nothing. */
  write(commits: readonly { readonly at: Instant; readonly commit: Commit }[]): void {
    if (commits.length === 0) return;
    this.contents.add(commits.flatMap(({ commit }) => commit.chunks));
    const applied = this.appliedSeq;
    this.db.transaction(() => {
      for (const { at, commit } of commits) {
        if (commit.seq <= applied) continue;
        const body = packr.pack(commit.rows);
        this.db.run(
          "INSERT OR IGNORE INTO redo (seq, instant, body, hash) VALUES (?, ?, ?, ?)",
          commit.seq,
          at,
          body,
          redoHash(commit.seq, at, body),
        );
      }
    });
  }

  /**
   * Everything before or at `instant`, and every commit up to `seq`, has been confirmed by all: they reach the rows.
   * @returns how many rows were overwritten that somebody else than the lab had written
   */
  settle(instant: Instant, seq = 0): number {
    const due = this.db.rows("SELECT seq, instant, body, hash FROM redo WHERE instant <= ? OR seq <= ? ORDER BY seq", instant, seq);
    if (due.length === 0) return 0;
    let overwritten = 0;
    this.db.transaction(() => {
      let last = this.appliedSeq;
      for (const row of due) {
        const redone = this.redone(row);
        if (redone.seq !== last + 1) throw new Damaged(this.file, `commit ${last + 1} is missing from its log`);
        for (const change of redone.rows) {
          if (this.foreign(change)) overwritten++;
          this.apply(change);
        }
        last = redone.seq;
      }
      this.meta.set("seq", last);
      this.meta.set("instant", Number(due.at(-1)?.["instant"]));
      this.meta.seal();
      this.db.run("DELETE FROM redo WHERE seq <= ?", last);
    });
    return overwritten;
  }

  /** The row that is about to be changed is none that the lab wrote. */
  private foreign(change: DiskRow): boolean {
    const [row, read] =
      change.row === "inode"
        ? [this.db.row(`SELECT ${INODE_COLUMNS} FROM inode WHERE ino = ?`, change.ino), inodeOf]
        : [this.db.row("SELECT dir, name, ino, hash FROM entry WHERE dir = ? AND name = ?", change.dir, change.name), entryOf];
    return row !== undefined && read(row)?.intact !== true;
  }

  private redone(row: Row): { readonly seq: number; readonly rows: readonly DiskRow[] } {
    const [seq, instant, body] = [Number(row["seq"]), Number(row["instant"]), row["body"]];
    if (!(body instanceof Uint8Array) || redoHash(seq, instant, body) !== row["hash"])
      throw new Damaged(this.file, `commit ${seq} of its log is not what was written`);
    // The hash has shown that it is what `write` packed.
    return { seq, rows: packr.unpack(body) as DiskRow[] };
  }

  private apply(change: DiskRow): void {
    if (change.row === "inode") {
      if (change.inode === undefined) this.db.run("DELETE FROM inode WHERE ino = ?", change.ino);
      else this.putInode(change.ino, change.inode);
    } else if (change.ino === undefined) this.db.run("DELETE FROM entry WHERE dir = ? AND name = ?", change.dir, change.name);
    else this.putEntry(change.dir, change.name, change.ino);
  }

  private putInode(ino: number, inode: Parameters<typeof inodeValues>[1]): void {
    this.db.run(`INSERT OR REPLACE INTO inode (${INODE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, ...inodeValues(ino, inode));
  }

  private putEntry(dir: number, name: string, ino: number): void {
    this.db.run("INSERT OR REPLACE INTO entry (dir, name, ino, hash) VALUES (?, ?, ?, ?)", dir, name, ino, entryHash(dir, name, ino));
  }

  /** What is later than `instant` and than commit `seq` has not happened. Returns what `settle` does. */
  cut(instant: Instant, seq = 0): number {
    this.meta.check();
    const overwritten = this.settle(instant, seq);
    this.db.run("DELETE FROM redo");
    return overwritten;
  }

  /** Lays a whole disk down: a new one, one of a snapshot, one as the lab has it in mind. */
  lay(image: DiskImage, chunks: (hash: string) => Uint8Array): void {
    const wanted = new Set(image.inodes.flatMap(({ inode }) => (inode.chunks ?? []).filter((hash) => !isHole(hash))));
    this.contents.add([...wanted].map((hash) => ({ hash, data: chunks(hash) })));
    this.db.transaction(() => {
      for (const table of ["inode", "entry", "redo"]) this.db.run(`DELETE FROM ${table}`);
      for (const { ino, inode } of image.inodes) this.putInode(ino, inode);
      for (const { dir, name, ino } of image.entries) this.putEntry(dir, name, ino);
      this.meta.set("seq", image.seq);
      this.meta.set("instant", 0);
      this.meta.seal();
    });
  }

  // ── what stands there ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sequence number of the last commit in the rows. */
  get appliedSeq(): number {
    return this.meta.get("seq") ?? 0;
  }

  /** Its instant; 0 where the rows were laid down whole. All processes of the lab had confirmed it then. */
  get appliedAt(): Instant {
    return this.meta.get("instant") ?? 0;
  }

  /** Sequence number of the last commit in rows or log. */
  get lastSeq(): number {
    return Math.max(this.appliedSeq, Number(this.db.row("SELECT max(seq) AS seq FROM redo")?.["seq"] ?? 0));
  }

  /** Instants of the commits in the log, in their order. */
  get logged(): Instant[] {
    return this.db.rows("SELECT instant FROM redo ORDER BY seq").map((row) => Number(row["instant"]));
  }

  /** Nothing was ever laid down here. */
  get empty(): boolean {
    return this.db.row("SELECT 1 FROM inode LIMIT 1") === undefined;
  }

  /** What the rows hold, with the log's commits not yet in them. Throws Damaged where SQLite cannot read its own file. */
  read(): Found {
    const fault = this.db.fault();
    if (fault !== undefined) throw new Damaged(this.file, fault);
    this.meta.check();
    let foreign = 0;
    const seen = <T extends { readonly intact: boolean }>(found: T | undefined): T[] => {
      if (found?.intact !== true) foreign++;
      return found === undefined ? [] : [found];
    };
    const inodes = this.db.rows(`SELECT ${INODE_COLUMNS} FROM inode ORDER BY ino`).flatMap((row) => seen(inodeOf(row)));
    const entries = this.db.rows("SELECT dir, name, ino, hash FROM entry ORDER BY dir, name").flatMap((row) => seen(entryOf(row)));
    const image = {
      seq: this.appliedSeq,
      inodes: inodes.map(({ ino, inode }) => ({ ino, inode })),
      entries: entries.map(({ entry }) => entry),
    };
    return { image, foreign };
  }

  /** What the rows would hold with all commits of the log. */
  current(): DiskImage {
    return this.whole().image;
  }

  /** The same, and how much of it somebody else wrote. */
  whole(): Found {
    const { image, foreign } = this.read();
    const inodes = new Map(image.inodes.map(({ ino, inode }) => [ino, inode]));
    const entries = new Map(image.entries.map((entry) => [`${entry.dir}/${entry.name}`, entry]));
    let { seq } = image;
    for (const row of this.db.rows("SELECT seq, instant, body, hash FROM redo ORDER BY seq")) {
      const redone = this.redone(row);
      seq = redone.seq;
      for (const change of redone.rows) {
        if (change.row === "inode") {
          if (change.inode === undefined) inodes.delete(change.ino);
          else inodes.set(change.ino, change.inode);
          continue;
        }
        const { dir, name, ino } = change;
        if (ino === undefined) entries.delete(`${dir}/${name}`);
        else entries.set(`${dir}/${name}`, { dir, name, ino });
      }
    }
    return { image: { seq, inodes: [...inodes].map(([ino, inode]) => ({ ino, inode })), entries: [...entries.values()] }, foreign };
  }

  close(): void {
    this.db.close();
  }
}
