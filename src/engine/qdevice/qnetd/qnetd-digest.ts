/** The whole state of a corosync-qnetd mixed into a digest: every number and flag of every client and cluster. */
import type { Hasher } from "../../kernel/index.ts";
import type { QnetdClient, QnetdCluster } from "./qnetd-types.ts";
import type { NodeInfo } from "../tlv.ts";

export interface QnetdState {
  /** In the order of their connecting. */
  clients: QnetdClient[];
  clusters: QnetdCluster[];
}

function mixNodes(h: Hasher, nodes: readonly NodeInfo[]): void {
  h.int(nodes.length);
  for (const n of nodes) h.int(n.nodeId).int(n.dataCenterId).text(n.state);
}

function mixClient(h: Hasher, c: QnetdClient): void {
  h.int(c.id).text(c.address).bytes(c.stream).bool(c.preinit).bool(c.tls).bool(c.init).text(c.clusterName).int(c.nodeId);
  h.text(c.algorithm).text(c.tieBreaker.mode).int(c.tieBreaker.nodeId).bool(c.keepActive).int(c.heartbeatMs);
  h.int(c.ring.rep)
    .int(c.ring.seq)
    .int(c.configVersion ?? -1);
  for (const nodes of [c.config, c.membership, c.quorumList]) mixNodes(h, nodes);
  h.text(c.heuristics.membership).text(c.heuristics.regular).text(c.heuristics.last);
  h.text(c.lastVote ?? "")
    .text(c.lastAckNack ?? "")
    .int(c.voteInfoSeq)
    .text(c.ffsplit)
    .text(c.lmsResult ?? "");
}

export function digestQnetd(h: Hasher, state: QnetdState): void {
  h.int(state.clients.length).int(state.clusters.length);
  for (const c of state.clients) mixClient(h, c);
  for (const c of state.clusters) {
    h.text(c.name)
      .text(c.ffsplit)
      .int(c.winners.length)
      .int(c.decided?.at ?? -1);
    for (const id of c.winners) h.int(id);
    for (const id of c.decided?.winners ?? []) h.int(id);
  }
}
