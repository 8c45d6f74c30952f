/**
 * Questions about files that change nothing: no descriptor, no access time, no place in a queue. In the real stack there is no such thing; here it is what the page, completion
 * and commands that only ask are answered from. A served file system is asked through a pure question of its program, where it can answer one.
 */
import type { Errno, FileCall, FileReply, ServedReply, ServedRequest } from "../../kernel/index.ts";
import { isReading, localCall } from "./local-calls.ts";
import type { Files } from "./files.ts";
import { failed, type Context } from "./replies.ts";
import { perform } from "./perform.ts";
import { servedCall } from "./served-calls.ts";
import { NOT_CONNECTED, locate, pathIn, serve, type Asking } from "./served-path.ts";
import { isPoint, walk } from "./walk.ts";

/** Asks the program that serves a mount without an event; "would-wait" where it does not run or would have to change something. */
export type AskServer = (server: number, mount: number, request: ServedRequest) => ServedReply | "would-wait";

const never: AskServer = () => "would-wait";
const nobodyWaits = (): boolean => false;

/** @param pid whose working directory and descriptors count; undefined: root's, in the root directory */
export function peek(files: Files, pid: number | undefined, call: FileCall, ask: AskServer = never): FileReply | "would-wait" | "acts" {
  if (!isReading(call)) return "acts";
  const c = files.askingAs(pid);
  const reply = localCall(c, call, nobodyWaits);
  return reply === "served" ? run(c, servedCall(call), ask) : reply;
}

function run(c: Context, asking: Asking<FileReply>, ask: AskServer): FileReply | "would-wait" {
  let next = asking.next(undefined as never);
  while (next.done !== true) {
    if (next.value.step !== "serve") {
      next = asking.next(perform(c, next.value, nobodyWaits));
      continue;
    }
    const { fs } = c.table.get(next.value.mount);
    const reply: ServedReply | "would-wait" =
      fs.kind === "served" && !fs.dead ? ask(fs.server, next.value.mount, next.value.request) : NOT_CONNECTED;
    if (reply === "would-wait") return reply;
    next = asking.next(reply);
  }
  return next.value;
}

/** A part of a file; without it the whole. */
export interface Part {
  readonly at?: number;
  readonly length?: number;
}

/** A file, or a part of it: its bytes, or why not. */
export function peekRead(
  files: Files,
  pid: number | undefined,
  path: string,
  ask: AskServer = never,
  { at = 0, length = READ_ALL }: Part = {},
): FileReply | "would-wait" {
  const c = files.askingAs(pid);
  const walked = walk(c.table, c.view, path, "follow");
  if (typeof walked === "string") return failed(walked);
  if (isPoint(walked)) return run(c, servedContents(files, pid, path, at, length), ask);
  if (walked.place === undefined) return failed("ENOENT");
  const { fs } = c.table.get(walked.place.mount);
  const found = c.table.attributes(walked.place);
  if (fs.kind === "served" || found === undefined) return failed("ENOENT");
  const wrong = unreadable(found.type);
  if (wrong !== undefined) return failed(wrong);
  const data = fs.read(walked.place.ino, at, fs.kind === "tree" ? Math.max(0, Math.min(length, found.size - at)) : length);
  return typeof data === "string" ? failed(data) : { ok: true, value: "data", data };
}

function unreadable(type: string): Errno | undefined {
  if (type === "file") return undefined;
  return type === "directory" ? "EISDIR" : "ENXIO";
}

/** More than any file of /proc or of a served file system has. */
const READ_ALL = 64 * 1024 * 1024;

function* servedContents(files: Files, pid: number | undefined, path: string, at: number, length: number): Asking<FileReply> {
  const where = yield* locate(path, "follow");
  if (typeof where === "string") return failed(where);
  if ("outside" in where) {
    const reply = peekRead(files, pid, where.outside, never, { at, length });
    return reply === "would-wait" ? failed("EIO") : reply;
  }
  if (where.attr === undefined) return failed("ENOENT");
  const wrong = unreadable(where.attr.type);
  if (wrong !== undefined) return failed(wrong);
  const reply = yield* serve(where.mount, { op: "read", path: pathIn(where.names), handle: 0, length, at });
  if (!reply.ok) return reply;
  return reply.value === "data" ? { ok: true, value: "data", data: reply.data } : failed("EIO");
}

/** A whole file that has to be there at once, as text is read at boot: its bytes, or undefined. */
export function contentsOf(files: Files, path: string): Uint8Array | undefined {
  const reply = peekRead(files, undefined, path);
  return reply !== "would-wait" && reply.ok && reply.value === "data" ? reply.data : undefined;
}
