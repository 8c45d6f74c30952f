/**
 * Changes of a node in a cluster: each is a message to the group, and is done when it comes back. In the real stack: the sending half of pmxcfs's dcdb.c. A change is refused here without quorum already; what
 * was sent before it was lost is judged where it is delivered.
 */
import type { Errno, Hasher } from "../kernel/index.ts";
import type { Dfsm } from "./dfsm.ts";
import type { ChangeSender } from "./file-system.ts";
import { encodeOperation } from "./messages.ts";
import type { Operation } from "./operations.ts";

export type PendingChanges = readonly (readonly [count: number, token: number])[];

export class ClusterChanges implements ChangeSender {
  /** Tokens of changes by the number of their message. */
  private pending = new Map<number, number>();

  constructor(
    private readonly dfsm: () => Dfsm,
    private readonly hasQuorum: () => boolean,
  ) {}

  quorate(): boolean {
    return this.hasQuorum();
  }

  send(token: number, operation: Operation): Errno | "pending" {
    const count = this.ask(operation);
    if (count === undefined) return "EBUSY";
    this.pending.set(count, token);
    return "pending";
  }

  ask(operation: Operation): number | undefined {
    const { subtype, body } = encodeOperation(operation);
    return this.dfsm().send(subtype, body);
  }

  /** @returns the token of the change whose message has this number; undefined: nobody waits for it */
  take(count: number): number | undefined {
    const token = this.pending.get(count);
    this.pending.delete(count);
    return token;
  }

  snapshot(): PendingChanges {
    return [...this.pending];
  }

  restore(pending: PendingChanges): void {
    this.pending = new Map(pending);
  }

  digest(h: Hasher): void {
    h.int(this.pending.size);
    for (const [count, token] of this.pending) h.int(count).int(token);
  }
}
