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
  | "ETIMEDOUT"
  | "EHOSTDOWN"
  | "ENODEV"
  | "EFAULT";

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

/** The files as one process sees them. */
export interface FilePort {
  /** Asks; the reply comes as the event {kind: "file", id, reply}, at this instant where the file system is this machine's own and not slow. */
  call(call: FileCall): number;
  /**
   * The same for a program that blocks in the call, as corosync does with its own files: answered at once. Only for file systems that this machine's kernel serves by
   * itself; EIO on one that a process serves.
   */
  blocking(call: FileCall): FileReply;
}

/**
 * One durable change of a disk, in the order of `seq`, which counts from 1 over the life of the disk. Rows are the root file system's: what stands in them after the change,
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
  /** Of a file: hashes of its pieces of CHUNK_BYTES, the last one shorter. */
  readonly chunks?: readonly string[];
}

export type DiskRow =
  | { readonly row: "inode"; readonly ino: number; readonly inode: InodeRow | undefined }
  | { readonly row: "entry"; readonly dir: number; readonly name: string; readonly ino: number | undefined };

/** A whole disk, as it is read at power-on and laid down by a snapshot. */
export interface DiskImage {
  /** Of the last commit in it. */
  readonly seq: number;
  readonly inodes: readonly { readonly ino: number; readonly inode: InodeRow }[];
  readonly entries: readonly { readonly dir: number; readonly name: string; readonly ino: number }[];
}
