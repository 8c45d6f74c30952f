/**
 * A file system as rows of a disk and back. What stands on a disk may have been changed by hand: rows that lead nowhere are dropped and counted, as fsck(8) drops them. In
 * the real stack: mounting a device. Left out: a check of single blocks; whoever reads the rows has looked whether each is intact.
 */
import type { Commit, DiskContents, DiskImage, InodeRow } from "../../kernel/index.ts";
import { NO_CONTENT, contentOf } from "./content.ts";
import { NO_ENTRIES, entriesOf, withEntry } from "./directory.ts";
import { DIRECTORY_SIZE, rowOf, type Inode } from "./inode.ts";
import { eachFrom } from "./int-map.ts";
import type { TreeLimits } from "./inode-table.ts";
import { ROOT_INO, Tree } from "./tree.ts";

export type Imaged = DiskContents;

/** What of a file system outlives the power: everything that has a name. */
export function imageOf(tree: Tree): Imaged {
  const inodes: { ino: number; inode: InodeRow }[] = [];
  const entries: { dir: number; name: string; ino: number }[] = [];
  const chunks = new Map<string, Uint8Array>();
  tree.each((inode, ino) => {
    if (inode.nlink === 0) return;
    inodes.push({ ino, inode: rowOf(inode) });
    for (const entry of entriesOf(inode.entries)) entries.push({ dir: ino, name: entry.name, ino: entry.ino });
    eachFrom(inode.content, 0, (chunk) => chunks.set(chunk.hash, chunk.data));
  });
  return { image: { seq: tree.snapshot().seq, inodes, entries }, chunks };
}

/** The image after `commits`, which follow it in order. */
export function imageAfter(image: DiskImage, commits: readonly Commit[]): DiskImage {
  const inodes = new Map(image.inodes.map(({ ino, inode }) => [ino, inode]));
  const entries = new Map(image.entries.map((e) => [`${e.dir}/${e.name}`, e]));
  let { seq } = image;
  for (const commit of commits) {
    if (commit.seq !== seq + 1) throw new Error(`commit ${commit.seq} after ${seq}`);
    seq = commit.seq;
    for (const row of commit.rows) {
      if (row.row === "inode") {
        if (row.inode === undefined) inodes.delete(row.ino);
        else inodes.set(row.ino, row.inode);
      } else if (row.ino === undefined) entries.delete(`${row.dir}/${row.name}`);
      else entries.set(`${row.dir}/${row.name}`, { dir: row.dir, name: row.name, ino: row.ino });
    }
  }
  const byIno = [...inodes].sort(([a], [b]) => a - b).map(([ino, inode]) => ({ ino, inode }));
  const sorted = [...entries.values()].sort((a, b) => a.dir - b.dir || (a.name < b.name ? -1 : 1));
  return { seq, inodes: byIno, entries: sorted };
}

export interface Mounted {
  readonly tree: Tree;
  /** Rows that were dropped: names without an inode, inodes without a name, directories with two, contents that are missing. */
  readonly dropped: number;
}

/** Undefined where there is no root directory. */
export function treeOf(
  image: DiskImage,
  chunks: (hash: string) => Uint8Array | undefined,
  limits: TreeLimits,
  onCommit: ((commit: Commit) => void) | undefined,
): Mounted | undefined {
  const rows = new Map(image.inodes.map(({ ino, inode }) => [ino, inode]));
  if (rows.get(ROOT_INO)?.type !== "directory") return undefined;
  const names = new Map<number, { readonly name: string; readonly ino: number }[]>();
  for (const { dir, name, ino } of image.entries) {
    const there = names.get(dir);
    if (there === undefined) names.set(dir, [{ name, ino }]);
    else there.push({ name, ino });
  }
  const found = new Map<number, Inode>([[ROOT_INO, inodeOf(rows.get(ROOT_INO), ROOT_INO)]]);
  let kept = 1;
  const reach = (dir: number): void => {
    for (const { name, ino } of names.get(dir) ?? []) {
      const row = rows.get(ino);
      const before = found.get(ino);
      if (row === undefined || (before !== undefined && row.type === "directory")) continue;
      const content = contentOf(row.chunks ?? [], chunks);
      if (content === undefined) continue;
      const directory = row.type === "directory";
      const made = before ?? { ...inodeOf(row, dir), content };
      found.set(ino, { ...made, nlink: directory ? 2 : made.nlink + 1 });
      const holder = found.get(dir);
      if (holder !== undefined)
        found.set(dir, { ...holder, entries: withEntry(holder.entries, name, ino), nlink: holder.nlink + (directory ? 1 : 0) });
      kept += before === undefined ? 2 : 1;
      if (directory) reach(ino);
    }
  };
  reach(ROOT_INO);
  const tree = new Tree(limits, onCommit);
  for (const [ino, inode] of found) tree.lay(ino, inode);
  return { tree: tree.settle(image.seq), dropped: image.inodes.length + image.entries.length - kept };
}

function inodeOf(row: InodeRow | undefined, parent: number): Inode {
  if (row === undefined) throw new Error("file system: no root directory");
  const { type, mode, uid, gid, atime, mtime, ctime } = row;
  const directory = type === "directory";
  const size = directory ? DIRECTORY_SIZE : row.size;
  const links = { nlink: directory ? 2 : 0, parent: directory ? parent : 0 };
  return {
    ...{ type, mode, uid, gid, atime, mtime, ctime, size },
    ...links,
    target: row.target ?? "",
    content: NO_CONTENT,
    entries: NO_ENTRIES,
  };
}
