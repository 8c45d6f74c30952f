/**
 * The manager's files over the kernel's calls: what it reads and changes, asked as a process that blocks in each call. In the real stack: PID 1's own open(2), readdir(3),
 * symlink(2). A file system that a process serves answers EIO there, which reads as a file that is not there.
 */
import { joinedBytes, type FileCall, type FilePort, type FileReply, type Stat } from "../../kernel/index.ts";
import type { FileEdits, FileFacts, FileView } from "./files.ts";

/** Bytes of one read(2). */
const READ_BYTES = 64 * 1024;
/** A unit file, or what a service reads before it starts, is no larger. */
const FILE_BYTES_MAX = 1024 * 1024;

type Port = Pick<FilePort, "blocking">;

const errno = (reply: FileReply): string | undefined => (reply.ok ? undefined : reply.errno);

/** @param epochUnixMicros the wall clock at instant 0 */
export function portFiles(port: Port, epochUnixMicros: () => number): { readonly files: FileView; readonly edits: FileEdits } {
  const ask = (call: FileCall): FileReply => port.blocking(call);
  const stat = (path: string): Stat | undefined => {
    const reply = ask({ call: "stat", path });
    return reply.ok && reply.value === "stat" ? reply.stat : undefined;
  };
  const files: FileView = {
    read: (path) => (stat(path)?.type === "file" ? readWhole(ask, path) : undefined),
    list: (path) => {
      const reply = ask({ call: "readdir", path });
      return reply.ok && reply.value === "entries" ? reply.entries.map((e) => e.name).sort() : undefined;
    },
    readlink: (path) => {
      const reply = ask({ call: "readlink", path });
      return reply.ok && reply.value === "path" ? reply.path : undefined;
    },
    stat: (path): FileFacts | undefined => {
      const found = stat(path);
      if (found === undefined) return undefined;
      return { type: found.type, size: found.size, mode: found.mode, mtimeUnixMicros: epochUnixMicros() + found.mtime };
    },
  };
  return { files, edits: editsOf(ask) };
}

function readWhole(ask: (call: FileCall) => FileReply, path: string): Uint8Array | undefined {
  const opened = ask({ call: "open", path, flags: { access: "r" } });
  if (!opened.ok || opened.value !== "fd") return undefined;
  const parts: Uint8Array[] = [];
  let whole = true;
  for (let at = 0; at < FILE_BYTES_MAX;) {
    const reply = ask({ call: "read", fd: opened.fd, length: READ_BYTES });
    if (!reply.ok || reply.value !== "data") {
      whole = false;
      break;
    }
    if (reply.data.length === 0) break;
    parts.push(reply.data);
    at += reply.data.length;
  }
  ask({ call: "close", fd: opened.fd });
  return whole ? joinedBytes(parts) : undefined;
}

function editsOf(ask: (call: FileCall) => FileReply): FileEdits {
  const makeParents = (path: string): void => {
    for (let slash = path.indexOf("/", 1); slash > 0; slash = path.indexOf("/", slash + 1))
      ask({ call: "mkdir", path: path.slice(0, slash), mode: 0o755 });
  };
  return {
    symlink: (target, path) => {
      makeParents(path);
      const made = ask({ call: "symlink", target, path });
      if (made.ok || made.errno !== "EEXIST" || !ask({ call: "readlink", path }).ok) return errno(made);
      ask({ call: "unlink", path });
      return errno(ask({ call: "symlink", target, path }));
    },
    unlink: (path) => errno(ask({ call: "unlink", path })),
    // A directory that still has something in it stays, which is what is wanted.
    rmdir: (path) => void ask({ call: "rmdir", path }),
    write: (path, data) => {
      makeParents(path);
      const opened = ask({ call: "open", path, flags: { access: "w", create: true, truncate: true }, mode: 0o644 });
      if (!opened.ok || opened.value !== "fd") return errno(opened);
      const written = data.length === 0 ? ask({ call: "utimens", path, mtime: "now" }) : ask({ call: "write", fd: opened.fd, data });
      ask({ call: "close", fd: opened.fd });
      return errno(written);
    },
  };
}
