/**
 * The files of one machine outside /etc/pve: a tree of immutable nodes, changed by building the path from the root anew and sharing the rest. In the
 * real stack: the root file system, as root sees it. Left out: owners other than root, hard links, devices, access times, and permission
 * checks (the only user is root, whom modes do not stop).
 */
import { Hasher, cloneState, type FileStat, type Instant } from "../kernel/index.ts";

/** An errno name as strerror(3) callers know it. */
export type Errno =
  "ENOENT" | "ENOTDIR" | "EISDIR" | "EEXIST" | "ENOTEMPTY" | "ELOOP" | "EINVAL" | "EBUSY" | "ENAMETOOLONG" | "ENOSPC" | "EPERM";

/** Bytes of file contents one machine may hold. Ours; a disk that is full answers ENOSPC. */
export const DISK_BYTES_MAX = 64 * 1024 * 1024;
/** Entries one machine's tree may hold: the inode limit. Ours. */
export const DISK_ENTRIES_MAX = 20_000;
/** Linux NAME_MAX and PATH_MAX, bytes (counted here in UTF-16 units). */
export const NAME_MAX = 255;
export const PATH_MAX = 4096;
/** Linux MAXSYMLINKS. */
const SYMLINKS_MAX = 40;

export interface FileNode {
  readonly type: "file";
  readonly mode: number;
  readonly mtime: Instant;
  readonly data: Uint8Array;
  readonly hash: string;
}

export interface SymlinkNode {
  readonly type: "symlink";
  readonly mode: number;
  readonly mtime: Instant;
  readonly target: string;
  readonly hash: string;
}

export interface DirectoryNode {
  readonly type: "directory";
  readonly mode: number;
  readonly mtime: Instant;
  /** Sorted by name (code units). */
  readonly entries: readonly DirectoryEntry[];
  readonly hash: string;
  /** Bytes of contents and number of entries below, for the disk's limits. */
  readonly bytes: number;
  readonly count: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly node: TreeNode;
}

export type TreeNode = FileNode | SymlinkNode | DirectoryNode;

export type Result<T> = { ok: true; value: T } | { ok: false; errno: Errno };

const fail = (errno: Errno): { ok: false; errno: Errno } => ({ ok: false, errno });
const done = <T>(value: T): { ok: true; value: T } => ({ ok: true, value });

export function fileNode(data: Uint8Array, mode: number, mtime: Instant): FileNode {
  const hash = new Hasher().int(1).int(mode).int(mtime).bytes(data).hex();
  return Object.freeze({ type: "file", mode, mtime, data, hash });
}

export function symlinkNode(target: string, mtime: Instant): SymlinkNode {
  const hash = new Hasher().int(2).int(mtime).text(target).hex();
  return Object.freeze({ type: "symlink", mode: 0o777, mtime, target, hash });
}

/** @param entries sorted by name */
export function directoryNode(entries: readonly DirectoryEntry[], mode: number, mtime: Instant): DirectoryNode {
  const h = new Hasher().int(3).int(mode).int(mtime);
  let bytes = 0;
  let count = 0;
  for (const { name, node } of entries) {
    h.text(name).text(node.hash);
    count += 1 + (node.type === "directory" ? node.count : 0);
    if (node.type === "directory") bytes += node.bytes;
    else if (node.type === "file") bytes += node.data.length;
  }
  return Object.freeze({ type: "directory", mode, mtime, entries: Object.freeze([...entries]), hash: h.hex(), bytes, count });
}

/** A tree that came back from another process, frozen again so that snapshots share it. */
export function refreeze(node: TreeNode): TreeNode {
  if (Object.isFrozen(node)) return node;
  if (node.type === "file") return Object.freeze({ ...node });
  if (node.type === "symlink") return Object.freeze({ ...node });
  const entries = node.entries.map((e) => Object.freeze({ name: e.name, node: refreeze(e.node) }));
  return Object.freeze({ ...cloneState({ ...node, entries: [] }), entries: Object.freeze(entries) });
}

function childOf(dir: DirectoryNode, name: string): TreeNode | undefined {
  return dir.entries.find((e) => e.name === name)?.node;
}

function withChild(dir: DirectoryNode, name: string, node: TreeNode | undefined, mtime: Instant): DirectoryNode {
  const rest = dir.entries.filter((e) => e.name !== name);
  if (node !== undefined) rest.push(Object.freeze({ name, node }));
  rest.sort((a, b) => (a.name < b.name ? -1 : 1));
  return directoryNode(rest, dir.mode, mtime);
}

/** Names of `path` from the root, `.` and empty parts dropped; `..` stays, as it is resolved against the tree. */
export function splitPath(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Joins names to an absolute path. */
export function joinPath(parts: readonly string[]): string {
  return `/${parts.join("/")}`;
}

/**
 * Follows `path` from the root as path_resolution(7) does.
 * @param followLast whether a symbolic link as last name is followed (stat) or not (lstat, unlink, rename)
 * @returns the canonical names; the last one need not exist when everything before it does. `trailing`: the path ended in a slash
 */
function canonical(root: DirectoryNode, path: string, followLast: boolean): Result<string[]> {
  if (!path.startsWith("/")) return fail("EINVAL");
  if (path.length >= PATH_MAX) return fail("ENAMETOOLONG");
  let todo = splitPath(path);
  const mustBeDir = path.length > 1 && (path.endsWith("/") || path.endsWith("/."));
  const at: string[] = [];
  const nodes: DirectoryNode[] = [root];
  let links = 0;
  for (;;) {
    const name = todo.shift();
    if (name === undefined) return done(at);
    if (name === "..") {
      if (at.length > 0) {
        at.pop();
        nodes.pop();
      }
      continue;
    }
    if (name.length > NAME_MAX) return fail("ENAMETOOLONG");
    const dir = nodes[nodes.length - 1] ?? root;
    const node = childOf(dir, name);
    const last = todo.length === 0;
    if (node === undefined) return last ? done([...at, name]) : fail("ENOENT");
    if (node.type === "symlink" && (!last || followLast || mustBeDir)) {
      if (++links > SYMLINKS_MAX) return fail("ELOOP");
      todo = [...splitPath(node.target), ...todo];
      if (node.target.startsWith("/")) {
        at.length = 0;
        nodes.length = 1;
      }
      continue;
    }
    if (node.type === "directory") nodes.push(node);
    else if (!last || mustBeDir) return fail("ENOTDIR");
    at.push(name);
    if (last) return done(at);
  }
}

function lookup(root: DirectoryNode, parts: readonly string[]): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const part of parts) {
    if (node?.type !== "directory") return undefined;
    node = childOf(node, part);
  }
  return node;
}

/** The node at `path`. */
export function find(root: DirectoryNode, path: string, followLast = true): Result<TreeNode> {
  const where = canonical(root, path, followLast);
  if (!where.ok) return where;
  const node = lookup(root, where.value);
  return node === undefined ? fail("ENOENT") : done(node);
}

/** The canonical form of `path`, symbolic links followed, as realpath(3) with a last name that may be missing. */
export function realPath(root: DirectoryNode, path: string): Result<string> {
  const where = canonical(root, path, true);
  return where.ok ? done(joinPath(where.value)) : where;
}

/** The root after putting `node` at canonical `parts`; undefined removes. Directories on the way exist. */
function place(dir: DirectoryNode, parts: readonly string[], node: TreeNode | undefined, now: Instant): DirectoryNode {
  const [name, ...rest] = parts;
  if (name === undefined) return dir;
  if (rest.length === 0) return withChild(dir, name, node, now);
  const child = childOf(dir, name);
  if (child?.type !== "directory") return dir;
  // Only the directory whose entry changes gets a new time; those above keep theirs.
  return withChild(dir, name, place(child, rest, node, now), dir.mtime);
}

function bounded(root: DirectoryNode): Result<DirectoryNode> {
  return root.bytes > DISK_BYTES_MAX || root.count > DISK_ENTRIES_MAX ? fail("ENOSPC") : done(root);
}

/** Writes or appends a file; creates it with `mode` (default 0644) where it does not exist. */
export function writeFile(
  root: DirectoryNode,
  path: string,
  data: Uint8Array,
  options: { append: boolean; mode?: number | undefined },
  now: Instant,
): Result<DirectoryNode> {
  const where = canonical(root, path, true);
  if (!where.ok) return where;
  const old = lookup(root, where.value);
  if (old?.type === "directory") return fail("EISDIR");
  if (old === undefined && path.endsWith("/")) return fail("EISDIR");
  let content = data;
  if (options.append && old?.type === "file") {
    content = new Uint8Array(old.data.length + data.length);
    content.set(old.data);
    content.set(data, old.data.length);
  }
  const mode = old?.type === "file" ? (options.mode ?? old.mode) : (options.mode ?? 0o644);
  const node = fileNode(content, mode & 0o7777, now);
  // Overwriting leaves the directory's time alone; creating changes it.
  const parent = lookup(root, where.value.slice(0, -1));
  const dirTime = old === undefined || parent?.type !== "directory" ? now : parent.mtime;
  return bounded(place(root, where.value, node, dirTime));
}

/** mkdir(2), or `mkdir -p` with `parents`. */
export function makeDirectory(root: DirectoryNode, path: string, parents: boolean, now: Instant, mode = 0o755): Result<DirectoryNode> {
  if (!parents) {
    const where = canonical(root, path, false);
    if (!where.ok) return where;
    if (lookup(root, where.value) !== undefined) return fail("EEXIST");
    return bounded(place(root, where.value, directoryNode([], mode, now), now));
  }
  let tree = root;
  const names = splitPath(path);
  for (let i = 1; i <= names.length; i++) {
    const where = canonical(tree, joinPath(names.slice(0, i)), true);
    if (!where.ok) return where;
    const node = lookup(tree, where.value);
    if (node === undefined) tree = place(tree, where.value, directoryNode([], mode, now), now);
    else if (node.type !== "directory") return fail(i === names.length ? "EEXIST" : "ENOTDIR");
  }
  return bounded(tree);
}

/** symlink(2). */
export function makeSymlink(root: DirectoryNode, target: string, path: string, now: Instant): Result<DirectoryNode> {
  if (target === "") return fail("ENOENT");
  const where = canonical(root, path, false);
  if (!where.ok) return where;
  if (lookup(root, where.value) !== undefined) return fail("EEXIST");
  return bounded(place(root, where.value, symlinkNode(target, now), now));
}

/** unlink(2); with `recursive` a whole directory, without it a directory only when empty (rmdir's rule). */
export function remove(root: DirectoryNode, path: string, recursive: boolean, now: Instant): Result<DirectoryNode> {
  const where = canonical(root, path, false);
  if (!where.ok) return where;
  if (where.value.length === 0) return fail("EBUSY");
  const node = lookup(root, where.value);
  if (node === undefined) return fail("ENOENT");
  if (node.type === "directory" && !recursive && node.entries.length > 0) return fail("ENOTEMPTY");
  return done(place(root, where.value, undefined, now));
}

/** rename(2). */
export function rename(root: DirectoryNode, from: string, to: string, now: Instant): Result<DirectoryNode> {
  const source = canonical(root, from, false);
  if (!source.ok) return source;
  const target = canonical(root, to, false);
  if (!target.ok) return target;
  if (source.value.length === 0 || target.value.length === 0) return fail("EBUSY");
  const node = lookup(root, source.value);
  if (node === undefined) return fail("ENOENT");
  const [a, b] = [joinPath(source.value), joinPath(target.value)];
  if (a === b) return done(root);
  if (b.startsWith(`${a}/`)) return fail("EINVAL");
  const old = lookup(root, target.value);
  if (old !== undefined) {
    if (old.type === "directory" && node.type !== "directory") return fail("EISDIR");
    if (old.type !== "directory" && node.type === "directory") return fail("ENOTDIR");
    if (old.type === "directory" && old.entries.length > 0) return fail("ENOTEMPTY");
  } else if (node.type !== "directory" && to.endsWith("/")) return fail("ENOTDIR");
  return done(place(place(root, source.value, undefined, now), target.value, node, now));
}

function replaceMeta(root: DirectoryNode, path: string, change: (node: TreeNode) => TreeNode): Result<DirectoryNode> {
  const where = canonical(root, path, true);
  if (!where.ok) return where;
  const node = lookup(root, where.value);
  if (node === undefined) return fail("ENOENT");
  const next = change(node);
  if (where.value.length === 0) return next.type === "directory" ? done(next) : fail("EINVAL");
  const parent = lookup(root, where.value.slice(0, -1));
  return done(place(root, where.value, next, parent?.mtime ?? 0));
}

export function changeMode(root: DirectoryNode, path: string, mode: number): Result<DirectoryNode> {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) return fail("EINVAL");
  return replaceMeta(root, path, (node) => {
    if (node.type === "file") return fileNode(node.data, mode, node.mtime);
    return node.type === "directory" ? directoryNode(node.entries, mode, node.mtime) : node;
  });
}

/** touch(1): sets the time, creating an empty file where there is nothing. */
export function touch(root: DirectoryNode, path: string, now: Instant): Result<DirectoryNode> {
  const found = find(root, path);
  if (!found.ok) {
    return found.errno === "ENOENT" && !path.endsWith("/") ? writeFile(root, path, new Uint8Array(0), { append: false }, now) : found;
  }
  return replaceMeta(root, path, (node) => {
    if (node.type === "file") return fileNode(node.data, node.mode, now);
    return node.type === "directory" ? directoryNode(node.entries, node.mode, now) : node;
  });
}

export function statOf(node: TreeNode): FileStat {
  if (node.type === "file") return { type: "file", mode: node.mode, size: node.data.length, mtime: node.mtime };
  if (node.type === "symlink")
    return { type: "symlink", mode: node.mode, size: node.target.length, mtime: node.mtime, target: node.target };
  return { type: "directory", mode: node.mode, size: 4096, mtime: node.mtime };
}
