/** The program of a worker whose machine has a disk: its commits go to a file of the test, a line each, in the folder that QUORATE_TEST_DISKS names. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { DiskSink } from "../../src/engine/host/disk-sink.ts";
import { serve } from "../../src/engine/host/serve.ts";
import { makeCommitter } from "./committer.ts";

const dir = process.env["QUORATE_TEST_DISKS"] ?? "";
const note = (machine: string, text: string): void => appendFileSync(join(dir, machine), text);
const disks: DiskSink = {
  write: (machine, commits) => note(machine, commits.map(({ at, commit }) => `${commit.seq} ${at}\n`).join("")),
  confirmed: (machine, until) => note(`${machine}.confirmed`, `${until}\n`),
};
serve(() => makeCommitter, disks);
