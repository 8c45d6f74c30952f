// What a person told a cluster to expect, and a member that was away: recorded with corosync 3.1.7. Votes given to a node raise what its fellows expect. It dies;
// they are inquorate. Started anew it has its own vote again, and nobody quorate tells it better: one ring, two opinions of the quorum, and they stay.
import { expect, test } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { InvariantWatch } from "../../src/engine/world/checkers/index.ts";
import { advance, beginLab } from "../../src/main/lab/scenario/advance.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";

test("votes raised by hand are not learnt by a node that starts anew beside inquorate ones", () => {
  const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(file), makeNode);
  const watch = new InvariantWatch(world);
  world.watch(watch);
  expect(beginLab(world, file)).toBeUndefined();
  const pass = (seconds: number): void => void advance(world, world.now + seconds * 1e6, () => false);
  const told = (name: string): unknown => {
    const { quorate, expectedVotes, totalVotes, quorum } = world.status(name).quorum ?? {};
    return { quorate, expectedVotes, totalVotes, quorum };
  };
  const argv = ["corosync-quorumtool", "-v", "3", "-n", "3"];
  world.act({ to: "machine", machine: "pve1", act: { kind: "command", id: "v", argv, cwd: "/root", stdin: "" } });
  pass(1);
  expect(told("pve1")).toEqual({ quorate: true, expectedVotes: 5, totalVotes: 5, quorum: 3 });
  world.act({ to: "machine", machine: "pve3", act: { kind: "service", op: "kill", unit: "corosync" } });
  pass(15);
  expect(told("pve1")).toEqual({ quorate: false, expectedVotes: 5, totalVotes: 2, quorum: 3 });
  world.act({ to: "machine", machine: "pve3", act: { kind: "service", op: "start", unit: "corosync" } });
  pass(20);
  expect(["pve1", "pve2", "pve3"].map(told)).toEqual([
    { quorate: true, expectedVotes: 5, totalVotes: 3, quorum: 3 },
    { quorate: true, expectedVotes: 5, totalVotes: 3, quorum: 3 },
    { quorate: true, expectedVotes: 3, totalVotes: 3, quorum: 2 },
  ]);
  watch.atRest(world.now, world.statuses());
  expect(watch.violations).toEqual([]);
});
