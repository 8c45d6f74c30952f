/** A node can be put away and taken up again: from a snapshot, also one that went through another process, it goes on exactly as it would have. */
import { describe, expect, test } from "vitest";
import { Hasher, MS, SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { TestNetwork } from "./lab.ts";

const digest = (network: TestNetwork): string => {
  const h = new Hasher();
  for (const node of network.nodes) node.digest(h);
  return h.hex();
};

/** What happens to node 3 while the test looks: something at every stage of a daemon's run. */
function play(network: TestNetwork, until: number): void {
  const acts: [number, () => void][] = [
    [6 * SEC, () => network.act(2, { kind: "service", op: "stop", unit: "corosync" })],
    [7.5 * SEC, () => network.act(2, { kind: "command", id: "c1", argv: ["systemctl", "start", "corosync"], cwd: "/", stdin: "" })],
    [12 * SEC, () => network.act(1, { kind: "service-stall", unit: "corosync" })],
    [16 * SEC, () => network.act(1, { kind: "service-resume", unit: "corosync" })],
    [17 * SEC, () => network.act(0, { kind: "file-write", path: "/root/x", data: utf8("x"), append: false })],
    [22 * SEC, () => network.act(2, { kind: "stall" })],
    [23 * SEC, () => network.act(2, { kind: "command", id: "c2", argv: ["corosync-quorumtool", "-s"], cwd: "/", stdin: "" })],
    [24 * SEC, () => network.act(2, { kind: "resume" })],
    [27 * SEC, () => network.act(2, { kind: "reboot" })],
  ];
  for (const [at, act] of acts) {
    if (at < network.now || at >= until) continue;
    network.runTo(at - 1);
    network.now = at;
    act();
  }
  network.runTo(until);
}

describe("snapshot and restore", () => {
  const stages = [0.1, 0.3, 2.4, 6.02, 6.25, 6.9, 7.7, 9.2, 14.5, 18, 23.5, 27.3, 30];
  test.each(stages)("at %f s the copy goes on to the same end", (second) => {
    const at = Math.round(second * SEC);
    const end = 35 * SEC;
    const original = new TestNetwork(["pve1", "pve2", "pve3"], { boot: 50 * MS });
    play(original, at);
    const copy = new TestNetwork(["pve1", "pve2", "pve3"], { boot: 50 * MS });
    // Through structuredClone, as to another process: nothing frozen or shared is left.
    original.nodes.forEach((node, i) => copy.node(i).restore(structuredClone(node.snapshot())));
    copy.now = original.now;
    copy.flights = structuredClone(original.flights);
    copy.sent = original.sent;
    expect(digest(copy)).toBe(digest(original));
    play(original, end);
    play(copy, end);
    expect(digest(copy)).toBe(digest(original));
    for (let i = 0; i < 3; i++) {
      expect(copy.lines(i)).toEqual(original.lines(i));
      expect(copy.node(i).status(end)).toEqual(original.node(i).status(end));
    }
  });

  test("taking one changes nothing, nor does any question", () => {
    const network = new TestNetwork(["pve1", "pve2", "pve3"]);
    network.runTo(5 * SEC);
    const before = digest(network);
    for (const node of network.nodes) {
      node.snapshot();
      node.status(network.now);
      for (const argv of [
        ["corosync-quorumtool", "-s"],
        ["corosync-cmapctl"],
        ["corosync-cmapctl", "-m", "stats"],
        ["journalctl", "-u", "corosync"],
      ]) {
        expect(node.query(network.now, { kind: "command", argv, cwd: "/", stdin: "" }).kind).toBe("result");
      }
      expect(node.query(network.now, { kind: "complete", argv: ["systemctl", "sta"], cwd: "/" })).toEqual({
        kind: "completions",
        candidates: ["start", "status"],
      });
    }
    expect(digest(network)).toBe(before);
  });

  test("the same seed gives the same run, another seed another", () => {
    const run = (seed: string): string => {
      const network = new TestNetwork(["pve1", "pve2"], { seed });
      network.runTo(6 * SEC);
      return digest(network);
    };
    expect(run("a")).toBe(run("a"));
    expect(run("a")).not.toBe(run("b"));
  });
});
