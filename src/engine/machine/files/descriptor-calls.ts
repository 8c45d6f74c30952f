/**
 * The file calls on descriptors, on the file systems of the machine's own. In the real stack: fs/read_write.c, fs/open.c, fs/sync.c. Left out: vectors, locks, and what is
 * not a file or directory.
 */
import { fromUtf8, type FileCall, type FileReply } from "../../kernel/index.ts";
import { DONE, accessed, count, doneOr, failed, statReply, type Context, type Local } from "./replies.ts";
import type { Description } from "./views.ts";

type CallOf<K extends FileCall["call"]> = Extract<FileCall, { call: K }>;

export type DescriptorCall = CallOf<"fstat" | "close" | "dup" | "read" | "write" | "lseek" | "ftruncate" | "fsync">;

const ofDescriptor: ReadonlySet<FileCall["call"]> = new Set<DescriptorCall["call"]>([
  ...(["fstat", "close", "dup", "read", "write", "lseek", "ftruncate", "fsync"] as const),
]);

export function isDescriptorCall(call: FileCall): call is DescriptorCall {
  return ofDescriptor.has(call.call);
}

export function descriptorCall(c: Context, call: DescriptorCall): Local {
  const d = c.views.description(c.view.pid, call.fd);
  if (d === undefined) return failed("EBADF");
  if (call.call === "close") {
    c.views.close(c.view.pid, call.fd);
    return DONE;
  }
  if (call.call === "dup") {
    const fd = c.views.dup(c.view.pid, call.fd);
    return fd === undefined ? failed("EMFILE") : { ok: true, value: "fd", fd };
  }
  if (call.call === "lseek" && call.whence !== "end") return seek(c, d, call.offset + (call.whence === "cur" ? d.offset : 0));
  if (d.place.inside !== undefined) return "served";
  switch (call.call) {
    case "fstat": {
      const found = c.table.attributes(d.place);
      return found === undefined ? failed("ENOENT") : statReply(d.place, found);
    }
    case "lseek":
      return seek(c, d, call.offset + (c.table.attributes(d.place)?.size ?? 0));
    case "read":
      return read(c, d, call);
    case "write":
      return write(c, d, call);
    case "ftruncate":
      return truncate(c, d, call.length);
    case "fsync":
      return sync(c, d);
  }
}

export function seek(c: Context, d: Description, offset: number): FileReply {
  if (!Number.isSafeInteger(offset) || offset < 0) return failed("EINVAL");
  c.views.update(d.id, { offset });
  return count(offset);
}

/** Why a read cannot be, whoever serves the file. */
export function cannotRead(d: Description, call: CallOf<"read">): FileReply | undefined {
  if (d.access === "w") return failed("EBADF");
  if (call.length < 0 || (call.at ?? 0) < 0) return failed("EINVAL");
  return d.directory ? failed("EISDIR") : undefined;
}

function read(c: Context, d: Description, call: CallOf<"read">): FileReply {
  const error = cannotRead(d, call);
  if (error !== undefined) return error;
  const { fs } = c.table.get(d.place.mount);
  if (fs.kind === "served") return failed("EIO");
  const data = fs.read(d.place.ino, call.at ?? d.offset, call.length);
  if (typeof data === "string") return failed(data);
  if (call.length > 0) accessed(c, d.place);
  if (call.at === undefined && data.length > 0) c.views.update(d.id, { offset: d.offset + data.length });
  return { ok: true, value: "data", data };
}

function write(c: Context, d: Description, call: CallOf<"write">): FileReply {
  if (d.access === "r") return failed("EBADF");
  if ((call.at ?? 0) < 0) return failed("EINVAL");
  const { fs } = c.table.get(d.place.mount);
  if (fs.kind === "served") return failed("EIO");
  if (fs.kind === "proc") {
    const error = fs.write(d.place.ino, fromUtf8(call.data));
    return error === undefined ? count(call.data.length) : failed(error);
  }
  // A disk that has become read-only under an open file.
  if (fs.fault === "read-only") return failed("EROFS");
  // With O_APPEND the place is the end, also for pwrite: so Linux has it.
  const at = d.append ? fs.get(d.place.ino).size : (call.at ?? d.offset);
  const written = fs.write(d.place.ino, at, call.data, c.now);
  if (typeof written === "string") return failed(written);
  if (call.at === undefined && written > 0) c.views.update(d.id, { offset: at + written });
  return count(written);
}

function truncate(c: Context, d: Description, length: number): FileReply {
  if (length < 0 || d.access === "r") return failed("EINVAL");
  const { fs } = c.table.get(d.place.mount);
  if (fs.kind !== "tree") return failed("EINVAL");
  return fs.fault === "read-only" ? failed("EROFS") : doneOr(fs.truncate(d.place.ino, length, c.now));
}

function sync(c: Context, d: Description): FileReply {
  const { fs } = c.table.get(d.place.mount);
  if (fs.kind !== "tree") return failed("EINVAL");
  return fs.fault === "io-error" ? failed("EIO") : DONE;
}
