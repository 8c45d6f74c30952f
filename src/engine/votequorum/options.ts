/**
 * The options of the quorum section as votequorum takes them in when it is loaded and when the configuration changes: what it switches off because two
 * options do not go together, and what it says about it. In the real stack: votequorum_readconfig. Most options are read at the start alone, two_node every time, and wait_for_all with it where the file does not give it. Left out: the
 * contradictions it refuses to start with, which config/quorum.ts finds.
 */
import { parseTieBreaker, type TieBreaker } from "../config/index.ts";
import type { LogLevel } from "../kernel/index.ts";
import type { DeviceParams, OptionState } from "./table.ts";
import { TIE_BREAKER_NUMBER } from "./tie-breaker.ts";

/** What one daemon's configuration says about votes. An option that is absent is off. */
export interface VotequorumParams {
  readonly nodeId: number;
  readonly votes: number;
  /** See configuredExpectedVotes(). */
  readonly expectedVotes: number;
  /** quorum.expected_votes itself; 0 where only the nodelist tells. A debug line shows it. */
  readonly givenExpectedVotes?: number;
  /** Sum of quorum_votes in the nodelist. */
  readonly listedVotes?: number;
  readonly twoNode?: boolean;
  readonly waitForAll?: boolean;
  /** quorum.wait_for_all stands in the file; where it does not, it follows two_node. */
  readonly waitForAllGiven?: boolean;
  readonly lastManStanding?: boolean;
  readonly lastManStandingWindowMs?: number;
  readonly autoTieBreaker?: boolean;
  readonly autoTieBreakerNode?: string | undefined;
  readonly allowDownscale?: boolean;
  readonly expectedVotesTracking?: boolean;
  /** The quorum device, where quorum.device.model is set. */
  readonly device?: DeviceParams | undefined;
  /** Why this device and the rest of the section do not go together; only a daemon that runs already gets that far. */
  readonly deviceConflict?: string | undefined;
  /** `logging.debug: on`: the debug lines are built only then. */
  readonly debug: boolean;
}

export type Say = (level: LogLevel, text: string) => void;

const NOT_VALID =
  "auto_tie_breaker_nodes is not valid. It must be 'lowest', 'highest' or a space-separated list of node IDs. auto_tie_breaker is disabled";
const TWO_NODE_AND_TIE_BREAKER = [
  "two_node and auto_tie_breaker are both specified but are not compatible.",
  "two_node has been disabled, please fix your corosync.conf",
];
const TIE_BREAKER_WITHOUT_WAIT = [
  "auto_tie_breaker is set and the cluster has an odd number of nodes.",
  "wait_for_all needs to be set for this configuration but it is missing",
  "Therefore auto_tie_breaker has been disabled. Please fix your corosync.conf",
];

function configuredTieBreaker(params: VotequorumParams, say: Say): TieBreaker {
  const { autoTieBreaker, autoTieBreakerNode } = params;
  if (autoTieBreaker !== true) {
    if (autoTieBreakerNode !== undefined) say("warning", "auto_tie_breaker_node: is meaningless if auto_tie_breaker is set to 0");
    return { type: "none" };
  }
  if (autoTieBreakerNode === undefined) return { type: "lowest" };
  const parsed = parseTieBreaker(autoTieBreakerNode);
  if (parsed?.type === "list") parsed.nodes.forEach((id, i) => say("debug", `ATB nodelist[${i}] = ${id | 0}`));
  say("debug", `ATB type = ${TIE_BREAKER_NUMBER[parsed?.type ?? "none"]}`);
  if (parsed === undefined) say("warning", NOT_VALID);
  return parsed ?? { type: "none" };
}

/** What is read when the service is loaded and never again. */
function readOnce(options: OptionState, params: VotequorumParams, say: Say): void {
  options.waitForAll = params.waitForAll === true;
  options.startTieBreaker = configuredTieBreaker(params, say);
  options.lastManStanding = params.lastManStanding === true;
  options.windowMs = params.lastManStandingWindowMs ?? options.windowMs;
  options.allowDownscale = params.allowDownscale === true;
  options.tracking = params.expectedVotesTracking === true || options.allowDownscale;
}

/**
 * An odd sum of votes with a tie breaker, last_man_standing and nobody waiting for all: no daemon starts with it, and one that runs goes on with
 * what it has, votes and expected votes too (observed). Once last_man_standing is switched off it is no contradiction any more.
 */
export function contradicts(options: OptionState, params: VotequorumParams): boolean {
  return options.startTieBreaker.type !== "none" && options.lastManStanding && !options.waitForAll && (params.listedVotes ?? 0) % 2 === 1;
}

/** Takes the configuration into `options`. `runtime`: the daemon runs already; what does not go together is complained of again. */
export function applyOptions(options: OptionState, params: VotequorumParams, runtime: boolean, say: Say): void {
  options.twoNode = params.twoNode === true;
  if (!runtime) readOnce(options, params, say);
  // Who waited because of two_node does not any more once it is gone, and begins anew when it comes again (observed). What the file gives is read at the start alone.
  else if (params.waitForAllGiven !== true) options.waitForAll = options.twoNode;
  // That of the start, whatever the file says now: what an odd sum of votes switched off an even one brings back (observed).
  options.tieBreaker = options.startTieBreaker;
  const wanted = options.tieBreaker.type !== "none";
  options.tieBreakerShown ||= wanted || runtime;
  if (options.twoNode && wanted) {
    options.twoNode = false;
    for (const line of TWO_NODE_AND_TIE_BREAKER) say("crit", line);
  }
  // The message says nodes; votes are counted (observed with 2, 1, 1 and 1).
  if (wanted && (params.listedVotes ?? 0) % 2 === 1 && !options.waitForAll) {
    options.tieBreaker = { type: "none" };
    for (const line of TIE_BREAKER_WITHOUT_WAIT) say("crit", line);
  }
}
