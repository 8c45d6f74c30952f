/**
 * The vote quorum service (corosync's votequorum, service 5): every member tells the others its votes, its expected votes and its flags, and each computes
 * for itself whether the votes present are a majority. The quorum never goes down by itself: only a tool's change of votes or expected votes, or
 * hearing from a quorate node while inquorate, lowers it. The device's part is in device.ts. Left out: two_node, wait_for_all, auto_tie_breaker,
 * last_man_standing, allow_downscale, expected_votes_tracking.
 */
import { ByteReader, ByteWriter, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import type { RingId } from "../totem/types.ts";
import { calculateQuorum, type Voter } from "./arithmetic.ts";
import { QuorumDevice, type DeviceError } from "./device.ts";
import {
  DEVICE_NODE_ID,
  FLAG_DEVICE_ALIVE,
  FLAG_DEVICE_CAST_VOTE,
  FLAG_DEVICE_MASTER_WINS,
  FLAG_DEVICE_REGISTERED,
  FLAG_FIRST,
  FLAG_QUORATE,
  HANDLER_DEVICE_REGISTER,
  HANDLER_DEVICE_RENAME,
  HANDLER_NODEINFO,
  HANDLER_RECONFIGURE,
  RECONFIG_EXPECTED_VOTES,
  RECONFIG_NODE_VOTES,
  STATE_NUMBER,
  flagsText,
  type NodeState,
} from "./flags.ts";
import { VoteTable, type DeviceParams } from "./table.ts";

/** What one daemon's configuration says about votes. */
export interface VotequorumParams {
  readonly nodeId: number;
  readonly votes: number;
  /** See configuredExpectedVotes(). */
  readonly expectedVotes: number;
  /** The quorum device, where quorum.device.model is set. */
  readonly device?: DeviceParams | undefined;
  /** `logging.debug: on`: the debug lines are built only then. */
  readonly debug: boolean;
}

/** votequorum_getinfo(): what quorumtool shows of one node. */
export interface VoteInfo {
  readonly nodeId: number;
  readonly state: NodeState;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly highestExpected: number;
  readonly totalVotes: number;
  readonly quorum: number;
  /** Flag words in quorumtool's order. */
  readonly flags: readonly string[];
}

/** The device as one node has it, in quorumtool's own words where it is registered. */
export interface DeviceInfo {
  readonly name: string;
  readonly registered: boolean;
  readonly alive: boolean;
  readonly castVote: boolean;
  readonly masterWins: boolean;
  /** Votes it adds where it casts them. */
  readonly votes: number;
}

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
  private readonly device: QuorumDevice;
  private readonly listeners = new Set<VoteListener>();

  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private params: VotequorumParams,
    private readonly setQuorum: QuorumCallback,
  ) {
    this.table = new VoteTable(params.nodeId, params.votes, params.expectedVotes);
    this.device = new QuorumDevice(port, this.table, {
      debug: (text) => this.debug(text),
      sendNodeInfo: (nodeId) => this.sendNodeInfo(nodeId, false),
      mcast: (handler, payload) => this.ring.mcast(this.id, handler, payload),
      registered: (error) => this.tell((l) => l.registered?.(error)),
    });
    this.device.configure(params.device);
  }

  /**
   * The service is being loaded: first calculation (a one-node cluster is quorate from here on) and a first nodeinfo, which waits for the first
   * ring. It goes out before the service's counters exist, so it is counted when received but not when sent (observed: rx 3, tx 2).
   */
  load(): void {
    this.debug(() => "Reading configuration (runtime: 0)");
    this.debug(() => "ev_tracking=0, ev_tracking_barrier = 0: expected_votes = 0");
    this.recalculate(false);
    this.sendNodeInfo(this.params.nodeId, true);
  }

  /** Its keys are read again at run time: what changed of the own node goes to everybody. */
  reconfigure(params: VotequorumParams): void {
    const us = this.table.us();
    const before = { votes: us.votes, expectedVotes: us.expectedVotes };
    this.params = params;
    us.votes = params.votes;
    us.expectedVotes = params.expectedVotes;
    this.table.state.evBarrier = params.expectedVotes;
    this.table.state.reread = true;
    this.sendNodeInfo(params.nodeId, false);
    this.sendNodeInfo(DEVICE_NODE_ID, false);
    if (us.votes !== before.votes) this.sendReconfigure(params.nodeId, us.votes, RECONFIG_NODE_VOTES);
    if (us.expectedVotes !== before.expectedVotes) this.sendReconfigure(params.nodeId, us.expectedVotes, RECONFIG_EXPECTED_VOTES);
  }

  /** One of this layer's timers is due. */
  timer(name: string): void {
    if (!this.device.timer(name)) throw new Error(`votequorum has no timer ${name}`);
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
    const r = new ByteReader(payload);
    if (handler === HANDLER_NODEINFO) this.onNodeInfo(from, r.u32(), r.u32(), r.u32(), r.u32());
    else if (handler === HANDLER_RECONFIGURE) this.onReconfigure(r.u32(), r.u32(), r.u8());
    else if (handler === HANDLER_DEVICE_REGISTER) this.device.onRegister(from, r);
    else if (handler === HANDLER_DEVICE_RENAME) this.device.onRename(from, r);
  }

  private onNodeInfo(from: number, nodeId: number, votes: number, expected: number, flags: number): void {
    this.debug(() => `nodeinfo message[${nodeId}]: votes: ${votes}, expected: ${expected} flags: ${flags}`);
    if (nodeId === DEVICE_NODE_ID) return this.onDeviceInfo(from, votes);
    this.debug(() => flagsText(flags));
    const us = this.table.us();
    const known = this.table.find(nodeId);
    const node = known ?? this.table.add(nodeId);
    const before = { ...node };
    node.flags = flags;
    node.votes = votes;
    node.state = "member";
    const heardQuorate = (flags & FLAG_QUORATE) !== 0;
    const takeOver = !this.table.state.quorate && heardQuorate;
    if (takeOver) us.expectedVotes = expected;
    node.expectedVotes = heardQuorate ? expected : us.expectedVotes;
    const changed =
      known === undefined ||
      nodeId === us.nodeId ||
      (flags & FLAG_FIRST) !== 0 ||
      before.votes !== node.votes ||
      before.expectedVotes !== node.expectedVotes ||
      before.flags !== node.flags ||
      before.state !== node.state;
    if (changed) this.recalculate(takeOver);
  }

  /** A node's word on the device's votes: the highest counts, but a quorate node's counts for an inquorate one. */
  private onDeviceInfo(from: number, votes: number): void {
    const s = this.table.state;
    const sender = this.table.find(from);
    const takeOver = !s.quorate && sender !== undefined && (sender.flags & FLAG_QUORATE) !== 0;
    const before = s.device.votes;
    s.device.votes = takeOver ? votes : Math.max(before, votes);
    if (s.device.votes !== before) this.recalculate(false);
  }

  private onReconfigure(nodeId: number, value: number, param: number): void {
    if (param === RECONFIG_EXPECTED_VOTES) {
      for (const n of this.table.members()) n.expectedVotes = value;
      this.tell((l) => l.expectedVotes?.(value));
      this.table.state.evBarrier = value;
      this.recalculate(true);
      return;
    }
    const node = param === RECONFIG_NODE_VOTES ? this.table.find(nodeId) : undefined;
    if (node === undefined) return;
    node.votes = value;
    this.recalculate(true);
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
    this.device.syncInit();
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
    this.recalculate(false);
    this.announce();
    this.table.state.syncing = false;
  }

  syncAbort(): void {
    // As in corosync: the next syncInit starts over; what was heard of members stays heard.
  }

  // ── what the tools ask ───────────────────────────────────────────────────────────────────────────────────────────────

  /** votequorum_getinfo for one node; undefined where no such node was ever heard of (CS_ERR_NOT_EXIST). */
  info(nodeId: number): VoteInfo | undefined {
    const node = this.table.find(nodeId);
    if (node === undefined) return undefined;
    const { quorum, quorate } = this.table.state;
    const { totalVotes, highestExpected } = this.calculate(false, 0);
    // The device's votes count for the node asked about, not for the one that answers.
    const device = this.table.castVotes(node.flags) - this.table.castVotes(this.table.us().flags);
    const flags = quorate ? ["Quorate"] : [];
    if ((node.flags & FLAG_DEVICE_REGISTERED) !== 0) flags.push("Qdevice");
    return {
      nodeId,
      state: node.state,
      votes: node.votes,
      expectedVotes: node.expectedVotes,
      highestExpected,
      totalVotes: totalVotes + device,
      quorum,
      flags,
    };
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
    const node = this.table.find(nodeId);
    if (node === undefined) return undefined;
    const has = (flag: number): boolean => (node.flags & flag) !== 0;
    const { name, votes } = this.table.state.device;
    return {
      name,
      registered: has(FLAG_DEVICE_REGISTERED),
      alive: has(FLAG_DEVICE_ALIVE),
      castVote: has(FLAG_DEVICE_CAST_VOTE),
      masterWins: has(FLAG_DEVICE_MASTER_WINS),
      votes,
    };
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
    const { quorum, totalVotes } = this.calculate(true, votes);
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
    const { quorum, totalVotes } = this.calculate(true, 0, (v) => (v.nodeId === id ? { ...v, votes } : v));
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

  /** runtime.votequorum.* of the key map: name without prefix, type, value. */
  cmapEntries(): { key: string; type: "u32" | "u8"; value: number }[] {
    const s = this.table.state;
    const out: { key: string; type: "u32" | "u8"; value: number }[] = [
      { key: "ev_barrier", type: "u32", value: s.evBarrier },
      { key: "this_node_id", type: "u32", value: this.params.nodeId },
      { key: "two_node", type: "u8", value: 0 },
    ];
    if (s.reread) out.push({ key: "atb_type", type: "u32", value: 0 });
    if (s.lowest !== undefined) out.push({ key: "lowest_node_id", type: "u32", value: s.lowest });
    if (s.highest !== undefined) out.push({ key: "highest_node_id", type: "u32", value: s.highest });
    if (s.device.canOperate !== undefined) out.push({ key: "qdevice_can_operate", type: "u8", value: s.device.canOperate ? 1 : 0 });
    if (s.device.masterWins !== undefined) out.push({ key: "qdevice_master_wins", type: "u8", value: s.device.masterWins ? 1 : 0 });
    return out;
  }

  // ── calculation ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private recalculate(allowDecrease: boolean): void {
    const s = this.table.state;
    const us = this.table.us();
    // Votes the device would have count here whether or not it casts them (observed: expected 5 with three members and no device running).
    const present = this.table.members().reduce((sum, n) => sum + n.votes, s.device.votes);
    this.debug(() => `total_votes=${present}, expected_votes=${us.expectedVotes}`);
    if (present > us.expectedVotes) {
      us.expectedVotes = present;
      this.tell((l) => l.expectedVotes?.(present));
    }
    for (const n of s.nodes) {
      this.debug(() => `node ${n.nodeId} state=${STATE_NUMBER[n.state]}, votes=${n.votes}, expected=${n.expectedVotes}`);
    }
    const cast = this.table.castVotes(us.flags);
    if ((us.flags & FLAG_DEVICE_CAST_VOTE) !== 0) this.debug(() => `node 0 state=1, votes=${cast}`);
    const { quorum, totalVotes } = this.calculate(allowDecrease, 0);
    // corosync keeps the quorum in one byte: 35002 becomes 186 (observed). Clusters of real size never get there.
    s.quorum = quorum & 0xff;
    this.judge(totalVotes);
  }

  /** are_we_quorate(): compares, remembers, and tells the quorum service at once when no sync will. */
  private judge(totalVotes: number): void {
    const s = this.table.state;
    let quorate = s.quorum <= totalVotes;
    if (quorate) this.refreshExtremes();
    if (!quorate && this.deviceMakesUsMaster()) {
      this.debug(() => "node is quorate as part of master_wins partition");
      quorate = true;
    }
    const changed = quorate !== s.quorate;
    if (changed) this.debug(() => (quorate ? "quorum regained, resuming activity" : "quorum lost, blocking activity"));
    s.quorate = quorate;
    const us = this.table.us();
    us.flags = quorate ? us.flags | FLAG_QUORATE : us.flags & ~FLAG_QUORATE;
    if (changed && !s.syncing) this.announce();
  }

  /** Some member's device votes and was told that its partition wins. */
  private deviceMakesUsMaster(): boolean {
    const both = FLAG_DEVICE_MASTER_WINS | FLAG_DEVICE_CAST_VOTE;
    const willing = (this.table.us().flags & FLAG_DEVICE_MASTER_WINS) !== 0;
    return willing && this.table.members().some((n) => (n.flags & both) === both);
  }

  private refreshExtremes(): void {
    const s = this.table.state;
    const ids = this.table.members().map((n) => n.nodeId);
    s.lowest = ids.reduce((a, b) => Math.min(a, b), this.params.nodeId);
    s.highest = ids.reduce((a, b) => Math.max(a, b), this.params.nodeId);
    this.debug(() => `lowest node id: ${s.lowest} us: ${this.params.nodeId}`);
    this.debug(() => `highest node id: ${s.highest} us: ${this.params.nodeId}`);
  }

  private calculate(
    allowDecrease: boolean,
    maxExpected: number,
    change: (voter: Voter) => Voter = (v) => v,
  ): ReturnType<typeof calculateQuorum> {
    const { table } = this;
    const deviceVotes = table.castVotes(table.us().flags);
    return calculateQuorum({ voters: table.voters().map(change), deviceVotes, previous: table.state.quorum, allowDecrease, maxExpected });
  }

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private sendNodeInfo(nodeId: number, uncounted: boolean): boolean {
    const us = this.table.us();
    const device = nodeId === DEVICE_NODE_ID;
    const node = device ? { votes: this.table.state.device.votes, expectedVotes: 0, flags: 0 } : us;
    if (!device) this.debug(() => flagsText(node.flags));
    const payload = new ByteWriter().u32(nodeId).u32(node.votes).u32(node.expectedVotes).u32(node.flags).done();
    return this.ring.mcast(this.id, HANDLER_NODEINFO, payload, uncounted);
  }

  private sendReconfigure(nodeId: number, value: number, param: number): VoteError | undefined {
    const payload = new ByteWriter().u32(nodeId).u32(value).u8(param).done();
    return this.ring.mcast(this.id, HANDLER_RECONFIGURE, payload) ? undefined : "CS_ERR_TRY_AGAIN";
  }

  private debug(text: () => string): void {
    if (this.params.debug) this.port.log("debug", "VOTEQ", text());
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
