/**
 * The state of one Totem instance: everything totemsrp_instance holds, as plain data, and the context its rules work in. Field names follow
 * totemsrp where it has one (my_aru → myAru). Left out: network buffers and the heartbeat feature, which is off by default.
 */
import type { Port } from "../kernel/index.ts";
import type { CommitToken, Mcast, OrfToken } from "./messages.ts";
import type { RingId, TotemListener, TotemParams, TotemTransport } from "./types.ts";
import type { TotemState } from "../kernel/index.ts";

/** stats.srp.* counters, under the names the stats map has. */
export interface SrpStats {
  orf_token_tx: number;
  orf_token_rx: number;
  memb_merge_detect_tx: number;
  memb_merge_detect_rx: number;
  memb_join_tx: number;
  memb_join_rx: number;
  mcast_tx: number;
  mcast_retx: number;
  mcast_rx: number;
  memb_commit_token_tx: number;
  memb_commit_token_rx: number;
  token_hold_cancel_tx: number;
  token_hold_cancel_rx: number;
  operational_entered: number;
  operational_token_lost: number;
  gather_entered: number;
  gather_token_lost: number;
  commit_entered: number;
  commit_token_lost: number;
  recovery_entered: number;
  recovery_token_lost: number;
  consensus_timeouts: number;
  rx_msg_dropped: number;
  continuous_gather: number;
  continuous_sendmsg_failures: number;
  firewall_enabled_or_nic_failure: number;
  avg_token_workload: number;
  avg_backlog_calc: number;
  mtt_rx_token: number;
  time_since_token_last_received: number;
}

/** What the page asks of the token: arrival instants of the last rotations and the hold. */
export interface TokenWatch {
  /** Instant of the last accepted token; -1 before the first. */
  lastRx: number;
  /** The ring the last token belonged to. */
  ringRep: number;
  ringSeq: number;
  /** Instant of the first token of this ring. */
  ringSince: number;
  /** [instant, rotations up to it] of some tokens of this ring, of the last second and a little more. */
  samples: [number, number][];
  rotations: number;
  /** ms at which the last tokens came, in a circle: the next one goes to place `received` modulo its length. Of whatever ring. */
  receipts: number[];
  /** Tokens since the statistics were cleared. */
  received: number;
  /** Largest rotation not counting the hold, one entry per ten seconds of the last minute: [instant of the slot's start, µs]. */
  slowest: [number, number][];
  heldSince: number;
  retransmits: number;
}

export interface SrpState {
  phase: TotemState;
  proc: number[];
  failed: number[];
  consensus: number[];
  /** Members of the installed ring. */
  memb: number[];
  trans: number[];
  newMemb: number[];
  deliverMemb: number[];
  /** Who said goodbye since the last ring. */
  leaving: number[];
  ring: RingId;
  oldRing: RingId;
  tokenRingSeq: number;
  oldRingSaved: boolean;
  oldRingAru: number;
  oldRingHighSeq: number;
  /** Messages of the installed ring by seq. */
  regular: Map<number, Mcast>;
  /** Messages of the ring being formed by seq. */
  recovery: Map<number, Mcast>;
  /** How often a hole was seen, by seq. */
  misses: Map<number, number>;
  /** new_message_queue: frames waiting for the token. */
  queue: Uint8Array[];
  /** new_message_queue_trans: used until the services have synchronised. */
  transQueue: Uint8Array[];
  /** retrans_message_queue: packets of the old ring to re-send in recovery. */
  retransQueue: Uint8Array[];
  waitingTransAck: boolean;
  myAru: number;
  myHighSeqReceived: number;
  myHighDelivered: number;
  myLastAru: number;
  myLastSeq: number;
  myInstallSeq: number;
  myTokenSeq: number;
  myAruCount: number;
  mySeqUnchanged: number;
  myTokenHeld: boolean;
  lastReleased: number;
  myReceivedFlg: boolean;
  mySetRetransFlg: boolean;
  myRetransFlgCount: number;
  myRotationCounter: number;
  myTrc: number;
  myPbl: number;
  myCbl: number;
  failedToRecv: boolean;
  orfTokenDiscard: boolean;
  originatedOrfToken: boolean;
  mergeDetectPending: boolean;
  commitToken: CommitToken | undefined;
  /** The last token sent, for retransmission: packet and target; empty packet when none. */
  sentToken: Uint8Array;
  sentTokenTo: number;
  /** Since when the process has not run, as pause detection sees it; -1 when it runs normally. */
  pausedSince: number;
  /** The process has slept and no token has come since it runs again. */
  slept: boolean;
  startedAt: number;
  /** When COMMIT was last entered; before the first time a number below every instant. */
  committedAt: number;
  left: boolean;
}

/** Everything a rule of the protocol may touch. */
export interface Srp {
  s: SrpState;
  params: TotemParams;
  stats: SrpStats;
  watch: TokenWatch;
  readonly port: Port;
  readonly transport: TotemTransport;
  readonly listener: TotemListener;
  /** Called at every token before it is handled: services queue what waits for the token (TOTEM_CALLBACK_TOKEN_RECEIVED). */
  onToken: () => void;
  /** The token is on its way again and own messages are delivered. */
  onTokenSent: () => void;
  /** A round of statistics; true where somebody looks at the next one too. */
  onStatsRound: () => boolean;
}

export type { CommitToken, Mcast, OrfToken };

/** A daemon that has not formed any ring: OPERATIONAL with an empty membership. `ringSeq` is the stored number plus one. */
export function initialState(nodeId: number, ringSeq: number, now: number): SrpState {
  const ring: RingId = Object.freeze({ rep: nodeId, seq: ringSeq });
  return {
    phase: "operational",
    proc: [nodeId],
    failed: [],
    consensus: [],
    memb: [],
    trans: [],
    newMemb: [],
    deliverMemb: [],
    leaving: [],
    ring,
    oldRing: ring,
    tokenRingSeq: ringSeq,
    oldRingSaved: false,
    oldRingAru: 0,
    oldRingHighSeq: 0,
    regular: new Map(),
    recovery: new Map(),
    misses: new Map(),
    queue: [],
    transQueue: [],
    retransQueue: [],
    waitingTransAck: true,
    myAru: 0,
    myHighSeqReceived: 0,
    myHighDelivered: 0,
    myLastAru: 0,
    myLastSeq: 0,
    myInstallSeq: 0,
    myTokenSeq: -1,
    myAruCount: 0,
    mySeqUnchanged: 0,
    myTokenHeld: false,
    lastReleased: 0,
    myReceivedFlg: true,
    mySetRetransFlg: false,
    myRetransFlgCount: 0,
    myRotationCounter: 0,
    myTrc: 0,
    myPbl: 0,
    myCbl: 0,
    failedToRecv: false,
    orfTokenDiscard: false,
    originatedOrfToken: false,
    mergeDetectPending: false,
    commitToken: undefined,
    sentToken: new Uint8Array(0),
    sentTokenTo: 0,
    pausedSince: -1,
    slept: false,
    startedAt: now,
    committedAt: -1_000_000_000,
    left: false,
  };
}

export function initialStats(): SrpStats {
  return {
    orf_token_tx: 0,
    orf_token_rx: 0,
    memb_merge_detect_tx: 0,
    memb_merge_detect_rx: 0,
    memb_join_tx: 0,
    memb_join_rx: 0,
    mcast_tx: 0,
    mcast_retx: 0,
    mcast_rx: 0,
    memb_commit_token_tx: 0,
    memb_commit_token_rx: 0,
    token_hold_cancel_tx: 0,
    token_hold_cancel_rx: 0,
    operational_entered: 0,
    operational_token_lost: 0,
    gather_entered: 0,
    gather_token_lost: 0,
    commit_entered: 0,
    commit_token_lost: 0,
    recovery_entered: 0,
    recovery_token_lost: 0,
    consensus_timeouts: 0,
    rx_msg_dropped: 0,
    continuous_gather: 0,
    continuous_sendmsg_failures: 0,
    firewall_enabled_or_nic_failure: 0,
    avg_token_workload: 0,
    avg_backlog_calc: 0,
    mtt_rx_token: 0,
    time_since_token_last_received: 0,
  };
}

export function initialWatch(): TokenWatch {
  return {
    lastRx: -1,
    ringRep: -1,
    ringSeq: -1,
    ringSince: -1,
    samples: [],
    rotations: 0,
    receipts: [],
    received: 0,
    slowest: [],
    heldSince: -1,
    retransmits: 0,
  };
}
