/** Files written so that a crash at any instant leaves the old content or the new, never half of it. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { systemTrouble } from "./trouble.ts";

function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at, data.length - at);
}

/** Writes beside and renames over. Throws Trouble naming the path. */
export function writeAtomic(path: string, data: string | Uint8Array, mode = 0o644): void {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(beside, "w", mode);
    try {
      writeAll(fd, typeof data === "string" ? Buffer.from(data) : data);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw systemTrouble(error, `write ${path}`);
  }
}

/** A file that only grows, line by line. A line cut short by a crash is the reader's to drop. */
export class LineFile {
  #fd: number;

  constructor(
    readonly path: string,
    flags: "a" | "w" = "a",
  ) {
    try {
      this.#fd = openSync(path, flags, 0o644);
    } catch (error) {
      throw systemTrouble(error, `open ${path}`);
    }
  }

  /** Adds a whole line or, when the disk refuses, nothing. */
  append(line: string): void {
    const size = fstatSync(this.#fd).size;
    try {
      writeAll(this.#fd, Buffer.from(`${line}\n`));
    } catch (error) {
      ftruncateSync(this.#fd, size);
      throw systemTrouble(error, `write ${this.path}`);
    }
  }

  sync(): void {
    try {
      fsyncSync(this.#fd);
    } catch (error) {
      throw systemTrouble(error, `write ${this.path}`);
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
