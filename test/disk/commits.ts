/** A file that is written again and again, as commits, and the image after each. */
import { join } from "node:path";
import { utf8, type Commit, type DiskImage } from "../../src/engine/kernel/index.ts";

export const diskFile = (dir: string): string => join(dir, "disk.db");
export const storeFile = (dir: string): string => join(dir, "contents.db");

export function contentOf(seq: number): Uint8Array {
  return utf8(`what was written ${seq} times`);
}

/** Commit `seq`: the file /file has other contents, at instant `at`. */
export function write(seq: number, at: number): { at: number; commit: Commit } {
  const { inodes } = imageAfter(seq);
  const rows: Commit["rows"] = [
    ...inodes.map(({ ino, inode }) => ({ row: "inode" as const, ino, inode })),
    ...(seq === 1 ? [{ row: "entry" as const, dir: 1, name: "file", ino: 2 }] : []),
  ];
  return { at, commit: { seq, rows, chunks: [{ hash: `hash-${seq}`, data: contentOf(seq) }] } };
}

/** The disk when commits 1 … `seq` are in it. */
export function imageAfter(seq: number): DiskImage {
  const times = { atime: 0, mtime: seq * 1000, ctime: seq * 1000 };
  const size = contentOf(seq).length;
  return {
    seq,
    inodes: [{ ino: 2, inode: { type: "file", mode: 0o644, uid: 0, gid: 0, ...times, size, chunks: [`hash-${seq}`] } }],
    entries: [{ dir: 1, name: "file", ino: 2 }],
  };
}
