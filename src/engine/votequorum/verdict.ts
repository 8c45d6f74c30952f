/**
 * How one node comes to its verdict: votes are counted, expected votes follow upwards, the quorum is calculated, and the options that decide in place of the
 * plain majority have their say. In the real stack: recalculate_quorum and are_we_quorate of votequorum.c.
 */
import type { Port } from "../kernel/index.ts";
import { calculateQuorum, type QuorumResult, type Voter } from "./arithmetic.ts";
import { FLAG_DEVICE_CAST_VOTE, FLAG_DEVICE_MASTER_WINS, FLAG_QUORATE, STATE_NUMBER } from "./flags.ts";
import type { VoteTable } from "./table.ts";
import { tieBreakerIsHere } from "./tie-breaker.ts";

export interface VerdictHooks {
  debug(text: () => string): void;
  /** The verdict changed while no sync is under way. */
  changed(): void;
  expectedVotes(votes: number): void;
}

export class Verdict {
  constructor(
    private readonly port: Port,
    private readonly table: VoteTable,
    private readonly hooks: VerdictHooks,
  ) {}

  calculate(allowDecrease: boolean, maxExpected: number, change: (voter: Voter) => Voter = (v) => v): QuorumResult {
    const { table } = this;
    const us = table.us();
    return calculateQuorum({
      voters: table.voters().map(change),
      deviceVotes: (us.flags & FLAG_DEVICE_CAST_VOTE) !== 0 ? table.state.device.votes : undefined,
      previous: table.state.quorum,
      allowDecrease,
      maxExpected,
      twoNode: table.state.options.twoNode,
    });
  }

  /** `byMembers`: as many votes are expected as there are members, after last_man_standing's window or when a node leaves with allow_downscale. */
  recalculate(allowDecrease: boolean, byMembers = false): void {
    const s = this.table.state;
    const us = this.table.us();
    // Votes the device would have count here whether or not it casts them (observed: expected 5 with three members and no device running).
    const present = this.table.members().reduce((sum, n) => sum + n.votes, s.device.votes);
    this.hooks.debug(() => `total_votes=${present}, expected_votes=${us.expectedVotes}`);
    if (present > us.expectedVotes) this.expect(present);
    if (s.options.tracking && us.expectedVotes > s.options.tracked) this.track(us.expectedVotes);
    for (const n of s.nodes) {
      this.hooks.debug(() => `node ${n.nodeId} state=${STATE_NUMBER[n.state]}, votes=${n.votes}, expected=${n.expectedVotes}`);
    }
    if ((us.flags & FLAG_DEVICE_CAST_VOTE) !== 0) this.hooks.debug(() => `node 0 state=1, votes=${s.device.votes}`);
    const count = this.table.members().length + (s.device.votes > 0 ? 1 : 0);
    // With allow_downscale the quorum itself does not go below that of ev_barrier, whatever is expected (observed: 5, 4, 3, 2 expected, 3 needed).
    const basis = s.options.allowDownscale ? Math.max(count, s.evBarrier) : count;
    const { quorum, totalVotes } = this.calculate(allowDecrease, byMembers ? basis : 0);
    // corosync keeps the quorum in one byte: 35002 becomes 186 (observed). Clusters of real size never get there.
    s.quorum = quorum & 0xff;
    if (byMembers) this.expectOfAll(count);
    this.judge(totalVotes);
  }

  private expect(votes: number): void {
    this.table.us().expectedVotes = votes;
    this.hooks.expectedVotes(votes);
  }

  /** What every member expects from now on, as this node sees it. */
  expectOfAll(votes: number): void {
    for (const n of this.table.members()) n.expectedVotes = votes;
    this.hooks.expectedVotes(votes);
  }

  /** 3.1.7 opens the file, but no value ever gets there: it says so every time (observed, with and without a value in it). */
  track(votes: number): void {
    this.table.state.options.tracked = votes;
    this.table.written("ev_tracking_barrier");
    this.port.log("warning", "VOTEQ", "Unable to update ev_tracking_barrier on disk data!!!");
  }

  /** are_we_quorate(): compares, remembers, and tells the quorum service at once when no sync will. */
  private judge(totalVotes: number): void {
    const s = this.table.state;
    const us = this.table.us();
    if (this.hasToWait(totalVotes)) return;
    let quorate = s.quorum <= totalVotes;
    if (quorate) this.refreshExtremes();
    if (this.winsTie(totalVotes)) quorate = true;
    if (!quorate && this.deviceMakesUsMaster()) {
      this.hooks.debug(() => "node is quorate as part of master_wins partition");
      quorate = true;
    }
    const changed = quorate !== s.quorate;
    if (changed) this.hooks.debug(() => (quorate ? "quorum regained, resuming activity" : "quorum lost, blocking activity"));
    s.quorate = quorate;
    us.flags = quorate ? us.flags | FLAG_QUORATE : us.flags & ~FLAG_QUORATE;
    if (s.options.waitForAll) this.table.setWaiting(!quorate);
    if (changed && !s.syncing) this.hooks.changed();
  }

  /** wait_for_all: no verdict before all votes that are expected were there together. */
  private hasToWait(totalVotes: number): boolean {
    const { waitForAll, waiting } = this.table.state.options;
    if (!waitForAll || !waiting) return false;
    const expected = this.table.us().expectedVotes;
    if (totalVotes !== expected) {
      this.port.log("notice", "VOTEQ", `Waiting for all cluster members. Current votes: ${totalVotes} expected_votes: ${expected}`);
      return true;
    }
    this.table.setWaiting(false);
    return false;
  }

  /** auto_tie_breaker: exactly half of what is expected, so few lost that they have no quorum either, and the tie breaker here. */
  private winsTie(totalVotes: number): boolean {
    const s = this.table.state;
    if (s.options.tieBreaker.type === "none") return false;
    if (totalVotes !== Math.floor(this.table.us().expectedVotes / 2)) return false;
    return s.previous.length - s.members.length < s.quorum && tieBreakerIsHere(s.options.tieBreaker, s, (text) => this.hooks.debug(text));
  }

  /** Some member's device votes and was told that its partition wins. */
  private deviceMakesUsMaster(): boolean {
    const both = FLAG_DEVICE_MASTER_WINS | FLAG_DEVICE_CAST_VOTE;
    const willing = (this.table.us().flags & FLAG_DEVICE_MASTER_WINS) !== 0;
    return willing && this.table.members().some((n) => (n.flags & both) === both);
  }

  private refreshExtremes(): void {
    const s = this.table.state;
    const ids = this.table.members().map((n) => n.nodeId);
    s.lowest = ids.reduce((a, b) => Math.min(a, b), this.table.nodeId);
    s.highest = ids.reduce((a, b) => Math.max(a, b), this.table.nodeId);
    this.table.written("lowest_node_id", "highest_node_id");
    this.hooks.debug(() => `lowest node id: ${s.lowest} us: ${this.table.nodeId}`);
    this.hooks.debug(() => `highest node id: ${s.highest} us: ${this.table.nodeId}`);
  }
}
