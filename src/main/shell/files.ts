/** The node's files as a program sees them: paths, the few devices, and the messages for what goes wrong. Everything is made of the machine's file calls. */
import { strerror } from "../../engine/kernel/errno.ts";
import type { DirEntry, FileCall, FileReply, OpenFlags, Stat } from "../../engine/kernel/vfs.ts";
import type { Interrupt } from "./interrupt.ts";
import type { System } from "./system.ts";

export { strerror as errnoText };

export class FileError extends Error {
  constructor(readonly errno: string) {
    super(strerror(errno));
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

/** `device`: one of those that every machine has, which no file system holds here. */
export type FileStat = Stat & { readonly target?: string; readonly device?: true };

export interface Entry {
  readonly name: string;
  readonly stat: FileStat;
}

/** Devices every machine has; the console and redirections open them by name. */
export const DEVICES: readonly string[] = ["/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero"];

const DEVICE: FileStat = {
  ...{ type: "file", mode: 0o666, size: 0, nlink: 1, uid: 0, gid: 0, dev: 5, ino: 4, atime: 0, mtime: 0, ctime: 0, device: true },
};

/** Bytes of one read, and of one write. */
export const PIECE_BYTES = 256 * 1024;

const byteOrder = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

type Value<K extends string> = Extract<FileReply, { readonly value: K }>;

/** What the call is answered, as its kind has it. @throws FileError */
function valueOf<K extends string>(reply: FileReply | undefined, kind: K): Value<K> {
  if (reply?.ok !== true) throw new FileError(reply?.errno ?? "EIO");
  if (reply.value !== kind) throw new FileError("EIO");
  return reply as Value<K>;
}

export class Files {
  constructor(
    readonly system: System,
    /** Ends a call that waits; "never": nothing waits, as completion does not. */
    private readonly interrupt?: Interrupt | "never",
  ) {}

  /** The same files for whoever that interrupts. */
  under(interrupt: Interrupt | "never"): Files {
    return new Files(this.system, interrupt);
  }

  private async looked(call: FileCall): Promise<FileReply | undefined> {
    const [reply] = await this.system.look([call], this.interrupt);
    this.interruptedBy(reply);
    return reply;
  }

  private interruptedBy(reply: FileReply | undefined): void {
    if (reply?.ok === false && reply.errno === "EINTR") this.signals?.check();
  }

  private get signals(): Interrupt | undefined {
    return this.interrupt === "never" ? undefined : this.interrupt;
  }

  /** One call of the machine that changes something and leaves no descriptor. @throws FileError */
  async change(call: FileCall): Promise<void> {
    const reply = await this.system.call(call, this.signals);
    this.interruptedBy(reply);
    if (!reply.ok) throw new FileError(reply.errno);
  }

  /** One call of the shell's process. @throws FileError */
  async own<K extends string>(call: FileCall, kind: K): Promise<Value<K>> {
    const reply = await this.system.own(call, this.signals);
    this.interruptedBy(reply);
    return valueOf(reply, kind);
  }

  /** Of the thing at this path itself, a symbolic link included. @throws FileError */
  async lstat(path: string): Promise<FileStat> {
    if (DEVICES.includes(path)) return DEVICE;
    const { stat } = valueOf(await this.looked({ call: "lstat", path }), "stat");
    return stat.type === "symlink" ? { ...stat, target: await this.readlink(path) } : stat;
  }

  /** Of what the path leads to. @throws FileError */
  async stat(path: string): Promise<FileStat> {
    if (DEVICES.includes(path)) return DEVICE;
    return valueOf(await this.looked({ call: "stat", path }), "stat").stat;
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

  /** @throws FileError */
  async readlink(path: string): Promise<string> {
    return valueOf(await this.looked({ call: "readlink", path }), "path").path;
  }

  /** The path without symbolic links. @throws FileError */
  async realpath(path: string): Promise<string> {
    if (DEVICES.includes(path)) return path;
    return valueOf(await this.looked({ call: "realpath", path }), "path").path;
  }

  /** Names in a directory in byte order, without `.` and `..`. @throws FileError */
  async names(path: string): Promise<DirEntry[]> {
    return [...valueOf(await this.looked({ call: "readdir", path }), "entries").entries].sort(byteOrder);
  }

  /** The same with what they are; one that is removed meanwhile is not there. @throws FileError */
  async list(path: string): Promise<Entry[]> {
    const base = path === "/" ? "" : path;
    const names = await this.names(path);
    const calls = names.flatMap(({ name, type }): FileCall[] => {
      const at = `${base}/${name}`;
      return type === "symlink"
        ? [
            { call: "lstat", path: at },
            { call: "readlink", path: at },
          ]
        : [{ call: "lstat", path: at }];
    });
    const replies = calls.length === 0 ? [] : await this.system.look(calls, this.interrupt);
    const entries: Entry[] = [];
    let next = 0;
    for (const { name, type } of names) {
      const reply = replies[next++];
      const link = type === "symlink" ? replies[next++] : undefined;
      if (reply?.ok !== true || reply.value !== "stat") continue;
      entries.push({ name, stat: link?.ok === true && link.value === "path" ? { ...reply.stat, target: link.path } : reply.stat });
    }
    return entries;
  }

  /**
   * Part of a file by its path, which leaves no trace. Undefined: a process has to be waited for, so that the file has to be opened.
   * @throws FileError
   */
  async piece(path: string, at: number, length = PIECE_BYTES): Promise<Uint8Array | undefined> {
    if (path === "/dev/null") return new Uint8Array(0);
    const reply = await this.system.part(path, at, length);
    if (reply.kind === "file") return reply.data;
    const errno = reply.kind === "error" ? reply.errno : "EIO";
    if (errno === "EAGAIN") return undefined;
    throw new FileError(errno);
  }

  /** A descriptor of the shell's process. @throws FileError */
  async open(path: string, flags: OpenFlags, mode = 0o666): Promise<number> {
    return (await this.own({ call: "open", path, flags, mode }, "fd")).fd;
  }

  async close(fd: number): Promise<void> {
    await this.own({ call: "close", fd }, "done");
  }

  /** The next bytes; empty at the end. @throws FileError */
  async readNext(fd: number): Promise<Uint8Array> {
    return (await this.own({ call: "read", fd, length: PIECE_BYTES }, "data")).data;
  }

  /** All of it, piece by piece. @throws FileError */
  async writeAll(fd: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      const { count } = await this.own({ call: "write", fd, data: data.slice(at, at + PIECE_BYTES) }, "count");
      if (count === 0) throw new FileError("ENOSPC");
      at += count;
    }
  }

  /** A file's pieces, one after the other. @throws FileError */
  async *pieces(path: string): AsyncGenerator<Uint8Array> {
    for (let at = 0; ;) {
      const data = await this.piece(path, at);
      if (data === undefined) break;
      if (data.length > 0) yield data;
      at += data.length;
      if (data.length < PIECE_BYTES) return;
    }
    const fd = await this.open(path, { access: "r" });
    try {
      for (let data = await this.readNext(fd); data.length > 0; data = await this.readNext(fd)) yield data;
    } finally {
      await this.close(fd);
    }
  }

  /** A whole file. @throws FileError */
  async read(path: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this.pieces(path)) {
      parts.push(part);
      size += part.length;
      if (size > READ_MAX) throw new FileError("EFBIG");
    }
    return Buffer.concat(parts);
  }

  /** Makes or replaces a file, or adds to it. `mode` is a new file's, before the umask. @throws FileError */
  async write(path: string, data: Uint8Array, append = false, mode = 0o666): Promise<void> {
    if (path === "/dev/null") return;
    const fd = await this.open(path, { access: "w", create: true, truncate: !append, append }, mode);
    try {
      await this.writeAll(fd, data);
    } finally {
      await this.close(fd);
    }
  }

  async mkdir(path: string, mode = 0o777): Promise<void> {
    await this.change({ call: "mkdir", path, mode });
  }

  /** With what is missing above it; one that is there is right. @throws FileError */
  async mkdirs(path: string): Promise<void> {
    if ((await this.maybeStat(path))?.type === "directory") return;
    if (path !== "/") await this.mkdirs(dirname(path));
    await this.mkdir(path);
  }

  /** A file, a link, or a directory with all that is in it. @throws FileError */
  async remove(path: string, interrupt?: Interrupt): Promise<void> {
    if ((await this.lstat(path)).type !== "directory") {
      await this.change({ call: "unlink", path });
      return;
    }
    for (const { name } of await this.names(path)) {
      if (interrupt) await this.system.step(interrupt);
      await this.remove(`${path}/${name}`, interrupt);
    }
    await this.change({ call: "rmdir", path });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.change({ call: "rename", from, to });
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.change({ call: "chmod", path, mode });
  }

  /** touch(1): the present instant, on a new file too. @throws FileError */
  async touch(path: string): Promise<void> {
    try {
      await this.change({ call: "utimens", path, atime: "now", mtime: "now" });
    } catch (error) {
      if (!(error instanceof FileError) || error.errno !== "ENOENT") throw error;
      await this.change({ call: "open", path, flags: { access: "w", create: true }, mode: 0o666 });
    }
  }
}

/** Bytes of a file that is read whole. */
const READ_MAX = 64 * 1024 * 1024;
