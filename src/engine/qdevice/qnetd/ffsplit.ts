/**
 * The fifty-fifty split algorithm of corosync-qnetd: one partition of an even cluster gets the vote. It waits until what the connected clients tell fits
 * together, chooses, takes the vote from everybody else first and gives it when they have all confirmed. In the real stack: qnetd-algo-ffsplit.c.
 * Source of the order of criteria: corosync-qdevice(8), the recorded runs, and runs with six nodes for the keep-active rule. Left out: nothing.
 */
import type { RingId } from "../../totem/types.ts";
import { has, REPLY, sameRing, type AlgorithmPort, type QnetdAlgorithm, type QnetdClient, type Result } from "./qnetd-types.ts";
import type { Heuristics, NodeInfo } from "../tlv.ts";

/** What one client is held to say now; for the one that just spoke it is not in its record yet. */
interface View {
  readonly client: QnetdClient;
  readonly config: readonly NodeInfo[];
  readonly membership: readonly NodeInfo[];
  readonly ring: RingId;
  readonly heuristics: Heuristics;
}

interface Change {
  readonly client: QnetdClient;
  readonly leaving?: boolean;
  readonly config?: readonly NodeInfo[];
  readonly membership?: readonly NodeInfo[];
  readonly ring?: RingId;
  readonly heuristics?: Heuristics;
}

function views(port: AlgorithmPort, change: Change): View[] {
  return port.clients
    .filter((c) => !(c === change.client && change.leaving === true))
    .map((client) => {
      const news: Partial<Change> = client === change.client ? change : {};
      return {
        client,
        config: news.config ?? client.config,
        membership: news.membership ?? client.membership,
        ring: news.ring ?? client.ring,
        heuristics: news.heuristics ?? client.heuristics.last,
      };
    });
}

const sameNodes = (a: readonly NodeInfo[], b: readonly NodeInfo[]): boolean =>
  a.every((n) => has(b, n.nodeId)) && b.every((n) => has(a, n.nodeId));

/** All tell the same configured nodes, and whom a client counts as member tells the same ring and the same members. */
export function isStable(list: readonly View[]): boolean {
  for (const a of list) {
    for (const b of list) {
      if (a === b) continue;
      if (!sameNodes(a.config, b.config)) return false;
      if (!has(a.membership, b.client.nodeId)) continue;
      if (!sameRing(a.ring, b.ring) || !sameNodes(a.membership, b.membership)) return false;
    }
  }
  return true;
}

/** Clients of a partition and their score: connected, one more for passed heuristics, one less for failed. */
function strength(list: readonly View[], partition: readonly NodeInfo[]): { active: number; score: number } {
  const mine = list.filter((v) => has(partition, v.client.nodeId));
  const score = mine.reduce((sum, v) => sum + 1 + (v.heuristics === "Pass" ? 1 : v.heuristics === "Fail" ? -1 : 0), 0);
  return { active: mine.length, score };
}

function preferred(client: QnetdClient, config: readonly NodeInfo[], partition: readonly NodeInfo[]): boolean {
  const ids = config.map((n) => n.nodeId);
  const { mode, nodeId } = client.tieBreaker;
  if (mode === "node-id") return has(partition, nodeId);
  const breaker = ids.reduce((a, b) => (mode === "lowest" ? Math.min(a, b) : Math.max(a, b)), ids[0] ?? 0);
  return has(partition, breaker);
}

/** Whether `a` is to have the vote rather than `b`. Both may be exactly half of the configured nodes. */
function better(port: AlgorithmPort, change: Change, list: readonly View[], a: readonly NodeInfo[], b: readonly NodeInfo[]): boolean {
  const config = change.config ?? change.client.config;
  if (a.length * 2 > config.length) return true;
  if (a.length * 2 < config.length) return false;
  if (b.length === 0) return true;
  const [x, y] = [strength(list, a), strength(list, b)];
  if (x.score !== y.score) return x.score > y.score;
  if (x.active !== y.active) return x.active > y.active;
  if (change.client.keepActive) {
    // A half that holds anybody of the last winner; where both do, it decides nothing (seen with six nodes: 1-3 against 4-6 after 1-4 had won).
    const kept = (p: readonly NodeInfo[]): boolean => port.cluster.winners.some((id) => has(p, id));
    if (kept(a) !== kept(b)) return kept(a);
  }
  return preferred(change.client, config, a);
}

export function selectPartition(port: AlgorithmPort, change: Change, list: readonly View[]): readonly NodeInfo[] {
  let best: readonly NodeInfo[] = [];
  for (const view of list) {
    if (best !== view.membership && !sameNodes(best, view.membership) && better(port, change, list, view.membership, best))
      best = view.membership;
  }
  return best;
}

function sendVotes(port: AlgorithmPort, change: Change, state: "nack" | "ack"): number {
  let sent = 0;
  for (const { client, ring } of views(port, change)) {
    if (client.ffsplit !== state) continue;
    port.sendVoteInfo(client, ring, state === "ack" ? "ACK" : "NACK");
    sent++;
  }
  return sent;
}

function sendAcks(port: AlgorithmPort, change: Change): void {
  port.cluster.ffsplit = "acks";
  if (sendVotes(port, change, "ack") > 0) return;
  port.log("debug", () => "ffsplit: No client gets ACK");
  port.cluster.ffsplit = "change";
}

function decide(port: AlgorithmPort, change: Change): Result {
  const { cluster } = port;
  cluster.ffsplit = "stable-membership";
  const list = views(port, change);
  if (!isStable(list)) {
    port.log("debug", () => `ffsplit: Membership for cluster ${cluster.name} is not yet stable`);
    return "Wait for reply";
  }
  port.log("debug", () => `ffsplit: Membership for cluster ${cluster.name} is now stable`);
  const winner = selectPartition(port, change, list);
  if (winner.length === 0) port.log("debug", () => "ffsplit: No quorate partition was selected");
  else {
    port.log("debug", () => "ffsplit: Quorate partition selected");
    port.dumpNodes(winner);
  }
  cluster.winners = winner.map((n) => n.nodeId);
  port.decided(cluster.winners);
  for (const { client } of list) {
    client.ffsplit = has(winner, client.nodeId) ? "ack" : "nack";
    // From here on a reply to an earlier vote is an old one.
    client.voteInfoSeq++;
  }
  cluster.ffsplit = "nacks";
  if (sendVotes(port, change, "nack") === 0) {
    port.log("debug", () => "ffsplit: No client gets NACK");
    sendAcks(port, change);
  }
  return "No change";
}

function confirmed(port: AlgorithmPort, client: QnetdClient, seq: number): void {
  const { cluster } = port;
  if (client.voteInfoSeq !== seq) {
    port.log("debug", () => `ffsplit: Received old vote info reply from client ${client.address}`);
    return;
  }
  // The vote a client has confirmed is not waited for again; who else still waits decides what comes next.
  const was = client.ffsplit;
  client.ffsplit = "waiting";
  if (cluster.ffsplit === "nacks") {
    if (port.clients.some((c) => c.ffsplit === "nack")) return;
    port.log("debug", () => `ffsplit: All NACK votes sent for cluster ${cluster.name}`);
    sendAcks(port, { client });
  } else if (cluster.ffsplit === "acks" && was === "ack") {
    if (port.clients.some((c) => c.ffsplit === "ack")) return;
    port.log("debug", () => `ffsplit: All ACK votes sent for cluster ${cluster.name}`);
    cluster.ffsplit = "change";
  }
}

export const ffsplit: QnetdAlgorithm = {
  configNodeList: (port, client, nodes, initial) => {
    if (nodes.length === 0) {
      port.log("error", () => `ffsplit: Received empty config node list for client ${client.address}`);
      return REPLY.invalidConfigNodeList;
    }
    if (!has(nodes, client.nodeId)) {
      port.log("error", () => `ffsplit: Received config node list without client ${client.address}`);
      return REPLY.invalidConfigNodeList;
    }
    // The membership follows at once.
    if (initial || client.membership.length === 0) return "Ask later";
    return decide(port, { client, config: nodes });
  },
  membershipNodeList: (port, client, nodes, ring, heuristics) => {
    if (nodes.length === 0) {
      port.log("error", () => `ffsplit: Received empty membership node list for client ${client.address}`);
      return REPLY.invalidMembershipNodeList;
    }
    if (!has(nodes, client.nodeId)) {
      port.log("error", () => `ffsplit: Received membership node list without client ${client.address}`);
      return REPLY.invalidMembershipNodeList;
    }
    if (client.config.length === 0) return "Ask later";
    return decide(port, { client, membership: nodes, ring, heuristics });
  },
  quorumNodeList: () => "No change",
  disconnect: (port, client) => void decide(port, { client, leaving: true }),
  askForVote: () => REPLY.unsupportedAlgorithmMessage,
  voteInfoReply: confirmed,
  heuristicsChange: (port, client, heuristics) =>
    client.config.length === 0 || client.membership.length === 0 ? "Ask later" : decide(port, { client, heuristics }),
  timer: () => "No change",
};
