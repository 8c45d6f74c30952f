/**
 * The last-man-standing algorithm of corosync-qnetd: the partition that is best by heuristics, size and tie breaker gets the votes; where only one partition is to
 * be seen it gets them whoever is in it. In the real stack: qnetd-algo-lms.c and qnetd-algo-utils.c. As there, the client that speaks counts in the
 * partition it was in before, since its record is renewed after the algorithm has run (recorded: "partition (1.9) has 1 nodes" while 1.d is being told).
 */
import type { RingId } from "../../totem/types.ts";
import { ringIdText } from "../../totem/types.ts";
import { has, pointerOf, REPLY, sameRing, type AlgorithmPort, type QnetdAlgorithm, type QnetdClient, type Result } from "./qnetd-types.ts";

interface Partition {
  readonly ring: RingId;
  nodes: number;
  score: number;
}

const paren = (ring: RingId): string => `(${ringIdText(ring)})`;
const about = (c: QnetdClient): string => `Client ${pointerOf(c.id)} (cluster ${c.clusterName}, node_id ${c.nodeId})`;

/** False while somebody whom the client counted as member, or who counts the client as one, tells another ring. */
function ringsMatch(port: AlgorithmPort, client: QnetdClient, ring: RingId): boolean {
  for (const other of port.clients) {
    if (other === client) continue;
    port.log(
      "debug",
      () => `algo-util: all_ring_ids_match: seen nodeid ${other.nodeId} (client ${pointerOf(other.id)}) ring_id ${paren(other.ring)}`,
    );
    const ours = has(client.membership, other.nodeId) || has(other.membership, client.nodeId);
    if (!ours || sameRing(other.ring, ring)) continue;
    port.log(
      "debug",
      () => `algo-util: nodeid ${other.nodeId} in our partition has different ring_id ${paren(other.ring)} to us ${paren(ring)}`,
    );
    return false;
  }
  return true;
}

function partitionsOf(port: AlgorithmPort): Partition[] {
  const found: Partition[] = [];
  for (const c of port.clients) {
    if (c.ring.seq === 0) continue;
    let p = found.find((x) => sameRing(x.ring, c.ring));
    if (p === undefined) found.push((p = { ring: c.ring, nodes: 0, score: 0 }));
    p.nodes++;
    p.score += 1 + (c.heuristics.last === "Pass" ? 1 : c.heuristics.last === "Fail" ? -1 : 0);
  }
  for (const p of found) port.log("debug", () => `algo-util: partition ${paren(p.ring)} (${pointerOf(p.nodes)}) has ${p.nodes} nodes`);
  return found;
}

/** The first of those with the highest value, and whether it is alone there. */
function leader(list: readonly Partition[], value: (p: Partition) => number): { first: Partition; alone: boolean } {
  const first = list.reduce((a, b) => (value(b) > value(a) ? b : a));
  return { first, alone: list.filter((p) => value(p) === value(first)).length === 1 };
}

function byTieBreaker(port: AlgorithmPort, client: QnetdClient, ring: RingId): boolean {
  const { mode, nodeId } = client.tieBreaker;
  const ids = port.clients.map((c) => c.nodeId);
  const id = mode === "node-id" ? nodeId : ids.reduce((a, b) => (mode === "lowest" ? Math.min(a, b) : Math.max(a, b)), client.nodeId);
  const word = { lowest: "low", highest: "high", "node-id": "nominated" }[mode];
  const tb = port.clients.find((c) => c.nodeId === id)?.ring ?? { rep: 0, seq: 0 };
  port.log("debug", () => `algo-lms: Looking for ${word} node ID. found ${id} ${paren(tb)}`);
  const same = client.nodeId === id || sameRing(tb, ring);
  const where = same ? "We are in" : "We are NOT in";
  port.log("debug", () => `algo-lms: ${where} the same partition ${paren(tb)} as tie-breaker node id ${id}. ${same ? "ACK" : "NACK"}`);
  return same;
}

/** Two partitions or more: does the client's get the votes? */
function choose(port: AlgorithmPort, client: QnetdClient, ring: RingId, list: readonly Partition[]): boolean {
  const verdict = (yes: boolean, what: string): boolean => {
    port.log("debug", () => `algo-lms: We are ${yes ? "" : "NOT "}in the ${what} partition. ${yes ? "ACK" : "NACK"}`);
    return yes;
  };
  const best = leader(list, (p) => p.score);
  port.log("debug", () => `algo-lms: best score partition is ${paren(best.first.ring)} with score ${best.first.score}`);
  if (best.alone) return verdict(sameRing(best.first.ring, ring), "best score");
  const largest = leader(list, (p) => p.nodes);
  port.log("debug", () => `algo-lms: largest partition is ${paren(largest.first.ring)} with ${largest.first.nodes} nodes`);
  if (largest.alone) return verdict(sameRing(largest.first.ring, ring), "largest");
  return byTieBreaker(port, client, ring);
}

function decide(port: AlgorithmPort, client: QnetdClient, ring: RingId): Result {
  port.abort(client);
  if (!ringsMatch(port, client, ring)) {
    port.log("debug", () => `algo-lms: nodeid ${client.nodeId}: ring ID ${paren(ring)} not unique in this membership, waiting`);
    port.schedule(client);
    return (client.lmsResult = "Wait for reply");
  }
  const list = partitionsOf(port);
  if (list.length === 0) {
    port.log("debug", () => "algo-lms: No partitions found");
    return REPLY.internal;
  }
  if (list.length === 1) {
    port.log("debug", () => "algo-lms: Only 1 partition. This is votequorum's problem, not ours");
    return give(port, client, ring, true);
  }
  const stealing = port.clients.some((c) => !sameRing(c.ring, ring) && c.lmsResult === "ACK");
  if (client.lmsResult === undefined && stealing) {
    // Not remembered: it has not voted yet.
    port.log("debug", () => "algo-lms: we are a new partition and another active partition exists. NACK");
    return "NACK";
  }
  return give(port, client, ring, choose(port, client, ring, list));
}

function give(port: AlgorithmPort, client: QnetdClient, ring: RingId, yes: boolean): Result {
  if (yes) port.decided(port.clients.filter((c) => c === client || sameRing(c.ring, ring)).map((c) => c.nodeId));
  return (client.lmsResult = yes ? "ACK" : "NACK");
}

export const lms: QnetdAlgorithm = {
  configNodeList: (port, client, nodes) => {
    port.log("debug", () => `algo-lms: cluster ${client.clusterName} config_list has ${nodes.length} nodes`);
    return "No change";
  },
  membershipNodeList: (port, client, _nodes, ring) => {
    port.log("debug", () => " ");
    port.log("debug", () => `algo-lms: membership list from node ${client.nodeId} partition ${paren(ring)}`);
    return decide(port, client, ring);
  },
  quorumNodeList: (port, client) => {
    port.log("debug", () => " ");
    port.log("debug", () => `algo-lms: quorum node list from node ${client.nodeId} partition ${paren(client.ring)}`);
    return decide(port, client, client.ring);
  },
  disconnect: (port, client) => {
    port.log("debug", () => `algo-lms: ${about(client)} disconnect`);
    port.log("info", () => "algo-lms:   server going down 0");
    port.abort(client);
  },
  askForVote: (port, client) => {
    port.log("debug", () => `algo-lms: ${about(client)} asked for a vote`);
    return decide(port, client, client.ring);
  },
  voteInfoReply: (port, client) => port.log("debug", () => `algo-lms: ${about(client)} replied back to vote info message`),
  heuristicsChange: (port) => {
    port.log("debug", () => "algo-lms: heuristics change is not supported.");
    return REPLY.unsupportedAlgorithmMessage;
  },
  timer: (port, client) => {
    port.log("debug", () => `algo-lms: ${about(client)} Timer callback`);
    return decide(port, client, client.ring);
  },
};
