/**
 * One quorate component: no two nodes believe in quorums that have no member in common, unless somebody overrode the votes. A node that has not yet
 * noticed a split still holds the old membership, which overlaps the new one; two disjoint quorums are a split brain. Left out: two_node, where both halves
 * stay quorate by design; last_man_standing and auto_tie_breaker, whose nodes decide by what they remember, so that those who were apart can decide apart.
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
  /** Some node has an option that allows it. */
  private allowed = false;
  /** Some daemon was looked at, so that its options are known. */
  private looked = false;
  /** What broke before that, to be judged then. */
  private waiting: string[] = [];

  begin(statuses: readonly MachineStatus[]): void {
    this.know(statuses);
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
    if (this.overridden || this.allowed) return;
    for (const [other, belief] of this.quorate) {
      if (belief.members.some((id) => mine.members.includes(id))) continue;
      const say = (m: string, b: Belief): string => `${m} with ${b.members.join(" ")} on ${b.ring}`;
      const text = `${say(machine, mine)} and ${say(other, belief)} are both quorate`;
      if (this.looked) complain(text);
      else this.waiting.push(text);
    }
  }

  look(statuses: readonly MachineStatus[], complain: Complain): void {
    this.know(statuses);
    if (this.looked && !this.allowed) for (const text of this.waiting) complain(text);
    if (this.looked) this.waiting = [];
  }

  private know(statuses: readonly MachineStatus[]): void {
    this.looked ||= statuses.some((s) => s.quorum !== null);
    this.allowed ||= statuses.some((s) => s.quorum?.flags.some((f) => /^(2Node|LastManStanding|AutoTieBreaker)$/.test(f)) === true);
  }

  gone(machine: string): void {
    this.quorate.delete(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }
}
