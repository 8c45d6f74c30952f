/**
 * The vote quorum service (corosync's votequorum, service 5): every member tells the others its votes, its expected votes and its flags, and each computes
 * for itself whether the votes present are a majority. The quorum never goes down by itself: only a tool's change of votes or expected votes, or
 * hearing from a quorate node while inquorate, lowers it, or an option. Here are its messages, its syncs and what tools and the device ask; the verdict is in
 * verdict.ts. Left out: IPC connections; who asks calls a method, who tracks subscribes.
 */
import { TIE_BREAKER_AND_LAST_MAN } from "../config/index.ts";
import { ByteReader, ByteWriter, MS, type Hasher, type LogLevel, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import type { RingId } from "../totem/types.ts";
import { QuorumDevice, type DeviceError } from "./device.ts";
import {
  DEVICE_NODE_ID,
  FLAG_DEVICE_REGISTERED,
  FLAG_FIRST,
  FLAG_LEAVING,
  FLAG_QUORATE,
  FLAG_WFA_STATUS,
  HANDLER_DEVICE_REGISTER,
  HANDLER_DEVICE_RENAME,
  HANDLER_NODEINFO,
  HANDLER_RECONFIGURE,
  RECONFIG_CANCEL_WFA,
  RECONFIG_EXPECTED_VOTES,
  RECONFIG_NODE_VOTES,
  flagsText,
  type NodeState,
} from "./flags.ts";
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
import { VoteTable, type NodeEntry } from "./table.ts";
import { tieBreakerIsHere } from "./tie-breaker.ts";
import { Verdict } from "./verdict.ts";

const LAST_MAN_TIMER = "last_man_standing";

export type VoteError = "CS_ERR_NAME_NOT_FOUND" | DeviceError;

/** Whom the service tells its verdict: quorum_api_set_quorum. */
export type QuorumCallback = (members: readonly number[], quorate: boolean, ring: RingId) => void;

/** A client that tracks the service (votequorum_trackstart). Not part of a snapshot: who listens subscribes again. */
export interface VoteListener {
  /** After a verdict outside a sync that changed, and after every sync. `nodes`: all ever heard of, the device last where this node has it. */
  quorum?(quorate: boolean, nodes: readonly { readonly nodeId: number; readonly state: NodeState }[]): void;
  /** In every sync, when this node's own votes are sent. */
  nodelist?(ring: RingId, members: readonly number[], joined: readonly number[], left: readonly number[]): void;
  /** Own expected votes are different now. */
  expectedVotes?(votes: number): void;
  /** The answer to deviceRegister() that was let through: its message came round. */
  registered?(error: VoteError | undefined): void;
}

export class Votequorum implements ServiceEngine {
  readonly id = 5;
  readonly description = "corosync vote quorum service v1.0";
  readonly handlerCount = 4;
  private readonly table: VoteTable;
  private readonly verdict: Verdict;
  private readonly device: QuorumDevice;
  private readonly listeners = new Set<VoteListener>();

  /**
   * @param storedExpected what /var/lib/corosync/ev_tracking holds; asked for at the start alone, and only where it is needed
   * @param writeKey takes what the service writes below runtime.votequorum.
   */
  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly params: VotequorumParams,
    private readonly setQuorum: QuorumCallback,
    private readonly storedExpected: () => number | undefined = () => 0,
    writeKey?: (key: VoteKey) => void,
  ) {
    this.table = new VoteTable(params.nodeId, params.votes, params.expectedVotes, params.debug);
    if (writeKey !== undefined) {
      this.table.written = (...names) => {
        for (const key of votequorumKeys(this.table)) if (names.includes(key.key)) writeKey(key);
      };
    }
    this.verdict = new Verdict(port, this.table, {
      debug: (text) => this.trace(text),
      changed: () => this.announce(),
      expectedVotes: (votes) => this.tell((l) => l.expectedVotes?.(votes)),
    });
    this.device = new QuorumDevice(port, this.table, {
      debug: (text) => this.trace(text),
      sendNodeInfo: (nodeId) => this.sendNodeInfo(nodeId, false),
      mcast: (handler, payload) => this.ring.mcast(this.id, handler, payload),
      registered: (error) => this.tell((l) => l.registered?.(error)),
    });
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
    this.sendNodeInfo(this.params.nodeId, true);
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
      this.sendNodeInfo(this.params.nodeId, false);
    }
    s.unloaded = true;
  }

  // ── configuration ────────────────────────────────────────────────────────────────────────────────────────────────────

  private say(level: LogLevel, text: string): void {
    if (level !== "debug" || this.table.state.debug) this.port.log(level, "VOTEQ", text);
  }

  /** @returns false where what it needs from disk is not there */
  private readConfiguration(params: VotequorumParams, runtime: boolean): boolean {
    const s = this.table.state;
    const us = this.table.us();
    s.debug = params.debug;
    this.trace(() => `Reading configuration (runtime: ${runtime ? 1 : 0})`);
    const say = (level: LogLevel, text: string): void => this.say(level, text);
    if (runtime && contradicts(s.options, params)) {
      for (const line of TIE_BREAKER_AND_LAST_MAN) say("crit", line);
      return true;
    }
    applyOptions(s.options, params, runtime, say);
    this.device.configure(params.device);
    if (runtime) this.device.settle(s.options, params, say);
    if (!runtime && s.options.tracking) {
      const stored = this.storedExpected();
      if (stored === undefined) return false;
      this.verdict.track(stored);
    }
    us.votes = params.votes;
    us.expectedVotes = params.expectedVotes;
    const given = params.givenExpectedVotes ?? 0;
    this.trace(() => `ev_tracking=${s.options.tracking ? 1 : 0}, ev_tracking_barrier = ${s.options.tracked}: expected_votes = ${given}`);
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
    this.sendNodeInfo(us.nodeId, false);
    this.sendNodeInfo(DEVICE_NODE_ID, false);
    if (us.votes !== votes && this.sendReconfigure(us.nodeId, us.votes, RECONFIG_NODE_VOTES) !== undefined) {
      this.say("error", "Failed to send new votes message to other nodes");
    }
    if (us.expectedVotes !== expectedVotes && this.sendReconfigure(us.nodeId, us.expectedVotes, RECONFIG_EXPECTED_VOTES) !== undefined) {
      this.say("error", "Failed to send expected votes message to other nodes");
    }
  }

  /** quorum.cancel_wait_for_all was set: all members stop waiting. */
  cancelWaitForAll(): void {
    if (this.sendReconfigure(this.params.nodeId, 0, RECONFIG_CANCEL_WFA) !== undefined) {
      this.say("error", "Failed to send Cancel WFA message to other nodes");
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
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private tell(say: (listener: VoteListener) => void): void {
    for (const listener of [...this.listeners]) say(listener);
  }

  private announce(): void {
    const s = this.table.state;
    this.setQuorum(s.members, s.quorate, s.ring);
    const nodes = this.trackedNodes();
    this.tell((l) => l.quorum?.(s.quorate, nodes));
  }

  /** All nodes ever heard of, the device last where this node has it. */
  private trackedNodes(): { nodeId: number; state: NodeState }[] {
    const nodes: { nodeId: number; state: NodeState }[] = this.table.state.nodes.map((n) => ({ nodeId: n.nodeId, state: n.state }));
    if ((this.table.us().flags & FLAG_DEVICE_REGISTERED) !== 0) nodes.push({ nodeId: DEVICE_NODE_ID, state: "member" });
    return nodes;
  }

  /** What a client that begins to track with CS_TRACK_CURRENT is told at once. */
  current(): {
    ring: RingId;
    members: readonly number[];
    quorate: boolean;
    nodes: readonly { readonly nodeId: number; readonly state: NodeState }[];
    expectedVotes: number;
  } {
    const { ring, members, quorate } = this.table.state;
    return { ring, members, quorate, nodes: this.trackedNodes(), expectedVotes: this.table.us().expectedVotes };
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  execute(handler: number, from: number, payload: Uint8Array): void {
    if (this.table.state.unloaded) return;
    const r = new ByteReader(payload);
    if (handler === HANDLER_NODEINFO) this.onNodeInfo(from, r.u32(), r.u32(), r.u32(), r.u32());
    else if (handler === HANDLER_RECONFIGURE) this.onReconfigure(r.u32(), r.u32(), r.u8());
    else if (handler === HANDLER_DEVICE_REGISTER) this.device.onRegister(from, r);
    else if (handler === HANDLER_DEVICE_RENAME) this.device.onRename(from, r);
  }

  private onNodeInfo(from: number, nodeId: number, votes: number, expected: number, flags: number): void {
    this.trace(() => `nodeinfo message[${nodeId}]: votes: ${votes}, expected: ${expected} flags: ${flags}`);
    if (nodeId === DEVICE_NODE_ID) return this.onDeviceInfo(from, votes);
    this.trace(() => flagsText(flags));
    const s = this.table.state;
    const us = this.table.us();
    const known = this.table.find(nodeId);
    const node = known ?? this.table.add(nodeId);
    const before = { ...node };
    node.flags = flags;
    node.votes = votes;
    const leaving = (flags & FLAG_LEAVING) !== 0;
    node.state = leaving ? "leaving" : "member";
    const heardQuorate = (flags & FLAG_QUORATE) !== 0;
    const takeOver = !s.quorate && heardQuorate;
    if (takeOver) us.expectedVotes = expected;
    node.expectedVotes = heardQuorate || s.options.tracking ? expected : us.expectedVotes;
    this.checkLastManStanding(node);
    if (known === undefined || differs(before, node) || nodeId === us.nodeId || (flags & FLAG_FIRST) !== 0) {
      this.verdict.recalculate(takeOver || leaving, leaving);
    }
    // Who is quorate and does not wait has seen all: nobody who hears it has to wait any more. Own flags are those after the verdict.
    if (s.options.waitForAll && (node.flags & (FLAG_QUORATE | FLAG_WFA_STATUS)) === FLAG_QUORATE) this.table.setWaiting(false);
  }

  /** last_man_standing counts nodes, so it ends for good where one has more than one vote. */
  private checkLastManStanding(node: NodeEntry): void {
    const { options } = this.table.state;
    if (!options.lastManStanding || node.votes <= 1) return;
    this.say("warning", "Last Man Standing feature is supported only when allcluster nodes votes are set to 1. Disabling LMS.");
    options.lastManStanding = false;
    this.port.clearTimer(LAST_MAN_TIMER);
  }

  /** A node's word on the device's votes: the highest counts, but a quorate node's counts for an inquorate one. */
  private onDeviceInfo(from: number, votes: number): void {
    const s = this.table.state;
    const sender = this.table.find(from);
    const takeOver = !s.quorate && sender !== undefined && (sender.flags & FLAG_QUORATE) !== 0;
    const before = s.device.votes;
    s.device.votes = takeOver ? votes : Math.max(before, votes);
    if (s.device.votes !== before) this.verdict.recalculate(false);
  }

  private onReconfigure(nodeId: number, value: number, param: number): void {
    if (param === RECONFIG_EXPECTED_VOTES) {
      this.verdict.expectOfAll(value);
      const { options } = this.table.state;
      // With tracking a node does not itself come to expect less, though it has the others do so (observed).
      if (options.tracking) this.table.us().expectedVotes = Math.max(value, options.tracked);
      this.table.state.evBarrier = value;
      this.table.written("ev_barrier");
      this.verdict.recalculate(true);
      return;
    }
    if (param === RECONFIG_CANCEL_WFA) {
      this.table.setWaiting(false);
      this.say("info", `wait_for_all_status reset by user on node ${nodeId}.`);
      this.verdict.recalculate(false);
      return;
    }
    const node = param === RECONFIG_NODE_VOTES ? this.table.find(nodeId) : undefined;
    if (node === undefined) return;
    node.votes = value;
    this.verdict.recalculate(true);
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
    s.ring = { rep: ring.rep, seq: ring.seq };
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
    if (s.sent === 0 && this.sendNodeInfo(this.params.nodeId, false)) s.sent = 1;
    if (s.sent === 1 && this.sendNodeInfo(DEVICE_NODE_ID, false)) s.sent = 2;
    if (s.sent === 2 && this.device.tellName()) {
      s.sent = 3;
      const joined = s.members.filter((id) => !s.previous.includes(id));
      const left = s.previous.filter((id) => !s.members.includes(id));
      this.tell((l) => l.nodelist?.(s.ring, s.members, joined, left));
    }
    return s.sent === 3 && !this.device.awaited;
  }

  syncActivate(): void {
    this.verdict.recalculate(false);
    this.announce();
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
    return this.sendReconfigure(0, votes, RECONFIG_EXPECTED_VOTES);
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
    return this.sendReconfigure(id, votes, RECONFIG_NODE_VOTES);
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

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private sendNodeInfo(nodeId: number, uncounted: boolean): boolean {
    const us = this.table.us();
    const device = nodeId === DEVICE_NODE_ID;
    const node = device ? { votes: this.table.state.device.votes, expectedVotes: 0, flags: 0 } : us;
    if (!device) this.trace(() => flagsText(node.flags));
    const payload = new ByteWriter().u32(nodeId).u32(node.votes).u32(node.expectedVotes).u32(node.flags).done();
    return this.ring.mcast(this.id, HANDLER_NODEINFO, payload, uncounted);
  }

  private sendReconfigure(nodeId: number, value: number, param: number): VoteError | undefined {
    const payload = new ByteWriter().u32(nodeId).u32(value).u8(param).done();
    return this.ring.mcast(this.id, HANDLER_RECONFIGURE, payload) ? undefined : "CS_ERR_TRY_AGAIN";
  }

  private trace(text: () => string): void {
    if (this.table.state.debug) this.port.log("debug", "VOTEQ", text());
  }

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

function differs(a: NodeEntry, b: NodeEntry): boolean {
  return a.votes !== b.votes || a.expectedVotes !== b.expectedVotes || a.flags !== b.flags || a.state !== b.state;
}
