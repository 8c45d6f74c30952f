/**
 * Files written so that a crash at any instant leaves the old content or the new, never half of it. Our own because write-file-atomic (7.0.1) writes
 * once and does not look at how much was taken: on a disk that fills up it puts half of the new content over the old one and reports no error.
 */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { systemTrouble, Trouble } from "../trouble.ts";

function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at, data.length - at);
}

/** Mode of a folder that is nobody's but this user's. */
const PRIVATE_FOLDER_MODE = 0o700;

/** Makes a directory and what is missing above it, `alone`: it is this user's alone, whatever the umask. Asks the one that exists first: mkdir's own word for a read-only file system is misleading. */
export function makeDir(dir: string, alone = false): void {
  let above = dir;
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  if (above === dir) return mustBeDirectory(dir);
  mustBeDirectory(above);
  accessSync(above, constants.W_OK);
  // One after the other: mkdir's own recursion never ends in a file system that says "no such file" to a new name, as /proc does.
  for (const name of relative(above, dir).split(sep)) {
    above = join(above, name);
    try {
      mkdirSync(above);
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
  if (alone && process.platform !== "win32") chmodSync(dir, PRIVATE_FOLDER_MODE);
}

function mustBeDirectory(path: string): void {
  if (!statSync(path).isDirectory()) throw new Trouble("failed", `${path} is not a directory`);
}

/** Mode of a file that is nobody's but this user's. */
export const PRIVATE_MODE = 0o600;

/** Whoever's umask it is: more than the mode says nobody gets, and where it says so the owner not less. */
function setPrivate(fd: number): void {
  if (process.platform !== "win32" && fstatSync(fd).isFile()) fchmodSync(fd, PRIVATE_MODE);
}

function overwrite(path: string, parts: Iterable<Uint8Array>, mode: number): void {
  const fd = openSync(path, "w", mode);
  try {
    if (mode === PRIVATE_MODE) setPrivate(fd);
    for (const bytes of parts) writeAll(fd, bytes);
    if (fstatSync(fd).isFile()) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The file itself behind links; undefined for what is no file (a device, a pipe) and must be written in place. */
function fileBehind(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return path;
  return stat.isFile() ? realpathSync(path) : undefined;
}

/** Writes beside and renames over. Throws Trouble naming the path. */
export function writeAtomic(path: string, data: string | Uint8Array, mode = 0o644): void {
  writeAtomicParts(path, [typeof data === "string" ? Buffer.from(data) : data], mode);
}

/** The same, of what is longer than one text can be. */
export function writeAtomicParts(path: string, parts: Iterable<Uint8Array>, mode: number): void {
  let beside: string | undefined;
  try {
    makeDir(dirname(path), mode === PRIVATE_MODE);
    const file = fileBehind(path);
    if (file === undefined) return overwrite(path, parts, mode);
    beside = `${file}.${process.pid}.tmp`;
    overwrite(beside, parts, mode);
    renameSync(beside, file);
  } catch (error) {
    if (beside !== undefined) rmSync(beside, { force: true });
    throw systemTrouble(error, `write ${path}`);
  }
}

/** A file of this user alone that only grows, line by line. A line cut short by a crash is the reader's to drop. */
export class LineFile {
  private fd: number;

  constructor(
    readonly path: string,
    flags: "a" | "w" = "a",
  ) {
    try {
      this.fd = openSync(path, flags, PRIVATE_MODE);
      setPrivate(this.fd);
    } catch (error) {
      throw systemTrouble(error, `open ${path}`);
    }
  }

  get size(): number {
    return fstatSync(this.fd).size;
  }

  /** Adds a whole line or, when the disk refuses, nothing. */
  append(line: string): void {
    const { size } = this;
    try {
      writeAll(this.fd, Buffer.from(`${line}\n`));
    } catch (error) {
      ftruncateSync(this.fd, size);
      throw systemTrouble(error, `write ${this.path}`);
    }
  }

  sync(): void {
    try {
      fsyncSync(this.fd);
    } catch (error) {
      throw systemTrouble(error, `write ${this.path}`);
    }
  }

  close(): void {
    if (this.fd < 0) return;
    closeSync(this.fd);
    this.fd = -1;
  }
}
