/**
 * A program: everything that runs on a machine. A process is one of them with an id, and `Os` is what the kernel, libc and systemd's libraries give it. A program never
 * calls another: what it asks for is answered by an event of its own, later in the same instant (local sockets, files, signals, exits) or when it comes (network, timers).
 * One event at a time, run to completion. In the real stack: execve(2) and the calls a daemon's main loop makes. Left out: threads, memory, priorities.
 */
import type { Hasher } from "./hash.ts";
import type { IpcEvent, IpcPort, IpcRequest, Peeked, Plain } from "./ipc.ts";
import type { LogLevel } from "./journal.ts";
import type { Datagram, TraceEvent } from "./machine.ts";
import type { Rng } from "./rng.ts";
import type { ProcessExit, Signal } from "./signals.ts";
import type { NicStatus } from "./status.ts";
import type { TcpEvent, TcpPort } from "./tcp.ts";
import type { Instant } from "./time.ts";
import type { FilePort, FileReply, Served, ServedReply, ServedRequest } from "./vfs.ts";

/** What reaches a program beside timers and signals. */
export type ProgramEvent =
  /** A datagram on an address and port it has bound. */
  | { readonly kind: "datagram"; readonly datagram: Datagram }
  | { readonly kind: "tcp"; readonly event: TcpEvent }
  | { readonly kind: "ipc"; readonly event: IpcEvent }
  /** The reply to the file call of this id. */
  | { readonly kind: "file"; readonly id: number; readonly reply: FileReply }
  /** A request to a file system that this process serves; answered by `os.files.answer`, at once, later or never. */
  | { readonly kind: "served"; readonly served: Served }
  /** A file system that this process served has been unmounted, and nothing uses it any more. */
  | { readonly kind: "unmounted"; readonly mount: number }
  /** A child has ended. */
  | { readonly kind: "child"; readonly pid: number; readonly exit: ProcessExit }
  /** A line on its standard input; undefined is end of file. */
  | { readonly kind: "input"; readonly line: string | undefined };

/** Signals that the program handles itself; every other one has its default action. */
export type Handled = readonly Signal[];

/**
 * One program of one process. All methods are synchronous and change nothing but the program's own state, and the machine through `Os`. After `exit` none of them is
 * called any more.
 */
export interface Program {
  /** exec(2): called once, at the instant the process is made. */
  start(): void;
  /** Instant of its earliest timer; NEVER if none. A pure function of its state. */
  nextTimerAt(): Instant;
  /** All its timers that are armed, by the name of what they wait for ("totem/token"). Absent: it names none. Changes nothing. */
  armed?(): readonly { readonly name: string; readonly at: Instant }[];
  /** Its earliest timer is due at `now`, or was due before (late: the process did not run). Runs that one. */
  runTimer(now: Instant): void;
  /** Asked when a signal arrives: those it catches at present (handlers are installed late in real daemons). */
  handles(): Handled;
  signal(signal: Signal): void;
  event(event: ProgramEvent): void;
  /**
   * It runs again after SIGSTOP or a stall that began at `since`; `waiting` is what had come for it meanwhile, in order. Absent: each is delivered by `event`, and late
   * timers run after them. A program whose real counterpart has threads of its own says here in which order they see it. Late timers are the caller's afterwards, then
   * `resumed` is called where there is one.
   */
  catchUp?(since: Instant, waiting: readonly ProgramEvent[]): void;
  resumed?(): void;
  /** A pure question to a service it serves. Absent: would-wait. */
  peek?(service: string, request: IpcRequest): Peeked;
  /** A pure question to a file system it serves. Absent: would-wait. */
  peekServed?(mount: number, request: ServedRequest): ServedReply | "would-wait";
  /** Plain data, enough to go on from here in another host process. */
  snapshot(): Plain;
  restore(state: Plain): void;
  digest(h: Hasher): void;
}

/** Where what a process prints goes. */
export type Stream = "stdout" | "stderr";

export interface SpawnOptions {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  /** Absent: the parent's. "discard": its standard output and error are /dev/null. */
  readonly output?: "discard";
}

/** The kernel and the libraries as one process sees them. */
export interface Os {
  readonly now: Instant;
  /** Microseconds since 1970. */
  unixMicros(): number;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: { readonly [name: string]: string };
  readonly hostname: string;
  /** Which release of the stack is installed, by the names of config/release.ts. A process that runs keeps what it began with. */
  readonly release: string;
  /** This machine's name in the lab: for generators only. */
  readonly machine: string;
  /** A generator of its own for every list of labels, split from the lab's seed, the machine and this instant. */
  rng(...labels: readonly string[]): Rng;
  /** syslog(3): a journal line of this process under its unit. `subsystem` is corosync's. */
  log(identifier: string, level: LogLevel, text: string, subsystem?: string): void;
  print(stream: Stream, text: string): void;
  /** Tells whoever types that it waits for a line, which comes as an input event; `echo` false for a password. */
  prompt(echo: boolean): void;
  trace(event: TraceEvent): void;
  /** sd_notify(3) READY=1; nobody hears it where no service manager waits. */
  notifyReady(): void;
  /** sched_setscheduler(2): SCHED_RR with this priority, 1 to 99. The lab runs one process at a time anyway; it shows in ps. */
  realTime(priority: number): void;
  /** daemon(3): whoever waits for the process sees it end with 0; it goes on in the background under another pid. */
  detach(): void;
  /** The last thing a program does. */
  exit(exit: ProcessExit): void;
  /** fork and exec; the child's end comes as an event. Undefined: the process table is full (EAGAIN) or there is no such program (ENOENT). */
  spawn(options: SpawnOptions): number | undefined;
  /** kill(2); the errno, undefined on success. */
  kill(pid: number, signal: Signal): "ESRCH" | "EPERM" | undefined;
  nics(): readonly NicStatus[];
  /** The card that a packet to this address leaves by, up or not; undefined: there is no route. */
  route(address: string): NicStatus | undefined;
  readonly udp: UdpPort;
  readonly tcp: TcpPort;
  readonly ipc: IpcPort;
  readonly files: FilePort;
}

export interface UdpPort {
  /** False where another process has it (EADDRINUSE). */
  bind(address: string, port: number): boolean;
  unbind(address: string, port: number): void;
  /** Replies to echo requests with this identifier come here. False where another process has it. */
  bindEcho(address: string, id: number): boolean;
  /** Sends from a card of this machine that is up; else it is dropped. */
  send(datagram: Datagram): void;
}

/** Makes the program of a command line; undefined where it is none. */
export type ProgramMaker = (os: Os) => Program;
