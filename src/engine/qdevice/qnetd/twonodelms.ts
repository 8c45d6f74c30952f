/**
 * Two algorithms of corosync-qnetd that its manual calls developers' own: `2nodelms`, last man standing for exactly two nodes, and `test`, which says yes to everybody.
 * In the real stack: qnetd-algo-2nodelms.c and qnetd-algo-test.c. Source: corosync-qdevice(8) and the daemon's texts. Left out: nothing.
 */
import { ringIdText } from "../../totem/types.ts";
import { pointerOf, REPLY, sameRing, type AlgorithmPort, type QnetdAlgorithm, type QnetdClient, type Result } from "./qnetd-types.ts";
import type { NodeInfo } from "../tlv.ts";
import type { RingId } from "../../totem/types.ts";

function note(port: AlgorithmPort, text: string): void {
  port.log("debug", () => `algo-2nodelms: ${text}`);
}

function remember(port: AlgorithmPort, client: QnetdClient, yes: boolean, members: readonly number[]): Result {
  if (yes) port.decided(members);
  return (client.lmsResult = yes ? "ACK" : "NACK");
}

/** Both run, and neither sees the other. */
function apart(port: AlgorithmPort, client: QnetdClient): Result {
  const ids = port.clients.map((c) => c.nodeId);
  const { mode, nodeId } = client.tieBreaker;
  const id = mode === "node-id" ? nodeId : mode === "lowest" ? Math.min(...ids) : Math.max(...ids);
  const word = { lowest: "low", highest: "high", "node-id": "nominated tie-breaker" }[mode];
  const cluster = client.clusterName;
  if (client.nodeId === id) {
    note(
      port,
      mode === "node-id"
        ? `cluster ${cluster} running on nominated tie-breaker node ${id}`
        : `cluster ${cluster} running on ${word} node-id ${id}`,
    );
    return remember(port, client, true, [id]);
  }
  note(
    port,
    `cluster ${cluster} node-id ${client.nodeId} denied vote because ${mode === "node-id" ? "nominated tie-breaker" : word} nodeid ${id} is active`,
  );
  return remember(port, client, false, []);
}

function membership(port: AlgorithmPort, client: QnetdClient, nodes: readonly NodeInfo[], ring: RingId): Result {
  const cluster = client.clusterName;
  const stealing = port.clients.some((c) => !sameRing(c.ring, ring) && c.lmsResult === "ACK");
  if (client.lmsResult === undefined && stealing) {
    note(port, "we are a new partition and another active partition exists. NACK");
    return remember(port, client, false, []);
  }
  note(
    port,
    `cluster ${cluster} (client ${pointerOf(client.id)} nodeid ${client.nodeId}) membership list has ${nodes.length} member nodes (ring ID ${ringIdText(ring)})`,
  );
  if (nodes.length === 2) {
    note(port, `cluster ${cluster} running normally. Both nodes active`);
    return remember(
      port,
      client,
      true,
      nodes.map((n) => n.nodeId),
    );
  }
  for (const c of port.clients) note(port, `seen nodeid ${c.nodeId} on client ${pointerOf(c.id)} (ring ID ${ringIdText(c.ring)})`);
  const others = port.clients.filter((c) => c !== client && !sameRing(c.ring, ring));
  if (others.length === 0) {
    note(port, `cluster ${cluster} running on 'last-man'`);
    return remember(port, client, true, [client.nodeId]);
  }
  note(port, `cluster ${cluster} ${others.length + 1} nodes running independently`);
  return apart(port, client);
}

export const twoNodeLms: QnetdAlgorithm = {
  configNodeList: (port, client, nodes) => {
    note(port, `cluster ${client.clusterName} config_list has ${nodes.length} nodes`);
    if (nodes.length === 2) return "No change";
    port.log("info", () => `algo-2nodelms: cluster ${client.clusterName} does not have 2 configured nodes, it has ${nodes.length}`);
    return REPLY.unsupportedAlgorithm;
  },
  membershipNodeList: membership,
  quorumNodeList: () => "No change",
  disconnect: (port, client) => {
    note(port, `Client ${pointerOf(client.id)} (cluster ${client.clusterName}, node_id ${client.nodeId}) disconnect`);
    port.log("info", () => "algo-2nodelms:   server going down 0");
  },
  askForVote: (port, client) => {
    note(port, `Client ${pointerOf(client.id)} (cluster ${client.clusterName}, node_id ${client.nodeId}) asked for a vote`);
    return membership(port, client, client.membership, client.ring);
  },
  voteInfoReply: (port, client) =>
    note(
      port,
      `Client ${pointerOf(client.id)} (cluster ${client.clusterName}, node_id ${client.nodeId}) replied back to vote info message`,
    ),
  heuristicsChange: (port) => {
    note(port, "heuristics change is not supported.");
    return REPLY.unsupportedAlgorithmMessage;
  },
  timer: () => "No change",
};

function heard(port: AlgorithmPort, what: string): void {
  port.log("debug", () => `algo-test: ${what}`);
}

export const test: QnetdAlgorithm = {
  configNodeList: (port) => (heard(port, "node_list_received"), "No change"),
  membershipNodeList: (port, _client, nodes) => {
    heard(port, "membership_node_list_received");
    port.decided(nodes.map((n) => n.nodeId));
    return "ACK";
  },
  quorumNodeList: (port) => (heard(port, "quorum_node_list_received"), "No change"),
  disconnect: (port) => heard(port, "client_disconnect"),
  askForVote: (port) => (heard(port, "ask_for_vote_received"), "ACK"),
  voteInfoReply: (port) => heard(port, "vote_info_reply_received"),
  heuristicsChange: (port) => (heard(port, "heuristics_change_received"), "No change"),
  timer: () => "No change",
};
