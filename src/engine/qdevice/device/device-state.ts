/** What a running corosync-qdevice knows, as plain data, its digest, and what it has from its machine. In the real stack: struct qdevice_instance and qdevice_net_instance. */
import type { Hasher, Instant, LogLevel, TcpEvent, TcpPort } from "../../kernel/index.ts";
import type { RingId } from "../../totem/types.ts";
import type { NodeState } from "../../votequorum/index.ts";
import type { DeviceConfig, GetKey, ListKeys } from "./device-config.ts";
import type { CastVoteState } from "./cast-vote.ts";
import type { Heuristics, NodeInfo } from "../tlv.ts";

/** What a library call comes to where corosync's sockets are not there, or broke. */
export const NO_DAEMON = "CS_ERR_LIBRARY";

export interface VoteNode {
  readonly nodeId: number;
  readonly state: NodeState;
}

/** What votequorum tells a client that begins to track. */
export interface VoteView {
  readonly ring: RingId;
  readonly members: readonly number[];
  readonly quorate: boolean;
  readonly nodes: readonly VoteNode[];
  readonly expectedVotes: number;
}

/** What the device asks of votequorum on its node: its library's calls. */
export type DeviceCall =
  | { readonly call: "trackstart" }
  | { readonly call: "current" }
  | { readonly call: "getinfo"; readonly nodeId: number }
  | { readonly call: "register" }
  | { readonly call: "unregister" }
  | { readonly call: "master_wins"; readonly allow: boolean }
  | { readonly call: "poll"; readonly cast: boolean; readonly ring: RingId };

/** The answer: an error's name, or what the call tells. */
export interface DeviceReply {
  readonly error?: string | undefined;
  readonly view?: VoteView;
  readonly votes?: number;
}

export interface DevicePort {
  now(): Instant;
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  log(level: LogLevel, text: string): void;
  readonly tcp: TcpPort;
  /** Asks votequorum; the answer comes by `answered`, later in this instant or, where the daemon is stopped, when it goes on. False: nobody serves it. */
  ask(call: DeviceCall): boolean;
  /** This node's id. */
  nodeId(): number;
  /** The configuration map, as cmap has told of it. */
  readonly get: GetKey;
  readonly list: ListKeys;
  /** An address for a host name or a literal address; undefined where it has none. */
  resolve(host: string): string | undefined;
  /** There is a certificate database of NSS in this directory. */
  hasDatabase(directory: string): boolean;
  /** Runs one heuristics command. True: it ended with status 0. "later": `ran` is called when it has ended. */
  run(command: string): boolean | "later";
  /** sd_notify(READY=1). */
  notifyReady(): void;
  /** The process ends. */
  exited(code: number): void;
}

export interface NodeVotes {
  readonly nodeId: number;
  readonly votes: number;
}

/** What follows when a poll has been answered. */
export type AfterPoll =
  | { readonly next: "confirm"; readonly seq: number }
  | { readonly next: "pause" }
  | { readonly next: "connect" }
  | { readonly next: "leave"; readonly code: number; readonly broken: boolean };

export type HeuristicsPurpose = "start" | "membership" | "connect" | "regular";

/** What the process waits for, and what for. */
export type Waiting =
  | { readonly on: "trackstart" | "register" | "master_wins" | "current" }
  | {
      readonly on: "getinfo";
      readonly purpose: "start" | "expected";
      readonly expected: number;
      left: number[];
      votes: NodeVotes[];
    }
  /** `who`: what has to say that it failed; "" for the timer. */
  | { readonly on: "poll"; readonly cast: boolean; readonly who: string; after: AfterPoll | undefined }
  | { readonly on: "unregister"; readonly code: number }
  | { readonly on: "command"; readonly purpose: HeuristicsPurpose; left: string[]; failed: boolean };

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
  /** A call that has not been answered: the process does nothing else meanwhile, but where it registers. */
  waiting: Waiting | undefined;
  /** An order to leave, to be followed after that. */
  leaving: "SIGTERM" | "tool" | undefined;
  missed: Missed[];
}

export const DEVICE_NAME = "Qdevice";
/** Things a process that does not look is told later; beyond it the oldest are forgotten. Ours. */
export const MISSED_MAX = 256;

export function emptyDevice(): DeviceState {
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
    waiting: undefined,
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
    .text(s.waiting === undefined ? "" : JSON.stringify(s.waiting))
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
