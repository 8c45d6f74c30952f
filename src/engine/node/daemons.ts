/**
 * The corosync processes of one machine: the unit's, one started by hand in a terminal, one that went to the background, and those that find another
 * one running and give up. In the real system: the process table as far as corosync is concerned. The lock file sees to it that one of them at most comes up.
 */
import { NEVER, cloneState, type Hasher, type Instant } from "../kernel/index.ts";
import type { Computer, ExitStatus } from "../machine/index.ts";
import { Corosync } from "./corosync.ts";
import type { CorosyncState } from "./corosync-state.ts";
import { UNIT_LAUNCH, type Launch } from "./launch.ts";

/** Processes at a time. Ours: each that is not the first is gone within a tenth of a second. */
export const PROCESSES_MAX = 64;

/** What a shell sees of a process that a signal ended. */
const SIGNAL_STATUS = { SIGKILL: 137, SIGTERM: 143, SIGABRT: 134, SIGSEGV: 139, SIGINT: 130 } as const;

/** Who waits for a process: the unit's manager, a command by its id, nobody. */
type Owner = { readonly by: "unit" } | { readonly by: "command"; readonly id: string } | { readonly by: "nobody" };

interface Process {
  owner: Owner;
  readonly daemon: Corosync;
}

/** What the processes need of their machine beyond the computer. */
export interface DaemonHooks {
  /** The unit's process is ready, or gone. */
  ready(): void;
  exited(exit: ExitStatus): void;
  /** The process that had come up is gone, whoever had started it. */
  gone(): void;
  /** The process that came up has read its file again. */
  reloaded(): void;
}

export class Daemons {
  private processes: Process[] = [];
  /** The signal being delivered: what ends a process that has no handler yet. */
  private delivering: "SIGINT" | "SIGTERM" = "SIGTERM";

  constructor(
    private readonly computer: Computer,
    private readonly seed: string,
    private readonly hooks: DaemonHooks,
  ) {}

  /** The process that came up, or is about to. */
  get holder(): Corosync | undefined {
    return this.processes.find((p) => p.daemon.holds)?.daemon;
  }

  /** The unit's main process. */
  get unit(): Corosync | undefined {
    return this.processes.find((p) => p.owner.by === "unit")?.daemon;
  }

  get full(): boolean {
    return this.processes.length >= PROCESSES_MAX;
  }

  /** A command in a terminal waits for one. */
  get commanded(): boolean {
    return this.processes.some((p) => p.owner.by === "command");
  }

  startUnit(pid: number): void {
    this.start(this.make({ by: "unit" }, pid, UNIT_LAUNCH));
  }

  /** Somebody typed it; its output and its end are those of command `id`. */
  startCommand(id: string, launch: Launch): void {
    this.start(this.make({ by: "command", id }, this.computer.newPid(), launch));
  }

  private start(process: Process): void {
    this.processes.push(process);
    process.daemon.start();
  }

  private make(owner: Owner, pid: number, launch: Launch): Process {
    const process: Process = {
      owner,
      daemon: new Corosync(this.computer, this.seed, pid, launch, {
        ready: () => {
          if (process.owner.by === "unit") this.hooks.ready();
        },
        exited: (exit) => this.exited(process, exit),
        reloaded: () => this.hooks.reloaded(),
        stderr: (text) => {
          if (process.owner.by === "command") this.computer.emit({ kind: "output", id: process.owner.id, stream: "stderr", text });
        },
        detached: () => {
          if (process.owner.by === "command") this.computer.emit({ kind: "exit", id: process.owner.id, status: 0 });
          process.owner = { by: "nobody" };
        },
        locked: () => this.processes.some((p) => p !== process && p.daemon.holds),
      }),
    };
    return process;
  }

  private exited(process: Process, exit: ExitStatus): void {
    this.processes = this.processes.filter((p) => p !== process);
    if (this.holder === undefined) this.hooks.gone();
    if (process.owner.by === "unit") this.hooks.exited(exit);
    else if (process.owner.by === "command") {
      const status = "code" in exit ? exit.code : SIGNAL_STATUS[exit.signal === "SIGTERM" ? this.delivering : exit.signal];
      this.computer.emit({ kind: "exit", id: process.owner.id, status });
    }
  }

  /** For the process of command `id`: corosync takes both signals as an order to leave. False: there is no such process. */
  signal(id: string, signal: "SIGINT" | "SIGTERM"): boolean {
    const process = this.processes.find((p) => p.owner.by === "command" && p.owner.id === id);
    this.delivering = signal;
    process?.daemon.terminate();
    this.delivering = "SIGTERM";
    return process !== undefined;
  }

  /** The machine goes down: what systemd finds in the login session gets SIGTERM. */
  endSession(): void {
    for (const p of [...this.processes]) if (p.owner.by !== "unit") p.daemon.terminate();
  }

  /** SIGKILL of the unit's process. */
  killUnit(): void {
    this.unit?.kill();
    this.processes = this.processes.filter((p) => p.owner.by !== "unit");
    if (this.holder === undefined) this.hooks.gone();
  }

  /** The power went. */
  powerLost(): void {
    const gone = this.processes;
    this.processes = [];
    for (const { owner, daemon } of gone) {
      daemon.kill();
      if (owner.by === "command") this.computer.emit({ kind: "exit", id: owner.id, status: SIGNAL_STATUS.SIGKILL });
    }
  }

  /** The machine's processors stall. */
  stop(): void {
    for (const p of this.processes) p.daemon.stop();
  }

  /** They run again; the unit's process stays stopped where it was so by itself. */
  resume(unitStaysStopped: boolean): void {
    for (const p of [...this.processes]) if (p.owner.by !== "unit" || !unitStaysStopped) p.daemon.resume();
  }

  nextTimerAt(): Instant {
    return this.processes.reduce((at, p) => Math.min(at, p.daemon.nextTimerAt()), NEVER);
  }

  runTimer(now: Instant): void {
    const at = this.nextTimerAt();
    this.processes.find((p) => p.daemon.nextTimerAt() === at)?.daemon.runTimer(now);
  }

  snapshot(): unknown {
    return this.processes.map(({ owner, daemon }) => ({ owner: cloneState(owner), state: daemon.snapshot() }));
  }

  restore(state: unknown): void {
    this.processes = (state as { owner: Owner; state: CorosyncState }[]).map((saved) => {
      const process = this.make(cloneState(saved.owner), saved.state.life.pid, saved.state.life.launch);
      process.daemon.restore(saved.state);
      return process;
    });
  }

  digest(h: Hasher): void {
    h.int(this.processes.length);
    for (const { owner, daemon } of this.processes) {
      h.text(owner.by === "command" ? owner.id : owner.by);
      daemon.digest(h);
    }
  }
}
