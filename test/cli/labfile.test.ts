/** Lab files: what they mean, and the place of what is wrong in them. */
import { describe, expect, it } from "vitest";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { importedLab } from "../../src/main/lab/file/import.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import { machinesOf } from "../../src/main/lab/fuzz/schedule-scenario.ts";

const whole = `quorate: 1
name: two of three
seed: 7f3a
epoch: 2026-01-01T00:00:00Z
networks: { net0: 10.0.0.0/24, net1: 10.10.1.0/24 }
nodes:
  pve1: { net0: 10.0.0.11, net1: 10.10.1.11, files: { /root/note: "hello" } }
  pve2: { net0: 10.0.0.12, net1: 10.10.1.12, boot: 7s, power: off }
  pve3: { net0: 10.0.0.13, disable: [corosync], id: 9 }
cluster: { name: lab, links: [net0, net1], members: [pve1, pve2], votes: { pve1: 2 }, totem: { token: 3000 }, priorities: { net1: 10 } }
faults: [ "link cut pve2:net1" ]
steps:
  - do: node kill pve2
  - wait: { members: 1, node: pve1, timeout: 30 }
  - exec: { node: pve1, run: "pvecm status", status: 0 }
  - at: 45s
    do: node start pve2
  - expect: { node: pve1, quorum.quorate: true, corosync.members: [1, 2] }
  - input: { node: pve3, run: pvecm add 10.0.0.11, answers: [quorate, "yes"] }
`;

describe("a lab file", () => {
  it("is read, printed and read again as the same lab", () => {
    const lab = parseLabFile(whole, "lab.yaml");
    expect(parseLabFile(printLabFile(lab), "lab.yaml")).toEqual(lab);
    expect(lab.nodes["pve2"]).toEqual({ nets: { net0: "10.0.0.12", net1: "10.10.1.12" }, boot: 7_000_000, power: "off" });
    expect(lab.steps[3]).toEqual({ at: 45_000_000, do: "node start pve2" });
  });

  it("becomes machines with cards in the order of the networks, and files on their disks", () => {
    const design = worldDesign(parseLabFile(whole, "lab.yaml"));
    const [pve1, pve2, pve3] = design.machines;
    expect(pve1?.nics).toEqual([
      { name: "eno1", net: "net0", address: "10.0.0.11", prefix: 24 },
      { name: "eno2", net: "net1", address: "10.10.1.11", prefix: 24 },
    ]);
    expect(pve1?.files.map((f) => f.path)).toEqual(["/etc/corosync/corosync.conf", "/etc/corosync/authkey", "/root/note"]);
    expect(pve2?.boot).toBe(7_000_000);
    // A member that is off had joined, so it is on while the cluster forms.
    expect(pve2?.power).toBe("on");
    expect(pve3?.files).toEqual([]);
    expect(pve3?.disabledUnits).toEqual(["corosync"]);
  });

  it("gives the cluster's file the members, votes, priorities and timers it names", () => {
    const conf = confOf(parseLabFile(whole, "lab.yaml")) ?? "";
    expect(conf).toContain("quorum_votes: 2");
    expect(conf).toContain("token: 3000");
    // As pvecm writes it, unless the lab file says otherwise.
    expect(conf).toContain("token_coefficient: 125");
    expect(confOf(parseLabFile(whole.replace("token: 3000", "token_coefficient: 650"), "lab.yaml"))).toContain("token_coefficient: 650");
    expect(conf).toContain("knet_link_priority: 10");
    expect(conf).toContain("ring1_addr: 10.10.1.12");
    expect(conf).not.toContain("pve3");
  });

  it("of a new lab has the addresses of the manual", () => {
    const lab = defaultLabFile({ nodes: 3, links: 2, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
    expect(lab.nodes["pve3"]?.nets).toEqual({ net0: "10.0.0.13", net1: "10.10.1.13" });
    expect(lab.networks).toEqual({ net0: "10.0.0.0/24", net1: "10.10.1.0/24" });
  });

  it("is made of a real corosync.conf, which every node then has verbatim", () => {
    const lab = parseLabFile(whole, "lab.yaml");
    const conf = confOf(lab) ?? "";
    const imported = importedLab(conf, "corosync.conf");
    expect(imported.nodes["pve2"]?.nets).toEqual({ net0: "10.0.0.12", net1: "10.10.1.12" });
    expect(confOf(imported)).toBe(conf);
  });
});

describe("options of votequorum in a lab file", () => {
  it.each([
    ["two_node: 1", 2, ["2Node", "Quorate", "WaitForAll"]],
    ["wait_for_all: 1", 3, ["Quorate", "WaitForAll"]],
    ["wait_for_all: 1, last_man_standing: 1, last_man_standing_window: 5000", 3, ["Quorate", "WaitForAll", "LastManStanding"]],
    ["auto_tie_breaker: 1, auto_tie_breaker_node: 2 1", 4, ["Quorate", "AutoTieBreaker"]],
    ["allow_downscale: 1", 3, ["Quorate", "AllowDownscale"]],
    ["expected_votes_tracking: 1", 3, ["Quorate"]],
  ])("{ %s } is in force on %d nodes", (options, count, flags) => {
    const nodes = Array.from({ length: count }, (_, i) => `  pve${i + 1}: { net0: 10.0.0.1${i + 1} }\n`).join("");
    const text = `quorate: 1\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n${nodes}cluster: { name: lab, quorum: { ${options} } }\n`;
    const lab = parseLabFile(text, "lab.yaml");
    const world = new World(worldDesign(lab), machinesOf(lab));
    expect(beginLab(world, lab)).toBeUndefined();
    for (const name of world.names) expect(world.status(name).quorum?.flags).toEqual(flags);
    expect(printLabFile(lab)).toContain(options.split(":")[0]);
  });
});

describe("a malformed lab file is refused with line and column", () => {
  // The place that the message must name is marked with ^.
  it.each([
    ["power: off", "power: ^maybe", "nodes.pve2.power"],
    ["boot: 7s", "boot: ^7 fortnights", "nodes.pve2.boot: a duration"],
    ["quorate: 1", "quorate: ^2", "quorate: the schema version"],
    ["links: [net0, net1]", "links: [net0, ^net9]", "no network net9"],
    ["members: [pve1, pve2]", "members: [pve1, ^pve7]", "no node pve7"],
    ["faults:", "^fault:", 'unknown key "fault"'],
    ['"link cut pve2:net1"', '^"link cut pve3:net1"', "unknown network of pve3"],
    ["do: node kill pve2", "do: ^node kill pve7", "unknown node"],
    ["do: node kill pve2", "^doo: x", "a step has exactly one of do, wait, exec, expect, input"],
    ["members: 1, node", "members: ^one, node", "steps.1.wait.members"],
    ["node: pve3, run", "node: ^pve8, run", "no node pve8"],
    ["disable: [corosync]", "^clockSkew: 3", "nodes.pve3.clockSkew: clock skew is not part of this version"],
    ["10.10.1.0/24 }", "10.10.1.0/24, net2: ^10.9.0.0/40 }", "10.9.0.0/40 is no network"],
    ["net0: 10.0.0.13", "net0: ^10.0.0.300", "10.0.0.300 is no IPv4 or IPv6 address"],
    ["net0: 10.0.0.13", "net0: ^10.0.1.13", "10.0.1.13 is not in net0, 10.0.0.0/24"],
    ["net0: 10.0.0.13", "net0: ^10.0.0.12", "10.0.0.12 is pve2's already"],
    ["totem: {", "quorum: { two_node: ^[1] }, totem: {", "cluster.quorum.two_node: a number or a text is allowed"],
    ["nodes:", "^nodes", ""],
  ])("%s -> %s", (from, marked, said) => {
    const text = whole.replace(from, marked);
    const lines = text.slice(0, text.indexOf("^")).split("\n");
    const place = `lab.yaml:${lines.length}:${(lines.at(-1) ?? "").length + 1}: `;
    expect(() => parseLabFile(text.replace("^", ""), "lab.yaml")).toThrow(place + said);
  });

  it.each(["", "- 1", "just words", "quorate: 1", "{", "a: &x [*x, *x]", "\u0000"])("%j", (text) => {
    expect(() => parseLabFile(text, "lab.yaml")).toThrow(/^lab\.yaml:\d+:\d+: \S/);
  });
});
