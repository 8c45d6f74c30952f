/** The directory of a lab that does not run: what is in it, and how one is made. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseLabFile, printLabFile } from "../file/labfile.ts";
import type { LabFile } from "../file/labfile-schema.ts";
import { makeDir, PRIVATE_MODE, writeAtomic } from "../store/atomic-files.ts";
import { isLabFile, makePrivate } from "../store/private-files.ts";
import { holderRuns, readLock } from "../store/lock.ts";
import { systemTrouble, Trouble } from "../trouble.ts";

export const labFileName = "lab.yaml";

/** What a lab's directory holds of the lab's own; anything else is somebody else's and is never deleted. Snapshots are deleted one by one. */
export const isOwn = (name: string): boolean => isLabFile(name) && name !== "snapshots";

/** The lab file, or the record that tells what stood in it. */
export const holdsLab = (dir: string): boolean => existsSync(join(dir, labFileName)) || existsSync(join(dir, "record.jsonl"));

export function isRunning(dir: string): boolean {
  const lock = readLock(dir);
  return lock !== undefined && holderRuns(lock);
}

/** Makes the directory with its lab file. Throws Trouble when it is somebody else's, or cannot be written. */
export function createLab(dir: string, lab: LabFile): void {
  const text = printLabFile(lab);
  // What is written is what will be read: a lab file that cannot be read back must not be made.
  parseLabFile(text, labFileName);
  try {
    makeDir(dir, true);
    const strangers = readdirSync(dir).filter((name) => !isOwn(name));
    if (strangers.length > 0) throw new Trouble("usage", `${dir} is not empty and holds no lab (${strangers[0]}); name another with --lab`);
  } catch (error) {
    throw systemTrouble(error, `lab directory ${dir}`);
  }
  writeAtomic(join(dir, labFileName), text, PRIVATE_MODE);
  makePrivate(dir);
}
