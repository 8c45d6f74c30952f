// A lab that is changed by acting lines, as a scenario: machines, networks, cards, blocks and a quorum device, with what the nodes then believe.
import { describe, expect, it } from "vitest";
import { confOf } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import { runScenario } from "../../src/main/lab/scenario/scenario.ts";

async function played(text: string): Promise<unknown[]> {
  const { result, said } = await runScenario(parseLabFile(text, "changing.yaml"), "changing.yaml");
  expect(said).toBeUndefined();
  return result.steps.filter((step) => !step.passed).map(({ what, expected, got }) => ({ what, expected, got }));
}

const three = `quorate: 1
seed: changing
networks: { net0: 10.0.0.0/24, net1: 10.10.1.0/24 }
nodes:
  pve1: { net0: 10.0.0.11, net1: 10.10.1.11 }
  pve2: { net0: 10.0.0.12, net1: 10.10.1.12 }
  pve3: { net0: 10.0.0.13, net1: 10.10.1.13 }
`;

describe("acting lines that change the lab", () => {
  it("a machine comes, is renamed and goes; networks and cards; later lines know them", async () => {
    const failed = await played(`${three}cluster: {}
steps:
  - do: node add pve4
  - expect: { node: pve4, power: on, units.corosync: inactive }
  - exec: { node: pve4, run: "cat /etc/hosts", status: 0 }
  - exec: { node: pve4, run: "hostname", stdout: "pve4\\n" }
  - do: node rename pve4 delta
  - exec: { node: delta, run: "cat /etc/hostname", stdout: "delta\\n" }
  - do: net rename net1 ring
  - do: switch off net0
  - at: 20s
    expect: { node: pve1, corosync.members: [1, 2, 3] }
  - do: switch on net0
  - do: nic down pve1 ring
  - do: net add storage
  - do: nic add pve1 storage
  - exec: { node: pve1, run: "grep -A2 eno3 /etc/network/interfaces", stdout: "auto eno3\\niface eno3 inet static\\n\\taddress 10.10.2.11/24\\n" }
  - do: node rm pve3
  - wait: { members: 2, node: pve1 }
  - do: block pve1 5405/udp
  - wait: { members: 1, node: pve2 }
  - do: heal
  - wait: { members: 2, node: pve1 }
`);
    expect(failed).toEqual([]);
  });

  it.each([
    ["node add pve4 --address 10.9.9.9", "in no network; there are net0 10.0.0.0/24, net1 10.10.1.0/24"],
    ["node add pve4 --address 10.0.0.11", "10.0.0.11 is pve1's already"],
    ["net add other 10.0.0.128/25", "overlaps net0"],
    ["nic add pve1 net0", "pve1 is on net0 already"],
  ])("%s is refused in one line", async (line, said) => {
    // What the line itself shows is found when the file is read, the rest when its turn comes.
    const run = async (): Promise<unknown> => runScenario(parseLabFile(`${three}steps:\n  - do: ${line}\n`, "x.yaml"), "x.yaml");
    await expect(run()).rejects.toThrow(said);
  });

  it("a step that names what an earlier line took away is found before the run", () => {
    expect(() => parseLabFile(`${three}steps:\n  - do: node rm pve3\n  - do: node kill pve3\n`, "x.yaml")).toThrow(
      'x.yaml:10:9: unknown node "pve3"',
    );
    expect(() => parseLabFile(`${three}steps:\n  - do: node rename pve3 c\n  - expect: { node: pve3, power: on }\n`, "x.yaml")).toThrow(
      "no node pve3",
    );
  });
});

describe("a quorum device", () => {
  const newLab = (nodes: number): ReturnType<typeof defaultLabFile> =>
    defaultLabFile({ nodes, links: 1, clustered: true, qdevice: true, name: "lab", seed: "q", epoch: "2026-01-01T00:00:00Z" });

  it("is written as pvecm does: one vote for an even number of nodes, lms for an odd one", () => {
    expect(confOf(newLab(4))).toContain(
      "quorum {\n  device {\n    model: net\n    net {\n      algorithm: ffsplit\n      host: 10.0.0.100\n      tls: on\n    }\n    votes: 1\n  }\n  provider: corosync_votequorum\n}\n",
    );
    expect(confOf(newLab(3))).toContain("      algorithm: lms\n      host: 10.0.0.100\n      tls: on\n    }\n  }\n");
  });

  it("the lab file with its host is read as it was written", () => {
    const text = printLabFile(newLab(2));
    expect(printLabFile(parseLabFile(text, "lab.yaml"))).toBe(text);
    expect(text).toContain("qnetd:\n  qnetd:\n    net0: 10.0.0.100\n");
  });

  it("votes when the scenario begins, and decides a half", async () => {
    const failed = await played(`quorate: 1
seed: q2
networks: { net0: 10.0.0.0/24 }
nodes: { pve1: { net0: 10.0.0.11 }, pve2: { net0: 10.0.0.12 } }
qnetd: { arbiter: { net0: 10.0.0.100 } }
cluster: { qdevice: arbiter }
steps:
  - expect: { node: pve1, quorum.expectedVotes: 3, quorum.totalVotes: 3 }
  - do: node kill pve2
  - wait: { quorate: true, members: 1, node: pve1 }
  - do: partition pve1 arbiter
  - wait: { quorate: false, node: pve1 }
`);
    expect(failed).toEqual([]);
  });

  it.each([
    ["qnetd: { pve1: { net0: 10.0.0.100 } }", "pve1 is a node already"],
    ["qnetd: { q: { net0: 10.0.0.11 } }", "10.0.0.11 is pve1's already"],
    ["qnetd: { q: {} }", "q is on no network"],
    ["cluster: { qdevice: q }", "no machine q below qnetd; there is none"],
  ])("%s is refused", (line, said) => {
    expect(() => parseLabFile(`${three}${line}\n`, "x.yaml")).toThrow(said);
  });
});
