/**
 * The tree of /etc/pve with the rules of its changes: version arithmetic, errors, VMIDs, locks. Each change is one transaction of the database first, and of memory then. In
 * the real stack: pmxcfs's memdb.c. What another node decides the same from the same state stands here; quorum, modes and the special files do not.
 */
import { sameBytes, type Errno, type Hasher } from "../kernel/index.ts";
import { rowOf, type Backend, type Transaction } from "./backend.ts";
import { DIRECTORY, FILE, FILE_BYTES_MAX, ROOT, checksumOf, sizeOf, type TreeEntry } from "./entry.ts";
import { GuestList } from "./guest-list.ts";
import { Locks, type LockAge, type LocksState } from "./locks.ts";
import { guestPath, isLockPath, splitPath } from "./paths.ts";
import { Tree, type TreeState } from "./tree.ts";

/** Who changes something: the node's id (0 in local mode), and its clock, seconds since 1970. */
export interface Author {
  readonly writer: number;
  readonly mtime: number;
}

export interface MemdbHooks {
  /** This node's clock, seconds since 1970. */
  seconds(): number;
  /** A change of this path has been applied. */
  changed(path: string): void;
}

interface MemdbState {
  readonly tree: TreeState;
  readonly failed: boolean;
  readonly guests: ReturnType<GuestList["snapshot"]>;
  readonly locks: LocksState;
}

type Outcome = Errno | undefined;

export class Memdb {
  tree: Tree;
  /** The database has failed: nothing can be changed until the next start. */
  failed = false;
  readonly guests = new GuestList();
  readonly locks = new Locks();

  constructor(
    entries: readonly TreeEntry[],
    private readonly backend: Backend,
    private readonly hooks: MemdbHooks,
  ) {
    this.tree = new Tree(entries);
  }

  get version(): number {
    return this.tree.root.version;
  }

  /**
   * The list of guests and the ages of locks begin anew with the state that is there now.
   * @returns a VMID that two files have
   */
  rebuild(): number | undefined {
    const found = this.guestFiles();
    const seen = new Set<number>();
    for (const { vmid } of found) {
      if (seen.has(vmid)) return vmid;
      seen.add(vmid);
    }
    this.guests.rebuild(found);
    this.restartLocks();
    return undefined;
  }

  private guestFiles(): NonNullable<ReturnType<typeof guestPath>>[] {
    const nodes = this.tree.lookup("nodes");
    if (nodes === undefined) return [];
    const files = this.tree
      .children(nodes)
      .flatMap((node) => this.tree.children(node))
      .flatMap((kind) => this.tree.children(kind));
    return files.flatMap((file) => (file.type === FILE ? (guestPath(this.tree.pathOf(file)) ?? []) : []));
  }

  restartLocks(): void {
    const directory = this.tree.lookup("priv/lock");
    const found = directory === undefined ? [] : this.tree.children(directory).filter((entry) => entry.type === DIRECTORY);
    this.locks.restart(
      found.map((entry) => ({ path: this.tree.pathOf(entry), checksum: checksumOf(entry) })),
      this.hooks.seconds(),
    );
  }

  // ---- changes

  mkdir(path: string, by: Author): Outcome {
    const made = this.add(path, by, DIRECTORY);
    if (typeof made === "string") return made;
    if (isLockPath(path)) this.locks.seen(path, checksumOf(made), this.hooks.seconds());
    this.hooks.changed(path);
    return undefined;
  }

  /** An empty file. */
  create(path: string, by: Author): Outcome {
    const guest = guestPath(path);
    if (guest !== undefined && this.guests.takenElsewhere(guest)) return "EEXIST";
    const made = this.add(path, by, FILE);
    if (typeof made === "string") return made;
    if (guest !== undefined) this.guests.register(guest);
    this.hooks.changed(path);
    return undefined;
  }

  /** What a new tree begins with. */
  import(name: string, data: Uint8Array, seconds: number): Outcome {
    const by = { writer: 0, mtime: seconds };
    return this.create(name, by) ?? this.write(name, by, 0, data, false);
  }

  private add(path: string, by: Author, type: TreeEntry["type"]): TreeEntry | Errno {
    const { name } = splitPath(path);
    if (this.failed) return "EIO";
    if (name === "" || name === "." || name === "..") return "EACCES";
    const parent = this.parentOf(path);
    if (typeof parent === "string") return parent;
    if (this.tree.child(parent, name) !== undefined) return "EEXIST";
    const inode = this.version + 1;
    return this.change({ inode, parent: parent.inode, version: inode, ...by, type, name, data: undefined }, by) ?? this.tree.get(inode);
  }

  private parentOf(path: string): TreeEntry | Errno {
    const parent = this.tree.lookup(splitPath(path).directory);
    if (parent === undefined) return "ENOENT";
    return parent.type === DIRECTORY ? parent : "ENOTDIR";
  }

  /**
   * Writes at an offset; what lies between is zeros.
   * @param truncate the file ends behind what was written; with nothing to write, at the offset
   */
  write(path: string, by: Author, offset: number, data: Uint8Array, truncate: boolean): Outcome {
    if (this.failed) return "EIO";
    const entry = this.tree.lookup(path);
    if (entry === undefined) return "ENOENT";
    if (entry.type === DIRECTORY) return "EISDIR";
    const end = offset + data.length;
    if (end > FILE_BYTES_MAX) return "EFBIG";
    const guest = guestPath(path);
    if (guest !== undefined && this.guests.takenElsewhere(guest)) return "EEXIST";
    const contents = new Uint8Array(truncate ? end : Math.max(end, sizeOf(entry)));
    contents.set((entry.data ?? contents).subarray(0, contents.length));
    contents.set(data, offset);
    const errno = this.change({ ...entry, ...this.stamp(by), data: contents }, by);
    if (errno !== undefined) return errno;
    if (guest !== undefined) this.guests.register(guest);
    this.hooks.changed(path);
    return undefined;
  }

  /** unlink or rmdir, by what is there. */
  remove(path: string, by: Author): Outcome {
    if (this.failed) return "EIO";
    const entry = this.tree.lookup(path);
    if (entry === undefined) return "ENOENT";
    if (entry.inode === ROOT) return "EACCES";
    if (!this.tree.isEmpty(entry)) return "ENOTEMPTY";
    const root = this.nextRoot(by);
    if (!this.commit({ removed: [entry.inode], written: [rowOf(root)] })) return "EIO";
    this.tree.remove(entry);
    this.tree.put(root);
    const guest = guestPath(path);
    if (guest !== undefined) this.guests.remove(guest.vmid);
    if (isLockPath(path)) this.locks.remove(path);
    this.hooks.changed(path);
    return undefined;
  }

  /** A directory must be empty, and no lock can be renamed. */
  rename(from: string, to: string, by: Author): Outcome {
    if (this.failed) return "EIO";
    const source = this.tree.lookup(from);
    if (source === undefined) return "ENOENT";
    if (source.inode === ROOT || (source.type === DIRECTORY && isLockPath(from))) return "EACCES";
    const parent = this.parentOf(to);
    if (typeof parent === "string") return parent;
    const [guestFrom, guestTo] = [guestPath(from), guestPath(to)];
    if (guestTo !== undefined && guestFrom?.vmid !== guestTo.vmid && this.guests.takenElsewhere(guestTo)) return "EEXIST";
    const target = this.tree.child(parent, splitPath(to).name);
    if (target === source) return undefined;
    if (target !== undefined) {
      if (!this.tree.isEmpty(target)) return "ENOTEMPTY";
      // The real daemon takes the target out of memory before it looks at the source: where that is refused, the target's row stays in the database alone.
      this.tree.remove(target);
    }
    if (!this.tree.isEmpty(source)) return "ENOTEMPTY";
    const moved = { ...source, ...this.stamp(by), parent: parent.inode, name: splitPath(to).name };
    const errno = this.change(moved, by, target?.inode);
    if (errno !== undefined) return errno;
    if (guestFrom !== undefined) this.guests.remove(guestFrom.vmid);
    if (guestTo !== undefined && source.type === FILE) this.guests.register(guestTo);
    this.hooks.changed(from);
    this.hooks.changed(to);
    return undefined;
  }

  /** A lock is renewed by the node that made it alone, and never with an older time. */
  setMtime(path: string, by: Author): Outcome {
    if (this.failed) return "EIO";
    const entry = this.tree.lookup(path);
    if (entry === undefined) return "ENOENT";
    if (entry.inode === ROOT) return "EACCES";
    const lock = entry.type === DIRECTORY && isLockPath(path);
    if (lock && (entry.writer !== by.writer || by.mtime < entry.mtime)) return "EACCES";
    const set = { ...entry, ...this.stamp(by), data: entry.type === DIRECTORY ? new Uint8Array(0) : entry.data };
    const errno = this.change(set, by);
    if (errno !== undefined) return errno;
    if (lock) this.locks.seen(path, checksumOf(set), this.hooks.seconds());
    this.hooks.changed(path);
    return undefined;
  }

  // ---- locks

  /** How old the lock there is; undefined: no lock. */
  lockAge(path: string): { readonly age: LockAge; readonly checksum: Uint8Array } | undefined {
    const entry = isLockPath(path) ? this.tree.lookup(path) : undefined;
    if (entry?.type !== DIRECTORY) return undefined;
    const checksum = checksumOf(entry);
    return { age: this.locks.age(path, checksum, this.hooks.seconds()), checksum };
  }

  /** Takes a lock away whose state is still the one that was found too old. */
  unlock(path: string, checksum: Uint8Array, by: Author): Outcome {
    const entry = this.tree.lookup(path);
    if (entry?.type !== DIRECTORY || !sameBytes(checksumOf(entry), checksum)) return "ENOENT";
    return this.remove(path, by);
  }

  // ---- another node's state

  /**
   * Becomes the leader's tree: one transaction, and from then on every counter of a path is another.
   * @param keep inodes that the leader has
   * @returns false where the database failed
   */
  replace(keep: ReadonlySet<number>, updates: readonly TreeEntry[]): boolean {
    if (this.failed) return false;
    const changed = new Map(updates.map((entry) => [entry.inode, entry]));
    const removed = this.tree.all().filter((entry) => !keep.has(entry.inode));
    if (!this.commit({ removed: removed.map((entry) => entry.inode), written: updates.map(rowOf) })) return false;
    const kept = this.tree.all().filter((entry) => keep.has(entry.inode) && !changed.has(entry.inode));
    this.tree = new Tree([...kept, ...updates].sort((a, b) => a.inode - b.inode));
    return true;
  }

  // ----

  private stamp(by: Author): Pick<TreeEntry, "version" | "writer" | "mtime"> {
    return { version: this.version + 1, writer: by.writer, mtime: by.mtime };
  }

  private nextRoot(by: Author): TreeEntry {
    return { ...this.tree.root, ...this.stamp(by) };
  }

  /** One changed entry and the root's record; `replaced` is the inode that it takes the place of. */
  private change(entry: TreeEntry, by: Author, replaced?: number): Outcome {
    const root = this.nextRoot(by);
    const removed = replaced === undefined ? [] : [replaced];
    if (!this.commit({ removed, written: [rowOf(entry), rowOf(root)] })) return "EIO";
    this.tree.put(entry);
    this.tree.put(root);
    return undefined;
  }

  private commit(transaction: Transaction): boolean {
    if (!this.backend.commit(transaction)) this.failed = true;
    return !this.failed;
  }

  snapshot(): MemdbState {
    return { tree: this.tree.snapshot(), failed: this.failed, guests: this.guests.snapshot(), locks: this.locks.snapshot() };
  }

  restore(state: MemdbState): void {
    this.tree = Tree.restore(state.tree);
    this.failed = state.failed;
    this.guests.restore(state.guests);
    this.locks.restore(state.locks);
  }

  digest(h: Hasher): void {
    this.tree.digest(h);
    h.bool(this.failed);
    this.guests.digest(h);
    this.locks.digest(h);
  }
}
