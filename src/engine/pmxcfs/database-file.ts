/**
 * config.db on its node's disk: read when the daemon begins, and after each transaction brought to what it must be, page by page. In the real stack: SQLite in WAL mode, as pmxcfs's database.c opens it.
 * Left out: the two files of the write-ahead log beside it (what is written stands in the file itself), so that a disk that fails in the middle of a transaction may leave it torn; and SQLite's
 * locks: what another program writes while the daemon runs is written over.
 */
import { makeDirectories, readWhole, sameBytes, type FilePort } from "../kernel/index.ts";
import { rootEntry, rowOf, type Backend, type Row, type Transaction } from "./backend.ts";
import { readImage, writeImage } from "./sqlite-image.ts";

export const DATABASE_DIRECTORY = "/var/lib/pve-cluster";
export const DATABASE = `${DATABASE_DIRECTORY}/config.db`;

interface DatabaseState {
  readonly fd: number;
  readonly rows: readonly Row[];
}

export class DatabaseFile implements Backend {
  /** As they stand in the file; undefined: they are what the rows come to. */
  private pages: readonly Uint8Array[] | undefined;

  private constructor(
    private readonly files: FilePort,
    private fd: number,
    /** By inode. */
    rows: readonly Row[],
  ) {
    this.stored = rows;
  }

  private stored: readonly Row[];

  /** What is in it. */
  get rows(): readonly Row[] {
    return this.stored;
  }

  /**
   * Opens the database, and makes it where there is none.
   * @param seconds since 1970: the time of a new tree's root
   * @returns what the daemon says of one that it cannot use
   */
  static open(
    files: FilePort,
    seconds: number,
  ): { readonly database: DatabaseFile; readonly isNew: boolean } | { readonly refused: string } {
    makeDirectories(files, DATABASE_DIRECTORY);
    const found = readWhole(files, DATABASE);
    if (!found.ok && found.errno !== "ENOENT") return { refused: "unable to open database file" };
    const opened = files.blocking({ call: "open", path: DATABASE, flags: { access: "rw", create: true }, mode: 0o600 });
    if (!opened.ok || opened.value !== "fd") return { refused: "unable to open database file" };
    const data = found.ok ? found.data : new Uint8Array(0);
    const image = data.length === 0 ? ("no table" as const) : readImage(data);
    if (image !== "no table" && "error" in image) {
      files.blocking({ call: "close", fd: opened.fd });
      // The daemon's log shows the line end of SQLite's text as a number.
      return { refused: `unable to set WAL mode: ${image.error}#010` };
    }
    const database = new DatabaseFile(files, opened.fd, image === "no table" ? [] : image.rows);
    if (image !== "no table") return { database: database.asFound(data), isNew: false };
    return database.commit({ removed: [], written: [rowOf(rootEntry(seconds))] })
      ? { database, isNew: true }
      : { refused: "unable to open database file" };
  }

  /** Somebody else may have written the file: its pages are others than the lab would make of the rows. */
  private asFound(data: Uint8Array): this {
    const pages: Uint8Array[] = [];
    for (let at = 0; at < data.length; at += PAGE) pages.push(data.subarray(at, at + PAGE));
    this.pages = pages;
    return this;
  }

  commit({ removed, written }: Transaction): boolean {
    const rows = new Map(this.stored.map((row) => [row.inode, row]));
    for (const inode of removed) rows.delete(inode);
    for (const row of written) rows.set(row.inode, row);
    const next = [...rows.values()].sort((a, b) => a.inode - b.inode);
    const pages = writeImage(next);
    if (!this.write(this.pages ?? (this.stored.length === 0 ? [] : writeImage(this.stored)), pages)) return false;
    this.stored = next;
    this.pages = pages;
    return true;
  }

  /** The first page, which says how many there are, is written last. */
  private write(before: readonly Uint8Array[], pages: readonly Uint8Array[]): boolean {
    for (let at = pages.length - 1; at >= 0; at--) {
      const [old, page] = [before[at], pages[at]];
      if (page === undefined || (old !== undefined && sameBytes(old, page))) continue;
      const reply = this.files.blocking({ call: "write", fd: this.fd, data: page, at: at * PAGE });
      if (!reply.ok || reply.value !== "count" || reply.count !== page.length) return false;
    }
    return pages.length >= before.length || this.files.blocking({ call: "ftruncate", fd: this.fd, length: pages.length * PAGE }).ok;
  }

  close(): void {
    this.files.blocking({ call: "close", fd: this.fd });
  }

  snapshot(): DatabaseState {
    return { fd: this.fd, rows: this.stored };
  }

  static restore(files: FilePort, { fd, rows }: DatabaseState): DatabaseFile {
    return new DatabaseFile(files, fd, rows);
  }
}

const PAGE = 4096;
