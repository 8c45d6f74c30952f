/** The shapes of a file call's answer, made in one place; in the real stack a return value and errno. And the conversation between a call and whoever runs it. */
import type { Errno, FileReply, Instant, Stat } from "../../kernel/index.ts";
import { deviceOf, type Attributes, type MountTable, type Place } from "./mounts.ts";
import type { View, Views } from "./views.ts";

/** What a call is answered from. */
export interface Context {
  readonly table: MountTable;
  readonly views: Views;
  readonly view: View;
  readonly now: Instant;
  /** A pure question: no access time moves. */
  readonly quiet: boolean;
  /** Links followed before, in a path that came back out of a served file system. */
  readonly links: number;
}

/** "served": a process has to be asked. */
export type Local = FileReply | "served";

export const DONE: FileReply = Object.freeze({ ok: true, value: "done" });

export const failed = (errno: Errno): FileReply => ({ ok: false, errno });

/** "done", or the error. */
export const doneOr = (errno: Errno | undefined): FileReply => (errno === undefined ? DONE : failed(errno));

export const count = (n: number): FileReply => ({ ok: true, value: "count", count: n });

export const pathReply = (path: string | undefined): FileReply =>
  path === undefined ? failed("ENOENT") : { ok: true, value: "path", path };

export function statReply(place: Place, found: Attributes): FileReply {
  const { type, mode, nlink, uid, gid, size, atime, mtime, ctime } = found;
  const stat: Stat = { dev: deviceOf(place.mount), ino: place.ino, type, mode, nlink, uid, gid, size, atime, mtime, ctime };
  return { ok: true, value: "stat", stat };
}

/** The access time of a file that was read, where it is kept. */
export function accessed(c: Context, place: Place): void {
  const { fs } = c.table.get(place.mount);
  if (!c.quiet && fs.kind === "tree" && fs.fault === "none" && !c.table.readOnly(place.mount)) fs.accessed(place.ino, c.now);
}
