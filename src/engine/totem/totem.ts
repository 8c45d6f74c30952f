/**
 * One Totem instance: the single-ring ordering and membership protocol of one daemon (totemsrp with totempg on top). Packets and timers in,
 * packets, deliveries and configurations out. The rules live in gather.ts, commit.ts, token.ts, hold.ts, mcast.ts,
 * timeouts.ts, install.ts and delivery.ts; this class routes events to them. Left out: the udp and udpu transports, and the heartbeat failure detector, which is off by default.
 * Sources: Amir et al., "The Totem Single-Ring Ordering and Membership Protocol"; corosync.conf(5); behaviour observed in debug logs.
 */
import { MS, MESSAGE_SIZE_MAX, type Hasher, type Port, type TokenStatus, cloneState } from "../kernel/index.ts";
import { nextInRing, onCommitToken } from "./commit.ts";
import { enterGather, onJoin, sendLeave } from "./gather.ts";
import { COMMIT_TOKEN, HOLD_CANCEL, JOIN, MCAST, MERGE_DETECT, ORF_TOKEN, decode } from "./messages.ts";
import { cancelHold, onHoldCancel } from "./hold.ts";
import { onMcast, onMergeDetect } from "./mcast.ts";
import { onTimer } from "./timeouts.ts";
import { TotemPg, type PgState } from "./pg.ts";
import { initialState, initialStats, initialWatch, type Srp, type SrpState, type SrpStats, type TokenWatch } from "./state.ts";
import { TIMER, armStatsRound } from "./timing.ts";
import { onToken } from "./token.ts";
import type { Configuration, RingId, TotemListener, TotemParams, TotemTransport } from "./types.ts";
import { meanReceipt, meanRotation, slowestRotation } from "./watch.ts";

/** Bytes of frames that may wait for the token: four of the longest messages (totempg's MESSAGE_QUEUE_MAX counts them in net MTUs; 64 of the usual). */
const QUEUE_BYTES_MAX = 4 * MESSAGE_SIZE_MAX;

/** The reason a forced gather gives: the highest there is (TOTEMSRP_GSFROM_MAX), which is that of an interface change. */
const FORCED_GATHER = 15;

export interface TotemSnapshot {
  srp: SrpState;
  stats: SrpStats;
  watch: TokenWatch;
  pg: PgState;
  params: TotemParams;
}

export class Totem {
  private readonly t: Srp;
  private readonly pg: TotemPg;

  /**
   * @param port timers, log and trace of this layer
   * @param params effective parameters (runtime.config.totem.*)
   * @param transport knet
   * @param listener the service engine
   * @param ringSeq the ring sequence number on disk (0 if none); the daemon starts with the next one
   */
  constructor(port: Port, params: TotemParams, transport: TotemTransport, listener: TotemListener, ringSeq: number) {
    const framesMax = Math.floor(QUEUE_BYTES_MAX / params.netMtu);
    this.pg = new TotemPg(
      params.netMtu,
      (frame) => this.queueFrame(frame),
      () => framesMax - this.frames().length,
    );
    const inner: TotemListener = {
      deliver: (from, frame) => this.pg.deliver(from, frame, (payload) => listener.deliver(from, payload)),
      configuration: (change: Configuration) => {
        this.pg.forget(change.left);
        listener.configuration(change);
      },
      storeRingSeq: (seq) => {
        port.log("debug", "MAIN", `Storing new sequence id for ring ${seq.toString(16)}`);
        listener.storeRingSeq(seq);
      },
    };
    this.t = {
      s: initialState(params.nodeId, ringSeq + 1, port.now()),
      params,
      stats: initialStats(),
      watch: initialWatch(),
      port,
      transport,
      listener: inner,
      onToken: () => this.pg.flush(),
      onTokenSent: () => this.onTokenCallback(),
      onStatsRound: () => this.onStatsRound(),
    };
  }

  /** Called at every token visit after the token was sent; the sync engine prepares its next step here, which goes out at the next visit. */
  onTokenCallback: () => void = () => undefined;
  /** A round of statistics; true where somebody looks at the next one too. */
  onStatsRound: () => boolean = () => false;

  /** The interfaces are up: enter GATHER for the first time. */
  start(): void {
    enterGather(this.t, 15);
  }

  /** Says goodbye (SIGTERM, cfgtool -H). The others form a ring without this node at once; this instance goes silent. */
  leave(): void {
    if (this.t.s.left) return;
    sendLeave(this.t);
    this.silence();
  }

  private silence(): void {
    this.t.s.left = true;
    for (const name of Object.values(TIMER)) this.t.port.clearTimer(name);
  }

  private frames(): Uint8Array[] {
    return this.t.s.waitingTransAck ? this.t.s.transQueue : this.t.s.queue;
  }

  private queueFrame(frame: Uint8Array): void {
    this.frames().push(frame);
  }

  /** Queues a message for the total order. False: the queue is full (CS_ERR_TRY_AGAIN). */
  mcast(payload: Uint8Array): boolean {
    if (this.t.s.left || !this.pg.mcast(payload)) return false;
    cancelHold(this.t);
    return true;
  }

  /** Frames waiting for the token: the level that drives flow control of the applications. */
  get backlog(): number {
    return this.frames().length + (this.pg.waiting ? 1 : 0);
  }

  /** The services have synchronised: messages that waited since before the change may go (totempg_trans_ack). */
  transAck(): void {
    const s = this.t.s;
    if (!s.waitingTransAck) return;
    this.pg.flush();
    s.waitingTransAck = false;
    // What the services queued last still goes before what waited.
    s.queue = [...s.transQueue, ...s.queue];
    s.transQueue = [];
    this.t.port.log("debug", "TOTEM", "waiting_trans_ack changed to 0");
    if (s.queue.length > 0) cancelHold(this.t);
  }

  /** A packet from knet. What is no Totem packet is dropped and counted. */
  receive(packet: Uint8Array): void {
    const t = this.t;
    if (t.s.left) return;
    const message = decode(packet);
    if (message === undefined) {
      t.stats.rx_msg_dropped++;
      return;
    }
    switch (message.type) {
      case ORF_TOKEN:
        onToken(t, message);
        return;
      case MCAST:
        onMcast(t, message);
        return;
      case MERGE_DETECT:
        onMergeDetect(t, message);
        return;
      case JOIN:
        onJoin(t, message);
        return;
      case COMMIT_TOKEN:
        onCommitToken(t, message);
        return;
      case HOLD_CANCEL:
        onHoldCancel(t, message);
    }
  }

  /** A timer of this layer ran out. */
  timer(name: string): void {
    onTimer(this.t, name);
  }

  /** Somebody looks at the statistics: there is a round, until `onStatsRound` says that nobody does. */
  awaitStatsRound(): void {
    armStatsRound(this.t);
  }

  /** The process was not scheduled since `since`: what it reads now may be old (see pause detection). */
  paused(since: number): void {
    this.t.s.pausedSince = since;
    this.t.s.slept = true;
  }

  /** The process runs again and its late timers have run. */
  running(): void {
    this.t.s.pausedSince = -1;
  }

  /** Timers of the effective configuration changed (reload, node added). Those that are armed run out as they were set. */
  reconfigure(params: TotemParams): void {
    this.t.params = params;
  }

  /** runtime.force_gather: enter GATHER as if somebody had asked for it. */
  forceGather(): void {
    if (!this.t.s.left) enterGather(this.t, FORCED_GATHER);
  }

  get phase(): SrpState["phase"] {
    return this.t.s.phase;
  }

  get ring(): RingId {
    return this.t.s.ring;
  }

  /** Members of the installed ring, ascending. */
  get members(): readonly number[] {
    return this.t.s.memb;
  }

  /** Members that came along from the ring before. */
  get transitional(): readonly number[] {
    return this.t.s.trans;
  }

  /** The lists of the membership protocol: what this node has heard of, given up, and agreed with. */
  gathering(): { proc: number[]; failed: number[]; consensus: number[] } {
    const s = this.t.s;
    return { proc: [...s.proc], failed: [...s.failed], consensus: [...s.consensus] };
  }

  /** stats.srp.* as of now; what was cleared knows of no token before. */
  stats(): SrpStats {
    const t = this.t;
    const tokens = t.stats.orf_token_rx;
    const since = tokens === 0 || t.watch.lastRx < 0 ? 0 : Math.floor((t.port.now() - t.watch.lastRx) / MS);
    return { ...t.stats, mtt_rx_token: meanReceipt(t), time_since_token_last_received: since };
  }

  /** All of stats.srp.* begins anew, the count of gatherings in a row too. */
  clearStats(): void {
    this.t.stats = initialStats();
    Object.assign(this.t.watch, { receipts: [], received: 0 });
  }

  tokenStatus(): TokenStatus {
    const t = this.t;
    const s = t.s;
    const held = s.ring.rep === t.params.nodeId && s.myTokenHeld && s.phase === "operational";
    return {
      here: held,
      heldUntil: held ? t.watch.lastRx + t.params.holdMs * MS : undefined,
      lastReceived: t.watch.lastRx < 0 ? undefined : t.watch.lastRx,
      rotations: t.watch.rotations,
      retransmits: t.watch.retransmits,
      slowestRotationUs: slowestRotation(t),
      meanRotationUs: meanRotation(t),
      tokenTimeoutMs: t.params.tokenMs,
      consensusMs: t.params.consensusMs,
      holdMs: t.params.holdMs,
      tokenRetransmitMs: t.params.tokenRetransmitMs,
    };
  }

  /** Whom this node passes the token to. */
  get successor(): number {
    return nextInRing(this.t.s.memb, this.t.params.nodeId);
  }

  snapshot(): TotemSnapshot {
    const t = this.t;
    return { srp: cloneState(t.s), stats: { ...t.stats }, watch: cloneState(t.watch), pg: this.pg.snapshot(), params: t.params };
  }

  restore(state: TotemSnapshot): void {
    const t = this.t;
    t.s = cloneState(state.srp);
    t.stats = { ...state.stats };
    // What an earlier version wrote down had not all of it.
    t.watch = { ...initialWatch(), ...cloneState(state.watch) };
    t.params = state.params;
    this.pg.restore(state.pg);
  }

  digest(h: Hasher): void {
    const s = this.t.s;
    h.text(s.phase).int(s.ring.rep).int(s.ring.seq).int(s.oldRing.rep).int(s.oldRing.seq);
    for (const list of [s.proc, s.failed, s.consensus, s.memb, s.trans, s.newMemb, s.deliverMemb, s.leaving]) {
      h.int(list.length);
      for (const id of list) h.int(id);
    }
    // Every number and flag, in the order of the state's own definition.
    for (const value of Object.values(s)) {
      if (typeof value === "number") h.int(value);
      else if (typeof value === "boolean") h.bool(value);
    }
    h.int(s.queue.length).int(s.transQueue.length).int(s.retransQueue.length).int(s.regular.size).int(s.recovery.size).int(s.misses.size);
    h.bytes(s.sentToken);
    h.int(this.t.stats.orf_token_rx).int(this.t.stats.mcast_rx).int(this.t.stats.memb_join_rx);
    this.pg.digest(h);
  }
}
