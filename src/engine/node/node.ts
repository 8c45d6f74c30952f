/**
 * One cluster node as the world sees it: a computer with the daemons on it. It routes acts, timers, datagrams and
 * questions to whom they concern and owns no rule of its own; which program is which is in programs.ts.
 */
import { completions, peekTool } from "../command/index.ts";
import { CFG } from "../corosync/index.ts";
import {
  NEVER,
  cloneState,
  type ArmedTimer,
  type Datagram,
  type DiskContents,
  type HardwareAct,
  type Hasher,
  type Instant,
  type JournalLine,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineSnapshot,
  type Attached,
  type MachineStatus,
  type Out,
  type QueryReply,
} from "../kernel/index.ts";
import {
  Computer,
  FileActs,
  MachineRuntime,
  ServiceProcesses,
  fileUsers,
  isFileAct,
  isHardware,
  isSessionAct,
  type ComputerDesign,
  type ComputerState,
  type FileActsState,
  type RuntimeState,
  type WorldFacts,
} from "../machine/index.ts";
import { localServices } from "../machine/systemd/index.ts";
import { boardOf } from "./board.ts";
import { ManagerService } from "./manager-service.ts";
import { Programs, packagesOf, servicesOf, type BroughtProgram, type MachineKind } from "./programs.ts";
import { machineStatus, statusNow } from "./status.ts";
import { UnitActs } from "./unit-acts.ts";

/** Acts a stalled machine keeps until its processors run again. Ours. */
const DEFERRED_ACTS_MAX = 256;

const REACHES_A_STALLED_MACHINE: ReadonlySet<MachineAct["kind"]> = new Set(["resume", "power-cut", "worker-lost"]);

/** What a shell starts belongs to the login session, as systemd counts. */
const SESSION_UNIT = "session-1.scope";
const SESSION_SCOPE = /^session-\d+\.scope$/;
/** What a shell says where a program did not begin, and its status then. */
const NOT_STARTED = { ENOENT: ["command not found", 127], EAGAIN: ["fork: Resource temporarily unavailable", 126] } as const;
/** What a world brings along. */
const BROUGHT_UNIT = "load";

interface NodeState {
  computer: ComputerState;
  fileActs: FileActsState;
  runtime: RuntimeState;
  deferred: Exclude<MachineAct, HardwareAct>[];
  lost: boolean;
  manager: unknown;
}

type CommandAct = Extract<MachineAct, { kind: "command" | "command-signal" | "command-input" }>;

export class Node implements Machine {
  private readonly computer: Computer;
  private readonly fileActs: FileActs;
  private readonly runtime: MachineRuntime;
  private readonly programs: Programs;
  private readonly processes: ServiceProcesses;
  private readonly unitActs: UnitActs;
  private readonly packaged: readonly string[];
  /** The machine's services, as of a state of its disk. */
  private services: { readonly seq: number; readonly names: readonly string[] } | undefined;
  private readonly manager: ManagerService;
  /** The status as it was asked for last; undefined since something has happened. Who waits for a cluster asks after every event. */
  private told: MachineStatus | undefined;
  private deferred: Exclude<MachineAct, HardwareAct>[] = [];
  /** The process that ran this machine is gone. */
  private lost = false;

  constructor(
    design: ComputerDesign,
    world: WorldFacts,
    private readonly kind: MachineKind = "node",
    private readonly brought?: BroughtProgram,
  ) {
    const packages = design.packages ?? [];
    const installed = packagesOf(kind, packages);
    this.packaged = servicesOf(installed);
    this.processes = new ServiceProcesses(
      () => this.computer.manager,
      () => this.runtime.table,
      () => this.computer.newPid(),
      (argv) => this.programs.printsToJournal(argv),
    );
    this.computer = new Computer(design, world, installed, {
      booted: () => this.booted(),
      spawn: (request) => this.processes.spawn(request),
      kill: (pid, signal) => this.processes.kill(pid, signal),
      processes: (unit) => this.processes.processes(unit),
      written: () => this.fileActs.layer.written(),
      powerLost: () => this.powerLost(),
      files: fileUsers(() => this.runtime.table),
    });
    this.unitActs = new UnitActs(
      this.computer,
      () => this.serviceNames(),
      () => this.endSession(),
    );
    this.fileActs = new FileActs(this.computer.files, {
      emit: (effect) => this.computer.emit(effect),
      shell: (session) => this.runtime.sessions.shell(session),
      ask: (server, mount, request) => this.runtime.table.peekServed(server, mount, request),
      reply: (process, id, reply) => this.runtime.table.fileReply(process, id, reply),
      settle: () => this.runtime.table.settle(),
    });
    this.programs = new Programs(
      kind,
      packages,
      brought,
      () => this.runtime.table.running(),
      () => this.runtime.table.peek(CFG, { call: "corosync_cfg_ring_status_get" }).peek === "would-wait",
      () => boardOf(this.computer).release,
    );
    this.manager = new ManagerService(
      this.computer,
      () => this.serviceNames(),
      this.unitActs,
      (party) => this.runtime.table.sockets.port(party),
    );
    this.runtime = new MachineRuntime({
      seed: world.seed,
      board: boardOf(this.computer),
      files: this.fileActs.layer,
      manager: this.processes,
      program: (argv) => this.programs.maker(argv),
      party: (name) => this.manager.party(name),
    });
  }

  get name(): string {
    return this.computer.design.name;
  }

  /** Without suffix: those that run one of the lab's daemons, then those whose unit files people have written. */
  private serviceNames(): readonly string[] {
    const { seq } = this.computer.files;
    if (this.services?.seq !== seq) {
      const names = [...this.packaged, ...localServices(this.computer.manager.hooks.files, this.packaged)];
      this.services = { seq, names };
    }
    return this.services.names;
  }

  // ── power ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private booted(): void {
    this.runtime.start();
    this.manager.listen();
    if (this.brought === undefined) return;
    const place = { unit: BROUGHT_UNIT, session: "", tty: "" };
    const { argv, pid } = this.brought;
    this.runtime.table.spawn({ argv, pid, cwd: "/", parent: 1, place, sink: { kind: "nowhere" } });
  }

  private powerLost(): void {
    this.runtime.powerLost();
    this.fileActs.powerLost();
    this.manager.powerLost();
    this.deferred = [];
  }

  /** What systemd finds in login sessions gets SIGTERM; the shells themselves, whose connections go with the power, are left. */
  private endSession(): void {
    const { table } = this.runtime;
    for (const { pid, sid, place, outside } of table.records())
      if (SESSION_SCOPE.test(place.unit) && (place.session === "" || (pid !== sid && !outside))) table.signal(pid, "SIGTERM");
    table.settle();
  }

  /** What the manager was asked for by processes, and what follows from it. */
  private settle(): void {
    while (this.manager.wake()) this.runtime.table.settle();
  }

  /** Whatever changes a machine begins here. */
  private enter(now: Instant, out: Out): void {
    this.told = undefined;
    this.computer.enter(now, out);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimerAt(): Instant {
    if (this.computer.stalled) return NEVER;
    return Math.min(this.computer.nextTimerAt(), this.runtime.nextTimerAt());
  }

  readonly armed = (): readonly ArmedTimer[] => (this.computer.stalled ? [] : [...this.computer.timers.armed(""), ...this.runtime.armed()]);
  runTimer(now: Instant, out: Out): void {
    this.enter(now, out);
    if (this.computer.stalled) return;
    if (this.computer.nextTimerAt() <= this.runtime.nextTimerAt()) {
      const name = this.computer.timers.pop(now);
      if (name !== undefined) this.computer.timer(name);
      this.runtime.table.settle();
    } else this.runtime.runTimer(now);
    this.settle();
  }

  // ── network ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(now: Instant, datagram: Datagram, out: Out): void {
    this.enter(now, out);
    if (!this.computer.isUp) return;
    this.runtime.receive(datagram);
    if (!this.computer.stalled) this.settle();
  }

  // ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  act(now: Instant, act: MachineAct, out: Out): void {
    this.enter(now, out);
    if (isHardware(act)) return this.hardware(act);
    if (this.computer.stalled && !REACHES_A_STALLED_MACHINE.has(act.kind)) {
      if (act.kind === "stall" || act.kind === "disk") return;
      if (this.deferred.length < DEFERRED_ACTS_MAX) this.deferred.push(act);
      else this.refuse(act, "EAGAIN");
      return;
    }
    this.doAct(act);
    this.runtime.table.settle();
    this.settle();
  }

  private hardware(act: HardwareAct): void {
    this.computer.hardware(act);
    if (act.kind === "net-renamed") this.runtime.networkRenamed(act.net, act.to);
  }

  private doAct(act: Exclude<MachineAct, HardwareAct>): void {
    const c = this.computer;
    switch (act.kind) {
      case "power-on":
        this.lost = false;
        c.powerOn();
        return;
      case "shutdown":
      case "reboot":
        this.unitActs.shutdown(act.kind === "reboot");
        return;
      case "power-cut":
        c.powerCut();
        return;
      case "worker-lost":
        this.lost = true;
        c.powerCut();
        return;
      case "stall":
        c.stall();
        // One that is off has no processors to stop.
        if (c.stalled) this.runtime.stall();
        return;
      case "resume":
        this.resume();
        return;
      case "service":
        this.unitActs.service(act.op, act.unit);
        return;
      case "service-stall":
        this.unitActs.signalMain(act.unit, "SIGSTOP");
        return;
      case "service-resume":
        this.unitActs.signalMain(act.unit, "SIGCONT");
        return;
      case "command":
      case "command-signal":
      case "command-input":
        this.command(act);
        return;
      case "disk":
        c.layDisk(act.image, act.chunks);
        return;
      default:
        if (!c.isUp) this.refuse(act, "EHOSTDOWN");
        else if (isSessionAct(act)) this.runtime.sessions.act(act);
        else this.fileActs.act(act);
    }
  }

  /** What a machine that is off, or that has too much to remember, answers to an act somebody waits for. */
  private refuse(act: MachineAct, errno: "EHOSTDOWN" | "EAGAIN"): void {
    if (isSessionAct(act)) this.runtime.sessions.refuse(act, errno);
    else if (isFileAct(act)) this.fileActs.refuse(act, errno);
    else if (act.kind === "command") this.computer.emit({ kind: "exit", id: act.id, status: 255 });
  }

  private resume(): void {
    const c = this.computer;
    if (!c.stalled) return;
    c.resume();
    this.runtime.resume();
    const acts = this.deferred;
    this.deferred = [];
    for (const act of acts) this.doAct(act);
  }

  private command(act: CommandAct): void {
    if (act.kind === "command-signal") this.runtime.signalCommand(act.id, act.signal);
    else if (act.kind === "command-input") this.runtime.inputCommand(act.id, act.line);
    else if (this.computer.isUp) this.launch(act);
    else {
      const state = this.computer.booting ? "still booting" : "off";
      this.computer.emit({ kind: "output", id: act.id, stream: "stderr", text: `${this.name} is ${state}\n` });
      this.refuse(act, "EHOSTDOWN");
    }
  }

  /** A process of the login session; what was piped into it are its lines of input. */
  private launch({ id, argv, cwd, stdin }: Extract<CommandAct, { kind: "command" }>): void {
    const place = { unit: SESSION_UNIT, session: "", tty: "" };
    const made = this.runtime.table.spawn({ argv, cwd, parent: 1, place, sink: { kind: "command", id }, command: id });
    if (typeof made === "string") {
      const [text, status] = NOT_STARTED[made];
      this.computer.emit({ kind: "output", id, stream: "stderr", text: `${argv[0] ?? ""}: ${text}\n` });
      this.computer.emit({ kind: "exit", id, status });
    } else if (stdin !== "") {
      for (const line of stdin.replace(/\n$/, "").split("\n")) this.runtime.inputCommand(id, line);
      this.runtime.inputCommand(id, undefined);
    }
  }

  // ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────

  query(now: Instant, query: MachineQuery): QueryReply {
    this.computer.enter(now, () => {
      throw new Error("a query had an effect");
    });
    switch (query.kind) {
      case "command":
        return this.ask(query.argv, query.cwd, query.session ?? "");
      case "complete":
        return { kind: "completions", candidates: this.complete(query.argv, query.cwd) };
      default:
        return this.fileActs.query(query);
    }
  }

  /** A machine whose processors stand still answers when they run again, so asking it takes time; one that is off never does. */
  private ask(argv: readonly string[], cwd: string, session: string): QueryReply {
    if (!this.computer.isUp) return { kind: "error", errno: "EHOSTDOWN" };
    if (this.computer.stalled || this.programs.isDaemon(argv)) return { kind: "acts" };
    const tool = this.programs.tool(argv[0] ?? "");
    if (tool === undefined) return { kind: "no-such-command" };
    const answer = peekTool(tool, argv, this.runtime.peeker({ argv, cwd, session }));
    return answer === "acts" ? { kind: "acts" } : { kind: "result", ...answer };
  }

  private complete(line: readonly string[], cwd: string): string[] {
    return completions(this.programs.tools, this.runtime.peeker({ argv: line, cwd, session: "" }), line);
  }

  status(now: Instant): MachineStatus {
    this.computer.now = now;
    const stack = this.programs.corosync?.believing;
    this.told ??= machineStatus(this.computer, stack, {
      kind: this.kind,
      busy: this.runtime.table.records().some((r) => r.command !== undefined && !r.outside && r.exit === undefined),
      worker: this.lost ? "lost" : "alive",
      device: this.programs.qdevice?.view,
      qnetd: this.programs.qnetd?.view,
      pmxcfs: this.programs.pmxcfs?.view,
      services: this.serviceNames(),
    });
    return statusNow(this.told, this.computer, stack);
  }

  journalSince(from: number): JournalLine[] {
    return this.computer.journal.since(from);
  }

  readonly journalLength = (): number => this.computer.journal.length;

  diskImage(): DiskContents {
    return this.computer.files.image();
  }

  diskSeq(): number {
    return this.computer.files.seq;
  }
  readonly attached = (): Attached => this.runtime.sessions.attached();

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): MachineSnapshot {
    const state: NodeState = {
      computer: this.computer.snapshot(),
      fileActs: this.fileActs.snapshot(),
      runtime: this.runtime.snapshot(),
      deferred: cloneState(this.deferred),
      lost: this.lost,
      manager: this.manager.snapshot(),
    };
    return { ...state };
  }

  restore(snapshot: MachineSnapshot): void {
    this.told = undefined;
    const state = snapshot as unknown as NodeState;
    this.computer.restore(state.computer);
    this.fileActs.restore(state.fileActs);
    this.services = undefined;
    this.computer.files.withoutTrace(() => this.runtime.restore(state.runtime));
    this.deferred = cloneState(state.deferred);
    this.lost = state.lost;
    this.manager.restore(state.manager);
  }

  digest(h: Hasher): void {
    this.computer.digest(h);
    h.int(this.deferred.length).bool(this.lost);
    this.fileActs.digest(h);
    this.runtime.digest(h);
    this.manager.digest(h);
  }
}

/** Names of the services that a machine of this design has, without suffix. */
export function unitNames({ kind, packages }: { readonly kind: MachineKind; readonly packages?: readonly string[] }): string[] {
  return servicesOf(packagesOf(kind, packages));
}

/** A node from its design. */
export function makeNode(world: WorldFacts, design: ComputerDesign, brought?: BroughtProgram): Node {
  return new Node(design, world, "node", brought);
}

/** The machine factory a world takes: what the design's kind says. */
export function makeMachine(world: WorldFacts, design: ComputerDesign & { readonly kind: MachineKind }): Node {
  return new Node(design, world, design.kind);
}
