/**
 * Owner, mode and sizes of what is in /etc/pve: made of path, quorum and contents, never stored. In the real stack: pmxcfs's cfs-plug.c and memdb plug. Left out: st_blocks,
 * which no call of the lab has.
 */
import type { Instant, ServedAttr } from "../kernel/index.ts";
import { DIRECTORY, sizeOf, type TreeEntry } from "./entry.ts";
import { isActionScript, isPrivate } from "./paths.ts";

/** Group www-data. */
export const WWW_DATA = 33;

const READ_ONLY = ~0o222;

function attr(type: ServedAttr["type"], mode: number, size: number, at: Instant): ServedAttr {
  return { type, mode, nlink: type === "directory" ? 2 : 1, uid: 0, gid: WWW_DATA, size, atime: at, mtime: at, ctime: at };
}

/** @param at its time of change as an instant */
export function attributesOf(path: string, entry: TreeEntry, quorate: boolean, at: Instant): ServedAttr {
  const mask = quorate || path === "" ? -1 : READ_ONLY;
  if (entry.type === DIRECTORY) return attr("directory", (isPrivate(path) ? 0o700 : 0o755) & mask, 0, at);
  const base = isPrivate(path) ? 0o600 : 0o640;
  return attr("file", (isActionScript(path) ? base | 0o100 : base) & mask, sizeOf(entry), at);
}

export function linkAttributes(target: string, quorate: boolean, at: Instant): ServedAttr {
  return attr("symlink", quorate ? 0o755 : 0o555, target.length, at);
}

export function specialAttributes(writable: boolean, bytes: number, at: Instant): ServedAttr {
  return attr("file", writable ? 0o640 : 0o440, bytes, at);
}

/** chmod(2) is a promise that nothing needs to change: one mode alone is taken, for directories too. */
export function mayHaveMode(path: string, mode: number): boolean {
  return mode === (isPrivate(path) ? 0o600 : 0o640);
}

export function mayHaveOwner(uid: number, gid: number): boolean {
  return (uid === 0 || uid === -1) && (gid === WWW_DATA || gid === -1);
}
