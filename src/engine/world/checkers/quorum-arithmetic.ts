/**
 * Quorum arithmetic: a node is quorate when, and only when, the votes of its members reach the quorum, which is a majority of the votes expected and of the
 * votes present; and without an override only with more than half of the votes of its configuration. At rest all nodes count the same votes, and without an
 * override expect the same: who starts anew beside inquorate members does not learn what they were told to expect (observed). Counted here
 * from the votes of each node, not with the engine's own formula. Left out: two_node, last_man_standing, auto_tie_breaker, a quorum device, whose flags
 * switch the checks off; with wait_for_all and allow_downscale a majority is needed and may not be enough, or may be of others expected.
 */
import type { MachineStatus, QuorumStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";

export class QuorumArithmetic implements Checker {
  readonly name = "quorum-arithmetic";
  readonly sentence = "a node is quorate when, and only when, its members have a majority of the votes";
  /** By machine: votes by node id, as the configuration has them. */
  private readonly configured = new Map<string, ReadonlyMap<number, number>>();
  private overridden = false;
  private special = false;
  /** A majority is not all that counts. */
  private more = false;

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "quorum" || !event.quorate || this.overridden || this.special) return;
    const votes = this.configured.get(machine);
    if (votes === undefined) return;
    const all = sum([...votes.values()]);
    const present = sum(event.members.map((id) => votes.get(id) ?? 0));
    if (present * 2 <= all) complain(`${machine} is quorate with ${event.members.join(" ")} on ${event.ring}: ${present} of ${all} votes`);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }

  look(statuses: readonly MachineStatus[], complain: Complain): void {
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null || quorum === null) continue;
      this.configured.set(name, new Map(corosync.nodelist.map((n) => [n.nodeId, n.votes])));
      this.special ||= quorum.qdevice !== null || quorum.flags.some((f) => /2Node|LastManStanding|AutoTieBreaker|Qdevice/i.test(f));
      this.more ||= quorum.flags.some((f) => /WaitForAll|AllowDownscale/.test(f));
      // While services synchronise votequorum counts the membership to come, and quorum is still that of the one before.
      if (this.special || this.more || corosync.syncing || corosync.state !== "operational") continue;
      const wrong = miscounted(quorum);
      if (wrong !== undefined) complain(`${name}: ${wrong}`);
    }
  }

  atRest(statuses: readonly MachineStatus[], complain: Complain): void {
    if (this.special || this.more) return;
    let first: string | undefined;
    for (const { name, quorum } of statuses) {
      if (quorum === null) continue;
      const votes = quorum.votes.map((v) => `${v.nodeId}:${v.votes}${v.member ? "" : "-"}`).join(" ");
      const expected = this.overridden ? "" : ` of ${quorum.highestExpected}, quorum ${quorum.quorum}`;
      const mine = `${quorum.totalVotes} votes (${votes})${expected}`;
      first ??= mine;
      if (mine !== first) complain(`${name} counts ${mine}; ${statuses[0]?.name ?? ""} counts ${first}`);
    }
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function miscounted(q: QuorumStatus): string | undefined {
  const present = sum(q.votes.filter((v) => v.member).map((v) => v.votes));
  if (present !== q.totalVotes) return `its members have ${present} votes and it counts ${q.totalVotes}`;
  if (q.quorum * 2 <= q.highestExpected || q.quorum * 2 <= present)
    return `a quorum of ${q.quorum} is no majority of ${q.highestExpected} expected and ${present} present votes`;
  if (q.quorate !== present >= q.quorum) return `it is ${q.quorate ? "" : "not "}quorate with ${present} votes and a quorum of ${q.quorum}`;
  return undefined;
}
