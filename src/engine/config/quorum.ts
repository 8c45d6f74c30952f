/**
 * The quorum section as votequorum reads it when the service loads, and the contradictions it refuses to start with (exit status 20). In the real
 * stack: votequorum_readconfig. Left out: combinations votequorum merely warns about and disables; those are its own business at run time.
 */
import type { QuorumConfig } from "./daemon.ts";
import { nodePositions } from "./links.ts";
import type { Reason } from "./refuse.ts";
import type { ConfValues } from "./values.ts";
import { numberOf, stringOf } from "./values.ts";

export const VOTEQUORUM = "corosync_votequorum";

function nodelistVotes(values: ConfValues): number[] {
  return nodePositions(values).map((p) => numberOf(values, `nodelist.node.${p}.quorum_votes`, "u32") ?? 1);
}

export function readQuorum(values: ConfValues): QuorumConfig {
  const on = (name: string): boolean => numberOf(values, `quorum.${name}`, "u8") === 1;
  const votes = nodelistVotes(values);
  const model = stringOf(values, "quorum.device.model");
  const twoNode = on("two_node");
  const waitForAllGiven = numberOf(values, "quorum.wait_for_all", "u8") !== undefined;
  return {
    provider: stringOf(values, "quorum.provider"),
    expectedVotes: numberOf(values, "quorum.expected_votes", "u32") || undefined,
    nodelistVotes: votes.reduce((sum, v) => sum + v, 0),
    twoNode,
    // two_node implies wait_for_all unless the file says otherwise
    waitForAll: waitForAllGiven ? on("wait_for_all") : twoNode,
    waitForAllGiven,
    lastManStanding: on("last_man_standing"),
    lastManStandingWindowMs: numberOf(values, "quorum.last_man_standing_window", "u32") || 10_000,
    autoTieBreaker: on("auto_tie_breaker"),
    autoTieBreakerNode: stringOf(values, "quorum.auto_tie_breaker_node"),
    allowDownscale: on("allow_downscale"),
    expectedVotesTracking: on("expected_votes_tracking"),
    device:
      model === undefined
        ? undefined
        : {
            model,
            votes: numberOf(values, "quorum.device.votes", "u32") ?? Math.max(votes.length - 1, 0),
            automaticVotes: !values.has("quorum.device.votes"),
            timeoutMs: numberOf(values, "quorum.device.timeout", "u32") ?? 10_000,
            syncTimeoutMs: numberOf(values, "quorum.device.sync_timeout", "u32") ?? 30_000,
          },
  };
}

const because = (text: string, key: string): Reason => ({ text: `configuration error: ${text}`, key });

/** Why a configured device and the rest of the section do not go together, two_node apart. At run time the device's operations are switched off for it. */
export function deviceConflict(values: ConfValues): Reason | undefined {
  const quorum = readQuorum(values);
  if (quorum.device === undefined) return undefined;
  if (quorum.lastManStanding) return because("quorum.device is not compatible with last_man_standing", "quorum.last_man_standing");
  if (quorum.autoTieBreaker) return because("quorum.device is not compatible with auto_tie_breaker", "quorum.auto_tie_breaker");
  if (quorum.allowDownscale) return because("quorum.device is not compatible with allow_downscale", "quorum.allow_downscale");
  if (!values.has("quorum.device.votes")) {
    if (quorum.expectedVotes !== undefined) {
      return because("quorum.device.votes must be specified when quorum.expected_votes is set", "quorum.expected_votes");
    }
    if (nodelistVotes(values).some((v) => v !== 1)) {
      return because("quorum.device.votes must be specified when not all nodes votes 1", "quorum.device.model");
    }
  } else if (quorum.expectedVotes !== undefined && quorum.expectedVotes - quorum.device.votes < 2) {
    return because("quorum.device.votes is too high or expected_votes is too low", "quorum.device.votes");
  }
  return undefined;
}

/** Why the quorum service would not load; undefined if it would. */
export function quorumRefusal(values: ConfValues): Reason | undefined {
  const quorum = readQuorum(values);
  if (quorum.provider === undefined) return undefined;
  if (quorum.provider !== VOTEQUORUM) return { text: "Invalid quorum provider", key: "quorum.provider" };
  if (quorum.device !== undefined && quorum.twoNode) {
    return because("two_node and quorum device cannot be configured at the same time!", "quorum.two_node");
  }
  return deviceConflict(values) ?? tieBreakerRefusal(values, quorum);
}

/**
 * A cluster whose nodelist has an odd sum of votes, with a tie breaker, last_man_standing and nobody waiting for all: the daemon explains itself and does not
 * start. It speaks of nodes and counts votes: three nodes with 3, 2 and 1 start, four with 2, 1, 1 and 1 do not (observed).
 */
function tieBreakerRefusal(values: ConfValues, quorum: QuorumConfig): Reason | undefined {
  const odd = quorum.nodelistVotes % 2 === 1;
  if (!quorum.autoTieBreaker || !quorum.lastManStanding || quorum.waitForAll || !odd) return undefined;
  const reason = because("auto_tie_breaker & last_man_standing not available in odd sized cluster", "quorum.auto_tie_breaker");
  return { ...reason, explained: TIE_BREAKER_AND_LAST_MAN };
}

/** What the daemon says of it, at a start and at a reload. */
export const TIE_BREAKER_AND_LAST_MAN: readonly string[] = [
  "auto_tie_breaker is set, the cluster has an odd number of nodes",
  "and last_man_standing is also set. With this situation a better",
  "solution would be to disable LMS, leave ATB enabled, and also",
  "enable wait_for_all (mandatory for ATB in odd-numbered clusters).",
  "Due to this ambiguity, corosync will fail to start. Please fix your corosync.conf",
];
