/** Labs that another version made: known by the first line of their record, and refused before anything in their directory is touched. */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { ENGINE_VERSION } from "../../../engine/world/index.ts";
import { Trouble } from "../trouble.ts";

/** The engine's version stands in the first of these bytes of a record. */
const headBytes = 256;

/** Throws Trouble where a record is there and of another engine: what was found, and what can be done. */
export function refuseOtherVersion(dir: string): void {
  const engine = /^\{"quorateRecord":\d+,"engine":"([^"]*)"/.exec(beginning(join(dir, "record.jsonl")))?.[1];
  if (engine !== undefined && engine !== ENGINE_VERSION)
    throw otherVersion(`${dir} is a lab of engine ${engine}, this is ${ENGINE_VERSION}`);
}

/** @param what was found */
export function otherVersion(what: string): Trouble {
  return new Trouble("lab", `${what}; bring it up with the version that made it, or "quorate rm" deletes it`);
}

function beginning(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    // It never ran, or cannot be read, which whoever reads all of it says.
    return "";
  }
  try {
    const bytes = Buffer.alloc(headBytes);
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
