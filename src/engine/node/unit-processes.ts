/**
 * Units and their main processes: what the service manager asks of the process table, and what it hears of it. In the real stack: PID 1's own part of that. Left out: what a
 * unit is (machine/units.ts).
 */
import { CFG } from "../corosync/index.ts";
import { MS, fromUtf8, type Duration, type IpcEvent, type IpcReply, type ProcessExit, type Signal } from "../kernel/index.ts";
import {
  contentsOf,
  type Computer,
  type KernelParty,
  type MachineRuntime,
  type ProcessRecord,
  type ServiceManager,
} from "../machine/index.ts";

const COROSYNC = "corosync";
/** How long the tool of ExecStop= runs before systemd sends its signal (ours). */
const EXEC_STOP: Duration = 30 * MS;
/** Its timer among the machine's own. */
export const EXEC_STOP_TIMER = "exec-stop";
/** What it is called as a client of local sockets. */
export const EXEC_STOP_CLIENT = "systemd";
/** systemd: EXIT_EXEC. */
const EXIT_EXEC = 203;

export class UnitProcesses implements ServiceManager, KernelParty {
  /** The unit whose process is being killed: systemd hears of it otherwise. */
  private killing: string | undefined;
  /** The answer to the last call, where it has come. */
  private heard: IpcReply | undefined;

  constructor(
    private readonly computer: Computer,
    private readonly runtime: () => MachineRuntime,
  ) {}

  spawn(unit: string, pid: number): void {
    const { table } = this.runtime();
    const place = { unit, session: "", tty: "" };
    const made = table.spawn({ argv: this.commandLine(unit), cwd: "/", parent: 1, place, sink: { kind: "nowhere" }, pid });
    if (typeof made === "string") this.computer.units.exited(unit, { code: EXIT_EXEC });
  }

  /** ExecStart= with the variables of the unit's EnvironmentFile=. */
  private commandLine(unit: string): string[] {
    const line = this.computer.units.spec(unit)?.execStart ?? "";
    return line.split(" ").flatMap((word) => (word.startsWith("$") ? defaultOptions(this.computer, unit, word.slice(1)) : [word]));
  }

  private mainPid(unit: string): number {
    return this.computer.units.get(unit)?.mainPid ?? 0;
  }

  signal(unit: string, signal: Signal): void {
    const { table } = this.runtime();
    const pid = this.mainPid(unit);
    if (pid !== 0) table.signal(pid, signal);
    table.settle();
  }

  /** systemd sends SIGCONT after SIGTERM. */
  stop(unit: string, polite: "exec-stop" | "SIGTERM"): void {
    if (polite === "exec-stop" && unit === COROSYNC && this.askToLeave(unit)) return;
    const { table } = this.runtime();
    const pid = this.mainPid(unit);
    table.signal(pid, "SIGTERM");
    table.signal(pid, "SIGCONT");
    table.settle();
  }

  /**
   * corosync's ExecStop=, corosync-cfgtool -H: a message over the ring; then the signal, for a daemon that has not heeded it (it gathers). False where the daemon's
   * socket does not answer, or says "try again".
   */
  private askToLeave(unit: string): boolean {
    const { table } = this.runtime();
    if (table.get(this.mainPid(unit))?.since !== undefined) return false;
    const port = table.sockets.port(EXEC_STOP_CLIENT);
    const connection = port.connect(CFG);
    if (connection === undefined) return false;
    this.heard = undefined;
    port.request(connection, { call: "corosync_cfg_try_shutdown" });
    table.settle();
    if (this.accepted() !== true) return false;
    this.computer.timers.set(EXEC_STOP_TIMER, this.computer.now + EXEC_STOP);
    return true;
  }

  /** What the last call came to; undefined where there is no answer yet. */
  private accepted(): boolean | undefined {
    return this.heard && this.heard.error === undefined;
  }

  event(event: IpcEvent): void {
    if (event.what !== "reply") return;
    this.heard = event.reply;
    this.runtime().table.sockets.port(EXEC_STOP_CLIENT).close(event.id);
  }

  /** SIGKILL; the process is gone when this returns. */
  kill(unit: string): void {
    this.killing = unit;
    this.signal(unit, "SIGKILL");
    this.killing = undefined;
  }

  ended({ pid, place }: Readonly<ProcessRecord>, exit: ProcessExit): void {
    const { units } = this.computer;
    if (place.unit === this.killing || units.get(place.unit)?.mainPid !== pid) return;
    units.exited(place.unit, exit);
    this.computer.afterUnitChange();
  }

  ready({ pid, place }: Readonly<ProcessRecord>): void {
    const { units } = this.computer;
    if (units.get(place.unit)?.mainPid !== pid) return;
    units.ready(place.unit);
    this.computer.afterUnitChange();
  }
}

/** The words of a variable in a file of /etc/default; none where it is not set. */
function defaultOptions(computer: Computer, file: string, variable: string): string[] {
  const found = contentsOf(computer.files, `/etc/default/${file}`);
  if (found === undefined) return [];
  let value = "";
  for (const line of fromUtf8(found).split("\n")) {
    const m = /^\s*([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (m?.[1] === variable) value = m[2] ?? m[3] ?? m[4] ?? "";
  }
  return value.split(/\s+/).filter((w) => w !== "");
}
