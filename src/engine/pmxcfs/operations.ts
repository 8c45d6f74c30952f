/**
 * The changes that nodes send each other, and what each does to a tree. In the real stack: pmxcfs's dcdb.c, the operations of its process group. Every member applies them in
 * one order, so that each comes to the same tree.
 */
import type { Errno } from "../kernel/index.ts";
import type { Author, Memdb } from "./memdb.ts";

export type Operation =
  /** `truncate`: the file ends behind the data; without data, at the offset. */
  | { readonly op: "write"; readonly path: string; readonly offset: number; readonly data: Uint8Array; readonly truncate: boolean }
  | { readonly op: "mkdir" | "create" | "delete"; readonly path: string }
  | { readonly op: "rename"; readonly path: string; readonly to: string }
  /** Seconds since 1970: what the entry's time becomes, and the root's. */
  | { readonly op: "mtime"; readonly path: string; readonly seconds: number }
  /** Somebody wants a lock: whether it is too old, the member with the lowest node id decides. */
  | { readonly op: "unlock request"; readonly path: string; readonly checksum: Uint8Array }
  | { readonly op: "unlock"; readonly path: string; readonly checksum: Uint8Array };

/** What a change comes to on a tree; undefined: done. `by` is the sender, with its clock. */
export function applyOperation(memdb: Memdb, operation: Operation, by: Author): Errno | undefined {
  switch (operation.op) {
    case "write":
      return memdb.write(operation.path, by, operation.offset, operation.data, operation.truncate);
    case "mkdir":
      return memdb.mkdir(operation.path, by);
    case "create":
      return memdb.create(operation.path, by);
    case "delete":
      return memdb.remove(operation.path, by);
    case "rename":
      return memdb.rename(operation.path, operation.to, by);
    case "mtime":
      return memdb.setMtime(operation.path, { writer: by.writer, mtime: operation.seconds });
    case "unlock":
      return memdb.unlock(operation.path, operation.checksum, by);
    case "unlock request":
      return undefined;
  }
}
