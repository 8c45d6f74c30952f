/** The file acts and file queries of the machine interface on a tree: which operation each is, and its errno. In the real stack: the file system calls. */
import type { FileAct, Instant, MachineQuery, QueryReply } from "../kernel/index.ts";
import { changeMode, find, makeDirectory, remove, rename, statOf, touch, writeFile, type DirectoryNode, type Result } from "./files.ts";

/** The tree after the act, or the errno it failed with. */
export function applyFileAct(root: DirectoryNode, act: FileAct, now: Instant): Result<DirectoryNode> {
  switch (act.kind) {
    case "file-write":
      return writeFile(root, act.path, act.data, { append: act.append, mode: act.mode }, now);
    case "file-mkdir":
      return makeDirectory(root, act.path, act.parents, now);
    case "file-remove":
      return remove(root, act.path, act.recursive, now);
    case "file-rename":
      return rename(root, act.from, act.to, now);
    case "file-chmod":
      return changeMode(root, act.path, act.mode);
    case "file-touch":
      return touch(root, act.path, now);
  }
}

export type FileQuery = Extract<MachineQuery, { kind: "file-read" | "file-list" | "file-stat" }>;

/** `file-stat` does not follow a symbolic link in the last place (lstat); reading and listing do. */
export function answerFileQuery(root: DirectoryNode, query: FileQuery): QueryReply {
  const found = find(root, query.path, query.kind !== "file-stat");
  if (!found.ok) return { kind: "error", errno: found.errno };
  const node = found.value;
  if (query.kind === "file-stat") return { kind: "stat", stat: statOf(node) };
  if (query.kind === "file-read") {
    return node.type === "file" ? { kind: "file", data: node.data } : { kind: "error", errno: "EISDIR" };
  }
  if (node.type !== "directory") return { kind: "error", errno: "ENOTDIR" };
  return { kind: "list", entries: node.entries.map((e) => ({ name: e.name, stat: statOf(e.node) })) };
}
