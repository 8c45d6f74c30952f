/** Acting lines: what each means, and what a wrong one is told. */
import { describe, expect, it } from "vitest";
import { parseActing, type Places } from "../../src/main/lab/act/acting.ts";
import { splitLine } from "../../src/main/lab/act/command-line.ts";

const places: Places = {
  nodes: ["pve1", "pve2", "pve3"],
  networks: ["net0", "net1"],
  nics: new Map([
    ["pve1", ["net0", "net1"]],
    ["pve2", ["net0", "net1"]],
    ["pve3", ["net0"]],
  ]),
};

describe("an acting line is read the same wherever it comes from", () => {
  it.each([
    ["node kill pve2 --after 5", { act: "node", verb: "kill", nodes: ["pve2"], afterUs: 5_000_000 }],
    ["node start pve1 pve2", { act: "node", verb: "start", nodes: ["pve1", "pve2"], afterUs: 0 }],
    ["service stop pve1 corosync.service", { act: "service", verb: "stop", node: "pve1", unit: "corosync" }],
    ["link cut pve3:net0 --direction in", { act: "link-cut", node: "pve3", net: "net0", to: undefined, direction: "in" }],
    ["link cut pve1 --to pve2", { act: "link-cut", node: "pve1", net: undefined, to: "pve2", direction: "both" }],
    ["link heal pve1:net1", { act: "link-heal", node: "pve1", net: "net1", to: undefined, direction: "both" }],
    [
      "link set pve2:net0 --delay 20 --jitter 5ms --loss 3% --dup=1 --reorder 2",
      {
        act: "link-set",
        node: "pve2",
        net: "net0",
        to: undefined,
        direction: "both",
        setting: { delayMs: 20, jitterMs: 5, lossPercent: 3, dupPercent: 1, reorderPercent: 2 },
      },
    ],
    ["switch off net1", { act: "switch", on: false, net: "net1" }],
    ["partition pve1,pve2 pve3", { act: "partition", groups: [["pve1", "pve2"], ["pve3"]] }],
    ["heal", { act: "heal" }],
    [
      "link set pve1:net0 --rate 10 --mtu 1400",
      { act: "link-set", node: "pve1", net: "net0", to: undefined, direction: "both", setting: { rateMbit: 10, mtuBytes: 1400 } },
    ],
    ["block pve1 5405/udp", { act: "block", on: true, node: "pve1", port: 5405, proto: "udp" }],
    ["unblock pve1 22/tcp", { act: "block", on: false, node: "pve1", port: 22, proto: "tcp" }],
    ["nic down pve1 net0", { act: "nic", up: false, node: "pve1", net: "net0" }],
    ["node add pve4", { act: "node-add", name: "pve4", qnetd: false, addresses: [] }],
    [
      "node add q --address 10.0.0.100 --qnetd --address=10.10.1.100",
      { act: "node-add", name: "q", qnetd: true, addresses: ["10.0.0.100", "10.10.1.100"] },
    ],
    ["node rm pve3", { act: "node-rm", name: "pve3" }],
    ["node rename pve3 alfa", { act: "node-rename", name: "pve3", to: "alfa" }],
    ["net add net2 10.9.0.0/16", { act: "net-add", name: "net2", cidr: "10.9.0.0/16" }],
    ["net rm net1", { act: "net-rm", name: "net1" }],
    ["net rename net1 storage", { act: "net-rename", name: "net1", to: "storage" }],
    ["nic add pve3 net1 10.10.1.13", { act: "nic-add", node: "pve3", net: "net1", address: "10.10.1.13" }],
    ["nic rm pve1 net1", { act: "nic-rm", node: "pve1", net: "net1" }],
    ["nic rename pve1 net1 ens19", { act: "nic-rename", node: "pve1", net: "net1", to: "ens19" }],
  ])("%s", (line, acting) => {
    expect(parseActing(line, places)).toEqual(acting);
  });

  it("keeps blanks in quotes, and refuses a quote that does not end", () => {
    expect(splitLine(`a 'b c' d"e f"g ""`)).toEqual(["a", "b c", "de fg", ""]);
    expect(() => splitLine("link 'cut")).toThrow("open quote");
  });
});

describe("what is wrong in an acting line is said with what is allowed", () => {
  it.each([
    ["", 'unknown act ""; there are: node, net, nic, service, link, block, unblock, switch, partition, heal'],
    ["node kill pve9", 'unknown node "pve9"; there are: pve1, pve2, pve3'],
    ["node kill", "which node? There are: pve1, pve2, pve3"],
    ["node explode pve1", "start|stop|kill|pause|resume|reboot"],
    ["node kill pve1 --after soon", "virtual seconds from 0 to 86400"],
    ["link cut pve3:net1", 'unknown network of pve3 "net1"; there is: net0'],
    ["link cut pve1 --direction up", "in, out, both"],
    ["link cut pve1 --to pve1", "is the node itself"],
    ["link cut pve1 --loss 3", "unknown option --loss; there are: --to --direction"],
    ["link set pve1:net0", "--delay --jitter --loss --dup --reorder --rate --mtu"],
    ["link set pve1:net0 --loss 101", "0 to 100"],
    ["link set pve1:net0 --delay -3", "0 to 60000"],
    ["switch off net9", 'unknown network "net9"; there are: net0, net1'],
    ["partition pve1", "two groups or more"],
    ["partition pve1 pve1,pve2", "pve1 stands in two groups"],
    ["service stop pve1 nginx", "this version has: corosync"],
    ["heal pve1", "link heal NODE[:NET]"],
    ["link set pve1:net0 --mtu 20", "68 to 65535"],
    ["link set pve1:net0 --rate 0", "0.001 to 100000 Mbit/s"],
    ["block pve1 5405", "PORT/udp|PORT/tcp"],
    ["block pve1 70000/udp", "1 to 65535"],
    ["node add pve1", "there is a machine pve1 already"],
    ["node add pve_4", "letters, digits and hyphens"],
    ["node rename pve1 pve2", "there is a machine pve2 already"],
    ["node rm pve9", 'unknown node "pve9"'],
    ["net add net0", "there is a network net0 already"],
    ["net rm net9", 'unknown network "net9"'],
    ["nic add pve1", "add NODE NET [ADDRESS]"],
    ["nic down pve3 net1", 'unknown network of pve3 "net1"'],
  ])("%s", (line, said) => {
    expect(() => parseActing(line, places)).toThrow(said);
  });

  it.each(["clock pve1 --skew 2"])("%s belongs to a later version, and says what this one has", (line) => {
    expect(() => parseActing(line, places)).toThrow(/is not part of this version; \S/);
  });
});
