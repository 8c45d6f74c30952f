/**
 * What the process layer has from the rest of its machine: the clock, the cards, TCP, the files, the journal, the service manager, and who is which program. Nothing in
 * the real stack but the edges of the kernel's process management.
 */
import type {
  Effect,
  Instant,
  IpcEvent,
  IpcRequest,
  LogLevel,
  NicStatus,
  Peeked,
  ProcessExit,
  ProgramMaker,
  TcpPort,
  TraceEvent,
} from "../../kernel/index.ts";
import type { FileLayer } from "./file-layer.ts";
import type { ProcessRecord } from "./process.ts";

/** A part of the kernel that serves local sockets, or uses them, under a name. It is called between turns of processes. */
export interface KernelParty {
  event(event: IpcEvent): void;
  peek?(service: string, request: IpcRequest): Peeked;
}

/** Pid 1 as far as processes concern it: it waits for its children, and hears of those that are ready. It is called between turns of processes. */
export interface ServiceManager {
  /** A child of pid 1 is no more; of an orphan too. */
  ended(process: Readonly<ProcessRecord>, exit: ProcessExit): void;
  ready(process: Readonly<ProcessRecord>): void;
}

/** TCP; a process is known by its serial number in decimal. */
export interface TcpLayer {
  port(owner: string): TcpPort;
  gone(owner: string): void;
  stop(owner: string): void;
  resume(owner: string): void;
}

export interface ProcessHooks {
  now(): Instant;
  /** Microseconds since 1970. */
  unixMicros(): number;
  hostname(): string;
  /** Which release of the stack is installed. */
  release(): string;
  /** The machine's name in the lab. */
  machine(): string;
  /** The lab's. */
  readonly seed: string;
  emit(effect: Effect): void;
  trace(event: TraceEvent): void;
  /** A journal line of this process. */
  log(process: Readonly<ProcessRecord>, identifier: string, level: LogLevel, text: string, subsystem: string): void;
  newPid(): number;
  nics(): readonly NicStatus[];
  /** The card whose network the address is in. */
  route(address: string): NicStatus | undefined;
  /** The program of a command line; undefined where there is none. */
  program(argv: readonly string[]): ProgramMaker | undefined;
  /** The part of the kernel of this name. */
  party(name: string): KernelParty | undefined;
  /** A process has just ended; called also inside its own turn. */
  ending(process: Readonly<ProcessRecord>, exit: ProcessExit): void;
  readonly tcp: TcpLayer;
  readonly files: FileLayer;
  readonly manager: ServiceManager;
}
