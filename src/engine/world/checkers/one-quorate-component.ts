/**
 * One quorate component: no two nodes believe in quorums that have no member in common, unless somebody overrode the votes. A node that has not yet
 * noticed a split still holds the old membership, which overlaps the new one; two disjoint quorums are a split brain. With a quorum device they are one when they
 * last: its vote takes a while to move. Left out: two_node, where both halves stay quorate by design; last_man_standing and auto_tie_breaker, whose nodes
 * decide by what they remember, so that those who were apart can decide apart.
 */
import type { Instant, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";
import { Lasting } from "./lasting.ts";
import { casters, moveTime } from "./one-device-vote.ts";

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
  /** Some node has a quorum device. */
  private device = false;
  /** Some daemon was looked at, so that its options are known. */
  private looked = false;
  /** What broke before that, to be judged then. */
  private waiting: string[] = [];
  private readonly lasting = new Lasting();

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
    if (this.overridden || this.allowed || this.device) return;
    for (const [other, belief] of this.quorate) {
      if (belief.members.some((id) => mine.members.includes(id))) continue;
      const say = (m: string, b: Belief): string => `${m} with ${b.members.join(" ")} on ${b.ring}`;
      const text = `${say(machine, mine)} and ${say(other, belief)} are both quorate`;
      if (this.looked) complain(text);
      else this.waiting.push(text);
    }
  }

  look(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void {
    this.know(statuses);
    if (this.looked && !this.allowed && !this.device) for (const text of this.waiting) complain(text);
    if (this.looked) this.waiting = [];
    if (!this.device || this.allowed || this.overridden) return;
    for (const pair of this.lasting.see(at, disjointPairs(at, statuses), moveTime(statuses))) complain(`${pair} are both quorate`);
  }

  private know(statuses: readonly MachineStatus[]): void {
    this.looked ||= statuses.some((s) => s.quorum !== null);
    this.device ||= statuses.some((s) => (s.quorum?.qdevice ?? null) !== null);
    this.allowed ||= statuses.some((s) => s.quorum?.flags.some((f) => /^(2Node|LastManStanding|AutoTieBreaker)$/.test(f)) === true);
  }

  gone(machine: string): void {
    this.quorate.delete(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }
}

/** Settled and quorate nodes with no member in common; who casts a device's vote counts as long as it does so in earnest. */
function disjointPairs(at: Instant, statuses: readonly MachineStatus[]): string[] {
  const casting = new Set(casters(at, statuses).map((c) => c.machine));
  const all = statuses.flatMap(({ name, power, corosync, quorum }) => {
    if (power !== "on" || corosync === null || corosync.state !== "operational" || corosync.syncing || quorum?.quorate !== true) return [];
    if (quorum.qdevice?.castVote === true && !casting.has(name)) return [];
    return [{ members: corosync.members, text: `${name} with ${corosync.members.join(" ")} on ${corosync.ringId}` }];
  });
  return all.flatMap((a, i) =>
    all.slice(i + 1).flatMap((b) => (a.members.some((id) => b.members.includes(id)) ? [] : [`${a.text} and ${b.text}`])),
  );
}
