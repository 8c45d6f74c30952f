/**
 * The vote quorum service (corosync's votequorum, service 5): every member tells the others its votes, its expected votes and its flags, and each computes
 * for itself whether the votes present are a majority. The quorum never goes down by itself: only a tool's change of votes or expected votes, or
 * hearing from a quorate node while inquorate, lowers it. Left out: two_node, wait_for_all, auto_tie_breaker, last_man_standing, allow_downscale,
 * expected_votes_tracking and the quorum device; their message types are counted but never sent.
 */
import { ByteReader, ByteWriter, cloneState, type Hasher, type Port } from "../kernel/index.ts";
import type { ServiceEngine, ServicePort } from "../totem/service.ts";
import type { RingId } from "../totem/types.ts";
import { calculateQuorum, type Voter } from "./arithmetic.ts";

/** What one daemon's configuration says about votes. */
export interface VotequorumParams {
  readonly nodeId: number;
  readonly votes: number;
  /** See configuredExpectedVotes(). */
  readonly expectedVotes: number;
  /** `logging.debug: on`: the debug lines are built only then. */
  readonly debug: boolean;
}

export type NodeState = "member" | "dead" | "leaving";
const STATE_NUMBER: Record<NodeState, number> = { member: 1, dead: 2, leaving: 3 };

/** Flags of a nodeinfo message (NODE_FLAGS_*). */
const FLAG_QUORATE = 1;
const FLAG_LEAVING = 2;
const FLAG_WFA_STATUS = 4;
const FLAG_FIRST = 8;

const HANDLER_NODEINFO = 0;
const HANDLER_RECONFIGURE = 1;
const RECONFIG_EXPECTED_VOTES = 1;
const RECONFIG_NODE_VOTES = 2;
/** The quorum device takes part under this id. */
const QDEVICE_NODE_ID = 0;

interface NodeEntry {
  nodeId: number;
  votes: number;
  expectedVotes: number;
  flags: number;
  state: NodeState;
}

interface VotequorumState {
  /** In corosync's list order, which its debug lines show. */
  nodes: NodeEntry[];
  quorum: number;
  quorate: boolean;
  syncing: boolean;
  /** Nodeinfo messages of this sync already queued (own, then the device's). */
  sent: number;
  members: number[];
  ring: RingId;
  evBarrier: number;
  lowest: number | undefined;
  highest: number | undefined;
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

export type VoteError = "CS_ERR_INVALID_PARAM" | "CS_ERR_NAME_NOT_FOUND" | "CS_ERR_TRY_AGAIN";

/** Whom the service tells its verdict: quorum_api_set_quorum. */
export type QuorumCallback = (members: readonly number[], quorate: boolean, ring: RingId) => void;

export class Votequorum implements ServiceEngine {
  readonly id = 5;
  readonly description = "corosync vote quorum service v1.0";
  readonly handlerCount = 4;
  private state: VotequorumState;

  constructor(
    private readonly port: Port,
    private readonly ring: ServicePort,
    private readonly params: VotequorumParams,
    private readonly setQuorum: QuorumCallback,
  ) {
    const us: NodeEntry = {
      nodeId: params.nodeId,
      votes: params.votes,
      expectedVotes: params.expectedVotes,
      flags: FLAG_FIRST,
      state: "member",
    };
    this.state = {
      nodes: [us],
      quorum: 0,
      quorate: false,
      syncing: false,
      sent: 0,
      members: [],
      ring: { rep: 0, seq: 0 },
      evBarrier: params.expectedVotes,
      lowest: undefined,
      highest: undefined,
    };
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

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  execute(handler: number, _from: number, payload: Uint8Array): void {
    const r = new ByteReader(payload);
    if (handler === HANDLER_NODEINFO) this.onNodeInfo(r.u32(), r.u32(), r.u32(), r.u32());
    else if (handler === HANDLER_RECONFIGURE) this.onReconfigure(r.u32(), r.u32(), r.u8());
  }

  private onNodeInfo(nodeId: number, votes: number, expected: number, flags: number): void {
    this.debug(() => `nodeinfo message[${nodeId}]: votes: ${votes}, expected: ${expected} flags: ${flags}`);
    // The device has no votes here; corosync notes them without a recalculation, as nothing changed.
    if (nodeId === QDEVICE_NODE_ID) return;
    this.debug(() => flagsText(flags));
    const us = this.us();
    const known = this.find(nodeId);
    const node = known ?? this.addNode(nodeId);
    const before = { ...node };
    node.flags = flags;
    node.votes = votes;
    node.state = "member";
    const heardQuorate = (flags & FLAG_QUORATE) !== 0;
    const takeOver = !this.state.quorate && heardQuorate;
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

  private onReconfigure(nodeId: number, value: number, param: number): void {
    if (param === RECONFIG_EXPECTED_VOTES) {
      for (const n of this.state.nodes) if (n.state === "member") n.expectedVotes = value;
      this.state.evBarrier = value;
      this.recalculate(true);
      return;
    }
    const node = param === RECONFIG_NODE_VOTES ? this.find(nodeId) : undefined;
    if (node === undefined) return;
    node.votes = value;
    this.recalculate(true);
  }

  // ── synchronisation ──────────────────────────────────────────────────────────────────────────────────────────────────

  syncInit(_trans: readonly number[], members: readonly number[], ring: RingId): void {
    const s = this.state;
    s.syncing = true;
    s.sent = 0;
    if (members.length > 1) this.us().flags &= ~FLAG_FIRST;
    for (const id of s.members) {
      const node = members.includes(id) ? undefined : this.find(id);
      if (node) node.state = "dead";
    }
    s.members = [...members];
    s.ring = { rep: ring.rep, seq: ring.seq };
  }

  syncProcess(): boolean {
    const s = this.state;
    if (s.sent === 0 && this.sendNodeInfo(this.params.nodeId, false)) s.sent = 1;
    if (s.sent === 1 && this.sendNodeInfo(QDEVICE_NODE_ID, false)) s.sent = 2;
    return s.sent === 2;
  }

  syncActivate(): void {
    this.recalculate(false);
    this.setQuorum(this.state.members, this.state.quorate, this.state.ring);
    this.state.syncing = false;
  }

  syncAbort(): void {
    // As in corosync: the next syncInit starts over; what was heard of members stays heard.
  }

  // ── what the tools ask ───────────────────────────────────────────────────────────────────────────────────────────────

  /** votequorum_getinfo for one node; undefined where no such node was ever heard of (CS_ERR_NOT_EXIST). */
  info(nodeId: number): VoteInfo | undefined {
    const node = this.find(nodeId);
    if (node === undefined) return undefined;
    const { totalVotes, highestExpected } = this.calculate(false, 0);
    return {
      nodeId,
      state: node.state,
      votes: node.votes,
      expectedVotes: node.expectedVotes,
      highestExpected,
      totalVotes,
      quorum: this.state.quorum,
      flags: this.state.quorate ? ["Quorate"] : [],
    };
  }

  /** Every node this daemon has heard of since it started, ascending. */
  nodes(): VoteInfo[] {
    return this.state.nodes
      .map((n) => n.nodeId)
      .sort((a, b) => a - b)
      .flatMap((id) => this.info(id) ?? []);
  }

  get quorate(): boolean {
    return this.state.quorate;
  }

  /**
   * votequorum_setexpected (quorumtool -e, pvecm expected): tells every member. @returns undefined when accepted; CS_ERR_INVALID_PARAM where
   * `votes` is below the votes present or, on a quorate node, would leave it inquorate; CS_ERR_TRY_AGAIN where the ring takes no message now.
   */
  setExpected(votes: number): VoteError | undefined {
    const { quorum, totalVotes } = this.calculate(true, votes);
    if (votes < totalVotes || (this.state.quorate && quorum > totalVotes)) return "CS_ERR_INVALID_PARAM";
    return this.sendReconfigure(0, votes, RECONFIG_EXPECTED_VOTES);
  }

  /**
   * votequorum_setvotes (quorumtool -v): changes one node's votes on every member; `nodeId` 0 is this node. @returns undefined when accepted;
   * CS_ERR_NAME_NOT_FOUND for a node never heard of; CS_ERR_INVALID_PARAM where the votes left would be below the quorum.
   */
  setVotes(nodeId: number, votes: number): VoteError | undefined {
    const id = nodeId === 0 ? this.params.nodeId : nodeId;
    const node = this.find(id);
    if (node === undefined) return "CS_ERR_NAME_NOT_FOUND";
    const voters = this.voters().map((v) => (v.nodeId === id ? { ...v, votes } : v));
    const { quorum, totalVotes } = calculateQuorum({ voters, previous: this.state.quorum, allowDecrease: true, maxExpected: 0 });
    if (quorum > totalVotes) return "CS_ERR_INVALID_PARAM";
    return this.sendReconfigure(id, votes, RECONFIG_NODE_VOTES);
  }

  /** runtime.votequorum.* of the key map: name without prefix, type, value. */
  cmapEntries(): { key: string; type: "u32" | "u8"; value: number }[] {
    const s = this.state;
    const out: { key: string; type: "u32" | "u8"; value: number }[] = [
      { key: "ev_barrier", type: "u32", value: s.evBarrier },
      { key: "this_node_id", type: "u32", value: this.params.nodeId },
      { key: "two_node", type: "u8", value: 0 },
    ];
    if (s.lowest !== undefined) out.push({ key: "lowest_node_id", type: "u32", value: s.lowest });
    if (s.highest !== undefined) out.push({ key: "highest_node_id", type: "u32", value: s.highest });
    return out;
  }

  // ── calculation ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private recalculate(allowDecrease: boolean): void {
    const s = this.state;
    const us = this.us();
    const present = this.calculate(false, 0).totalVotes;
    this.debug(() => `total_votes=${present}, expected_votes=${us.expectedVotes}`);
    if (present > us.expectedVotes) us.expectedVotes = present;
    for (const n of s.nodes) {
      this.debug(() => `node ${n.nodeId} state=${STATE_NUMBER[n.state]}, votes=${n.votes}, expected=${n.expectedVotes}`);
    }
    const { quorum, totalVotes } = this.calculate(allowDecrease, 0);
    // corosync keeps the quorum in one byte: 35002 becomes 186 (observed). Clusters of real size never get there.
    s.quorum = quorum & 0xff;
    this.judge(totalVotes);
  }

  /** are_we_quorate(): compares, remembers, and tells the quorum service at once when no sync will. */
  private judge(totalVotes: number): void {
    const s = this.state;
    const quorate = s.quorum <= totalVotes;
    if (quorate) this.refreshExtremes();
    const changed = quorate !== s.quorate;
    if (changed) this.debug(() => (quorate ? "quorum regained, resuming activity" : "quorum lost, blocking activity"));
    s.quorate = quorate;
    const us = this.us();
    us.flags = quorate ? us.flags | FLAG_QUORATE : us.flags & ~FLAG_QUORATE;
    if (changed && !s.syncing) this.setQuorum(s.members, quorate, s.ring);
  }

  private refreshExtremes(): void {
    const s = this.state;
    const ids = s.nodes.filter((n) => n.state === "member").map((n) => n.nodeId);
    s.lowest = ids.reduce((a, b) => Math.min(a, b), this.params.nodeId);
    s.highest = ids.reduce((a, b) => Math.max(a, b), this.params.nodeId);
    this.debug(() => `lowest node id: ${s.lowest} us: ${this.params.nodeId}`);
    this.debug(() => `highest node id: ${s.highest} us: ${this.params.nodeId}`);
  }

  private voters(): Voter[] {
    return this.state.nodes.map((n) => ({
      nodeId: n.nodeId,
      votes: n.votes,
      expectedVotes: n.expectedVotes,
      member: n.state === "member",
    }));
  }

  private calculate(allowDecrease: boolean, maxExpected: number): ReturnType<typeof calculateQuorum> {
    return calculateQuorum({ voters: this.voters(), previous: this.state.quorum, allowDecrease, maxExpected });
  }

  // ── sending and the node table ───────────────────────────────────────────────────────────────────────────────────────

  private sendNodeInfo(nodeId: number, uncounted: boolean): boolean {
    const node = nodeId === QDEVICE_NODE_ID ? { votes: 0, expectedVotes: 0, flags: 0 } : this.us();
    if (nodeId !== QDEVICE_NODE_ID) this.debug(() => flagsText(node.flags));
    const payload = new ByteWriter().u32(nodeId).u32(node.votes).u32(node.expectedVotes).u32(node.flags).done();
    return this.ring.mcast(this.id, HANDLER_NODEINFO, payload, uncounted);
  }

  private sendReconfigure(nodeId: number, value: number, param: number): VoteError | undefined {
    const payload = new ByteWriter().u32(nodeId).u32(value).u8(param).done();
    return this.ring.mcast(this.id, HANDLER_RECONFIGURE, payload) ? undefined : "CS_ERR_TRY_AGAIN";
  }

  private find(nodeId: number): NodeEntry | undefined {
    return this.state.nodes.find((n) => n.nodeId === nodeId);
  }

  private us(): NodeEntry {
    const node = this.find(this.params.nodeId);
    if (node === undefined) throw new Error("votequorum: own node is not in the table");
    return node;
  }

  /** Before the first greater id, else before the last entry: corosync's own, slightly odd order (seen in its debug lines). */
  private addNode(nodeId: number): NodeEntry {
    const nodes = this.state.nodes;
    const node: NodeEntry = { nodeId, votes: 0, expectedVotes: 0, flags: 0, state: "dead" };
    const greater = nodes.findIndex((n) => n.nodeId > nodeId);
    nodes.splice(greater >= 0 ? greater : nodes.length - 1, 0, node);
    return node;
  }

  private debug(text: () => string): void {
    if (this.params.debug) this.port.log("debug", "VOTEQ", text());
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as VotequorumState);
  }

  digest(h: Hasher): void {
    const s = this.state;
    h.int(s.quorum)
      .bool(s.quorate)
      .bool(s.syncing)
      .int(s.sent)
      .int(s.evBarrier)
      .int(s.ring.rep)
      .int(s.ring.seq)
      .int(s.lowest ?? -1)
      .int(s.highest ?? -1);
    h.int(s.members.length);
    for (const id of s.members) h.int(id);
    for (const n of s.nodes) h.int(n.nodeId).int(n.votes).int(n.expectedVotes).int(n.flags).int(STATE_NUMBER[n.state]);
  }
}

/** decode_flags(): the debug line that follows a nodeinfo. */
function flagsText(flags: number): string {
  const yes = (bit: number): string => ((flags & bit) !== 0 ? "Yes" : "No");
  return (
    `flags: quorate: ${yes(FLAG_QUORATE)} Leaving: ${yes(FLAG_LEAVING)} WFA Status: ${yes(FLAG_WFA_STATUS)} First: ${yes(FLAG_FIRST)} ` +
    `Qdevice: ${yes(16)} QdeviceAlive: ${yes(32)} QdeviceCastVote: ${yes(64)} QdeviceMasterWins: ${yes(128)}`
  );
}
