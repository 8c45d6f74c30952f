/** What the page draws of the past is what it drew then: components, labels, cables, bands, marks; and so it is after a rollback. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { parseRecord, replay } from "../../src/engine/world/index.ts";
import { advance, beginLab } from "../../src/main/lab/scenario/advance.ts";
import type { LabEvent, LabSnapshot } from "../../src/main/lab/api.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import { testDisks } from "./node-disks.ts";

let dir: string;
let disk: LabDisk;
let lab: Lab;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "quorate-seek-"));
  disk = new LabDisk(dir);
  const file = defaultLabFile({ nodes: 3, links: 1, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const text = printLabFile(file);
  const { world } = disk.open(text, worldDesign(file), makeNode);
  beginLab(world, file);
  const disks = testDisks();
  lab = new Lab(
    inProcess(world, disks, { speed: 1, paused: true }, () => lab.faults),
    { dir, file, text, version: "test", disk, disks },
  );
});

afterEach(async () => {
  await lab.close();
  disk.close();
  rmSync(dir, { recursive: true, force: true });
});

function pass(seconds: number): void {
  advance(lab.world, lab.world.now + seconds * 1e6, () => false);
}

/** The snapshot as it is sent now. */
const sent = (): LabSnapshot => JSON.parse(JSON.stringify(lab.snapshot())) as LabSnapshot;

/** All but what the past does not have: something to undo, and whether the timeline is to be asked for again. */
const drawn = ({ history: _, ...snapshot }: LabSnapshot): Omit<LabSnapshot, "history"> => ({ ...snapshot, undo: null });

describe("the page's past", () => {
  it("is what was drawn then, at every instant", async () => {
    const then: LabSnapshot[] = [];
    for (const line of [
      "link cut pve3:net0",
      "node kill pve1",
      "heal",
      "node start pve1",
      "service stop pve2 corosync",
      "node pause pve3",
    ]) {
      await lab.acts.act(line);
      then.push(sent());
      for (const seconds of [0.8, 1.1, 9]) {
        pass(seconds);
        then.push(sent());
      }
      // An instant of the past shows its acts done, so the next act wants an instant of its own.
      pass(0.1);
    }
    for (const snapshot of then.toReversed()) {
      const found = await lab.seek(snapshot.time.instant, false);
      expect(drawn(found.snapshot)).toEqual(drawn(snapshot));
      expect(found.status.nodes).toEqual(snapshot.nodes);
    }
  });

  it("is gone back to by a rollback: rings keep their labels, later bands, marks and what could be undone are gone", async () => {
    await lab.acts.act("link cut pve3:net0");
    pass(10);
    const calm = sent();
    await lab.saveSnapshot("calm");
    pass(1);
    await lab.acts.act("node kill pve2");
    pass(10);
    const events: LabEvent[] = [];
    lab.onEvent((event) => events.push(event));
    let told = "";
    lab.shell.reachable("pve1");
    await lab.shell.command("pve1", ["systemctl", "restart", "corosync"], "/", "", {
      output: (_stream, data) => (told += data),
      prompt: () => undefined,
      exit: (status) => (told += String(status)),
    }, () => undefined); // prettier-ignore
    await lab.rollback("calm");
    expect(told).toBe("Connection to pve1 closed.\n255");
    expect(events).toContainEqual({ event: "rolled-back", instant: calm.time.instant });
    const after = sent();
    expect(after.marks.at(-1)).toEqual({ instant: calm.time.instant, kind: "act", text: "rolled back to calm" });
    expect({ ...drawn(after), marks: after.marks.slice(0, -1) }).toEqual(drawn(calm));
    // The new course has labels, a past and a record of its own.
    await lab.acts.act("heal");
    pass(15);
    expect(lab.snapshot().components.map((c) => c.letter)).toEqual(["A"]);
    expect(drawn((await lab.seek(calm.time.instant - 1e6, false)).snapshot).components.map((c) => c.letter)).toEqual(["A", "B"]);
    await lab.output.noteTime();
    const outcome = parseRecord(readFileSync(disk.path("record"), "utf8"));
    if (!outcome.ok) throw new Error(outcome.message);
    expect(outcome.record.notes).toEqual([{ at: calm.time.instant, note: "rolled back to calm" }]);
    const again = replay(worldDesign(parseLabFile(outcome.record.lab, "record")), makeNode, outcome.record);
    expect(again).toMatchObject({ equal: true });
    expect(again.compared).toBeGreaterThan(10);
  });

  it("of a lab whose disk refuses the rollback is not touched", async () => {
    await lab.saveSnapshot("calm");
    pass(5);
    const before = sent();
    disk.rewind = () => {
      throw new Error("the disk is full");
    };
    await expect(lab.rollback("calm")).rejects.toThrow("the disk is full");
    expect(drawn(sent())).toEqual(drawn(before));
  });
});
