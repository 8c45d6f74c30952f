/**
 * The corosync-qdevice program: its options, its connections to corosync (cmap and votequorum) and to its own tool, its timers. In the real stack: main of
 * corosync-qdevice.c with libcmap and libvotequorum behind it, and qdevice-ipc-cmd.c. Left out: the worker process of heuristics, options other than -d, -f and -S.
 */
import { formatIp, parseIp } from "../../config/index.ts";
import {
  ServiceClient,
  VOTEQUORUM,
  resolveByHosts,
  type Connection,
  type VotequorumCalls,
  type VotequorumNotices,
} from "../../corosync/index.ts";
import {
  NEVER,
  Timers,
  cloneState,
  exists,
  getopt,
  type Handled,
  type Hasher,
  type Instant,
  type IpcEvent,
  type IpcReply,
  type IpcRequest,
  type Os,
  type Peeked,
  type Plain,
  type Program,
  type ProgramEvent,
  type Signal,
  type TimersState,
} from "../../kernel/index.ts";
import { Device } from "./device.ts";
import { DEVICE_NAME, type DeviceCall, type DeviceReply } from "./device-state.ts";
import { DEVICE_SOCKET, deviceView, type DeviceView } from "./device-view.ts";
import { HEURISTICS_TIMEOUT } from "./heuristics.ts";
import { runCommand } from "./heuristics-command.ts";
import { KeyMirror, type MirrorState } from "./key-mirror.ts";
import { copyRing } from "../../totem/types.ts";

const NAME = "corosync-qdevice";
/** From exec to the first call of a library, µs. */
const EXEC_MIN = 4_000;
const EXEC_MAX = 12_000;

const HANDLED: Handled = ["SIGTERM", "SIGINT", "SIGPIPE"];

interface Asked {
  readonly seq: number;
  readonly call: DeviceCall["call"];
}

interface ToolRequest {
  readonly id: number;
  readonly seq: number;
  readonly request: IpcRequest;
}

interface ProgramState {
  timers: TimersState;
  late: string[];
  asked: Asked | undefined;
  tools: ToolRequest[];
  child: number | undefined;
  votes: Connection;
  keys: MirrorState;
  begun: boolean;
  device: unknown;
}

export class QdeviceProgram implements Program {
  private readonly timers = new Timers();
  /** Timers that came while the process slept or was inside a call. */
  private late: string[] = [];
  private asked: Asked | undefined;
  /** Requests of the tool that wait for the same reason. */
  private tools: ToolRequest[] = [];
  /** The command of heuristics that runs. */
  private child: number | undefined;
  /** The keys have been asked for. */
  private begun = false;
  private readonly votes: ServiceClient<VotequorumCalls, VotequorumNotices>;
  private readonly keys: KeyMirror;
  private readonly device: Device;

  constructor(private readonly os: Os) {
    this.votes = new ServiceClient(os.ipc, VOTEQUORUM);
    this.keys = new KeyMirror(os.ipc, { whole: () => this.device.start(), reloaded: () => this.device.configurationChanged() });
    const { options } = getopt(NAME, os.argv.slice(1), "dfS:hv");
    this.device = new Device(
      {
        now: () => os.now,
        setTimer: (name, at) => this.timers.set(name, at),
        clearTimer: (name) => this.clearTimer(name),
        log: (level, text) => os.log(NAME, level, text),
        tcp: os.tcp,
        ask: (call) => this.ask(call),
        nodeId: () => Number(this.keys.get("runtime.votequorum.this_node_id") ?? 0),
        get: (key) => this.keys.get(key),
        list: (prefix) => this.keys.list(prefix),
        resolve: (host) => addressOf(parseIp(host) === undefined ? resolveByHosts(os.files, host)[0] : host),
        hasDatabase: (directory) => exists(os.files, `${directory}/cert9.db`) || exists(os.files, `${directory}/cert8.db`),
        run: (command) => this.run(command),
        notifyReady: () => this.ready(),
        exited: (code) => os.exit({ code }),
      },
      {
        debug: options.some((o) => o.name === "d"),
        test: options.some((o) => o.name === "S" && /net_test_algorithm_enabled=(on|yes|1)/.test(o.value)),
      },
    );
  }

  start(): void {
    this.timers.set("start", this.os.now + this.os.rng(NAME).between(EXEC_MIN, EXEC_MAX));
  }

  /** What the lab's status shows of it; undefined before it has read its configuration. */
  get view(): DeviceView | undefined {
    return deviceView(this.device);
  }

  private ready(): void {
    if (!this.os.ipc.listen(DEVICE_SOCKET)) this.os.log(NAME, "error", "Can't create unix socket");
    this.os.notifyReady();
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private clearTimer(name: string): void {
    this.timers.clear(name);
    this.late = this.late.filter((l) => l !== name);
  }

  nextTimerAt(): Instant {
    return this.device.alive ? this.timers.nextAt() : NEVER;
  }

  runTimer(now: Instant): void {
    const name = this.timers.pop(now);
    if (name === undefined) return;
    this.fire(name);
    this.settle();
  }

  private fire(name: string): void {
    if (name === HEURISTICS_TIMEOUT) this.killCommand();
    else if (this.device.holdsTimer(name)) this.late.push(name);
    else if (name === "start" && !this.begun) this.begin();
    else this.device.timer(name);
  }

  private begin(): void {
    this.begun = true;
    if (!this.keys.begin() || !this.votes.connect()) this.device.noDaemon();
  }

  /** What waited while it slept or was inside a call. */
  private settle(): void {
    const { late, tools } = this;
    this.late = [];
    for (const name of late) this.fire(name);
    if (this.device.holdsTimer("")) return;
    this.tools = [];
    for (const tool of tools) if (this.device.alive) this.answerTool(tool);
  }

  // ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  handles(): Handled {
    return HANDLED;
  }

  signal(signal: Signal): void {
    if (signal !== "SIGPIPE") this.device.terminate("SIGTERM");
  }

  event(event: ProgramEvent): void {
    if (event.kind === "tcp") this.device.event(event.event);
    else if (event.kind === "ipc") this.local(event.event);
    else if (event.kind === "child" && event.pid === this.child) {
      this.child = undefined;
      this.device.ran("code" in event.exit && event.exit.code === 0);
    }
    this.settle();
  }

  private local(event: IpcEvent): void {
    if (this.keys.owns(event.id)) {
      if (event.what === "gone") this.daemonGone();
      else this.keys.event(event);
    } else if (this.votes.owns(event.id)) {
      if (event.what === "gone") this.daemonGone();
      else if (event.what === "reply") this.replied(event.seq, event.reply);
      else if (event.what === "notice") this.noticed(event);
    } else if (event.what === "request") this.tools.push({ id: event.id, seq: event.seq, request: event.request });
    else if (event.what === "closed") this.tools = this.tools.filter((t) => t.id !== event.id);
  }

  private daemonGone(): void {
    this.keys.close();
    this.votes.close();
    this.asked = undefined;
    this.device.daemonGone();
  }

  private noticed(event: Extract<IpcEvent, { what: "notice" }>): void {
    const nodelist = this.votes.notice("votequorum_nodelist_notification", event.notice);
    const quorum = this.votes.notice("votequorum_quorum_notification", event.notice);
    const expected = this.votes.notice("votequorum_expectedvotes_notification", event.notice);
    if (nodelist !== undefined) this.device.happened({ what: "nodelist", ring: nodelist.ring, members: nodelist.members });
    else if (quorum !== undefined) this.device.happened({ what: "quorum", quorate: quorum.quorate, nodes: quorum.nodes });
    else if (expected !== undefined) this.device.happened({ what: "expected", votes: expected.expectedVotes });
  }

  // ── calls of votequorum ──────────────────────────────────────────────────────────────────────────────────────────────

  private ask(call: DeviceCall): boolean {
    const seq = this.send(call);
    this.asked = seq === undefined ? undefined : { seq, call: call.call };
    return seq !== undefined;
  }

  private send(call: DeviceCall): number | undefined {
    const name = DEVICE_NAME;
    switch (call.call) {
      case "trackstart":
        return this.votes.ask("votequorum_trackstart", {});
      case "current":
        return this.votes.ask("votequorum_current", {});
      case "getinfo":
        return this.votes.ask("votequorum_getinfo", { nodeId: call.nodeId });
      case "register":
        return this.votes.ask("votequorum_qdevice_register", { name });
      case "unregister":
        return this.votes.ask("votequorum_qdevice_unregister", { name });
      case "master_wins":
        return this.votes.ask("votequorum_qdevice_master_wins", { name, allow: call.allow });
      case "poll":
        return this.votes.ask("votequorum_qdevice_poll", { name, castVote: call.cast, ring: copyRing(call.ring) });
    }
  }

  private replied(seq: number, reply: IpcReply): void {
    const { asked } = this;
    if (asked?.seq !== seq) return;
    this.asked = undefined;
    this.device.answered(this.reading(asked.call, reply));
  }

  private reading(call: DeviceCall["call"], reply: IpcReply): DeviceReply {
    if (reply.error !== undefined) return { error: reply.error };
    if (call === "current") {
      const view = this.votes.answer("votequorum_current", reply);
      return "error" in view ? { error: view.error } : { view };
    }
    if (call !== "getinfo") return {};
    const answer = this.votes.answer("votequorum_getinfo", reply);
    return "error" in answer ? { error: answer.error } : { votes: answer.info.votes };
  }

  // ── heuristics ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private run(command: string): boolean | "later" {
    const ended = runCommand(this.os, command);
    if (typeof ended === "boolean") return ended;
    this.child = ended.pid;
    return "later";
  }

  /** It has not ended in time. */
  private killCommand(): void {
    if (this.child !== undefined) this.os.kill(this.child, "SIGKILL");
    this.child = undefined;
    this.device.heuristicsTimedOut();
  }

  // ── its own tool ─────────────────────────────────────────────────────────────────────────────────────────────────────

  peek(_service: string, request: IpcRequest): Peeked {
    if (request.call !== "status" || this.device.holdsTimer("")) return { peek: "would-wait" };
    return { peek: "reply", reply: this.status() };
  }

  private status(): IpcReply {
    const { view } = this;
    return view === undefined ? { error: "CS_ERR_LIBRARY" } : ({ view: cloneState(view) } as unknown as IpcReply);
  }

  private answerTool({ id, seq, request }: ToolRequest): void {
    if (request.call === "status") this.os.ipc.reply(id, seq, this.status());
    else if (request.call === "shutdown") {
      this.os.ipc.reply(id, seq, {});
      this.device.terminate("tool");
    } else this.os.ipc.reply(id, seq, { error: "CS_ERR_NOT_SUPPORTED" });
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): Plain {
    const state: ProgramState = {
      timers: this.timers.snapshot(),
      late: [...this.late],
      asked: this.asked,
      tools: [...this.tools],
      child: this.child,
      votes: this.votes.snapshot(),
      keys: this.keys.snapshot(),
      begun: this.begun,
      device: this.device.snapshot(),
    };
    return state as unknown as Plain;
  }

  restore(saved: Plain): void {
    const state = saved as unknown as ProgramState;
    this.timers.restore(state.timers);
    this.late = [...state.late];
    this.asked = state.asked;
    this.tools = [...state.tools];
    this.child = state.child;
    this.votes.restore(state.votes);
    this.keys.restore(state.keys);
    this.begun = state.begun;
    this.device.restore(state.device);
  }

  digest(h: Hasher): void {
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    h.bool(this.begun)
      .int(this.child ?? 0)
      .int(this.asked?.seq ?? -1)
      .int(this.tools.length)
      .int(this.late.length);
    for (const name of this.late) h.text(name);
    this.device.digest(h);
  }
}

/** An address as the kernel prints it, however a file writes it. */
function addressOf(text: string | undefined): string | undefined {
  const ip = text === undefined ? undefined : parseIp(text);
  return ip === undefined ? text : formatIp(ip);
}
