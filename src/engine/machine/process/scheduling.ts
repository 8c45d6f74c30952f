/**
 * Signals, and processes that do not run. In the real stack: kill(2)'s delivery, job control's stops, a hypervisor's pause. SIGSTOP, a stalled machine and a late scheduler are one
 * thing here: what comes for a process meanwhile waits in its order, and its timers run late. Left out: masks, and core files.
 */
import {
  INPUT_LINES_MAX,
  LOCAL_EVENTS_MAX,
  SOCKET_BUFFER_BYTES,
  defaultAction,
  type Instant,
  type ProcessExit,
  type ProgramEvent,
  type Signal,
} from "../../kernel/index.ts";
import { datagramCost } from "../socket.ts";
import type { ProcessHooks } from "./hooks.ts";
import { timerOf, type Process, type ProcessRecord } from "./process.ts";
import type { Turns } from "./turns.ts";

/** What it needs of the process table. */
export interface SchedulingCalls {
  readonly hooks: Pick<ProcessHooks, "now" | "tcp" | "emit">;
  processes(): readonly Process[];
  end(process: Process, exit: ProcessExit): void;
  /** An event's turn has come: false where it concerns nobody any more. */
  admit(record: ProcessRecord, event: ProgramEvent): boolean;
  settle(): void;
}

export class Scheduling {
  /** The machine's processors stand still. */
  private stands = false;
  /** What TCP kept for a process that is about to run again goes there. */
  private collecting: ProcessRecord | undefined;

  constructor(
    private readonly turns: Turns,
    private readonly calls: SchedulingCalls,
  ) {}

  get stalled(): boolean {
    return this.stands;
  }

  /** TCP has something for a process that is about to run again; false: for another one. */
  collects(serial: number, event: ProgramEvent): boolean {
    if (this.collecting?.serial !== serial) return false;
    this.collecting.waiting.push(event);
    return true;
  }

  deliver(process: Process, signal: Signal): void {
    const { record, program } = process;
    if (program === undefined) return;
    if (signal === "SIGKILL") this.calls.end(process, { signal });
    else if (signal === "SIGSTOP") this.stop(process);
    else if (signal === "SIGCONT") {
      record.pending = record.pending.filter((s) => defaultAction(s) !== "stop");
      this.resume(process);
      if (record.exit === undefined && program.handles().includes(signal)) this.turns.take(process, (p) => p.signal(signal));
    } else if (record.since === undefined) this.act(process, signal);
    else if (!record.pending.includes(signal)) record.pending.push(signal);
  }

  private act(process: Process, signal: Signal): void {
    if (process.program?.handles().includes(signal) === true) this.turns.take(process, (program) => program.signal(signal));
    else this.byDefault(process, signal);
  }

  private byDefault(process: Process, signal: Signal): void {
    const action = defaultAction(signal);
    if (action === "terminate" || action === "core") this.calls.end(process, { signal });
    else if (action === "stop") this.stop(process);
  }

  private stop(process: Process): void {
    if (process.record.stopped) return;
    process.record.stopped = true;
    this.tell(process.record);
    this.pause(process);
  }

  private resume(process: Process): void {
    if (!process.record.stopped) return;
    process.record.stopped = false;
    this.tell(process.record);
    if (!this.stands) this.wake(process);
  }

  /** What waitpid(2) with WUNTRACED and WCONTINUED tells the shell that started it. */
  private tell({ command, place, stopped }: ProcessRecord): void {
    if (command !== undefined && place.session !== "") this.calls.hooks.emit({ kind: "stopped", id: command, stopped });
  }

  private pause(process: Process): void {
    const { record } = process;
    record.since ??= this.calls.hooks.now();
    this.calls.hooks.tcp.stop(String(record.serial));
    this.turns.asked(process);
  }

  /** It runs again: what waited comes first, then its late timers, then the signals that waited. One that ends it does so before anything else. */
  private wake(process: Process): void {
    const { record, program } = process;
    const since = record.since;
    if (since === undefined || program === undefined || record.exit !== undefined) return;
    const fatal = record.pending.find((s) => !program.handles().includes(s) && /^(terminate|core)$/.test(defaultAction(s)));
    if (fatal !== undefined) {
      this.calls.end(process, { signal: fatal });
      return;
    }
    this.collecting = record;
    this.calls.hooks.tcp.resume(String(record.serial));
    this.collecting = undefined;
    const waiting = record.waiting;
    Object.assign(record, { since: undefined, waiting: [], socketBytes: 0 });
    this.catchUp(process, since, waiting);
    const signals = record.pending;
    record.pending = [];
    for (const signal of signals) if (record.exit === undefined) this.deliver(process, signal);
    this.turns.asked(process);
  }

  private catchUp(process: Process, since: Instant, waiting: readonly ProgramEvent[]): void {
    const { record, program } = process;
    const now = this.calls.hooks.now();
    if (program?.catchUp !== undefined) {
      const admitted = waiting.filter((event) => this.calls.admit(record, event));
      this.turns.take(process, (p) => p.catchUp?.(since, admitted));
    } else
      for (const event of waiting)
        if (record.exit === undefined && this.calls.admit(record, event)) this.turns.take(process, (p) => p.event(event));
    let ran = 0;
    while (record.exit === undefined && timerOf(process) <= now) {
      if (++ran > LOCAL_EVENTS_MAX) throw new Error(`${record.comm} has more than ${LOCAL_EVENTS_MAX} late timers`);
      this.turns.take(process, (p) => p.runTimer(now));
    }
    if (program?.resumed !== undefined) this.turns.take(process, (p) => p.resumed?.());
  }

  /** The machine's processors stand still. */
  stall(): void {
    if (this.stands) return;
    this.stands = true;
    for (const process of this.calls.processes())
      if (process.record.exit === undefined && process.program !== undefined) this.pause(process);
    this.turns.changed();
  }

  /** They run again. `arrive` gives what waited at the cards to the sockets; then the processes run that were not stopped by themselves. */
  resumeAll(arrive: () => void): void {
    if (!this.stands) return;
    arrive();
    this.calls.settle();
    this.stands = false;
    for (const process of [...this.calls.processes()]) if (!process.record.stopped) this.wake(process);
    this.calls.settle();
  }

  restore(stalled: boolean): void {
    this.stands = stalled;
  }
}

/** Keeps an event for a process that does not run; what has no room is gone, as it is in a full socket buffer or a terminal's line buffer. */
export function park(record: ProcessRecord, event: ProgramEvent): void {
  if (event.kind === "datagram") {
    const cost = datagramCost(event.datagram);
    if (record.socketBytes + cost > SOCKET_BUFFER_BYTES) {
      record.dropped++;
      return;
    }
    record.socketBytes += cost;
  } else if (event.kind === "input" && record.waiting.filter((e) => e.kind === "input").length >= INPUT_LINES_MAX) return;
  record.waiting.push(event);
}
