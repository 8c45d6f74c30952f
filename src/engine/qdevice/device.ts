/**
 * The corosync-qdevice daemon of one node: registers with votequorum, talks to corosync-qnetd, and polls votequorum with the vote it is given. In the real
 * stack: corosync-qdevice.c, qdevice-votequorum.c and qdevice-model-net.c; net.ts holds the talk with the server. What is logged, in which order, is recorded.
 *
 * A call of votequorum's library blocks the daemon until it is answered: what comes meanwhile waits (`waiting`). Heuristics run the commands of exec_NAME one after the other, in
 * the order of the map, and the daemon waits for them likewise. Left out: their timeouts and the worker process, and the -S settings.
 */
import { cloneState, type Hasher, type TcpEvent } from "../kernel/index.ts";
import { ringIdText, type RingId } from "../totem/types.ts";
import { CAST_VOTE_TIMER, CastVote } from "./cast-vote.ts";
import { ffsplitTrouble, type DeviceConfig } from "./device-config.ts";
import type { DeviceCore } from "./device-core.ts";
import { CLOSED, CLOSING } from "./device-leave.ts";
import { rereadNodes } from "./device-reread.ts";
import { DeviceStart } from "./device-start.ts";
import { DeviceVotes } from "./device-votes.ts";
import {
  MISSED_MAX,
  digestDevice,
  emptyDevice,
  quorumNodes,
  type AfterPoll,
  type DeviceCall,
  type DevicePort,
  type DeviceReply,
  type DeviceState,
  type HeuristicsPurpose,
  type Missed,
  type NodeVotes,
  type VoteNode,
  type VoteView,
  type Waiting,
} from "./device-state.ts";
import { HeuristicsRuns } from "./heuristics.ts";
import { DeviceNet, sleeps } from "./net.ts";
import type { Heuristics, Vote } from "./tlv.ts";

/** The process ends when what is going on at this instant is over. */
const ALGORITHM_TIMER = "algorithm";
const STATE_NUMBERS = { member: 1, dead: 2, leaving: 3 } as const;

const NO_DAEMON = "CS_ERR_LIBRARY";

type Awaits<On extends Waiting["on"]> = Extract<Waiting, { on: On }>;

export class Device implements DeviceCore {
  state: DeviceState = emptyDevice();
  private net: DeviceNet | undefined;
  /** Of the result that is being handed to the timer. */
  private casting: { readonly who: string; readonly after: AfterPoll | undefined } | undefined;
  castVote: CastVote | undefined;
  private readonly starting: DeviceStart;
  private readonly heuristics: HeuristicsRuns;
  private readonly votes: DeviceVotes;

  constructor(
    private readonly port: DevicePort,
    /** Command line: `-d` and `-S net_test_algorithm_enabled=on`. */
    private readonly options: { readonly debug: boolean; readonly test: boolean },
  ) {
    this.heuristics = new HeuristicsRuns(port, this, (result, purpose) => this.heuristicsEnded(result, purpose));
    this.votes = new DeviceVotes(port, this, (votes, { purpose, expected }) => {
      if (purpose === "start") this.starting.algorithm(votes);
      else this.expected(expected, votes);
    });
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
        return this.polled(waiting, error);
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
    this.onNodelist(now.ring, now.members);
    this.onQuorum(now.quorate, now.nodes);
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
        poll: (cast) => this.poll(cast),
      },
      config.castVoteMs,
    );
    castVote.state = this.state.castVote;
    this.castVote = castVote;
    this.net = new DeviceNet(this.port, this, config);
  }

  // ── polls ────────────────────────────────────────────────────────────────────────────────────────────────────────────

  result(vote: Vote, who: string, after?: AfterPoll): void {
    this.casting = { who, after };
    this.castVote?.update(vote);
    // Nothing was polled.
    const idle = this.casting !== undefined;
    this.casting = undefined;
    if (idle && after !== undefined) this.follow(after);
  }

  private poll(cast: boolean): void {
    const { who, after } = this.casting ?? { who: "", after: undefined };
    this.casting = undefined;
    this.wait({ on: "poll", cast, who, after }, { call: "poll", cast, ring: this.state.ring });
  }

  private polled({ cast, who, after }: Awaits<"poll">, error: string | undefined): void {
    if (error !== NO_DAEMON) this.state.lastPoll = { at: this.port.now(), cast };
    if (error === undefined || error === "CS_ERR_TRY_AGAIN" || error === "CS_ERR_MESSAGE_ERROR") {
      if (error === "CS_ERR_MESSAGE_ERROR") this.port.log("info", "qdevice_votequorum_poll called with old ring id");
      if (after !== undefined) this.follow(after);
      return;
    }
    this.pollFailed(error);
    if (who !== "") this.port.log("error", `${who} fatal error.  Can't update cast vote timer vote`);
    if (after?.next === "leave") this.follow(after);
    else if (who === "") this.pollRefused();
    else this.end(1);
  }

  private pollFailed(error: string): void {
    this.port.log("crit", `Can't call votequorum_qdevice_poll. Error ${error}`);
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
      this.onNodelist(what.ring, what.members);
      this.membershipHeuristics("membership");
    } else if (what.what === "quorum") this.onQuorum(what.quorate, what.nodes);
    else if (what.what === "expected") this.onExpected(what.votes);
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

  private onNodelist(ring: RingId, members: readonly number[]): void {
    const s = this.state;
    this.debug("Votequorum nodelist notify callback:");
    this.debug(`  Ring_id = (${ringIdText(ring)})`);
    this.debug(`  Node list (size = ${members.length}):`);
    members.forEach((id, i) => this.debug(`    ${i} nodeid = ${id}`));
    s.ring = { rep: ring.rep, seq: ring.seq };
    s.members = [...members];
    this.debug("Algorithm decided to pause cast vote timer and result vote is No change ");
    this.castVote?.pause(true);
  }

  private onQuorum(quorate: boolean, nodes: readonly VoteNode[]): void {
    const s = this.state;
    this.debug("Votequorum quorum notify callback:");
    this.debug(`  Quorate = ${quorate ? 1 : 0}`);
    this.debug(`  Node list (size = ${nodes.length}):`);
    nodes.forEach((n, i) => this.debug(`    ${i} nodeid = ${n.nodeId}, state = ${n.nodeId === 0 ? 0 : STATE_NUMBERS[n.state]}`));
    s.quorate = quorate;
    s.voteNodes = nodes.map((n) => ({ ...n }));
    if (s.config?.algorithm === "lms") this.debug(`algo-lms: quorum_notify. quorate = ${quorate ? 1 : 0}`);
    const connected = s.connection === "connected";
    this.debug(`Algorithm decided to ${connected ? "send" : "not send"} list and result vote is No change`);
    if (connected) this.net?.sendQuorum(quorumNodes(s.voteNodes));
  }

  private onExpected(votes: number): void {
    this.debug("Votequorum expected_votes notify callback:");
    this.debug(`  Expected_votes: ${votes}`);
    this.debug(`qdevice_model_net_votequorum_expected_votes_notify (expected votes old=${this.state.expectedVotes} / new=${votes})`);
    if (this.state.config?.algorithm === "ffsplit") this.votes.ask("expected", votes);
    else this.expected(votes, undefined);
  }

  private expected(expectedVotes: number, votes: readonly NodeVotes[] | undefined): void {
    const trouble = votes === undefined ? undefined : ffsplitTrouble(this.port.get, votes);
    if (trouble === undefined) this.debug("Algorithm result vote is No change");
    else {
      this.port.log("crit", trouble);
      this.debug("Algorithm returned error. Disconnecting.");
      // What else the daemon tells at this moment is still heard (recorded).
      this.port.setTimer(ALGORITHM_TIMER, this.port.now());
    }
    this.state.expectedVotes = expectedVotes;
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
    else this.membershipResult(result, purpose === "start");
  }

  /** The command that was started last has ended. */
  ran(ok: boolean): void {
    if (this.heuristics.ran(ok)) this.settle();
  }

  private membershipHeuristics(purpose: "start" | "membership"): void {
    this.runHeuristics(purpose, this.state.config?.heuristics.syncTimeoutMs ?? 0);
  }

  private membershipResult(result: Heuristics, starting: boolean): void {
    const s = this.state;
    s.heuristics.membership = result;
    this.debug("Votequorum heuristics exec result callback:");
    this.debug(`  seq_number = ${s.heuristicsSeq}, exec_result = ${result === "Undefined" ? "Disabled" : result}`);
    const connected = s.connection === "connected";
    const vote: Vote = connected ? "Wait for reply" : "No change";
    this.debug(`Algorithm decided to ${connected ? "send" : "not send"} list, result vote is ${vote} and heuristics is ${result}`);
    if (connected) this.net?.sendMembership(result);
    this.castVote?.pause(false);
    this.result(vote, "qdevice_model_net_votequorum_node_list_notify");
    this.net?.scheduleRegular();
    if (!starting) return;
    this.debug("Qdevice ready to provide service");
    this.debug("Running QDevice main loop");
    this.net?.connect();
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
    if (waiting?.on === "poll") this.pollFailed(NO_DAEMON);
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
