/**
 * The talk of corosync-qdevice with corosync-qnetd: connecting, the first messages, the lists, the votes that come back, the heartbeat, and what happens when the server is lost: whichever the
 * algorithm (lms and ffsplit observed with 3.0.3), the vote is withdrawn at once where the connection closes or breaks, and with the second heartbeat that is due where the server falls silent; how
 * many votes the node has without it makes no difference. In the real stack: qdevice-net-*.c; what is sent is in net-send.ts. Left out: TLS itself; whether it would be used is negotiated and kept.
 */
import { MS, type TcpEvent } from "../../kernel/index.ts";
import { ringIdText, type RingId } from "../../totem/types.ts";
import type { DeviceConfig } from "./device-config.ts";
import { quorumNodes, type AfterPoll, type DevicePort, type DeviceState } from "./device-state.ts";
import type { DeviceCore } from "./device-core.ts";
import { NetHeuristics } from "./net-heuristics.ts";
import { NetSend } from "./net-send.ts";
import { unseededRandom } from "../random.ts";
import {
  ALGORITHMS,
  BadMessage,
  MSG,
  cutMessages,
  decodeMessage,
  joinBytes,
  type Heuristics,
  type Message,
  type NodeInfo,
  type NodeListType,
  type Vote,
} from "../tlv.ts";

/** Numbers of random(3) that are used up before the first pause (recorded). */
const RANDOM_FIRST = 6;
/** A pause before a reconnect is shorter than this part of the cast vote interval. */
const PAUSE_PART = 0.9;

/** Why the talk ended, with the daemon's own numbers where they are logged. */
const REASONS = {
  "local-shutdown": 3,
  "poll-failed": 8,
  "daemon-gone": 25,
  "cannot-connect": 27,
  "no-echo": 38,
  closed: 22,
  reset: 23,
  error: 10,
} as const;
type Reason = keyof typeof REASONS;

/** What NSPR says of a connection that could not be made, whatever the reason was (recorded for a refused one and for a host that is not there). */
const CANNOT_CONNECT = "Can't connect to qnetd host. (-5986): Network address not available (in use?)";

/** The process pauses before it connects again, and does nothing else in that time. */
export function sleeps(state: DeviceState): boolean {
  return state.connection === "sleeping";
}

export class DeviceNet {
  private readonly out: NetSend;
  private readonly regular: NetHeuristics;

  constructor(
    private readonly port: DevicePort,
    private readonly device: DeviceCore,
    private readonly config: DeviceConfig,
  ) {
    this.out = new NetSend(port, device, config);
    this.regular = new NetHeuristics(port, device, config, this.out);
  }

  private get s(): DeviceState {
    return this.device.state;
  }

  private after(timer: string, ms: number): void {
    this.port.setTimer(timer, this.port.now() + ms * MS);
  }

  private debug(text: string): void {
    this.device.debug(text);
  }

  // ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────────────

  connect(): void {
    const { host, port, connectTimeoutMs } = this.config;
    this.debug(`Trying connect to qnetd server ${host}:${port} (timeout = ${connectTimeoutMs}ms)`);
    this.s.connection = "connecting";
    this.after("connect", connectTimeoutMs);
    const address = this.port.resolve(host);
    this.s.socket = address === undefined ? undefined : this.port.tcp.connect(address, port);
    if (this.s.socket === undefined) this.cannotConnect();
  }

  private cannotConnect(): void {
    this.port.log("error", CANNOT_CONNECT);
    this.s.socket = undefined;
    this.s.connection = "failed";
  }

  event(event: TcpEvent): void {
    if (event.id !== this.s.socket) return;
    switch (event.kind) {
      case "connected":
        this.debug("Sending preinit msg to qnetd");
        this.s.connection = "preinit";
        this.s.stream = new Uint8Array(0);
        this.s.tls = false;
        this.out.send({ type: MSG.preinit, seq: this.s.lastSeq, clusterName: this.config.clusterName });
        return;
      case "failed":
        this.cannotConnect();
        return;
      case "data":
        this.received(event.bytes);
        return;
      case "closed":
        this.debug("Server closed connection");
        this.disconnect("closed");
        return;
      case "reset":
        this.port.log("error", "Unhandled error when reading from server. Disconnecting from server");
        this.s.socket = undefined;
        this.disconnect("reset");
        return;
      case "accepted":
    }
  }

  /** The server is lost, or could not be reached: the vote is withdrawn, and then comes `after`. */
  lost(reason: Reason, after: AfterPoll): void {
    const s = this.s;
    const { algorithm } = this.config;
    if (algorithm === "lms" || algorithm === "2nodelms") {
      this.debug(`algo-${algorithm}: disconnected. quorate = ${s.quorate ? 1 : 0}, WFA = 0`);
      this.debug(`algo-${algorithm}: disconnected. reason = ${REASONS[reason]}, WFA = 0`);
    } else if (algorithm === "test") this.debug("algo-test: Disconnected");
    this.debug("Algorithm result vote is NACK");
    if (s.socket !== undefined) this.port.tcp.close(s.socket);
    s.socket = undefined;
    s.connection = "failed";
    s.connectedAt = undefined;
    for (const timer of ["connect", "heartbeat", "heuristics"]) this.port.clearTimer(timer);
    s.regularScheduled = false;
    this.device.result("NACK", "qdevice_model_net_run", after);
  }

  private disconnect(reason: Reason): void {
    this.lost(reason, { next: "pause" });
  }

  /** It waits a moment before it connects again. */
  pause(): void {
    const draw = unseededRandom(RANDOM_FIRST + this.s.pauses);
    const pause = draw % Math.floor(this.config.castVoteMs * PAUSE_PART);
    this.s.pauses++;
    this.debug(`Sleeping for ${pause} ms before reconnect`);
    this.s.connection = "sleeping";
    this.after("wake", pause);
  }

  timer(name: string): void {
    if (name === "wake") {
      this.connect();
      this.device.catchUp();
    } else if (name === "connect") this.connectTimeout();
    else if (name === "heartbeat") this.heartbeat();
    else if (name === "heuristics") this.regular.run();
  }

  /** Where the server's host took the connection and the server said nothing, it waits a moment first, as after any other that it had. */
  private connectTimeout(): void {
    const { connection } = this.s;
    if (connection === "connected") return;
    this.port.log("error", "Connect timeout");
    this.lost("cannot-connect", { next: connection === "preinit" || connection === "init" ? "pause" : "connect" });
  }

  /** The node list of corosync.conf, to a server that knows this node. */
  sendConfig(listType: NodeListType): void {
    this.out.sendConfig(listType);
  }

  sendMembership(heuristics: Heuristics): void {
    this.out.sendMembership(heuristics);
  }

  sendQuorum(nodes: readonly NodeInfo[]): void {
    this.out.sendQuorum(nodes);
  }

  // ── messages in ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private received(bytes: Uint8Array): void {
    const { messages, rest, tooLong } = cutMessages(joinBytes(this.s.stream, bytes));
    this.s.stream = rest;
    for (const [i, message] of messages.entries()) {
      if (this.s.socket === undefined || !this.device.alive) return;
      if (this.device.blocked) {
        // The others wait in the socket.
        const bytes = [...messages.slice(i), rest].reduce(joinBytes);
        this.s.stream = new Uint8Array(0);
        this.s.missed.unshift({ what: "tcp", event: { kind: "data", id: this.s.socket, bytes } });
        return;
      }
      this.take(message);
    }
    if (!tooLong || this.s.socket === undefined) return;
    this.port.log("error", `Server wants to send too long message ${rest.length} bytes. Disconnecting from server`);
    this.disconnect("error");
  }

  private refuse(text: string): void {
    this.port.log("error", text);
    this.disconnect("error");
  }

  private take(bytes: Uint8Array): void {
    let m: Message;
    try {
      m = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.refuse("Received message with option with invalid value");
      return;
    }
    switch (m.type) {
      case MSG.preinitReply:
        return this.onPreinitReply(m);
      case MSG.initReply:
        return this.onInitReply(m);
      case MSG.serverError:
        return this.refuse(`Received server error ${m.replyErrorCode ?? 0}. Disconnecting from server`);
      case MSG.setOptionReply:
        return this.debug(
          `Received set option reply seq(1) = ${m.seq ?? 0}, HB(${m.heartbeatMs === undefined ? 0 : 1}) = ${m.heartbeatMs ?? 0}ms, ` +
            `KAP Tie-breaker(${m.keepActivePartition === undefined ? 0 : 1}) = ${m.keepActivePartition === true ? "Enabled" : "Disabled"}`,
        );
      case MSG.echoReply:
        return this.onEcho(m);
      case MSG.nodeListReply:
        return this.onVote(m, `Received ${m.listType ?? ""} node list reply`, "Received node list reply with old ring id.");
      case MSG.askForVoteReply:
        return this.onVote(m, "Received ask for vote reply", "Received ask for vote reply with old ring id.");
      case MSG.voteInfo:
        return this.onVoteInfo(m);
      case MSG.heuristicsChangeReply:
        return this.onVote(m, "Received heuristics change reply", "Received heuristics change reply with old ring id.");
      default:
        return this.refuse(`Received unsupported message ${m.type}. Disconnecting from server`);
    }
  }

  private onPreinitReply(m: Message): void {
    this.debug("Received preinit reply msg");
    if (this.s.connection !== "preinit") return this.refuse("Received unexpected preinit reply message. Disconnecting from server");
    const server = m.tlsSupported ?? 0;
    const client = { off: 0, on: 1, required: 2 }[this.config.tls];
    if ((server === 2 && client === 0) || (server === 0 && client === 2))
      return this.refuse(`Incompatible tls configuration (server ${server} client ${client})`);
    if (server > 0 && client > 0) {
      this.out.send({ type: MSG.starttls, seq: this.out.nextSeq() });
      this.s.tls = true;
      if (m.tlsClientCertRequired === true) this.debug("Sending client auth data.");
    }
    this.s.connection = "init";
    this.out.sendInit();
  }

  private onInitReply(m: Message): void {
    this.debug("Received init reply msg");
    if (this.s.connection !== "init") return this.refuse("Received unexpected init reply message. Disconnecting from server");
    const code = m.replyErrorCode;
    if (code === undefined) return this.refuse("Received init reply message without error code.Disconnecting from server");
    if (code !== 0) {
      const retry = "This may be result of server not yet accepted this node disconnect. Retry again.";
      this.port.log("error", `Received init reply message with error code ${code}. Disconnecting from server`);
      if (code === 17)
        this.port.log("error", "Duplicate node id may be result of server not yet accepted this node disconnect. Retry again.");
      if (code === 15) this.port.log("error", `Configured tie-breaker differs in cluster. ${retry}`);
      if (code === 16) this.port.log("error", `Configured algorithm differs in cluster. ${retry}`);
      return this.disconnect("error");
    }
    if (m.supportedAlgorithms?.includes(ALGORITHMS.indexOf(this.config.algorithm)) !== true)
      return this.refuse("Server doesn't support required decision algorithm");
    this.connected();
  }

  private connected(): void {
    const s = this.s;
    s.connection = "connected";
    s.connectedAt = this.port.now();
    s.echoReceivedAt = undefined;
    s.echoSent = s.echoReceived = 0;
    this.port.clearTimer("connect");
    this.debug(`Scheduling send of heartbeat every ${this.config.heartbeatMs}ms`);
    this.after("heartbeat", this.config.heartbeatMs);
    this.debug("Executing after-connect heuristics.");
    this.device.runHeuristics("connect", this.config.heuristics.timeoutMs);
  }

  /** The commands that are run after connecting have ended. */
  connectHeuristics(heuristics: Heuristics): void {
    const s = this.s;
    s.heuristics.connect = heuristics;
    if (this.config.algorithm === "test") this.debug("algo-test: Connected");
    this.debug(
      `Algorithm decided to send config node list, send membership node list, send quorum node list, heuristics is ${heuristics} and result vote is Wait for reply`,
    );
    const keepActivePartition = this.config.keepActive;
    const seq = this.out.nextSeq();
    this.debug(`Sending set option seq = ${seq}, HB(0) = 0ms, KAP Tie-breaker(1) = ${keepActivePartition ? "Enabled" : "Disabled"}`);
    this.out.send({ type: MSG.setOption, seq, keepActivePartition });
    this.sendConfig("initial config");
    this.sendMembership(heuristics);
    this.sendQuorum(quorumNodes(s.voteNodes));
    this.device.result("Wait for reply", "qdevice_net_connect_heuristics_exec_result_callback");
    if (this.config.heuristics.mode === "on") this.scheduleRegular();
  }

  private onEcho(m: Message): void {
    if (m.seq === undefined) return this.refuse("Received echo reply message doesn't contain seq_number.");
    if (m.seq !== this.s.echoSent) return this.refuse("Received echo reply message seq_number is not expected one.");
    this.s.echoReceived = m.seq;
    this.s.echoReceivedAt = this.port.now();
  }

  private heartbeat(): void {
    const s = this.s;
    if (s.connection !== "connected") return;
    if (s.echoSent !== s.echoReceived) {
      this.port.log("error", "Server didn't send echo reply message on time");
      if (this.config.algorithm === "lms") this.debug(`algo-lms: echo_not_recvd. quorate = ${s.quorate ? 1 : 0}, WFA = 0`);
      this.debug("Algorithm decided to disconnect");
      return this.disconnect("no-echo");
    }
    s.echoSent++;
    this.out.send({ type: MSG.echoRequest, seq: s.echoSent });
    this.after("heartbeat", this.config.heartbeatMs);
  }

  /** The seq, vote and ring of a reply, and whether the vote counts: one for an earlier ring does not. */
  private onVote(m: Message, what: string, old: string): void {
    const { seq, vote, ring } = m;
    if (seq === undefined || vote === undefined || ring === undefined)
      return this.refuse("Received node list reply message without required options. Disconnecting from server");
    this.tell(what, seq, vote, ring);
    this.use(vote, ring, old);
  }

  confirm(seq: number): void {
    this.out.send({ type: MSG.voteInfoReply, seq });
  }

  private tell(what: string, seq: number, vote: Vote, ring: RingId): void {
    this.debug(what);
    this.debug(`  seq = ${seq}`);
    this.debug(`  vote = ${vote}`);
    this.debug(`  ring id = (${ringIdText(ring)})`);
  }

  private use(told: Vote, ring: RingId, old: string, after?: AfterPoll): void {
    const own = this.s.ring;
    const current = ring.rep === own.rep && ring.seq === own.seq;
    if (!current) this.debug(old);
    const vote = current ? told : "No change";
    this.debug(`Algorithm result vote is ${vote}`);
    this.device.result(vote, "qdevice_net_msg_received_node_list_reply", after);
  }

  private onVoteInfo(m: Message): void {
    const { seq, vote, ring } = m;
    if (seq === undefined || vote === undefined || ring === undefined)
      return this.refuse("Received unexpected vote info message. Disconnecting from server");
    this.tell("Received vote info", seq, vote, ring);
    this.use(vote, ring, "Received vote info with old ring id.", { next: "confirm", seq });
  }

  // ── heuristics at regular times (net-heuristics.ts) ──────────────────────────────────────────────────────────────────

  scheduleRegular(): void {
    this.regular.schedule();
  }

  /** The commands that are run at regular times have ended. */
  regularResult(result: Heuristics): void {
    this.regular.ended(result);
  }
}
