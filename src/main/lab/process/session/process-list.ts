/**
 * The processes in which a lab's shells run, by number, in a file of its directory: whatever ends the supervisor, the next one ends what is left of
 * them. A number alone may be a stranger's by then; with the boot and the time it began it is not.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beganOf, Ownership } from "../../store/lock.ts";

const fileOf = (dir: string): string => join(dir, "sessions.json");

interface Listed {
  readonly pid: number;
  readonly began: string;
}

export class ProcessList {
  private readonly listed = new Map<number, string>();
  private readonly ownership: Ownership;

  /** @param run of the supervisor that keeps the list: it is written only while the directory is its own */
  constructor(
    private readonly dir: string,
    run: string,
  ) {
    this.ownership = new Ownership(dir, run);
  }

  add(pid: number): void {
    this.listed.set(pid, beganOf(pid));
    this.write();
  }

  remove(pid: number): void {
    if (this.listed.delete(pid)) this.write();
  }

  private write(): void {
    if (this.ownership.lost !== undefined) return;
    const processes = [...this.listed].map(([pid, began]): Listed => ({ pid, began }));
    const path = fileOf(this.dir);
    try {
      if (processes.length === 0) return rmSync(path, { force: true });
      // After a crash of the computer none of them is there: nothing to be synced.
      writeFileSync(`${path}.tmp`, JSON.stringify({ processes }), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    } catch {
      // A full disk: the kernel ends them with this process all the same.
    }
  }
}

function readList(dir: string): Listed[] {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(dir), "utf8"));
    if (typeof value !== "object" || value === null || !("processes" in value) || !Array.isArray(value.processes)) return [];
    const isListed = (one: unknown): one is Listed =>
      typeof one === "object" &&
      one !== null &&
      "pid" in one &&
      typeof one.pid === "number" &&
      "began" in one &&
      typeof one.began === "string";
    return value.processes.filter(isListed);
  } catch {
    // Absent or damaged: it names nobody.
    return [];
  }
}

/** Ends what a supervisor that is gone has left. Whoever holds the directory's lock may ask. @returns their numbers */
export function endLeftProcesses(dir: string): number[] {
  const ended: number[] = [];
  for (const { pid, began } of readList(dir)) {
    if (pid <= 1 || began === "" || beganOf(pid) !== began) continue;
    try {
      process.kill(pid, "SIGKILL");
      ended.push(pid);
    } catch {
      // It has just gone by itself.
    }
  }
  rmSync(fileOf(dir), { force: true });
  return ended;
}
