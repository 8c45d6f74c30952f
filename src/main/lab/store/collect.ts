/** What of a lab's store is still needed: what its disks, its state files and its named snapshots refer to. The rest goes when the lab is brought up, before anybody writes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NodeDisks } from "../../../engine/host/disk/node-disks.ts";
import { files, kinds } from "./disk.ts";
import { snapshotName, snapshotPaths } from "./named-snapshots.ts";
import { referredBy, SealTrouble, type SealedKind } from "./sealed-file.ts";
import { Trouble } from "../trouble.ts";

/** Hashes of the pieces that a file refers to; none where it can never be read again, which is said. Throws Trouble where that cannot be told. */
function needed(path: string, kind: SealedKind, said: string[]): readonly string[] {
  try {
    return referredBy(path, kind);
  } catch (error) {
    if (!(error instanceof SealTrouble) || error.fault === "version") throw error;
    const name = kind === "snap" ? snapshotName(path) : undefined;
    said.push(name === undefined ? error.message : `${error.message}; "quorate snapshot --delete ${name}" deletes it`);
    return [];
  }
}

/**
 * Forgets the contents of files that nobody refers to any more. Only while no other process of the lab runs.
 * @returns what is to be said: state files that are damaged, or why nothing was forgotten
 */
export function collectContents(dir: string, disks: NodeDisks): string[] {
  const sealed: [string, SealedKind][] = [
    [join(dir, files.frozen), kinds.frozen],
    [join(dir, files.disks), kinds.disks],
    ...snapshotPaths(dir).map((path): [string, SealedKind] => [path, "snap"]),
  ];
  const said: string[] = [];
  const referred = new Set<string>();
  try {
    for (const [path, kind] of sealed) if (existsSync(path)) for (const hash of needed(path, kind, said)) referred.add(hash);
  } catch (error) {
    // What it refers to may be needed yet.
    if (!(error instanceof Trouble)) throw error;
    return [...said, `contents of deleted files are kept in ${disks.contents.file}: ${error.message}`];
  }
  return [...said, ...disks.collect(referred)];
}
