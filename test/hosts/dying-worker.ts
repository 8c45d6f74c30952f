/**
 * A worker that dies by SIGKILL at one point of its work on the disk of machine 0: `QUORATE_TEST_DIE` is "POINT COUNT", and it dies when it comes to that point for the
 * COUNTth time. Everything else is the product's own.
 */
import type { DiskSink } from "../../src/engine/host/disk-sink.ts";
import { Contents } from "../../src/engine/host/disk/contents.ts";
import { Database } from "../../src/engine/host/disk/database.ts";
import { WorkerDisk } from "../../src/engine/host/disk/node-disks.ts";
import { serve } from "../../src/engine/host/serve.ts";
import { loadedMachines } from "../../src/engine/fuzz/index.ts";

/**
 * computed: the effects of a stretch are there, nothing of them is on the disk. contents: the contents of a commit are there, its rows are not. half: within the transaction
 * that puts commits down. committed: they are on the disk, and nobody was told. applying: within the transaction that takes confirmed commits over into the rows.
 */
type Point = "computed" | "contents" | "half" | "committed" | "applying";

const [point = "", count = "0"] = (process.env["QUORATE_TEST_DIE"] ?? "").split(" ");
let left = Number(count);
let armed = false;

function at(here: Point): void {
  if (armed && here === point && --left === 0) process.kill(process.pid, "SIGKILL");
}

const disk = new WorkerDisk();
const dying: DiskSink = {
  begin(place, own) {
    const found = disk.begin(place, own);
    armed = place.number === 0;
    return found;
  },
  write(machine, commits) {
    at("computed");
    disk.write(machine, commits);
    at("committed");
  },
  confirmed: (machine, until) => disk.confirmed(machine, until),
};

const add = Contents.prototype.add;
Contents.prototype.add = function (this: Contents, chunks) {
  add.call(this, chunks);
  at("contents");
};

const run = Database.prototype.run;
Database.prototype.run = function (this: Database, sql, ...values) {
  run.call(this, sql, ...values);
  if (sql.includes("INTO redo")) at("half");
  if (sql.includes("INTO inode")) at("applying");
};

serve(loadedMachines, dying);
