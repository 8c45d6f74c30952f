/**
 * One process: what the kernel keeps of it (plain data), and its program while it has one. In the real stack: task_struct. Left out: threads, niceness, memory and processor
 * time.
 */
import {
  NEVER,
  type Hasher,
  type Instant,
  type NicStatus,
  type Plain,
  type ProcessExit,
  type Program,
  type ProgramEvent,
  type Signal,
} from "../../kernel/index.ts";
import { mixEvent } from "./local-events.ts";

/** Where what it prints goes: to a command somebody typed, to the journal under its unit, or nowhere. */
export type Sink = { readonly kind: "command"; readonly id: string } | { readonly kind: "journal" } | { readonly kind: "nowhere" };

export const NOWHERE: Sink = { kind: "nowhere" };

/** Where a process belongs. What it spawns belongs there too. */
export interface Place {
  /** Its control group: a unit without `.service`, or a session's scope (`session-1.scope`). */
  readonly unit: string;
  /** The session of the lab it was started in; "" outside. */
  readonly session: string;
  /** `pts/0`; "" without a terminal. */
  readonly tty: string;
}

export interface ProcessRecord {
  /** Counts the processes of this boot; unlike a pid it is never used again, and it stays when the process goes to the background. */
  readonly serial: number;
  pid: number;
  ppid: number;
  /** Pid of the session's leader. */
  sid: number;
  /** Of the process group, which is the pid of the process that led it. */
  pgid: number;
  place: Place;
  argv: readonly string[];
  comm: string;
  /** A fork of a shell: the interpreter outside carries it out. */
  outside: boolean;
  env: { readonly [name: string]: string };
  readonly uid: number;
  readonly startedAt: Instant;
  /** Its priority under SCHED_RR; 0: an ordinary process. */
  realTime: number;
  sink: Sink;
  /** Somebody outside waits for its end under this name. */
  command: string | undefined;
  /** SIGSTOP, also while the whole machine is stalled. */
  stopped: boolean;
  /** Since when it does not run: stopped, or stalled with the machine. Undefined: it runs. */
  since: Instant | undefined;
  /** Signals that wait for SIGCONT, each once. */
  pending: Signal[];
  /** What came for it while it did not run. */
  waiting: ProgramEvent[];
  /** Bytes of datagrams among `waiting`, as its sockets' buffers count them, and datagrams that found no room. */
  socketBytes: number;
  dropped: number;
  /** File calls without a reply, by id, and the next id. */
  calls: number[];
  nextCall: number;
  /** Ended, and its parent has not waited for it yet. */
  exit: ProcessExit | undefined;
}

/** A record and its program. The kernel's own (pid 1) has none. */
export interface Process {
  record: ProcessRecord;
  program: Program | undefined;
  /** Its earliest timer; NEVER while it does not run. */
  timerAt: Instant;
}

export interface ProcessSnapshot {
  readonly record: ProcessRecord;
  readonly program: Plain;
}

/** The letter ps shows. `current`: it is the one that asks; `waits`: a file system's server has not answered it yet. */
export function stateLetter(record: Readonly<ProcessRecord>, current: boolean, waits = false): "R" | "S" | "D" | "T" | "Z" {
  if (record.exit !== undefined) return "Z";
  if (record.stopped) return "T";
  if (current) return "R";
  return waits || record.calls.length > 0 ? "D" : "S";
}

/** comm: the first fifteen bytes of the program's file name. A login shell's first word has a dash before it. */
export function commOf(argv: readonly string[]): string {
  const word = argv[0] ?? "";
  return word
    .slice(word.lastIndexOf("/") + 1)
    .replace(/^-/, "")
    .slice(0, 15);
}

export function timerOf(process: Process): Instant {
  const { record, program } = process;
  return program === undefined || record.since !== undefined || record.exit !== undefined ? NEVER : program.nextTimerAt();
}

/** The network that a card is in has another name, and so have the datagrams that wait. */
export function renameNetwork(record: ProcessRecord, net: NicStatus["net"], to: string): void {
  record.waiting = record.waiting.map((event) =>
    event.kind === "datagram" && event.datagram.net === net ? { kind: "datagram", datagram: { ...event.datagram, net: to } } : event,
  );
}

export function digestRecord(h: Hasher, r: ProcessRecord): void {
  h.int(r.serial).int(r.pid).int(r.ppid).int(r.sid).int(r.pgid).bool(r.outside).text(r.place.unit).text(r.place.session).text(r.place.tty);
  h.int(r.argv.length);
  for (const word of r.argv) h.text(word);
  h.text(r.comm).int(r.uid).int(r.startedAt).int(r.realTime);
  h.text(r.sink.kind)
    .text(r.sink.kind === "command" ? r.sink.id : "")
    .text(r.command ?? "");
  h.bool(r.stopped)
    .int(r.since ?? -1)
    .int(r.socketBytes)
    .int(r.dropped)
    .int(r.nextCall);
  for (const id of r.calls) h.int(id);
  h.int(r.pending.length).int(r.waiting.length);
  for (const signal of r.pending) h.text(signal);
  for (const event of r.waiting) mixEvent(h, event);
  h.text(r.exit === undefined ? "" : "code" in r.exit ? String(r.exit.code) : r.exit.signal);
}
