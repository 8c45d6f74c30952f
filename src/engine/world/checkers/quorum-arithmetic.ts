/**
 * Quorum arithmetic: a node is quorate when, and only when, the votes of its members reach the quorum, which is a majority of the votes expected and of the
 * votes present; and without an override only with more than half of the votes of its configuration. At rest all nodes count the same votes, and without an
 * override expect the same: who starts anew beside inquorate members does not learn what they were told to expect (observed). Counted here
 * from the votes of each node, not with the engine's own formula. What options change: with two_node one of two is enough; with auto_tie_breaker exactly half is, which holds the
 * tie breaker; with last_man_standing and allow_downscale the votes expected need not be those configured (observed with allow_downscale: of four nodes one is
 * stopped and started, two are killed; the one that was started is quorate with half of the votes, the other is not; and with allow_downscale a file that is read again changes votes, but not how
 * many are expected); with wait_for_all and allow_downscale a
 * majority is needed and may not be enough. A daemon with a tie breaker, last_man_standing and an odd sum of votes in its file goes on with the votes it had. Left out: a quorum device, which switches the checks off. Once a file was read again half of the votes is judged only
 * while all files say the same, and a wrong count when it lasts: the new votes count when the message of them comes round; and a quorum that was raised by
 * somebody's file stays where nobody is told to expect less.
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
import { holdsTie } from "./one-quorate-component.ts";

/** A message of new votes has come round by then, also where a token was lost on the way. */
const ROUND_MAX: Duration = 10 * SEC;

export class QuorumArithmetic implements Checker {
  readonly name = "quorum-arithmetic";
  readonly sentence = "a node is quorate when, and only when, its members have a majority of the votes";
  /** By machine: votes by node id, as the configuration has them. */
  private readonly configured = new Map<string, ReadonlyMap<number, number>>();
  private overridden = false;
  private device = false;
  /** Fewer votes may be expected than are configured. */
  private lastMan = false;
  /** A node that is not quorate may have to wait for more than a majority, and those that start anew count otherwise. */
  private more = false;
  private downscale = false;
  /** A daemon was started anew: it may have been told to expect fewer votes than its file says, and tell others. */
  private anew = false;
  /** A cable swallowed large packets once: whatever is sent after one of them waits, for minutes, until the path is measured again. */
  private narrow = false;
  /** Machines whose daemon was stopped with SIGSTOP: it counts nothing. */
  private readonly stopped = new Set<string>();
  /** Machines whose daemon ended. */
  private readonly ended = new Set<string>();
  private tieBreaker = false;
  private twoNode = false;
  private readonly configurations = new Configurations();
  private readonly lasting = new Lasting();

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    this.anew ||= this.ended.has(machine);
    if (
      event.what !== "quorum" ||
      !event.quorate ||
      this.overridden ||
      this.device ||
      this.lastMan ||
      (this.downscale && (this.anew || this.configurations.ever))
    )
      return;
    const votes = this.configured.get(machine);
    if (votes === undefined || !this.configurations.agreed(machine)) return;
    const all = sum([...votes.values()]);
    const present = sum(event.members.map((id) => votes.get(id) ?? 0));
    const enough = present * 2 > all || (this.tieBreaker && present >= Math.floor(all / 2)) || (this.twoNode && votes.size <= 2);
    if (!enough) complain(`${machine} is quorate with ${event.members.join(" ")} on ${event.ring}: ${present} of ${all} votes`);
  }

  journal(machine: string, line: JournalLine): void {
    this.configurations.journal(machine, line);
  }

  /** What ended before is not known. */
  begin(statuses: readonly MachineStatus[]): void {
    this.anew = statuses.some((s) => s.corosync !== null);
  }

  gone(machine: string): void {
    this.ended.add(machine);
    this.stopped.delete(machine);
    this.configurations.gone(machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
    const { act } = input;
    this.narrow ||= act.to === "fabric" && act.act.kind === "link-set" && act.act.settings.mtuBytes !== undefined;
    if (act.to !== "machine") return;
    if (act.act.kind === "service-stall" && act.act.unit === "corosync") this.stopped.add(act.machine);
    if (act.act.kind === "service-resume" && act.act.unit === "corosync") this.stopped.delete(act.machine);
  }

  look(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void {
    this.configurations.look(statuses);
    const found: string[] = [];
    for (const { name, power, corosync, quorum } of statuses) {
      if (corosync === null || quorum === null) continue;
      this.configured.set(name, new Map(corosync.nodelist.map((n) => [n.nodeId, n.votes])));
      const { options } = quorum;
      this.anew ||= this.ended.has(name);
      this.device ||= quorum.qdevice !== null;
      this.lastMan ||= options.lastManStanding;
      this.downscale ||= options.allowDownscale;
      this.tieBreaker ||= options.tieBreaker !== "none";
      this.twoNode ||= options.twoNode;
      this.more ||= options.waitForAll || options.allowDownscale;
      // While services synchronise votequorum counts the membership to come, and quorum is still that of the one before.
      if (this.device || corosync.syncing || corosync.state !== "operational") continue;
      if (power === "stalled" || this.stopped.has(name)) continue;
      const wrong = miscounted(quorum, corosync.members);
      if (wrong !== undefined) found.push(`${name}: ${wrong}`);
      // Somebody's vote of long ago is no matter of a moment.
      if (this.configurations.ever && this.configurations.allAgree && !this.overridden)
        this.asConfigured(name, corosync, quorum, (text) => found.push(text));
    }
    if (this.configurations.ever && this.narrow) return;
    const last = this.configurations.ever ? this.lasting.see(at, found, ROUND_MAX) : found;
    for (const text of last) complain(text);
  }

  atRest(statuses: readonly MachineStatus[], complain: Complain): void {
    if (this.device) return;
    let first: string | undefined;
    for (const { name, corosync, quorum } of statuses) {
      if (quorum === null) continue;
      const votes = quorum.votes.map((v) => `${v.nodeId}:${v.votes}${v.member ? "" : "-"}`).join(" ");
      if (!this.overridden) this.asConfigured(name, corosync, quorum, complain);
      if (this.lastMan || this.more || this.tieBreaker || this.twoNode) continue;
      const needed = this.configurations.ever ? "" : `, quorum ${quorum.quorum}`;
      const expected = this.overridden ? "" : ` of ${quorum.highestExpected}${needed}`;
      const mine = `${quorum.totalVotes} votes (${votes})${expected}`;
      first ??= mine;
      if (mine !== first) complain(`${name} counts ${mine}; ${statuses[0]?.name ?? ""} counts ${first}`);
    }
  }

  private asConfigured(name: string, corosync: MachineStatus["corosync"], { votes, options }: QuorumStatus, complain: Complain): void {
    const listed = sum((corosync?.nodelist ?? []).map((n) => n.votes));
    // Such a file is not taken over (observed), and no daemon starts with it.
    if (options.tieBreaker !== "none" && options.lastManStanding && !options.waitForAll && listed % 2 === 1) return;
    for (const { nodeId, votes: configured } of corosync?.nodelist ?? []) {
      const counted = votes.find((v) => v.nodeId === nodeId && v.member)?.votes;
      if (counted !== undefined && counted !== configured)
        complain(`${name} counts ${counted} votes for node ${nodeId}, which has ${configured}`);
    }
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

function miscounted(q: QuorumStatus, members: readonly number[]): string | undefined {
  const present = sum(q.votes.filter((v) => v.member).map((v) => v.votes));
  const { twoNode, waitForAll, allowDownscale } = q.options;
  if (present !== q.totalVotes) return `its members have ${present} votes and it counts ${q.totalVotes}`;
  const one = twoNode && members.length <= 2;
  if (one ? q.quorum !== 1 : q.quorum * 2 <= q.highestExpected || q.quorum * 2 <= present)
    return `a quorum of ${q.quorum} is no majority of ${q.highestExpected} expected and ${present} present votes`;
  const enough = present >= q.quorum;
  if (q.quorate ? enough || holdsTie(q, members) : !enough || waitForAll || allowDownscale) return undefined;
  return `it is ${q.quorate ? "" : "not "}quorate with ${present} votes and a quorum of ${q.quorum}`;
}
