/** A real file becomes a lab: names, ids, addresses, links, votes are the file's; networks are drawn around the addresses. */
import { describe, expect, test } from "vitest";
import { importConf, type ImportedCluster } from "../../src/engine/config/index.ts";
import { goodConf, replace } from "./good.ts";

function imported(text: string): ImportedCluster {
  const outcome = importConf(text);
  if (!outcome.ok) throw new Error(outcome.findings.map((f) => `${f.line}: ${f.text}`).join("\n"));
  return outcome.cluster;
}

describe("import", () => {
  test("three nodes on two links, with a priority, an id and votes of their own", () => {
    let text = replace(goodConf(3, 2), "linknumber: 1", "knet_link_priority: 20\n    linknumber: 1");
    text = replace(replace(text, "nodeid: 3", "nodeid: 7"), "quorum_votes: 1", "quorum_votes: 2", "last");
    const cluster = imported(text);
    expect(cluster.clusterName).toBe("labcluster");
    expect(cluster.networks).toEqual([
      { name: "net0", link: 0, cidr: "10.10.0.0/24", priority: undefined },
      { name: "net1", link: 1, cidr: "10.10.1.0/24", priority: 20 },
    ]);
    expect(cluster.nodes[2]).toEqual({
      name: "node3",
      listedAs: "node3",
      nodeId: 7,
      votes: 2,
      addresses: [
        { net: "net0", link: 0, address: "10.10.0.3" },
        { net: "net1", link: 1, address: "10.10.1.3" },
      ],
    });
  });

  test("IPv6 networks are /64; nodes further apart get one network that holds them", () => {
    const six = ["1", "2", "3"].reduce((t, n) => replace(t, `10.10.0.${n}`, `fd00:0:0:1::${n}`), goodConf(3));
    expect(imported(six).networks[0]?.cidr).toBe("fd00:0:0:1::/64");
    expect(imported(replace(goodConf(3), "10.10.0.3", "10.10.5.3")).networks[0]?.cidr).toBe("10.10.0.0/21");
  });

  test("host names instead of addresses: the lab gives them free ones of the link's network, one each", () => {
    const cluster = imported(replace(replace(goodConf(3), "10.10.0.2", "pve2.example.com"), "10.10.0.3", "pve3.example.com"));
    expect(cluster.aliases).toEqual([
      { name: "pve2.example.com", address: "10.10.0.2" },
      { name: "pve3.example.com", address: "10.10.0.3" },
    ]);
    expect(cluster.nodes.map((n) => n.addresses[0]?.address)).toEqual(["10.10.0.1", "10.10.0.2", "10.10.0.3"]);
  });

  test("machine names are host names: domains are cut off, missing and double ones made up", () => {
    let text = replace(goodConf(4), "name: node1", "name: pve1.example.com");
    text = replace(replace(text, "    name: node2\n", ""), "name: node3", "name: pve1");
    expect(imported(text).nodes.map((n) => n.name)).toEqual(["pve1", "node2", "pve1-2", "node4"]);
  });

  test("host names that stand only for addresses are the machines' names; a name of its own goes first", () => {
    const named = (address: string, n: number): string =>
      `    name: node${n}\n    nodeid: ${n}\n    quorum_votes: 1\n    ring0_addr: ${address}\n`;
    let text = replace(goodConf(3), named("10.10.0.1", 1), named("ha-1", 1).replace("    name: node1\n", ""));
    text = replace(text, named("10.10.0.2", 2), named("ha-2.example.com", 2).replace("    name: node2\n", ""));
    text = replace(text, named("10.10.0.3", 3), named("ha-3", 3));
    const cluster = imported(text);
    expect(cluster.nodes.map((n) => n.name)).toEqual(["ha-1", "ha-2", "node3"]);
    expect(cluster.aliases.map((a) => a.name)).toEqual(["ha-1", "ha-2.example.com", "ha-3"]);
  });

  test.each([
    "10.10.0.256",
    "10.10.0.2/24",
    '"10.10.0.2"',
    "<NODE2_IP_ADDRESS>",
    "$PVE2_IP",
    "10.10.0.2,",
    "10.10.0.2:5405",
    "10.10.0.2 # second",
  ])("what is neither an address nor a host name is refused: %s", (written) => {
    const outcome = importConf(replace(goodConf(3), "10.10.0.2", written));
    expect(outcome.ok).toBe(false);
    const errors = (outcome.ok ? [] : outcome.findings).filter((f) => f.severity === "error");
    expect(errors.map((f) => [f.line, f.text])).toEqual([[20, `failed to parse node address '${written}'`]]);
  });

  test("every such value is named, not only the first", () => {
    const wrong = replace(replace(goodConf(3), "10.10.0.2", "10.10.0.2,"), "10.10.0.1", "10.10.0.1,");
    const outcome = importConf(wrong);
    expect((outcome.ok ? [] : outcome.findings).filter((f) => f.severity === "error").map((f) => f.text)).toEqual([
      "failed to parse bindnet address '10.10.0.1,'",
      "failed to parse node address '10.10.0.2,'",
    ]);
  });

  test("an old file with keys that knet does not use is taken, and they are named", () => {
    const text = replace(goodConf(1), "linknumber: 0", "linknumber: 0\n    bindnetaddr: 10.10.0.0\n    mcastaddr: 239.255.0.1");
    expect(
      imported(text)
        .findings.filter((f) => f.code === "inert-key")
        .map((f) => f.line),
    ).toEqual([27, 28]);
  });

  describe("with a quorum device", () => {
    const withDevice = (text: string, host: string, model = "net"): string =>
      replace(
        text,
        "  provider: corosync_votequorum",
        `  device {\n    model: ${model}\n    net {\n      algorithm: ffsplit\n      host: ${host}\n    }\n    votes: 1\n  }\n  provider: corosync_votequorum`,
      );

    test("its server stands where the file says, on the link's network", () => {
      const { device, networks } = imported(withDevice(goodConf(2), "10.10.0.250"));
      expect(device).toEqual({ server: { name: "qnetd", net: "net0", address: "10.10.0.250" }, onMember: undefined });
      expect(networks.map((n) => n.name)).toEqual(["net0"]);
    });

    test("elsewhere it is a network of its own, /24 or for IPv6 /64, with a card in every node", () => {
      const four = imported(withDevice(goodConf(4, 2), "192.168.7.12"));
      expect(four.device?.server).toEqual({ name: "qnetd", net: "mgmt", address: "192.168.7.12" });
      expect(four.networks[2]).toEqual({ name: "mgmt", link: undefined, cidr: "192.168.7.0/24", priority: undefined });
      expect(four.nodes.map((n) => n.addresses[2])).toEqual(
        ["192.168.7.11", "192.168.7.13", "192.168.7.14", "192.168.7.15"].map((address) => ({ net: "mgmt", link: undefined, address })),
      );
      const six = imported(withDevice(goodConf(2), "FD00:7::0:5"));
      expect(six.device?.server?.address).toBe("fd00:7::5");
      expect(six.networks[1]?.cidr).toBe("fd00:7::/64");
      expect(six.nodes.map((n) => n.addresses[1]?.address)).toEqual(["fd00:7::b", "fd00:7::c"]);
    });

    test("a host name gets a free address of the first network", () => {
      const cluster = imported(withDevice(replace(goodConf(2), "10.10.0.2", "10.10.0.100"), "witness.example.com"));
      expect(cluster.device?.server).toEqual({ name: "qnetd", net: "net0", address: "10.10.0.101" });
      expect(cluster.aliases).toEqual([{ name: "witness.example.com", address: "10.10.0.101" }]);
    });

    test("a node of the name qnetd keeps it", () => {
      expect(imported(withDevice(replace(goodConf(2), "name: node2", "name: qnetd"), "10.10.0.9")).device?.server?.name).toBe("qnetd-2");
    });

    test.each(["10.10.0.2", "node2", "127.0.0.1", "localhost", "::1"])("a server on a node, %s, is told", (host) => {
      const { device, networks } = imported(withDevice(goodConf(2), host));
      expect(device?.server).toBeUndefined();
      expect(device?.onMember).toMatchObject({ node: /node2|\.2$/.test(host) ? "node2" : "node1", column: 13 });
      expect(networks.length).toBe(1);
    });

    test("of another model, or without a host, there is no server", () => {
      expect(imported(withDevice(goodConf(2), "10.10.0.9", "disk")).device).toBeUndefined();
      expect(imported(replace(withDevice(goodConf(2), "X"), "      host: X\n", "")).device).toEqual({
        server: undefined,
        onMember: undefined,
      });
    });
  });

  test("a file the daemon refuses is not imported; all reasons come with their lines", () => {
    const outcome = importConf(replace(replace(goodConf(3), "nodeid: 2", "nodeid: 1"), "version: 2", "version: 1", "last"));
    expect(outcome.ok ? [] : outcome.findings.filter((f) => f.severity === "error").map((f) => f.line)).toEqual([18, 43]);
  });
});
