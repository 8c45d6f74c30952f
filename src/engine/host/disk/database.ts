/**
 * A SQLite file of the lab: opened with the settings that make a crash of the process at any instant safe, or named as damaged. In the real stack nothing stands here;
 * it is how a disk of the lab lies on the computer the lab runs on. Left out: power losses of that computer, which may take the last second (synchronous=NORMAL) of what is not written with `synced`.
 */
import { chmodSync, closeSync, existsSync, fchmodSync, mkdirSync, openSync } from "node:fs";
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";

/** Wall ms that a process waits for another one's write to the same file. */
const BUSY_MS = 5000;

/** A disk is nobody's but its owner's. */
const PRIVATE_MODE = 0o600;
const PRIVATE_FOLDER_MODE = 0o700;

/** A file of the lab that cannot be read as what it is. `why`: in one line. */
export class Damaged extends Error {
  readonly why: string;

  constructor(
    readonly file: string,
    why: string,
  ) {
    const line = oneLine(why);
    super(`${file} is damaged: ${line}`);
    this.why = line;
  }
}

/** SQLite tells of some faults in several lines, the first of which names the database. */
const oneLine = (text: string): string =>
  text
    .replace(/^\*\*\* in database main \*\*\*/, "")
    .trim()
    .replace(/\s+/g, " ");

function makeFile(file: string): void {
  if (existsSync(file)) return;
  const fd = openSync(file, "a", PRIVATE_MODE);
  if (process.platform !== "win32") fchmodSync(fd, PRIVATE_MODE);
  closeSync(fd);
}

/** Makes a directory of the lab, and what is missing above it, whatever the umask: this user's alone. */
export function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  mkdirSync(dir, { recursive: true, mode: PRIVATE_FOLDER_MODE });
  if (process.platform !== "win32") chmodSync(dir, PRIVATE_FOLDER_MODE);
}

/** Prepared statements of one file, and transactions around what belongs together. */
export class Database {
  private readonly db: DatabaseSyncInstance;
  private readonly statements = new Map<string, StatementSyncInstance>();

  /** @param format what `user_version` says; a file of another one is refused */
  constructor(
    readonly file: string,
    schema: string,
    format: number,
  ) {
    try {
      // SQLite makes its files beside this one with the same mode.
      makeFile(file);
      this.db = new DatabaseSync(file);
    } catch (error) {
      throw new Damaged(file, reason(error));
    }
    try {
      this.db.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
      this.settle(schema, format);
    } catch (error) {
      this.db.close();
      throw error instanceof Damaged ? error : new Damaged(file, reason(error));
    }
  }

  private settle(schema: string, format: number): void {
    const version = Number(this.row("PRAGMA user_version")?.["user_version"] ?? 0);
    if (version === format) return;
    if (version !== 0) throw new Damaged(this.file, `it has format ${version}, this version of the lab reads format ${format}`);
    this.transaction(() => {
      // Somebody else may have made the tables while this one waited for the lock.
      if (Number(this.row("PRAGMA user_version")?.["user_version"] ?? 0) === format) return;
      this.db.exec(`${schema}; PRAGMA user_version = ${format};`);
    });
  }

  private prepared(sql: string): StatementSyncInstance {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...values: Value[]): void {
    this.guarded(() => this.prepared(sql).run(...values));
  }

  row(sql: string, ...values: Value[]): Row | undefined {
    return this.guarded(() => this.prepared(sql).get(...values) as Row | undefined);
  }

  rows(sql: string, ...values: Value[]): Row[] {
    return this.guarded(() => this.prepared(sql).all(...values) as Row[]);
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw isDamage(error) ? new Damaged(this.file, reason(error)) : error;
    }
  }

  /** All of `work` or nothing of it. */
  transaction(work: () => void): void {
    this.db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.db.exec("COMMIT");
    } catch (error) {
      this.db.exec("ROLLBACK");
      throw error;
    }
  }

  /** The same, and when it returns it and every transaction before it outlive a power loss of the computer too. */
  synced(work: () => void): void {
    this.db.exec("PRAGMA synchronous = FULL");
    try {
      this.transaction(work);
    } finally {
      this.db.exec("PRAGMA synchronous = NORMAL");
    }
  }

  /** What SQLite itself finds wrong with the file, in one line; undefined: nothing. */
  fault(): string | undefined {
    const found = Object.values(this.row("PRAGMA quick_check(1)") ?? {})[0];
    return found === "ok" ? undefined : oneLine(String(found));
  }

  /** Everything is then in the file itself, so that it can be copied alone. */
  close(): void {
    this.statements.clear();
    this.db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.db.close();
  }
}

export type Value = string | number | bigint | Uint8Array | null;
export type Row = { readonly [column: string]: Value };

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, by their texts. */
function isDamage(error: unknown): boolean {
  return /malformed|not a database|disk image|file is encrypted/i.test(reason(error));
}
