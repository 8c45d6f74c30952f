/**
 * The vote quorum service (corosync's votequorum, service 5): every member tells the others its votes, its expected votes and its flags, and each computes
 * for itself whether the votes present are a majority. The quorum never goes down by itself: only a tool's change of votes or expected votes, or
 * hearing from a quorate node while inquorate, lowers it, or an option. Here are its configuration, its syncs and what tools and the device ask; its messages are in messages.ts, the
 * verdict is in verdict.ts. Left out: IPC connections; who asks calls a method, who tracks subscribes.
 */
import { TIE_BREAKER_AND_LAST_MAN } from "../config/index.ts";
import { MS, type Hasher, type LogLevel, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import { copyRing, type RingId } from "../totem/types.ts";
import { QuorumDevice } from "./device.ts";
import { DEVICE_NODE_ID, FLAG_FIRST, FLAG_LEAVING, RECONFIG_CANCEL_WFA, RECONFIG_EXPECTED_VOTES, RECONFIG_NODE_VOTES } from "./flags.ts";
import {
  deviceInfo,
  optionsInfo,
  voteInfo,
  votequorumKeys,
  type DeviceInfo,
  type OptionsInfo,
  type VoteInfo,
  type VoteKey,
} from "./info.ts";
import { applyOptions, contradicts, type VotequorumParams } from "./options.ts";
import { VoteTable } from "./table.ts";
import { VoteLog } from "./log.ts";
import { LAST_MAN_TIMER, SERVICE_ID, VoteMessages } from "./messages.ts";
import { VoteTracking, type QuorumCallback, type VoteError, type VoteListener } from "./tracking.ts";
import { tieBreakerIsHere } from "./tie-breaker.ts";
import { Verdict } from "./verdict.ts";

export class Votequorum implements ServiceEngine {
  readonly id = SERVICE_ID;
  readonly description = "corosync vote quorum service v1.0";
  readonly handlerCount = 4;
  private readonly table: VoteTable;
  private readonly verdict: Verdict;
  private readonly device: QuorumDevice;
  private readonly log: VoteLog;
  private readonly messages: VoteMessages;
  private readonly tracking: VoteTracking;

  /**
   * @param storedExpected what /var/lib/corosync/ev_tracking holds; asked for at the start alone, and only where it is needed
   * @param writeKey takes what the service writes below runtime.votequorum.
   */
  constructor(
    private readonly port: Port,
    ring: ServicePort,
    private readonly params: VotequorumParams,
    setQuorum: QuorumCallback,
    private readonly storedExpected: () => number | undefined = () => 0,
    writeKey?: (key: VoteKey) => void,
  ) {
    this.table = new VoteTable(params.nodeId, params.votes, params.expectedVotes, params.debug);
    this.log = new VoteLog(port, this.table);
    this.tracking = new VoteTracking(this.table, setQuorum);
    if (writeKey !== undefined) {
      this.table.written = (...names) => {
        for (const key of votequorumKeys(this.table)) if (names.includes(key.key)) writeKey(key);
      };
    }
    this.verdict = new Verdict(port, this.table, {
      debug: (text) => this.log.trace(text),
      changed: () => this.tracking.announce(),
      expectedVotes: (votes) => this.tracking.tell((l) => l.expectedVotes?.(votes)),
    });
    this.device = new QuorumDevice(port, this.table, {
      debug: (text) => this.log.trace(text),
      sendNodeInfo: (nodeId) => this.messages.sendNodeInfo(nodeId, false),
      mcast: (handler, payload) => ring.mcast(SERVICE_ID, handler, payload),
      registered: (error) => this.tracking.tell((l) => l.registered?.(error)),
    });
    this.messages = new VoteMessages(port, ring, this.table, this.verdict, this.device, this.log);
  }

  /**
   * The service is being loaded: first calculation (a one-node cluster is quorate from here on) and a first nodeinfo, which waits for the first
   * ring. It goes out before the service's counters exist, so it is counted when received but not when sent (observed: rx 3, tx 2).
   * @returns false where expected votes are to be tracked and there is no file for it: then the daemon does not start
   */
  load(): boolean {
    if (!this.readConfiguration(this.params, false)) return false;
    this.table.written("this_node_id");
    this.verdict.recalculate(false);
    this.messages.sendNodeInfo(this.params.nodeId, true);
    return true;
  }

  /** Whether the debug lines are built. */
  set debug(on: boolean) {
    this.table.state.debug = on;
  }

  /** The service is being unloaded: with allow_downscale the others are told, so that they expect one vote less. */
  unload(): void {
    const s = this.table.state;
    if (s.options.allowDownscale) {
      this.table.us().flags |= FLAG_LEAVING;
      this.messages.sendNodeInfo(this.params.nodeId, false);
    }
    s.unloaded = true;
  }

  // ── configuration ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns false where what it needs from disk is not there */
  private readConfiguration(params: VotequorumParams, runtime: boolean): boolean {
    const s = this.table.state;
    const us = this.table.us();
    s.debug = params.debug;
    this.log.trace(() => `Reading configuration (runtime: ${runtime ? 1 : 0})`);
    const say = (level: LogLevel, text: string): void => this.log.say(level, text);
    if (runtime && contradicts(s.options, params)) {
      for (const line of TIE_BREAKER_AND_LAST_MAN) say("crit", line);
      return true;
    }
    applyOptions(s.options, params, runtime, say);
    this.device.configure(params.device);
    if (runtime && s.options.waiting && !s.options.waitForAll) this.table.setWaiting(false);
    if (runtime) this.device.settle(s.options, params, say);
    if (!runtime && s.options.tracking) {
      const stored = this.storedExpected();
      if (stored === undefined) return false;
      this.verdict.track(stored);
    }
    us.votes = params.votes;
    us.expectedVotes = params.expectedVotes;
    const given = params.givenExpectedVotes ?? 0;
    this.log.trace(
      () => `ev_tracking=${s.options.tracking ? 1 : 0}, ev_tracking_barrier = ${s.options.tracked}: expected_votes = ${given}`,
    );
    // A daemon that runs expects what it has tracked, whatever the file says now: more only once as many votes are there (observed).
    if (s.options.tracking) us.expectedVotes = runtime ? s.options.tracked : Math.max(us.expectedVotes, s.options.tracked);
    s.evBarrier = us.expectedVotes;
    this.table.written("two_node", "ev_barrier");
    // Written where a tie breaker is wanted, and by every later reading.
    if (runtime || params.autoTieBreaker === true) this.table.written("atb_type");
    if (!runtime && s.options.waitForAll) this.table.setWaiting(true);
    return true;
  }

  /**
   * A key below quorum. or nodelist. has changed, or the file was read again: votes, expected votes, two_node and the device are taken from the configuration, whatever
   * a tool had set, and everybody is told. The other options stay as they were at the start.
   */
  reconfigure(params: VotequorumParams): void {
    const us = this.table.us();
    const { votes, expectedVotes } = us;
    this.readConfiguration(params, true);
    this.messages.sendNodeInfo(us.nodeId, false);
    this.messages.sendNodeInfo(DEVICE_NODE_ID, false);
    if (us.votes !== votes && this.messages.sendReconfigure(us.nodeId, us.votes, RECONFIG_NODE_VOTES) !== undefined) {
      this.log.say("error", "Failed to send new votes message to other nodes");
    }
    if (
      us.expectedVotes !== expectedVotes &&
      this.messages.sendReconfigure(us.nodeId, us.expectedVotes, RECONFIG_EXPECTED_VOTES) !== undefined
    ) {
      this.log.say("error", "Failed to send expected votes message to other nodes");
    }
  }

  /** quorum.cancel_wait_for_all was set: all members stop waiting. */
  cancelWaitForAll(): void {
    if (this.messages.sendReconfigure(this.params.nodeId, 0, RECONFIG_CANCEL_WFA) !== undefined) {
      this.log.say("error", "Failed to send Cancel WFA message to other nodes");
    }
  }

  /** One of this layer's timers is due. */
  timer(name: string): void {
    if (name === LAST_MAN_TIMER) {
      if (this.table.state.quorate) this.verdict.recalculate(true, true);
    } else if (!this.device.timer(name)) throw new Error(`votequorum has no timer ${name}`);
  }

  // ── who listens ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns ends the subscription */
  subscribe(listener: VoteListener): () => void {
    return this.tracking.subscribe(listener);
  }

  /** What a client that begins to track with CS_TRACK_CURRENT is told at once. */
  current(): ReturnType<VoteTracking["current"]> {
    return this.tracking.current();
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  execute(handler: number, from: number, payload: Uint8Array): void {
    this.messages.execute(handler, from, payload);
  }

  // ── synchronisation ──────────────────────────────────────────────────────────────────────────────────────────────────

  syncInit(_trans: readonly number[], members: readonly number[], ring: RingId): void {
    const s = this.table.state;
    s.syncing = true;
    s.sent = 0;
    if (members.length > 1) this.table.us().flags &= ~FLAG_FIRST;
    for (const id of s.members) {
      const node = members.includes(id) ? undefined : this.table.find(id);
      if (node) node.state = "dead";
    }
    s.previous = s.members;
    s.members = [...members];
    s.ring = copyRing(ring);
    this.startLastManWindow();
    this.device.syncInit();
  }

  /**
   * Some left and the rest may go on without them: after the window only those present are expected. With a tie breaker of any kind also where the lowest node is
   * among few (observed: with a list that names the other half of two, that half is quorate and has no window).
   */
  private startLastManWindow(): void {
    const s = this.table.state;
    if (!s.options.lastManStanding) return;
    const left = s.previous.some((id) => !s.members.includes(id));
    const enough = s.members.length >= s.quorum && left;
    const lowest = tieBreakerIsHere({ type: "lowest" }, s, () => undefined);
    const tied = s.options.tieBreaker.type !== "none" && s.members.length <= s.quorum && lowest;
    if (enough || tied) this.port.setTimer(LAST_MAN_TIMER, this.port.now() + s.options.windowMs * MS);
  }

  syncProcess(): boolean {
    const s = this.table.state;
    if (s.sent === 0 && this.messages.sendNodeInfo(this.params.nodeId, false)) s.sent = 1;
    if (s.sent === 1 && this.messages.sendNodeInfo(DEVICE_NODE_ID, false)) s.sent = 2;
    if (s.sent === 2 && this.device.tellName()) {
      s.sent = 3;
      const joined = s.members.filter((id) => !s.previous.includes(id));
      const left = s.previous.filter((id) => !s.members.includes(id));
      this.tracking.tell((l) => l.nodelist?.(s.ring, s.members, joined, left));
    }
    return s.sent === 3 && !this.device.awaited;
  }

  syncActivate(): void {
    this.verdict.recalculate(false);
    this.tracking.announce();
    this.table.state.syncing = false;
  }

  syncAbort(): void {
    // As in corosync: the next syncInit starts over; what was heard of members stays heard.
  }

  // ── what the tools ask ───────────────────────────────────────────────────────────────────────────────────────────────

  /** votequorum_getinfo for one node; undefined where no such node was ever heard of (CS_ERR_NOT_EXIST). */
  info(nodeId: number): VoteInfo | undefined {
    return voteInfo(this.table, nodeId);
  }

  /** Every node this daemon has heard of since it started, ascending. */
  nodes(): VoteInfo[] {
    return this.table.state.nodes
      .map((n) => n.nodeId)
      .sort((a, b) => a - b)
      .flatMap((id) => this.info(id) ?? []);
  }

  /** The device as a node of the cluster has it, by what that node last said; undefined for a node never heard of. */
  deviceInfo(nodeId: number): DeviceInfo | undefined {
    return deviceInfo(this.table, nodeId);
  }

  optionsInfo(): OptionsInfo {
    return optionsInfo(this.table);
  }

  get quorate(): boolean {
    return this.table.state.quorate;
  }

  /** The ring of the last sync begun: what a device's poll must name. */
  get ringId(): RingId {
    return this.table.state.ring;
  }

  /**
   * votequorum_setexpected (quorumtool -e, pvecm expected): tells every member. @returns undefined when accepted; CS_ERR_INVALID_PARAM where
   * `votes` is below the votes present or, on a quorate node, would leave it inquorate; CS_ERR_TRY_AGAIN where the ring takes no message now.
   */
  setExpected(votes: number): VoteError | undefined {
    const { quorum, totalVotes } = this.verdict.calculate(true, votes);
    if (votes < totalVotes || (this.table.state.quorate && quorum > totalVotes)) return "CS_ERR_INVALID_PARAM";
    return this.messages.sendReconfigure(0, votes, RECONFIG_EXPECTED_VOTES);
  }

  /**
   * votequorum_setvotes (quorumtool -v): changes one node's votes on every member; `nodeId` 0 is this node. @returns undefined when accepted;
   * CS_ERR_NAME_NOT_FOUND for a node never heard of; CS_ERR_INVALID_PARAM where the votes left would be below the quorum.
   */
  setVotes(nodeId: number, votes: number): VoteError | undefined {
    const id = nodeId === 0 ? this.params.nodeId : nodeId;
    const node = this.table.find(id);
    if (node === undefined) return "CS_ERR_NAME_NOT_FOUND";
    const { quorum, totalVotes } = this.verdict.calculate(true, 0, (v) => (v.nodeId === id ? { ...v, votes } : v));
    if (quorum > totalVotes) return "CS_ERR_INVALID_PARAM";
    return this.messages.sendReconfigure(id, votes, RECONFIG_NODE_VOTES);
  }

  // ── what the quorum device asks (device.ts says more) ────────────────────────────────────────────────────────────────

  /** @returns undefined where the request is let through; the answer then comes by `registered` */
  deviceRegister(name: string): VoteError | undefined {
    return this.device.register(name);
  }

  deviceUnregister(name: string): VoteError | undefined {
    return this.device.unregister(name);
  }

  deviceUpdate(oldName: string, newName: string): VoteError | undefined {
    return this.device.update(oldName, newName);
  }

  /** @returns CS_ERR_MESSAGE_ERROR where `ring` is not that of the last sync begun */
  devicePoll(name: string, castVote: boolean, ring: RingId): VoteError | undefined {
    return this.device.poll(name, castVote, ring);
  }

  deviceMasterWins(name: string, allow: boolean): VoteError | undefined {
    return this.device.masterWins(name, allow);
  }

  /** What stands under runtime.votequorum. where nobody else writes there. */
  cmapEntries(): VoteKey[] {
    return votequorumKeys(this.table);
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return this.table.snapshot();
  }

  restore(state: unknown): void {
    this.table.restore(state);
  }

  digest(h: Hasher): void {
    this.table.digest(h);
  }
}
