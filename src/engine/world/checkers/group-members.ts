/**
 * Group members: once process groups have synchronised on a ring, nobody is a member of one whose node is not in that ring. What a client of closed process groups relies on that waits for
 * everybody's state. Left out: daemons of releases that are known to keep such members (`keepsLost`).
 */
import type { TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

export class GroupMembers implements Checker {
  readonly name = "group-members";
  readonly sentence = "nobody is a member of a process group whose node is in no ring";

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "groups" || event.keepsLost) return;
    const lost = event.nodes.filter((id) => !event.members.includes(id));
    if (lost.length > 0)
      complain(`${machine} counts members on node ${lost.join(", ")}, which is not in its ring of ${event.members.join(" ")}`);
  }
}
