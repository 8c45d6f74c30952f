/** A lab for tests of what the page is given. */
import { expect } from "vitest";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { LabDisk } from "../../src/main/lab/store/disk.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { inProcess } from "../../src/main/lab/process/lab-host.ts";
import { Lab } from "../../src/main/lab/lab.ts";
import { testDisks } from "./node-disks.ts";

/** A formed lab of three nodes, paused, without a directory: nothing of it is written. */
export function formedLab(links = 1, disk = new LabDisk("/nowhere")): Lab {
  const file = defaultLabFile({ nodes: 3, links, clustered: true, name: "lab", seed: "5", epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(file), makeNode);
  expect(beginLab(world, file)).toBeUndefined();
  const disks = testDisks();
  const lab: Lab = new Lab(
    inProcess(world, disks, { speed: 1, paused: true }, () => lab.faults),
    { dir: "/nowhere", file, text: "", version: "test", disk, disks },
  );
  return lab;
}
