/** What the page is told of nodes that do not fit together: the list of problems, and the pairs the canvas marks. */
import { describe, expect, it } from "vitest";
import { goodConf, replace, withKey } from "../conf/good.ts";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { mismatchesOf, ParsedConfs } from "../../src/main/lab/view/mismatches.ts";
import { labOf } from "../conformance/lab.ts";

const three = goodConf(3);

/** Three machines with the files given, running or with corosync stopped; `texts` of the mismatches and codes of the problems. */
function found(
  files: { conf?: string | undefined; key?: number }[],
  running = true,
): { kinds: string[]; nodes: string[][]; texts: string[] } {
  const design = labOf(three, "mismatches");
  const machines = design.machines.map((m, i) => {
    const { conf = three, key = 7 } = files[i] ?? {};
    const given = [
      { path: "/etc/corosync/corosync.conf", data: utf8(conf) },
      { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(key), mode: 0o400 },
    ];
    return m.kind === "node" ? { ...m, files: given, disabledUnits: running ? [] : ["corosync"] } : m;
  });
  const world = new World({ ...design, machines }, makeNode);
  world.runUntil(30 * SEC);
  const { mismatches, problems } = mismatchesOf(world, world.statuses(), new ParsedConfs());
  expect(problems.map((p) => [p.code, p.text, p.node])).toEqual(mismatches.map((m) => [`mismatch-${m.kind}`, m.text, m.nodes[0]]));
  expect(problems.every((p) => (p.mend ?? "").length > 10)).toBe(true);
  return { kinds: mismatches.map((m) => m.kind), nodes: mismatches.map((m) => m.nodes), texts: mismatches.map((m) => m.text) };
}

describe("nodes that do not fit together", () => {
  it("says nothing of nodes that do", () => {
    expect(found([]).texts).toEqual([]);
  });

  it.each([true, false])("another authkey: the odd one beside one of the many (corosync running: %s)", (running) => {
    expect(found([{}, {}, { key: 9 }], running)).toEqual({
      kinds: ["authkey"],
      nodes: [["node3", "node1"]],
      texts: ["node3's authkey differs from node1's: neither takes the other's packets"],
    });
  });

  it("no encryption, another name, another token", () => {
    expect(found([{}, {}, { conf: replace(three, "secauth: on", "secauth: off") }]).texts).toEqual([
      "node3 does not encrypt, node1 does: neither takes the other's packets",
    ]);
    expect(found([{ conf: replace(three, "labcluster", "other") }]).texts).toEqual([
      "node1's cluster is called 'other', node2's 'labcluster': corosync does not compare the names, a QDevice server does",
    ]);
    expect(found([{}, { conf: withKey(three, "totem", "token: 10000") }]).texts).toEqual([
      "token differs: 10000 ms on node2, 3000 ms on node1; each goes by its own",
    ]);
  });

  it("a node in nobody's nodelist, and one that only one lacks", () => {
    const two = goodConf(2);
    expect(found([{ conf: two }, { conf: two }, {}])).toMatchObject({
      nodes: [["node3", "node1", "node2"]],
      texts: ["node3 is in nobody's nodelist: its packets are passed over without a word"],
    });
    expect(found([{}, { conf: two }, {}]).texts).toEqual(["node3 is not in the nodelist of node2"]);
  });

  it("one node id on two hosts", () => {
    const claims = replace(replace(goodConf(2), "name: node2", "name: node3"), "10.10.0.2", "10.10.0.3");
    const { kinds, texts } = found([{ conf: goodConf(2) }, { conf: goodConf(2) }, { conf: claims }]);
    expect(kinds).toEqual(["node-id", "unlisted"]);
    expect(texts[0]).toBe("node2 and node3 both claim node ID 2: the others reject whose address they do not list under it");
  });
});
