/**
 * One file system of the machine's own: the inode table and what may be done to it by inode number. The root file system keeps a journal of its durable changes as commits;
 * a tmpfs is the same without. Nothing here knows paths, processes or mounts. In the real stack: ext4 and tmpfs below the VFS. Left out: blocks that directories and links
 * take, reserved blocks, quotas; a directory always reports 4096 bytes, and inode numbers are the lowest free ones.
 */
import {
  FILE_CHUNK_BYTES,
  FILE_LINKS_MAX,
  FILE_SIZE_MAX,
  type Commit,
  type DiskRow,
  type Duration,
  type Errno,
  type FileType,
  type Hasher,
  type Instant,
} from "../../kernel/index.ts";
import { NO_CONTENT, blocksOf, cutContent, patched, readContent, type Chunk, type Content } from "./content.ts";
import { NO_ENTRIES, entriesOf, entryIn, withEntry, type Entry } from "./directory.ts";
import { DIRECTORY_SIZE, entryWords, inodeWords, pieceWords, refrozenInode, rowOf, sizeOfTarget, type Inode } from "./inode.ts";
import { eachFrom, emptyMap, firstGap, getAt, refrozenMap, setAt, type IntMap } from "./int-map.ts";

/** ext4: the root directory, and the first number a file may get. */
export const ROOT_INO = 2;
const FIRST_INO = 12;
/** relatime: an access time older than this is set again, µs. */
const ATIME_AGE_MAX: Duration = 86_400_000_000;

/** What is wrong with the device below: "io-error" fails whatever reads or writes it, "full" whatever needs room. */
export type DiskFault = "none" | "read-only" | "io-error" | "full";

export interface TreeLimits {
  /** Blocks of 4 KiB for contents. */
  readonly blocks: number;
  readonly inodes: number;
}

/** Plain data. */
export interface TreeState {
  readonly seq: number;
  readonly inodes: IntMap<Inode>;
  readonly blocks: number;
  readonly count: number;
  readonly fault: DiskFault;
  /** How long a commit takes to be durable. */
  readonly commitMicros: Duration;
  readonly words: readonly [number, number];
}

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

export class Tree {
  readonly kind = "tree";
  private inodes: IntMap<Inode> = emptyMap();
  private seq = 0;
  private blocks = 0;
  private count = 0;
  private faultNow: DiskFault = "none";
  private slowMicros: Duration = 0;
  private words: [number, number] = [0, 0];
  /** No number below this is free: only a shortcut. */
  private gap = FIRST_INO;
  /** Users of an inode beside its names: descriptors, working directories. Not in the snapshot: those who use it say so again. */
  private readonly users = new Map<number, number>();
  private state: TreeState | undefined;
  private readonly dirtyInodes = new Set<number>();
  private readonly dirtyEntries = new Map<string, { readonly dir: number; readonly name: string }>();
  private readonly newChunks = new Map<string, Uint8Array>();

  constructor(
    readonly limits: TreeLimits,
    /** Where the durable changes go; undefined: nothing here outlives the power. */
    private readonly onCommit: ((commit: Commit) => void) | undefined,
  ) {}

  /** An empty file system with a root directory. */
  format(now: Instant, mode = 0o755): this {
    this.put(ROOT_INO, this.blank({ type: "directory", mode, uid: 0, gid: 0 }, ROOT_INO, now));
    return this;
  }

  private blank(seed: NewInode, parent: number, now: Instant): Inode {
    const directory = seed.type === "directory";
    const target = seed.target ?? "";
    return Object.freeze({
      ...{ type: seed.type, mode: seed.mode, uid: seed.uid, gid: seed.gid, atime: now, mtime: now, ctime: now },
      nlink: directory ? 2 : 1,
      size: directory ? DIRECTORY_SIZE : sizeOfTarget(target),
      ...{ target, parent: directory ? parent : 0, content: NO_CONTENT, entries: NO_ENTRIES },
    });
  }

  // ---- the table, its digest and what a commit has to say

  find(ino: number): Inode | undefined {
    return getAt(this.inodes, ino);
  }

  get(ino: number): Inode {
    const inode = this.find(ino);
    if (inode === undefined) throw new Error(`file system: no inode ${ino}`);
    return inode;
  }

  private mix(words: readonly [number, number], sign: 1 | -1): void {
    this.words = [(this.words[0] + sign * words[0]) | 0, (this.words[1] + sign * words[1]) | 0];
  }

  private put(ino: number, next: Inode | undefined): void {
    const before = this.find(ino);
    if (before !== undefined) this.mix(inodeWords(ino, before), -1);
    if (next !== undefined) this.mix(inodeWords(ino, next), 1);
    if (before === undefined) this.count++;
    if (next === undefined) {
      this.count--;
      this.gap = Math.min(this.gap, Math.max(ino, FIRST_INO));
    }
    this.inodes = setAt(this.inodes, ino, next);
    this.state = undefined;
    // What nobody can name is not on the disk: a power cut takes it.
    const named = (before?.nlink ?? 1) > 0;
    if (this.onCommit !== undefined && named) this.dirtyInodes.add(ino);
  }

  private edit(ino: number, changes: Partial<Inode>): void {
    this.put(ino, Object.freeze({ ...this.get(ino), ...changes }));
  }

  private setEntry(dir: number, name: string, ino: number | undefined): void {
    const { entries } = this.get(dir);
    const before = entryIn(entries, name);
    if (before !== undefined) this.mix(entryWords(dir, name, before), -1);
    if (ino !== undefined) this.mix(entryWords(dir, name, ino), 1);
    this.edit(dir, { entries: withEntry(entries, name, ino) });
    if (this.onCommit !== undefined) this.dirtyEntries.set(`${dir}/${name}`, { dir, name });
  }

  /** The pieces of a file become these; `from`: below it nothing has changed. */
  private setContent(ino: number, content: Content, from: number, to: number, changes: Partial<Inode>): void {
    const before = this.get(ino);
    const count = (chunk: Chunk, index: number, sign: 1 | -1): void => {
      this.mix(pieceWords(ino, index, chunk), sign);
      this.blocks += sign * blocksOf(chunk);
    };
    const durable = this.onCommit !== undefined && before.nlink > 0;
    if (to === from) {
      // One piece: the common case of a line that is appended.
      const [old, next] = [getAt(before.content, from), getAt(content, from)];
      if (old !== undefined) count(old, from, -1);
      if (next !== undefined) count(next, from, 1);
      if (durable && next !== undefined) this.newChunks.set(next.hash, next.data);
    } else {
      eachFrom(before.content, from, (chunk, index) => count(chunk, index, -1));
      eachFrom(content, from, (chunk, index) => {
        count(chunk, index, 1);
        if (durable && getAt(before.content, index) !== chunk) this.newChunks.set(chunk.hash, chunk.data);
      });
    }
    this.edit(ino, { ...changes, content });
  }

  /** Ends one change: what it did to the disk goes out as one commit. */
  flush(): void {
    if (this.onCommit === undefined || (this.dirtyInodes.size === 0 && this.dirtyEntries.size === 0)) return;
    const rows: DiskRow[] = [];
    for (const ino of this.dirtyInodes) {
      const inode = this.find(ino);
      rows.push({ row: "inode", ino, inode: inode === undefined || inode.nlink === 0 ? undefined : rowOf(inode) });
    }
    for (const { dir, name } of this.dirtyEntries.values()) {
      const holder = this.find(dir);
      rows.push({ row: "entry", dir, name, ino: holder === undefined ? undefined : entryIn(holder.entries, name) });
    }
    const chunks = [...this.newChunks].map(([hash, data]) => ({ hash, data }));
    this.dirtyInodes.clear();
    this.dirtyEntries.clear();
    this.newChunks.clear();
    this.seq++;
    this.state = undefined;
    this.onCommit({ seq: this.seq, rows, chunks });
  }

  /** A file system that was just made is what its image says: nothing of it is a change. */
  settle(seq: number): this {
    this.dirtyInodes.clear();
    this.dirtyEntries.clear();
    this.newChunks.clear();
    this.seq = seq;
    this.state = undefined;
    return this;
  }

  // ---- the device

  get fault(): DiskFault {
    return this.faultNow;
  }

  get commitMicros(): Duration {
    return this.slowMicros;
  }

  setFault(fault: DiskFault, commitMicros: Duration): void {
    this.faultNow = fault;
    this.slowMicros = commitMicros;
    this.state = undefined;
  }

  get blocksFree(): number {
    return this.faultNow === "full" ? 0 : Math.max(0, this.limits.blocks - this.blocks);
  }

  get inodesFree(): number {
    return this.faultNow === "full" ? 0 : Math.max(0, this.limits.inodes - this.count);
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

  // ---- users

  hold(ino: number): void {
    const users = (this.users.get(ino) ?? 0) + 1;
    this.users.set(ino, users);
    const { type, nlink, parent } = this.get(ino);
    // A removed directory still knows where it was: its `..` has to be there.
    if (users === 1 && type === "directory" && nlink === 0) this.hold(parent);
  }

  release(ino: number): void {
    const users = (this.users.get(ino) ?? 1) - 1;
    if (users > 0) {
      this.users.set(ino, users);
      return;
    }
    this.users.delete(ino);
    const { type, nlink, parent } = this.get(ino);
    if (nlink > 0) return;
    this.free(ino);
    if (type === "directory") this.release(parent);
  }

  /** Somebody has it open or works in it. */
  inUse(ino: number): boolean {
    return this.users.has(ino);
  }

  get anyUser(): boolean {
    return this.users.size > 0;
  }

  private free(ino: number): void {
    const inode = this.get(ino);
    if (inode.type === "file") this.setContent(ino, NO_CONTENT, 0, 1, {});
    this.put(ino, undefined);
  }

  /** Its last name went. */
  private orphaned(ino: number): void {
    const { type, parent } = this.get(ino);
    if (!this.inUse(ino)) this.free(ino);
    else if (type === "directory") this.hold(parent);
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
    const ino = firstGap(this.inodes, this.gap);
    this.gap = ino + 1;
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

  // ---- as a whole

  snapshot(): TreeState {
    this.state ??= Object.freeze({
      seq: this.seq,
      inodes: this.inodes,
      blocks: this.blocks,
      count: this.count,
      fault: this.faultNow,
      commitMicros: this.slowMicros,
      words: Object.freeze([...this.words] as [number, number]),
    });
    return this.state;
  }

  restore(state: TreeState): void {
    this.inodes = refrozenMap(state.inodes, refrozenInode);
    [this.seq, this.blocks, this.count] = [state.seq, state.blocks, state.count];
    [this.faultNow, this.slowMicros] = [state.fault, state.commitMicros];
    this.words = [...state.words];
    this.gap = FIRST_INO;
    this.users.clear();
    this.settle(state.seq);
  }

  digest(h: Hasher): void {
    h.int(this.seq).int(this.words[0]).int(this.words[1]).int(this.count).int(this.blocks).text(this.faultNow).int(this.slowMicros);
  }

  /** Every inode, by number. */
  each(visit: (inode: Inode, ino: number) => void): void {
    eachFrom(this.inodes, 0, visit);
  }

  /** Puts a whole inode down, as an image has it. Its entries and pieces come with it. */
  lay(ino: number, inode: Inode): void {
    this.put(ino, Object.freeze({ ...inode, content: NO_CONTENT, entries: NO_ENTRIES }));
    if (inode.type === "file") this.setContent(ino, inode.content, 0, 1, {});
    for (const { name, ino: child } of entriesOf(inode.entries)) this.setEntry(ino, name, child);
  }
}
