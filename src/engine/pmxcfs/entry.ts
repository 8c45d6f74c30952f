/**
 * One entry of the tree: a file, a directory, or the root's record of the last change. In the real stack: memdb's tree entry, and the row of table `tree` that it is kept as.
 * Entries are immutable: a change makes a new one, so that snapshots and indexes share them. Numbers above 2^53 are left out.
 */
import { Hasher, newPacket, putU32, sha256, utf8 } from "../kernel/index.ts";

/** The DT_ constants of dirent.h. */
export const DIRECTORY = 4;
export const FILE = 8;

export const ROOT = 0;
/** The name under which the root's record is stored. */
export const ROOT_NAME = "__version__";

/** Largest file, bytes; what statfs reports as the whole, bytes and inodes, is not enforced. */
export const FILE_BYTES_MAX = 1_048_576;
export const TREE_BYTES = 128 * 1_048_576;
export const TREE_INODES = 262_144;

export interface TreeEntry {
  /** The global version at its creation; never used again. 0 is the root. */
  readonly inode: number;
  readonly parent: number;
  /** The global version when it was last changed. */
  readonly version: number;
  /** Node id of who sent the change; 0 in local mode. */
  readonly writer: number;
  /** Seconds since 1970 by the sender's clock; 32 bits. */
  readonly mtime: number;
  readonly type: typeof DIRECTORY | typeof FILE;
  readonly name: string;
  /** A file's contents. Of a directory: absent, or empty once its time has been set. */
  readonly data: Uint8Array | undefined;
}

export function sizeOf(entry: TreeEntry): number {
  return entry.data?.length ?? 0;
}

const NOTHING = new Uint8Array(0);
const checksums = new WeakMap<TreeEntry, Uint8Array>();

/** SHA-256 over version, writer, mtime, size, type, parent, name and data: what two nodes compare. */
export function checksumOf(entry: TreeEntry): Uint8Array {
  let sum = checksums.get(entry);
  if (sum === undefined) {
    const head = newPacket(29);
    putU64(head, 0, entry.version);
    putU32(head, 8, entry.writer);
    putU32(head, 12, entry.mtime);
    putU32(head, 16, sizeOf(entry));
    head[20] = entry.type;
    putU64(head, 21, entry.parent);
    sum = sha256(head, utf8(entry.name), entry.data ?? NOTHING);
    checksums.set(entry, sum);
  }
  return sum;
}

export function putU64(to: Uint8Array, at: number, value: number): void {
  putU32(to, at, value % 0x1_0000_0000);
  putU32(to, at + 4, Math.floor(value / 0x1_0000_0000));
}

/** Two 32-bit numbers of all that an entry is. Those of a tree's entries are added up, so that its digest follows each change. */
export function lanesOf({ inode, parent, version, writer, mtime, type, name, data }: TreeEntry): readonly [number, number] {
  return new Hasher()
    .int(inode)
    .int(parent)
    .int(version)
    .int(writer)
    .int(mtime)
    .int(type)
    .text(name)
    .bytes(data ?? NOTHING)
    .snapshot();
}
