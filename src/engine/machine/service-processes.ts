/**
 * PID 1's own dealings with the process table: it starts what units are made of, signals it, hears of its end and of what it says by sd_notify(3). A script runs by what its first line names, as the
 * kernel does it. In the real stack: the fork and waitpid of systemd's manager, and execve(2). Left out: users (what a unit runs is root's), control groups but as the place that a process
 * carries.
 */
import { fromUtf8, type ProcessExit, type Signal } from "../kernel/index.ts";
import type { ServiceManager } from "./process/hooks.ts";
import type { ProcessRecord, Sink } from "./process/process.ts";
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
    /** What it prints goes to the journal; the daemons write there themselves. */
    private readonly printsToJournal: (argv: readonly string[]) => boolean,
  ) {}

  spawn({ unit, argv, cwd, env }: SpawnRequest): Spawned {
    const pid = this.newPid();
    const place = { unit: journalUnit(unit), session: "", tty: "" };
    const sink = (command: readonly string[]): Sink => ({ kind: this.printsToJournal(command) ? "journal" : "nowhere" });
    const begin = (command: readonly string[]): number | "EAGAIN" | "ENOENT" =>
      this.table().spawn({ argv: command, cwd, env, parent: 1, place, sink: sink(command), pid });
    const made = begin(argv);
    if (typeof made === "number") return { pid };
    if (made === "EAGAIN") return { pid, errno: "EACCES" };
    const by = this.interpreter(argv[0] ?? "");
    if (typeof by === "string") return { pid, errno: by };
    return typeof begin([...by, ...argv]) === "number" ? { pid } : { pid, errno: "ENOSYS" };
  }

  /** What a file that is no program of the lab's is run by; else why it cannot be. */
  private interpreter(path: string): readonly string[] | "ENOENT" | "EACCES" | "ENOSYS" {
    const { files } = this.manager().hooks;
    const facts = files.stat(path);
    if (facts === undefined) return "ENOENT";
    if (facts.type !== "file" || (facts.mode & 0o111) === 0) return "EACCES";
    const [, interpreter = "", option = ""] = /^#! *(\S+)[ \t]*(\S*)/.exec(fromUtf8(files.read(path) ?? new Uint8Array(0))) ?? [];
    if (interpreter === "") return "ENOSYS";
    return interpreter === "/usr/bin/env" ? [`/usr/bin/${option}`] : [interpreter, ...(option === "" ? [] : [option])];
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
