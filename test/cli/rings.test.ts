/** Rings beside each other, as the page is given them: letters and keys are unique at every instant; a ring that installs holds those that have it. */
import { describe, expect, it } from "vitest";
import type { LabSnapshot } from "../../src/main/lab/api.ts";
import type { Lab } from "../../src/main/lab/lab.ts";
import { advance } from "../../src/main/lab/scenario/advance.ts";
import { freeLetter, leaveRing, letterOf, noRingLabels, lastLetter } from "../../src/main/lab/view/ring-labels.ts";
import { formedLab } from "./formed-lab.ts";

const telling: ReadonlySet<string> = new Set(["state", "membership", "quorum", "power"]);

/** A snapshot after everything that may have changed a ring in the next `seconds`. */
function watched(lab: Lab, seconds: number): LabSnapshot[] {
  const seen: LabSnapshot[] = [];
  let changed = true;
  const unwatch = lab.world.watch({
    effect: (_at, _machine, effect) => {
      if (effect.kind === "trace" && telling.has(effect.event.what)) changed = true;
    },
    input: () => undefined,
  });
  advance(lab.world, lab.world.now + seconds * 1e6, () => {
    if (changed) seen.push(lab.snapshot());
    changed = false;
    return false;
  });
  unwatch();
  return [...seen, lab.snapshot()];
}

function expectUnique(snapshots: readonly LabSnapshot[]): void {
  for (const { components } of snapshots) {
    const letters = components.filter(({ formed }) => formed).map(({ letter }) => letter);
    expect(new Set(letters).size, letters.join(" ")).toBe(letters.length);
    const keys = components.map(({ key }) => key);
    expect(new Set(keys).size, keys.join(", ")).toBe(keys.length);
  }
}

describe("rings that stand beside each other", () => {
  it("have letters and keys of their own, also while a node that stood still believes in an old one", async () => {
    const lab = formedLab();
    await lab.acts.act("node pause pve2");
    const before = watched(lab, 10);
    await lab.acts.act("node resume pve2");
    const after = watched(lab, 8);
    const both = after.find(({ components }) => components.filter(({ formed }) => formed).length === 2);
    expect(both?.components.map(({ letter, nodes }) => [letter, nodes])).toEqual([
      ["B", ["pve2"]],
      ["A", ["pve1", "pve3"]],
    ]);
    expectUnique([...before, ...after]);
    expect(after.at(-1)?.components.map(({ letter, nodes }) => [letter, nodes])).toEqual([["A", ["pve1", "pve2", "pve3"]]]);
    await lab.close();
  });

  it("hold only those that have installed them, and say so until all have", async () => {
    const lab = formedLab();
    await lab.acts.act("link cut pve3");
    watched(lab, 12);
    await lab.acts.act("heal");
    const seen = watched(lab, 12);
    expectUnique(seen);
    const unsettled = seen.flatMap(({ components }) => components).filter((one) => one.formed && !one.settled);
    expect(unsettled.length).toBeGreaterThan(0);
    for (const one of unsettled) {
      expect(one.cells.filter(({ present }) => present).map(({ node }) => node)).toEqual(one.nodes.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(one.sentence).toMatch(/members have installed it|services are syncing/);
    }
    expect(seen.at(-1)?.components.map(({ settled, votes }) => [settled, votes])).toEqual([[true, 3]]);
    await lab.close();
  });

  it("are formed by those that have heard each other", async () => {
    const lab = formedLab();
    await lab.acts.act("link cut pve3");
    const forming = watched(lab, 12).map((one) => JSON.stringify(one.forming));
    expect(forming).toContain('[["pve1","pve2"],["pve3"]]');
    expect(forming).not.toContain('[["pve1","pve2","pve3"]]');
    expect(forming.at(-1)).toBe("[]");
    await lab.close();
  });
});

describe("what a machine tells of a stall", () => {
  it("it is up since it was powered on, and its round trips are the last ones", async () => {
    const lab = formedLab();
    const upSince = lab.world.status("pve2").upSince;
    await lab.acts.act("node pause pve2");
    watched(lab, 10);
    expect(lab.world.status("pve2").upSince).toBe(upSince);
    expect(lab.snapshot().cables.find(({ node }) => node === "pve2")?.state).toBe("silent");
    await lab.acts.act("node resume pve2");
    watched(lab, 12);
    expect(lab.world.status("pve2").upSince).toBe(upSince);
    const round = lab.world.status("pve1").corosync?.links.find(({ to }) => to === 2)?.latencyLastUs;
    expect(round).toBeGreaterThan(0);
    expect(round).toBeLessThan(2_000);
    await lab.acts.act("node kill pve2");
    expect(lab.world.status("pve2").upSince).toBeNull();
    expect(lab.snapshot().cables.find(({ node }) => node === "pve2")?.state).toBe("down");
    await lab.close();
  });
});

describe("letters", () => {
  it("go on past Z, and are never given twice", () => {
    const labels = noRingLabels();
    const nodes = Array.from({ length: 32 }, (_, index) => index + 1);
    for (const node of nodes) letterOf(labels, node, "1.4", nodes);
    const letters = nodes.map((node) => letterOf(labels, node, `${node}.8`, [node]));
    expect(new Set(letters).size).toBe(32);
    expect(letters).toContain("AA");
    expect(freeLetter(new Set(letters))).not.toBe("");
  });

  it("an old ring in which one node still stands gives its letter to the majority", () => {
    const labels = noRingLabels();
    for (const node of [1, 2, 3]) letterOf(labels, node, "1.4", [1, 2, 3]);
    expect(letterOf(labels, 1, "1.8", [1, 3])).toBe("A");
    expect(letterOf(labels, 3, "1.8", [1, 3])).toBe("A");
    expect(lastLetter(labels, 2)).toBe("B");
    leaveRing(labels, 2);
    expect(letterOf(labels, 2, "2.c", [2])).toBe("B");
  });
});
