/**
 * What a client of the server says, message by message: what is wrong with it, what it changes, and what is answered. In the real stack: qnetd-client-msg-received.c. Left out:
 * TLS itself.
 */
import { ringIdText } from "../../totem/types.ts";
import { ALGORITHM, type QnetdInstance } from "./qnetd-instance.ts";
import { initTrouble, missingInit } from "./qnetd-init.ts";
import { REPLY, pointerOf, type QnetdClient, type QnetdCluster, type Result } from "./qnetd-types.ts";
import {
  ALGORITHMS,
  BadMessage,
  MESSAGE_BYTES_MAX,
  MESSAGE_TYPES,
  MSG,
  OPTION_TYPES,
  decodeMessage,
  type Message,
  type NodeInfo,
} from "../tlv.ts";

export class ClientMessages {
  constructor(private readonly q: QnetdInstance) {}

  /** One whole message. */
  take(client: QnetdClient, bytes: Uint8Array): void {
    let m: Message;
    try {
      m = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.q.port.log("warning", "Received message with option with invalid value");
      this.q.error(client, undefined, REPLY.decoding);
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
    this.q.port.log("error", text);
    this.q.error(client, m.seq, code);
  }

  private onPreinit(client: QnetdClient, m: Message): void {
    if (m.clusterName === undefined || m.clusterName === "") {
      this.refuse(client, m, REPLY.missingOption, "Received preinit message without cluster name. Sending error reply.");
      return;
    }
    client.preinit = true;
    client.clusterName = m.clusterName;
    const tlsSupported = { off: 0, on: 1, required: 2 }[this.q.settings.tls];
    const reply = { type: MSG.preinitReply, tlsSupported, tlsClientCertRequired: this.q.settings.clientCertRequired };
    this.q.send(client, m.seq === undefined ? reply : { ...reply, seq: m.seq });
  }

  private onInit(client: QnetdClient, m: Message): void {
    if (!client.preinit) {
      this.refuse(client, m, REPLY.preinitRequired, "Received init before preinit message. Sending error reply.");
      return;
    }
    if (this.q.settings.tls === "required" && !client.tls) {
      this.refuse(client, m, REPLY.tlsRequired, "TLS is required but doesn't started yet. Sending back error message");
      return;
    }
    const missing = missingInit(m);
    if (missing !== undefined) {
      this.refuse(client, m, REPLY.missingOption, missing);
      return;
    }
    const others = this.q.state.clients.filter((c) => c !== client && c.init && c.clusterName === client.clusterName);
    const trouble = initTrouble(m, others);
    if (trouble !== undefined) {
      this.q.port.log("error", trouble.text);
      this.q.send(client, { type: MSG.initReply, ...(m.seq === undefined ? {} : { seq: m.seq }), replyErrorCode: trouble.code });
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
    let cluster = this.q.clusterOf(client);
    if (cluster === undefined) {
      cluster = { name: client.clusterName, ffsplit: "change", winners: [], decided: undefined };
      this.q.state.clusters.push(cluster);
    }
    this.q.heard(client);
    this.tellNew(client, cluster);
    if (client.algorithm === "test") {
      this.q.port.log(
        "info",
        `algo-test: Client ${client.address} (cluster = '${client.clusterName}', node_id = ${client.nodeId}) initiated test algorithm. It's not recommended to use test algorithm because it can create multiple quorate partitions!`,
      );
    }
    this.q.send(client, {
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
    this.q.debug("New client connected");
    this.q.debug(`  cluster name = ${client.clusterName}`);
    this.q.debug(`  tls started = ${client.tls ? 1 : 0}`);
    this.q.debug(`  tls peer certificate verified = ${client.tls ? 1 : 0}`);
    this.q.debug(`  node_id = ${client.nodeId}`);
    this.q.debug(`  pointer = ${pointerOf(client.id)}`);
    this.q.debug(`  addr_str = ${client.address}`);
    this.q.debug(`  ring id = (${ringIdText(client.ring)})`);
    this.q.debug("  cluster dump:");
    for (const c of this.q.members(cluster)) this.q.debug(`    client = ${c.address}, node_id = ${c.nodeId}`);
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
    const cluster = this.q.clusterOf(client);
    if (name === undefined) {
      this.refuse(client, m, REPLY.unsupportedMessage, `Unsupported message ${m.type} received from client. Sending back error message`);
    } else if (!client.init || cluster === undefined) {
      this.refuse(client, m, REPLY.initRequired, `Received ${name} before init message. Sending error reply.`);
    } else if (m.type === MSG.setOption) this.onSetOption(client, m);
    else if (m.type === MSG.echoRequest) this.q.send(client, { ...m, type: MSG.echoReply });
    else if (m.seq === undefined) {
      this.refuse(client, m, REPLY.missingOption, `Received ${name} without seq number set. Sending error reply.`);
    } else this.asked(client, cluster, { ...m, seq: m.seq });
  }

  private asked(client: QnetdClient, cluster: QnetdCluster, m: Message & { seq: number }): void {
    const who = `Client ${client.address} (cluster ${client.clusterName}, node_id ${client.nodeId})`;
    const algorithm = ALGORITHM[client.algorithm];
    const port = this.q.algorithmPort(cluster);
    if (m.type === MSG.nodeList) this.onNodeList(client, cluster, m, who);
    else if (m.type === MSG.askForVote) {
      this.q.debug(`${who} asked for a vote`);
      this.q.debug(`  msg seq num = ${m.seq}`);
      this.answer(client, m, algorithm.askForVote(port, client), { type: MSG.askForVoteReply, ring: client.ring });
    } else if (m.type === MSG.voteInfoReply) {
      this.q.debug(`${who} replied back to vote info message`);
      this.q.debug(`  msg seq num = ${m.seq}`);
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
    this.q.debug(`${who} sent heuristics change`);
    this.q.debug(`  msg seq num = ${m.seq}`);
    this.q.debug(`  heuristics = ${heuristics}`);
    const result = ALGORITHM[client.algorithm].heuristicsChange(this.q.algorithmPort(cluster), client, heuristics);
    client.heuristics.regular = client.heuristics.last = heuristics;
    this.answer(client, m, result, { type: MSG.heuristicsChangeReply, ring: client.ring, heuristics });
  }

  private onSetOption(client: QnetdClient, m: Message): void {
    if (m.heartbeatMs !== undefined) client.heartbeatMs = m.heartbeatMs;
    if (m.keepActivePartition !== undefined) client.keepActive = m.keepActivePartition;
    this.q.heard(client);
    this.q.send(client, { ...m, type: MSG.setOptionReply });
  }

  /** The vote that the algorithm gave goes into the reply; an error ends the talk. */
  private answer(client: QnetdClient, m: Message & { seq: number }, result: Result, reply: Message): void {
    if (typeof result === "number") {
      this.refuse(client, m, result, "Algorithm returned error code. Sending error reply.");
      return;
    }
    this.q.debug(`Algorithm result vote is ${result}`);
    this.q.send(client, { ...reply, seq: m.seq, vote: result });
  }

  private onNodeList(client: QnetdClient, cluster: QnetdCluster, m: Message & { seq: number }, who: string): void {
    const nodes = m.nodes ?? [];
    const port = this.q.algorithmPort(cluster);
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
    this.q.debug(first);
    for (const line of lines) this.q.debug(`  ${line}`);
    this.q.dumpNodes(nodes);
  }
}
