/**
 * The corosync-qnetd server: takes connections, keeps what each client tells, asks the cluster's algorithm and passes its votes on; drops who is silent for too
 * long. In the real stack: qnetd.c, qnetd-instance.c, qnetd-client-*.c. Left out: TLS itself (whether a client began it is kept and shown), the
 * limit of clients, and what runs out of memory.
 */
import { MS, cloneState, type Hasher, type Instant, type LogLevel, type TcpEvent, type TcpPort } from "../kernel/index.ts";
import { ringIdText } from "../totem/types.ts";
import { ffsplit } from "./ffsplit.ts";
import { lms } from "./lms.ts";
import { digestQnetd, type QnetdState } from "./qnetd-digest.ts";
import { freshClient, initTrouble, missingInit } from "./qnetd-init.ts";
import {
  pointerOf,
  REPLY,
  type AlgorithmPort,
  type QnetdAlgorithm,
  type QnetdClient,
  type QnetdCluster,
  type Result,
} from "./qnetd-types.ts";
import {
  ALGORITHMS,
  BadMessage,
  MESSAGE_BYTES_MAX,
  MESSAGE_TYPES,
  MSG,
  OPTION_TYPES,
  cutMessages,
  decodeMessage,
  encodeMessage,
  joinBytes,
  type Algorithm,
  type Message,
  type NodeInfo,
} from "./tlv.ts";
import { test, twoNodeLms } from "./twonodelms.ts";

/** Both daemons' default port. */
export const QNETD_PORT = 5403;
/** dpd_interval_coefficient. */
const DPD_COEFFICIENT = 1.5;
/** An algorithm's timer runs for this part of the client's heartbeat interval (observed with 8 s and 16 s). */
const ALGORITHM_TIMER_PART = 4;

const ALGORITHM: Record<Algorithm, QnetdAlgorithm> = { ffsplit, lms, "2nodelms": twoNodeLms, test };

export interface QnetdSettings {
  readonly tls: "off" | "on" | "required";
  readonly clientCertRequired: boolean;
  readonly debug: boolean;
}

export interface QnetdPort {
  now(): Instant;
  readonly tcp: TcpPort;
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  log(level: LogLevel, text: string): void;
}

/** What corosync-qnetd-tool and the status read. */
export interface QnetdView {
  readonly settings: QnetdSettings;
  readonly clusters: readonly { readonly cluster: QnetdCluster; readonly clients: readonly QnetdClient[] }[];
  readonly clients: number;
}

export class Qnetd {
  private state: QnetdState = { clients: [], clusters: [] };

  constructor(
    private readonly port: QnetdPort,
    readonly settings: QnetdSettings,
  ) {}

  /** The daemon comes up. False: somebody else has the port. */
  start(): boolean {
    this.debug("Initializing nss");
    this.debug("Initializing local socket");
    this.debug("Creating listening socket");
    if (!this.port.tcp.listen(QNETD_PORT)) return false;
    this.debug("Registering algorithms");
    this.debug("QNetd ready to provide service");
    this.debug("Running QNetd main loop");
    return true;
  }

  /** SIGTERM, or corosync-qnetd-tool -H: clients are told nothing but the end of the connection. */
  shutDown(by: "SIGTERM" | "tool"): void {
    this.debug(by === "SIGTERM" ? "SIGTERM received - closing server IPC socket" : "IPC client requested shutdown");
    this.debug("Listening socket is closed");
    this.debug("Destroying qnetd ipc");
    this.debug("Closing server socket");
    for (const c of this.state.clients) {
      const who = `(init_received ${c.init ? 1 : 0}, cluster ${c.clusterName}, node_id ${c.nodeId})`;
      this.debug(`Client ${c.address} ${who} disconnect (server is going down)`);
    }
    this.debug("Closing log");
  }

  private debug(text: string): void {
    if (this.settings.debug) this.port.log("debug", text);
  }

  get view(): QnetdView {
    const clusters = this.state.clusters.map((cluster) => ({ cluster, clients: this.members(cluster) }));
    return { settings: this.settings, clusters, clients: this.state.clients.length };
  }

  private members(cluster: QnetdCluster): QnetdClient[] {
    return this.state.clients.filter((c) => c.init && c.clusterName === cluster.name).sort((a, b) => a.nodeId - b.nodeId);
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────────

  event(event: TcpEvent): void {
    if (event.kind === "accepted") {
      const address = event.remote.includes(":") ? event.remote : `::ffff:${event.remote}`;
      const shown = event.remote.includes(":") ? `[${address}]:${event.remotePort}` : `${address}:${event.remotePort}`;
      this.state.clients.push(freshClient(event.id, shown));
      return;
    }
    const client = this.state.clients.find((c) => c.id === event.id);
    if (client === undefined) return;
    if (event.kind === "data") this.received(client, event.bytes);
    else if (event.kind === "closed") {
      this.debug("Client closed connection");
      this.disconnect(client);
    } else if (event.kind === "reset") {
      this.port.log("error", "Unhandled error when reading from client. Disconnecting client (-5961): TCP connection reset by peer");
      this.disconnect(client);
    }
  }

  private disconnect(client: QnetdClient): void {
    this.debug(
      `Client ${client.address} (init_received ${client.init ? 1 : 0}, cluster ${client.clusterName}, node_id ${client.nodeId}) disconnect`,
    );
    const cluster = this.clusterOf(client);
    if (client.init && cluster !== undefined) ALGORITHM[client.algorithm].disconnect(this.algorithmPort(cluster), client);
    this.port.clearTimer(`dpd/${client.id}`);
    this.port.clearTimer(`algorithm/${client.id}`);
    this.state.clients = this.state.clients.filter((c) => c !== client);
    this.port.tcp.close(client.id);
    if (cluster !== undefined && this.members(cluster).length === 0) this.state.clusters = this.state.clusters.filter((c) => c !== cluster);
  }

  private clusterOf(client: QnetdClient): QnetdCluster | undefined {
    return this.state.clusters.find((c) => c.name === client.clusterName);
  }

  private received(client: QnetdClient, bytes: Uint8Array): void {
    const { messages, rest, tooLong } = cutMessages(joinBytes(client.stream, bytes));
    client.stream = rest;
    for (const message of messages) {
      if (!this.state.clients.includes(client)) return;
      this.heard(client);
      this.take(client, message);
    }
    if (!tooLong || !this.state.clients.includes(client)) return;
    this.port.log("warning", `Client wants to send too long message ${rest.length} bytes. Skipping message`);
    client.stream = new Uint8Array(0);
    this.error(client, undefined, REPLY.messageTooLong);
  }

  /** Dead peer detection counts from the last message. */
  private heard(client: QnetdClient): void {
    if (client.init) this.port.setTimer(`dpd/${client.id}`, this.port.now() + Math.floor(client.heartbeatMs * DPD_COEFFICIENT) * MS);
  }

  private send(client: QnetdClient, message: Message): void {
    if (message.vote !== undefined) {
      client.lastVote = message.vote;
      if (message.vote === "ACK" || message.vote === "NACK") client.lastAckNack = message.vote;
    }
    // A client whose buffer is full reads nothing any more: dead peer detection will drop it.
    this.port.tcp.send(client.id, encodeMessage(message));
  }

  private error(client: QnetdClient, seq: number | undefined, code: number): void {
    this.send(client, { type: MSG.serverError, ...(seq === undefined ? {} : { seq }), replyErrorCode: code });
  }

  timer(name: string): void {
    const slash = name.indexOf("/");
    const client = this.state.clients.find((c) => String(c.id) === name.slice(slash + 1));
    if (client === undefined) return;
    if (name.startsWith("dpd/")) {
      const ms = Math.floor(client.heartbeatMs * DPD_COEFFICIENT);
      this.port.log("warning", `Client ${client.address} doesn't sent any message during ${ms}ms. Disconnecting`);
      this.disconnect(client);
    } else this.algorithmTimer(client);
  }

  private algorithmTimer(client: QnetdClient): void {
    const cluster = this.clusterOf(client);
    if (cluster === undefined) return;
    const port = this.algorithmPort(cluster);
    let again = false;
    const result = ALGORITHM[client.algorithm].timer({ ...port, schedule: (c) => (again = true) && port.schedule(c) }, client);
    const vote = result === "ACK" || result === "NACK" ? result : undefined;
    this.debug(
      `Algorithm for client ${client.address} decided to ${again ? "" : "not "}reschedule timer and ${vote === undefined ? "not send vote" : `send vote with value ${vote}`}`,
    );
    if (vote === undefined) return;
    client.voteInfoSeq++;
    port.sendVoteInfo(client, client.ring, vote);
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  private take(client: QnetdClient, bytes: Uint8Array): void {
    let m: Message;
    try {
      m = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.port.log("warning", "Received message with option with invalid value");
      this.error(client, undefined, REPLY.decoding);
      return;
    }
    switch (m.type) {
      case MSG.preinit:
        this.onPreinit(client, m);
        return;
      case MSG.starttls:
        if (!client.preinit)
          this.refuse(client, m, REPLY.preinitRequired, "Received starttls before preinit message. Sending error reply.");
        else client.tls = true;
        return;
      case MSG.init:
        this.onInit(client, m);
        return;
      default:
        this.afterInit(client, m);
    }
  }

  private refuse(client: QnetdClient, m: Message, code: number, text: string): void {
    this.port.log("error", text);
    this.error(client, m.seq, code);
  }

  private onPreinit(client: QnetdClient, m: Message): void {
    if (m.clusterName === undefined || m.clusterName === "") {
      this.refuse(client, m, REPLY.missingOption, "Received preinit message without cluster name. Sending error reply.");
      return;
    }
    client.preinit = true;
    client.clusterName = m.clusterName;
    const tlsSupported = { off: 0, on: 1, required: 2 }[this.settings.tls];
    const reply = { type: MSG.preinitReply, tlsSupported, tlsClientCertRequired: this.settings.clientCertRequired };
    this.send(client, m.seq === undefined ? reply : { ...reply, seq: m.seq });
  }

  private onInit(client: QnetdClient, m: Message): void {
    if (!client.preinit) {
      this.refuse(client, m, REPLY.preinitRequired, "Received init before preinit message. Sending error reply.");
      return;
    }
    if (this.settings.tls === "required" && !client.tls) {
      this.refuse(client, m, REPLY.tlsRequired, "TLS is required but doesn't started yet. Sending back error message");
      return;
    }
    const missing = missingInit(m);
    if (missing !== undefined) {
      this.refuse(client, m, REPLY.missingOption, missing);
      return;
    }
    const others = this.state.clients.filter((c) => c !== client && c.init && c.clusterName === client.clusterName);
    const trouble = initTrouble(m, others);
    if (trouble !== undefined) {
      this.port.log("error", trouble.text);
      this.send(client, { type: MSG.initReply, ...(m.seq === undefined ? {} : { seq: m.seq }), replyErrorCode: trouble.code });
      return;
    }
    this.accept(client, m);
  }

  private accept(client: QnetdClient, m: Message): void {
    client.init = true;
    client.nodeId = m.nodeId ?? 0;
    client.ring = m.ring ?? client.ring;
    client.heartbeatMs = m.heartbeatMs ?? 0;
    client.tieBreaker = m.tieBreaker ?? client.tieBreaker;
    client.algorithm = ALGORITHMS[m.algorithm ?? -1] ?? client.algorithm;
    let cluster = this.clusterOf(client);
    if (cluster === undefined) {
      cluster = { name: client.clusterName, ffsplit: "change", winners: [], decided: undefined };
      this.state.clusters.push(cluster);
    }
    this.heard(client);
    this.tellNew(client, cluster);
    if (client.algorithm === "test") {
      this.port.log(
        "info",
        `algo-test: Client ${client.address} (cluster = '${client.clusterName}', node_id = ${client.nodeId}) initiated test algorithm. It's not recommended to use test algorithm because it can create multiple quorate partitions!`,
      );
    }
    this.send(client, {
      type: MSG.initReply,
      ...(m.seq === undefined ? {} : { seq: m.seq }),
      replyErrorCode: REPLY.none,
      supportedMessages: MESSAGE_TYPES,
      supportedOptions: OPTION_TYPES,
      serverMaximumRequestSize: MESSAGE_BYTES_MAX,
      serverMaximumReplySize: MESSAGE_BYTES_MAX,
      supportedAlgorithms: ALGORITHMS.map((_, i) => i),
    });
  }

  private tellNew(client: QnetdClient, cluster: QnetdCluster): void {
    this.debug("New client connected");
    this.debug(`  cluster name = ${client.clusterName}`);
    this.debug(`  tls started = ${client.tls ? 1 : 0}`);
    this.debug(`  tls peer certificate verified = ${client.tls ? 1 : 0}`);
    this.debug(`  node_id = ${client.nodeId}`);
    this.debug(`  pointer = ${pointerOf(client.id)}`);
    this.debug(`  addr_str = ${client.address}`);
    this.debug(`  ring id = (${ringIdText(client.ring)})`);
    this.debug("  cluster dump:");
    for (const c of this.members(cluster)) this.debug(`    client = ${c.address}, node_id = ${c.nodeId}`);
  }

  private afterInit(client: QnetdClient, m: Message): void {
    const names: Record<number, string> = {
      [MSG.setOption]: "set option message",
      [MSG.echoRequest]: "echo request",
      [MSG.nodeList]: "node list message",
      [MSG.askForVote]: "ask for vote message",
      [MSG.voteInfoReply]: "vote info reply",
      [MSG.heuristicsChange]: "heuristics change message",
    };
    const name = names[m.type];
    const cluster = this.clusterOf(client);
    if (name === undefined) {
      this.refuse(client, m, REPLY.unsupportedMessage, `Unsupported message ${m.type} received from client. Sending back error message`);
    } else if (!client.init || cluster === undefined) {
      this.refuse(client, m, REPLY.initRequired, `Received ${name} before init message. Sending error reply.`);
    } else if (m.type === MSG.setOption) this.onSetOption(client, m);
    else if (m.type === MSG.echoRequest) this.send(client, { ...m, type: MSG.echoReply });
    else if (m.seq === undefined) {
      this.refuse(client, m, REPLY.missingOption, `Received ${name} without seq number set. Sending error reply.`);
    } else this.asked(client, cluster, { ...m, seq: m.seq });
  }

  private asked(client: QnetdClient, cluster: QnetdCluster, m: Message & { seq: number }): void {
    const who = `Client ${client.address} (cluster ${client.clusterName}, node_id ${client.nodeId})`;
    const algorithm = ALGORITHM[client.algorithm];
    const port = this.algorithmPort(cluster);
    if (m.type === MSG.nodeList) this.onNodeList(client, cluster, m, who);
    else if (m.type === MSG.askForVote) {
      this.debug(`${who} asked for a vote`);
      this.debug(`  msg seq num = ${m.seq}`);
      this.answer(client, m, algorithm.askForVote(port, client), { type: MSG.askForVoteReply, ring: client.ring });
    } else if (m.type === MSG.voteInfoReply) {
      this.debug(`${who} replied back to vote info message`);
      this.debug(`  msg seq num = ${m.seq}`);
      algorithm.voteInfoReply(port, client, m.seq);
    } else this.onHeuristics(client, cluster, m, who);
  }

  private onHeuristics(client: QnetdClient, cluster: QnetdCluster, m: Message & { seq: number }, who: string): void {
    const { heuristics } = m;
    if (heuristics === undefined || heuristics === "Undefined") {
      const text = "Received heuristics change message without seq number set or with undefined heuristics. Sending error reply.";
      this.refuse(client, m, REPLY.missingOption, text);
      return;
    }
    this.debug(`${who} sent heuristics change`);
    this.debug(`  msg seq num = ${m.seq}`);
    this.debug(`  heuristics = ${heuristics}`);
    const result = ALGORITHM[client.algorithm].heuristicsChange(this.algorithmPort(cluster), client, heuristics);
    client.heuristics.regular = client.heuristics.last = heuristics;
    this.answer(client, m, result, { type: MSG.heuristicsChangeReply, ring: client.ring, heuristics });
  }

  private onSetOption(client: QnetdClient, m: Message): void {
    if (m.heartbeatMs !== undefined) client.heartbeatMs = m.heartbeatMs;
    if (m.keepActivePartition !== undefined) client.keepActive = m.keepActivePartition;
    this.heard(client);
    this.send(client, { ...m, type: MSG.setOptionReply });
  }

  /** The vote that the algorithm gave goes into the reply; an error ends the talk. */
  private answer(client: QnetdClient, m: Message & { seq: number }, result: Result, reply: Message): void {
    if (typeof result === "number") {
      this.refuse(client, m, result, "Algorithm returned error code. Sending error reply.");
      return;
    }
    this.debug(`Algorithm result vote is ${result}`);
    this.send(client, { ...reply, seq: m.seq, vote: result });
  }

  private onNodeList(client: QnetdClient, cluster: QnetdCluster, m: Message & { seq: number }, who: string): void {
    const nodes = m.nodes ?? [];
    const port = this.algorithmPort(cluster);
    const algorithm = ALGORITHM[client.algorithm];
    const { listType } = m;
    if (listType === undefined) {
      this.refuse(client, m, REPLY.missingOption, "Received node list message without node list type set. Sending error reply.");
      return;
    }
    const reply = { type: MSG.nodeListReply, listType };
    if (listType === "membership") {
      const ring = m.ring;
      if (ring === undefined) {
        this.refuse(client, m, REPLY.missingOption, "Received node list message without ring id number set. Sending error reply.");
        return;
      }
      const heuristics = m.heuristics ?? "Undefined";
      this.tellList(
        `${who} sent membership node list.`,
        [`msg seq num = ${m.seq}`, `ring id = (${ringIdText(ring)})`, `heuristics = ${heuristics} `],
        nodes,
      );
      const result = algorithm.membershipNodeList(port, client, nodes, ring, heuristics);
      client.membership = nodes;
      client.ring = ring;
      client.heuristics = { ...client.heuristics, membership: heuristics, last: heuristics };
      this.answer(client, m, result, { ...reply, ring });
    } else if (listType === "quorum") {
      if (m.quorate === undefined) {
        this.refuse(client, m, REPLY.missingOption, "Received quorum list message without quorate set. Sending error reply.");
        return;
      }
      this.tellList(`${who} sent quorum node list.`, [`msg seq num = ${m.seq}`, `quorate = ${m.quorate ? 1 : 0}`], nodes);
      client.quorumList = nodes;
      this.answer(client, m, algorithm.quorumNodeList(port, client), { ...reply, ring: client.ring });
    } else {
      const initial = listType === "initial config";
      const version = m.configVersion === undefined ? [] : [`config version = ${m.configVersion}`];
      this.tellList(`${who} sent ${initial ? "initial" : "changed"} node list.`, [`msg seq num = ${m.seq}`, ...version], nodes);
      const result = algorithm.configNodeList(port, client, nodes, initial);
      client.config = nodes;
      client.configVersion = m.configVersion;
      this.answer(client, m, result, { ...reply, ring: client.ring });
    }
  }

  private tellList(first: string, lines: readonly string[], nodes: readonly NodeInfo[]): void {
    this.debug(first);
    for (const line of lines) this.debug(`  ${line}`);
    this.dumpNodes(nodes);
  }

  private dumpNodes(nodes: readonly NodeInfo[]): void {
    for (const line of nodeListLines(nodes)) this.debug(line);
  }

  private algorithmPort(cluster: QnetdCluster): AlgorithmPort {
    return {
      cluster,
      clients: this.members(cluster),
      log: (level, text) => {
        if (level === "debug") {
          if (this.settings.debug) this.port.log("debug", text());
        } else this.port.log(level, text());
      },
      dumpNodes: (nodes) => this.dumpNodes(nodes),
      sendVoteInfo: (client, ring, vote) => {
        this.debug(`Sending vote info to client ${client.address} (cluster ${cluster.name}, node_id ${client.nodeId}) `);
        this.debug(`  msg seq num = ${client.voteInfoSeq}`);
        this.debug(`  vote = ${vote}`);
        this.send(client, { type: MSG.voteInfo, seq: client.voteInfoSeq, ring, vote });
      },
      schedule: (client) =>
        this.port.setTimer(`algorithm/${client.id}`, this.port.now() + Math.floor(client.heartbeatMs / ALGORITHM_TIMER_PART) * MS),
      abort: (client) => this.port.clearTimer(`algorithm/${client.id}`),
      decided: (winners) => {
        cluster.decided = { at: this.port.now(), winners: [...winners].sort((a, b) => a - b) };
      },
    };
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    return cloneState(this.state);
  }

  restore(state: unknown): void {
    this.state = cloneState(state as QnetdState);
  }

  digest(h: Hasher): void {
    digestQnetd(h, this.state);
  }
}

/** How both daemons print a node list at debug level. */
export function nodeListLines(nodes: readonly NodeInfo[]): string[] {
  return [
    "  Node list:",
    ...nodes.map((n, i) => `    ${i} node_id = ${n.nodeId}, data_center_id = ${n.dataCenterId}, node_state = ${n.state}`),
  ];
}
