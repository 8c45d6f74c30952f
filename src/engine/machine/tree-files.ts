/**
 * The file calls over a machine's tree of immutable nodes (files.ts): what the daemons need of them. In the real stack: the VFS over a root file system. Left out: calls that wait,
 * links, owners, times of one's own; a call that is not here is answered ENOSYS.
 */
import type { Errno as CallErrno, FileCall, FileReply, Instant, Stat } from "../kernel/index.ts";
import {
  find,
  joinPath,
  makeDirectory,
  remove,
  rename,
  splitPath,
  writeFile,
  type DirectoryNode,
  type Result,
  type TreeNode,
} from "./files.ts";
import type { FileLayer } from "./process/file-layer.ts";

/** Whose tree it is; a change replaces the root. */
export interface TreeOwner {
  root: DirectoryNode;
  readonly now: Instant;
}

interface Descriptor {
  readonly path: string;
  offset: number;
}

interface Holder {
  cwd: string;
  descriptors: Map<number, Descriptor>;
}

const FIRST_DESCRIPTOR = 3;

const fail = (errno: CallErrno): FileReply => ({ ok: false, errno });
const DONE: FileReply = { ok: true, value: "done" };

export class TreeFiles implements FileLayer {
  private holders = new Map<number, Holder>();

  constructor(private readonly owner: TreeOwner) {}

  call(process: number, _id: number, call: FileCall): FileReply {
    return this.blocking(process, call);
  }

  blocking(process: number, call: FileCall): FileReply {
    const holder = this.holders.get(process);
    if (holder === undefined) throw new Error(`process ${process} has no files`);
    return this.perform(holder, call);
  }

  peek(cwd: string, call: FileCall): FileReply | undefined {
    if (call.call !== "stat" && call.call !== "lstat" && call.call !== "readdir") return undefined;
    return this.perform({ cwd, descriptors: new Map() }, call);
  }

  peekContents(cwd: string, path: string): FileReply | undefined {
    const found = find(this.owner.root, absolute(cwd, path));
    if (!found.ok) return fail(found.errno);
    return found.value.type === "file" ? { ok: true, value: "data", data: found.value.data } : fail("EISDIR");
  }

  born(process: number, parent: number | undefined, cwd: string | undefined): void {
    const from = parent === undefined ? undefined : this.holders.get(parent);
    this.holders.set(process, { cwd: cwd ?? from?.cwd ?? "/", descriptors: new Map() });
  }

  cwd(process: number): string {
    return this.holders.get(process)?.cwd ?? "/";
  }

  gone(process: number): void {
    this.holders.delete(process);
  }

  powerLost(): void {
    this.holders.clear();
  }

  /** Between two events no descriptor is open: programs close what they have read. */
  snapshot(): [number, string][] {
    return [...this.holders].map(([process, holder]) => [process, holder.cwd]);
  }

  restore(state: readonly [number, string][]): void {
    this.holders = new Map(state.map(([process, cwd]) => [process, { cwd, descriptors: new Map() }]));
  }

  private perform(holder: Holder, call: FileCall): FileReply {
    switch (call.call) {
      case "stat":
      case "lstat":
        return this.stat(absolute(holder.cwd, call.path), call.call === "stat");
      case "open":
        return this.open(holder, call);
      case "close":
        return holder.descriptors.delete(call.fd) ? DONE : fail("EBADF");
      case "read":
        return this.read(holder, call.fd, call.length, call.at);
      case "write":
        return this.write(holder, call.fd, call.data, call.at);
      case "fsync":
        return holder.descriptors.has(call.fd) ? DONE : fail("EBADF");
      case "mkdir":
        return this.change(makeDirectory(this.owner.root, absolute(holder.cwd, call.path), false, this.owner.now, call.mode));
      case "unlink":
        return this.change(remove(this.owner.root, absolute(holder.cwd, call.path), false, this.owner.now));
      case "rename":
        return this.change(rename(this.owner.root, absolute(holder.cwd, call.from), absolute(holder.cwd, call.to), this.owner.now));
      case "chdir": {
        const path = absolute(holder.cwd, call.path);
        const found = find(this.owner.root, path);
        if (!found.ok) return fail(found.errno);
        if (found.value.type !== "directory") return fail("ENOTDIR");
        holder.cwd = joinPath(splitPath(path));
        return DONE;
      }
      case "getcwd":
        return { ok: true, value: "path", path: holder.cwd };
      default:
        return fail("ENOSYS");
    }
  }

  private change(result: Result<DirectoryNode>): FileReply {
    if (!result.ok) return fail(result.errno);
    this.owner.root = result.value;
    return DONE;
  }

  private stat(path: string, follow: boolean): FileReply {
    const found = find(this.owner.root, path, follow);
    return found.ok ? { ok: true, value: "stat", stat: statOf(found.value) } : fail(found.errno);
  }

  private open(holder: Holder, { path, flags, mode }: Extract<FileCall, { call: "open" }>): FileReply {
    const full = absolute(holder.cwd, path);
    const found = find(this.owner.root, full);
    if (!found.ok && (found.errno !== "ENOENT" || flags.create !== true)) return fail(found.errno);
    if (found.ok && flags.create === true && flags.exclusive === true) return fail("EEXIST");
    if (found.ok && found.value.type === "directory" && flags.access !== "r") return fail("EISDIR");
    if (!found.ok || flags.truncate === true) {
      const made = writeFile(
        this.owner.root,
        full,
        new Uint8Array(0),
        { append: false, mode: found.ok ? undefined : mode },
        this.owner.now,
      );
      if (!made.ok) return fail(made.errno);
      this.owner.root = made.value;
    }
    let fd = FIRST_DESCRIPTOR;
    while (holder.descriptors.has(fd)) fd++;
    holder.descriptors.set(fd, { path: full, offset: 0 });
    return { ok: true, value: "fd", fd };
  }

  private read(holder: Holder, fd: number, length: number, at: number | undefined): FileReply {
    const descriptor = holder.descriptors.get(fd);
    if (descriptor === undefined) return fail("EBADF");
    const found = find(this.owner.root, descriptor.path);
    if (!found.ok) return fail(found.errno);
    if (found.value.type !== "file") return fail("EISDIR");
    const from = at ?? descriptor.offset;
    const { data } = found.value;
    const part = from === 0 && length >= data.length ? data : data.slice(from, from + length);
    if (at === undefined) descriptor.offset += part.length;
    return { ok: true, value: "data", data: part };
  }

  private write(holder: Holder, fd: number, data: Uint8Array, at: number | undefined): FileReply {
    const descriptor = holder.descriptors.get(fd);
    if (descriptor === undefined) return fail("EBADF");
    const found = find(this.owner.root, descriptor.path);
    if (!found.ok) return fail(found.errno);
    const old = found.value.type === "file" ? found.value.data : new Uint8Array(0);
    const from = at ?? descriptor.offset;
    const whole = new Uint8Array(Math.max(old.length, from + data.length));
    whole.set(old);
    whole.set(data, from);
    const written = this.change(writeFile(this.owner.root, descriptor.path, whole, { append: false }, this.owner.now));
    if (!written.ok) return written;
    if (at === undefined) descriptor.offset += data.length;
    return { ok: true, value: "count", count: data.length };
  }
}

function absolute(cwd: string, path: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}

function statOf(node: TreeNode): Stat {
  const size = node.type === "file" ? node.data.length : 0;
  const times = { atime: node.mtime, mtime: node.mtime, ctime: node.mtime };
  return { dev: 1, ino: 0, type: node.type, mode: node.mode, nlink: 1, uid: 0, gid: 0, size, ...times };
}
