/**
 * The file calls that name a file by its path, on the file systems of the machine's own: what each checks, in the order in which Linux checks it. In the real stack:
 * fs/namei.c, fs/open.c, fs/stat.c, fs/attr.c as root meets them. A path that enters a served file system is answered "served" before anything has changed.
 */
import type { Errno, FileCall, FileReply, FsStat, OpenFlags } from "../../kernel/index.ts";
import type { Attributes, Place } from "./mounts.ts";
import { DONE, accessed, doneOr, failed, pathReply, statReply, type Context, type Local } from "./replies.ts";
import { isPoint, isRemoved, nameTooLong, pathTooLong, walk, type Follow, type Walked } from "./walk.ts";

type CallOf<K extends FileCall["call"]> = Extract<FileCall, { call: K }>;

/** Anything but a walk that ended here is an answer. */
function at(c: Context, path: string, follow: Follow): Walked | FileReply | "served" {
  if (pathTooLong(path)) return failed("ENAMETOOLONG");
  return reached(c, path, follow);
}

function reached(c: Context, path: string, follow: Follow): Walked | FileReply | "served" {
  const walked = walk(c.table, c.view, path, follow, c.links);
  if (typeof walked === "string") return failed(walked);
  return isPoint(walked) ? "served" : walked;
}

const ended = (w: Walked | FileReply | "served"): w is FileReply | "served" => w === "served" || "ok" in w;

/** A file that is there. */
function existing(c: Context, path: string, follow: "follow" | "nofollow"): Place | FileReply | "served" {
  const w = at(c, path, follow);
  if (ended(w)) return w;
  return w.place ?? failed("ENOENT");
}

const answered = (p: Place | FileReply | "served"): p is FileReply | "served" => p === "served" || "ok" in p;

function attributes(c: Context, place: Place): NonNullable<ReturnType<Context["table"]["attributes"]>> {
  const found = c.table.attributes(place);
  if (found === undefined) throw new Error(`files: nothing at ${place.mount}:${place.ino}`);
  return found;
}

/** Why the last name cannot even be looked for. */
function wrongName(c: Context, w: Walked): Errno | undefined {
  if (w.last !== "name") return undefined;
  if (isRemoved(c.table, w.dir)) return "ENOENT";
  return nameTooLong(w.name) ? "ENAMETOOLONG" : undefined;
}

/** A path where something is to be made: the directory and the name, or why not. A slash at its end is right for a directory alone. */
function creating(c: Context, path: string, directory: boolean): Walked | FileReply | "served" {
  const w = at(c, path, "parent");
  if (ended(w)) return w;
  if (w.last !== "name") return failed("EEXIST");
  const wrong = wrongName(c, w);
  if (wrong !== undefined) return failed(wrong);
  if (w.place?.inside !== undefined || w.ino !== undefined) return failed("EEXIST");
  return w.slash && !directory ? failed("ENOENT") : w;
}

// ---- reading

export function statCall(c: Context, call: CallOf<"stat" | "lstat">): Local {
  const place = existing(c, call.path, call.call === "stat" ? "follow" : "nofollow");
  return answered(place) ? place : statReply(place, attributes(c, place));
}

const [MAY_WRITE, MAY_EXECUTE] = [2, 1];

export function accessCall(c: Context, call: CallOf<"access">): Local {
  if (!Number.isInteger(call.mode) || call.mode < 0 || call.mode > 7) return failed("EINVAL");
  const place = existing(c, call.path, "follow");
  if (answered(place)) return place;
  const { type, mode } = attributes(c, place);
  // Root may read and write whatever its mode, and execute what anybody may.
  if ((call.mode & MAY_EXECUTE) !== 0 && type !== "directory" && (mode & 0o111) === 0) return failed("EACCES");
  return (call.mode & MAY_WRITE) !== 0 && c.table.readOnly(place.mount) ? failed("EROFS") : DONE;
}

export function readdirCall(c: Context, call: CallOf<"readdir">): Local {
  const place = existing(c, call.path, "follow");
  return answered(place) ? place : entriesOf(c, place);
}

function entriesOf(c: Context, place: Place): FileReply {
  if (attributes(c, place).type !== "directory") return failed("ENOTDIR");
  const { fs } = c.table.get(place.mount);
  if (fs.kind === "tree" && fs.fault === "io-error") return failed("EIO");
  accessed(c, place);
  const entries = c.table.list(place).map(({ name, ino }) => ({ name, ino, type: attributes(c, { mount: place.mount, ino }).type }));
  return { ok: true, value: "entries", entries };
}

export function readlinkCall(c: Context, call: CallOf<"readlink">): Local {
  const place = existing(c, call.path, "nofollow");
  if (answered(place)) return place;
  const { type, target } = attributes(c, place);
  if (type !== "symlink") return failed("EINVAL");
  accessed(c, place);
  return pathReply(target);
}

export function realpathCall(c: Context, call: CallOf<"realpath">): Local {
  // realpath(3) begins with getcwd(3), whatever follows.
  if (!call.path.startsWith("/") && c.table.pathOf(c.view.cwd) === undefined) return failed("ENOENT");
  const w = reached(c, call.path, "follow");
  if (ended(w)) return w;
  if (w.place === undefined) return failed("ENOENT");
  if (attributes(c, w.place).type === "directory") return pathReply(c.table.pathOf(w.place));
  const dir = c.table.pathOf(w.dir);
  return pathReply(dir === undefined ? undefined : `${dir === "/" ? "" : dir}/${w.name}`);
}

export function statfsCall(c: Context, call: CallOf<"statfs">): Local {
  const place = existing(c, call.path, "follow");
  if (answered(place)) return place;
  const mount = c.table.get(place.mount);
  const { fs } = mount;
  const sizes =
    fs.kind === "tree"
      ? { blocks: fs.limits.blocks, free: fs.blocksFree, files: fs.limits.inodes, filesFree: fs.inodesFree }
      : { blocks: 0, free: 0, files: 0, filesFree: 0 };
  const mountPoint = c.table.pathOf(c.table.rootOf(mount)) ?? "/";
  const readOnly = c.table.readOnly(mount.id);
  const statfs: FsStat = { type: mount.type, source: mount.source, mountPoint, blockSize: 4096, ...sizes, readOnly };
  return { ok: true, value: "statfs", statfs };
}

// ---- names

export function mkdirCall(c: Context, call: CallOf<"mkdir">): Local {
  const mode = (call.mode ?? 0o777) & 0o1777 & ~c.view.umask;
  return make(c, call.path, { type: "directory", mode });
}

export function symlinkCall(c: Context, call: CallOf<"symlink">): Local {
  if (call.target === "") return failed("ENOENT");
  if (call.target.length > 4095) return failed("ENAMETOOLONG");
  return make(c, call.path, { type: "symlink", mode: 0o777, target: call.target });
}

function make(c: Context, path: string, seed: { type: "directory" | "symlink"; mode: number; target?: string }): Local {
  const w = creating(c, path, seed.type === "directory");
  if (ended(w)) return w;
  const tree = c.table.writable(w.dir.mount);
  if (typeof tree === "string") return failed(tree);
  const made = tree.create(w.dir.ino, w.name, { ...seed, uid: c.view.uid, gid: c.view.gid }, c.now);
  return doneOr(typeof made === "string" ? made : undefined);
}

export function unlinkCall(c: Context, call: CallOf<"unlink" | "rmdir">): Local {
  const directory = call.call === "rmdir";
  const w = at(c, call.path, "parent");
  if (ended(w)) return w;
  if (w.last !== "name") {
    if (!directory) return failed("EISDIR");
    return failed(w.last === "dot" ? "EINVAL" : w.last === "dotdot" ? "ENOTEMPTY" : "EBUSY");
  }
  const tree = c.table.writable(w.dir.mount);
  if (tree === "EROFS") return failed(tree);
  if (w.ino === undefined) return failed(wrongName(c, w) ?? "ENOENT");
  if (typeof tree === "string") return failed("EPERM");
  const found = tree.get(w.ino);
  const isDirectory = found.type === "directory";
  if (directory) {
    if (!isDirectory) return failed("ENOTDIR");
    if (c.table.covering(w.dir.mount, w.ino) !== undefined) return failed("EBUSY");
    if (found.entries.length > 0) return failed("ENOTEMPTY");
  } else if (isDirectory) return failed("EISDIR");
  else if (w.slash) return failed("ENOTDIR");
  return doneOr(tree.remove(w.dir.ino, w.name, c.now));
}

export function renameCall(c: Context, call: CallOf<"rename" | "link">): Local {
  const from = at(c, call.from, "parent");
  if (from !== "served" && "ok" in from) return from;
  const to = at(c, call.to, "parent");
  if (to !== "served" && "ok" in to) return to;
  if (from === "served" || to === "served") return "served";
  if (from.dir.mount !== to.dir.mount) return failed("EXDEV");
  if (from.last !== "name" || to.last !== "name") return failed("EBUSY");
  const tree = c.table.writable(from.dir.mount);
  if (typeof tree === "string") return failed(tree);
  const wrong = wrongName(c, from) ?? (from.ino === undefined ? "ENOENT" : undefined) ?? wrongName(c, to);
  if (wrong !== undefined || from.ino === undefined) return failed(wrong ?? "ENOENT");
  const directory = tree.get(from.ino).type === "directory";
  if (!directory && (from.slash || to.slash)) return failed("ENOTDIR");
  if (directory && isWithin(c, to.dir, from.ino)) return failed("EINVAL");
  if (to.ino !== undefined) {
    if (isWithin(c, from.dir, to.ino)) return failed("ENOTEMPTY");
    // Two names of one file: nothing to do, says POSIX.
    if (to.ino === from.ino) return DONE;
    const error = cannotReplace(c, to.dir.mount, to.ino, directory);
    if (error !== undefined) return failed(error);
  }
  if (c.table.covering(from.dir.mount, from.ino) !== undefined) return failed("EBUSY");
  if (to.ino !== undefined && tree.get(to.ino).entries.length > 0) return failed("ENOTEMPTY");
  const error = tree.rename({ dir: from.dir.ino, name: from.name }, { dir: to.dir.ino, name: to.name }, c.now);
  if (error === undefined) c.views.renamed(from.dir.mount, from.ino, to.dir.ino, to.name);
  return doneOr(error);
}

function cannotReplace(c: Context, mount: number, ino: number, withDirectory: boolean): Errno | undefined {
  const isDirectory = attributes(c, { mount, ino }).type === "directory";
  if (withDirectory && !isDirectory) return "ENOTDIR";
  if (!withDirectory && isDirectory) return "EISDIR";
  return c.table.covering(mount, ino) === undefined ? undefined : "EBUSY";
}

/** `dir` is the directory `ino`, or below it. */
function isWithin(c: Context, dir: Place, ino: number): boolean {
  const { fs } = c.table.get(dir.mount);
  if (fs.kind !== "tree" || fs.get(ino).type !== "directory") return false;
  for (let up = dir.ino; ; up = fs.parent(up)) {
    if (up === ino) return true;
    if (up === fs.parent(up)) return false;
  }
}

export function linkCall(c: Context, call: CallOf<"rename" | "link">): Local {
  const place = existing(c, call.from, "nofollow");
  if (place !== "served" && "ok" in place) return place;
  const to = creating(c, call.to, false);
  if (to !== "served" && "ok" in to) return to;
  if (place === "served" || to === "served") return "served";
  const tree = c.table.writable(to.dir.mount);
  if (typeof tree === "string") return failed(tree);
  if (place.mount !== to.dir.mount) return failed("EXDEV");
  if (tree.get(place.ino).type === "directory") return failed("EPERM");
  return doneOr(tree.link(place.ino, to.dir.ino, to.name, c.now));
}

// ---- what is kept of a file

export function chmodCall(c: Context, call: CallOf<"chmod">): Local {
  return change(c, existing(c, call.path, "follow"), () => ({ mode: call.mode & 0o7777 }));
}

export function chownCall(c: Context, call: CallOf<"chown" | "lchown">): Local {
  return change(c, existing(c, call.path, call.call === "chown" ? "follow" : "nofollow"), ({ type, mode, uid, gid }) => {
    // A file that gets another owner loses set-user-id, and set-group-id where it means that.
    const kept = type === "directory" ? mode : mode & ~0o4000 & ~((mode & 0o010) === 0 ? 0 : 0o2000);
    return { uid: call.uid < 0 ? uid : call.uid, gid: call.gid < 0 ? gid : call.gid, mode: kept };
  });
}

export function utimensCall(c: Context, call: CallOf<"utimens">): Local {
  return change(c, existing(c, call.path, "follow"), ({ atime, mtime }) => ({
    atime: call.atime === "now" ? c.now : (call.atime ?? atime),
    mtime: call.mtime === "now" ? c.now : (call.mtime ?? mtime),
  }));
}

type Kept = ReturnType<typeof attributes>;

function change(c: Context, place: Place | FileReply | "served", changes: (found: Kept) => Partial<Kept>): Local {
  if (answered(place)) return place;
  const tree = c.table.writable(place.mount);
  if (typeof tree === "string") return failed(tree === "ENOENT" ? "EPERM" : tree);
  return doneOr(tree.change(place.ino, changes(tree.get(place.ino)), c.now));
}

export function truncateCall(c: Context, call: CallOf<"truncate">): Local {
  if (call.length < 0) return failed("EINVAL");
  const place = existing(c, call.path, "follow");
  if (answered(place)) return place;
  const { type } = attributes(c, place);
  if (type !== "file") return failed(type === "directory" ? "EISDIR" : "EINVAL");
  const tree = c.table.writable(place.mount);
  if (typeof tree === "string") return failed(tree === "ENOENT" ? "EPERM" : tree);
  return doneOr(tree.truncate(place.ino, call.length, c.now));
}

// ---- open

export function openCall(c: Context, call: CallOf<"open">): Local {
  const { flags } = call;
  if (flags.create === true && flags.directory === true) return failed("EINVAL");
  const fd = c.views.free(c.view.pid);
  if (fd === undefined) return failed("EMFILE");
  const nofollow = flags.nofollow === true || (flags.create === true && flags.exclusive === true);
  const w = at(c, call.path, nofollow ? (flags.create === true ? "parent" : "nofollow") : flags.create === true ? "create" : "follow");
  if (ended(w)) return w;
  if (w.last === "name" && w.slash && flags.create === true) return failed("EISDIR");
  const wrong = wrongName(c, w);
  if (wrong !== undefined) return failed(wrong);
  if (w.place?.inside !== undefined) return "served";
  const place = w.place ?? created(c, w, call);
  if ("ok" in place) return place;
  const error = w.place === undefined ? undefined : opened(c, place, w.dir, flags);
  if (error !== undefined) return failed(error);
  c.views.open(c.view.pid, fd, {
    ...{ place, access: flags.access, append: flags.append === true, offset: 0, handle: 0 },
    directory: attributes(c, place).type === "directory",
    entry: { dir: w.dir.ino, name: w.name },
  });
  return { ok: true, value: "fd", fd };
}

function created(c: Context, w: Walked, call: CallOf<"open">): Place | FileReply {
  if (call.flags.create !== true) return failed("ENOENT");
  const tree = c.table.writable(w.dir.mount);
  if (typeof tree === "string") return failed(tree);
  const mode = (call.mode ?? 0o666) & 0o7777 & ~c.view.umask;
  const ino = tree.create(w.dir.ino, w.name, { type: "file", mode, uid: c.view.uid, gid: c.view.gid }, c.now);
  return typeof ino === "string" ? failed(ino) : { mount: w.dir.mount, ino };
}

/** What stands between a file that is there and a descriptor of it; O_TRUNC happens here. */
function opened(c: Context, place: Place, dir: Place, flags: OpenFlags): Errno | undefined {
  const { type, uid } = attributes(c, place);
  if (flags.create === true && flags.exclusive === true) return "EEXIST";
  if (flags.create === true && !mayCreateOver(c, uid, attributes(c, dir))) return "EACCES";
  if (flags.create === true && type === "directory") return "EISDIR";
  if (flags.directory === true && type !== "directory") return "ENOTDIR";
  if (type === "symlink") return "ELOOP";
  const writes = flags.access !== "r" || flags.truncate === true;
  if (writes && type === "directory") return "EISDIR";
  if (writes && type === "file" && c.table.readOnly(place.mount)) return "EROFS";
  if (type === "socket" || type === "fifo") return "ENXIO";
  const { fs } = c.table.get(place.mount);
  return flags.truncate === true && type === "file" && fs.kind === "tree" ? fs.truncate(place.ino, 0, c.now) : undefined;
}

/** fs.protected_regular = 2: in a sticky directory that others may write, O_CREAT opens only the caller's own files and those of the directory's owner. */
function mayCreateOver(c: Context, owner: number, dir: Attributes): boolean {
  return (dir.mode & 0o1000) === 0 || (dir.mode & 0o022) === 0 || owner === dir.uid || owner === c.view.uid;
}

export function chdirCall(c: Context, call: CallOf<"chdir">): Local {
  const place = existing(c, call.path, "follow");
  if (answered(place)) return place;
  if (attributes(c, place).type !== "directory") return failed("ENOTDIR");
  c.views.chdir(c.view.pid, place);
  return DONE;
}
