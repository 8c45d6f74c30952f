/**
 * What the tree is kept in: the rows of table `tree`, one transaction a change, and what a start refuses. In the real stack: pmxcfs's database.c over SQLite. Left out here:
 * the file itself; whoever keeps the rows implements `Backend`.
 */
import { DIRECTORY, FILE, ROOT, ROOT_NAME, sizeOf, type TreeEntry } from "./entry.ts";

/** The table as the daemon creates it, to the blank. */
export const TREE_SCHEMA =
  "CREATE TABLE tree (  inode INTEGER PRIMARY KEY NOT NULL,  parent INTEGER NOT NULL CHECK(typeof(parent)=='integer')," +
  "  version INTEGER NOT NULL CHECK(typeof(version)=='integer'),  writer INTEGER NOT NULL CHECK(typeof(writer)=='integer')," +
  "  mtime INTEGER NOT NULL CHECK(typeof(mtime)=='integer'),  type INTEGER NOT NULL CHECK(typeof(type)=='integer')," +
  "  name TEXT NOT NULL,  data BLOB);";

/** A row of table `tree`. `data` undefined is NULL. */
export interface Row {
  readonly inode: number;
  readonly parent: number;
  readonly version: number;
  readonly writer: number;
  readonly mtime: number;
  readonly type: number;
  readonly name: string;
  readonly data: Uint8Array | undefined;
}

/** BEGIN … COMMIT: first the deletions, then the rows inserted or replaced, the root's last. */
export interface Transaction {
  readonly removed: readonly number[];
  readonly written: readonly Row[];
}

export interface Backend {
  /** Makes one transaction durable. False: the database has failed, and nothing of it is there. */
  commit(transaction: Transaction): boolean;
}

/** The root's record is stored as a file of its own name. */
export function rowOf(entry: TreeEntry): Row {
  if (entry.inode === ROOT) return { ...entry, type: FILE, name: ROOT_NAME, data: undefined };
  // A file without contents is NULL; a directory whose time has been set has an empty blob.
  return entry.type === FILE && sizeOf(entry) === 0 ? { ...entry, data: undefined } : entry;
}

/** What a new database holds: the root alone, at version 1. */
export function rootEntry(mtime: number): TreeEntry {
  return { inode: ROOT, parent: ROOT, version: 1, writer: 0, mtime, type: DIRECTORY, name: "", data: undefined };
}

/** A database as it is read at a start; `refused`: the lines that the daemon logs, without "DB load failed". */
export type Loaded = { readonly entries: readonly TreeEntry[] } | { readonly refused: string };

const U32 = 0x1_0000_0000;
const inodeText = (inode: number): string => `(inode = ${hex16(inode)})`;

/**
 * Reads the rows as they stand in the table, by inode, and refuses what pmxcfs refuses, with its texts.
 */
export function loadRows(rows: readonly Row[]): Loaded {
  let root = rootEntry(0);
  const entries = new Map<number, TreeEntry>();
  const names = new Map<string, TreeEntry>();
  for (const row of [...rows].sort((a, b) => a.inode - b.inode)) {
    const read = entryOf(row);
    if (typeof read === "string") return { refused: read };
    if (read.inode === ROOT) {
      if (row.name !== ROOT_NAME) return { refused: `root inode has unexpected name '${row.name}'` };
      root = { ...root, version: read.version, writer: read.writer, mtime: read.mtime };
      continue;
    }
    const key = `${read.parent}/${read.name}`;
    const other = names.get(key);
    if (other !== undefined)
      return { refused: `found entry with duplicate name '${read.name}' - A:${described(other)} vs. B:${described(read)}` };
    names.set(key, read);
    entries.set(read.inode, read);
  }
  const missing = [...entries.values()].map((e) => e.parent).find((p) => p !== ROOT && entries.get(p)?.type !== DIRECTORY);
  if (missing !== undefined) return { refused: `missing directory inode ${inodeText(missing)}` };
  return { entries: [root, ...entries.values()] };
}

function entryOf(row: Row): TreeEntry | string {
  const { inode, parent, version, name, data } = row;
  if (name === "") return `inode has no name ${inodeText(inode)}`;
  const [writer, mtime, type] = [row.writer % U32, row.mtime % U32, row.type & 255];
  if (type !== DIRECTORY && type !== FILE) return `inode has unknown type (inode = ${hex16(inode)}, type = ${type})`;
  if (type === DIRECTORY && data !== undefined && data.length > 0) return `directory inode contains data ${inodeText(inode)}`;
  return { inode, parent, version, writer, mtime, type, name, data };
}

/** The daemon prints the version in hexadecimal and the time in decimal, both behind 0x. */
function described({ inode, parent, version, mtime }: TreeEntry): string {
  return `(inode = 0x${hex16(inode)}, parent = 0x${hex16(parent)}, v./mtime = 0x${version.toString(16).toUpperCase()}/0x${mtime})`;
}

function hex16(value: number): string {
  return value.toString(16).toUpperCase().padStart(16, "0");
}
