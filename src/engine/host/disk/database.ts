/**
 * A SQLite file of the lab: opened with the settings that make a crash of the process at any instant safe, or named as damaged. In the real stack nothing stands here;
 * it is how a disk of the lab lies on the computer the lab runs on. Left out: power losses of that computer, which may take the last second (synchronous=NORMAL) of what is not written with `synced`.
 */
import { chmodSync, closeSync, existsSync, fchmodSync, mkdirSync, openSync, statSync } from "node:fs";
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
    if (version === format) return this.compareTables(schema);
    if (version !== 0) throw new Damaged(this.file, `it has format ${version}, this version of the lab reads format ${format}`);
    this.transaction(() => {
      // Somebody else may have made the tables while this one waited for the lock.
      if (Number(this.row("PRAGMA user_version")?.["user_version"] ?? 0) === format) return;
      this.db.exec(`${schema}; PRAGMA user_version = ${format};`);
    });
  }

  /** Names of tables and columns lie in the file too, and every statement relies on them. */
  private compareTables(schema: string): void {
    const there = new Set(this.rows("SELECT sql FROM sqlite_schema").map(({ sql }) => sql));
    if (!schema.split(";").every((statement) => there.has(statement.trim())))
      throw new Damaged(this.file, "its tables are not those that were made");
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

  /** Row by row, as they lie in the file, up to the first that cannot be read: Damaged is thrown there. */
  *each(sql: string): Generator<Row> {
    const rows = this.guarded(() => this.db.prepare(sql).iterate() as Iterator<Row>);
    for (;;) {
      const next = this.guarded(() => rows.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  private execute(sql: string): void {
    this.guarded(() => this.db.exec(sql));
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
    this.execute("BEGIN IMMEDIATE");
    try {
      work();
      this.execute("COMMIT");
    } catch (error) {
      // SQLite has rolled back by itself after some faults.
      if (this.db.isTransaction) this.db.exec("ROLLBACK");
      throw error;
    }
  }

  /** The same, and when it returns it and every transaction before it outlive a power loss of the computer too. */
  synced(work: () => void): void {
    this.execute("PRAGMA synchronous = FULL");
    try {
      this.transaction(work);
    } finally {
      this.execute("PRAGMA synchronous = NORMAL");
    }
  }

  /** What SQLite itself finds wrong with the file, in one line; undefined: nothing. */
  fault(): string | undefined {
    // The quick check sees neither rows out of their order nor that the last page ends too early.
    const [found] = Object.values(this.row("PRAGMA integrity_check(1)") ?? {});
    if (found !== "ok") return oneLine(String(found));
    const size = Number(this.row("PRAGMA page_size")?.["page_size"]);
    return statSync(this.file).size % size === 0 ? undefined : "it ends in the middle of a page";
  }

  /** Everything is then in the file itself, so that it can be copied alone. One that is damaged is closed as it is: whoever opens it next is told. */
  close(): void {
    this.statements.clear();
    try {
      this.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
    } finally {
      this.db.close();
    }
  }
}

/** What `made` makes of a file just opened; where it throws, the file is closed. */
export function opened<T>(file: { close(): void }, made: () => T): T {
  try {
    return made();
  } catch (error) {
    file.close();
    throw error;
  }
}

export type Value = string | number | bigint | Uint8Array | null;
export type Row = { readonly [column: string]: Value };

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** SQLite's codes of what a file that was tampered with, or cut short, leads to: SQLITE_CORRUPT, SQLITE_NOTADB (whatever says more about them in the higher bits) and SQLITE_IOERR_SHORT_READ. */
const [CORRUPT, NOT_A_DATABASE, SHORT_READ] = [11, 26, 522];

function isDamage(error: unknown): boolean {
  const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  if (typeof code === "number") return (code & 0xff) === CORRUPT || (code & 0xff) === NOT_A_DATABASE || code === SHORT_READ;
  // Rows that are read one by one fail without a code.
  return /malformed|not a database|disk I\/O error/.test(reason(error));
}
