/** How a client begins with corosync-qnetd: its empty record, and what an init message must say. In the real stack: the checks of qnetd_client_msg_received_init. */
import { REPLY, type QnetdClient } from "./qnetd-types.ts";
import { ALGORITHMS, type Message } from "../tlv.ts";

/** Heartbeat intervals a server accepts, ms (heartbeat_interval_min, _max). */
const HEARTBEAT_MIN = 1000;
const HEARTBEAT_MAX = 120_000;

export function newClient(id: number, address: string): QnetdClient {
  return {
    id,
    address,
    stream: new Uint8Array(0),
    preinit: false,
    tls: false,
    init: false,
    clusterName: "",
    nodeId: 0,
    algorithm: "ffsplit",
    tieBreaker: { mode: "lowest", nodeId: 0 },
    keepActive: false,
    heartbeatMs: 0,
    ring: { rep: 0, seq: 0 },
    configVersion: undefined,
    config: [],
    membership: [],
    quorumList: [],
    heuristics: { membership: "Undefined", regular: "Undefined", last: "Undefined" },
    lastVote: undefined,
    lastAckNack: undefined,
    voteInfoSeq: 0,
    ffsplit: "waiting",
    lmsResult: undefined,
  };
}

/** What an init message lacks; undefined if it has all. */
export function missingInit(m: Message): string | undefined {
  if (m.nodeId === undefined) return "Received init message without node id set. Sending error reply.";
  if (m.ring === undefined) return "Received init message without ring id set. Sending error reply.";
  if (m.heartbeatMs === undefined) return "Received init message without heartbeat interval set. Sending error reply.";
  if (m.tieBreaker === undefined) return "Received init message without tie-breaker set. Sending error reply.";
  return m.algorithm === undefined ? "Received init message without decision algorithm. Sending error reply." : undefined;
}

/** Why a whole init message is refused; undefined if it is not. `others`: clients of the same cluster. */
export function initTrouble(m: Message, others: readonly QnetdClient[]): { code: number; text: string } | undefined {
  const heartbeat = m.heartbeatMs ?? 0;
  if (heartbeat < HEARTBEAT_MIN || heartbeat > HEARTBEAT_MAX)
    return { code: REPLY.invalidHeartbeat, text: `Client requested invalid heartbeat interval ${heartbeat}. Sending error reply.` };
  const algorithm = ALGORITHMS[m.algorithm ?? -1];
  if (algorithm === undefined) {
    const text = `Client requested unsupported decision algorithm ${m.algorithm ?? 0}. Sending error reply.`;
    return { code: REPLY.unsupportedAlgorithm, text };
  }
  if (others.some((c) => c.tieBreaker.mode !== m.tieBreaker?.mode || c.tieBreaker.nodeId !== m.tieBreaker.nodeId)) {
    const text = "Received init message contains tie-breaker which differs from rest of cluster. Sending error reply";
    return { code: REPLY.tieBreakerDiffers, text };
  }
  if (others.some((c) => c.algorithm !== algorithm)) {
    const text = "Received init message contains algorithm which differs from rest of cluster. Sending error reply";
    return { code: REPLY.algorithmDiffers, text };
  }
  if (others.some((c) => c.nodeId === m.nodeId)) {
    const text = "Received init message contains node id which is duplicate of other node in cluster. Sending error reply";
    return { code: REPLY.duplicateNodeId, text };
  }
  return undefined;
}
