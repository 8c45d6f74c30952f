/**
 * PID 1's own dealings with the process table: it starts what units are made of, signals it, hears of its end and of what it says by sd_notify(3). In the real stack: the fork and
 * waitpid of systemd's manager. Left out: users (what a unit runs is root's), control groups but as the place that a process carries.
 */
import type { ProcessExit, Signal } from "../kernel/index.ts";
import type { ServiceManager } from "./process/hooks.ts";
import type { ProcessRecord } from "./process/process.ts";
import type { ProcessTable } from "./process/table.ts";
import { journalUnit, unitType, type Manager, type SpawnRequest, type Spawned } from "./systemd/index.ts";

/** The unit of a process, by its whole name. */
function unitOf(process: Readonly<ProcessRecord>): string {
  const { unit } = process.place;
  return unitType(unit) === undefined ? `${unit}.service` : unit;
}

export class ServiceProcesses implements ServiceManager {
  constructor(
    private readonly manager: () => Manager,
    private readonly table: () => ProcessTable,
    private readonly newPid: () => number,
  ) {}

  spawn({ unit, argv, cwd, env }: SpawnRequest): Spawned {
    const pid = this.newPid();
    const place = { unit: journalUnit(unit), session: "", tty: "" };
    const made = this.table().spawn({ argv, cwd, env, parent: 1, place, sink: { kind: "nowhere" }, pid });
    return typeof made === "string" ? { pid, errno: made === "ENOENT" ? "ENOENT" : "EACCES" } : { pid };
  }

  /** It comes with the local events: what is asked of the manager ends with `ProcessTable.settle`. */
  kill(pid: number, signal: Signal): void {
    this.table().signal(pid, signal);
  }

  processes(unit: string): { pid: number; name: string; command: string }[] {
    const name = journalUnit(unit);
    return this.table()
      .records()
      .filter((r) => r.place.unit === name && r.exit === undefined)
      .map((r) => ({ pid: r.pid, name: r.comm, command: r.argv.join(" ") }));
  }

  ended(process: Readonly<ProcessRecord>, exit: ProcessExit): void {
    this.manager().exited(unitOf(process), process.pid, exit);
  }

  ready(process: Readonly<ProcessRecord>): void {
    this.manager().notified(unitOf(process), process.pid, { READY: "1" });
  }
}
