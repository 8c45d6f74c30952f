/**
 * What a computer has while it has power, and loses with it: processes, local sockets, UDP and TCP, sessions, and the datagrams at its cards while its processors stand still. In the
 * real stack: the running kernel. It is given the parts that outlive it or stand beside it (clock, cards, journal, files, service manager, programs) and owns no rule of
 * theirs. Left out: what those parts do.
 */
import {
  type ArmedTimer,
  NEVER,
  Rng,
  Timers,
  cloneState,
  type Datagram,
  type Effect,
  type Hasher,
  type Instant,
  type LogLevel,
  type MachineAct,
  type NicStatus,
  type ProgramMaker,
  SESSION_ACT_KINDS,
  type SessionAct,
  type Signal,
  type TimersState,
  type TraceEvent,
} from "../kernel/index.ts";
import { cardTo, echoReply, portUnreachable } from "./nics.ts";
import type { FileLayer } from "./process/file-layer.ts";
import type { KernelParty, ServiceManager } from "./process/hooks.ts";
import { MachinePeeker, type PeekCaller } from "./process/peek.ts";
import { PROCESS_LIST, ProcessList } from "./process/process-list.ts";
import { Sessions, type SessionsState } from "./process/sessions.ts";
import { shellProgram } from "./process/shell.ts";
import { ProcessTable, type TableState } from "./process/table.ts";
import { drain, emptySocket, enqueue, type SocketBuffer } from "./socket.ts";
import { Tcp } from "./tcp/tcp.ts";

/** The computer around it. */
export interface Board {
  readonly now: Instant;
  unixMicros(): number;
  /** Its name in the lab. */
  readonly name: string;
  readonly hostname: string;
  /** Which release of the stack is installed. */
  readonly release: string;
  nics(): readonly NicStatus[];
  /** Length of the network prefix of a card. */
  prefix(nic: string): number;
  newPid(): number;
  /** The id the next process gets. */
  readonly nextPid: number;
  emit(effect: Effect): void;
  trace(event: TraceEvent): void;
  log(unit: string, pid: number, level: LogLevel, subsystem: string, text: string, identifier: string): void;
}

export interface RuntimeParts {
  readonly seed: string;
  readonly board: Board;
  readonly files: FileLayer;
  readonly manager: ServiceManager;
  /** The program of a command line; shells are known here. */
  program(argv: readonly string[]): ProgramMaker | undefined;
  /** Parts of the kernel beside the process list, by name. */
  party?(name: string): KernelParty | undefined;
}

export interface RuntimeState {
  table: TableState;
  sessions: SessionsState;
  tcp: unknown;
  timers: TimersState;
  socket: SocketBuffer;
}

/** systemd 252 on Debian 12. */
const INIT = ["/sbin/init"];

const SESSION_ACTS: ReadonlySet<MachineAct["kind"]> = new Set(SESSION_ACT_KINDS);

export function isSessionAct(act: MachineAct): act is SessionAct {
  return SESSION_ACTS.has(act.kind);
}

export class MachineRuntime {
  readonly table: ProcessTable;
  readonly sessions: Sessions;
  private readonly tcp: Tcp;
  /** TCP's, by connection. */
  private readonly timers = new Timers();
  private readonly list: ProcessList;
  /** What the cards have for a machine whose processors stand still. */
  private socket: SocketBuffer = emptySocket();

  constructor(private readonly parts: RuntimeParts) {
    const { board, seed } = parts;
    this.tcp = new Tcp(
      {
        now: () => board.now,
        setTimer: (name, at) => this.timers.set(name, at),
        clearTimer: (name) => this.timers.clear(name),
        nics: () => board.nics(),
        prefix: (nic) => board.prefix(nic),
        send: (datagram) => board.emit({ kind: "send", datagram }),
        deliver: (owner, event) => this.table.tcpEvent(owner, event),
      },
      Rng.from(seed, "machine", board.name, "tcp"),
    );
    this.table = new ProcessTable({
      now: () => board.now,
      unixMicros: () => board.unixMicros(),
      hostname: () => board.hostname,
      release: () => board.release,
      machine: () => board.name,
      seed,
      emit: (effect) => board.emit(effect),
      trace: (event) => board.trace(event),
      log: ({ place, pid }, identifier, level, text, subsystem) => board.log(place.unit, pid, level, subsystem, text, identifier),
      newPid: () => board.newPid(),
      nics: () => board.nics(),
      route: (address) => cardTo(board.nics(), (nic) => board.prefix(nic), address),
      program: (argv) => shellProgram(argv) ?? parts.program(argv),
      party: (name) => (name === PROCESS_LIST ? this.list : parts.party?.(name)),
      ending: (record, exit) => this.sessions.ending(record, exit),
      tcp: this.tcp,
      files: parts.files,
      manager: parts.manager,
    });
    this.sessions = new Sessions(this.table, (effect) => board.emit(effect));
    const port = this.table.sockets.port(PROCESS_LIST);
    this.list = new ProcessList({
      records: () => this.table.records(),
      epochUnixMicros: () => board.unixMicros() - board.now,
      waits: (serial) => parts.files.waits(serial),
      reader: (connection) => this.table.pidOf(this.table.sockets.client(connection)),
      reply: (connection, seq, reply) => port.reply(connection, seq, reply),
    });
  }

  // ── power ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The kernel has started: pid 1 is there, and the process list can be read. */
  start(): void {
    this.table.startInit(INIT, "systemd");
    this.table.sockets.port(PROCESS_LIST).listen(PROCESS_LIST);
  }

  /** First of all TCP: what has no power closes no connection, and nobody hears that it is gone. */
  powerLost(): void {
    this.tcp.powerLost();
    this.socket = emptySocket();
    this.table.powerLost();
    this.sessions.powerLost();
  }

  stall(): void {
    this.table.stall();
  }

  /** What waited at the cards goes to the sockets first; then the processes run. */
  resume(): void {
    this.table.resumeAll(() => {
      for (const datagram of drain(this.socket)) this.accept(datagram);
    });
  }

  // ── time and network ─────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimerAt(): Instant {
    if (this.table.isStalled) return NEVER;
    return Math.min(this.timers.nextAt(), this.table.nextTimerAt());
  }

  armed(): ArmedTimer[] {
    if (this.table.isStalled) return [];
    return [...this.timers.armed("tcp"), ...this.table.armed()];
  }

  /** Runs the earliest timer due, and what follows from it at this instant. */
  runTimer(now: Instant): void {
    if (this.table.isStalled) return;
    if (this.timers.nextAt() > this.table.nextTimerAt()) {
      this.table.runTimer(now);
      return;
    }
    const name = this.timers.pop(now);
    if (name !== undefined) this.tcp.timer(name);
    this.table.settle();
  }

  receive(datagram: Datagram): void {
    if (this.table.isStalled) enqueue(this.socket, datagram);
    else this.accept(datagram);
  }

  private accept(datagram: Datagram): void {
    if (!this.hasAddress(datagram)) return;
    if (datagram.proto === "tcp") {
      this.tcp.receive(datagram);
      this.table.settle();
    } else if (datagram.proto === "icmp-echo") this.parts.board.emit({ kind: "send", datagram: echoReply(datagram) });
    else if (!this.table.receive(datagram) && datagram.proto === "udp")
      this.parts.board.emit({ kind: "send", datagram: portUnreachable(datagram) });
  }

  /** A card of this network that is up has the address. */
  private hasAddress(datagram: Datagram): boolean {
    for (const nic of this.parts.board.nics()) if (nic.address === datagram.dst && nic.net === datagram.net) return nic.up;
    return false;
  }

  networkRenamed(from: string, to: string): void {
    this.socket.queue = this.socket.queue.map((d) => (d.net === from ? { ...d, net: to } : d));
    this.tcp.networkRenamed(from, to);
    this.table.networkRenamed(from, to);
  }

  // ── acts and questions ───────────────────────────────────────────────────────────────────────────────────────────────

  /** A signal to what was started under this id; false where it runs no longer. */
  signalCommand(id: string, signal: Signal): boolean {
    const record = this.command(id);
    if (record === undefined) return false;
    this.table.signal(record.pid, signal);
    this.table.settle();
    return true;
  }

  /** A line typed at it; undefined is end of file. */
  inputCommand(id: string, line: string | undefined): boolean {
    const record = this.command(id);
    if (record === undefined) return false;
    this.table.input(record.pid, line);
    this.table.settle();
    return true;
  }

  private command(id: string): { readonly pid: number } | undefined {
    return this.table.records().find((r) => r.command === id && r.exit === undefined);
  }

  /** Whoever asks without being a process: what it would be if it were one. */
  peeker(caller: PeekCaller): MachinePeeker {
    const { board, files } = this.parts;
    return new MachinePeeker({ board, files, table: this.table }, caller);
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): RuntimeState {
    return {
      table: this.table.snapshot(),
      sessions: this.sessions.snapshot(),
      tcp: this.tcp.snapshot(),
      timers: this.timers.snapshot(),
      socket: cloneState(this.socket),
    };
  }

  /** The files must have been restored before. */
  restore(state: RuntimeState): void {
    this.tcp.restore(state.tcp);
    this.timers.restore(state.timers);
    this.socket = cloneState(state.socket);
    this.table.restore(state.table);
    this.sessions.restore(state.sessions);
  }

  digest(h: Hasher): void {
    h.int(this.socket.queue.length).int(this.socket.dropped);
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    this.tcp.digest(h);
    this.table.digest(h);
    this.sessions.digest(h);
  }
}
