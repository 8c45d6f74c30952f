/** Disks for labs that tests run in this process: each in a folder of its own, which goes at the end of the file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { NodeDisks } from "../../src/engine/host/disk/node-disks.ts";

const made: NodeDisks[] = [];

export function testDisks(): NodeDisks {
  const disks = new NodeDisks(mkdtempSync(join(tmpdir(), "quorate-disks-")));
  made.push(disks);
  return disks;
}

afterAll(() => {
  for (const disks of made.splice(0)) {
    disks.close();
    rmSync(disks.dir, { recursive: true, force: true });
  }
});
