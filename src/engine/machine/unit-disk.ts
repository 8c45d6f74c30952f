/**
 * The disk of a machine as its service manager reads and changes it, and the layout of the unit files on a new one: the one place that knows how files are kept. In the real stack:
 * the system calls of PID 1, and dpkg.
 */
import { utf8, type Instant } from "../kernel/index.ts";
import { find, makeDirectory, makeSymlink, remove, statOf, writeFile, type DirectoryNode, type Result } from "./files.ts";
import { layUnits, type FileEdits, type FileView } from "./systemd/index.ts";

/** Whose disk it is; a change replaces the root. */
export interface DiskOwner {
  root: DirectoryNode;
  readonly now: Instant;
  unixMicros(): number;
}

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));

export function unitFiles(owner: DiskOwner): { readonly files: FileView; readonly edits: FileEdits } {
  const files: FileView = {
    read: (path) => {
      const found = find(owner.root, path);
      return found.ok && found.value.type === "file" ? found.value.data : undefined;
    },
    list: (path) => {
      const found = find(owner.root, path);
      return found.ok && found.value.type === "directory" ? found.value.entries.map((e) => e.name) : undefined;
    },
    readlink: (path) => {
      const found = find(owner.root, path, false);
      return found.ok && found.value.type === "symlink" ? found.value.target : undefined;
    },
    stat: (path) => {
      const found = find(owner.root, path);
      if (!found.ok) return undefined;
      const { type, size, mode, mtime } = statOf(found.value);
      return { type, size, mode, mtimeUnixMicros: owner.unixMicros() - owner.now + mtime };
    },
  };
  const change = (result: Result<DirectoryNode>): string | undefined => {
    if (!result.ok) return result.errno;
    owner.root = result.value;
    return undefined;
  };
  const makeParents = (path: string): string | undefined => change(makeDirectory(owner.root, parentOf(path), true, owner.now));
  const edits: FileEdits = {
    symlink: (target, path) => {
      const failed = makeParents(path);
      if (failed !== undefined) return failed;
      if (files.readlink(path) !== undefined) change(remove(owner.root, path, false, owner.now));
      return change(makeSymlink(owner.root, target, path, owner.now));
    },
    unlink: (path) => change(remove(owner.root, path, false, owner.now)),
    // A directory that still has something in it stays, which is what is wanted.
    rmdir: (path) => void change(remove(owner.root, path, false, owner.now)),
    write: (path, data) => makeParents(path) ?? change(writeFile(owner.root, path, data, { append: false }, owner.now)),
  };
  return { files, edits };
}

/** The tree with the unit files of the packages and the links that enable them. */
export function withUnits(root: DirectoryNode, packages: readonly string[], disabled: readonly string[]): DirectoryNode {
  let tree = root;
  const must = (path: string, put: (parents: DirectoryNode) => Result<DirectoryNode>): void => {
    const made = makeDirectory(tree, parentOf(path), true, 0);
    const done = made.ok ? put(made.value) : made;
    if (!done.ok) throw new Error(`cannot put ${path} on the new disk: ${done.errno}`);
    tree = done.value;
  };
  layUnits(
    packages,
    {
      file: (path, text, mode) => must(path, (t) => writeFile(t, path, utf8(text), { append: false, mode }, 0)),
      link: (path, target) => must(path, (t) => makeSymlink(t, target, path, 0)),
    },
    disabled,
  );
  return tree;
}
