/** What a machine's files commit, written to a node's disk as the host writes it, is the same file system when it is read again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Contents } from "../../src/engine/host/disk/contents.ts";
import { Disk } from "../../src/engine/host/disk/disk.ts";
import { Hasher } from "../../src/engine/kernel/index.ts";
import { PRELUDE, sequences, withDescriptor } from "./file-sequences.ts";
import { LabFiles } from "./lab-files.ts";

test("commits through disk.db and back", () => {
  const folder = mkdtempSync(join(tmpdir(), "quorate-disk-"));
  const contents = new Contents(join(folder, "contents.db"));
  let number = 0;
  fc.assert(
    fc.property(sequences("/w", 30), (sequence) => {
      const lab = new LabFiles();
      lab.files.attach(1);
      lab.must(1, { call: "mkdir", path: "/w", mode: 0o755 });
      lab.must(1, { call: "chdir", path: "/w" });
      lab.files.attach(2, 1);
      const disk = new Disk(join(folder, `disk-${number++}.db`), contents);
      for (const [n, { who, call }] of [...PRELUDE, ...sequence].entries()) {
        lab.now = n * 1000;
        lab.files.call(who + 1, withDescriptor(call, [...lab.files.views.view(who + 1).descriptors.keys()]));
        disk.write(lab.commits.splice(0).map((commit) => ({ at: lab.now, commit })));
        if (n % 5 === 0) disk.settle(lab.now);
      }
      disk.settle(lab.now);
      const { image, foreign } = disk.read();
      disk.close();
      expect(foreign).toBe(0);
      const again = LabFiles.of(image, (hash) => contents.get(hash));
      lab.files.powerLost();
      expect(rootDigest(again)).toBe(rootDigest(lab));
    }),
    { numRuns: 25, seed: 8 },
  );
  contents.close();
  rmSync(folder, { recursive: true });
});

function rootDigest({ files }: LabFiles): string {
  const h = new Hasher();
  files.root.digest(h);
  return h.hex();
}
