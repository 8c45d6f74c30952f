// What the options of the quorum section allow two components, and what they do not: splits of clusters that have them, looked on at by the checkers.
import { expect, test } from "vitest";
import { InvariantWatch } from "../../src/engine/world/checkers/index.ts";
import { runWatched } from "../../src/engine/fuzz/rest.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";

/** Splits a cluster of `nodes` nodes into each of `splits` for 30 s, with a device for 60, one after the other. @returns who is quorate then, and what was broken */
function split(
  nodes: number,
  quorum: Record<string, string | number> | "device",
  ...splits: number[][][]
): { quorate: string[]; broken: string[] } {
  const qdevice = quorum === "device";
  const file = defaultLabFile({ nodes, links: 1, clustered: true, qdevice, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
  const lab = qdevice ? file : { ...file, cluster: { name: "lab", quorum } };
  const world = new World(worldDesign(lab), makeMachine);
  const watch = new InvariantWatch(world);
  world.watch(watch);
  expect(beginLab(world, lab)).toBeUndefined();
  runWatched(world, world.now + 15e6, watch);
  for (const groups of splits) {
    world.act({ to: "fabric", act: { kind: "heal" } });
    world.act({ to: "fabric", act: { kind: "partition", groups: groups.map((g) => g.map((n) => `pve${n}`)) } });
    runWatched(world, world.now + (qdevice ? 60e6 : 30e6), watch);
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

// Recorded with corosync-qnetd 3.0.3: it judges a client when that speaks. 1 and 2 have the votes by the tie breaker; when 3 has come to 4 and 5 these are more and
// have them too; 1 and 2 have said nothing since and keep theirs, minutes later as well.
test("a quorum device with lms: who has the votes keeps them while others come together and are more", () => {
  const found = split(5, "device", [[1, 2], [4, 5], [3]]);
  expect(found).toEqual({ quorate: ["pve1", "pve2"], broken: [] });
  const both = split(
    5,
    "device",
    [[1, 2], [4, 5], [3]],
    [
      [1, 2],
      [3, 4, 5],
    ],
  );
  expect(both).toEqual({ quorate: ["pve1", "pve2", "pve3", "pve4", "pve5"], broken: [] });
});

test("a cluster in the place of another has rings of its own, with the ids of rings that were", () => {
  const file = defaultLabFile({ nodes: 5, links: 1, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
  const design = worldDesign(file);
  const world = new World(design, makeMachine);
  const watch = new InvariantWatch(world);
  world.watch(watch);
  expect(beginLab(world, file)).toBeUndefined();
  runWatched(world, world.now + 15e6, watch);
  const rings = (): string[] =>
    world.statuses().flatMap(({ corosync }) => (corosync === null ? [] : [`${corosync.ringId}: ${corosync.members.join(" ")}`]));
  const seen = new Set(rings());
  for (const { name } of design.machines)
    expect(world.act({ to: "lab", act: { kind: "machine-remove", machine: name } })).toMatchObject({ ok: true });
  for (const machine of design.machines)
    expect(world.act({ to: "lab", act: { kind: "machine-add", machine } })).toMatchObject({ ok: true });
  // Other members than then, under the same ids.
  world.act({ to: "fabric", act: { kind: "link-cut", link: { node: "pve5", direction: "both" } } });
  const again = new Set<string>();
  for (let i = 0; i < 900; i++) {
    runWatched(world, world.now + 1e5, watch);
    for (const ring of rings()) again.add(ring);
  }
  const idOf = (ring: string): string => ring.slice(0, ring.indexOf(":"));
  const both = [...again].filter((ring) => [...seen].some((other) => idOf(other) === idOf(ring) && other !== ring));
  expect([both.length > 0, watch.violations]).toEqual([true, []]);
});
