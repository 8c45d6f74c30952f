/** The node's files as a program sees them: paths, symbolic links, the few devices, and the words for what goes wrong. */
import type { FileAct, FileStat } from "../../engine/kernel/machine.ts";
import type { System } from "./system.ts";

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EPERM: "Operation not permitted",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  EEXIST: "File exists",
  ENOTEMPTY: "Directory not empty",
  ENOSPC: "No space left on device",
  EFBIG: "File too large",
  EROFS: "Read-only file system",
  EINVAL: "Invalid argument",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  EBUSY: "Device or resource busy",
  EIO: "Input/output error",
  ENOTCONN: "Transport endpoint is not connected",
  EXDEV: "Invalid cross-device link",
  EMFILE: "Too many open files",
};

export function errnoText(errno: string): string {
  return WORDS[errno] ?? errno;
}

export class FileError extends Error {
  constructor(readonly errno: string) {
    super(errnoText(errno));
  }
}

/** Absolute and normalised: no `.`, `..`, double or trailing slash. */
export function resolvePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

export function dirname(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path.startsWith("/") ? "/" : ".";
  const at = trimmed.lastIndexOf("/");
  if (at < 0) return ".";
  return trimmed.slice(0, at).replace(/\/+$/, "") || "/";
}

export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return path === "" ? "" : "/";
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

export interface Entry {
  readonly name: string;
  readonly stat: FileStat;
}

/** Devices every machine has; the console and redirections open them by name. */
export const DEVICES: readonly string[] = ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero"];

const byteOrder = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

export class Files {
  constructor(private readonly system: System) {}

  /** Of the thing at this path itself, a symbolic link included. @throws FileError */
  async lstat(path: string): Promise<FileStat> {
    if (DEVICES.includes(path)) return { type: "file", mode: 0o20666, size: 0, mtime: 0 };
    const reply = await this.system.query({ kind: "file-stat", path });
    if (reply.kind === "stat") return reply.stat;
    throw new FileError(reply.kind === "error" ? reply.errno : "EIO");
  }

  /** Of what the path leads to. @throws FileError */
  async stat(path: string): Promise<FileStat> {
    return (await this.follow(path)).stat;
  }

  /** Undefined where there is nothing. */
  async maybeStat(path: string): Promise<FileStat | undefined> {
    try {
      return await this.stat(path);
    } catch (error) {
      if (error instanceof FileError) return undefined;
      throw error;
    }
  }

  /** The path behind symbolic links at its end. @throws FileError */
  async follow(path: string): Promise<{ path: string; stat: FileStat }> {
    let at = path;
    for (let hops = 0; hops < 40; hops++) {
      const stat = await this.lstat(at);
      if (stat.type !== "symlink" || stat.target === undefined) return { path: at, stat };
      at = resolvePath(dirname(at), stat.target);
    }
    throw new FileError("ELOOP");
  }

  /** @throws FileError */
  async read(path: string): Promise<Uint8Array> {
    if (path === "/dev/null") return new Uint8Array(0);
    const target = await this.follow(path);
    if (target.stat.type === "directory") throw new FileError("EISDIR");
    const reply = await this.system.query({ kind: "file-read", path: target.path });
    if (reply.kind === "file") return reply.data;
    throw new FileError(reply.kind === "error" ? reply.errno : "EIO");
  }

  /** Entries of a directory in byte order, without `.` and `..`. @throws FileError */
  async list(path: string): Promise<Entry[]> {
    const target = await this.follow(path);
    if (target.stat.type !== "directory") throw new FileError("ENOTDIR");
    const reply = await this.system.query({ kind: "file-list", path: target.path });
    if (reply.kind !== "list") throw new FileError(reply.kind === "error" ? reply.errno : "EIO");
    return [...reply.entries].sort(byteOrder);
  }

  /** @throws FileError */
  async act(act: FileAct): Promise<void> {
    const errno = await this.system.file(act);
    if (errno !== undefined) throw new FileError(errno);
  }

  async write(path: string, data: Uint8Array, append = false): Promise<void> {
    if (path === "/dev/null") return;
    await this.act({ kind: "file-write", path: await this.writable(path), data, append });
  }

  /** Where a write to `path` ends up: the target of a link, else the path. @throws FileError EISDIR for a directory */
  async writable(path: string): Promise<string> {
    try {
      const target = await this.follow(path);
      if (target.stat.type === "directory") throw new FileError("EISDIR");
      return target.path;
    } catch (error) {
      if (error instanceof FileError && error.errno === "ENOENT") return path;
      throw error;
    }
  }
}
