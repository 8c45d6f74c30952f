/**
 * The corosync-qdevice daemon of one node: registers with votequorum, talks to corosync-qnetd, and polls votequorum with the vote it is given. In the real
 * stack: corosync-qdevice.c, qdevice-votequorum.c and qdevice-model-net.c; net.ts holds the talk with the server. What is logged, in which order, is recorded.
 *
 * Heuristics run the commands of exec_NAME that the machine models (corosync's own tools, true, false, test with a file), at once and in the order of the map;
 * any other command counts as one that could not be executed, so the result is Fail. Left out: their timeouts and the worker process, and the -S settings.
 */
import { MS, cloneState, type Hasher, type Instant, type TcpEvent } from "../kernel/index.ts";
import { ringIdText, type RingId } from "../totem/types.ts";
import type { VoteError } from "../votequorum/index.ts";
import { CAST_VOTE_TIMER, CastVote } from "./cast-vote.ts";
import { ffsplitTrouble, readInstance, readNet, type DeviceConfig } from "./device-config.ts";
import {
  DEVICE_NAME,
  MISSED_MAX,
  digestDevice,
  freshDevice,
  quorumNodes,
  type DevicePort,
  type DeviceState,
  type Missed,
  type VoteNode,
} from "./device-state.ts";
import { DeviceNet, sleeps } from "./net.ts";
import { nodeListLines } from "./qnetd.ts";
import type { Heuristics, Vote } from "./tlv.ts";

export const QDEVICE_DATABASE = "/etc/corosync/qdevice/net/nssdb";

/** How often a start whose daemon is not ready yet tries again (max_cs_try_again tries a second apart). */
const TRY_AGAIN_MS = 1000;
/** The process ends when what is going on at this instant is over. */
const ALGORITHM_TIMER = "algorithm";
const STATE_NUMBERS = { member: 1, dead: 2, leaving: 3 } as const;

export class Device {
  state: DeviceState = freshDevice();
  private net: DeviceNet | undefined;
  private unsubscribe: () => void = () => undefined;
  castVote: CastVote | undefined;

  constructor(
    private readonly port: DevicePort,
    /** Command line: `-d` and `-S net_test_algorithm_enabled=on`. */
    private readonly options: { readonly debug: boolean; readonly test: boolean },
  ) {}

  get config(): DeviceConfig | undefined {
    return this.state.config;
  }

  debug(text: string): void {
    if (this.options.debug || this.port.get("logging.debug") === "on") this.port.log("debug", text);
  }

  get alive(): boolean {
    return this.state.phase !== "ended";
  }

  // ── coming up ────────────────────────────────────────────────────────────────────────────────────────────────────────

  start(): void {
    const api = this.port.votequorum();
    if (api === undefined) return this.fail("Failed to initialize the cmap API. Error CS_ERR_LIBRARY");
    if (!this.port.ready()) {
      this.port.setTimer("start", this.port.now() + TRY_AGAIN_MS * MS);
      return;
    }
    this.debug("Initializing votequorum");
    this.state.phase = "registering";
    this.listen();
    const error = api.deviceRegister(DEVICE_NAME);
    if (error !== undefined) this.fail(`Can't register votequorum device. Error ${error}`);
  }

  private listen(): void {
    this.unsubscribe();
    const api = this.port.votequorum();
    if (api === undefined) return;
    this.unsubscribe = api.subscribe({
      registered: (error) => this.registered(error),
      nodelist: (ring, members) => this.happened({ what: "nodelist", ring, members }),
      quorum: (quorate, nodes) => this.happened({ what: "quorum", quorate, nodes }),
      expectedVotes: (votes) => this.happened({ what: "expected", votes }),
    });
  }

  private fail(text: string): void {
    this.port.log("error", text);
    this.end(1);
  }

  private registered(error: VoteError | undefined): void {
    if (this.state.phase !== "registering") return;
    if (error !== undefined) return this.fail(`Can't register votequorum device. Error ${error}`);
    this.configure();
  }

  private configure(): void {
    const { get, list } = this.port;
    this.debug("Initializing local socket");
    this.debug("Registering qdevice models");
    this.debug("Configuring qdevice");
    const instance = readInstance(get, list);
    if (typeof instance === "string") return this.fail(instance);
    this.debug("Configuring master_wins");
    const denied = this.port.votequorum()?.deviceMasterWins(DEVICE_NAME, false);
    if (denied !== undefined) return this.fail(`Can't set master wins. Error ${denied}`);
    this.debug("Getting configuration node list");
    this.debug("Configuration node list:");
    for (const line of nodeListLines(instance.nodes)) this.debug(line);
    this.debug("Initializing qdevice model");
    this.debug("Initializing qdevice_net_instance");
    const config = readNet(get, list, this.port.nodeId(), this.options.test);
    if (typeof config === "string") return this.fail(config);
    this.debug("Registering algorithms");
    this.debug("Initializing NSS");
    if (config.tls !== "off" && !this.port.hasDatabase(QDEVICE_DATABASE))
      return this.fail("Can't init nss (-8174): security library: bad database.");
    const trouble = config.algorithm === "ffsplit" ? ffsplitTrouble(get, this.port.nodeVotes()) : undefined;
    if (trouble !== undefined) {
      this.port.log("crit", trouble);
      return this.fail("Algorithm init failed");
    }
    this.run(config);
  }

  private run(config: DeviceConfig): void {
    this.state.config = Object.freeze({ ...config });
    const castVote = this.wire(config);
    castVote.update("Wait for reply");
    if (config.algorithm === "lms" || config.algorithm === "2nodelms") {
      this.debug(`algo-${config.algorithm}: Can't get WFA res = 12`);
      this.debug(`algo-${config.algorithm}: initialised. WFA = 0`);
    } else if (config.algorithm === "test") this.debug("algo-test: Initialized");
    this.debug("Initializing cmap tracking");
    this.debug("Registering main poll loop callbacks");
    this.debug("Waiting for ring id");
    this.state.phase = "running";
    this.port.notifyReady();
    const now = this.port.votequorum()?.current();
    if (now === undefined) return;
    this.onNodelist(now.ring, now.members);
    this.onQuorum(now.quorate, now.nodes);
    this.state.expectedVotes = now.expectedVotes;
    this.debug("Waiting for initial heuristics exec result");
    this.debug("worker: Heuristic worker initialized");
    this.debug("worker: qdevice_heuristics_worker_cmd_process_one_line: Received exec-list-clear command");
    this.membershipHeuristics();
    this.debug("Qdevice ready to provide service");
    this.debug("Running QDevice main loop");
    this.net?.connect();
  }

  private wire(config: DeviceConfig): CastVote {
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
    return castVote;
  }

  // ── votequorum ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private poll(cast: boolean): boolean {
    if (!this.port.answers()) {
      this.state.blocked = true;
      return true;
    }
    const error = this.port.votequorum()?.devicePoll(DEVICE_NAME, cast, this.state.ring) ?? undefined;
    if (this.port.votequorum() === undefined) return this.pollFailed("CS_ERR_LIBRARY");
    this.state.lastPoll = { at: this.port.now(), cast };
    if (error === undefined || error === "CS_ERR_TRY_AGAIN") return true;
    if (error === "CS_ERR_MESSAGE_ERROR") {
      this.port.log("info", "qdevice_votequorum_poll called with old ring id");
      return true;
    }
    return this.pollFailed(error);
  }

  private pollFailed(error: string): false {
    this.port.log("crit", `Can't call votequorum_qdevice_poll. Error ${error}`);
    return false;
  }

  /** The daemon no longer knows the device, as after corosync-quorumtool -f. */
  private pollRefused(): void {
    this.net?.lost("poll-failed");
    this.shutDown(false);
    this.end(1);
  }

  /** The algorithm's result goes to the timer; where the poll fails for good the process ends. */
  result(vote: Vote, who: string): boolean {
    if (this.castVote?.update(vote) !== false) return true;
    this.port.log("error", `${who} fatal error.  Can't update cast vote timer vote`);
    return false;
  }

  /** The daemon's process goes on: a poll that waited has its answer. What was told the device meanwhile comes after. */
  answered(): void {
    const s = this.state;
    if (!s.blocked) return;
    s.blocked = false;
    if (this.castVote !== undefined && !this.poll(this.castVote.casts)) return this.end(1);
    const { owed, leaving } = s;
    s.owed = s.leaving = undefined;
    if (owed !== undefined) this.net?.confirm(owed);
    if (leaving !== undefined) this.terminate(leaving);
    else this.catchUp();
  }

  private get looks(): boolean {
    return !this.state.stopped && !this.state.blocked && !sleeps(this.state);
  }

  private happened(what: Missed): void {
    if (this.state.phase !== "running") return;
    if (!this.looks) {
      this.state.missed.push(what);
      if (this.state.missed.length > MISSED_MAX) this.state.missed.shift();
      return;
    }
    if (what.what === "nodelist") {
      this.onNodelist(what.ring, what.members);
      this.membershipHeuristics();
    } else if (what.what === "quorum") this.onQuorum(what.quorate, what.nodes);
    else if (what.what === "expected") this.onExpected(what.votes);
    else this.net?.event(what.event);
  }

  /** What waited while the process slept or was stopped. */
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
    const s = this.state;
    this.debug("Votequorum expected_votes notify callback:");
    this.debug(`  Expected_votes: ${votes}`);
    this.debug(`qdevice_model_net_votequorum_expected_votes_notify (expected votes old=${s.expectedVotes} / new=${votes})`);
    const trouble = s.config?.algorithm === "ffsplit" ? ffsplitTrouble(this.port.get, this.port.nodeVotes()) : undefined;
    if (trouble === undefined) this.debug("Algorithm result vote is No change");
    else {
      this.port.log("crit", trouble);
      this.debug("Algorithm returned error. Disconnecting.");
      // What else the daemon tells at this moment is still heard (recorded).
      this.port.setTimer(ALGORITHM_TIMER, this.port.now());
    }
    s.expectedVotes = votes;
  }

  /** The algorithm cannot go on with this configuration: the process ends in order, with an error. */
  private algorithmFailed(): void {
    this.net?.lost("error");
    this.shutDown(false);
    this.end(1);
  }

  // ── heuristics ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs the commands; "Undefined" where heuristics are off or there are none. */
  runHeuristics(timeoutMs: number): Heuristics {
    const s = this.state;
    s.heuristicsSeq++;
    const seq = s.heuristicsSeq;
    this.debug(`worker: qdevice_heuristics_worker_cmd_process_exec: Received exec command with seq_no "${seq}" and timeout "${timeoutMs}"`);
    const heuristics = s.config?.heuristics;
    const off = heuristics === undefined || heuristics.mode === "off" || heuristics.execs.length === 0;
    const failed = off ? false : heuristics.execs.filter((e) => !this.port.run(e.command)).length > 0;
    const word = off ? "Disabled" : failed ? "Fail" : "Pass";
    this.debug(`Received heuristics exec result command with seq_no "${seq}" and result "${word}"`);
    return off ? "Undefined" : failed ? "Fail" : "Pass";
  }

  private membershipHeuristics(): void {
    const s = this.state;
    const result = this.runHeuristics(s.config?.heuristics.syncTimeoutMs ?? 0);
    s.heuristics.membership = result;
    this.debug("Votequorum heuristics exec result callback:");
    this.debug(`  seq_number = ${s.heuristicsSeq}, exec_result = ${result === "Undefined" ? "Disabled" : result}`);
    const connected = s.connection === "connected";
    const vote: Vote = connected ? "Wait for reply" : "No change";
    this.debug(`Algorithm decided to ${connected ? "send" : "not send"} list, result vote is ${vote} and heuristics is ${result}`);
    if (connected) this.net?.sendMembership(result);
    this.castVote?.pause(false);
    if (!this.result(vote, "qdevice_model_net_votequorum_node_list_notify")) return this.end(1);
    this.net?.scheduleRegular();
  }

  // ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────

  event(event: TcpEvent): void {
    if (this.alive) this.happened({ what: "tcp", event });
  }

  timer(name: string): void {
    if (!this.alive) return;
    if (name === "start") this.start();
    else if (name === CAST_VOTE_TIMER) {
      if (this.castVote?.timer() === false) this.pollRefused();
    } else if (name === ALGORITHM_TIMER) this.algorithmFailed();
    else this.net?.timer(name);
  }

  /** A timer must wait: the process is stopped, or sleeps. The one that ends the sleep comes through. */
  holdsTimer(name: string): boolean {
    return this.state.stopped || this.state.blocked || (sleeps(this.state) && name !== "wake");
  }

  stop(): void {
    this.state.stopped = true;
  }

  resume(): void {
    if (!this.state.stopped) return;
    this.state.stopped = false;
    this.catchUp();
  }

  /** The node list or another key of the map may have changed. */
  configurationChanged(): void {
    const old = this.state.config;
    if (this.state.phase !== "running" || old === undefined) return;
    this.debug("Node list configuration possibly changed");
    const read = readNet(this.port.get, this.port.list, this.port.nodeId(), this.options.test);
    if (typeof read === "string") return;
    const same = JSON.stringify(read.nodes) === JSON.stringify(old.nodes) && read.configVersion === old.configVersion;
    if (same) return;
    this.state.config = Object.freeze({ ...old, nodes: read.nodes, configVersion: read.configVersion });
    this.debug("Node list changed");
    if (read.configVersion !== undefined) this.debug(`  config_version = ${read.configVersion}`);
    for (const line of nodeListLines(read.nodes)) this.debug(line);
    const connected = this.state.connection === "connected";
    this.debug(`Algorithm decided to ${connected ? "send" : "not send"} node list and result vote is No change`);
    if (connected) this.net?.sendConfig("changed config");
  }

  /** SIGTERM, or corosync-qdevice-tool -H. */
  terminate(by: "SIGTERM" | "tool"): void {
    if (!this.alive) return;
    if (this.state.blocked) {
      this.state.leaving = by;
      return;
    }
    if (this.state.phase !== "running") return this.end(0);
    this.debug(by === "SIGTERM" ? "SIGTERM received - closing local unix socket" : "IPC client requested shutdown");
    this.debug("Listening socket is closed");
    this.net?.lost("local-shutdown");
    this.shutDown(false);
    this.end(0);
  }

  /** corosync's sockets broke. */
  daemonGone(): void {
    if (!this.alive) return;
    if (this.state.phase !== "running") return this.end(1);
    if (this.state.blocked) this.pollFailed("CS_ERR_LIBRARY");
    this.port.log("error", "Can't dispatch votequorum messages");
    this.net?.lost("daemon-gone");
    this.shutDown(true);
    this.end(1);
  }

  private shutDown(broken: boolean): void {
    const warn = (text: string): void => {
      if (broken) this.port.log("warning", text);
    };
    this.debug("Removing cmap tracking");
    warn("Can't delete cmap totemconfig_reload_in_progress tracking");
    warn("Can't delete cmap nodelist tracking");
    warn("Can't delete cmap logging tracking");
    warn("Can't delete cmap heuristics tracking");
    this.debug("Destroying qdevice model");
    this.debug("Destroying algorithm");
    this.debug("Destroying qdevice_net_instance");
    this.debug("Shutting down NSS");
    this.debug("Destroying qdevice ipc");
    this.debug("Destroying votequorum and cmap");
    warn("Can't stop tracking votequorum changes. Error CS_ERR_LIBRARY");
    warn("Unable to unregister votequorum device. Error CS_ERR_LIBRARY");
    this.unsubscribe();
    const error = broken ? undefined : this.port.votequorum()?.deviceUnregister(DEVICE_NAME);
    if (error !== undefined) this.port.log("warning", `Unable to unregister votequorum device. Error ${error}`);
    this.debug("Destroying heuristics");
    this.debug("Waiting for heuristics worker to finish");
    this.debug("worker: Heuristic worker shutdown requested");
    this.debug("worker: Waiting for all processes to exit");
    this.debug("Closing log");
  }

  end(code: number): void {
    if (!this.alive) return;
    this.kill();
    this.port.exited(code);
  }

  /** SIGKILL, or the power went: nothing more is said, and nobody is called back. */
  kill(): void {
    this.state.phase = "ended";
    this.unsubscribe();
  }

  get now(): Instant {
    return this.port.now();
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return cloneState(this.state);
  }

  /** The daemon's services must stand again. */
  restore(state: unknown): void {
    this.state = cloneState(state as DeviceState);
    if (this.state.config !== undefined) {
      this.state.config = Object.freeze({ ...this.state.config });
      this.wire(this.state.config);
    }
    if (this.alive && this.state.phase !== "starting") this.listen();
  }

  digest(h: Hasher): void {
    digestDevice(h, this.state);
  }
}
