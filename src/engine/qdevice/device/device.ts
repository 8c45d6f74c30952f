/**
 * The corosync-qdevice daemon of one node: registers with votequorum, talks to corosync-qnetd, and polls votequorum with the vote it is given. In the real
 * stack: corosync-qdevice.c, qdevice-votequorum.c and qdevice-model-net.c; net.ts holds the talk with the server. What is logged, in which order, is recorded.
 *
 * A call of votequorum's library blocks the daemon until it is answered: what comes meanwhile waits (`waiting`). Heuristics run the commands of exec_NAME one after the other, in
 * the order of the map, and the daemon waits for them likewise. Left out: their timeouts and the worker process, and the -S settings.
 */
import { cloneState, type Hasher, type TcpEvent } from "../../kernel/index.ts";
import { CAST_VOTE_TIMER, CastVote } from "./cast-vote.ts";
import { type DeviceConfig } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import { CLOSED, CLOSING } from "./device-leave.ts";
import { rereadNodes } from "./device-reread.ts";
import { ALGORITHM_TIMER, DeviceNotifications } from "./device-notifications.ts";
import { DevicePolls } from "./device-polls.ts";
import { DeviceStart } from "./device-start.ts";
import { DeviceVotes } from "./device-votes.ts";
import {
  MISSED_MAX,
  NO_DAEMON,
  digestDevice,
  emptyDevice,
  type AfterPoll,
  type DeviceCall,
  type DevicePort,
  type DeviceReply,
  type DeviceState,
  type HeuristicsPurpose,
  type Missed,
  type VoteView,
  type Waiting,
} from "./device-state.ts";
import { HeuristicsRuns } from "./heuristics.ts";
import { DeviceNet, sleeps } from "./net.ts";
import type { Heuristics, Vote } from "../tlv.ts";

export class Device implements DeviceCore {
  state: DeviceState = emptyDevice();
  private net: DeviceNet | undefined;
  castVote: CastVote | undefined;
  private readonly starting: DeviceStart;
  private readonly heuristics: HeuristicsRuns;
  private readonly votes: DeviceVotes;
  private readonly polls: DevicePolls;
  private readonly notifications: DeviceNotifications;

  constructor(
    private readonly port: DevicePort,
    /** Command line: `-d` and `-S net_test_algorithm_enabled=on`. */
    private readonly options: { readonly debug: boolean; readonly test: boolean },
  ) {
    this.heuristics = new HeuristicsRuns(port, this, (result, purpose) => this.heuristicsEnded(result, purpose));
    this.votes = new DeviceVotes(port, this, (votes, { purpose, expected }) => {
      if (purpose === "start") this.starting.algorithm(votes);
      else this.notifications.expected(expected, votes);
    });
    this.polls = new DevicePolls(port, this, { follow: (after) => this.follow(after), refused: () => this.pollRefused() });
    this.notifications = new DeviceNotifications(
      port,
      this,
      () => this.net,
      (expected) => this.votes.ask("expected", expected),
    );
    this.starting = new DeviceStart(port, this, options, {
      askVotes: () => this.votes.ask("start", 0),
      take: (config) => this.take(config),
    });
  }

  get config(): DeviceConfig | undefined {
    return this.state.config;
  }

  debug(text: string): void {
    if (this.options.debug || this.port.get("logging.debug") === "on") this.port.log("debug", text);
  }

  get alive(): boolean {
    return this.state.phase !== "ended";
  }

  // ── calls of votequorum ──────────────────────────────────────────────────────────────────────────────────────────────

  /** A registration is answered by an event of its main loop. */
  get blocked(): boolean {
    const { waiting } = this.state;
    return waiting !== undefined && waiting.on !== "register";
  }

  wait(waiting: Waiting, call: DeviceCall): void {
    this.state.waiting = waiting;
    if (!this.port.ask(call)) this.answered({ error: NO_DAEMON });
  }

  /** The answer to what it had asked. What it was told meanwhile comes after. */
  answered(reply: DeviceReply): void {
    const { waiting } = this.state;
    if (!this.alive || waiting === undefined) return;
    this.state.waiting = undefined;
    this.goOn(waiting, reply);
    this.settle();
  }

  private goOn(waiting: Waiting, reply: DeviceReply): void {
    const { error } = reply;
    switch (waiting.on) {
      case "trackstart":
        return this.starting.tracking(error);
      case "register":
        return this.starting.registered(error);
      case "master_wins":
        return this.starting.configure(error);
      case "current":
        return reply.view === undefined
          ? this.fail(`Can't start tracking votequorum changes. Error ${error ?? ""}`)
          : this.first(reply.view);
      case "getinfo":
        return this.votes.answered(waiting, reply);
      case "poll":
        return this.polls.polled(waiting, error);
      case "unregister":
        // Where nobody answers any more there is nothing to be said.
        if (error !== undefined && error !== NO_DAEMON) this.port.log("warning", `Unable to unregister votequorum device. Error ${error}`);
        return this.closed(waiting.code);
      case "command":
        throw new Error("a command is not answered by votequorum");
    }
  }

  private settle(): void {
    if (!this.alive || this.blocked) return;
    const { leaving } = this.state;
    this.state.leaving = undefined;
    if (leaving !== undefined) this.terminate(leaving);
    else this.catchUp();
  }

  // ── coming up (device-start.ts) ──────────────────────────────────────────────────────────────────────────────────────

  start(): void {
    this.starting.begin();
  }

  /** Nobody serves corosync's sockets. */
  noDaemon(): void {
    this.starting.tracking(NO_DAEMON);
  }

  fail(text: string): void {
    this.port.log("error", text);
    this.end(1);
  }

  private take(config: DeviceConfig): void {
    this.state.config = Object.freeze({ ...config });
    this.wire(config);
  }

  /** The first that votequorum tells. */
  private first(now: VoteView): void {
    this.notifications.onNodelist(now.ring, now.members);
    this.notifications.onQuorum(now.quorate, now.nodes);
    this.state.expectedVotes = now.expectedVotes;
    this.debug("Waiting for initial heuristics exec result");
    this.debug("worker: Heuristic worker initialized");
    this.debug("worker: qdevice_heuristics_worker_cmd_process_one_line: Received exec-list-clear command");
    this.membershipHeuristics("start");
  }

  private wire(config: DeviceConfig): void {
    const castVote = new CastVote(
      {
        debug: (text) => this.debug(text),
        setTimer: (name, after) => this.port.setTimer(name, this.port.now() + after),
        clearTimer: (name) => this.port.clearTimer(name),
        poll: (cast) => this.polls.poll(cast),
      },
      config.castVoteMs,
    );
    castVote.state = this.state.castVote;
    this.castVote = castVote;
    this.net = new DeviceNet(this.port, this, config);
  }

  // ── polls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  result(vote: Vote, who: string, after?: AfterPoll): void {
    this.polls.result(vote, who, after);
  }

  /** The daemon no longer knows the device, as after corosync-quorumtool -f. */
  private pollRefused(): void {
    this.net?.lost("poll-failed", { next: "leave", code: 1, broken: false });
  }

  private follow(after: AfterPoll): void {
    if (!this.alive) return;
    if (after.next === "confirm") this.net?.confirm(after.seq);
    else if (after.next === "pause") this.net?.pause();
    else if (after.next === "connect") this.net?.connect();
    else this.shutDown(after.broken, after.code);
  }

  // ── what votequorum tells ────────────────────────────────────────────────────────────────────────────────────────────

  private get looks(): boolean {
    return !this.blocked && !sleeps(this.state);
  }

  /** votequorum's notifications, and what comes over the connection to the server. */
  happened(what: Missed): void {
    if (this.state.phase !== "running") return;
    if (!this.looks) {
      this.state.missed.push(what);
      if (this.state.missed.length > MISSED_MAX) this.state.missed.shift();
      return;
    }
    if (what.what === "nodelist") {
      this.notifications.onNodelist(what.ring, what.members);
      this.membershipHeuristics("membership");
    } else if (what.what === "quorum") this.notifications.onQuorum(what.quorate, what.nodes);
    else if (what.what === "expected") this.notifications.onExpected(what.votes);
    else this.net?.event(what.event);
  }

  /** What waited while the process was inside a call or slept. */
  catchUp(): void {
    while (this.looks && this.alive) {
      const next = this.state.missed.shift();
      if (next === undefined) return;
      this.happened(next);
    }
  }

  /** The algorithm cannot go on with this configuration: the process ends in order, with an error. */
  private algorithmFailed(): void {
    this.net?.lost("error", { next: "leave", code: 1, broken: false });
  }

  // ── heuristics ───────────────────────────────────────────────────────────────────────────────────────────────────────

  runHeuristics(purpose: HeuristicsPurpose, timeoutMs: number): void {
    this.heuristics.run(purpose, timeoutMs);
  }

  private heuristicsEnded(result: Heuristics, purpose: HeuristicsPurpose): void {
    if (purpose === "connect") this.net?.connectHeuristics(result);
    else if (purpose === "regular") this.net?.regularResult(result);
    else this.notifications.membershipResult(result, purpose === "start");
  }

  /** The command that was started last has ended. */
  ran(ok: boolean): void {
    if (this.heuristics.ran(ok)) this.settle();
  }

  heuristicsTimedOut(): void {
    if (this.heuristics.timedOut()) this.settle();
  }

  private membershipHeuristics(purpose: "start" | "membership"): void {
    this.runHeuristics(purpose, this.state.config?.heuristics.syncTimeoutMs ?? 0);
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────

  event(event: TcpEvent): void {
    if (this.alive) this.happened({ what: "tcp", event });
  }

  timer(name: string): void {
    if (!this.alive) return;
    if (name === "start") this.start();
    else if (name === CAST_VOTE_TIMER) this.castVote?.timer();
    else if (name === ALGORITHM_TIMER) this.algorithmFailed();
    else this.net?.timer(name);
  }

  /** A timer must wait: the process is inside a call, or sleeps. The one that ends the sleep comes through. */
  holdsTimer(name: string): boolean {
    return this.blocked || (sleeps(this.state) && name !== "wake");
  }

  /** The node list or another key of the map may have changed. */
  configurationChanged(): void {
    if (this.state.phase !== "running") return;
    this.debug("Node list configuration possibly changed");
    if (rereadNodes(this, this.port, this.options.test) && this.state.connection === "connected") this.net?.sendConfig("changed config");
  }

  /** SIGTERM, or corosync-qdevice-tool -H. */
  terminate(by: "SIGTERM" | "tool"): void {
    if (!this.alive) return;
    if (this.state.phase !== "running") return this.end(0);
    if (this.blocked) {
      this.state.leaving = by;
      return;
    }
    this.debug(by === "SIGTERM" ? "SIGTERM received - closing local unix socket" : "IPC client requested shutdown");
    this.debug("Listening socket is closed");
    this.net?.lost("local-shutdown", { next: "leave", code: 0, broken: false });
  }

  /** corosync's sockets broke. */
  daemonGone(): void {
    if (!this.alive) return;
    if (this.state.phase !== "running") return this.end(1);
    const { waiting } = this.state;
    this.state.waiting = undefined;
    if (waiting?.on === "unregister") return this.closed(waiting.code);
    if (waiting?.on === "poll") this.polls.failed(NO_DAEMON);
    this.port.log("error", "Can't dispatch votequorum messages");
    this.net?.lost("daemon-gone", { next: "leave", code: 1, broken: true });
  }

  private shutDown(broken: boolean, code: number): void {
    for (const line of CLOSING) {
      if (line.level === "debug") this.debug(line.text);
      else if (broken || line.broken !== true) this.port.log(line.level, line.text);
    }
    if (broken) this.closed(code);
    else this.wait({ on: "unregister", code }, { call: "unregister" });
  }

  private closed(code: number): void {
    for (const text of CLOSED) this.debug(text);
    this.end(code);
  }

  end(code: number): void {
    if (!this.alive) return;
    this.kill();
    this.port.exited(code);
  }

  /** The process is gone: nothing more is said. */
  kill(): void {
    this.state.phase = "ended";
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as DeviceState);
    if (this.state.config !== undefined) {
      this.state.config = Object.freeze({ ...this.state.config });
      this.wire(this.state.config);
    }
  }

  digest(h: Hasher): void {
    digestDevice(h, this.state);
  }
}
