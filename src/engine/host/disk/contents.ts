/**
 * The contents of all files of a lab, in pieces by their hash: disks, snapshots and the record refer to them, so that the same bytes are kept once. Every process of the lab
 * may add pieces; they are collected when no process runs. Left out: compression.
 */
import { Hasher } from "../../kernel/index.ts";
import { Damaged, Database } from "./database.ts";

const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE chunk (hash TEXT PRIMARY KEY, data BLOB NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`;

export interface Chunk {
  readonly hash: string;
  readonly data: Uint8Array;
}

function sumOf(data: Uint8Array): string {
  return new Hasher().bytes(data).hex();
}

export class Contents {
  private readonly db: Database;
  /** The mark as this process has written it last. */
  private told: number | undefined;
  /** Pieces known to be in the file, so that a write of known bytes costs nothing. */
  private readonly known = new Set<string>();

  constructor(readonly file: string) {
    this.db = new Database(file, SCHEMA, FORMAT);
    this.told = this.released;
  }

  add(chunks: readonly Chunk[]): void {
    const missing = chunks.filter(({ hash }) => !this.known.has(hash));
    if (missing.length === 0) return;
    this.db.transaction(() => {
      for (const { hash, data } of missing)
        this.db.run("INSERT OR IGNORE INTO chunk (hash, data, sum) VALUES (?, ?, ?)", hash, data, sumOf(data));
    });
    for (const { hash } of missing) this.known.add(hash);
  }

  /** Throws Damaged where the piece is not there, or is not what was put there. */
  get(hash: string): Uint8Array {
    const row = this.db.row("SELECT data, sum FROM chunk WHERE hash = ?", hash);
    const data = row?.["data"];
    if (!(data instanceof Uint8Array)) throw new Damaged(this.file, `the piece ${hash} of a file's contents is missing`);
    // SQLite gives memory of its own; what is kept must not change under anybody.
    const copy = Uint8Array.from(data);
    if (sumOf(copy) !== row?.["sum"]) throw new Damaged(this.file, `the piece ${hash} of a file's contents has changed`);
    return copy;
  }

  /** Forgets every piece that nobody refers to. Only while no other process of the lab runs. */
  collect(inUse: ReadonlySet<string>): number {
    const unused = this.db.rows("SELECT hash FROM chunk").flatMap(({ hash }) => (inUse.has(String(hash)) ? [] : [String(hash)]));
    this.db.transaction(() => {
      for (const hash of unused) this.db.run("DELETE FROM chunk WHERE hash = ?", hash);
    });
    for (const hash of unused) this.known.delete(hash);
    return unused.length;
  }

  get count(): number {
    return Number(this.db.row("SELECT count(*) AS n FROM chunk")?.["n"] ?? 0);
  }

  /** The instant up to which something has been told to somebody outside the lab; undefined before the first. */
  get released(): number | undefined {
    const value = this.db.row("SELECT value FROM mark WHERE name = 'released'")?.["value"];
    return value === undefined || value === null ? undefined : Number(value);
  }

  /** To be called before anything of `instant` is told. */
  release(instant: number): void {
    if (this.told === undefined || instant > this.told) this.rewind(instant);
  }

  /** The lab goes on from `instant`: what was told later is not of this run. */
  rewind(instant: number): void {
    this.told = instant;
    this.db.run("INSERT INTO mark (name, value) VALUES ('released', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", instant);
  }

  close(): void {
    this.db.close();
  }
}
