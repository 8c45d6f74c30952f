/**
 * An inode: what a file system keeps of one file, directory or link, apart from its names. Records never change; a change makes a new one. In the real stack: struct inode.
 * Left out: device numbers, generation, extended attributes, birth time.
 */
import { Hasher, utf8, type FileType, type InodeRow, type Instant } from "../../kernel/index.ts";
import { pieceList, type Chunk, type Content } from "./content.ts";
import type { Directory } from "./directory.ts";

export interface Inode {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: Instant;
  readonly mtime: Instant;
  readonly ctime: Instant;
  /** Zero: no name leads to it any more; it goes with its last user. */
  readonly nlink: number;
  readonly size: number;
  /** Of a symbolic link, else empty. */
  readonly target: string;
  /** Of a directory: the one it is in; else 0. */
  readonly parent: number;
  readonly content: Content;
  readonly entries: Directory;
}

/** Size that a directory reports: ext4's first block. */
export const DIRECTORY_SIZE = 4096;

export function sizeOfTarget(target: string): number {
  return utf8(target).length;
}

/** Two numbers for what is in an inode beside its entries and pieces, which count for themselves. */
export function inodeSum(ino: number, i: Inode): readonly [number, number] {
  const h = new Hasher().int(ino).text(i.type).int(i.mode).int(i.uid).int(i.gid).int(i.atime).int(i.mtime).int(i.ctime);
  return h.int(i.nlink).int(i.size).text(i.target).int(i.parent).snapshot();
}

export function entrySum(dir: number, name: string, ino: number): readonly [number, number] {
  return new Hasher().int(0x656e).int(dir).text(name).int(ino).snapshot();
}

export function pieceSum(ino: number, index: number, chunk: Chunk): readonly [number, number] {
  return new Hasher().int(0x7069).int(ino).int(index).text(chunk.hash).int(chunk.data.length).snapshot();
}

/** As a row of the disk. */
export function rowOf(i: Inode): InodeRow {
  const { type, mode, uid, gid, atime, mtime, ctime, size } = i;
  const row = { type, mode, uid, gid, atime, mtime, ctime, size };
  if (type === "symlink") return { ...row, target: i.target };
  return type === "file" ? { ...row, chunks: pieceList(i.content) } : row;
}
