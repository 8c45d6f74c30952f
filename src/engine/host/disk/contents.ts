/**
 * The contents of all files of a lab, in pieces by their hash: disks, snapshots and the record refer to them, so that the same bytes are kept once. Every process of the lab
 * may add pieces; they are collected when no process runs, or none of them writes. Left out: compression.
 */
import { Hasher } from "../../kernel/index.ts";
import { Damaged, Database, opened } from "./database.ts";
import { Numbers } from "./numbers.ts";

const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE chunk (hash TEXT PRIMARY KEY, data BLOB NOT NULL, sum TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`;

const INSERT = `INSERT INTO chunk (hash, data, sum) VALUES (?, ?, ?)
  ON CONFLICT (hash) DO UPDATE SET data = excluded.data, sum = excluded.sum WHERE data IS NOT excluded.data OR sum IS NOT excluded.sum`;

export interface Chunk {
  readonly hash: string;
  readonly data: Uint8Array;
}

function sumOf(data: Uint8Array): string {
  return new Hasher().bytes(data).hex();
}

export class Contents {
  private readonly db: Database;
  private readonly marks: Numbers;
  /** The marks as this process has written them last. */
  private told: number | undefined;
  private toldActs: number | undefined;
  private readonly toldSeqs = new Map<number, number>();
  /** Pieces known to be in the file, so that a write of known bytes costs nothing; since which collection. */
  private readonly known = new Set<string>();
  private collection = 0;

  constructor(readonly file: string) {
    this.db = new Database(file, SCHEMA, FORMAT);
    this.marks = new Numbers(this.db, "mark");
    this.told = opened(this.db, () => this.released);
  }

  add(chunks: readonly Chunk[]): void {
    const missing = this.missing(chunks);
    if (missing.length === 0) return;
    this.db.transaction(() => this.insert(missing));
    for (const { hash } of missing) this.known.add(hash);
  }

  /** As `add`; when it returns they outlive a power loss of the computer, those that were there before too, so that a file that refers to them may be written. */
  keep(chunks: readonly Chunk[]): void {
    const missing = this.missing(chunks);
    this.db.synced(() => {
      this.insert(missing);
      // A transaction that changes nothing is not brought to the platter, and what others have just added must be.
      this.marks.set("kept", (this.marks.get("kept") ?? 0) + 1);
      this.marks.seal();
    });
    for (const { hash } of missing) this.known.add(hash);
  }

  private missing(chunks: readonly Chunk[]): Chunk[] {
    if (chunks.length === 0) return [];
    const collection = this.marks.get("collected") ?? 0;
    // Another process may have forgotten what this one had put there.
    if (collection !== this.collection) this.known.clear();
    this.collection = collection;
    return chunks.filter(({ hash }) => !this.known.has(hash));
  }

  /** One that is there and has changed is mended. */
  private insert(chunks: readonly Chunk[]): void {
    for (const { hash, data } of chunks) this.db.run(INSERT, hash, data, sumOf(data));
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

  /** Forgets every piece that nobody refers to. Only while no other process of the lab writes. */
  collect(inUse: ReadonlySet<string>): number {
    const unused = this.db.rows("SELECT hash FROM chunk").flatMap(({ hash }) => (inUse.has(String(hash)) ? [] : [String(hash)]));
    this.db.transaction(() => {
      for (const hash of unused) this.db.run("DELETE FROM chunk WHERE hash = ?", hash);
      this.marks.set("collected", (this.marks.get("collected") ?? 0) + 1);
      this.marks.seal();
    });
    for (const hash of unused) this.known.delete(hash);
    return unused.length;
  }

  /** Bytes that are taken in the file, without what is free in it. */
  get bytes(): number {
    const [pages, free, size] = ["page_count", "freelist_count", "page_size"].map((name) =>
      Number(this.db.row(`PRAGMA ${name}`)?.[name] ?? 0),
    );
    return ((pages ?? 0) - (free ?? 0)) * (size ?? 0);
  }

  get count(): number {
    return Number(this.db.row("SELECT count(*) AS n FROM chunk")?.["n"] ?? 0);
  }

  /** The instant up to which something has been told to somebody outside the lab; undefined before the first. */
  get released(): number | undefined {
    return this.marks.get("released");
  }

  /** How many acts the lab had done by then; 0 where that is not known. */
  get releasedActs(): number {
    return this.marks.get("acts") ?? 0;
  }

  /** The last commit of a machine's disk by then; undefined where that is not known. */
  releasedSeq(number: number): number | undefined {
    return this.marks.get(`seq/${number}`);
  }

  /**
   * To be called before anything of `instant` is told. An instant may be told more than once, each time with more of it.
   * @param seqs by machine, the last commit of its disk that belongs to what is told
   * @param acts done by then, and in the record
   */
  release(instant: number, seqs: ReadonlyMap<number, number> = new Map(), acts = 0): void {
    if (this.told !== undefined && instant < this.told) return;
    const changed = [...seqs].filter(([number, seq]) => this.toldSeqs.get(number) !== seq);
    if (instant === this.told && changed.length === 0 && acts === this.toldActs) return;
    this.db.transaction(() => {
      if (instant !== this.told) this.marks.set("released", instant);
      if (acts !== this.toldActs) this.marks.set("acts", acts);
      for (const [number, seq] of changed) this.marks.set(`seq/${number}`, seq);
      this.marks.seal();
    });
    this.told = instant;
    this.toldActs = acts;
    for (const [number, seq] of changed) this.toldSeqs.set(number, seq);
  }

  /** The lab goes on from `instant`: what was told later is not of this run. */
  rewind(instant: number): void {
    this.db.transaction(() => {
      this.marks.remove("seq/%");
      this.marks.remove("acts");
      this.marks.set("released", instant);
      this.marks.seal();
    });
    this.told = instant;
    this.toldActs = undefined;
    this.toldSeqs.clear();
  }

  /** What SQLite or the sum of the marks finds wrong with the file; undefined: nothing. */
  fault(): string | undefined {
    try {
      this.marks.check();
      return this.db.fault();
    } catch (error) {
      if (error instanceof Damaged) return error.why;
      throw error;
    }
  }

  /** Every piece that can still be read of a file that is damaged: from both ends up to what cannot. */
  *readable(): Generator<Chunk> {
    for (const order of ["ASC", "DESC"]) {
      try {
        for (const { hash, data, sum } of this.db.each(`SELECT hash, data, sum FROM chunk ORDER BY hash ${order}`))
          if (typeof hash === "string" && data instanceof Uint8Array && sumOf(data) === sum) yield { hash, data: Uint8Array.from(data) };
        return;
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
      }
    }
  }

  /** Writes pieces anew that are missing or have changed. Returns how many. */
  mend(chunks: Iterable<Chunk>): number {
    const wrong: Chunk[] = [];
    for (const chunk of chunks) {
      try {
        this.get(chunk.hash);
      } catch (error) {
        if (!(error instanceof Damaged)) throw error;
        wrong.push(chunk);
      }
    }
    if (wrong.length > 0) this.db.transaction(() => this.insert(wrong));
    return wrong.length;
  }

  close(): void {
    this.db.close();
  }
}
