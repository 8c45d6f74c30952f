/**
 * What ps, pgrep, killall and the like have in common: the process list as a tool reads it, names of users, and processor time, which the lab does not model. In the real stack: libproc2.
 */
import { fromUtf8 } from "../kernel/index.ts";
import { PROCESS_LIST, PROCESS_LIST_CALL, type ProcessRow } from "../machine/index.ts";
import { call, contents, type ToolPart } from "./tool.ts";

export type { ProcessRow };

/** In the order of their pids. */
export function* processes(): ToolPart<readonly ProcessRow[]> {
  const reply = yield* call(PROCESS_LIST, { call: PROCESS_LIST_CALL });
  if (typeof reply === "string" || !Array.isArray(reply["rows"])) throw new Error("the kernel's process list does not answer");
  return reply["rows"] as readonly ProcessRow[];
}

/** Names by number, as /etc/passwd has them. */
export function* userNames(): ToolPart<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  const read = yield* contents("/etc/passwd");
  if (!read.ok || read.value !== "data") return names;
  for (const line of fromUtf8(read.data).split("\n")) {
    const [name, , uid] = line.split(":");
    if (name !== undefined && uid !== undefined && /^[0-9]+$/.test(uid) && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

/** A user by name or number; undefined where there is none. */
export function userNumber(names: ReadonlyMap<number, string>, word: string): number | undefined {
  for (const [uid, name] of names) if (name === word) return uid;
  return /^[0-9]{1,9}$/.test(word) ? Number(word) : undefined;
}

/** The command line as ps shows it. */
export function commandLine(row: ProcessRow): string {
  return row.state === "Z" ? `[${row.comm}] <defunct>` : row.argv.join(" ");
}

/** File name of what was executed, in full. */
export function programName(row: ProcessRow): string {
  const word = row.argv[0] ?? "";
  return word.slice(word.lastIndexOf("/") + 1);
}

/** Splits `1,2 3` as procps' options have lists. */
export function listOf(text: string): string[] {
  return text.split(/[ ,]+/).filter((w) => w !== "");
}
