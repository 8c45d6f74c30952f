/**
 * What a votequorum service knows: every node it has heard of, the quorum in force, the device, the options. Plain state with its lookup and its digest; who
 * changes it is votequorum.ts (messages, syncs, verdicts) and device.ts (the quorum device).
 */
import type { TieBreaker } from "../config/index.ts";
import { cloneState, type Hasher } from "../kernel/index.ts";
import type { RingId } from "../totem/types.ts";
import type { Voter } from "./arithmetic.ts";
import { FLAG_DEVICE_CAST_VOTE, FLAG_FIRST, FLAG_WFA_STATUS, STATE_NUMBER, type NodeState } from "./flags.ts";
import { TIE_BREAKER_NUMBER } from "./tie-breaker.ts";

export interface NodeEntry {
  nodeId: number;
  votes: number;
  expectedVotes: number;
  flags: number;
  state: NodeState;
}

/** What a daemon's configuration says about a quorum device. */
export interface DeviceParams {
  readonly votes: number;
  readonly timeoutMs: number;
  readonly syncTimeoutMs: number;
}

export interface DeviceState {
  /** Cluster-wide name of the device; "" while nobody registered one. */
  name: string;
  votes: number;
  timeoutMs: number;
  syncTimeoutMs: number;
  /** runtime.votequorum.qdevice_can_operate, absent until a device was configured or forbidden. */
  canOperate: boolean | undefined;
  /** runtime.votequorum.qdevice_master_wins, absent until the device said something about it. */
  masterWins: boolean | undefined;
  /** A registration is on its way through the ring. */
  registering: boolean;
  /** The poll timer runs. */
  armed: boolean;
  /** The sync under way waits for a poll. */
  awaited: boolean;
}

/** The options in force. Most are read when the service is loaded and never again. */
export interface OptionState {
  twoNode: boolean;
  waitForAll: boolean;
  /** wait_for_all_status: all nodes have to be seen together before there is quorum. */
  waiting: boolean;
  /** runtime.votequorum.wait_for_all_status exists. */
  waitingShown: boolean;
  tieBreaker: TieBreaker;
  /** That of the start, which every later reading puts back. */
  startTieBreaker: TieBreaker;
  /** runtime.votequorum.atb_type exists. */
  tieBreakerShown: boolean;
  lastManStanding: boolean;
  windowMs: number;
  allowDownscale: boolean;
  /** The highest expected votes ever are remembered: with expected_votes_tracking and with allow_downscale. */
  tracking: boolean;
  /** The highest so far. */
  tracked: number;
}

export interface VotequorumState {
  /** In corosync's list order, which its debug lines show. */
  nodes: NodeEntry[];
  quorum: number;
  quorate: boolean;
  syncing: boolean;
  /** Messages of this sync already queued: own nodeinfo, the device's, the device's name. */
  sent: number;
  members: number[];
  /** Members before the sync under way, or before the last one. */
  previous: number[];
  ring: RingId;
  evBarrier: number;
  lowest: number | undefined;
  highest: number | undefined;
  device: DeviceState;
  options: OptionState;
  /** The debug lines are built. */
  debug: boolean;
  /** The service is unloaded: what still comes is nobody's. */
  unloaded: boolean;
}

export function noDevice(): DeviceState {
  return {
    name: "",
    votes: 0,
    timeoutMs: 10_000,
    syncTimeoutMs: 30_000,
    canOperate: undefined,
    masterWins: undefined,
    registering: false,
    armed: false,
    awaited: false,
  };
}

function noOptions(): OptionState {
  return {
    twoNode: false,
    waitForAll: false,
    waiting: false,
    waitingShown: false,
    tieBreaker: { type: "none" },
    startTieBreaker: { type: "none" },
    tieBreakerShown: false,
    lastManStanding: false,
    windowMs: 10_000,
    allowDownscale: false,
    tracking: false,
    tracked: 0,
  };
}

/** Keys below runtime.votequorum. that are written now; a client may have changed or deleted them since the last time. */
export type KeysWritten = (...keys: readonly string[]) => void;

export class VoteTable {
  state: VotequorumState;
  /** Told of every write, also of a value that is the same. */
  written: KeysWritten = () => undefined;

  constructor(
    readonly nodeId: number,
    votes: number,
    expectedVotes: number,
    debug: boolean,
  ) {
    this.state = {
      nodes: [{ nodeId, votes, expectedVotes, flags: FLAG_FIRST, state: "member" }],
      quorum: 0,
      quorate: false,
      syncing: false,
      sent: 0,
      members: [],
      previous: [],
      ring: { rep: 0, seq: 0 },
      evBarrier: expectedVotes,
      lowest: undefined,
      highest: undefined,
      device: noDevice(),
      options: noOptions(),
      debug,
      unloaded: false,
    };
  }

  find(nodeId: number): NodeEntry | undefined {
    return this.state.nodes.find((n) => n.nodeId === nodeId);
  }

  us(): NodeEntry {
    const node = this.find(this.nodeId);
    if (node === undefined) throw new Error("votequorum: own node is not in the table");
    return node;
  }

  /** Before the first greater id, else before the last entry: corosync's own, slightly odd order (seen in its debug lines). */
  add(nodeId: number): NodeEntry {
    const nodes = this.state.nodes;
    const node: NodeEntry = { nodeId, votes: 0, expectedVotes: 0, flags: 0, state: "dead" };
    const greater = nodes.findIndex((n) => n.nodeId > nodeId);
    nodes.splice(greater >= 0 ? greater : nodes.length - 1, 0, node);
    return node;
  }

  members(): NodeEntry[] {
    return this.state.nodes.filter((n) => n.state === "member");
  }

  voters(): Voter[] {
    return this.state.nodes.map((n) => ({
      nodeId: n.nodeId,
      votes: n.votes,
      expectedVotes: n.expectedVotes,
      member: n.state === "member",
    }));
  }

  /** Votes the device adds to the count while the node with these flags has its word for it. */
  castVotes(flags: number): number {
    return (flags & FLAG_DEVICE_CAST_VOTE) !== 0 ? this.state.device.votes : 0;
  }

  /** wait_for_all_status, which goes out with the own flags. */
  setWaiting(waiting: boolean): void {
    const us = this.us();
    this.state.options.waiting = waiting;
    this.state.options.waitingShown = true;
    us.flags = waiting ? us.flags | FLAG_WFA_STATUS : us.flags & ~FLAG_WFA_STATUS;
    this.written("wait_for_all_status");
  }

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as VotequorumState);
    // A lab that was frozen before this was kept apart has it in force.
    this.state.options.startTieBreaker ??= this.state.options.tieBreaker;
  }

  digest(h: Hasher): void {
    const s = this.state;
    h.bool(s.debug).bool(s.unloaded).int(s.quorum).bool(s.quorate).bool(s.syncing).int(s.sent).int(s.evBarrier);
    h.int(s.ring.rep)
      .int(s.ring.seq)
      .int(s.lowest ?? -1)
      .int(s.highest ?? -1);
    for (const list of [s.members, s.previous]) {
      h.int(list.length);
      for (const id of list) h.int(id);
    }
    for (const n of s.nodes) h.int(n.nodeId).int(n.votes).int(n.expectedVotes).int(n.flags).int(STATE_NUMBER[n.state]);
    const d = s.device;
    h.text(d.name).int(d.votes).int(d.timeoutMs).int(d.syncTimeoutMs).bool(d.registering).bool(d.armed).bool(d.awaited);
    const o = s.options;
    for (const on of [o.twoNode, o.waitForAll, o.waiting, o.waitingShown, o.tieBreakerShown, o.lastManStanding, o.allowDownscale])
      h.bool(on);
    h.int(o.windowMs).bool(o.tracking).int(o.tracked);
    for (const breaker of [o.tieBreaker, o.startTieBreaker]) {
      h.int(TIE_BREAKER_NUMBER[breaker.type]);
      if (breaker.type === "list") for (const id of breaker.nodes) h.int(id);
    }
    for (const known of [d.canOperate, d.masterWins]) h.int(known === undefined ? -1 : known ? 1 : 0);
  }
}
