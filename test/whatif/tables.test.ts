/** What-if against tables worked out by hand. */
import { describe, expect, it } from "vitest";
import { whatIf, whatIfDesign, type WhatIf } from "../../src/engine/whatif/index.ts";
import { elementsOf } from "../../src/engine/whatif/elements.ts";
import { GroupModel } from "../../src/engine/whatif/model.ts";
import { choose } from "../../src/engine/whatif/sets.ts";
import { Trial } from "../../src/engine/whatif/trial.ts";
import { Rng } from "../../src/engine/kernel/index.ts";
import { worldDesign } from "../../src/main/lab/design.ts";
import { freshLabFile } from "../../src/main/lab/fresh.ts";
import type { LabCluster, LabFile } from "../../src/main/lab/labfile.ts";

function lab(nodes: number, links: number, cluster: Partial<LabCluster> = {}): LabFile {
  const fresh = freshLabFile({ nodes, links, clustered: true, name: "table", seed: "table", epoch: "2026-01-01T00:00:00Z" });
  return { ...fresh, cluster: { name: "lab", links: Object.keys(fresh.networks), ...cluster } };
}

function ask(file: LabFile): WhatIf {
  const made = whatIfDesign(worldDesign(file));
  if (!made.ok) throw new Error(made.why);
  return whatIf(made.design);
}

describe("plain majorities", () => {
  it("three nodes on one network: any one node or cable may go, the network may not", () => {
    const answer = ask(lab(3, 1));
    expect(answer.sentence).toBe("You can lose any one node. You cannot lose network net0. You can lose any one cable.");
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 1, networks: 0, qnetd: 0, links: 1 });
    expect(answer.atOnce.killing.slice(0, 2)).toEqual([["network:net0"], ["node:pve1", "node:pve2"]]);
    expect(answer.atOnce.killing).toHaveLength(1 + 3 + 3 + 6);
    expect(answer.atOnce.splitting).toEqual([]);
    expect(answer.oneAfterAnother).toEqual(answer.atOnce);
  });

  it("one node alone", () => {
    const answer = ask(lab(1, 1));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 0, networks: 1, qnetd: 0, links: 1 });
    expect(answer.atOnce.killing).toEqual([["node:pve1"]]);
  });

  it("eight nodes with two links: three nodes, one network, seven cables", () => {
    const answer = ask(lab(8, 2));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 3, networks: 1, qnetd: 0, links: 7 });
    // Both networks; or four of eight nodes.
    expect(answer.atOnce.killing.filter((set) => set.length === 2)).toEqual([["network:net0", "network:net1"]]);
    expect(answer.atOnce.killing.filter((set) => set.every((name) => name.startsWith("node:")))).toHaveLength(choose(8, 4));
    // A cable of one node on one network and of another on the other, with a third node that reaches both.
    expect(answer.atOnce.unsettled).toHaveLength(8 * 7);
    expect(answer.atOnce.matrix.map((row) => row.kills)).toEqual([0, 0, 0, 0, 70, 56, 28, 8, 1]);
  });

  it("a node with three votes of seven: without it and one more there is no majority", () => {
    const answer = ask(lab(5, 1, { votes: { pve1: 3 } }));
    expect(answer.atOnce.survivesAny.nodes).toBe(1);
    const nodes = answer.atOnce.killing.filter((set) => set.every((name) => name.startsWith("node:")));
    expect(nodes).toEqual([
      ["node:pve1", "node:pve2"],
      ["node:pve1", "node:pve3"],
      ["node:pve1", "node:pve4"],
      ["node:pve1", "node:pve5"],
      ["node:pve2", "node:pve3", "node:pve4", "node:pve5"],
    ]);
  });

  it("expected_votes that leave two halves quorate: losing the network splits", () => {
    const answer = ask(lab(2, 1, { votes: { pve1: 2, pve2: 2 }, quorum: { expected_votes: 1 } }));
    // expected_votes is raised to what is present: 4, and 3 are needed.
    expect(answer.atOnce.killing[0]).toEqual(["node:pve1"]);
    expect(answer.atOnce.splitting).toEqual([]);
  });
});

describe("alike members stand for each other", () => {
  const sixteen = lab(16, 2, { votes: { pve3: 2, pve9: 2, pve16: 3 } });

  it("with the same verdicts as each for itself", () => {
    const made = whatIfDesign(worldDesign(sixteen));
    if (!made.ok) throw new Error(made.why);
    const elements = elementsOf(made.design);
    const [short, long] = [true, false].map((alike) => new Trial(made.design, new GroupModel(made.design, alike)));
    const rng = Rng.from("alike");
    for (let i = 0; i < 150; i++) {
      const order = Array.from({ length: rng.between(1, 9) }, () => rng.pick(elements));
      expect(short?.atOnce(short.topology(order))).toBe(long?.atOnce(long.topology(order)));
      expect(short?.inOrder(order)).toBe(long?.inOrder(order));
    }
  });
});

describe("no answer where there is no question", () => {
  it.each([
    ["no cluster", { ...lab(2, 1), cluster: undefined }, /no machine of the lab has a corosync.conf/],
    ["too many nodes", lab(17, 1), /17 nodes: .* at most 16 are allowed/],
    ["a file corosync refuses", lab(2, 1, { totem: { token: 3 } }), /^pve1: /],
  ])("%s", (_, file, why) => {
    const made = whatIfDesign(worldDesign(file as LabFile));
    expect(made).toEqual({ ok: false, why: expect.stringMatching(why) as string });
  });
});
