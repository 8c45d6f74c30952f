/** What the page is given to draw: components, labels, cables, bands, problems. */
import { describe, expect, it } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { advance, beginLab } from "../../src/main/lab/scenario/advance.ts";
import { labSnapshot as snapshotSchema, type LabSnapshot } from "../../src/main/lab/api.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { letterOf, noRingLabels } from "../../src/main/lab/view/ring-labels.ts";
import { Trouble } from "../../src/main/lab/trouble.ts";
import { whyNot } from "../../src/main/lab/view/conditions.ts";
import { voteSentence } from "../../src/main/lab/view/components.ts";
import { formedLab } from "./formed-lab.ts";
import { testDisks } from "./node-disks.ts";

/** Lets `seconds` pass, or less when it holds before. */
function pass(lab: Lab, seconds: number, holds: () => boolean = () => false): boolean {
  return advance(lab.world, lab.world.now + seconds * 1e6, holds);
}

function members(lab: Lab, node: string, count: number): () => boolean {
  return () => whyNot({ nodes: [node], members: count, timeout: 0 }, lab.world) === undefined;
}

/** What the page gets; it is what the schema says it is. */
function seen(lab: Lab): LabSnapshot {
  const snapshot = lab.snapshot();
  expect(snapshotSchema.parse(JSON.parse(JSON.stringify(snapshot)))).toEqual(JSON.parse(JSON.stringify(snapshot)));
  return snapshot;
}

describe("a build that fails half way", () => {
  it("says why, and what was done of it can be taken back", async () => {
    const lab = formedLab(2);
    const { host } = lab;
    const act = host.act.bind(host);
    let left = 4;
    // As where no process comes up for a machine.
    host.act = async (change) => (left-- > 0 ? act(change) : Promise.reject(new Trouble("failed", "no process came up")));
    await expect(lab.acts.build({ nodes: 2, networks: 1, clustered: true, qdevice: false })).rejects.toThrow("no process came up");
    host.act = act;
    // Three machines and a network had gone by then.
    expect([lab.world.names, lab.world.design.networks.length]).toEqual([[], 1]);
    const { undo } = seen(lab);
    expect(undo).toBe("the part that was done of: built from nothing: 2 machines on 1 network, one cluster");
    await lab.acts.undo();
    expect([lab.world.names, lab.world.design.networks.length]).toEqual([["pve1", "pve2", "pve3"], 2]);
    expect(pass(lab, 60, members(lab, "pve1", 3))).toBe(true);
    await lab.close();
  });
});

describe("what the page draws", () => {
  it("is one component with its votes while all is well", async () => {
    const lab = formedLab();
    const { components, cables, problems, margin, faults, undo } = seen(lab);
    expect(components).toHaveLength(1);
    expect(components[0]).toMatchObject({ letter: "A", formed: true, nodes: ["pve1", "pve2", "pve3"], quorate: true });
    expect(components[0]?.sentence).toBe("3 of 3 votes, 2 needed, quorate; may lose 1 more");
    expect(cables.map((c) => c.state)).toEqual(["carrying", "carrying", "carrying"]);
    expect(problems.filter((p) => p.severity === "error")).toEqual([]);
    expect(margin).toBeGreaterThan(1);
    expect([faults, undo]).toEqual([[], null]);
    await lab.close();
  });

  it("shows the majority going on under its letter and the minority stopping under a new one, after a cable is cut", async () => {
    const lab = formedLab();
    await lab.acts.act("link cut pve3:net0");
    expect(pass(lab, 30, members(lab, "pve3", 1))).toBe(true);
    expect(pass(lab, 30, members(lab, "pve1", 2))).toBe(true);
    // Votes are counted when the services of all members are in step.
    expect(pass(lab, 30, members(lab, "pve2", 2))).toBe(true);
    const { components, cables, problems, faults, undo, marks } = seen(lab);
    expect(components.map((c) => [c.letter, c.nodes, c.sentence])).toEqual([
      ["A", ["pve1", "pve2"], "2 of 3 votes, 2 needed, quorate; may lose 0 more"],
      ["B", ["pve3"], "1 of 3 votes, 2 needed, not quorate"],
    ]);
    expect(cables.find((c) => c.node === "pve3")).toMatchObject({ cutIn: true, cutOut: true, state: "silent" });
    expect(problems.filter((p) => p.severity !== "note")).toEqual([
      expect.objectContaining({
        severity: "error",
        code: "cable-cut",
        nodes: ["pve3"],
        count: 5,
        fix: { label: "Heal the cable", act: "link heal pve3" },
      }),
    ]);
    expect(faults).toEqual([{ kind: "cut", node: "pve3", net: "net0", direction: "both" }]);
    expect(undo).toBe("cut cable pve3:net0");
    expect(marks.filter((m) => m.kind === "act").map((m) => m.text)).toEqual(["cut cable pve3:net0"]);
    await lab.acts.undo();
    expect(pass(lab, 30, members(lab, "pve1", 3))).toBe(true);
    expect(pass(lab, 30, members(lab, "pve3", 3))).toBe(true);
    expect(seen(lab).components.map((c) => c.letter)).toEqual(["A"]);
    await lab.close();
  });

  it("shows each gathering node's own belief", async () => {
    const lab = formedLab();
    await lab.acts.act("node kill pve3");
    expect(pass(lab, 30, () => lab.world.status("pve1").corosync?.state === "gather")).toBe(true);
    const component = seen(lab).components.find((c) => c.nodes.includes("pve1"));
    expect(component).toMatchObject({ formed: false, nodes: ["pve1"] });
    expect(lab.snapshot().nodes.find((n) => n.name === "pve3")).toMatchObject({ power: "off", corosync: null, quorum: null });
    await lab.close();
  });

  it("has a band for everything a node believed, without gaps, the last one open", async () => {
    const lab = formedLab();
    await lab.acts.act("node kill pve3");
    pass(lab, 20);
    await lab.acts.act("node start pve3");
    pass(lab, 30, members(lab, "pve3", 3));
    seen(lab);
    const mine = lab.history.window(0, lab.world.now + 1, 1e9).bands.filter((b) => b.node === "pve3");
    expect(mine.map((b) => b.state)).toEqual(expect.arrayContaining(["operational", "off", "booting", "gather"]));
    for (const [i, band] of mine.entries()) expect(band.to).toBe(mine[i + 1]?.from ?? null);
    await lab.close();
  });

  it("tells a link that is up and idle from one that carries", async () => {
    const lab = formedLab(2);
    pass(lab, 3);
    const states = new Set(seen(lab).cables.map((c) => `${c.net} ${c.state}`));
    expect(states).toEqual(new Set(["net0 carrying", "net1 idle"]));
    await lab.acts.act("switch off net0");
    pass(lab, 5);
    expect(new Set(seen(lab).cables.map((c) => `${c.net} ${c.state}`))).toEqual(new Set(["net0 down", "net1 carrying"]));
    await lab.close();
  });
});

describe("a lab whose record cannot be written", () => {
  it("refuses the act, stops its time and says why; and goes on once it can write again", async () => {
    const disk = new LabDisk("/nowhere");
    let full = false;
    disk.note = () => {
      if (full) throw new Trouble("failed", "write record.jsonl: the disk is full");
    };
    const lab = formedLab(1, disk);
    lab.resume();
    full = true;
    await expect(lab.acts.act("link cut pve3:net0")).rejects.toThrow("the disk is full");
    expect(lab.time().paused).toBe(true);
    expect(seen(lab).problems[0]).toMatchObject({ code: "lab-failed", text: "the lab is paused: write record.jsonl: the disk is full" });
    full = false;
    lab.resume();
    await lab.acts.act("heal");
    expect(lab.time().paused).toBe(false);
    await lab.close();
  });
});

describe("a lab that breaks an invariant", () => {
  it("stops at once, says which with its sentence and the seed, and keeps the record", async () => {
    let broken = false;
    // A node that believes in a quorum nobody else has a part in.
    const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
    const world = new World(worldDesign(file), (facts, design) => {
      const node = makeNode(facts, design);
      const runTimer = node.runTimer.bind(node);
      node.runTimer = (now, out) => {
        runTimer(now, out);
        if (broken && node.name === "pve1")
          out({ kind: "trace", event: { what: "quorum", node: 1, quorate: true, ring: "1.9", members: [9] } });
      };
      return node;
    });
    expect(beginLab(world, file)).toBeUndefined();
    const disk = new LabDisk("/nowhere");
    disk.note = () => undefined;
    const disks = testDisks();
    const lab: Lab = new Lab(
      inProcess(world, disks, { speed: "max", paused: true }, () => lab.faults),
      { dir: "/nowhere", file, text: "", version: "test", disk, disks },
    );
    const notices: string[] = [];
    lab.onEvent((event) => event.event === "notice" && notices.push(event.text));
    await lab.step("window", 5000);
    expect(notices).toEqual([]);
    broken = true;
    lab.resume();
    await expect.poll(() => lab.time().paused, { timeout: 10_000 }).toBe(true);
    const said =
      "the invariant one-quorate-component is broken: at most one component is quorate without an override; but pve1 with 9 on 1.9 and pve2 with 1 2 3 on 1.9 are both quorate (seed 5)";
    expect(notices).toEqual([said]);
    expect(seen(lab).problems[0]).toMatchObject({
      severity: "error",
      code: "invariant",
      text: said,
      mend: expect.stringContaining("record"),
    });
    expect(lab.record()).toContain('"quorateRecord"');
    await lab.close();
  });
});

describe("labels stay with their rings", () => {
  it("keeps a letter with the majority, gives the rest the next free one, and the first one to a merger", async () => {
    const labels = noRingLabels();
    expect(letterOf(labels, 1, "1.4", [1, 2, 3])).toBe("A");
    expect(letterOf(labels, 2, "1.4", [1, 2, 3])).toBe("A");
    expect(letterOf(labels, 3, "1.4", [1, 2, 3])).toBe("A");
    // The minority forms first and still does not take the letter.
    expect(letterOf(labels, 3, "3.8", [3])).toBe("B");
    expect(letterOf(labels, 1, "1.8", [1, 2])).toBe("A");
    expect(letterOf(labels, 2, "1.8", [1, 2])).toBe("A");
    expect(letterOf(labels, 3, "1.c", [1, 2, 3])).toBe("A");
  });

  it("gives two equal halves two labels", async () => {
    const labels = noRingLabels();
    for (const id of [1, 2, 3, 4]) letterOf(labels, id, "1.4", [1, 2, 3, 4]);
    expect(letterOf(labels, 3, "3.8", [3, 4])).toBe("B");
    expect(letterOf(labels, 1, "1.8", [1, 2])).toBe("A");
  });
});

describe("the sentence about votes", () => {
  it.each([
    [{ votes: 1, expectedVotes: 1, quorum: 1, quorate: true, mayLose: 0 }, "1 of 1 vote, 1 needed, quorate; may lose 0 more"],
    [{ votes: 1, expectedVotes: 3, quorum: 2, quorate: false, mayLose: 0 }, "1 of 3 votes, 2 needed, not quorate"],
  ])("%o", (votes, sentence) => {
    expect(voteSentence(votes)).toBe(sentence);
  });
});
