/**
 * The entries of /etc/pve and how they hang together, in memory: what is found by path or inode, and in which order a directory lists. In the real stack: the index and the
 * directories' hash tables of pmxcfs's memdb. It knows no rule of what may be changed; memdb.ts has those.
 */
import { Hasher } from "../kernel/index.ts";
import { DIRECTORY, ROOT, lanesOf, sizeOf, type TreeEntry } from "./entry.ts";
import { HashTable, stringHash, type SavedTable } from "./hash-table.ts";

export interface TreeState {
  readonly entries: readonly TreeEntry[];
  readonly directories: readonly (readonly [number, SavedTable<string, number>])[];
}

export class Tree {
  private byInode = new Map<number, TreeEntry>();
  /** By the directory's inode: names to inodes. */
  private directories = new Map<number, HashTable<string, number>>();
  /** Sums over all entries, for the digest, and of their bytes. */
  private lanes: [number, number] = [0, 0];
  private bytes = 0;

  constructor(entries: readonly TreeEntry[]) {
    for (const entry of entries) this.put(entry);
  }

  get root(): TreeEntry {
    return this.get(ROOT);
  }

  get(inode: number): TreeEntry {
    const entry = this.byInode.get(inode);
    if (entry === undefined) throw new Error(`the tree has no inode ${inode}`);
    return entry;
  }

  has(inode: number): boolean {
    return this.byInode.has(inode);
  }

  /** The root is the empty path. */
  lookup(path: string): TreeEntry | undefined {
    let entry = this.root;
    for (const name of path.split("/")) {
      if (name === "") continue;
      const child = this.child(entry, name);
      if (child === undefined) return undefined;
      entry = child;
    }
    return entry;
  }

  child(directory: TreeEntry, name: string): TreeEntry | undefined {
    const inode = this.directories.get(directory.inode)?.get(name);
    return inode === undefined ? undefined : this.get(inode);
  }

  /** In the order in which the daemon lists them. */
  children(directory: TreeEntry): TreeEntry[] {
    return [...(this.directories.get(directory.inode)?.values() ?? [])].map((inode) => this.get(inode));
  }

  isEmpty(directory: TreeEntry): boolean {
    return (this.directories.get(directory.inode)?.size ?? 0) === 0;
  }

  pathOf(entry: TreeEntry): string {
    if (entry.inode === ROOT) return "";
    const above = this.pathOf(this.get(entry.parent));
    return above === "" ? entry.name : `${above}/${entry.name}`;
  }

  /** Adds an entry, or replaces the one of its inode. */
  put(entry: TreeEntry): void {
    const old = this.byInode.get(entry.inode);
    if (old !== undefined) {
      this.count(old, -1);
      if (old.parent !== entry.parent || old.name !== entry.name) this.directories.get(old.parent)?.delete(old.name);
    }
    this.byInode.set(entry.inode, entry);
    this.count(entry, 1);
    if (entry.inode !== ROOT) this.names(entry.parent).set(entry.name, entry.inode);
    if (entry.type === DIRECTORY) this.names(entry.inode);
  }

  remove(entry: TreeEntry): void {
    this.byInode.delete(entry.inode);
    this.directories.delete(entry.inode);
    this.directories.get(entry.parent)?.delete(entry.name);
    this.count(entry, -1);
  }

  private names(directory: number): HashTable<string, number> {
    let names = this.directories.get(directory);
    if (names === undefined) {
      names = new HashTable<string, number>(stringHash);
      this.directories.set(directory, names);
    }
    return names;
  }

  private count(entry: TreeEntry, by: 1 | -1): void {
    const [a, b] = lanesOf(entry);
    this.lanes = [(this.lanes[0] + by * a) | 0, (this.lanes[1] + by * b) | 0];
    this.bytes += by * sizeOf(entry);
  }

  /** All entries with the root's, by inode. */
  all(): TreeEntry[] {
    return [...this.byInode.values()].sort((a, b) => a.inode - b.inode);
  }

  get size(): number {
    return this.byInode.size;
  }

  /** Of all files' contents. */
  get contentBytes(): number {
    return this.bytes;
  }

  snapshot(): TreeState {
    return { entries: [...this.byInode.values()], directories: [...this.directories].map(([inode, t]) => [inode, t.snapshot()] as const) };
  }

  static restore(state: TreeState): Tree {
    const tree = new Tree([]);
    for (const entry of state.entries) {
      tree.byInode.set(entry.inode, entry);
      tree.count(entry, 1);
    }
    tree.directories = new Map(state.directories.map(([inode, saved]) => [inode, HashTable.restore(stringHash, saved)]));
    return tree;
  }

  /** Sixteen digits that two equal trees share. */
  hex(): string {
    const h = new Hasher();
    this.digest(h);
    return h.hex();
  }

  digest(h: Hasher): void {
    h.int(this.byInode.size).int(this.lanes[0]).int(this.lanes[1]);
  }
}
