/**
 * The process table of one machine, and the turns its processes get: who there is, who is whose child, what a signal does, and that one of them at most runs at any moment.
 * In the real stack: the kernel's scheduler, fork, exec, exit, wait and kill. A stopped process, a stalled machine and a late scheduler are one thing here: a process that
 * does not run has its events kept in order and its timers run late. Left out: threads, priorities, limits of users.
 */
import {
  LOCAL_EVENTS_MAX,
  NEVER,
  PROCESSES_MAX,
  cloneState,
  exitStatus,
  type ArmedTimer,
  type Datagram,
  type FileReply,
  type Hasher,
  type Instant,
  type IpcRequest,
  type Os,
  type Peeked,
  type Plain,
  type ProcessExit,
  type Program,
  type ProgramEvent,
  type ServedReply,
  type ServedRequest,
  type Signal,
  type SpawnOptions,
  type TcpEvent,
} from "../../kernel/index.ts";
import type { ProcessHooks } from "./hooks.ts";
import { LocalEvents, type LocalEvent } from "./local-events.ts";
import { LocalSockets, type LocalSocketsState, type Party } from "./local-sockets.ts";
import { ProcessOs } from "./os.ts";
import { INIT_PID, ProcessSet, type Birth } from "./process-set.ts";
import {
  NOWHERE,
  commOf,
  digestRecord,
  renameNetwork,
  timerOf,
  type Process,
  type ProcessRecord,
  type ProcessSnapshot,
} from "./process.ts";
import { Scheduling, park } from "./scheduling.ts";
import { outsideProgram } from "./shell.ts";
import { Turns } from "./turns.ts";
import { UdpBindings, socketNumber, type UdpState } from "./udp.ts";

export interface TableState {
  processes: ProcessSnapshot[];
  nextSerial: number;
  stalled: boolean;
  sockets: LocalSocketsState;
  udp: UdpState;
  trail: readonly [number, number];
}

export class ProcessTable {
  private readonly processes = new ProcessSet();
  private readonly local = new LocalEvents();
  readonly sockets: LocalSockets;
  readonly udp = new UdpBindings();
  private readonly turns = new Turns(() => this.processes.all());
  private readonly scheduling: Scheduling;
  private draining = false;

  constructor(readonly hooks: ProcessHooks) {
    this.sockets = new LocalSockets({
      post: (party, event) =>
        this.local.post(
          typeof party === "string" ? { to: "kernel", party, event } : { to: "process", serial: party, event: { kind: "ipc", event } },
        ),
      peer: (party) => this.peer(party),
    });
    this.scheduling = new Scheduling(this.turns, {
      hooks,
      processes: () => this.processes.all(),
      end: (process, exit) => this.end(process, exit),
      admit: (record, event) => this.admit(record, event),
      settle: () => this.settle(),
    });
  }

  private peer(party: Party): { pid: number; name: string } {
    if (typeof party === "string") return { pid: 0, name: party };
    const record = this.processes.withSerial(party)?.record;
    return { pid: record?.pid ?? 0, name: record?.comm ?? "" };
  }

  // ── who there is ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** In the order they began; not to be written to. */
  records(): Readonly<ProcessRecord>[] {
    return this.processes.all().map((p) => p.record);
  }

  /** The programs of the processes that have not ended, in the order they began. */
  running(): Program[] {
    return this.processes.all().flatMap(({ record, program }) => (record.exit === undefined && program !== undefined ? [program] : []));
  }

  get(pid: number): Readonly<ProcessRecord> | undefined {
    return this.processes.withPid(pid)?.record;
  }

  /** Of a party of a local connection; 0 where it is no process. */
  pidOf(party: Party | undefined): number {
    return party === undefined ? 0 : this.peer(party).pid;
  }

  get isStalled(): boolean {
    return this.scheduling.stalled;
  }

  /** The boot's first process, which has no program of its own here: the machine's service manager speaks for it. */
  startInit(argv: readonly string[], comm: string): void {
    const birth: Birth = { argv, cwd: "/", parent: 0, place: { unit: "init.scope", session: "", tty: "" }, sink: NOWHERE, pid: INIT_PID };
    const record = this.processes.make(birth, INIT_PID, undefined, this.hooks.now());
    record.comm = comm;
    this.processes.add(record);
    this.hooks.files.born(record.serial, undefined, "/");
  }

  /** fork and exec. The new process's first turn is over when this returns, or comes with the local events where another one is running. */
  spawn(birth: Birth): number | "EAGAIN" | "ENOENT" {
    const maker = birth.outside === true ? outsideProgram : this.hooks.program(birth.argv);
    if (maker === undefined) return "ENOENT";
    if (this.scheduling.stalled) throw new Error(`${birth.argv.join(" ")} is to begin on a machine whose processors stand still`);
    if (this.processes.all().length >= PROCESSES_MAX) return "EAGAIN";
    const parent = this.processes.withPid(birth.parent);
    const record = this.processes.make(birth, birth.pid ?? this.freePid(), parent?.record, this.hooks.now());
    const process = this.processes.add(record);
    // It may go to the background in its first turn and have another one then.
    const { pid } = record;
    this.hooks.files.born(record.serial, parent?.record.serial, birth.cwd);
    process.program = maker(this.os(process));
    birth.started?.(pid);
    this.local.post({ to: "start", serial: record.serial });
    this.settle();
    return pid;
  }

  /** execve(2) of a fork of a shell: the program of the command line, or, `outside`, one that goes on being carried out outside. */
  exec(pid: number, argv: readonly string[], to: "outside" | Pick<Birth, "cwd" | "env" | "sink">): "ENOENT" | "ESRCH" | undefined {
    const process = this.processes.withPid(pid);
    if (process === undefined || process.record.exit !== undefined) return "ESRCH";
    const { record } = process;
    const maker = to === "outside" ? outsideProgram : this.hooks.program(argv);
    if (maker === undefined) return "ENOENT";
    Object.assign(record, { argv: [...argv], comm: commOf(argv) });
    if (to === "outside") return undefined;
    Object.assign(record, { outside: false, sink: to.sink, env: to.env ?? record.env });
    if (to.cwd !== undefined) this.hooks.files.blocking(record.serial, { call: "chdir", path: to.cwd });
    process.program = maker(this.os(process));
    this.local.post({ to: "start", serial: record.serial });
    this.settle();
    return undefined;
  }

  private freePid(): number {
    let pid = this.hooks.newPid();
    while (this.processes.withPid(pid) !== undefined) pid = this.hooks.newPid();
    return pid;
  }

  private os(process: Process): Os {
    return new ProcessOs(process.record, {
      table: this,
      spawn: (options) => this.spawnChild(process.record, options),
      detach: () => this.detach(process),
      exit: (exit) => this.end(process, exit),
    });
  }

  private spawnChild(parent: ProcessRecord, options: SpawnOptions): number | undefined {
    const pid = this.spawn({
      ...options,
      parent: parent.pid,
      place: parent.place,
      sink: options.output === "discard" ? NOWHERE : parent.sink,
    });
    return typeof pid === "number" ? pid : undefined;
  }

  /** The parent's copy ends with 0; the program goes on as a child that init has taken, under another pid and in a session of its own. */
  private detach(process: Process): void {
    const { record } = process;
    const exit: ProcessExit = { code: 0 };
    const left: ProcessRecord = { ...record, serial: this.processes.nextSerial++, pending: [], waiting: [], calls: [], exit };
    const pid = this.freePid();
    this.processes.renumber(process, pid);
    Object.assign(record, { ppid: INIT_PID, sid: pid, pgid: pid, command: undefined, sink: NOWHERE, place: { ...record.place, tty: "" } });
    this.processes.add(left);
    this.tellParent(left, exit);
  }

  // ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private end(process: Process, exit: ProcessExit): void {
    const { record } = process;
    if (record.exit !== undefined) return;
    record.exit = exit;
    record.waiting = [];
    record.calls = [];
    process.timerAt = NEVER;
    this.turns.changed();
    this.udp.gone(record.serial);
    this.hooks.tcp.gone(String(record.serial));
    this.sockets.gone(record.serial);
    this.hooks.files.gone(record.serial);
    this.hooks.ending(record, exit);
    this.orphan(record.pid);
    this.tellParent(record, exit);
  }

  /** A shell exits as the line it read tells it to: the kernel cannot see why. */
  exit(pid: number, exit: ProcessExit): void {
    const process = this.processes.withPid(pid);
    if (process !== undefined) this.end(process, exit);
  }

  /** Whose parent has ended belongs to init. */
  private orphan(pid: number): void {
    for (const { record } of this.processes.all()) {
      if (record.ppid !== pid || record.pid === pid) continue;
      record.ppid = INIT_PID;
      if (record.exit !== undefined) this.tellParent(record, record.exit);
    }
  }

  private tellParent(record: ProcessRecord, exit: ProcessExit): void {
    const parent = this.processes.withPid(record.ppid);
    if (parent === undefined || parent.record.exit !== undefined || parent.program === undefined)
      this.local.post({ to: "manager", what: "ended", serial: record.serial, pid: record.pid, exit });
    else this.local.post({ to: "process", serial: parent.record.serial, event: { kind: "child", pid: record.pid, exit } });
  }

  /** wait(2): nothing is left of it. Undefined where somebody has waited for it before. */
  private reap(record: ProcessRecord | undefined): ProcessRecord | undefined {
    if (record === undefined || !this.processes.remove(record)) return undefined;
    if (record.command !== undefined && record.exit !== undefined)
      this.hooks.emit({ kind: "exit", id: record.command, status: exitStatus(record.exit) });
    return record;
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Instant of the earliest timer of a process that runs. */
  nextTimerAt(): Instant {
    return this.turns.nextTimerAt();
  }
  readonly armed = (): ArmedTimer[] => this.turns.armed();

  /** Runs that one, and what follows from it. */
  runTimer(now: Instant): void {
    const process = this.turns.first();
    if (process === undefined || process.timerAt > now) return;
    this.turns.take(process, (program) => program.runTimer(now));
    this.settle();
  }

  /** A datagram for an address of a card that is up. False: nobody has the port. */
  receive(datagram: Datagram): boolean {
    const owner = this.udp.owner(datagram.dst, socketNumber(datagram));
    const process = owner === undefined ? undefined : this.processes.withSerial(owner);
    if (process === undefined) return false;
    if (process.record.since !== undefined) park(process.record, { kind: "datagram", datagram });
    else {
      this.turns.take(process, (program) => program.event({ kind: "datagram", datagram }));
      this.settle();
    }
    return true;
  }

  /** What TCP has for a process. */
  tcpEvent(owner: string, event: TcpEvent): void {
    const serial = Number(owner);
    if (!this.scheduling.collects(serial, { kind: "tcp", event })) this.post(serial, { kind: "tcp", event });
  }

  /** The reply to a file call that has waited. */
  fileReply(serial: number, id: number, reply: FileReply): void {
    this.post(serial, { kind: "file", id, reply });
  }

  /** A line somebody typed; undefined is end of file. */
  input(pid: number, line: string | undefined): void {
    const record = this.processes.withPid(pid)?.record;
    if (record !== undefined) this.post(record.serial, { kind: "input", line });
  }

  post(serial: number, event: ProgramEvent): void {
    this.local.post({ to: "process", serial, event });
  }

  /** A process has said that it is ready (sd_notify). */
  ready(record: ProcessRecord): void {
    this.local.post({ to: "manager", what: "ready", serial: record.serial, pid: record.pid });
  }

  /**
   * kill(2): it comes with the local events. Below -1 it is for a process group, 0 for the sender's own, -1 for everybody but pid 1 and the sender.
   * @param from pid of the sender
   */
  signal(pid: number, signal: Signal, from = 0): "ESRCH" | undefined {
    const targets = this.processes.meant(pid, from);
    for (const { record } of targets) this.local.post({ to: "signal", serial: record.serial, signal });
    return targets.length === 0 ? "ESRCH" : undefined;
  }

  /** Everything the machine's processes and its kernel have for each other is handled before anything else happens. Does nothing inside a turn. */
  settle(): void {
    if (this.turns.running || this.draining || this.local.empty) return;
    this.draining = true;
    let handled = 0;
    for (let event = this.local.take(); event !== undefined; event = this.local.take()) {
      if (++handled > LOCAL_EVENTS_MAX)
        throw new Error(`more than ${LOCAL_EVENTS_MAX} local events at one instant: the processes go round in a circle`);
      this.handle(event);
    }
    this.draining = false;
  }

  private handle(local: LocalEvent): void {
    if (local.to === "kernel") {
      if (this.sockets.admit(local.party, local.event)) this.hooks.party(local.party)?.event(local.event);
      return;
    }
    const process = this.processes.withSerial(local.serial);
    if (process === undefined) return;
    if (local.to === "manager") this.tellManager(process, local);
    else if (process.record.exit !== undefined) return;
    else if (local.to === "signal") this.scheduling.deliver(process, local.signal);
    else if (local.to === "start") this.turns.take(process, (program) => program.start());
    else if (process.record.since !== undefined) park(process.record, local.event);
    else if (this.admit(process.record, local.event)) this.turns.take(process, (program) => program.event(local.event));
  }

  private tellManager(process: Process, local: Extract<LocalEvent, { to: "manager" }>): void {
    if (local.what === "ready") {
      this.hooks.manager.ready(process.record);
      return;
    }
    const reaped = this.reap(process.record);
    if (reaped !== undefined) this.hooks.manager.ended(reaped, local.exit);
  }

  /** An event's turn has come: false where it concerns nobody any more. */
  private admit(record: ProcessRecord, event: ProgramEvent): boolean {
    if (event.kind === "ipc") return this.sockets.admit(record.serial, event.event);
    if (event.kind === "child") return this.reap(this.processes.withPid(event.pid)?.record) !== undefined;
    if (event.kind !== "file") return true;
    const place = record.calls.indexOf(event.id);
    if (place >= 0) record.calls.splice(place, 1);
    return place >= 0;
  }

  /** The machine's processors stand still. */
  stall(): void {
    this.scheduling.stall();
  }

  /** They run again. `arrive` gives what waited at the cards to the sockets; then the processes run that were not stopped by themselves. */
  resumeAll(arrive: () => void): void {
    this.scheduling.resumeAll(arrive);
  }

  /** Nothing that ran is left. Whoever waited outside sees what SIGKILL leaves. */
  powerLost(): void {
    const gone = this.processes.clear();
    this.local.clear();
    this.sockets.powerLost();
    this.udp.powerLost();
    this.hooks.files.powerLost();
    this.scheduling.restore(false);
    this.turns.changed();
    for (const { record } of gone) {
      if (record.exit === undefined) record.exit = { signal: "SIGKILL" };
      if (record.command !== undefined) this.hooks.emit({ kind: "exit", id: record.command, status: exitStatus({ signal: "SIGKILL" }) });
    }
  }

  networkRenamed(from: string, to: string): void {
    for (const { record } of this.processes.all()) renameNetwork(record, from, to);
  }

  /** A pure question to a service. */
  peek(service: string, request: IpcRequest): Peeked {
    const server = this.sockets.server(service);
    if (server === undefined) return { peek: "refused" };
    if (this.scheduling.stalled) return { peek: "would-wait" };
    if (typeof server === "string") return this.hooks.party(server)?.peek?.(service, request) ?? { peek: "would-wait" };
    const process = this.processes.withSerial(server);
    if (process?.record.since !== undefined) return { peek: "would-wait" };
    return process?.program?.peek?.(service, request) ?? { peek: "would-wait" };
  }

  /** A pure question to a mount that a process serves. */
  peekServed(server: number, mount: number, request: ServedRequest): ServedReply | "would-wait" {
    const process = this.processes.withSerial(server);
    if (process === undefined || process.record.since !== undefined || process.record.exit !== undefined) return "would-wait";
    return process.program?.peekServed?.(mount, request) ?? "would-wait";
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): TableState {
    return {
      processes: this.processes.all().map(({ record, program }) => ({ record: cloneState(record), program: program?.snapshot() })),
      nextSerial: this.processes.nextSerial,
      stalled: this.scheduling.stalled,
      sockets: this.sockets.snapshot(),
      udp: this.udp.snapshot(),
      trail: this.local.snapshot(),
    };
  }

  restore(state: TableState): void {
    this.processes.clear();
    this.turns.changed();
    this.processes.nextSerial = state.nextSerial;
    this.scheduling.restore(state.stalled);
    this.sockets.restore(state.sockets);
    this.udp.restore(state.udp);
    this.local.restore(state.trail);
    for (const saved of state.processes) this.restoreProcess(cloneState(saved.record), saved.program);
  }

  private restoreProcess(record: ProcessRecord, program: Plain): void {
    const process = this.processes.add(record);
    if (record.pid === INIT_PID || record.exit !== undefined) return;
    const maker = record.outside ? outsideProgram : this.hooks.program(record.argv);
    if (maker === undefined) throw new Error(`snapshot holds a process that is no program here: ${record.argv.join(" ")}`);
    process.program = maker(this.os(process));
    process.program.restore(program);
    process.timerAt = timerOf(process);
  }

  digest(h: Hasher): void {
    h.int(this.processes.nextSerial).bool(this.scheduling.stalled).int(this.processes.all().length);
    for (const { record, program } of this.processes.all()) {
      digestRecord(h, record);
      if (record.exit === undefined) program?.digest(h);
    }
    this.sockets.digest(h);
    this.udp.digest(h);
    this.local.digest(h);
  }
}
