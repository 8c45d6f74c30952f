/**
 * Named numbers in a table of a SQLite file, with a sum over all of them in a row of its own: a number that is not what was written is not believed. A table without a sum is one of
 * before there were sums.
 */
import { Hasher } from "../../kernel/index.ts";
import { Damaged, type Database } from "./database.ts";

const SUM = "sum";

export class Numbers {
  /** @param table with the columns name and value */
  constructor(
    private readonly db: Database,
    private readonly table: "mark" | "meta",
  ) {}

  /** Undefined where there is none. */
  get(name: string): number | undefined {
    const value = this.db.row(`SELECT value FROM ${this.table} WHERE name = ?`, name)?.["value"];
    return value === undefined || value === null ? undefined : Number(value);
  }

  /** Inside a transaction; `seal` comes at its end. */
  set(name: string, value: number): void {
    this.put(name, value);
  }

  private put(name: string, value: number | string): void {
    this.db.run(
      `INSERT INTO ${this.table} (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      name,
      value,
    );
  }

  /** Inside a transaction, like `set`. */
  remove(like: string): void {
    this.db.run(`DELETE FROM ${this.table} WHERE name LIKE ?`, like);
  }

  /** Writes the sum over what stands there. */
  seal(): void {
    this.put(SUM, this.sum());
  }

  private sum(): string {
    const h = new Hasher();
    for (const { name, value } of this.db.rows(`SELECT name, value FROM ${this.table} WHERE name <> '${SUM}' ORDER BY name`))
      h.text(String(name)).text(String(value));
    // A letter in front: a column of integers would take plain digits for a number.
    return `h${h.hex()}`;
  }

  /** Throws Damaged where a number is not what was written. */
  check(): void {
    const sum = this.db.row(`SELECT value FROM ${this.table} WHERE name = '${SUM}'`)?.["value"];
    if (sum !== undefined && sum !== this.sum()) throw new Damaged(this.db.file, "its numbers are not what was written");
  }
}
