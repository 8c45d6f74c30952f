/**
 * Whole files by path, as the machine itself and the lab handle them: laid on a new disk, read at boot, changed from outside. In the real stack: an installer, cat, cp, mkdir
 * -p, rm -r as root. Every change is made of the same file calls a process makes; a process that serves a mount is not waited for (EIO).
 */
import type { Errno, FileAct, FileCall, FileReply, FileStat, Instant, MachineQuery, QueryReply, Stat } from "../../kernel/index.ts";
import type { BaseEntry } from "../base-files.ts";
import type { Files } from "./files.ts";
import { peek, peekRead, type AskServer } from "./peek.ts";
import type { Tree } from "./tree.ts";
import { ROOT_INO } from "./tree.ts";
import { namesOf, pathTooLong } from "./walk.ts";

/** No process has it: the machine itself. */
const KERNEL_PID = 0;

type Call = (call: FileCall) => FileReply;

/** As root, in the root directory, with descriptors that are closed at the end. */
function asRoot<T>(files: Files, work: (call: Call) => T): T {
  files.attach(KERNEL_PID);
  try {
    return work((call) => files.blocking(KERNEL_PID, call));
  } finally {
    files.detach(KERNEL_PID);
  }
}

const errnoOf = (reply: FileReply): Errno | undefined => (reply.ok ? undefined : reply.errno);

export interface WholeWrite {
  readonly append?: boolean;
  /** Set also where the file is there; a new one has 0644 without. */
  readonly mode?: number;
}

/** Writes or appends a file; undefined on success. */
export function writeWhole(files: Files, path: string, data: Uint8Array, options: WholeWrite = {}): Errno | undefined {
  return asRoot(files, (call) => {
    const append = options.append === true;
    const flags = { access: "w", create: true, truncate: !append, append } as const;
    const opened = call({ call: "open", path, flags, mode: options.mode ?? 0o644 });
    if (!opened.ok || opened.value !== "fd") return errnoOf(opened);
    const written = call({ call: "write", fd: opened.fd, data });
    if (!written.ok) return written.errno;
    if (written.value === "count" && written.count < data.length) return "ENOSPC";
    return options.mode === undefined ? undefined : errnoOf(call({ call: "chmod", path, mode: options.mode }));
  });
}

/**
 * mkdir(2) with mode 0755; with `parents` also what is missing above, and what is there is right. Level by level from where the last one was made, so that a deep path costs no
 * more than its names.
 */
export function makeDirectories(files: Files, path: string, parents: boolean): Errno | undefined {
  if (pathTooLong(path)) return "ENAMETOOLONG";
  return asRoot(files, (call) => {
    if (!parents) return errnoOf(call({ call: "mkdir", path, mode: 0o755 }));
    const names = namesOf(path);
    for (const [i, name] of names.entries()) {
      const made = call({ call: "mkdir", path: name, mode: 0o755 });
      if (!made.ok) {
        const there = call({ call: "stat", path: name });
        if (!there.ok || there.value !== "stat") return made.errno === "EEXIST" ? errnoOf(there) : made.errno;
        if (there.stat.type !== "directory") return i === names.length - 1 ? "EEXIST" : "ENOTDIR";
      }
      const entered = i === names.length - 1 ? undefined : errnoOf(call({ call: "chdir", path: name }));
      if (entered !== undefined) return entered;
    }
    return undefined;
  });
}

/** unlink(2), rmdir(2), or with `recursive` a directory and what is in it. */
export function removeWhole(files: Files, path: string, recursive: boolean): Errno | undefined {
  return asRoot(files, (call) => {
    const there = call({ call: "lstat", path });
    if (!there.ok || there.value !== "stat") return errnoOf(there);
    if (there.stat.type !== "directory") return errnoOf(call({ call: "unlink", path }));
    const emptied = recursive && namesOf(path).length > 0 ? empty(call, path) : undefined;
    return emptied ?? errnoOf(call({ call: "rmdir", path }));
  });
}

/** A directory whose entries are being removed, in the one before it. */
interface Emptying {
  readonly name: string;
  readonly entries: readonly string[];
  next: number;
}

/** Removes all that is in a directory: down into each directory and up again, however deep, and at last back in the root directory. */
function empty(call: Call, path: string): Errno | undefined {
  const opened = enterDirectory(call, path);
  if (typeof opened === "string") return opened;
  const open = [opened];
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    const name = last.entries[last.next++];
    if (name !== undefined) {
      const there = call({ call: "lstat", path: name });
      if (!there.ok || there.value !== "stat") return errnoOf(there);
      const below = there.stat.type === "directory" ? enterDirectory(call, name) : errnoOf(call({ call: "unlink", path: name }));
      if (typeof below === "string") return below;
      if (below !== undefined) open.push(below);
      continue;
    }
    open.pop();
    const left = errnoOf(call({ call: "chdir", path: open.length === 0 ? "/" : ".." }));
    const gone = left ?? (open.length === 0 ? undefined : errnoOf(call({ call: "rmdir", path: last.name })));
    if (gone !== undefined) return gone;
  }
  return undefined;
}

function enterDirectory(call: Call, name: string): Emptying | Errno {
  const entered = errnoOf(call({ call: "chdir", path: name }));
  if (entered !== undefined) return entered;
  const listed = call({ call: "readdir", path: "." });
  if (!listed.ok || listed.value !== "entries") return errnoOf(listed) ?? "EIO";
  return { name, entries: listed.entries.map((entry) => entry.name), next: 0 };
}

/** touch(1). */
function touch(call: Call, path: string): Errno | undefined {
  const set = call({ call: "utimens", path, atime: "now", mtime: "now" });
  if (set.ok || set.errno !== "ENOENT" || path.endsWith("/")) return errnoOf(set);
  return errnoOf(call({ call: "open", path, flags: { access: "w", create: true }, mode: 0o644 }));
}

/** A change of files from outside: its errno, undefined on success. */
export function fileAct(files: Files, act: FileAct): Errno | undefined {
  switch (act.kind) {
    case "file-write":
      return writeWhole(files, act.path, act.data, { append: act.append, ...(act.mode === undefined ? {} : { mode: act.mode }) });
    case "file-mkdir":
      return makeDirectories(files, act.path, act.parents);
    case "file-remove":
      return removeWhole(files, act.path, act.recursive);
    case "file-rename":
      return asRoot(files, (call) => errnoOf(call({ call: "rename", from: act.from, to: act.to })));
    case "file-chmod":
      if (!Number.isInteger(act.mode) || act.mode < 0 || act.mode > 0o7777) return "EINVAL";
      return asRoot(files, (call) => errnoOf(call({ call: "chmod", path: act.path, mode: act.mode })));
    case "file-touch":
      return asRoot(files, (call) => touch(call, act.path));
  }
}

export type FileQuery = Extract<MachineQuery, { kind: "file-read" | "file-list" | "file-stat" }>;

/** `process`: who reads. `file-stat` does not follow a symbolic link in the last place (lstat); reading and listing do. */
export function fileQuery(files: Files, query: FileQuery, ask?: AskServer, process?: number): QueryReply {
  const { path } = query;
  const asked = (call: FileCall): FileReply => {
    const reply = peek(files, undefined, call, ask);
    return typeof reply === "string" ? { ok: false, errno: "EAGAIN" } : reply;
  };
  if (query.kind === "file-read") {
    const reply = peekRead(files, process, path, ask, query);
    if (reply === "would-wait") return { kind: "error", errno: "EAGAIN" };
    return reply.ok && reply.value === "data" ? { kind: "file", data: reply.data } : { kind: "error", errno: errnoOf(reply) ?? "EIO" };
  }
  if (query.kind === "file-stat") {
    const reply = asked({ call: "lstat", path });
    if (!reply.ok || reply.value !== "stat") return { kind: "error", errno: errnoOf(reply) ?? "EIO" };
    return { kind: "stat", stat: shown(asked, path, reply.stat) };
  }
  const reply = asked({ call: "readdir", path });
  if (!reply.ok || reply.value !== "entries") return { kind: "error", errno: errnoOf(reply) ?? "EIO" };
  const entries = reply.entries.flatMap(({ name }) => {
    const at = `${path}/${name}`;
    const stat = asked({ call: "lstat", path: at });
    return stat.ok && stat.value === "stat" ? [{ name, stat: shown(asked, at, stat.stat) }] : [];
  });
  return { kind: "list", entries };
}

function shown(asked: Call, path: string, { type, mode, size, mtime }: Stat): FileStat {
  const target = type === "symlink" ? asked({ call: "readlink", path }) : undefined;
  const kind = type === "directory" || type === "symlink" ? type : "file";
  return { type: kind, mode, size, mtime, ...(target?.ok === true && target.value === "path" ? { target: target.path } : {}) };
}

/** Lays what a machine that was just installed has on an empty file system; all of it root's and of `now`. */
export function layBase(tree: Tree, entries: readonly BaseEntry[], now: Instant): void {
  const numbers = new Map<string, number>([["", ROOT_INO]]);
  for (const { path, type, mode, data, target } of entries) {
    const cut = path.lastIndexOf("/");
    const dir = numbers.get(path.slice(0, cut));
    if (dir === undefined) throw new Error(`base tree: nothing to put ${path} in`);
    const ino = tree.create(dir, path.slice(cut + 1), { type, mode, uid: 0, gid: 0, ...(target === undefined ? {} : { target }) }, now);
    if (typeof ino === "string") throw new Error(`base tree: ${path}: ${ino}`);
    const written = data === undefined ? 0 : tree.write(ino, 0, data, now);
    if (written !== (data?.length ?? 0)) throw new Error(`base tree: ${path}: ${written}`);
    numbers.set(path, ino);
  }
}
