/** The rows of a disk as they stand in its file, each with a hash of its own, and the digest of a whole disk. Left out: what the rows mean, which is the file system's. */
import { Hasher, type DiskImage, type FileType, type InodeRow } from "../../kernel/index.ts";
import type { Row, Value } from "./database.ts";

/** In a file's list of pieces: a count of missing ones, which read as zeros (kernel/vfs.ts). */
export function isHole(hash: string): boolean {
  return hash.startsWith("-");
}

const TYPES: readonly FileType[] = ["file", "directory", "symlink", "socket", "fifo"];

export function inodeHash(ino: number, inode: InodeRow): string {
  const h = new Hasher().int(ino).text(inode.type).int(inode.mode).int(inode.uid).int(inode.gid);
  h.int(inode.atime).int(inode.mtime).int(inode.ctime).int(inode.size);
  h.text(inode.target ?? "").bool(inode.target !== undefined);
  h.int(inode.chunks?.length ?? -1);
  for (const chunk of inode.chunks ?? []) h.text(chunk);
  return h.hex();
}

export function entryHash(dir: number, name: string, ino: number): string {
  return new Hasher().int(dir).text(name).int(ino).hex();
}

export const INODE_COLUMNS = "ino, type, mode, uid, gid, atime, mtime, ctime, size, target, chunks, hash";

/** In the order of INODE_COLUMNS. */
export function inodeValues(ino: number, inode: InodeRow): Value[] {
  const { type, mode, uid, gid, atime, mtime, ctime, size } = inode;
  const chunks = inode.chunks === undefined ? null : inode.chunks.join(" ");
  return [ino, type, mode, uid, gid, atime, mtime, ctime, size, inode.target ?? null, chunks, inodeHash(ino, inode)];
}

function integer(value: Value | undefined): number | undefined {
  const n = Number(value);
  return (typeof value === "number" || typeof value === "bigint") && Number.isSafeInteger(n) ? n : undefined;
}

/** Undefined where the row is no inode: somebody wrote something else there. */
export function inodeOf(row: Row): { readonly ino: number; readonly inode: InodeRow; readonly intact: boolean } | undefined {
  const number = (column: string): number | undefined => integer(row[column]);
  const [ino, mode, uid, gid] = [number("ino"), number("mode"), number("uid"), number("gid")];
  const [atime, mtime, ctime, size] = [number("atime"), number("mtime"), number("ctime"), number("size")];
  const type = TYPES.find((t) => t === row["type"]);
  if (ino === undefined || mode === undefined || uid === undefined || gid === undefined || type === undefined) return undefined;
  if (atime === undefined || mtime === undefined || ctime === undefined || size === undefined) return undefined;
  const { target, chunks } = row;
  const inode: InodeRow = {
    type,
    mode,
    uid,
    gid,
    atime,
    mtime,
    ctime,
    size,
    ...(typeof target === "string" ? { target } : {}),
    ...(typeof chunks === "string" ? { chunks: chunks === "" ? [] : chunks.split(" ") } : {}),
  };
  return { ino, inode, intact: row["hash"] === inodeHash(ino, inode) };
}

/** Undefined where the row is no directory entry. */
export function entryOf(
  row: Row,
): { readonly entry: { readonly dir: number; readonly name: string; readonly ino: number }; readonly intact: boolean } | undefined {
  const [dir, ino, name] = [integer(row["dir"]), integer(row["ino"]), row["name"]];
  if (dir === undefined || ino === undefined || typeof name !== "string") return undefined;
  return { entry: { dir, name, ino }, intact: row["hash"] === entryHash(dir, name, ino) };
}

/** What a disk holds, whatever order its rows come in and however it got there: `seq` is not in it. */
export function imageDigest(image: DiskImage): string {
  const hashes = [
    ...image.inodes.map(({ ino, inode }) => inodeHash(ino, inode)),
    ...image.entries.map(({ dir, name, ino }) => entryHash(dir, name, ino)),
  ].sort();
  const h = new Hasher().int(hashes.length);
  for (const hash of hashes) h.text(hash);
  return h.hex();
}
