/**
 * The arithmetic of votes: when a set of votes is a majority, what the quorum is, and how many more nodes may be lost. In the real stack this is
 * calculate_quorum() of corosync's votequorum service; here it is pure, so that the service, the page and what-if questions share one formula.
 * Left out: what lets a node be quorate without a majority (verdict.ts).
 */

/** One node as votequorum counts it. Only members count. */
export interface Voter {
  readonly nodeId: number;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly member: boolean;
}

export interface QuorumInput {
  readonly voters: Iterable<Voter>;
  /** Votes the quorum device casts for this node; undefined where it casts none. */
  readonly deviceVotes?: number | undefined;
  /** two_node: one vote is enough while there are at most two voters. */
  readonly twoNode?: boolean;
  /** The quorum in force, votes. It never goes down unless `allowDecrease`. */
  readonly previous: number;
  /** True only when a tool changed votes or expected votes, or an inquorate node hears from a quorate one. */
  readonly allowDecrease: boolean;
  /** Expected votes to assume instead of the members' highest; 0 for none. */
  readonly maxExpected: number;
}

export interface QuorumResult {
  /** Votes needed. */
  readonly quorum: number;
  /** Votes present. */
  readonly totalVotes: number;
  readonly highestExpected: number;
}

/** floor(votes / 2) + 1: the smallest majority of `votes`. Source: votequorum(5). */
export function majorityOf(votes: number): number {
  return Math.floor(votes / 2) + 1;
}

/** Votes present, highest expectation among members, and the quorum that follows. Source: votequorum(5), observed with -e and -v. */
export function calculateQuorum(input: QuorumInput): QuorumResult {
  let highestExpected = 0;
  let totalVotes = input.deviceVotes ?? 0;
  let present = input.deviceVotes === undefined ? 0 : 1;
  for (const voter of input.voters) {
    if (!voter.member) continue;
    highestExpected = Math.max(highestExpected, voter.expectedVotes);
    totalVotes += voter.votes;
    present++;
  }
  const basis = input.maxExpected > 0 ? input.maxExpected : highestExpected;
  const computed = Math.max(majorityOf(basis), majorityOf(totalVotes));
  const quorum = input.allowDecrease ? computed : Math.max(input.previous, computed);
  return { quorum: input.twoNode === true && present <= 2 ? 1 : quorum, totalVotes, highestExpected };
}

/** How many more members may vanish, whichever they are, before fewer than `quorum` votes are left. 0 also when there is no quorum now. */
export function mayLose(memberVotes: readonly number[], quorum: number): number {
  const largestFirst = [...memberVotes].sort((a, b) => b - a);
  let left = largestFirst.reduce((sum, v) => sum + v, 0);
  let lost = 0;
  for (const votes of largestFirst) {
    left -= votes;
    if (left < quorum || lost + 1 === largestFirst.length) break;
    lost++;
  }
  return lost;
}

/** What the page's sentence is made of: "2 of 3 votes, 2 needed, quorate; may lose 0 more". */
export interface VoteSummary {
  readonly votes: number;
  readonly expectedVotes: number;
  readonly quorum: number;
  readonly quorate: boolean;
  readonly mayLose: number;
}

export function summariseVotes(memberVotes: readonly number[], expectedVotes: number, quorum: number, quorate: boolean): VoteSummary {
  const votes = memberVotes.reduce((sum, v) => sum + v, 0);
  return { votes, expectedVotes, quorum, quorate, mayLose: quorate ? mayLose(memberVotes, quorum) : 0 };
}

/**
 * Expected votes as a daemon reads them from its configuration: `quorum.expected_votes` where given, else the nodelist's sum of quorum_votes
 * (a node without the key has one vote) and, where nobody wrote down the device's votes, the votes it gets by itself. Source: votequorum(5), observed.
 */
export function configuredExpectedVotes(
  nodelistVotes: readonly number[],
  expectedVotes: number | undefined,
  automaticDeviceVotes = 0,
): number {
  return expectedVotes ?? nodelistVotes.reduce((sum, v) => sum + v, automaticDeviceVotes);
}
