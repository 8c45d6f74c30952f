/**
 * /etc/pve as a file system: what the kernel asks of the mount, answered from the tree at once, or sent as a change whose outcome comes later. In the real stack: the FUSE
 * operations of pmxcfs.c with what libfuse's high-level interface does around them: a file that is removed while it is open has a hidden name until it is closed. Left out:
 * libfuse's cache of names and attributes (1 s), so that what another node changed is seen at once.
 */
import type { Errno, Hasher, Instant, ServedEntry, ServedReply, ServedRequest } from "../kernel/index.ts";
import { attributesOf, linkAttributes, mayHaveMode, mayHaveOwner, specialAttributes } from "./attributes.ts";
import { DIRECTORY, TREE_BYTES, TREE_INODES, checksumOf, type TreeEntry } from "./entry.ts";
import type { Memdb } from "./memdb.ts";
import type { Operation } from "./operations.ts";
import { isLockPath } from "./paths.ts";
import type { SpecialFiles } from "./special-files.ts";

/** Whoever brings a change to the whole cluster. */
export interface ChangeSender {
  /** What changes nothing is answered either way. */
  quorate(): boolean;
  /** "pending": the outcome comes by `finished` with this token. */
  send(token: number, operation: Operation): Errno | "done" | "pending";
  /** Without an outcome. */
  ask(operation: Operation): unknown;
}

export interface FileSystemClock {
  /** Seconds since 1970. */
  seconds(): number;
  /** Of seconds since 1970. */
  instant(seconds: number): Instant;
  unixSeconds(at: Instant): number;
}

/** What is answered when a change is done. */
type After =
  | { readonly then: "done" }
  | { readonly then: "count"; readonly count: number }
  | { readonly then: "open"; readonly path: string }
  | { readonly then: "hide"; readonly path: string; readonly hidden: string }
  | { readonly then: "renamed"; readonly path: string; readonly to: string }
  | { readonly then: "nothing" };

interface Waiting {
  readonly token: number;
  /** The request, by its number; undefined: nobody waits for the answer. */
  readonly id: number | undefined;
  readonly after: After;
}

interface Handle {
  readonly handle: number;
  readonly path: string;
  /** Removed while it was open. */
  readonly hidden: boolean;
  /** Of a special file: as it was when it was opened. */
  readonly contents?: Uint8Array;
}

interface FileSystemState {
  readonly handles: readonly Handle[];
  readonly lastHandle: number;
  readonly lastToken: number;
  readonly waiting: readonly Waiting[];
}

const BLOCK = 4096;
const DONE: ServedReply = { ok: true, value: "done" };
const fail = (errno: Errno): ServedReply => ({ ok: false, errno });
const outcome = (errno: Errno | undefined): ServedReply => (errno === undefined ? DONE : fail(errno));

export class FileSystem {
  private handles: Handle[] = [];
  private lastHandle = 0;
  private lastToken = 0;
  private waiting: Waiting[] = [];

  constructor(
    private readonly memdb: Memdb,
    private readonly specials: SpecialFiles,
    private readonly sender: ChangeSender,
    private readonly clock: FileSystemClock,
  ) {}

  /** Changes whose outcome somebody waits for. */
  get pending(): number {
    return this.waiting.length;
  }

  /** Answers request `id`; undefined: later. */
  request(id: number, request: ServedRequest): ServedReply | undefined {
    const answer = this.peek(request);
    if (answer !== undefined) return answer;
    switch (request.op) {
      case "open":
        return this.openAt(request.path.slice(1));
      case "release":
        return this.release(request.handle);
      case "read":
        return { ok: true, value: "data", data: this.read(request.handle, request.at, request.length) };
      case "write":
        return this.write(id, request);
      case "create":
        return this.change(id, { op: "create", path: request.path.slice(1) }, { then: "open", path: request.path.slice(1) });
      default:
        return this.changing(id, request);
    }
  }

  /** What changes nothing, descriptors included; undefined: `request` alone answers it. */
  peek(request: ServedRequest): ServedReply | undefined {
    switch (request.op) {
      case "getattr":
        return this.getattr(request.path.slice(1));
      case "readdir":
        return this.readdir(request.path.slice(1));
      case "readlink": {
        const target = this.specials.target(request.path.slice(1));
        return target === undefined ? fail("EINVAL") : { ok: true, value: "target", target };
      }
      case "statfs":
        return { ok: true, value: "statfs", statfs: this.sizes() };
      case "chmod":
        return outcome(mayHaveMode(request.path.slice(1), request.mode) ? undefined : "EPERM");
      case "chown":
        return outcome(mayHaveOwner(request.uid, request.gid) ? undefined : "EPERM");
      case "fsync":
        return DONE;
      case "link":
        return fail("EPERM");
      case "symlink":
        return fail("ENOSYS");
      default:
        return undefined;
    }
  }

  /** A part of a file without opening it. */
  peekRead(path: string, at: number, length: number): Uint8Array | undefined {
    const inside = path.slice(1);
    return (this.specials.contents(inside) ?? this.memdb.tree.lookup(inside)?.data)?.subarray(at, at + length);
  }

  private getattr(path: string): ServedReply {
    const quorate = this.sender.quorate();
    const epoch = this.clock.instant(0);
    const target = this.specials.target(path);
    if (target !== undefined) return { ok: true, value: "attr", attr: linkAttributes(target, quorate, epoch) };
    const special = this.specials.contents(path);
    if (special !== undefined)
      return { ok: true, value: "attr", attr: specialAttributes(this.specials.writable(path), special.length, epoch) };
    const entry = this.memdb.tree.lookup(path);
    if (entry === undefined) return fail("ENOENT");
    const at = path === "" ? epoch : this.clock.instant(entry.mtime);
    return { ok: true, value: "attr", attr: attributesOf(path, entry, quorate, at) };
  }

  private readdir(path: string): ServedReply {
    const directory = this.memdb.tree.lookup(path);
    if (directory === undefined) return fail("ENOENT");
    if (directory.type !== DIRECTORY) return fail("ENOTDIR");
    const entries: ServedEntry[] = this.memdb.tree.children(directory).map(entryOf);
    const specials = path === "" ? this.specials.names.map((name) => this.specialEntry(name)) : [];
    return { ok: true, value: "entries", entries: [...specials, ...entries] };
  }

  private specialEntry(name: string): ServedEntry {
    return { name, type: this.specials.target(name) === undefined ? "file" : "symlink" };
  }

  /** Limits that nothing holds to: more than that fits, and less than nothing is free. */
  private sizes(): Extract<ServedReply, { value: "statfs" }>["statfs"] {
    const { tree } = this.memdb;
    const blocks = TREE_BYTES / BLOCK;
    const used = Math.floor((tree.contentBytes + BLOCK - 1) / BLOCK);
    return { blockSize: BLOCK, blocks, free: blocks - used, files: TREE_INODES, filesFree: TREE_INODES - tree.size };
  }

  // ---- descriptors

  private openAt(path: string): ServedReply {
    const contents = this.specials.contents(path);
    const handle = ++this.lastHandle;
    this.handles.push({ handle, path, hidden: false, ...(contents === undefined ? {} : { contents }) });
    return { ok: true, value: "handle", handle };
  }

  private read(handle: number, at: number, length: number): Uint8Array {
    const open = this.handles.find((h) => h.handle === handle);
    const data = open?.contents ?? (open && this.memdb.tree.lookup(open.path)?.data);
    return (data ?? new Uint8Array(0)).subarray(at, at + length);
  }

  private write(id: number, { handle, path: asked, data, at }: Extract<ServedRequest, { op: "write" }>): ServedReply | undefined {
    const path = this.handles.find((h) => h.handle === handle)?.path ?? asked.slice(1);
    if (this.specials.has(path)) {
      const errno = this.specials.write(path, data);
      return errno === undefined ? { ok: true, value: "count", count: data.length } : fail(errno);
    }
    return this.change(id, { op: "write", path, offset: at, data, truncate: false }, { then: "count", count: data.length });
  }

  /** A hidden file goes with the last descriptor that is open on it. */
  private release(handle: number): ServedReply {
    const closed = this.handles.find((h) => h.handle === handle);
    this.handles = this.handles.filter((h) => h !== closed);
    if (closed?.hidden === true && !this.handles.some((h) => h.path === closed.path))
      void this.change(undefined, { op: "delete", path: closed.path }, { then: "nothing" });
    return DONE;
  }

  // ---- changes

  private changing(id: number, request: ServedRequest): ServedReply | undefined {
    switch (request.op) {
      case "mkdir":
        return this.change(id, { op: "mkdir", path: request.path.slice(1) }, { then: "done" });
      case "rmdir":
        return this.change(id, { op: "delete", path: request.path.slice(1) }, { then: "done" });
      case "unlink":
        return this.unlink(id, request.path.slice(1));
      case "rename": {
        const [path, to] = [request.from.slice(1), request.to.slice(1)];
        if (this.specials.has(to)) return fail("EACCES");
        return this.change(id, { op: "rename", path, to }, { then: "renamed", path, to });
      }
      case "truncate":
        return this.truncate(id, request.path.slice(1), request.length);
      case "utimens":
        return this.utimens(id, request.path.slice(1), request.mtime);
      default:
        return fail("ENOSYS");
    }
  }

  private unlink(id: number, path: string): ServedReply | undefined {
    if (!this.handles.some((h) => h.path === path) || this.specials.has(path))
      return this.change(id, { op: "delete", path }, { then: "done" });
    const slash = path.lastIndexOf("/");
    const number = (n: number): string => n.toString(16).padStart(8, "0");
    const name = `.fuse_hidden${number(this.memdb.tree.lookup(path)?.inode ?? 0)}${number(this.lastHandle)}`;
    const hidden = slash < 0 ? name : `${path.slice(0, slash)}/${name}`;
    return this.change(id, { op: "rename", path, to: hidden }, { then: "hide", path, hidden });
  }

  private truncate(id: number, path: string, length: number): ServedReply | undefined {
    if (this.specials.has(path)) return outcome(this.specials.truncate(path));
    return this.change(id, { op: "write", path, offset: length, data: new Uint8Array(0), truncate: true }, { then: "done" });
  }

  /** Time 0 on the place of a lock asks for it to be taken away where it is too old, and is tried as a time all the same. */
  private utimens(id: number, path: string, at: Instant | undefined): ServedReply | undefined {
    const seconds = at === undefined ? this.clock.seconds() : this.clock.unixSeconds(at);
    const entry = this.memdb.tree.lookup(path);
    if (seconds === 0 && entry !== undefined && isLockPath(path) && this.sender.quorate())
      this.sender.ask({ op: "unlock request", path, checksum: checksumOf(entry) });
    if (path === "") return fail("EACCES");
    return this.change(id, { op: "mtime", path, seconds }, { then: "done" });
  }

  private change(id: number | undefined, operation: Operation, after: After): ServedReply | undefined {
    if (this.specials.has(operation.path)) return fail("EACCES");
    if (!this.sender.quorate()) return fail("EACCES");
    const token = ++this.lastToken;
    const result = this.sender.send(token, operation);
    if (result !== "pending") return this.conclude(after, result === "done" ? undefined : result);
    this.waiting.push({ token, id, after });
    return undefined;
  }

  /** A change has come to its end. @returns the request that waits for it, and its answer */
  finished(token: number, errno: Errno | undefined): { readonly id: number; readonly reply: ServedReply } | undefined {
    const done = this.waiting.find((w) => w.token === token);
    if (done === undefined) return undefined;
    this.waiting = this.waiting.filter((w) => w !== done);
    const reply = this.conclude(done.after, errno);
    return done.id === undefined ? undefined : { id: done.id, reply };
  }

  private conclude(after: After, errno: Errno | undefined): ServedReply {
    if (errno !== undefined) return fail(errno);
    switch (after.then) {
      case "count":
        return { ok: true, value: "count", count: after.count };
      case "open":
        return this.openAt(after.path);
      case "hide":
        this.follow(after.path, after.hidden, true);
        return DONE;
      case "renamed":
        this.follow(after.path, after.to, false);
        return DONE;
      case "done":
      case "nothing":
        return DONE;
    }
  }

  /** Open files keep with their names. */
  private follow(from: string, to: string, hidden: boolean): void {
    this.handles = this.handles.map((h) => {
      if (h.path === from) return { ...h, path: to, hidden: h.hidden || hidden };
      return h.path.startsWith(`${from}/`) ? { ...h, path: to + h.path.slice(from.length) } : h;
    });
  }

  snapshot(): FileSystemState {
    const { handles, lastHandle, lastToken, waiting } = this;
    return { handles, lastHandle, lastToken, waiting };
  }

  restore({ handles, lastHandle, lastToken, waiting }: FileSystemState): void {
    this.handles = [...handles];
    this.lastHandle = lastHandle;
    this.lastToken = lastToken;
    this.waiting = [...waiting];
  }

  digest(h: Hasher): void {
    h.int(this.lastHandle).int(this.lastToken).int(this.handles.length).int(this.waiting.length);
    for (const { handle, path, hidden } of this.handles) h.int(handle).text(path).bool(hidden);
    for (const { token, id } of this.waiting) h.int(token).int(id ?? -1);
  }
}

function entryOf({ name, type }: TreeEntry): ServedEntry {
  return { name, type: type === DIRECTORY ? "directory" : "file" };
}
