/** Acting lines: what each means, and what a wrong one is told. */
import { describe, expect, it } from "vitest";
import { parseActing, splitWords, type Places } from "../../src/main/lab/acting.ts";

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
  ])("%s", (line, acting) => {
    expect(parseActing(line, places)).toEqual(acting);
  });

  it("keeps blanks in quotes, and refuses a quote that does not end", () => {
    expect(splitWords(`a 'b c' d"e f"g ""`)).toEqual(["a", "b c", "de fg", ""]);
    expect(() => splitWords("link 'cut")).toThrow("open quote");
  });
});

describe("what is wrong in an acting line is said with what is allowed", () => {
  it.each([
    ["", 'unknown act ""; there are: node, service, link, switch, partition, heal'],
    ["node kill pve9", 'unknown node "pve9"; there are: pve1, pve2, pve3'],
    ["node kill", "which node? There are: pve1, pve2, pve3"],
    ["node explode pve1", "start|stop|kill|pause|resume|reboot"],
    ["node kill pve1 --after soon", "virtual seconds from 0 to 86400"],
    ["link cut pve3:net1", 'unknown network of pve3 "net1"; there is: net0'],
    ["link cut pve1 --direction up", "in, out, both"],
    ["link cut pve1 --to pve1", "is the node itself"],
    ["link cut pve1 --loss 3", "unknown option --loss; there are: --to --direction"],
    ["link set pve1:net0", "--delay --jitter --loss --dup --reorder"],
    ["link set pve1:net0 --loss 101", "0 to 100"],
    ["link set pve1:net0 --delay -3", "0 to 60000"],
    ["switch off net9", 'unknown network "net9"; there are: net0, net1'],
    ["partition pve1", "two groups or more"],
    ["partition pve1 pve1,pve2", "pve1 stands in two groups"],
    ["service stop pve1 nginx", "this version has: corosync"],
    ["heal pve1", "link heal NODE[:NET]"],
  ])("%s", (line, said) => {
    expect(() => parseActing(line, places)).toThrow(said);
  });

  it.each([
    "block pve1 5405/udp",
    "clock pve1 --skew 2",
    "net add x",
    "nic down pve1 net0",
    "node add pve4",
    "link set pve1:net0 --rate 10",
  ])("%s belongs to a later version, and says what this one has", (line) => {
    expect(() => parseActing(line, places)).toThrow(/is not part of this version; \S/);
  });
});
