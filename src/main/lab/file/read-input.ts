/** A file that the person names, on the command line or in a lab file: a regular file of a bounded size, read once. Everything else is refused in one line. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { systemTrouble, Trouble } from "../trouble.ts";

/** Bytes of a corosync.conf that are read. Ours: the file of 384 nodes with 8 links has a tenth of it. */
export const CONF_BYTES_MAX = 1 << 20;
/** Bytes of a lab file or scenario. Ours: the largest lab has a tenth of it. */
export const LAB_FILE_BYTES_MAX = 4 << 20;
/** Bytes of a record, and of what a series of fuzz runs keeps. Ours. */
export const RECORD_BYTES_MAX = 256 << 20;

function kindOf(stat: Stats): string | undefined {
  if (stat.isFile()) return undefined;
  if (stat.isDirectory()) return "a directory";
  if (stat.isFIFO()) return "a pipe";
  if (stat.isSocket()) return "a socket";
  return "a device";
}

function sizeOf(bytes: number): string {
  return bytes >= 1 << 20 ? `${bytes >> 20} MiB` : `${bytes} bytes`;
}

/**
 * The bytes of a file.
 * @param most bytes that are read
 * @param what such a file is, in a few plain terms: `a corosync.conf`
 * @throws Trouble (usage), one line
 */
export function readInputBytes(path: string, most: number, what: string): Uint8Array {
  try {
    // A pipe that nobody writes to would be waited for.
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stat = fstatSync(fd);
      const kind = kindOf(stat);
      if (kind !== undefined) throw new Trouble("usage", `read ${path}: it is ${kind}; ${what} is a regular file`);
      const tooLarge = (): Trouble =>
        new Trouble("usage", `read ${path}: larger than ${sizeOf(most)}, which is as much as ${what} may have`);
      if (stat.size > most) throw tooLarge();
      return readUpTo(fd, stat.size, most, tooLarge);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw error instanceof Trouble ? error : new Trouble("usage", systemTrouble(error, `read ${path}`).message);
  }
}

/** Some files say that they are empty and are not; one may grow while it is read. */
function readUpTo(fd: number, size: number, most: number, tooLarge: () => Trouble): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (let room = size + 1; ; room = 1 << 16) {
    const piece = Buffer.alloc(room);
    const got = readSync(fd, piece, 0, room, null);
    total += got;
    if (total > most) throw tooLarge();
    if (got === 0) return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, total);
    pieces.push(piece.subarray(0, got));
  }
}

/** The same as text. */
export function readInput(path: string, most: number, what: string): string {
  const bytes = readInputBytes(path, most, what);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
