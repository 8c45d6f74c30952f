/**
 * One quorate component: no two nodes believe in quorums that have no member in common, unless somebody overrode the votes. A node that has not yet
 * noticed a split still holds the old membership, which overlaps the new one; two disjoint quorums are a split brain. With a quorum device they are one when they
 * last: its vote takes a while to move. Where files are read again they are judged only while all that run count alike, and when they last as long as a
 * message of new votes may be under way.
 *
 * What the options allow, and no more: two_node lets both halves go on, in a list of two nodes at most; auto_tie_breaker lets nodes decide by what they remember, so
 * that two who were apart may both hold a half and its tie breaker (of an odd sum also a half and a majority); last_man_standing lets those who expect fewer
 * votes than are configured go on without the others; and votes that a device has in its own right are not among those expected before all nodes and the device
 * were there together: who gets a vote more in a split has half of them, and the device's other half too (observed). Left out: when they may come to expect fewer, which last-man.ts watches.
 */
import {
  SEC,
  type Duration,
  type Instant,
  type JournalLine,
  type MachineStatus,
  type QuorumStatus,
  type TraceEvent,
} from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";
import { Configurations } from "./configurations.ts";
import { Lasting } from "./lasting.ts";
import { casters, moveTime } from "./one-device-vote.ts";

interface Belief {
  readonly ring: string;
  readonly members: readonly number[];
}

/** A settled node that is quorate. */
interface Quorate extends Belief {
  readonly machine: string;
  readonly quorum: QuorumStatus;
  /** Votes in the nodelist, by node id. */
  readonly listed: ReadonlyMap<number, number>;
}

/** Votes that were read have been counted by then, also where a token was lost on the way. */
const COUNTED_WITHIN: Duration = 5 * SEC;

export class OneQuorateComponent implements Checker {
  readonly name = "one-quorate-component";
  readonly sentence = "at most one component is quorate without an override";
  /** Machines that believe they are quorate, and in which membership. */
  private readonly quorate = new Map<string, Belief>();
  private overridden = false;
  /** Some node has an option that may allow it. */
  private options = false;
  /** Some node has a quorum device. */
  private device = false;
  /** Some daemon was looked at, so that its options are known. */
  private looked = false;
  /** What broke before that, or by a daemon that was not looked at since it started: to be judged then. */
  private waiting: string[] = [];
  private readonly configurations = new Configurations();
  private readonly lasting = new Lasting();
  private readonly told = new Set<string>();

  begin(statuses: readonly MachineStatus[]): void {
    this.know(statuses);
    for (const { name, corosync, quorum } of statuses)
      // While a node synchronises, its quorum is still that of a membership that is not told here.
      if (corosync !== null && !corosync.syncing && corosync.state === "operational" && quorum?.quorate === true)
        this.quorate.set(name, { ring: corosync.ringId, members: corosync.members });
  }

  /** Votes alone decide: every verdict can be judged as it comes. */
  private get plain(): boolean {
    return !this.options && !this.device && !this.configurations.ever;
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "quorum") return;
    if (!event.quorate) {
      this.quorate.delete(machine);
      return;
    }
    // A daemon that has just started may be quorate by itself before it has a membership.
    const mine: Belief = { ring: event.ring, members: event.members.length === 0 ? [event.node] : event.members };
    this.quorate.set(machine, mine);
    if (this.overridden || !this.plain) return;
    for (const [other, belief] of this.quorate) {
      if (other === machine || belief.members.some((id) => mine.members.includes(id))) continue;
      const say = (m: string, b: Belief): string => `${m} with ${b.members.join(" ")} on ${b.ring}`;
      const text = `${say(machine, mine)} and ${say(other, belief)} are both quorate`;
      if (this.looked && this.configurations.agreed(machine)) complain(text);
      else this.waiting.push(text);
    }
  }

  journal(machine: string, line: JournalLine): void {
    this.configurations.journal(machine, line);
  }

  look(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void {
    this.know(statuses);
    if (this.looked && this.plain) for (const text of this.waiting) complain(text);
    if (this.looked) this.waiting = [];
    if (this.overridden || this.plain) return;
    const pairs = this.configurations.allAgree ? disjointPairs(at, statuses) : [];
    for (const pair of this.last(at, pairs, statuses)) complain(`${pair} are both quorate`);
  }

  private last(at: Instant, pairs: readonly string[], statuses: readonly MachineStatus[]): string[] {
    const most = Math.max(this.device ? moveTime(statuses) : 0, this.configurations.ever ? COUNTED_WITHIN : 0);
    if (most > 0) return this.lasting.see(at, pairs, most);
    const news = pairs.filter((pair) => !this.told.has(pair));
    for (const pair of news) this.told.add(pair);
    return news;
  }

  private know(statuses: readonly MachineStatus[]): void {
    this.configurations.look(statuses);
    this.looked ||= statuses.some((s) => s.quorum !== null);
    this.device ||= statuses.some((s) => (s.quorum?.qdevice ?? null) !== null);
    this.options ||= statuses.some((s) => s.quorum?.flags.some((f) => /^(2Node|LastManStanding|AutoTieBreaker)$/.test(f)) === true);
  }

  gone(machine: string): void {
    this.quorate.delete(machine);
    this.configurations.gone(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }
}

/** Settled and quorate nodes with no member in common; who casts a device's vote counts as long as it does so in earnest. */
function disjointPairs(at: Instant, statuses: readonly MachineStatus[]): string[] {
  // Of lms and its like two components may have the vote for good (recorded): only ffsplit's counts here.
  const casting = new Set(
    casters(at, statuses)
      .filter((c) => c.device.algorithm === "ffsplit")
      .map((c) => c.machine),
  );
  const all = statuses.flatMap(({ name, power, corosync, quorum }): Quorate[] => {
    if (power !== "on" || corosync === null || corosync.state !== "operational" || corosync.syncing || quorum?.quorate !== true) return [];
    if (corosync.members.length === 0) return [];
    if (quorum.qdevice?.castVote === true && !casting.has(name)) return [];
    const listed = new Map(corosync.nodelist.map((n) => [n.nodeId, n.votes]));
    return [{ machine: name, ring: corosync.ringId, members: corosync.members, quorum, listed }];
  });
  const say = (q: Quorate): string => `${q.machine} with ${q.members.join(" ")} on ${q.ring}`;
  return all.flatMap((a, i) =>
    all.slice(i + 1).flatMap((b) => (a.members.some((id) => b.members.includes(id)) || allowed(a, b) ? [] : [`${say(a)} and ${say(b)}`])),
  );
}

function allowed(a: Quorate, b: Quorate): boolean {
  if ([a, b].every((q) => q.quorum.options.twoNode && q.listed.size <= 2)) return true;
  if ([a, b].some((q) => q.quorum.options.lastManStanding && q.quorum.highestExpected < configured(q))) return true;
  if ([a, b].some((q) => q.quorum.expectedVotes < configured(q) + (q.quorum.qdevice?.votes ?? 0))) return true;
  const tied = [a, b].filter((q) => holdsTie(q.quorum, q.members));
  return tied.length === 2 || tied.some((q) => q.quorum.expectedVotes % 2 === 1);
}

const configured = ({ listed }: Quorate): number => [...listed.values()].reduce((sum, votes) => sum + votes, 0);

/** Exactly half of what is expected, and a node among the members that breaks the tie. */
export function holdsTie({ options, totalVotes, expectedVotes }: QuorumStatus, members: readonly number[]): boolean {
  return totalVotes === Math.floor(expectedVotes / 2) && options.tieBreakerNodes.some((id) => members.includes(id));
}
