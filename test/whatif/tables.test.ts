/** What-if against tables worked out by hand. */
import { describe, expect, it } from "vitest";
import { modelOf, whatIf, whatIfDesign, type WhatIf } from "../../src/engine/whatif/index.ts";
import { elementsOf } from "../../src/engine/whatif/elements.ts";
import { Signatures, classesOf, tieOrderOf } from "../../src/engine/whatif/alike.ts";
import { choose, everySet } from "../../src/engine/whatif/sets.ts";
import { Trial } from "../../src/engine/whatif/trial.ts";
import { Rng } from "../../src/engine/kernel/index.ts";
import { Verdicts } from "../../src/engine/whatif/verdicts.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import type { LabCluster, LabFile } from "../../src/main/lab/file/labfile-schema.ts";

function lab(nodes: number, links: number, cluster: Partial<LabCluster> = {}): LabFile {
  const base = defaultLabFile({ nodes, links, clustered: true, name: "table", seed: "table", epoch: "2026-01-01T00:00:00Z" });
  return { ...base, cluster: { name: "lab", links: Object.keys(base.networks), ...cluster } };
}

/** Five nodes of which two have no card on the second network. */
function onlySomeOn(): Pick<LabFile, "nodes" | "cluster"> {
  const base = lab(5, 2);
  const nodes = Object.fromEntries(
    Object.entries(base.nodes).map(([name, node], i) => [name, i < 3 ? node : { ...node, nets: { net0: node.nets["net0"] ?? "" } }]),
  );
  return { nodes, cluster: { name: "lab", links: ["net0"] } };
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

const names = (sets: readonly (readonly string[])[], kind: string): string[] =>
  sets.filter((set) => set.every((name) => name.startsWith(kind))).map((set) => set.join(" "));
const kills = (answer: WhatIf["atOnce"]): number[] => answer.matrix.map((row) => row.kills);

describe("options of the quorum section", () => {
  it("two_node: either node alone is quorate, and so are both when they lose each other", () => {
    const answer = ask(lab(2, 1, { quorum: { two_node: 1 } }));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 1, networks: 0, qnetd: 0, links: 0 });
    expect(answer.atOnce.killing).toEqual([["node:pve1", "node:pve2"]]);
    expect(answer.atOnce.splitting).toEqual([["network:net0"], ["link:pve1/net0"], ["link:pve2/net0"]]);
    expect(answer.sentence).toBe(
      "You can lose any one node. Losing network net0 leaves two components quorate. Losing any cable leaves two components quorate.",
    );
  });

  it("last_man_standing with eight nodes: three at once; one after another down to two, as each window lowers what is expected", () => {
    const answer = ask(lab(8, 1, { quorum: { last_man_standing: 1, wait_for_all: 1 } }));
    expect([answer.atOnce.survivesAny.nodes, answer.oneAfterAnother.survivesAny.nodes]).toEqual([3, 6]);
    expect(kills(answer.atOnce)).toEqual([0, 0, 0, 0, 70, 56, 28, 8, 1]);
    expect(kills(answer.oneAfterAnother)).toEqual([0, 0, 0, 0, 0, 0, 0, 8, 1]);
    expect(answer.sentence).toMatch(/^You can lose any 3 nodes at once, and any 6 one after another\./);
  });

  it("auto_tie_breaker with four nodes: the half with the lowest id goes on", () => {
    const answer = ask(lab(4, 1, { quorum: { auto_tie_breaker: 1 } }));
    expect(names(answer.atOnce.killing, "node:").slice(0, 3)).toEqual([
      "node:pve1 node:pve2",
      "node:pve1 node:pve3",
      "node:pve1 node:pve4",
    ]);
    expect(kills(answer.atOnce)).toEqual([0, 0, 3, 4, 1]);
  });

  it("auto_tie_breaker with the highest id, and with a list", () => {
    const highest = ask(lab(4, 1, { quorum: { auto_tie_breaker: 1, auto_tie_breaker_node: "highest" } }));
    expect(names(highest.atOnce.killing, "node:").slice(0, 3)).toEqual([
      "node:pve1 node:pve4",
      "node:pve2 node:pve4",
      "node:pve3 node:pve4",
    ]);
    const listed = ask(lab(4, 1, { quorum: { auto_tie_breaker: 1, auto_tie_breaker_node: "3 2" } }));
    expect(names(listed.atOnce.killing, "node:").slice(0, 3)).toEqual([
      "node:pve1 node:pve3",
      "node:pve2 node:pve3",
      "node:pve3 node:pve4",
    ]);
  });

  it("auto_tie_breaker with sixteen nodes: of the halves those without the lowest, C(15,7) of C(16,8)", () => {
    const answer = ask(lab(16, 2, { quorum: { auto_tie_breaker: 1 } }));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 7, networks: 1, qnetd: 0, links: 4 });
    expect(answer.atOnce.atLeast).toEqual(["links"]);
    expect(kills(answer.atOnce).slice(7, 10)).toEqual([0, choose(15, 7), choose(16, 9)]);
  });

  it("last_man_standing and auto_tie_breaker with sixteen: the last one stands where it is the lowest of two, whatever the order", () => {
    const answer = ask(lab(16, 2, { quorum: { auto_tie_breaker: 1, last_man_standing: 1, wait_for_all: 1 } }));
    expect(answer.oneAfterAnother.survivesAny.nodes).toBe(14);
    // Fifteen may go in some order without a kill always if it is the lowest, pve1, that stays.
    expect(kills(answer.oneAfterAnother)).toEqual([...new Array<number>(15).fill(0), 15, 1]);
  });

  it("wait_for_all changes nothing for nodes that have all been there", () => {
    expect(ask(lab(3, 1, { quorum: { wait_for_all: 1 } })).atOnce.killing).toEqual(ask(lab(3, 1)).atOnce.killing);
  });
});

function arbitrated(nodes: number, links: number): LabFile {
  return defaultLabFile({ nodes, links, clustered: true, qdevice: true, name: "table", seed: "table", epoch: "2026-01-01T00:00:00Z" });
}

describe("a QDevice", () => {
  it("ffsplit with two nodes: either node, the qnetd host or a cable, and no two of them", () => {
    const answer = ask(arbitrated(2, 1));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 1, networks: 0, qnetd: 1, links: 1 });
    // Both cables alone leave three machines that see nobody; one cable and its own node are one loss.
    expect(answer.atOnce.killing.map((set) => set.join(" "))).toEqual([
      "network:net0",
      "node:pve1 node:pve2",
      "node:pve1 qnetd",
      "node:pve1 link:pve2/net0",
      "node:pve2 qnetd",
      "node:pve2 link:pve1/net0",
      "qnetd link:pve1/net0",
      "qnetd link:pve2/net0",
      "link:pve1/net0 link:pve2/net0",
    ]);
    expect(answer.atOnce.splitting).toEqual([]);
  });

  it("ffsplit with sixteen nodes and two links: half of the nodes may go, where seven could without", () => {
    const answer = ask(arbitrated(16, 2));
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 8, networks: 1, qnetd: 1, links: 4 });
    expect(kills(answer.atOnce).slice(8, 10)).toEqual([0, choose(16, 9)]);
    expect(answer.atOnce.killing).toEqual([["network:net0", "network:net1"]]);
    expect(answer.oneAfterAnother.survivesAny.nodes).toBe(8);
  });

  it("lms with five nodes and four votes: the last node stands, as long as it hears the arbiter", () => {
    const answer = ask(arbitrated(5, 1));
    // Nine votes are expected and five are needed: one node's and the arbiter's four.
    expect(answer.atOnce.survivesAny).toEqual({ nodes: 4, networks: 0, qnetd: 1, links: 4 });
    expect(answer.atOnce.killing.filter((set) => set.length < 3)[1]).toEqual(["node:pve1", "qnetd"]);
  });

  it("commands of heuristics are no question that can be answered", () => {
    const conf = confOf(arbitrated(2, 1))?.replace(
      "model: net",
      "model: net\n    heuristics {\n      mode: on\n      exec_ping: /bin/ping -c 1 10.0.0.1\n    }",
    );
    const made = whatIfDesign(worldDesign({ ...arbitrated(2, 1), cluster: { name: "lab", qdevice: "qnetd", conf } }));
    expect(made).toEqual({ ok: false, why: expect.stringMatching(/^pve1: quorum.device.heuristics.exec_ping: /) as string });
  });
});

describe("alike members stand for each other", () => {
  it.each([
    ["votes", lab(16, 2, { votes: { pve3: 2, pve9: 2, pve16: 3 } }), 150, 9],
    ["a tie breaker", lab(8, 2, { quorum: { auto_tie_breaker: 1, last_man_standing: 1, wait_for_all: 1 } }), 150, 7],
    ["ffsplit", arbitrated(6, 2), 14, 4],
    ["lms", arbitrated(5, 2), 10, 3],
  ])("%s: with the same verdicts as each for itself", (_, file, orders, most) => {
    const made = whatIfDesign(worldDesign(file));
    if (!made.ok) throw new Error(made.why);
    const { design } = made;
    const elements = elementsOf(design);
    const [short, long] = [new Trial(design, modelOf(design)), new Trial(design, modelOf(design, false))];
    const rng = Rng.from("alike");
    for (let i = 0; i < orders; i++) {
      const order = Array.from({ length: rng.between(1, most) }, () => rng.pick(elements));
      expect(short.atOnce(short.topology(order))).toBe(long.atOnce(long.topology(order)));
      expect(short.inOrder(order)).toBe(long.inOrder(order));
    }
  });

  it.each([
    ["plain", lab(5, 2)],
    ["votes", lab(5, 2, { votes: { pve2: 2 } })],
    ["lowest", lab(4, 2, { quorum: { auto_tie_breaker: 1, last_man_standing: 1, wait_for_all: 1 } })],
    ["highest", lab(4, 2, { quorum: { auto_tie_breaker: 1, auto_tie_breaker_node: "highest" } })],
    ["a network some are not on", { ...lab(5, 2), ...onlySomeOn() }],
    ["ffsplit", arbitrated(4, 1)],
  ])("%s: sets of one signature have one verdict", (_, file) => {
    const made = whatIfDesign(worldDesign(file));
    if (!made.ok) throw new Error(made.why);
    const elements = elementsOf(made.design);
    const trial = new Trial(made.design, modelOf(made.design));
    const signatures = new Signatures(classesOf(made.design), tieOrderOf(made.design), elements);
    const each = new Verdicts(
      trial,
      elements,
      new Signatures(
        made.design.members.map((__, i) => i),
        "any",
        elements,
      ),
    );
    const known = new Map<string, string>();
    for (let size = 0; size <= 3; size++)
      everySet(elements, size, trial.topologies.nothingLost(), (set, loss) => {
        const { once, turns } = each.of(set, loss);
        const signature = signatures.of(set);
        const verdict = `${once} ${turns}`;
        expect(known.get(signature) ?? verdict).toBe(verdict);
        known.set(signature, verdict);
      });
    expect(known.size).toBeGreaterThan(1);
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
