/**
 * What one machine believes, as numbers and words: the source of `quorate status`, of the page and of the checkers. The first part of each record
 * is the public shape of the command line; the rest is what the page draws. Plain data throughout.
 */
import type { Instant } from "./time.ts";

export type Power = "on" | "off" | "stalled";
export type UnitState = "active" | "activating" | "deactivating" | "inactive" | "failed";
export type TotemState = "operational" | "gather" | "commit" | "recovery";

export interface LinkStatus {
  to: number;
  link: number;
  connected: boolean;
  /** This link carries the data to that node (passive choice). */
  active: boolean;
  /** Mean round-trip latency knet measured, µs; 0 before the first pong. */
  latencyUs: number;
  localAddress: string;
  remoteAddress: string;
  mtu: number;
  priority: number;
}

export interface TokenStatus {
  /** This node holds the token now (the representative resting it, or in the middle of a visit). */
  here: boolean;
  /** The representative is holding it idle until this instant; undefined when not. */
  heldUntil: Instant | undefined;
  lastReceived: Instant | undefined;
  rotations: number;
  retransmits: number;
  /** Slowest rotation of the last minute not counting the hold, µs. */
  slowestRotationUs: number;
  /** Mean rotation of the last rotations counting the hold, µs. */
  meanRotationUs: number;
  tokenTimeoutMs: number;
  consensusMs: number;
  holdMs: number;
  tokenRetransmitMs: number;
}

export interface CorosyncStatus {
  nodeId: number;
  state: TotemState;
  ringId: string;
  members: number[];
  representative: number;
  links: LinkStatus[];
  /** What the node gathers: known and failed processors. Equal to members and empty while operational. */
  gathering: { proc: number[]; failed: number[]; consensus: number[] };
  token: TokenStatus;
  syncing: boolean;
  /** Node ids by which this node's corosync.conf knows its peers, with their names. */
  nodelist: { nodeId: number; name: string; votes: number; addresses: string[] }[];
}

/** The quorum device as this node has it. */
export interface QdeviceStatus {
  /** quorum.device.model */
  model: string;
  /** ffsplit, lms, 2nodelms or test; "" while the device's daemon has not read its configuration. */
  algorithm: string;
  host: string;
  /** Votes it adds where it casts them. */
  votes: number;
  /** quorum.device.timeout: without a poll for so long it counts as gone. */
  timeoutMs: number;
  registered: boolean;
  alive: boolean;
  castVote: boolean;
  masterWins: boolean;
  /** The State line of corosync-qdevice-tool; "not running" where no daemon answers. */
  state: string;
  /** Instant of the last poll of votequorum; null before one. */
  lastPoll: Instant | null;
}

/** What the server of the quorum device knows. */
export interface QnetdStatus {
  clusters: {
    name: string;
    algorithm: string;
    clients: { nodeId: number; address: string; ringId: string; members: number[]; vote: string; connected: boolean }[];
    /** Node ids of connected clients whose last vote was ACK. */
    holders: number[];
    /** When the algorithm last chose, and whom; null before. */
    lastDecision: { instant: Instant; winners: number[] } | null;
  }[];
}

/** The options of the quorum section in force, and what they are doing. */
export interface QuorumOptions {
  twoNode: boolean;
  waitForAll: boolean;
  /** wait_for_all: all nodes have to be seen together before there is quorum. */
  waiting: boolean;
  lastManStanding: boolean;
  windowMs: number;
  /** The window of last_man_standing ends then; null while none runs. */
  windowEnds: Instant | null;
  tieBreaker: "none" | "lowest" | "highest" | "list";
  /** Ids that decide an even split, the first that counts first; empty while none is known. */
  tieBreakerNodes: number[];
  allowDownscale: boolean;
  /** expected_votes_tracking */
  tracking: boolean;
}

export interface QuorumStatus {
  quorate: boolean;
  expectedVotes: number;
  highestExpected: number;
  totalVotes: number;
  quorum: number;
  flags: string[];
  /** null where no device is configured. */
  qdevice: QdeviceStatus | null;
  options: QuorumOptions;
  votes: { nodeId: number; votes: number; member: boolean }[];
}

export interface NicStatus {
  name: string;
  net: string;
  address: string;
  up: boolean;
  /** Bytes. */
  mtu: number;
}

export interface MachineStatus {
  name: string;
  kind: "node" | "qnetd";
  power: Power;
  /** Instant of the last change of `power`. */
  powerSince: Instant;
  /** Booting: the instant the last unit is expected to have started; undefined when not booting. */
  booting: boolean;
  worker: "alive" | "lost";
  units: { [unit: string]: UnitState };
  nics: NicStatus[];
  corosync: CorosyncStatus | null;
  quorum: QuorumStatus | null;
  /** null where no corosync-qnetd runs. */
  qnetd: QnetdStatus | null;
  pmxcfs: null;
  ha: null;
  /** A modelled command is running. */
  busy: boolean;
}
