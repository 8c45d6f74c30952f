/**
 * One file system of the machine's own, and what may be done to it by inode number: the root file system, which keeps a journal of its durable changes, and a tmpfs, which is
 * the same without. Nothing here knows paths, processes or mounts. In the real stack: ext4 and tmpfs below the VFS. Left out: what the inode table leaves out; a directory
 * always reports 4096 bytes.
 */
import {
  FILE_CHUNK_BYTES,
  FILE_LINKS_MAX,
  FILE_SIZE_MAX,
  type Duration,
  type Errno,
  type FileType,
  type Instant,
} from "../../kernel/index.ts";
import { NO_CONTENT, blocksOf, cutContent, patched, readContent } from "./content.ts";
import { NO_ENTRIES, entriesOf, entryIn, type Entry } from "./directory.ts";
import { InodeTable } from "./inode-table.ts";
import { DIRECTORY_SIZE, sizeOfTarget, type Inode } from "./inode.ts";
import { getAt, setAt } from "./int-map.ts";

/** ext4: the root directory. */
export const ROOT_INO = 2;
/** relatime: an access time older than this is set again, µs. */
const ATIME_AGE_MAX: Duration = 86_400_000_000;

export interface NewInode {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly target?: string;
}

export interface Changes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly atime?: Instant;
  readonly mtime?: Instant;
}

export class Tree extends InodeTable {
  readonly kind = "tree";

  /** An empty file system with a root directory. */
  format(now: Instant, mode = 0o755): this {
    this.put(ROOT_INO, this.blank({ type: "directory", mode, uid: 0, gid: 0 }, ROOT_INO, now));
    return this;
  }

  private blank(seed: NewInode, parent: number, now: Instant): Inode {
    const directory = seed.type === "directory";
    const target = seed.target ?? "";
    return {
      type: seed.type,
      mode: seed.mode,
      uid: seed.uid,
      gid: seed.gid,
      atime: now,
      mtime: now,
      ctime: now,
      nlink: directory ? 2 : 1,
      size: directory ? DIRECTORY_SIZE : sizeOfTarget(target),
      target,
      parent: directory ? parent : 0,
      content: NO_CONTENT,
      entries: NO_ENTRIES,
    };
  }

  // ---- reading

  lookup(dir: number, name: string): number | undefined {
    return entryIn(this.get(dir).entries, name);
  }

  list(dir: number): Entry[] {
    return entriesOf(this.get(dir).entries);
  }

  parent(dir: number): number {
    return this.get(dir).parent;
  }

  read(ino: number, at: number, length: number): Uint8Array | Errno {
    if (this.faultNow === "io-error") return "EIO";
    const { content, size } = this.get(ino);
    return at >= size ? new Uint8Array(0) : readContent(content, at, Math.min(length, size - at));
  }

  /** relatime: the access time follows where it is not after the last change, or a day old. */
  accessed(ino: number, now: Instant): void {
    const { atime, mtime, ctime } = this.get(ino);
    const due = atime <= mtime || atime <= ctime || now - atime >= ATIME_AGE_MAX;
    if (due && atime !== now) this.edit(ino, { atime: now });
  }

  // ---- changing: the caller has looked that the names are right

  create(dir: number, name: string, seed: NewInode, now: Instant): number | Errno {
    const failed = this.cannotAdd(dir);
    if (failed !== undefined) return failed;
    if (this.inodesFree === 0) return "ENOSPC";
    const holder = this.get(dir);
    const inherits = (holder.mode & 0o2000) !== 0;
    const directory = seed.type === "directory";
    if (directory && holder.nlink >= FILE_LINKS_MAX) return "EMLINK";
    const own = inherits ? { ...seed, gid: holder.gid, mode: directory ? seed.mode | 0o2000 : seed.mode } : seed;
    const ino = this.nextIno();
    this.put(ino, this.blank(own, dir, now));
    this.setEntry(dir, name, ino);
    this.edit(dir, { mtime: now, ctime: now, nlink: holder.nlink + (directory ? 1 : 0) });
    return ino;
  }

  private cannotAdd(dir: number): Errno | undefined {
    if (this.faultNow === "io-error") return "EIO";
    return this.get(dir).nlink === 0 ? "ENOENT" : undefined;
  }

  link(ino: number, dir: number, name: string, now: Instant): Errno | undefined {
    const failed = this.cannotAdd(dir);
    if (failed !== undefined) return failed;
    const { nlink } = this.get(ino);
    if (nlink === 0) return "ENOENT";
    if (nlink >= FILE_LINKS_MAX) return "EMLINK";
    this.edit(ino, { nlink: nlink + 1, ctime: now });
    this.setEntry(dir, name, ino);
    this.edit(dir, { mtime: now, ctime: now });
    return undefined;
  }

  /** unlink(2) and rmdir(2): the name is there, and a directory is empty. */
  remove(dir: number, name: string, now: Instant): Errno | undefined {
    if (this.faultNow === "io-error") return "EIO";
    const ino = this.lookup(dir, name);
    if (ino === undefined) return "ENOENT";
    this.setEntry(dir, name, undefined);
    this.unnamed(dir, ino, now);
    this.edit(dir, { mtime: now, ctime: now });
    return undefined;
  }

  private unnamed(dir: number, ino: number, now: Instant): void {
    const { type, nlink } = this.get(ino);
    const directory = type === "directory";
    if (directory) this.edit(dir, { nlink: this.get(dir).nlink - 1 });
    this.edit(ino, { nlink: directory ? 0 : nlink - 1, ctime: now });
    if (this.get(ino).nlink === 0) this.orphaned(ino);
  }

  rename(from: { readonly dir: number; readonly name: string }, to: typeof from, now: Instant): Errno | undefined {
    const failed = this.cannotAdd(to.dir);
    if (failed !== undefined) return failed;
    const ino = this.lookup(from.dir, from.name);
    if (ino === undefined) return "ENOENT";
    const old = this.lookup(to.dir, to.name);
    const moved = this.get(ino);
    const crosses = moved.type === "directory" && from.dir !== to.dir;
    if (crosses && old === undefined && this.get(to.dir).nlink >= FILE_LINKS_MAX) return "EMLINK";
    this.setEntry(from.dir, from.name, undefined);
    this.setEntry(to.dir, to.name, ino);
    if (old !== undefined) this.unnamed(to.dir, old, now);
    if (crosses) {
      this.edit(from.dir, { nlink: this.get(from.dir).nlink - 1 });
      this.edit(to.dir, { nlink: this.get(to.dir).nlink + 1 });
    }
    this.edit(ino, { ctime: now, parent: moved.type === "directory" ? to.dir : 0 });
    this.edit(from.dir, { mtime: now, ctime: now });
    this.edit(to.dir, { mtime: now, ctime: now });
    return undefined;
  }

  /** Bytes written: fewer than asked where the room ends, an error where there is none. */
  write(ino: number, at: number, data: Uint8Array, now: Instant): number | Errno {
    if (this.faultNow === "io-error") return "EIO";
    if (data.length === 0) return 0;
    if (at >= FILE_SIZE_MAX) return "EFBIG";
    const inode = this.get(ino);
    const end = Math.min(at + data.length, FILE_SIZE_MAX);
    const first = Math.floor(at / FILE_CHUNK_BYTES);
    let { content } = inode;
    let [position, room, index] = [at, this.blocksFree, first];
    for (; position < end; index++) {
      const base = index * FILE_CHUNK_BYTES;
      const old = getAt(content, index);
      const inside = position - base;
      // As many bytes as the free blocks hold beside those the piece has already.
      const fits = (blocksOf(old) + room) * 4096;
      const upTo = Math.min(end - base, FILE_CHUNK_BYTES, fits);
      if (upTo <= inside) break;
      const next = patched(old, inside, data.subarray(position - at, base + upTo - at));
      room -= blocksOf(next) - blocksOf(old);
      content = setAt(content, index, next);
      position = base + upTo;
      if (upTo < Math.min(end - base, FILE_CHUNK_BYTES)) break;
    }
    if (position === at) return "ENOSPC";
    const last = Math.floor((position - 1) / FILE_CHUNK_BYTES);
    this.setContent(ino, content, first, last, { size: Math.max(inode.size, position), mtime: now, ctime: now });
    return position - at;
  }

  truncate(ino: number, length: number, now: Instant): Errno | undefined {
    if (this.faultNow === "io-error") return "EIO";
    if (length > FILE_SIZE_MAX) return "EFBIG";
    const inode = this.get(ino);
    const times = { size: length, mtime: now, ctime: now };
    if (length >= inode.size) this.edit(ino, times);
    else {
      const from = Math.floor(length / FILE_CHUNK_BYTES);
      this.setContent(ino, cutContent(inode.content, length), from, from + 1, times);
    }
    return undefined;
  }

  change(ino: number, changes: Changes, now: Instant): Errno | undefined {
    if (this.faultNow === "io-error") return "EIO";
    this.edit(ino, { ...changes, ctime: now });
    return undefined;
  }
}
