/**
 * One quorate component: no two nodes believe in quorums that have no member in common, unless somebody overrode the votes. A node that has not yet
 * noticed a split still holds the old membership, which overlaps the new one; two disjoint quorums are a split brain. Left out: two_node and the
 * like, which break this by design.
 */
import type { MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";

interface Belief {
  readonly ring: string;
  readonly members: readonly number[];
}

export class OneQuorateComponent implements Checker {
  readonly name = "one-quorate-component";
  readonly sentence = "at most one component is quorate without an override";
  /** Machines that believe they are quorate, and in which membership. */
  private readonly quorate = new Map<string, Belief>();
  private overridden = false;

  begin(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync, quorum } of statuses)
      // While a node synchronises, its quorum is still that of a membership that is not told here.
      if (corosync !== null && !corosync.syncing && corosync.state === "operational" && quorum?.quorate === true)
        this.quorate.set(name, { ring: corosync.ringId, members: corosync.members });
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "quorum") return;
    if (!event.quorate) {
      this.quorate.delete(machine);
      return;
    }
    const mine: Belief = { ring: event.ring, members: event.members };
    this.quorate.set(machine, mine);
    if (this.overridden) return;
    for (const [other, belief] of this.quorate) {
      if (belief.members.some((id) => mine.members.includes(id))) continue;
      const say = (m: string, b: Belief): string => `${m} with ${b.members.join(" ")} on ${b.ring}`;
      complain(`${say(machine, mine)} and ${say(other, belief)} are both quorate`);
    }
  }

  gone(machine: string): void {
    this.quorate.delete(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }
}
