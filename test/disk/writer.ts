/** A process that writes commits for as long as it runs, applies some of them, and tells its parent which one is on the disk. */
import { Contents } from "../../src/engine/host/disk/contents.ts";
import { Disk } from "../../src/engine/host/disk/disk.ts";
import { diskFile, storeFile, write } from "./commits.ts";

const dir = process.argv[2] ?? ".";
const disk = new Disk(diskFile(dir), new Contents(storeFile(dir)));
process.on("disconnect", () => process.exit(1));

function next(seq: number): void {
  disk.write([write(seq, seq)]);
  if (seq % 7 === 0) disk.settle(seq - 3);
  process.send?.(seq, () => setImmediate(next, seq + 1));
}

next(1);
