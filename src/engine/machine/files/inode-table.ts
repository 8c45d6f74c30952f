/**
 * The inode table of one file system of the machine's own: the records, the digest that is kept along with every change, the rows that a change leaves for the disk, and who
 * uses an inode beside its names. In the real stack: the inode table, the journal and the reference counts below ext4 and tmpfs. Left out: blocks that directories and links
 * take, reserved blocks, quotas; inode numbers are the lowest free ones.
 */
import type { Commit, DiskFault, DiskRow, Duration, Hasher } from "../../kernel/index.ts";
import { NO_CONTENT, blocksOf, type Chunk, type Content } from "./content.ts";
import { NO_ENTRIES, entriesOf, entryIn, withEntry } from "./directory.ts";
import { entrySum, inodeSum, pieceSum, rowOf, type Inode } from "./inode.ts";
import { eachFrom, emptyMap, firstGap, getAt, setAt, type IntMap } from "./int-map.ts";

/** ext4: the first number a file may get. */
const FIRST_INO = 12;

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
  readonly sum: readonly [number, number];
}

export class InodeTable {
  private inodes: IntMap<Inode> = emptyMap();
  private seq = 0;
  private blocks = 0;
  private count = 0;
  protected faultNow: DiskFault = "none";
  private slowMicros: Duration = 0;
  private sum: [number, number] = [0, 0];
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

  // ---- the table, its digest and what a commit has to say

  find(ino: number): Inode | undefined {
    return getAt(this.inodes, ino);
  }

  get(ino: number): Inode {
    const inode = this.find(ino);
    if (inode === undefined) throw new Error(`file system: no inode ${ino}`);
    return inode;
  }

  private mix(sum: readonly [number, number], sign: 1 | -1): void {
    this.sum = [(this.sum[0] + sign * sum[0]) | 0, (this.sum[1] + sign * sum[1]) | 0];
  }

  protected put(ino: number, next: Inode | undefined): void {
    const before = this.find(ino);
    if (before !== undefined) this.mix(inodeSum(ino, before), -1);
    if (next !== undefined) this.mix(inodeSum(ino, next), 1);
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

  /** A number for a new file. */
  protected nextIno(): number {
    const ino = firstGap(this.inodes, this.gap);
    this.gap = ino + 1;
    return ino;
  }

  protected edit(ino: number, changes: Partial<Inode>): void {
    this.put(ino, { ...this.get(ino), ...changes });
  }

  protected setEntry(dir: number, name: string, ino: number | undefined): void {
    const { entries } = this.get(dir);
    const before = entryIn(entries, name);
    if (before !== undefined) this.mix(entrySum(dir, name, before), -1);
    if (ino !== undefined) this.mix(entrySum(dir, name, ino), 1);
    this.edit(dir, { entries: withEntry(entries, name, ino) });
    if (this.onCommit !== undefined) this.dirtyEntries.set(`${dir}/${name}`, { dir, name });
  }

  /** The pieces of a file become these; `from`: below it nothing has changed. */
  protected setContent(ino: number, content: Content, from: number, to: number, changes: Partial<Inode>): void {
    const before = this.get(ino);
    const count = (chunk: Chunk, index: number, sign: 1 | -1): void => {
      this.mix(pieceSum(ino, index, chunk), sign);
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
  protected orphaned(ino: number): void {
    const { type, parent } = this.get(ino);
    if (!this.inUse(ino)) this.free(ino);
    else if (type === "directory") this.hold(parent);
  }

  // ---- as a whole

  /** Frozen at its top: whoever copies state shares all of it. */
  snapshot(): TreeState {
    this.state ??= Object.freeze({
      seq: this.seq,
      inodes: this.inodes,
      blocks: this.blocks,
      count: this.count,
      fault: this.faultNow,
      commitMicros: this.slowMicros,
      sum: this.sum,
    });
    return this.state;
  }

  restore(state: TreeState): void {
    this.inodes = state.inodes;
    [this.seq, this.blocks, this.count] = [state.seq, state.blocks, state.count];
    [this.faultNow, this.slowMicros] = [state.fault, state.commitMicros];
    this.sum = [...state.sum];
    this.gap = FIRST_INO;
    this.users.clear();
    this.settle(state.seq);
  }

  digest(h: Hasher): void {
    h.int(this.seq).int(this.sum[0]).int(this.sum[1]).int(this.count).int(this.blocks).text(this.faultNow).int(this.slowMicros);
  }

  /** Every inode, by number. */
  each(visit: (inode: Inode, ino: number) => void): void {
    eachFrom(this.inodes, 0, visit);
  }

  /** Puts a whole inode down, as an image has it. Its entries and pieces come with it. */
  lay(ino: number, inode: Inode): void {
    this.put(ino, { ...inode, content: NO_CONTENT, entries: NO_ENTRIES });
    if (inode.type === "file") this.setContent(ino, inode.content, 0, 1, {});
    for (const { name, ino: child } of entriesOf(inode.entries)) this.setEntry(ino, name, child);
  }
}
