/** The decision algorithms on situations made by hand: who gets the vote, and what a client is told that has to wait. */
import { describe, expect, test } from "vitest";
import { ffsplit, isStable } from "../../src/engine/qdevice/qnetd/ffsplit.ts";
import { lms } from "../../src/engine/qdevice/qnetd/lms.ts";
import { newClient } from "../../src/engine/qdevice/qnetd/qnetd-init.ts";
import type { AlgorithmPort, QnetdClient, QnetdCluster } from "../../src/engine/qdevice/qnetd/qnetd-types.ts";
import { decodeMessage, encodeMessage, MSG, type NodeInfo } from "../../src/engine/qdevice/tlv.ts";

const nodes = (ids: readonly number[]): NodeInfo[] => ids.map((nodeId) => ({ nodeId, dataCenterId: 0, state: "not set" }));

interface Situation {
  clients: QnetdClient[];
  port: AlgorithmPort;
  sent: string[];
}

/** Clients of one cluster: [node id, members, seq of the ring]. The ring's representative is the lowest member. */
function situation(config: readonly number[], told: readonly (readonly [number, readonly number[], number])[]): Situation {
  const clients = told.map(([nodeId, members, seq], i) => {
    const client = newClient(i + 1, `::ffff:10.0.0.${nodeId}:1`);
    const ring = { rep: Math.min(...members), seq };
    return Object.assign(client, { init: true, nodeId, clusterName: "lab", config: nodes(config), membership: nodes(members), ring });
  });
  const cluster: QnetdCluster = { name: "lab", ffsplit: "change", winners: [], decided: undefined };
  const sent: string[] = [];
  const port: AlgorithmPort = {
    cluster,
    clients,
    log: () => undefined,
    dumpNodes: () => undefined,
    sendVoteInfo: (client, _ring, vote) => void sent.push(`${client.nodeId} ${vote}`),
    schedule: (client) => void sent.push(`${client.nodeId} timer`),
    abort: () => undefined,
    decided: () => undefined,
  };
  return { clients, port, sent };
}

/** What the last client's membership list makes the algorithm do. */
function tell(s: Situation, algorithm: typeof ffsplit, nodeId: number): unknown {
  const client = s.clients.find((c) => c.nodeId === nodeId);
  if (client === undefined) throw new Error(`no client ${nodeId}`);
  return algorithm.membershipNodeList(s.port, client, client.membership, client.ring, "Undefined");
}

describe("ffsplit", () => {
  test("of two halves the one with the tie breaker's node gets the vote, after the other has lost it", () => {
    const s = situation(
      [1, 2, 3, 4],
      [
        [1, [1, 2], 9],
        [2, [1, 2], 9],
        [3, [3, 4], 9],
        [4, [3, 4], 9],
      ],
    );
    expect(tell(s, ffsplit, 3)).toBe("No change");
    expect(s.sent).toEqual(["3 NACK", "4 NACK"]);
    for (const c of s.clients.slice(2)) ffsplit.voteInfoReply(s.port, c, c.voteInfoSeq);
    expect(s.sent).toEqual(["3 NACK", "4 NACK", "1 ACK", "2 ACK"]);
  });

  test("more clients beat the tie breaker", () => {
    const s = situation(
      [1, 2, 3, 4],
      [
        [1, [1, 2], 9],
        [3, [3, 4], 9],
        [4, [3, 4], 9],
      ],
    );
    tell(s, ffsplit, 4);
    expect(s.sent).toEqual(["1 NACK"]);
  });

  test("the half with somebody of the last winner beats the tie breaker", () => {
    const s = situation(
      [1, 2, 3, 4],
      [
        [1, [1, 2], 9],
        [2, [1, 2], 9],
        [3, [3, 4], 9],
        [4, [3, 4], 9],
      ],
    );
    Object.assign(s.port.cluster, { winners: [3, 4] });
    for (const c of s.clients) c.keepActive = true;
    tell(s, ffsplit, 4);
    expect(s.sent).toEqual(["1 NACK", "2 NACK"]);
  });

  test("less than half never gets it, and nobody gets anything while what is told does not fit", () => {
    const few = situation(
      [1, 2, 3, 4, 5],
      [
        [1, [1, 2], 9],
        [2, [1, 2], 9],
      ],
    );
    tell(few, ffsplit, 1);
    expect(few.sent).toEqual(["1 NACK", "2 NACK"]);
    const torn = situation(
      [1, 2],
      [
        [1, [1, 2], 9],
        [2, [1, 2], 13],
      ],
    );
    expect(tell(torn, ffsplit, 2)).toBe("Wait for reply");
    expect(torn.sent).toEqual([]);
    expect(isStable([])).toBe(true);
  });
});

describe("lms", () => {
  test("the only partition gets the votes; of several the largest", () => {
    expect(tell(situation([1, 2, 3], [[1, [1], 9]]), lms, 1)).toBe("ACK");
    const s = situation(
      [1, 2, 3],
      [
        [1, [1], 9],
        [2, [2, 3], 9],
        [3, [2, 3], 9],
      ],
    );
    expect(tell(s, lms, 1)).toBe("NACK");
    expect(tell(s, lms, 2)).toBe("ACK");
  });

  test("equal ones are decided by the tie breaker, and a newcomer does not steal the votes", () => {
    const s = situation(
      [1, 2],
      [
        [1, [1], 9],
        [2, [2], 9],
      ],
    );
    expect(tell(s, lms, 1)).toBe("ACK");
    expect(tell(s, lms, 2)).toBe("NACK");
  });

  test("a member that tells another ring is waited for", () => {
    const s = situation(
      [1, 2],
      [
        [1, [1, 2], 9],
        [2, [1, 2], 13],
      ],
    );
    expect(tell(s, lms, 2)).toBe("Wait for reply");
    expect(s.sent).toEqual(["2 timer"]);
  });
});

test("a message is read as it was written", () => {
  const message = {
    type: MSG.nodeList,
    seq: 70_000,
    listType: "membership" as const,
    ring: { rep: 1, seq: 5_000_000_000 },
    nodes: [{ nodeId: 3, dataCenterId: 0, state: "member" as const }],
    heuristics: "Pass" as const,
  };
  const bytes = encodeMessage(message);
  expect([...bytes.subarray(0, 6)]).toEqual([0, 10, 0, 0, 0, bytes.length - 6]);
  expect(decodeMessage(bytes)).toEqual(message);
});
