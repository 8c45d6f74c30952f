/**
 * What the parts of the server have of each other: clients and clusters, ways to send and to log, and what an algorithm may do for a cluster. In the real stack: struct
 * qnetd_instance, qnetd-client-send.c and the calls that qnetd-algorithm.h gives. Left out: the limit of clients.
 */
import { MS, type Instant, type LogLevel, type TcpPort } from "../../kernel/index.ts";
import type { QnetdState } from "./qnetd-digest.ts";
import { ffsplit } from "./ffsplit.ts";
import { lms } from "./lms.ts";
import type { AlgorithmPort, QnetdAlgorithm, QnetdClient, QnetdCluster } from "./qnetd-types.ts";
import { MSG, encodeMessage, nodeListLines, type Algorithm, type Message, type NodeInfo } from "../tlv.ts";
import { test, twoNodeLms } from "./twonodelms.ts";

/** dpd_interval_coefficient. */
export const DPD_COEFFICIENT = 1.5;
/** An algorithm's timer runs for this part of the client's heartbeat interval (observed with 8 s and 16 s). */
const ALGORITHM_TIMER_PART = 4;

export const ALGORITHM: Record<Algorithm, QnetdAlgorithm> = { ffsplit, lms, "2nodelms": twoNodeLms, test };

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

export class QnetdInstance {
  state: QnetdState = { clients: [], clusters: [] };

  constructor(
    readonly port: QnetdPort,
    readonly settings: QnetdSettings,
  ) {}

  debug(text: string): void {
    if (this.settings.debug) this.port.log("debug", text);
  }

  members(cluster: QnetdCluster): QnetdClient[] {
    return this.state.clients.filter((c) => c.init && c.clusterName === cluster.name).sort((a, b) => a.nodeId - b.nodeId);
  }

  clusterOf(client: QnetdClient): QnetdCluster | undefined {
    return this.state.clusters.find((c) => c.name === client.clusterName);
  }

  /** Dead peer detection counts from the last message. */
  heard(client: QnetdClient): void {
    if (client.init) this.port.setTimer(`dpd/${client.id}`, this.port.now() + Math.floor(client.heartbeatMs * DPD_COEFFICIENT) * MS);
  }

  send(client: QnetdClient, message: Message): void {
    if (message.vote !== undefined) {
      client.lastVote = message.vote;
      if (message.vote === "ACK" || message.vote === "NACK") client.lastAckNack = message.vote;
    }
    // A client whose buffer is full reads nothing any more: dead peer detection will drop it.
    this.port.tcp.send(client.id, encodeMessage(message));
  }

  error(client: QnetdClient, seq: number | undefined, code: number): void {
    this.send(client, { type: MSG.serverError, ...(seq === undefined ? {} : { seq }), replyErrorCode: code });
  }

  dumpNodes(nodes: readonly NodeInfo[]): void {
    for (const line of nodeListLines(nodes)) this.debug(line);
  }

  algorithmPort(cluster: QnetdCluster): AlgorithmPort {
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
}
