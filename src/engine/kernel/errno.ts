/** Errors of the kernel by name: their numbers on Linux and what strerror(3) says of them. In the real stack: errno.h and glibc's texts. */
import type { Errno } from "./vfs.ts";

const TABLE: Readonly<Partial<Record<Errno, readonly [number, string]>>> = {
  EPERM: [1, "Operation not permitted"],
  ENOENT: [2, "No such file or directory"],
  EINTR: [4, "Interrupted system call"],
  EIO: [5, "Input/output error"],
  ENXIO: [6, "No such device or address"],
  EBADF: [9, "Bad file descriptor"],
  EAGAIN: [11, "Resource temporarily unavailable"],
  EACCES: [13, "Permission denied"],
  EFAULT: [14, "Bad address"],
  EBUSY: [16, "Device or resource busy"],
  EEXIST: [17, "File exists"],
  EXDEV: [18, "Invalid cross-device link"],
  ENODEV: [19, "No such device"],
  ENOTDIR: [20, "Not a directory"],
  EISDIR: [21, "Is a directory"],
  EINVAL: [22, "Invalid argument"],
  EMFILE: [24, "Too many open files"],
  EFBIG: [27, "File too large"],
  ENOSPC: [28, "No space left on device"],
  EROFS: [30, "Read-only file system"],
  EMLINK: [31, "Too many links"],
  ENAMETOOLONG: [36, "File name too long"],
  ENOSYS: [38, "Function not implemented"],
  ENOTEMPTY: [39, "Directory not empty"],
  ELOOP: [40, "Too many levels of symbolic links"],
  EILSEQ: [84, "Invalid or incomplete multibyte or wide character"],
  EOPNOTSUPP: [95, "Operation not supported"],
  ECONNABORTED: [103, "Software caused connection abort"],
  ENOTCONN: [107, "Transport endpoint is not connected"],
  ETIMEDOUT: [110, "Connection timed out"],
  EHOSTDOWN: [112, "Host is down"],
  ESTALE: [116, "Stale file handle"],
};

/** strerror(3). A name that is none stays as it is. */
export function strerror(errno: string): string {
  return TABLE[errno as Errno]?.[1] ?? errno;
}

export function errnoNumber(errno: Errno): number {
  return TABLE[errno]?.[0] ?? 0;
}
