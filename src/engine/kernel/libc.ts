/**
 * What a daemon does with whole files, over the file calls: read one, write one, make a directory with those above it. In the real stack: a few lines of C in every
 * daemon. Only for files that this machine's kernel serves by itself; a program that must not block asks with `call` instead. Left out: locks.
 */
import { joinedBytes } from "./bytes.ts";
import type { Errno, FilePort } from "./vfs.ts";

/** Bytes asked for in one read. */
const PIECE_BYTES = 64 * 1024;

type Fetched = { readonly ok: true; readonly data: Uint8Array } | { readonly ok: false; readonly errno: Errno };

/** Everything in a file; EISDIR for a directory. */
export function readWhole(files: FilePort, path: string): Fetched {
  const opened = files.blocking({ call: "open", path, flags: { access: "r" } });
  if (!opened.ok) return opened;
  if (opened.value !== "fd") throw new Error("open answered without a descriptor");
  const { fd } = opened;
  const pieces: Uint8Array[] = [];
  let result: Fetched | undefined;
  while (result === undefined) {
    const read = files.blocking({ call: "read", fd, length: PIECE_BYTES });
    if (!read.ok) result = read;
    else if (read.value !== "data") throw new Error("read answered without data");
    else if (read.data.length > 0) pieces.push(read.data);
    else result = { ok: true, data: joinedBytes(pieces) };
  }
  files.blocking({ call: "close", fd });
  return result;
}

/** The bytes of a regular file; undefined where there is none that can be read. */
export function readFileBytes(files: FilePort, path: string): Uint8Array | undefined {
  const read = readWhole(files, path);
  return read.ok ? read.data : undefined;
}

/**
 * Writes `data` over the beginning of a file; makes it with `mode` where there is none. What stood behind it stays, as without O_TRUNC.
 * @returns the errno, undefined when done
 */
export function writeOver(files: FilePort, path: string, data: Uint8Array, mode: number): Errno | undefined {
  let opened = files.blocking({ call: "open", path, flags: { access: "w" } });
  if (!opened.ok) opened = files.blocking({ call: "open", path, flags: { access: "rw", create: true }, mode });
  if (!opened.ok) return opened.errno;
  if (opened.value !== "fd") throw new Error("open answered without a descriptor");
  const { fd } = opened;
  const written = files.blocking({ call: "write", fd, data });
  files.blocking({ call: "close", fd });
  return written.ok ? undefined : written.errno;
}

/** mkdir -p. @returns the errno, undefined when the directory is there */
export function makeDirectories(files: FilePort, path: string, mode = 0o755): Errno | undefined {
  const names = path.split("/").filter((name) => name !== "");
  for (let i = 1; i <= names.length; i++) {
    const made = files.blocking({ call: "mkdir", path: `/${names.slice(0, i).join("/")}`, mode });
    if (!made.ok && made.errno !== "EEXIST") return made.errno;
  }
  const there = files.blocking({ call: "stat", path });
  if (!there.ok) return there.errno;
  return there.value === "stat" && there.stat.type !== "directory" ? "ENOTDIR" : undefined;
}

export function exists(files: FilePort, path: string): boolean {
  return files.blocking({ call: "stat", path }).ok;
}
