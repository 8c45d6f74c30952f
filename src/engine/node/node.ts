/**
 * One cluster node as the world sees it: a computer with the daemons on it. This is the one place that names all layers of a node together. It routes acts,
 * timers, datagrams and questions to whom they concern and owns no rule of its own but what a kernel does with a datagram nobody listens for.
 */
import { CommandRuns, answerQuery, completions, corosyncCall } from "../command/index.ts";
import type { Cpg } from "../cpg/index.ts";
import {
  NEVER,
  cloneState,
  type Datagram,
  type HardwareAct,
  type Hasher,
  type Instant,
  type JournalLine,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineSnapshot,
  type MachineStatus,
  type Out,
  type QueryReply,
} from "../kernel/index.ts";
import {
  Computer,
  PVE_UNITS,
  QDEVICE_UNIT,
  QNETD_UNITS,
  isHardware,
  answerFileQuery,
  applyFileAct,
  drain,
  emptySocket,
  enqueue,
  portUnreachable,
  type ComputerDesign,
  type ComputerState,
  type SocketBuffer,
  type UnitSpec,
  type WorldFacts,
} from "../machine/index.ts";
import type { Corosync } from "./corosync.ts";
import { Daemons } from "./daemons.ts";
import { SESSION_UNIT } from "./launch.ts";
import { performAct } from "./node-acts.ts";
import { programsOf, type MachineKind } from "./programs.ts";
import { QDEVICE } from "./qdevice-process.ts";
import { Services } from "./services.ts";
import { machineStatus } from "./status.ts";
import { NodeTools } from "./tool-host.ts";

/** Acts a stalled machine keeps until its processors run again. Ours. */
const DEFERRED_ACTS_MAX = 256;

const REACHES_A_STALLED_MACHINE: ReadonlySet<MachineAct["kind"]> = new Set(["resume", "power-cut", "worker-lost"]);

const COROSYNC = "corosync";

/** What a program reaches of the daemon. */
export interface DaemonSocket {
  /** Of the daemon's process. */
  readonly pid: number;
  readonly cpg: Cpg;
  /** Its services have synchronised, so that requests are taken. */
  readonly ready: boolean;
}

/** Timers of running commands, among the machine's own. */
const COMMAND_TIMER = "command/";

interface NodeState {
  computer: ComputerState;
  daemons: unknown;
  socket: SocketBuffer;
  deferred: Exclude<MachineAct, HardwareAct>[];
  sigstopped: boolean;
  lost: boolean;
  commands: unknown;
  services: unknown;
}

type CommandAct = Extract<MachineAct, { kind: "command" | "command-signal" | "command-input" }>;

export class Node implements Machine {
  private readonly computer: Computer;
  private readonly tools: NodeTools;
  private readonly commands: CommandRuns;
  private readonly daemons: Daemons;
  private readonly services: Services;
  /** What the network card has for a stalled machine. */
  private socket: SocketBuffer = emptySocket();
  private deferred: Exclude<MachineAct, HardwareAct>[] = [];
  /** The daemon's process got SIGSTOP; it stays stopped when the machine's stall ends. */
  private sigstopped = false;
  /** The process that ran this machine is gone. */
  private lost = false;

  constructor(
    design: ComputerDesign,
    world: WorldFacts,
    private readonly kind: MachineKind = "node",
  ) {
    this.computer = new Computer(design, world, unitsOf(kind, design), {
      spawn: (unit, pid) => this.spawn(unit, pid),
      stop: (unit, polite) => this.stopProcess(unit, polite),
      kill: (unit) => this.killProcess(unit),
      powerLost: () => this.powerLost(),
    });
    this.daemons = new Daemons(this.computer, world.seed, {
      ready: () => {
        this.computer.units.ready(COROSYNC);
        this.computer.afterUnitChange();
      },
      exited: (exit) => {
        this.computer.units.exited(COROSYNC, exit);
        this.computer.afterUnitChange();
      },
      gone: () => this.services.corosyncGone(),
      reloaded: () => this.services.device?.configurationChanged(),
    });
    this.services = new Services(this.computer, world.seed, {
      stack: () => this.corosync?.stack,
      answers: () => this.corosync?.stopped !== true,
      query: (argv) => {
        const answer = answerQuery(this.tools, argv, { cwd: "/", stdin: "" });
        return answer === undefined || answer === "acts" ? undefined : answer.status;
      },
    });
    this.tools = new NodeTools(this.computer, () => this.corosync, this.services, programsOf(kind, design.packages ?? []));
    this.commands = new CommandRuns({
      host: () => this.tools,
      act: (act) => {
        const error = performAct(act, this.computer.units, this.corosync, (unit) => this.services.shutDown(unit));
        this.computer.afterUnitChange();
        return error;
      },
      emit: (effect) => this.computer.emit(effect),
      setTimer: (id, at) => this.computer.timers.set(COMMAND_TIMER + id, at),
      clearTimer: (id) => this.computer.timers.clear(COMMAND_TIMER + id),
    });
  }

  get name(): string {
    return this.computer.design.name;
  }

  // ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  private spawn(unit: string, pid: number): void {
    if (unit !== COROSYNC) {
      this.services.spawn(unit, pid);
      return;
    }
    this.sigstopped = false;
    this.daemons.startUnit(pid);
  }

  /** The daemon that came up, whoever started it. */
  private get corosync(): Corosync | undefined {
    return this.daemons.holder;
  }

  private stopProcess(unit: string, polite: "exec-stop" | "SIGTERM"): void {
    const daemon = this.daemons.unit;
    this.services.terminate(unit);
    if (unit !== COROSYNC || daemon === undefined) return;
    // ExecStop= asks over the daemon's socket; a daemon that is not up yet has none, and systemd goes on to SIGTERM.
    if (polite === "exec-stop" && daemon.execStop()) return;
    // systemd sends SIGCONT after SIGTERM.
    this.sigstopped = false;
    daemon.resume();
    this.services.corosyncAnswers();
    daemon.terminate();
  }

  private killProcess(unit: string): void {
    if (unit === COROSYNC) this.daemons.killUnit();
    else this.services.kill(unit);
  }

  /** The daemon's socket as a program on this machine finds it; undefined while no daemon answers. */
  daemonSocket(): DaemonSocket | undefined {
    const daemon = this.corosync;
    if (daemon?.stack === undefined || daemon.stopped) return undefined;
    return { pid: daemon.pid, cpg: daemon.stack.cpg, ready: daemon.stack.sync.ready };
  }

  /** A program on this machine has its turn and finds the daemon; `run` is not called where it does not. */
  program(now: Instant, out: Out, run: (daemon: DaemonSocket) => void): void {
    const daemon = this.daemonSocket();
    if (daemon === undefined) return;
    this.computer.enter(now, out);
    run(daemon);
  }

  private powerLost(): void {
    this.services.powerLost();
    this.daemons.powerLost();
    this.socket = emptySocket();
    this.deferred = [];
    this.commands.powerLost();
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  nextTimerAt(): Instant {
    if (this.computer.stalled) return NEVER;
    return Math.min(this.computer.nextTimerAt(), this.daemons.nextTimerAt());
  }

  runTimer(now: Instant, out: Out): void {
    this.computer.enter(now, out);
    if (this.computer.stalled) return;
    const own = this.computer.nextTimerAt();
    if (own <= this.daemons.nextTimerAt()) {
      const name = this.computer.timers.pop(now);
      if (name?.startsWith(COMMAND_TIMER) === true) this.commands.timer(name.slice(COMMAND_TIMER.length));
      else if (name !== undefined && !this.services.timer(name)) this.computer.timer(name);
    } else this.daemons.runTimer(now);
    this.commands.wake();
  }

  // ── network ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(now: Instant, datagram: Datagram, out: Out): void {
    this.computer.enter(now, out);
    if (!this.computer.isUp) return;
    if (this.computer.stalled) enqueue(this.socket, datagram);
    else {
      this.accept(datagram);
      this.commands.wake();
    }
  }

  private accept(datagram: Datagram): void {
    const nic = this.computer.nics.find((n) => n.address === datagram.dst && n.net === datagram.net);
    if (nic?.up !== true) return;
    if (datagram.proto === "tcp") this.services.receive(datagram);
    else if (this.corosync?.listens(datagram.dst, datagram.dstPort) === true) this.corosync.receive(datagram);
    else if (datagram.proto === "udp") this.computer.emit({ kind: "send", datagram: portUnreachable(datagram) });
  }

  // ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  act(now: Instant, act: MachineAct, out: Out): void {
    this.computer.enter(now, out);
    if (isHardware(act)) {
      this.hardware(act);
      return;
    }
    if (this.computer.stalled && !REACHES_A_STALLED_MACHINE.has(act.kind)) {
      if (act.kind === "stall") return;
      if (this.deferred.length < DEFERRED_ACTS_MAX) this.deferred.push(act);
      else this.refuse(act, "EAGAIN");
      return;
    }
    this.doAct(act);
    this.computer.afterUnitChange();
    this.commands.wake();
  }

  private hardware(act: HardwareAct): void {
    this.computer.hardware(act);
    if (act.kind !== "net-renamed") return;
    this.socket.queue = this.socket.queue.map((d) => (d.net === act.net ? { ...d, net: act.to } : d));
    this.services.networkRenamed(act.net, act.to);
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
        this.daemons.endSession();
        c.shutdown(act.kind === "reboot");
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
        this.daemons.stop();
        this.services.stop();
        return;
      case "resume":
        this.resume();
        return;
      case "service":
        this.service(act.op, act.unit);
        return;
      case "service-stall":
        this.services.stop(act.unit);
        if (act.unit !== COROSYNC || this.daemons.unit === undefined) return;
        this.sigstopped = true;
        this.daemons.unit.stop();
        return;
      case "service-resume":
        this.services.resume(act.unit);
        if (act.unit !== COROSYNC) return;
        this.sigstopped = false;
        this.daemons.unit?.resume();
        this.services.corosyncAnswers();
        return;
      case "command":
      case "command-signal":
      case "command-input":
        this.command(act);
        return;
      default:
        this.fileAct(act);
    }
  }

  /** What a machine that is off, or that has too much to remember, answers to an act somebody waits for. */
  private refuse(act: MachineAct, errno: string): void {
    if (act.kind === "command") this.computer.emit({ kind: "exit", id: act.id, status: 255 });
    else if ("path" in act) this.computer.emit({ kind: "file-result", path: act.path, error: errno });
    else if (act.kind === "file-rename") this.computer.emit({ kind: "file-result", path: act.to, error: errno });
  }

  /** `stop` and `restart` here are PID 1 sending SIGTERM, as the recordings of stops were made; `systemctl stop` goes by the unit's ExecStop=. */
  private service(op: "start" | "stop" | "restart" | "kill", unit: string): void {
    const units = this.computer.units;
    if (!this.computer.isUp || units.get(unit) === undefined) return;
    if (op === "start") units.start(unit);
    else if (op === "stop") units.stop(unit, "SIGTERM");
    else if (op === "restart") units.restart(unit, "SIGTERM");
    else units.kill(unit);
  }

  private resume(): void {
    const c = this.computer;
    if (!c.stalled) return;
    c.resume();
    // What waited at the card goes to the sockets first, then the processes run, in the order each has for it.
    for (const datagram of drain(this.socket)) this.accept(datagram);
    this.daemons.resume(this.sigstopped);
    this.services.resume();
    const acts = this.deferred;
    this.deferred = [];
    for (const act of acts) this.doAct(act);
  }

  private fileAct(act: Exclude<MachineAct, CommandAct | HardwareAct>): void {
    if (!("path" in act) && act.kind !== "file-rename") return;
    const path = act.kind === "file-rename" ? act.to : act.path;
    if (!this.computer.isUp) {
      this.refuse(act, "EHOSTDOWN");
      return;
    }
    const done = applyFileAct(this.computer.root, act, this.computer.now);
    if (done.ok) this.computer.root = done.value;
    this.computer.emit({ kind: "file-result", path, error: done.ok ? undefined : done.errno });
  }

  private command(act: CommandAct): void {
    if (act.kind === "command-signal") {
      if (!this.daemons.signal(act.id, act.signal)) this.commands.signal(act.id, act.signal);
    } else if (act.kind === "command-input") this.commands.input(act.id, act.line);
    else if (this.computer.isUp && this.launch(act.id, act.argv, act.cwd)) return;
    else if (this.computer.isUp) this.commands.start(act.id, act.argv, { cwd: act.cwd, stdin: act.stdin });
    else {
      const state = this.computer.booting ? "still booting" : "off";
      this.computer.emit({ kind: "output", id: act.id, stream: "stderr", text: `${this.name} is ${state}\n` });
      this.refuse(act, "EHOSTDOWN");
    }
  }

  /** `corosync` typed in a terminal is a process of its own, not a tool that asks one. False: the line is something else, or only asks. */
  private launch(id: string, argv: readonly string[], cwd: string): boolean {
    const call = corosyncCall(argv, cwd);
    if (call === undefined) return false;
    if (this.daemons.full) this.refuse({ kind: "command", id, argv, cwd, stdin: "" }, "EAGAIN");
    else this.daemons.startCommand(id, { ...call, heard: true, unit: SESSION_UNIT });
    return true;
  }

  // ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────

  query(now: Instant, query: MachineQuery): QueryReply {
    this.computer.enter(now, () => {
      throw new Error("a query had an effect");
    });
    switch (query.kind) {
      case "command":
        return this.ask(query.argv, query.cwd, query.stdin);
      case "complete":
        return { kind: "completions", words: completions(this.tools, query.words) };
      default:
        return answerFileQuery(this.computer.root, query);
    }
  }

  /** A machine whose processors stand still answers when they run again, so asking it takes time; one that is off never does. */
  private ask(argv: readonly string[], cwd: string, stdin: string): QueryReply {
    if (!this.computer.isUp) return { kind: "error", errno: "EHOSTDOWN" };
    if (this.computer.stalled) return { kind: "acts" };
    const answer = answerQuery(this.tools, argv, { cwd, stdin });
    if (answer === undefined) return { kind: "no-such-command" };
    return answer === "acts" ? { kind: "acts" } : { kind: "result", ...answer };
  }

  status(now: Instant): MachineStatus {
    this.computer.now = now;
    return machineStatus(this.computer, this.corosync?.believing, {
      kind: this.kind,
      busy: this.commands.busy || this.daemons.commanded,
      worker: this.lost ? "lost" : "alive",
      device: this.services.device,
      qnetd: this.services.view,
    });
  }

  journalSince(from: number): JournalLine[] {
    return this.computer.journal.since(from);
  }

  journalLength(): number {
    return this.computer.journal.length;
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): MachineSnapshot {
    const state: NodeState = {
      computer: this.computer.snapshot(),
      daemons: this.daemons.snapshot(),
      socket: cloneState(this.socket),
      deferred: cloneState(this.deferred),
      sigstopped: this.sigstopped,
      lost: this.lost,
      commands: this.commands.snapshot(),
      services: this.services.snapshot(),
    };
    return { ...state };
  }

  restore(snapshot: MachineSnapshot): void {
    const state = snapshot as unknown as NodeState;
    this.computer.restore(state.computer);
    this.socket = cloneState(state.socket);
    this.deferred = cloneState(state.deferred);
    this.sigstopped = state.sigstopped;
    this.lost = state.lost;
    this.daemons.restore(state.daemons);
    this.services.restore(state.services);
    this.commands.restore(state.commands);
  }

  digest(h: Hasher): void {
    this.computer.digest(h);
    h.int(this.socket.queue.length).int(this.deferred.length).bool(this.sigstopped).bool(this.lost);
    this.daemons.digest(h);
    this.services.digest(h);
    this.commands.digest(h);
  }
}

function unitsOf(kind: MachineKind, design: ComputerDesign): readonly UnitSpec[] {
  if (kind === "qnetd") return QNETD_UNITS;
  return design.packages?.includes(QDEVICE) === true ? [...PVE_UNITS, QDEVICE_UNIT] : PVE_UNITS;
}

/** Names of the units that a machine of this design has, without suffix. */
export function unitNames({ kind, ...design }: ComputerDesign & { readonly kind: MachineKind }): string[] {
  return unitsOf(kind, design).map(({ name }) => name);
}

/** A node from its design. */
export function makeNode(world: WorldFacts, design: ComputerDesign): Node {
  return new Node(design, world);
}

/** The machine factory a world takes: what the design's kind says. */
export function makeMachine(world: WorldFacts, design: ComputerDesign & { readonly kind: MachineKind }): Node {
  return new Node(design, world, design.kind);
}
