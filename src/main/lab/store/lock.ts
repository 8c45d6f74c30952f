/** Who runs the lab of a directory: a lock file naming the supervisor's process, its socket and the secret that opens it. Mode 0600. */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemTrouble, Trouble } from "../trouble.ts";

export interface Lock {
  pid: number;
  socket: string;
  secret: string;
  /** Random name of this run of the supervisor. */
  run: string;
}

function lockFile(dir: string): string {
  return join(dir, "running.json");
}

/** The lock of the directory, whoever holds it; undefined where there is none or it cannot be read. */
export function readLock(dir: string): Lock | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(lockFile(dir), "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, socket, secret, run } = value as Partial<Record<keyof Lock, unknown>>;
    if (typeof pid !== "number" || typeof socket !== "string" || typeof secret !== "string" || typeof run !== "string") return undefined;
    return { pid, socket, secret, run };
  } catch {
    // Absent or cut short: nobody who finished starting holds it.
    return undefined;
  }
}

/** On Linux: the process is no zombie, and no stranger who got the number of a dead supervisor. Elsewhere nothing is known: true. */
function looksLikeSupervisor(pid: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    const state = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
    return state !== "Z" && state !== "X" && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("supervisor");
  } catch {
    // Gone between two looks, or no /proc: the signal's answer stands.
    return true;
  }
}

/** Does this supervisor process live? */
export function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return looksLikeSupervisor(pid);
}

/**
 * Takes the lock. Returns the lock of a living process that holds it already, else undefined. A lock whose process is gone is replaced.
 * Throws Trouble when the directory cannot be written.
 */
export function takeLock(dir: string, lock: Lock): Lock | undefined {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const fd = openSync(lockFile(dir), "wx", 0o600);
      try {
        writeSync(fd, JSON.stringify(lock));
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw systemTrouble(error, `lab directory ${dir}`);
    }
    const holder = readLock(dir);
    if (holder && processAlive(holder.pid)) return holder;
    rmSync(lockFile(dir), { force: true });
  }
  return readLock(dir);
}

/**
 * That a lab's directory is still the one whose lock this run took. Somebody may delete it while the lab runs, move it away, or make another lab in its place: nothing may be
 * written there any more then.
 */
export class Ownership {
  private readonly made: string;

  constructor(
    private readonly dir: string,
    private readonly run: string,
  ) {
    this.made = identityOf(dir);
  }

  /** Why the directory is this run's no longer, in one line; undefined while it is. */
  get lost(): string | undefined {
    if (identityOf(this.dir) !== this.made) return `${this.dir} is no longer the directory of this lab`;
    return readLock(this.dir)?.run === this.run ? undefined : `${this.dir} is locked by this lab no longer`;
  }

  /** Throws Trouble where it is this run's no longer. */
  check(): void {
    const { lost } = this;
    if (lost !== undefined) throw new Trouble("lab", `${lost}; nothing is written there any more`);
  }
}

/** Of the directory that has this name now; "" where none has. */
function identityOf(dir: string): string {
  const stat = statSync(dir, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.dev}:${stat.ino}`;
}

/** Gives the lock back, if this run holds it. */
export function dropLock(dir: string, run: string): void {
  if (readLock(dir)?.run === run) rmSync(lockFile(dir), { force: true });
}
