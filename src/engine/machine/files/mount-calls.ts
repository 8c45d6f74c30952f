/**
 * mount(2), umount2(2) and what fusermount does for a process that serves a file system. In the real stack: fs/namespace.c. Left out: bind, move, propagation; only a
 * directory of the root file system or of a tmpfs can be a mount point.
 */
import type { FileCall, FileReply } from "../../kernel/index.ts";
import { ROOT_MOUNT, type MountTable, type Place } from "./mounts.ts";
import { DONE, count, failed, type Context } from "./replies.ts";
import { Tree } from "./tree.ts";
import { isPoint, walk } from "./walk.ts";

type CallOf<K extends FileCall["call"]> = Extract<FileCall, { call: K }>;

/** Half of a machine with 4 GiB, as tmpfs takes it where no size is given. */
const TMPFS_BYTES = 2 * 1024 * 1024 * 1024;
const TMPFS_INODES = 524_288;

export function newTmpfs(bytes: number, mode: number, now: number): Tree {
  return new Tree({ blocks: Math.ceil(bytes / 4096), inodes: TMPFS_INODES }, undefined).format(now, mode);
}

/** The directory to be covered. */
function mountPoint(c: Context, path: string): Place | FileReply {
  const walked = walk(c.table, c.view, path, "follow", c.links);
  if (typeof walked === "string") return failed(walked);
  if (isPoint(walked)) return failed("EINVAL");
  if (walked.place === undefined) return failed("ENOENT");
  const { fs } = c.table.get(walked.place.mount);
  if (c.table.attributes(walked.place)?.type !== "directory") return failed("ENOTDIR");
  return fs.kind === "tree" ? walked.place : failed("EINVAL");
}

export function mountCall(c: Context, call: CallOf<"mount" | "serve">): FileReply {
  const on = mountPoint(c, call.path);
  if ("ok" in on) return on;
  if (call.call === "serve") {
    const fs = { kind: "served", server: c.view.pid, dead: false } as const;
    return count(c.table.add({ type: "fuse", source: call.source, options: call.options, readOnly: false, fs, on }));
  }
  const size = call.bytes === undefined ? "" : `,size=${Math.ceil(call.bytes / 1024)}k`;
  const mode = call.mode === undefined ? "" : `,mode=${call.mode.toString(8)}`;
  const fs = newTmpfs(call.bytes ?? TMPFS_BYTES, call.mode ?? 0o1777, c.now);
  const options = `relatime${size}${mode}`;
  return count(c.table.add({ type: "tmpfs", source: call.source, options, readOnly: call.readOnly === true, fs, on }));
}

/** The mount whose root a path is. */
function mountAt(c: Context, path: string): number | FileReply {
  const walked = walk(c.table, c.view, path, "follow", c.links);
  if (typeof walked === "string") return failed(walked);
  if (isPoint(walked)) return walked.inside.length === 0 && walked.rest.length === 0 ? walked.point : failed("EINVAL");
  if (walked.place === undefined) return failed("ENOENT");
  return c.table.isRootOf(walked.place) ? walked.place.mount : failed("EINVAL");
}

export function remountCall(c: Context, call: CallOf<"remount">): FileReply {
  const id = mountAt(c, call.path);
  if (typeof id !== "number") return id;
  if (call.readOnly && c.views.writing(id)) return failed("EBUSY");
  c.table.replace(id, { readOnly: call.readOnly });
  return DONE;
}

/** Somebody mounted below it. */
function hasMounts(table: MountTable, id: number): boolean {
  return table.all().some((m) => m.on?.mount === id);
}

/** @param waiting whether a call waits for the process that serves this mount */
export function umountCall(c: Context, call: CallOf<"umount">, waiting: (mount: number) => boolean): FileReply {
  const id = mountAt(c, call.path);
  if (typeof id !== "number") return id;
  if (id === ROOT_MOUNT) return failed("EBUSY");
  if (call.lazy === true) {
    detachBelow(c.table, id);
    return DONE;
  }
  if (c.views.using(id) || hasMounts(c.table, id) || waiting(id)) return failed("EBUSY");
  detachBelow(c.table, id);
  return DONE;
}

/** It and what is mounted below it cannot be reached by a path any more. */
function detachBelow(table: MountTable, id: number): void {
  for (const mount of table.all()) if (mount.on?.mount === id) detachBelow(table, mount.id);
  table.replace(id, { on: undefined, detached: true });
}
