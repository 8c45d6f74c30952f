/**
 * Nodes that do not fit together: another key, no encryption, another cluster name, another token, a node nobody lists, one node id on two hosts. What is expected
 * was seen with corosync 3.1.7 and libknet 1.25 in the same three-node cluster: who joins whom, which lines come, at which level, how often.
 */
import { describe, expect, test } from "vitest";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { goodConf, replace, withKey } from "../conf/good.ts";
import { labOf } from "./lab.ts";

interface Odd {
  /** Files of node3 that differ. */
  conf?: string;
  key?: number;
  /** The file of node1 and node2. */
  others?: string;
}

const three = goodConf(3);
const BOOTED = 20 * SEC;

/** Three nodes started within 40 ms, as the recorded ones were, `seconds` later. */
function cluster(odd: Odd, seconds: number): World {
  const design = labOf(three, "mismatch");
  const machines = design.machines.map((m) => {
    if (m.kind !== "node") return m;
    const mine = m.name === "node3";
    const conf = mine ? (odd.conf ?? three) : (odd.others ?? three);
    return {
      ...m,
      files: [
        { path: "/etc/corosync/corosync.conf", data: utf8(conf) },
        { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(mine ? (odd.key ?? 7) : 7), mode: 0o400 },
      ],
    };
  });
  const world = new World({ ...design, machines }, makeNode);
  world.runUntil(BOOTED);
  world.names.forEach((machine, i) =>
    world.schedule(BOOTED + i * 40_000, { to: "machine", machine, act: { kind: "service", op: "start", unit: "corosync" } }),
  );
  world.runUntil(BOOTED + seconds * SEC);
  return world;
}

const members = (world: World, node: string): string => {
  const { corosync, quorum } = world.status(node);
  return `${corosync?.members.join(" ")} ${quorum?.quorate === true ? "quorate" : "blocked"} ${corosync?.ringId}`;
};

/** Lines about packets that are not taken: the text, its level, how often it came in the seconds given. */
function complaints(world: World, node: string, seconds: [number, number]): Record<string, number> {
  const out: Record<string, number> = {};
  for (const l of world.named(node).journalSince(0)) {
    const at = (l.instant - BOOTED) / SEC;
    if (l.subsystem !== "KNET" || at < seconds[0] || at >= seconds[1] || !/Digest|decrypt|rejected/.test(l.text)) continue;
    const line = `${l.level} ${l.text}`;
    out[line] = (out[line] ?? 0) + 1;
  }
  return out;
}

const DIGEST = "error nsscrypto: Digest does not match. Check crypto key and configuration.";
const undecrypted = (from: number, size: number): string => `error rx: Unable to decrypt packet from 10.10.0.${from}:5405 (size ${size})!`;

describe("nodes that do not fit together", () => {
  test("another key: two errors a second for every peer, both ways, and the links stay down", () => {
    const world = cluster({ key: 9 }, 25);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "3 blocked 3.5"]);
    expect(complaints(world, "node1", [5, 15])).toEqual({ [DIGEST]: 10, [undecrypted(3, 80)]: 10 });
    expect(complaints(world, "node3", [5, 15])).toEqual({ [DIGEST]: 20, [undecrypted(1, 80)]: 10, [undecrypted(2, 80)]: 10 });
  });

  test("no encryption on one node: its short pings are complained of, without a word about a digest; itself it says nothing", () => {
    const world = cluster({ conf: replace(three, "secauth: on", "secauth: off") }, 15);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "3 blocked 3.5"]);
    expect(complaints(world, "node1", [3, 13])).toEqual({ [undecrypted(3, 26)]: 10 });
    expect(complaints(world, "node3", [0, 15])).toEqual({});
  });

  test("another cluster name: nobody compares it, one cluster forms", () => {
    const world = cluster({ conf: replace(three, "labcluster", "othercluster") }, 12);
    expect(world.names.map((n) => members(world, n).slice(0, 13))).toEqual(["1 2 3 quorate", "1 2 3 quorate", "1 2 3 quorate"]);
    expect(world.names.map((n) => complaints(world, n, [0, 12]))).toEqual([{}, {}, {}]);
  });

  test("another token: each goes by its own, the shortest notices a loss for all", () => {
    const world = cluster({ conf: withKey(three, "totem", "token: 10000") }, 20);
    expect(members(world, "node3")).toMatch(/^1 2 3 quorate/);
    expect(world.names.map((n) => world.status(n).corosync?.token.tokenTimeoutMs)).toEqual([3650, 3650, 10650]);
    world.act({ to: "machine", machine: "node2", act: { kind: "service", op: "kill", unit: "corosync" } });
    world.runUntil(world.now + 12 * SEC);
    expect(["node1", "node3"].map((n) => members(world, n).slice(0, 11))).toEqual(["1 3 quorate", "1 3 quorate"]);
    const lost = /A processor failed, forming new configuration: token timed out \((\d+)ms\)/;
    const said = world.names.flatMap((n) =>
      world
        .named(n)
        .journalSince(0)
        .flatMap((l) => lost.exec(l.text)?.[1] ?? []),
    );
    expect(said[said.length - 1]).toBe("3650");
  });

  test("a node that nobody lists: it forms alone, and no line anywhere tells", () => {
    const world = cluster({ others: goodConf(2) }, 20);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "3 blocked 3.5"]);
    expect(world.names.map((n) => complaints(world, n, [0, 20]))).toEqual([{}, {}, {}]);
  });

  test("one node id on two hosts: whose address is not the listed one is rejected at every ping", () => {
    const claims = replace(replace(goodConf(2), "name: node2", "name: node3"), "10.10.0.2", "10.10.0.3");
    const world = cluster({ others: goodConf(2), conf: claims }, 20);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "2 blocked 2.5"]);
    // pings of two nodes go every 0.8 s
    expect(complaints(world, "node1", [4, 12])).toEqual({ "warning rx: Packet rejected from 10.10.0.3:5405": 10 });
    expect([complaints(world, "node2", [0, 20]), complaints(world, "node3", [0, 20])]).toEqual([{}, {}]);
  });

  test("two node ids changed round on one host: its pings and its pongs are rejected", () => {
    const swapped = replace(replace(replace(three, "nodeid: 3", "nodeid: X"), "nodeid: 2", "nodeid: 3"), "nodeid: X", "nodeid: 2");
    const world = cluster({ conf: swapped }, 20);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "2 blocked 2.5"]);
    expect(complaints(world, "node1", [4, 14])).toEqual({ "warning rx: Packet rejected from 10.10.0.3:5405": 20 });
    expect([complaints(world, "node2", [0, 20]), complaints(world, "node3", [0, 20])]).toEqual([{}, {}]);
  });

  test("the same where unlisted addresses are let in: no line, and no link either", () => {
    const open = withKey(goodConf(2), "totem", "block_unlisted_ips: no");
    const claims = replace(replace(open, "name: node2", "name: node3"), "10.10.0.2", "10.10.0.3");
    const world = cluster({ others: open, conf: claims }, 20);
    expect(world.names.map((n) => members(world, n))).toEqual(["1 2 quorate 1.9", "1 2 quorate 1.9", "2 blocked 2.5"]);
    expect(world.names.map((n) => complaints(world, n, [0, 20]))).toEqual([{}, {}, {}]);
  });
});
