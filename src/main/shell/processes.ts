/**
 * The processes of one shell as its machine sees them. What this shell runs by itself (subshells, loops in a pipe, its own programs) is carried out
 * here and nowhere else; it becomes a process of the machine when somebody could see it: a background job at once, everything else before virtual time
 * passes. What begins and ends within one instant never does, and takes no process id. Signals that such a process gets on its machine hold it or end
 * it here. Left out: which signals a subshell ignores, priorities, and that a program started by a killed subshell goes on: it gets the signal, too. A
 * pipeline in the background has a fork of the shell above its stages, whose pid is `$!`.
 */
import type { Interrupt } from "./interrupt.ts";
import { Interrupted } from "./interrupt.ts";
import type { Fork, PortSession, RunningCommand } from "./port.ts";
import { PortError } from "./port.ts";

/** Processes (pipeline stages, subshells, background jobs, programs) one session may have at a time. */
export const PROCESSES_MAX = 512;

/** What a process may have to be found by its machine. */
interface Owner {
  session(): Promise<PortSession>;
  busy<T>(work: Promise<T>): Promise<T>;
  /** One fork at a time: however fast a shell multiplies, the lab has one act of it to do. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

export class Process {
  private fork: Fork | undefined;
  private forking: Promise<Fork> | undefined;
  /** A program of the machine stands in its place. */
  private replaced: RunningCommand | undefined;
  private over = false;
  /** Its open files, as it got them. */
  fds: ReadonlyMap<number, unknown> | undefined;
  /** A job hears of its process's stops. */
  onStopped: ((stopped: boolean) => void) | undefined;

  constructor(
    private readonly owner: Owner,
    readonly parent: Process | undefined,
    /** Undefined: the shell's own command line. */
    private argv: readonly string[] | undefined,
    readonly interrupt: Interrupt,
    readonly group: boolean,
  ) {}

  /** 0 while the machine does not know of it. */
  get pid(): number {
    return this.replaced?.pid ?? this.fork?.pid ?? 0;
  }

  get known(): boolean {
    return this.forking !== undefined || this.replaced !== undefined || this.over;
  }

  /** Its fork on the machine, where it has one that is still there. */
  get there(): Fork | undefined {
    return this.replaced || this.over ? undefined : this.fork;
  }

  /** It becomes a process of the machine, if it is none yet. @returns its pid; 0 where the machine has no room for it */
  async announce(): Promise<number> {
    if (!this.known) this.forking = this.owner.busy(this.begin());
    await this.forking;
    return this.pid;
  }

  private async begin(): Promise<Fork> {
    const session = await this.owner.session();
    await this.parent?.announce();
    return this.owner.inTurn(() => this.forked(session));
  }

  private async forked(session: PortSession): Promise<Fork> {
    const fork = await session.fork(this.argv, { parent: this.parent?.there, group: this.group });
    this.fork = fork;
    void this.listen(fork);
    return fork;
  }

  private async listen(fork: Fork): Promise<void> {
    try {
      for (;;) {
        const event = await fork.next();
        // Time stood still for it, and goes on unless it is something to do.
        void this.owner.busy(Promise.resolve());
        if (event.kind === "stopped") this.stopped(event.stopped);
        if (event.kind !== "exit") continue;
        if (!this.over) this.interrupt.fire(event.status > 128 ? event.status - 128 : 15);
        return;
      }
    } catch (error) {
      // The machine is gone: whoever waits for anything there is told.
      if (!(error instanceof PortError)) throw error;
    }
  }

  /** A signal stopped it, or it goes on. */
  stopped(stopped: boolean): void {
    this.interrupt.hold(stopped);
    this.onStopped?.(stopped);
  }

  /** It goes on as another program that is carried out here. */
  async exec(argv: readonly string[]): Promise<void> {
    this.argv = argv;
    if (!this.forking) return;
    const fork = await this.forking;
    await this.owner.busy(fork.exec(argv));
  }

  /** A program of the machine stands in its place from now on. */
  becomes(command: RunningCommand): void {
    this.replaced = command;
  }

  async end(status: number): Promise<void> {
    if (this.over) return;
    this.over = true;
    if (!this.forking || this.replaced) return;
    try {
      const fork = await this.forking;
      await this.owner.busy(fork.exit(status & 255));
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
    }
  }
}

export class Processes {
  private readonly live = new Set<Process>();
  private readonly none = new Set<() => void>();

  constructor(private readonly owner: Owner) {}

  /** Undefined where there is no room for another one. */
  begin(parent: Process | undefined, argv: readonly string[] | undefined, interrupt: Interrupt, group = false): Process | undefined {
    if (this.live.size >= PROCESSES_MAX) return undefined;
    const process = new Process(this.owner, parent, argv, interrupt, group);
    this.live.add(process);
    return process;
  }

  async end(process: Process, status: number): Promise<void> {
    try {
      await process.end(status);
    } finally {
      this.live.delete(process);
      if (this.live.size === 0) {
        for (const tell of this.none) tell();
        this.none.clear();
      }
    }
  }

  /** A signal to all that are there. */
  fire(signal: number): void {
    for (const { interrupt } of [...this.live]) interrupt.fire(signal);
  }

  /** Settles when none is there. */
  whenNone(): Promise<void> {
    return this.live.size === 0 ? Promise.resolve() : new Promise((resolve) => this.none.add(resolve));
  }

  /** Time is about to pass: whoever runs is a process of the machine. @returns undefined where all are */
  announce(): Promise<unknown> | undefined {
    const late = [...this.live].filter((process) => !process.known && !process.interrupt.fired);
    return late.length === 0 ? undefined : Promise.allSettled(late.map((process) => process.announce()));
  }
}

/** Runs `work` under an interrupt of its own; a signal to it alone is its status. */
export async function alone(outer: Interrupt, inner: Interrupt, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Interrupted && inner.fired && !outer.fired) return error.status;
    throw error;
  }
}
