// What the options of the quorum section allow two components, and what they do not: splits of clusters that have them, looked on at by the checkers.
import { expect, test } from "vitest";
import { InvariantWatch } from "../../src/engine/world/checkers/index.ts";
import { runWatched } from "../../src/engine/world/fuzz/rest.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/advance.ts";
import { worldDesign } from "../../src/main/lab/design.ts";
import { freshLabFile } from "../../src/main/lab/fresh.ts";

/** Splits a cluster of `nodes` nodes into each of `splits` for 30 s, one after the other. @returns who is quorate then, and what was broken */
function split(nodes: number, quorum: Record<string, string | number>, ...splits: number[][][]): { quorate: string[]; broken: string[] } {
  const file = freshLabFile({ nodes, links: 1, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
  const lab = { ...file, cluster: { name: "lab", quorum } };
  const world = new World(worldDesign(lab), makeNode);
  const watch = new InvariantWatch(world);
  world.watch(watch);
  expect(beginLab(world, lab)).toBeUndefined();
  runWatched(world, world.now + 15e6, watch);
  for (const groups of splits) {
    world.act({ to: "fabric", act: { kind: "heal" } });
    world.act({ to: "fabric", act: { kind: "partition", groups: groups.map((g) => g.map((n) => `pve${n}`)) } });
    runWatched(world, world.now + 30e6, watch);
  }
  const quorate = world.statuses().filter((s) => s.quorum?.quorate === true);
  return { quorate: quorate.map((s) => s.name), broken: [...new Set(watch.violations.map((v) => v.invariant))].sort() };
}

test("two_node: both of two go on; of three it is no excuse", () => {
  expect(split(2, { two_node: 1 }, [[1], [2]])).toEqual({ quorate: ["pve1", "pve2"], broken: [] });
  expect(split(3, { two_node: 1 }, [[1], [2, 3]])).toEqual({
    quorate: ["pve1", "pve2", "pve3"],
    broken: ["one-quorate-component", "quorum-arithmetic"],
  });
});

test("auto_tie_breaker: one half goes on; two only where those who were apart remember other nodes", () => {
  const tie = { auto_tie_breaker: 1 };
  expect(
    split(4, tie, [
      [1, 2],
      [3, 4],
    ]),
  ).toEqual({ quorate: ["pve1", "pve2"], broken: [] });
  expect(
    split(
      4,
      tie,
      [[1], [2, 3, 4]],
      [
        [1, 4],
        [2, 3],
      ],
    ),
  ).toMatchObject({ broken: [] });
});

test("last_man_standing: after the window two may go on, each with a majority of what it expects", () => {
  const last = { last_man_standing: 1, wait_for_all: 1 };
  expect(
    split(5, last, [
      [1, 2, 3],
      [4, 5],
    ]),
  ).toEqual({ quorate: ["pve1", "pve2", "pve3"], broken: [] });
  expect(
    split(
      5,
      last,
      [
        [1, 2, 3],
        [4, 5],
      ],
      [
        [1, 2],
        [3, 4, 5],
      ],
    ),
  ).toMatchObject({ broken: [] });
});
