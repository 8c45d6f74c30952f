/**
 * The one object through which interpreter and programs touch the node. It counts what is under way, so that the port learns when the whole shell does
 * nothing but wait (time may pass) and when it computes (a scripted line holds the floor), and it hands the event loop its turn in long loops.
 */
import type { FileAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { Duration } from "../../engine/kernel/time.ts";
import type { Interrupt } from "./interrupt.ts";
import type { NodePort, Now, RunningCommand } from "./port.ts";

/** Longest stretch of computing before input and Ctrl-C are looked at, ms of wall time. */
const SLICE_MS = 8;

/** Processes (pipeline stages, subshells, background jobs) one session may have at a time. */
export const PROCESSES_MAX = 512;

export class System {
  private busyCount = 0;
  private idle = false;
  private checkPending = false;
  private lastYield = performance.now();
  private steps = 0;
  private nextPid = 4000;
  processes = 0;
  private closed = false;

  constructor(readonly port: NodePort) {}

  pid(): number {
    return ++this.nextPid;
  }

  /** Files with bytes that are written but not yet on the node: whoever looks at the node sees them there first. */
  readonly unwritten = new Set<() => Promise<void>>();

  async query(query: MachineQuery): Promise<QueryReply> {
    await this.writeOut();
    return this.busy(this.port.query(query));
  }

  async file(act: FileAct): Promise<string | undefined> {
    await this.writeOut();
    return this.fileNow(act);
  }

  /** Without regard to what is unwritten. */
  async fileNow(act: FileAct): Promise<string | undefined> {
    const { errno, lasts } = await this.busy(this.port.file(act));
    // Whoever waits for a disk is not to be interrupted.
    if (lasts > 0) await this.wait(this.port.sleep(lasts).done);
    return errno;
  }

  async command(argv: readonly string[], cwd: string): Promise<RunningCommand> {
    await this.writeOut();
    return this.busy(this.port.command(argv, cwd, ""));
  }

  private async writeOut(): Promise<void> {
    for (const write of [...this.unwritten]) await write();
  }

  now(): Promise<Now> {
    return this.busy(this.port.now());
  }

  /** Virtual time passes. Rejects with Interrupted. */
  async sleep(duration: Duration, interrupt: Interrupt): Promise<void> {
    const sleep = this.port.sleep(duration);
    try {
      await this.wait(interrupt.race(sleep.done));
    } finally {
      sleep.cancel();
    }
  }

  /** Something of this session is being worked on until `work` settles: no virtual time may pass. */
  async busy<T>(work: Promise<T>): Promise<T> {
    this.busyCount++;
    this.wake();
    try {
      return await work;
    } finally {
      this.busyCount--;
      this.check();
    }
  }

  /** Waits for what needs virtual time or the caller's input. */
  async wait<T>(event: Promise<T>): Promise<T> {
    this.wake();
    this.check();
    try {
      return await event;
    } finally {
      this.wake();
      this.check();
    }
  }

  /** Called at every step of the interpreter and in every long loop of a program: bounds how long the event loop is kept from its other work. */
  async step(interrupt: Interrupt): Promise<void> {
    interrupt.check();
    if (++this.steps % 64 !== 0 || performance.now() - this.lastYield < SLICE_MS) return;
    await this.busy(new Promise<void>((resolve) => setImmediate(resolve)));
    this.lastYield = performance.now();
    interrupt.check();
  }

  /** The shell has ended: it neither computes nor waits any more. */
  close(): void {
    this.closed = true;
  }

  private wake(): void {
    if (!this.idle) return;
    this.idle = false;
    this.port.waiting(false);
  }

  /** All promises that can go on have gone on by the time `setImmediate` runs; what is left then waits. */
  private check(): void {
    if (this.checkPending || this.closed) return;
    this.checkPending = true;
    setImmediate(() => {
      this.checkPending = false;
      if (this.busyCount > 0 || this.idle || this.closed) return;
      this.idle = true;
      this.port.waiting(true);
    });
  }
}
