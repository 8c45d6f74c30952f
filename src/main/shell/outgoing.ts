/**
 * What leaves a shell for its machine. Inside, a string holds any bytes (bytes.ts); outside, text is well-formed, so that it is the same in every message and in the record. A file
 * name that is not is answered as by a file system that takes UTF-8 alone (ZFS with utf8only): EILSEQ. Arguments have execve's limits.
 */
import { TEXT_CHARS_MAX } from "../../engine/kernel/check.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import { encode, isText, textOf } from "./bytes.ts";

/** Linux: MAX_ARG_STRLEN, bytes of one argument or variable with its end. */
const ARGUMENT_BYTES_MAX = 131_072;
/** Linux: a quarter of the stack's limit, bytes of all arguments and variables. */
const ARGUMENTS_BYTES_MAX = 2 * 1024 * 1024;

/** The kernel's own answer to a call that need not reach the machine; undefined: it has to be asked. */
export function refusedCall(call: FileCall): Extract<FileReply, { ok: false }> | undefined {
  for (const value of Object.values(call)) {
    if (typeof value !== "string") continue;
    if (value.length > TEXT_CHARS_MAX) return { ok: false, errno: "ENAMETOOLONG" };
    if (!isText(value)) return { ok: false, errno: "EILSEQ" };
  }
  return undefined;
}

/** execve would say E2BIG. */
export function tooLong(argv: readonly string[], env: Readonly<Record<string, string>>): boolean {
  const sizes = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)].map((text) => encode(text).length + 1);
  return sizes.some((size) => size > ARGUMENT_BYTES_MAX) || sizes.reduce((sum, size) => sum + size, 0) > ARGUMENTS_BYTES_MAX;
}

/** Arguments as the process list shows them: what is no text as the replacement character, and no more than fits. */
export function shownArguments(argv: readonly string[]): string[] {
  let room = ARGUMENTS_BYTES_MAX;
  const shown: string[] = [];
  for (const text of argv) {
    if (room <= 0) break;
    shown.push(textOf(text.slice(0, Math.min(room, ARGUMENT_BYTES_MAX))));
    room -= text.length + 1;
  }
  return shown;
}
