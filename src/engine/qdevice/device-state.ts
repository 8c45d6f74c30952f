/** What a running corosync-qdevice knows, as plain data, its digest, and what it has from its machine. In the real stack: struct qdevice_instance and qdevice_net_instance. */
import type { Hasher, Instant, LogLevel, TcpEvent, TcpPort } from "../kernel/index.ts";
import type { RingId } from "../totem/types.ts";
import type { NodeState, VoteError, VoteListener } from "../votequorum/index.ts";
import type { DeviceConfig, GetKey, ListKeys } from "./device-config.ts";
import type { CastVoteState } from "./cast-vote.ts";
import type { Heuristics, NodeInfo } from "./tlv.ts";

/** libvotequorum as far as the device calls it. */
export interface DeviceVotequorum {
  deviceRegister(name: string): VoteError | undefined;
  deviceUnregister(name: string): VoteError | undefined;
  devicePoll(name: string, castVote: boolean, ring: RingId): VoteError | undefined;
  deviceMasterWins(name: string, allow: boolean): VoteError | undefined;
  subscribe(listener: VoteListener): () => void;
  /** What a client that begins to track is told at once. */
  current(): {
    readonly ring: RingId;
    readonly members: readonly number[];
    readonly quorate: boolean;
    readonly nodes: readonly VoteNode[];
    readonly expectedVotes: number;
  };
}

export interface VoteNode {
  readonly nodeId: number;
  readonly state: NodeState;
}

export interface DevicePort {
  now(): Instant;
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  log(level: LogLevel, text: string): void;
  readonly tcp: TcpPort;
  /** The services of the daemon on this node; undefined where it does not answer. */
  votequorum(): DeviceVotequorum | undefined;
  /** The daemon's services have synchronised: requests are taken. */
  ready(): boolean;
  /** False: the daemon's process is stopped, and whoever asks it waits. */
  answers(): boolean;
  /** This node's id. */
  nodeId(): number;
  readonly get: GetKey;
  readonly list: ListKeys;
  nodeVotes(): readonly { readonly nodeId: number; readonly votes: number }[];
  /** An address for a host name or a literal address; undefined where it has none. */
  resolve(host: string): string | undefined;
  /** There is a certificate database of NSS in this directory. */
  hasDatabase(directory: string): boolean;
  /** Runs one heuristics command. True: it ended with status 0. */
  run(command: string): boolean;
  /** sd_notify(READY=1). */
  notifyReady(): void;
  /** The process is gone. */
  exited(code: number): void;
}

export type Connection = "idle" | "sleeping" | "connecting" | "failed" | "preinit" | "init" | "connected";

/** Things that happen while the process does not look. */
export type Missed =
  | { readonly what: "nodelist"; readonly ring: RingId; readonly members: readonly number[] }
  | { readonly what: "quorum"; readonly quorate: boolean; readonly nodes: readonly VoteNode[] }
  | { readonly what: "expected"; readonly votes: number }
  | { readonly what: "tcp"; readonly event: TcpEvent };

export interface DeviceState {
  phase: "starting" | "registering" | "running" | "ended";
  config: DeviceConfig | undefined;
  connection: Connection;
  /** Connection id of TCP. */
  socket: number | undefined;
  stream: Uint8Array;
  tls: boolean;
  lastSeq: number;
  echoSent: number;
  echoReceived: number;
  echoReceivedAt: Instant | undefined;
  connectedAt: Instant | undefined;
  /** Membership as votequorum told it last. */
  ring: RingId;
  members: number[];
  quorate: boolean;
  voteNodes: VoteNode[];
  expectedVotes: number;
  heuristicsSeq: number;
  /** Last results: of regular runs, at a membership change, after connecting. */
  heuristics: { regular: Heuristics; membership: Heuristics; connect: Heuristics };
  regularScheduled: boolean;
  lastPoll: { at: Instant; cast: boolean } | undefined;
  /** Pauses drawn before a reconnect so far. */
  pauses: number;
  castVote: CastVoteState;
  /** The process has got SIGSTOP. */
  stopped: boolean;
  /** The process waits for the answer to a poll. */
  blocked: boolean;
  /** A vote info that is to be confirmed after that. */
  owed: number | undefined;
  /** An order to leave, to be followed after that. */
  leaving: "SIGTERM" | "tool" | undefined;
  missed: Missed[];
}

export const DEVICE_NAME = "Qdevice";
/** Things a process that does not look is told later; beyond it the oldest are forgotten. Ours. */
export const MISSED_MAX = 256;

export function freshDevice(): DeviceState {
  return {
    phase: "starting",
    config: undefined,
    connection: "idle",
    socket: undefined,
    stream: new Uint8Array(0),
    tls: false,
    lastSeq: 1,
    echoSent: 0,
    echoReceived: 0,
    echoReceivedAt: undefined,
    connectedAt: undefined,
    ring: { rep: 0, seq: 0 },
    members: [],
    quorate: false,
    voteNodes: [],
    expectedVotes: 0,
    heuristicsSeq: 0,
    heuristics: { regular: "Undefined", membership: "Undefined", connect: "Undefined" },
    regularScheduled: false,
    lastPoll: undefined,
    pauses: 0,
    castVote: { scheduled: false, paused: false, vote: "Wait for reply" },
    stopped: false,
    blocked: false,
    owed: undefined,
    leaving: undefined,
    missed: [],
  };
}

export function digestDevice(h: Hasher, s: DeviceState): void {
  h.text(s.phase)
    .text(s.connection)
    .int(s.socket ?? -1)
    .bytes(s.stream)
    .bool(s.tls)
    .int(s.lastSeq)
    .int(s.echoSent)
    .int(s.echoReceived);
  h.int(s.echoReceivedAt ?? -1)
    .int(s.connectedAt ?? -1)
    .int(s.ring.rep)
    .int(s.ring.seq)
    .bool(s.quorate)
    .int(s.expectedVotes);
  h.int(s.heuristicsSeq).text(s.heuristics.regular).text(s.heuristics.membership).text(s.heuristics.connect).bool(s.regularScheduled);
  h.int(s.lastPoll?.at ?? -1)
    .bool(s.lastPoll?.cast === true)
    .int(s.pauses)
    .bool(s.stopped)
    .bool(s.blocked)
    .int(s.owed ?? -1)
    .text(s.leaving ?? "");
  h.bool(s.castVote.scheduled).bool(s.castVote.paused).text(s.castVote.vote);
  h.int(s.members.length).int(s.voteNodes.length).int(s.missed.length);
  for (const id of s.members) h.int(id);
  for (const n of s.voteNodes) h.int(n.nodeId).text(n.state);
  for (const m of s.missed) digestMissed(h, m);
  h.text(s.config === undefined ? "" : JSON.stringify(s.config));
}

function digestMissed(h: Hasher, m: Missed): void {
  h.text(m.what);
  if (m.what === "nodelist") {
    h.int(m.ring.rep).int(m.ring.seq).int(m.members.length);
    for (const id of m.members) h.int(id);
  } else if (m.what === "quorum") {
    h.bool(m.quorate).int(m.nodes.length);
    for (const n of m.nodes) h.int(n.nodeId).text(n.state);
  } else if (m.what === "expected") h.int(m.votes);
  else
    h.text(m.event.kind)
      .int(m.event.id)
      .bytes(m.event.kind === "data" ? m.event.bytes : new Uint8Array(0));
}

/** votequorum's list as the device sends it on: the device itself is not in it. */
export function quorumNodes(nodes: readonly VoteNode[]): NodeInfo[] {
  return nodes.filter((n) => n.nodeId !== 0).map((n) => ({ nodeId: n.nodeId, dataCenterId: 0, state: n.state }));
}
