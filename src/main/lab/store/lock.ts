/** Who runs the lab of a directory: a lock file naming the supervisor's process, its socket and the secret that opens it. Mode 0600. */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemTrouble, Trouble } from "../trouble.ts";

export interface Lock {
  pid: number;
  /** When that process began, and in which boot of the computer: its number alone may be a stranger's by then. "" where nothing is known of that. */
  began: string;
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
    const { pid, began, socket, secret, run } = value as Partial<Record<keyof Lock, unknown>>;
    if (typeof pid !== "number" || typeof socket !== "string" || typeof secret !== "string" || typeof run !== "string") return undefined;
    return { pid, began: typeof began === "string" ? began : "", socket, secret, run };
  } catch {
    // Absent or cut short: nobody who finished starting holds it.
    return undefined;
  }
}

/** When a process began, and in which boot of the computer. "" where nothing is known of that, and where it has ended and waits for its parent. */
export function beganOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return fields[0] === "Z" || fields[0] === "X" ? "" : `${boot}/${fields[19] ?? ""}`;
  } catch {
    // Gone, or a system without such files.
    return "";
  }
}

/** Does the supervisor live that took this lock? */
export function holderRuns({ pid, began }: Pick<Lock, "pid" | "began">): boolean {
  if (began !== "") return beganOf(pid) === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
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
    if (holder && holderRuns(holder)) return holder;
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
