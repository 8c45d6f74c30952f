/**
 * Changes of a node that has no cluster, or does as if (`pmxcfs -l`): each is made at once, and nobody else hears of it. In the real stack: what dcdb.c does without a DFSM.
 */
import type { Errno } from "../kernel/index.ts";
import type { ChangeSender } from "./file-system.ts";
import type { Memdb } from "./memdb.ts";
import { applyOperation, type Operation } from "./operations.ts";

export class LocalChanges implements ChangeSender {
  constructor(
    private readonly memdb: Memdb,
    /** Seconds since 1970. */
    private readonly seconds: () => number,
  ) {}

  quorate(): boolean {
    return true;
  }

  send(_token: number, operation: Operation): Errno | "done" {
    return applyOperation(this.memdb, operation, { writer: 0, mtime: this.seconds() }) ?? "done";
  }

  ask(operation: Operation): void {
    if (operation.op !== "unlock request") return;
    const lock = this.memdb.lockAge(operation.path);
    if (lock?.age === "expired") this.send(0, { ...operation, op: "unlock", checksum: lock.checksum });
  }
}
