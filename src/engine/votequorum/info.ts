/**
 * What votequorum answers when it is asked: one node's votes and flags, the device as a node has it, the keys below runtime.votequorum. Reads the table and
 * computes nothing the verdict does not. In the real stack: the getinfo call of votequorum.c and its icmap writes.
 */
import type { TieBreaker } from "../config/index.ts";
import { FLAG_DEVICE_ALIVE, FLAG_DEVICE_CAST_VOTE, FLAG_DEVICE_MASTER_WINS, FLAG_DEVICE_REGISTERED, type NodeState } from "./flags.ts";
import type { VoteTable } from "./table.ts";
import { TIE_BREAKER_NUMBER } from "./tie-breaker.ts";

/** votequorum_getinfo(): what quorumtool shows of one node. */
export interface VoteInfo {
  readonly nodeId: number;
  readonly state: NodeState;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly highestExpected: number;
  readonly totalVotes: number;
  readonly quorum: number;
  /** Names of the flags in quorumtool's order. */
  readonly flags: readonly string[];
}

/** The device as one node has it. */
export interface DeviceInfo {
  readonly name: string;
  readonly registered: boolean;
  readonly alive: boolean;
  readonly castVote: boolean;
  readonly masterWins: boolean;
  /** Votes it adds where it casts them. */
  readonly votes: number;
  /** Without a poll for so long it counts as gone. */
  readonly timeoutMs: number;
}

/** The options in force, and what they are doing. */
export interface OptionsInfo {
  readonly twoNode: boolean;
  readonly waitForAll: boolean;
  /** All nodes have to be seen together before there is quorum. */
  readonly waiting: boolean;
  readonly lastManStanding: boolean;
  readonly windowMs: number;
  readonly tieBreaker: TieBreaker["type"];
  /** Ids that decide an even split, the first that counts first; empty while none is known. */
  readonly tieBreakerNodes: readonly number[];
  readonly allowDownscale: boolean;
  readonly tracking: boolean;
}

export function optionsInfo({ state: { options, lowest, highest } }: VoteTable): OptionsInfo {
  const { tieBreaker, twoNode, waitForAll, waiting, lastManStanding, windowMs, allowDownscale, tracking } = options;
  const one = { none: undefined, list: undefined, lowest, highest }[tieBreaker.type];
  const tieBreakerNodes = tieBreaker.type === "list" ? tieBreaker.nodes : one === undefined ? [] : [one];
  const on = { twoNode, waitForAll, waiting, lastManStanding, windowMs, allowDownscale, tracking };
  return { ...on, tieBreaker: tieBreaker.type, tieBreakerNodes };
}

export function voteInfo(table: VoteTable, nodeId: number): VoteInfo | undefined {
  const node = table.find(nodeId);
  if (node === undefined) return undefined;
  const s = table.state;
  const members = table.members();
  const named: [boolean, string][] = [
    [s.options.twoNode, "2Node"],
    [s.quorate, "Quorate"],
    [s.options.waitForAll, "WaitForAll"],
    [s.options.lastManStanding, "LastManStanding"],
    [s.options.tieBreaker.type !== "none", "AutoTieBreaker"],
    [s.options.allowDownscale, "AllowDownscale"],
    [(node.flags & FLAG_DEVICE_REGISTERED) !== 0, "Qdevice"],
  ];
  return {
    nodeId,
    state: node.state,
    votes: node.votes,
    expectedVotes: node.expectedVotes,
    highestExpected: members.reduce((highest, n) => Math.max(highest, n.expectedVotes), 0),
    // The device's votes count for the node asked about, not for the one that answers.
    totalVotes: members.reduce((sum, n) => sum + n.votes, table.castVotes(node.flags)),
    quorum: s.quorum,
    flags: named.filter(([on]) => on).map(([, word]) => word),
  };
}

export function deviceInfo(table: VoteTable, nodeId: number): DeviceInfo | undefined {
  const node = table.find(nodeId);
  if (node === undefined) return undefined;
  const has = (flag: number): boolean => (node.flags & flag) !== 0;
  const { name, votes, timeoutMs } = table.state.device;
  return {
    name,
    registered: has(FLAG_DEVICE_REGISTERED),
    alive: has(FLAG_DEVICE_ALIVE),
    castVote: has(FLAG_DEVICE_CAST_VOTE),
    masterWins: has(FLAG_DEVICE_MASTER_WINS),
    votes,
    timeoutMs,
  };
}

/** A key below runtime.votequorum., without that. */
export interface VoteKey {
  readonly key: string;
  readonly type: "u8" | "u32";
  readonly value: number;
}

/** What the service has to say under runtime.votequorum. Keys appear when their value was first written. */
export function votequorumKeys(table: VoteTable): VoteKey[] {
  const { device, options, ...s } = table.state;
  const bit = (on: boolean | undefined): number | undefined => (on === undefined ? undefined : on ? 1 : 0);
  const all: [string, "u8" | "u32", number | undefined][] = [
    ["ev_barrier", "u32", s.evBarrier],
    ["this_node_id", "u32", table.nodeId],
    ["two_node", "u8", bit(options.twoNode)],
    ["lowest_node_id", "u32", s.lowest],
    ["highest_node_id", "u32", s.highest],
    ["wait_for_all_status", "u8", options.waitingShown ? bit(options.waiting) : undefined],
    ["atb_type", "u32", options.tieBreakerShown ? TIE_BREAKER_NUMBER[options.tieBreaker.type] : undefined],
    ["ev_tracking_barrier", "u32", options.tracking ? options.tracked : undefined],
    ["qdevice_can_operate", "u8", bit(device.canOperate)],
    ["qdevice_master_wins", "u8", bit(device.masterWins)],
  ];
  return all.flatMap(([key, type, value]) => (value === undefined ? [] : [{ key, type, value }]));
}
