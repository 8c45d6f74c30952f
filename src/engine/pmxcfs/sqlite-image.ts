/**
 * Table `tree` as a database file that SQLite opens: the file format's pages, as its documentation describes them, written from the rows and read back. In the real stack: SQLite, below pmxcfs's
 * database.c. Left out: the write-ahead log as a file of its own (the header says WAL, as the real one's does), free pages, and everything that is no rowid table.
 */
import { fromUtf8, joinedBytes, utf8 } from "../kernel/index.ts";
import { TREE_SCHEMA, type Row } from "./backend.ts";

const PAGE = 4096;
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
/** Largest payload that stays whole in a leaf, and the least of one that does not. */
const LOCAL_MAX = PAGE - 35;
const LOCAL_MIN = Math.floor(((PAGE - 12) * 32) / 255) - 23;
const LEAF = 0x0d;
const INTERIOR = 0x05;
/** SQLite's own version number, as it stands in the header of the recorded file's kind: 3.40.1. */
const LIBRARY_VERSION = 3_040_001;

// ---- writing

function varint(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

/** How many values so many bytes have. */
const POWERS: readonly number[] = [1, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32, 2 ** 40, 2 ** 48, 2 ** 56, 2 ** 64];
const valuesOf = (bytes: number): number => POWERS[bytes] ?? Infinity;

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / valuesOf(bytes - 1 - i)) % 256);
}

type Value = number | string | Uint8Array | undefined;

/** A value's serial type and its bytes. Numbers are positive. */
function serial(value: Value): { readonly type: number; readonly bytes: Uint8Array } {
  if (value === undefined) return { type: 0, bytes: new Uint8Array(0) };
  if (typeof value === "string") {
    const bytes = utf8(value);
    return { type: 13 + 2 * bytes.length, bytes };
  }
  if (typeof value !== "number") return { type: 12 + 2 * value.length, bytes: value };
  if (value < 2) return { type: 8 + value, bytes: new Uint8Array(0) };
  const sizes = [1, 2, 3, 4, 6, 8];
  const at = sizes.findIndex((size) => value < valuesOf(size) / 2);
  return { type: at + 1, bytes: Uint8Array.from(bigEndian(value, sizes[at] ?? 8)) };
}

function record(values: readonly Value[]): Uint8Array {
  const fields = values.map(serial);
  const types = fields.flatMap(({ type }) => varint(type));
  const head = types.length + 1 < 128 ? varint(types.length + 1) : varint(types.length + 2);
  return joinedBytes([Uint8Array.from([...head, ...types]), ...fields.map(({ bytes }) => bytes)]);
}

interface Child {
  readonly page: number;
  readonly lastKey: number;
}

class Writer {
  readonly pages: Uint8Array[] = [new Uint8Array(PAGE), new Uint8Array(PAGE)];

  /** @returns the page's number, from 1 */
  private add(page: Uint8Array): number {
    this.pages.push(page);
    return this.pages.length;
  }

  /** A leaf's cell; what does not fit goes to a chain of pages. */
  cell(rowid: number, payload: Uint8Array): Uint8Array {
    const head = [...varint(payload.length), ...varint(rowid)];
    if (payload.length <= LOCAL_MAX) return Uint8Array.from([...head, ...payload]);
    const fits = LOCAL_MIN + ((payload.length - LOCAL_MIN) % (PAGE - 4));
    const local = fits <= LOCAL_MAX ? fits : LOCAL_MIN;
    const first = this.pages.length + 1;
    for (let at = local; at < payload.length; at += PAGE - 4) {
      const page = new Uint8Array(PAGE);
      if (at + PAGE - 4 < payload.length) page.set(bigEndian(this.pages.length + 2, 4));
      page.set(payload.subarray(at, at + PAGE - 4), 4);
      this.add(page);
    }
    const cell = new Uint8Array(head.length + local + 4);
    cell.set(head);
    cell.set(payload.subarray(0, local), head.length);
    cell.set(bigEndian(first, 4), head.length + local);
    return cell;
  }

  /** A page of a tree with these cells. `right`: of an interior one. */
  private static fill(page: Uint8Array, at: number, cells: readonly Uint8Array[], right?: number): void {
    const head = right === undefined ? 8 : 12;
    let end = PAGE;
    for (const [i, cell] of cells.entries()) {
      end -= cell.length;
      page.set(cell, end);
      page.set(bigEndian(end, 2), at + head + 2 * i);
    }
    page.set([right === undefined ? LEAF : INTERIOR, 0, 0, ...bigEndian(cells.length, 2), ...bigEndian(end, 2), 0], at);
    if (right !== undefined) page.set(bigEndian(right, 4), at + 8);
  }

  /** The table's tree, its root on page 2. */
  table(cells: readonly { readonly key: number; readonly cell: Uint8Array }[]): void {
    const leaves = grouped(cells, 8);
    const root = this.pages[1] ?? new Uint8Array(PAGE);
    if (leaves.length <= 1) return Writer.fill(root, 0, leaves[0]?.map(({ cell }) => cell) ?? []);
    let level: Child[] = leaves.map((leaf) => {
      const page = new Uint8Array(PAGE);
      Writer.fill(
        page,
        0,
        leaf.map(({ cell }) => cell),
      );
      return { page: this.add(page), lastKey: leaf.at(-1)?.key ?? 0 };
    });
    const interior = (page: Uint8Array, children: readonly Child[]): void =>
      Writer.fill(
        page,
        0,
        children.slice(0, -1).map((c) => Uint8Array.from([...bigEndian(c.page, 4), ...varint(c.lastKey)])),
        children.at(-1)?.page ?? 0,
      );
    for (let groups = grouped(level.map(asCell), 12); groups.length > 1; groups = grouped(level.map(asCell), 12))
      level = groups.map((group) => {
        const page = new Uint8Array(PAGE);
        const children = group.map(({ child }) => child);
        interior(page, children);
        return { page: this.add(page), lastKey: children.at(-1)?.lastKey ?? 0 };
      });
    interior(root, level);
  }

  schema(): void {
    const sql = TREE_SCHEMA.replace(/;$/, "");
    const [page] = this.pages;
    if (page === undefined) return;
    page.set(utf8(MAGIC));
    page.set([...bigEndian(PAGE, 2), 2, 2, 0, 64, 32, 32], 16);
    const u32 = (at: number, value: number): void => page.set(bigEndian(value, 4), at);
    u32(24, 1); // changes
    u32(28, this.pages.length);
    u32(40, 1); // schema cookie
    u32(44, 4); // schema format
    u32(56, 1); // UTF-8
    u32(92, 1);
    u32(96, LIBRARY_VERSION);
    Writer.fill(page, HEADER_BYTES, [this.cell(1, record(["table", "tree", "tree", 2, sql]))]);
  }
}

function asCell(child: Child): { readonly cell: { readonly length: number }; readonly child: Child } {
  return { cell: { length: 4 + varint(child.lastKey).length }, child };
}

/** As many in a row as one page holds. */
function grouped<T extends { readonly cell: { readonly length: number } }>(cells: readonly T[], head: number): T[][] {
  const groups: T[][] = [];
  let room = 0;
  for (const cell of cells) {
    const need = cell.cell.length + 2;
    if (need > room) {
      groups.push([]);
      room = PAGE - head;
    }
    groups.at(-1)?.push(cell);
    room -= need;
  }
  // An interior page has a child at least beside its last.
  const [last, previous] = [groups.at(-1), groups.at(-2)];
  if (head === 12 && last?.length === 1 && previous !== undefined && previous.length > 2) {
    const moved = previous.pop();
    if (moved !== undefined) last.unshift(moved);
  }
  return groups;
}

/** The pages of a database that holds these rows, which are in the order of their inodes. */
export function writeImage(rows: readonly Row[]): readonly Uint8Array[] {
  const w = new Writer();
  const cells = rows.map(({ inode, parent, version, writer, mtime, type, name, data }) => ({
    key: inode,
    cell: w.cell(inode, record([undefined, parent, version, writer, mtime, type, name, data])),
  }));
  w.table(cells);
  w.schema();
  return w.pages;
}

// ---- reading

class Reader {
  /** @param file a database, or the payload of one of its rows, which has no pages */
  constructor(private readonly file: Uint8Array) {}

  private get page(): number {
    const size = this.be(16, 2);
    return size === 1 ? 65_536 : size;
  }

  be(at: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + (this.file[at + i] ?? bad());
    return value;
  }

  varint(at: number): [number, number] {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = this.file[at + i] ?? bad();
      value = i === 8 ? value * 256 + byte : value * 128 + (byte & 0x7f);
      if (i === 8 || byte < 0x80) return [value, at + i + 1];
    }
    return bad();
  }

  /** Rows of the table whose root is on that page, as their values. */
  *rows(page: number, depth = 0): Generator<{ readonly rowid: number; readonly values: Value[] }> {
    if (page < 1 || depth > 20) bad();
    const base = (page - 1) * this.page;
    const at = page === 1 ? base + HEADER_BYTES : base;
    const [type, count] = [this.be(at, 1), this.be(at + 3, 2)];
    if (type !== LEAF && type !== INTERIOR) bad();
    for (let i = 0; i < count; i++) {
      const cell = base + this.be(at + (type === LEAF ? 8 : 12) + 2 * i, 2);
      if (type === LEAF) yield this.row(cell);
      else yield* this.rows(this.be(cell, 4), depth + 1);
    }
    if (type === INTERIOR) yield* this.rows(this.be(at + 8, 4), depth + 1);
  }

  private row(cell: number): { readonly rowid: number; readonly values: Value[] } {
    const [size, afterSize] = this.varint(cell);
    const [rowid, at] = this.varint(afterSize);
    return { rowid, values: new Reader(this.payload(size, at)).values() };
  }

  private payload(size: number, at: number): Uint8Array {
    const usable = this.page - this.be(20, 1);
    if (size > this.file.length) bad();
    if (size <= usable - 35) return this.file.slice(at, at + size);
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fits = least + ((size - least) % (usable - 4));
    const local = fits <= usable - 35 ? fits : least;
    const out = new Uint8Array(size);
    out.set(this.file.subarray(at, at + local));
    let [done, next] = [local, this.be(at + local, 4)];
    while (done < size) {
      if (next === 0) bad();
      const base = (next - 1) * this.page;
      const part = this.file.subarray(base + 4, base + 4 + Math.min(usable - 4, size - done));
      if (part.length === 0) bad();
      out.set(part, done);
      done += part.length;
      next = this.be(base, 4);
    }
    return out;
  }

  private values(): Value[] {
    const [head, start] = this.varint(0);
    const values: Value[] = [];
    let [at, body] = [start, head];
    while (at < head) {
      const [type, after] = this.varint(at);
      at = after;
      const size = type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? bad());
      if (type === 8 || type === 9) values.push(type - 8);
      else if (type >= 1 && type <= 6) values.push(this.signed(body, size));
      else if (type === 0) values.push(undefined);
      else {
        const bytes = this.file.slice(body, body + size);
        values.push(type >= 13 && type % 2 === 1 ? fromUtf8(bytes) : bytes);
      }
      body += size;
    }
    return values;
  }

  private signed(at: number, bytes: number): number {
    const value = this.be(at, bytes);
    return (this.file[at] ?? 0) >= 0x80 ? value - valuesOf(bytes) : value;
  }
}

class Malformed extends Error {}

function bad(): never {
  throw new Malformed("database disk image is malformed");
}

/** What SQLite says of a file that it cannot read. */
export type Image = { readonly rows: readonly Row[] } | { readonly error: string } | "no table";

/** The rows of table `tree` in a database file, made by whoever. */
export function readImage(file: Uint8Array): Image {
  if (file.length < HEADER_BYTES || fromUtf8(file.subarray(0, MAGIC.length)) !== MAGIC) return { error: "file is not a database" };
  try {
    const reader = new Reader(file);
    const table = [...reader.rows(1)].map(({ values }) => values).find(([type, name]) => type === "table" && name === "tree");
    const root = table?.[3];
    if (typeof root !== "number") return "no table";
    return { rows: [...reader.rows(root)].map(({ rowid, values }) => rowFrom(rowid, values)) };
  } catch (error) {
    if (error instanceof Malformed) return { error: error.message };
    throw error;
  }
}

function rowFrom(inode: number, [, parent, version, writer, mtime, type, name, data]: readonly Value[]): Row {
  const number = (value: Value): number => (typeof value === "number" ? value : 0);
  const blob = typeof data === "string" ? utf8(data) : typeof data === "number" ? utf8(String(data)) : data;
  return {
    inode,
    parent: number(parent),
    version: number(version),
    writer: number(writer),
    mtime: number(mtime),
    type: number(type),
    name: typeof name === "string" ? name : "",
    data: blob,
  };
}
