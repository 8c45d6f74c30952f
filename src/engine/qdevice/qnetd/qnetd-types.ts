/**
 * What corosync-qnetd knows of its clients and their clusters, as plain data, and what a decision algorithm is. In the real stack: struct qnetd_client, struct
 * qnetd_cluster and the table of algorithm functions. Left out: nothing that decides a vote.
 */
import type { LogLevel } from "../../kernel/index.ts";
import type { RingId } from "../../totem/types.ts";
import type { Algorithm, Heuristics, NodeInfo, TieBreaker, Vote } from "../tlv.ts";

/** reply_error_code of the protocol. */
export const REPLY = {
  none: 0,
  tlsRequired: 3,
  unsupportedMessage: 4,
  messageTooLong: 5,
  preinitRequired: 6,
  missingOption: 7,
  unexpectedMessage: 8,
  decoding: 9,
  internal: 10,
  initRequired: 11,
  unsupportedAlgorithm: 12,
  invalidHeartbeat: 13,
  unsupportedAlgorithmMessage: 14,
  tieBreakerDiffers: 15,
  algorithmDiffers: 16,
  duplicateNodeId: 17,
  invalidConfigNodeList: 18,
  invalidMembershipNodeList: 19,
} as const;

export interface QnetdClient {
  /** Of its connection. */
  readonly id: number;
  /** `::ffff:10.10.0.1:50874` */
  readonly address: string;
  /** Bytes of a message that has not come whole. */
  stream: Uint8Array;
  preinit: boolean;
  tls: boolean;
  init: boolean;
  clusterName: string;
  nodeId: number;
  algorithm: Algorithm;
  tieBreaker: TieBreaker;
  keepActive: boolean;
  heartbeatMs: number;
  /** Of the last membership list (before it: of the init message). seq 0: none. */
  ring: RingId;
  configVersion: number | undefined;
  config: readonly NodeInfo[];
  membership: readonly NodeInfo[];
  quorumList: readonly NodeInfo[];
  /** Result that came with the last membership list, the last regular one, and the later of both. */
  heuristics: { membership: Heuristics; regular: Heuristics; last: Heuristics };
  /** Last vote sent in any message, and the last that was ACK or NACK. */
  lastVote: Vote | undefined;
  lastAckNack: Vote | undefined;
  /** Number of the last vote info sent. */
  voteInfoSeq: number;
  /** ffsplit: which vote the partition this client is in gets, and whether the client has confirmed it. */
  ffsplit: "waiting" | "nack" | "ack";
  /** lms: last result; undefined: none yet. */
  lmsResult: Vote | undefined;
}

export interface QnetdCluster {
  readonly name: string;
  ffsplit: "change" | "stable-membership" | "nacks" | "acks";
  /** ffsplit: members of the partition that was chosen last. */
  winners: readonly number[];
  /** Instant and winners of the last decision; undefined before one. */
  decided: { readonly at: number; readonly winners: readonly number[] } | undefined;
}

/** What an algorithm may do. */
export interface AlgorithmPort {
  readonly cluster: QnetdCluster;
  /** The cluster's clients, ascending node ids. */
  readonly clients: readonly QnetdClient[];
  log(level: LogLevel, text: () => string): void;
  /** The lines of a node list at debug level. */
  dumpNodes(nodes: readonly NodeInfo[]): void;
  sendVoteInfo(client: QnetdClient, ring: RingId, vote: "ACK" | "NACK"): void;
  /** Calls `timer` in a quarter of the client's heartbeat interval. */
  schedule(client: QnetdClient): void;
  abort(client: QnetdClient): void;
  /** A partition got the vote: what the status shows. */
  decided(winners: readonly number[]): void;
}

/** A vote for the reply, or an error code. */
export type Result = Vote | number;

/** One decision algorithm: what it answers to what a client tells. The client's own record still holds what was before. */
export interface QnetdAlgorithm {
  configNodeList(port: AlgorithmPort, client: QnetdClient, nodes: readonly NodeInfo[], initial: boolean): Result;
  membershipNodeList(port: AlgorithmPort, client: QnetdClient, nodes: readonly NodeInfo[], ring: RingId, heuristics: Heuristics): Result;
  quorumNodeList(port: AlgorithmPort, client: QnetdClient): Result;
  disconnect(port: AlgorithmPort, client: QnetdClient): void;
  askForVote(port: AlgorithmPort, client: QnetdClient): Result;
  voteInfoReply(port: AlgorithmPort, client: QnetdClient, seq: number): void;
  heuristicsChange(port: AlgorithmPort, client: QnetdClient, heuristics: Heuristics): Result;
  /** The timer it asked for. A vote is sent to the client. */
  timer(port: AlgorithmPort, client: QnetdClient): Result;
}

export const sameRing = (a: RingId, b: RingId): boolean => a.rep === b.rep && a.seq === b.seq;

export const has = (nodes: readonly NodeInfo[], nodeId: number): boolean => nodes.some((n) => n.nodeId === nodeId);

/** Not what it is, but that it is the same each time: what the real daemon prints as the address of its record. */
export function pointerOf(id: number): string {
  return `0x55b000${(0x10000 + id * 0x1a0).toString(16).padStart(6, "0")}`;
}
