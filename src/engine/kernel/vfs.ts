/**
 * File calls: what a process asks of the kernel about files, with the real names, flags and errors. In the real stack: the system calls of open(2), stat(2), rename(2) and
 * the rest, as Linux answers them to root. Each has a reply that may come later (a served mount whose process is slow) or never (one that is stopped). Left out:
 * mmap, locks (flock, fcntl), extended attributes, devices, sparse holes' own sizes.
 */
import type { Instant } from "./time.ts";

/** An errno name as strerror(3) callers know it. */
export type Errno =
  | "EPERM"
  | "ENOENT"
  | "EIO"
  | "EBADF"
  | "EAGAIN"
  | "EACCES"
  | "EBUSY"
  | "EEXIST"
  | "EXDEV"
  | "ENOTDIR"
  | "EISDIR"
  | "EINVAL"
  | "EMFILE"
  | "EFBIG"
  | "ENOSPC"
  | "EROFS"
  | "EMLINK"
  | "ENAMETOOLONG"
  | "ENOTEMPTY"
  | "ELOOP"
  | "EINTR"
  | "ENOSYS"
  | "EOPNOTSUPP"
  | "ESTALE"
  | "ENOTCONN"
  | "ECONNABORTED"
  | "ENXIO"
  | "ETIMEDOUT"
  | "EHOSTDOWN"
  | "ENODEV"
  | "EFAULT"
  /** The name is no text: UTF-8 alone is taken. */
  | "EILSEQ";

export type FileType = "file" | "directory" | "symlink" | "socket" | "fifo";

/** stat(2). Times are instants of the lab's clock, µs since its epoch. */
export interface Stat {
  readonly dev: number;
  readonly ino: number;
  readonly type: FileType;
  /** Permission bits with set-id and sticky: 0 … 0o7777. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atime: Instant;
  readonly mtime: Instant;
  readonly ctime: Instant;
}

/** open(2)'s flags. `access` is O_RDONLY, O_WRONLY or O_RDWR. */
export interface OpenFlags {
  readonly access: "r" | "w" | "rw";
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  readonly append?: boolean;
  readonly directory?: boolean;
  readonly nofollow?: boolean;
}

/** One call. Paths are absolute or relative to the calling process's working directory. `fd` is a descriptor of the calling process. */
export type FileCall =
  | { readonly call: "stat" | "lstat"; readonly path: string }
  | { readonly call: "fstat"; readonly fd: number }
  | { readonly call: "access"; readonly path: string; readonly mode: number }
  | { readonly call: "readdir"; readonly path: string }
  | { readonly call: "readlink"; readonly path: string }
  /** The canonical path: realpath(3). */
  | { readonly call: "realpath"; readonly path: string }
  | { readonly call: "open"; readonly path: string; readonly flags: OpenFlags; readonly mode?: number }
  | { readonly call: "close"; readonly fd: number }
  | { readonly call: "dup"; readonly fd: number }
  /** `at` absent: at the descriptor's offset, which moves on. */
  | { readonly call: "read"; readonly fd: number; readonly length: number; readonly at?: number }
  | { readonly call: "write"; readonly fd: number; readonly data: Uint8Array; readonly at?: number }
  | { readonly call: "lseek"; readonly fd: number; readonly offset: number; readonly whence: "set" | "cur" | "end" }
  | { readonly call: "ftruncate"; readonly fd: number; readonly length: number }
  | { readonly call: "truncate"; readonly path: string; readonly length: number }
  | { readonly call: "fsync"; readonly fd: number }
  | { readonly call: "mkdir"; readonly path: string; readonly mode?: number }
  | { readonly call: "rmdir" | "unlink"; readonly path: string }
  | { readonly call: "rename" | "link"; readonly from: string; readonly to: string }
  | { readonly call: "symlink"; readonly target: string; readonly path: string }
  | { readonly call: "chmod"; readonly path: string; readonly mode: number }
  | { readonly call: "chown" | "lchown"; readonly path: string; readonly uid: number; readonly gid: number }
  /** Absent: left as it is; "now": the present instant. */
  | { readonly call: "utimens"; readonly path: string; readonly atime?: Instant | "now"; readonly mtime?: Instant | "now" }
  | { readonly call: "statfs"; readonly path: string }
  /** mount(2) of a tmpfs. `bytes` is its size=; half of the memory where absent. */
  | {
      readonly call: "mount";
      readonly path: string;
      readonly type: "tmpfs";
      readonly source: string;
      readonly mode?: number;
      readonly bytes?: number;
      readonly readOnly?: boolean;
    }
  /** What fusermount does for a process that serves a file system: the caller answers for it from now on. The reply's count is the mount's number. */
  | { readonly call: "serve"; readonly path: string; readonly source: string; readonly options: string }
  /** mount(2) with MS_REMOUNT. */
  | { readonly call: "remount"; readonly path: string; readonly readOnly: boolean }
  /** umount2(2); `lazy` is MNT_DETACH. */
  | { readonly call: "umount"; readonly path: string; readonly lazy?: boolean }
  | { readonly call: "umask"; readonly mask: number }
  | { readonly call: "chdir"; readonly path: string }
  | { readonly call: "getcwd" };

export interface DirEntry {
  readonly name: string;
  readonly ino: number;
  readonly type: FileType;
}

/** statfs(2) with what mount(8) and df(1) show. */
export interface FsStat {
  readonly type: string;
  readonly source: string;
  readonly mountPoint: string;
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly files: number;
  readonly filesFree: number;
  readonly readOnly: boolean;
}

/** `value` as the call's kind has it. */
export type FileReply =
  | { readonly ok: false; readonly errno: Errno }
  | { readonly ok: true; readonly value: "done" }
  | { readonly ok: true; readonly value: "stat"; readonly stat: Stat }
  /** Without `.` and `..`, in the order the directory has them. */
  | { readonly ok: true; readonly value: "entries"; readonly entries: readonly DirEntry[] }
  | { readonly ok: true; readonly value: "path"; readonly path: string }
  | { readonly ok: true; readonly value: "fd"; readonly fd: number }
  | { readonly ok: true; readonly value: "data"; readonly data: Uint8Array }
  /** Bytes written, or the offset that lseek came to, or the umask before. */
  | { readonly ok: true; readonly value: "count"; readonly count: number }
  | { readonly ok: true; readonly value: "statfs"; readonly statfs: FsStat };

/** What a served file system says of one of its files: a getattr's answer. The kernel adds device and inode number. */
export type ServedAttr = Omit<Stat, "dev" | "ino">;

/** Names in a directory of a served file system. */
export interface ServedEntry {
  readonly name: string;
  readonly type: FileType;
}

/**
 * One operation of a served file system, as libfuse's high-level interface has it. Paths begin with a slash at the mount's root; `handle` is what the server's open or create
 * returned. The kernel follows links, checks names and keeps offsets; the server sees neither.
 */
export type ServedRequest =
  | { readonly op: "getattr" | "readlink" | "readdir" | "unlink" | "rmdir" | "statfs"; readonly path: string }
  | { readonly op: "open"; readonly path: string; readonly access: OpenFlags["access"]; readonly append: boolean }
  | {
      readonly op: "create";
      readonly path: string;
      readonly mode: number;
      readonly access: OpenFlags["access"];
      readonly exclusive: boolean;
    }
  | { readonly op: "read"; readonly path: string; readonly handle: number; readonly length: number; readonly at: number }
  | { readonly op: "write"; readonly path: string; readonly handle: number; readonly data: Uint8Array; readonly at: number }
  | { readonly op: "release" | "fsync"; readonly path: string; readonly handle: number }
  | { readonly op: "mkdir" | "chmod"; readonly path: string; readonly mode: number }
  | { readonly op: "rename"; readonly from: string; readonly to: string }
  | { readonly op: "link"; readonly from: string; readonly to: string }
  | { readonly op: "symlink"; readonly target: string; readonly path: string }
  | { readonly op: "truncate"; readonly path: string; readonly length: number }
  | { readonly op: "chown"; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly op: "utimens"; readonly path: string; readonly atime?: Instant; readonly mtime?: Instant };

/** fuse_get_context(): who asks. */
export interface ServedCaller {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** A request on its way to the process that serves the mount. It is answered once, with its `id`. */
export interface Served {
  readonly id: number;
  readonly mount: number;
  readonly request: ServedRequest;
  readonly caller: ServedCaller;
}

/** `value` as the operation has it: open and create give a handle, write a count. */
export type ServedReply =
  | { readonly ok: false; readonly errno: Errno }
  | { readonly ok: true; readonly value: "done" }
  | { readonly ok: true; readonly value: "attr"; readonly attr: ServedAttr }
  | { readonly ok: true; readonly value: "entries"; readonly entries: readonly ServedEntry[] }
  | { readonly ok: true; readonly value: "target"; readonly target: string }
  | { readonly ok: true; readonly value: "handle"; readonly handle: number }
  | { readonly ok: true; readonly value: "data"; readonly data: Uint8Array }
  | { readonly ok: true; readonly value: "count"; readonly count: number }
  | {
      readonly ok: true;
      readonly value: "statfs";
      readonly statfs: Pick<FsStat, "blockSize" | "blocks" | "free" | "files" | "filesFree">;
    };

/** The files as one process sees them. */
export interface FilePort {
  /** Asks; the reply comes as the event {kind: "file", id, reply}, at this instant where the file system is this machine's own and not slow. */
  call(call: FileCall): number;
  /**
   * The same for a program that blocks in the call, as corosync does with its own files: answered at once. Only for file systems that this machine's kernel serves by
   * itself; EIO on one that a process serves.
   */
  blocking(call: FileCall): FileReply;
  /** The process that serves a mount answers one request. An answer that nobody waits for any more is dropped. */
  answer(id: number, reply: ServedReply): void;
}

/**
 * One durable change of a disk, in the order of `seq`, which counts from 1 from the disk's making on. Rows are the root file system's: what stands in them after the change,
 * undefined where the row is gone. New pieces of contents come along by their hash.
 */
export interface Commit {
  readonly seq: number;
  readonly rows: readonly DiskRow[];
  readonly chunks: readonly { readonly hash: string; readonly data: Uint8Array }[];
}

export interface InodeRow {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly atime: Instant;
  readonly mtime: Instant;
  readonly ctime: Instant;
  readonly size: number;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Of a file: hashes of its pieces of FILE_CHUNK_BYTES, the last one shorter; `-N` stands for N pieces that are not there and read as zeros. */
  readonly chunks?: readonly string[];
}

export type DiskRow =
  | { readonly row: "inode"; readonly ino: number; readonly inode: InodeRow | undefined }
  | { readonly row: "entry"; readonly dir: number; readonly name: string; readonly ino: number | undefined };

/** A piece of a file's contents by its hash. */
export type Piece = Commit["chunks"][number];

/** A whole disk, as it is read at power-on and laid down by a snapshot. */
export interface DiskImage {
  /** Of the last commit in it. */
  readonly seq: number;
  readonly inodes: readonly { readonly ino: number; readonly inode: InodeRow }[];
  readonly entries: readonly { readonly dir: number; readonly name: string; readonly ino: number }[];
}

/** What is wrong with the device of a disk: "io-error" fails whatever reads or writes it, "full" whatever needs room. */
export type DiskFault = "none" | "read-only" | "io-error" | "full";

/** A whole disk with the pieces of contents it refers to. */
export interface DiskContents {
  readonly image: DiskImage;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
}
