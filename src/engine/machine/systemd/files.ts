/**
 * The files as the service manager needs them: a narrow view of a disk to read unit files, conditions and time stamps by, and the few changes that enabling, masking
 * and persistent timers make. In the real stack: open(2), readdir(3), readlink(2), stat(2), symlink(2) and unlink(2) of PID 1. All answers come at once: unit files are
 * on file systems that the kernel serves by itself.
 */

export interface FileFacts {
  readonly type: "file" | "directory" | "symlink" | "socket" | "fifo";
  readonly size: number;
  readonly mode: number;
  /** µs since 1970. */
  readonly mtimeUnixMicros: number;
}

export interface FileView {
  /** The bytes of a regular file, links followed; undefined where there is none. */
  read(path: string): Uint8Array | undefined;
  /** Names in a directory, links followed; undefined where it is none. */
  list(path: string): readonly string[] | undefined;
  /** Where a symbolic link points, as written; undefined where it is none. */
  readlink(path: string): string | undefined;
  /** Links followed. */
  stat(path: string): FileFacts | undefined;
}

/** Changes of the disk; the answer is the errno, undefined on success. */
export interface FileEdits {
  /** Makes the directories above it where they are missing; replaces a link that is there. */
  symlink(target: string, path: string): string | undefined;
  unlink(path: string): string | undefined;
  /** Removes a directory that is empty; no error otherwise. */
  rmdir(path: string): void;
  /** Makes or replaces a file, and the directories above it. */
  write(path: string, data: Uint8Array): string | undefined;
}

/** Where unit files are, the most important place first. */
export const UNIT_DIRECTORIES = ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"] as const;

/** The place of the administrator's links, and of those until the next boot. */
export const ETC_UNITS = UNIT_DIRECTORIES[0];
export const RUN_UNITS = UNIT_DIRECTORIES[1];
export const LIB_UNITS = UNIT_DIRECTORIES[2];

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path with `.` and `..` taken out; `target` may be relative to the directory of `link`. */
export function linkTarget(link: string, target: string): string {
  const parts: string[] = [];
  const whole = target.startsWith("/") ? target : `${link.slice(0, link.lastIndexOf("/"))}/${target}`;
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
