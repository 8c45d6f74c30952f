/**
 * The file calls on a served file system: what the kernel asks its process, in which order, and what it makes of the answers. In the real stack: fs/fuse with libfuse's
 * high-level operations; opening without O_TRUNC in one step, so that a truncate follows. Left out: writeback caching, read-ahead, interrupting the server itself.
 */
import type { Errno, FileCall, FileReply, ServedAttr, ServedReply, ServedRequest } from "../../kernel/index.ts";
import { isDescriptorCall, cannotRead, type DescriptorCall } from "./descriptor-calls.ts";
import { deviceOf } from "./mounts.ts";
import { DONE, count, failed, pathReply } from "./replies.ts";
import { entriesReply, locate, numberOf, pathIn, serve, type Asking, type Inside } from "./served-path.ts";
import type { Description } from "./views.ts";
import type { Follow } from "./walk.ts";

/** What one write request carries at most, bytes: libfuse's max_write with big_writes. */
const FUSE_WRITE_MAX = 131_072;

type CallOf<K extends FileCall["call"]> = Extract<FileCall, { call: K }>;

export function servedCall(call: FileCall): Asking<FileReply> {
  if (isDescriptorCall(call)) return onDescriptor(call);
  switch (call.call) {
    case "rename":
    case "link":
      return twoPaths(call);
    case "open":
      return open(call);
    case "getcwd":
    case "umask":
    case "mount":
    case "serve":
    case "remount":
    case "umount":
      return answered(failed("EINVAL"));
    default:
      return onePath(call);
  }
}

function* answered(reply: FileReply): Asking<FileReply> {
  return reply;
}

type OnePath = Exclude<
  FileCall,
  DescriptorCall | CallOf<"rename" | "link" | "open" | "getcwd" | "umask" | "mount" | "serve" | "remount" | "umount">
>;

function followOf(call: OnePath): Follow {
  switch (call.call) {
    case "mkdir":
    case "symlink":
    case "unlink":
    case "rmdir":
      return "parent";
    case "lstat":
    case "readlink":
    case "lchown":
      return "nofollow";
    default:
      return "follow";
  }
}

function* onePath(call: OnePath): Asking<FileReply> {
  const where = yield* locate(call.path, followOf(call));
  if (typeof where === "string") return failed(where);
  if ("outside" in where) return (yield { step: "local", call: { ...call, path: where.outside }, links: where.links }) as FileReply;
  if (call.call === "mkdir" || call.call === "symlink") return yield* making(where, call);
  if (where.attr === undefined) return failed("ENOENT");
  return yield* onFile(where, where.attr, call);
}

function* making(where: Inside, call: CallOf<"mkdir" | "symlink">): Asking<FileReply> {
  if (where.last !== "name" || where.attr !== undefined) return failed("EEXIST");
  const path = pathIn(where.names);
  if (call.call === "symlink") {
    if (call.target === "" || where.slash) return failed("ENOENT");
    return yield* asked(where, { op: "symlink", target: call.target, path });
  }
  return yield* asked(where, { op: "mkdir", path, mode: (call.mode ?? 0o777) & 0o1777 & ~(yield* umask()) });
}

function* umask(): Asking<number> {
  const reply = (yield { step: "umask" }) as FileReply;
  return reply.ok && reply.value === "count" ? reply.count : 0;
}

/** A request whose answer is that it is done. */
function* asked(where: Pick<Inside, "mount">, request: ServedRequest): Asking<FileReply> {
  const reply = yield* serve(where.mount, request);
  return reply.ok ? DONE : reply;
}

type Present = Exclude<OnePath, CallOf<"mkdir" | "symlink">>;

function* onFile(where: Inside, attr: ServedAttr, call: Present): Asking<FileReply> {
  const { mount, names } = where;
  const path = pathIn(names);
  const directory = attr.type === "directory";
  switch (call.call) {
    case "stat":
    case "lstat":
      return { ok: true, value: "stat", stat: { ...attr, dev: deviceOf(mount), ino: numberOf(names) } };
    case "access":
      return (call.mode & 1) !== 0 && !directory && (attr.mode & 0o111) === 0 ? failed("EACCES") : DONE;
    case "readdir":
      return directory ? entriesReply(names, yield* serve(mount, { op: "readdir", path })) : failed("ENOTDIR");
    case "readlink": {
      if (attr.type !== "symlink") return failed("EINVAL");
      const reply = yield* serve(mount, { op: "readlink", path });
      return !reply.ok ? reply : pathReply(reply.value === "target" ? reply.target : undefined);
    }
    case "realpath": {
      const point = (yield { step: "mount point", mount }) as FileReply;
      if (!point.ok || point.value !== "path") return point;
      return pathReply(names.length === 0 ? point.path : `${point.path}${path}`);
    }
    case "truncate":
      if (call.length < 0) return failed("EINVAL");
      return attr.type === "file"
        ? yield* asked(where, { op: "truncate", path, length: call.length })
        : failed(directory ? "EISDIR" : "EINVAL");
    case "rmdir":
    case "unlink":
      return yield* removing(where, attr, call.call);
    case "chmod":
      return yield* asked(where, { op: "chmod", path, mode: call.mode & 0o7777 });
    case "chown":
    case "lchown":
      return yield* asked(where, { op: "chown", path, uid: call.uid, gid: call.gid });
    case "utimens":
      return yield* asked(where, { op: "utimens", path, ...timesOf(call) });
    case "statfs":
      return yield* statfs(where);
    case "chdir":
      return directory ? ((yield { step: "chdir", mount, inside: names }) as FileReply) : failed("ENOTDIR");
  }
}

/** "now" is left to the server: without a time it takes its own. */
function timesOf(call: CallOf<"utimens">): { atime?: number; mtime?: number } {
  const { atime, mtime } = call;
  return { ...(typeof atime === "number" ? { atime } : {}), ...(typeof mtime === "number" ? { mtime } : {}) };
}

function* removing(where: Inside, attr: ServedAttr, op: "rmdir" | "unlink"): Asking<FileReply> {
  if (where.last !== "name") {
    if (op === "unlink") return failed("EISDIR");
    return failed(where.last === "dot" ? "EINVAL" : where.last === "dotdot" ? "ENOTEMPTY" : "EBUSY");
  }
  const directory = attr.type === "directory";
  if (op === "rmdir" && !directory) return failed("ENOTDIR");
  if (op === "unlink" && directory) return failed("EISDIR");
  if (op === "unlink" && where.slash) return failed("ENOTDIR");
  return yield* asked(where, { op, path: pathIn(where.names) });
}

function* statfs({ mount }: Inside): Asking<FileReply> {
  const reply = yield* serve(mount, { op: "statfs", path: "/" });
  if (!reply.ok) return reply;
  // What the machine knows of the mount comes from there, the sizes from the server.
  const own = (yield { step: "mount facts", mount }) as FileReply;
  if (!own.ok || own.value !== "statfs" || reply.value !== "statfs") return failed("EIO");
  return { ok: true, value: "statfs", statfs: { ...own.statfs, ...reply.statfs } };
}

function* twoPaths(call: CallOf<"rename" | "link">): Asking<FileReply> {
  const from = yield* locate(call.from, call.call === "rename" ? "parent" : "nofollow");
  if (typeof from === "string") return failed(from);
  const to = yield* locate(call.to, "parent");
  if (typeof to === "string") return failed(to);
  if ("outside" in from && "outside" in to) {
    const local = { ...call, from: from.outside, to: to.outside };
    return (yield { step: "local", call: local, links: Math.max(from.links, to.links) }) as FileReply;
  }
  if ("outside" in from || "outside" in to || from.mount !== to.mount) return failed("EXDEV");
  const error = cannotMove(call.call, from, to);
  if (error !== undefined) return error === "same" ? DONE : failed(error);
  const reply = yield* asked(from, { op: call.call, from: pathIn(from.names), to: pathIn(to.names) });
  if (call.call === "rename" && reply.ok) yield { step: "renamed", mount: from.mount, from: from.names, to: to.names };
  return reply;
}

function cannotMove(call: "rename" | "link", from: Inside, to: Inside): Errno | "same" | undefined {
  if (call === "link") {
    if (from.attr === undefined) return "ENOENT";
    if (to.last !== "name" || to.attr !== undefined) return "EEXIST";
    if (to.slash) return "ENOENT";
    return from.attr.type === "directory" ? "EPERM" : undefined;
  }
  if (from.last !== "name" || to.last !== "name") return "EBUSY";
  if (from.attr === undefined) return "ENOENT";
  const directory = from.attr.type === "directory";
  if (!directory && (from.slash || to.slash)) return "ENOTDIR";
  if (pathIn(from.names) === pathIn(to.names)) return "same";
  if (directory && from.names.every((name, i) => to.names[i] === name)) return "EINVAL";
  if (to.names.every((name, i) => from.names[i] === name)) return "ENOTEMPTY";
  if (to.attr === undefined) return undefined;
  if (directory && to.attr.type !== "directory") return "ENOTDIR";
  return !directory && to.attr.type === "directory" ? "EISDIR" : undefined;
}

function* open(call: CallOf<"open">): Asking<FileReply> {
  const { flags } = call;
  const create = flags.create === true;
  const free = (yield { step: "free descriptor" }) as FileReply;
  if (!free.ok) return free;
  const nofollow = flags.nofollow === true || (create && flags.exclusive === true);
  const where = yield* locate(call.path, nofollow ? (create ? "parent" : "nofollow") : create ? "create" : "follow");
  if (typeof where === "string") return failed(where);
  if ("outside" in where) return (yield { step: "local", call: { ...call, path: where.outside }, links: where.links }) as FileReply;
  if (create && where.last === "name" && where.slash) return failed("EISDIR");
  const error = cannotOpen(where, flags);
  if (error !== undefined) return failed(error);
  const { mount, names, attr } = where;
  const path = pathIn(names);
  const { access } = flags;
  let handle = 0;
  if (attr?.type !== "directory") {
    const request: ServedRequest =
      attr === undefined
        ? { op: "create", path, mode: (call.mode ?? 0o666) & 0o7777 & ~(yield* umask()), access, exclusive: flags.exclusive === true }
        : { op: "open", path, access, append: flags.append === true };
    const reply = yield* serve(mount, request);
    if (!reply.ok) return reply;
    if (reply.value === "handle") handle = reply.handle;
    if (attr !== undefined && flags.truncate === true) {
      const cut = yield* asked(where, { op: "truncate", path, length: 0 });
      if (!cut.ok) {
        yield* serve(mount, { op: "release", path, handle });
        return cut;
      }
    }
  }
  return (yield { step: "install", mount, inside: names, flags, directory: attr?.type === "directory", handle }) as FileReply;
}

function cannotOpen({ attr }: Inside, flags: CallOf<"open">["flags"]): Errno | undefined {
  if (attr === undefined) return flags.create === true ? undefined : "ENOENT";
  const directory = attr.type === "directory";
  if (flags.create === true && flags.exclusive === true) return "EEXIST";
  if (flags.create === true && directory) return "EISDIR";
  if (flags.directory === true && !directory) return "ENOTDIR";
  if (attr.type === "symlink") return "ELOOP";
  if (directory && (flags.access !== "r" || flags.truncate === true)) return "EISDIR";
  return attr.type === "socket" || attr.type === "fifo" ? "ENXIO" : undefined;
}

// ---- descriptors of served files

function* onDescriptor(call: DescriptorCall): Asking<FileReply> {
  const answer = yield { step: "describe", fd: call.fd };
  if (!("entry" in answer)) return failed("EBADF");
  const d = answer;
  const { mount, inside: names = [] } = d.place;
  const path = pathIn(names);
  switch (call.call) {
    case "fstat": {
      const attr = yield* attributes(d);
      return "ok" in attr ? attr : { ok: true, value: "stat", stat: { ...attr, dev: deviceOf(mount), ino: numberOf(names) } };
    }
    case "lseek": {
      const attr = yield* attributes(d);
      if ("ok" in attr) return attr;
      const offset = attr.size + call.offset;
      return offset < 0 ? failed("EINVAL") : ((yield { step: "offset", id: d.id, offset }) as FileReply);
    }
    case "read":
      return yield* read(d, call);
    case "write":
      return yield* write(d, call);
    case "ftruncate":
      if (call.length < 0 || d.access === "r") return failed("EINVAL");
      return yield* asked({ mount }, { op: "truncate", path, length: call.length });
    case "fsync":
      return yield* asked({ mount }, { op: "fsync", path, handle: d.handle });
    case "close":
    case "dup":
      return failed("EINVAL");
  }
}

function* attributes(d: Description): Asking<ServedAttr | FileReply> {
  const reply = yield* serve(d.place.mount, { op: "getattr", path: pathIn(d.place.inside ?? []) });
  if (!reply.ok) return reply;
  return reply.value === "attr" ? reply.attr : failed("EIO");
}

function* read(d: Description, call: CallOf<"read">): Asking<FileReply> {
  const error = cannotRead(d, call);
  if (error !== undefined) return error;
  const at = call.at ?? d.offset;
  const request: ServedRequest = { op: "read", path: pathIn(d.place.inside ?? []), handle: d.handle, length: call.length, at };
  const reply: ServedReply = yield* serve(d.place.mount, request);
  if (!reply.ok) return reply;
  if (reply.value !== "data") return failed("EIO");
  if (call.at === undefined) yield { step: "offset", id: d.id, offset: at + reply.data.length };
  return { ok: true, value: "data", data: reply.data };
}

function* write(d: Description, call: CallOf<"write">): Asking<FileReply> {
  if (d.access === "r") return failed("EBADF");
  if ((call.at ?? 0) < 0) return failed("EINVAL");
  let at = call.at ?? d.offset;
  if (d.append) {
    const attr = yield* attributes(d);
    if ("ok" in attr) return attr;
    at = attr.size;
  }
  const path = pathIn(d.place.inside ?? []);
  // One request carries so much; where a later one is refused the call has written what came before.
  let done = 0;
  do {
    const data = call.data.subarray(done, done + FUSE_WRITE_MAX);
    const reply = yield* serve(d.place.mount, { op: "write", path, handle: d.handle, data, at: at + done });
    if (!reply.ok && done === 0) return reply;
    if (!reply.ok) break;
    if (reply.value !== "count") return failed("EIO");
    done += reply.count;
    if (reply.count < data.length) break;
  } while (done < call.data.length);
  if (call.at === undefined) yield { step: "offset", id: d.id, offset: at + done };
  return count(done);
}
