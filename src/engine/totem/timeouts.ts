/**
 * What each of Totem's timers does when it runs out: the token is lost, sent again or passed on, a join is repeated, consensus is given up. In the real stack: the
 * timer_function_ family of totemsrp. When they are set is in timing.ts. Left out: the heartbeat timer, which is off by default.
 */
import { MS } from "../kernel/index.ts";
import { ringStored } from "./commit.ts";
import { consensusExpired, enterGather, restoreOldRing, sendJoin } from "./gather.ts";
import { sendTokenAgain } from "./hold.ts";
import { encodeMergeDetect } from "./messages.ts";
import type { Srp } from "./state.ts";
import { TIMER, arm, armStatsRound, resetTokenWarning } from "./timing.ts";
import { onRetransmitTimeout } from "./token-retransmission.ts";

/** More consecutive gathers than this and the statistics round complains (MAX_NO_CONT_GATHER). */
const CONTINUOUS_GATHER_MAX = 3;

function tokenWarning(t: Srp): string {
  const ms = Math.floor((t.port.now() - Math.max(0, t.watch.lastRx)) / MS);
  return `Token has not been received in ${ms} ms${t.params.profile.tokenWarningEndsInBlank ? " " : ""}`;
}

/** A timer of this layer ran out. */
export function onTimer(t: Srp, name: string): void {
  switch (name) {
    case TIMER.token:
      tokenLost(t);
      return;
    case TIMER.warning:
      t.port.log("notice", "TOTEM", tokenWarning(t));
      if (t.s.phase === "operational") resetTokenWarning(t);
      return;
    case TIMER.retransmit:
      onRetransmitTimeout(t);
      return;
    case TIMER.hold:
      if (t.s.phase === "operational" || t.s.phase === "recovery") sendTokenAgain(t);
      return;
    case TIMER.merge:
      t.s.mergeDetectPending = false;
      if (t.s.phase !== "operational" || t.s.ring.rep !== t.params.nodeId) return;
      t.stats.memb_merge_detect_tx++;
      t.transport.multicast(encodeMergeDetect(t.params.nodeId, t.s.ring));
      return;
    case TIMER.join:
      if (t.s.phase !== "gather") return;
      sendJoin(t);
      arm(t, TIMER.join, t.params.joinMs);
      return;
    case TIMER.sendJoin:
      if (t.s.phase === "gather") sendJoin(t);
      return;
    case TIMER.consensus:
      if (t.s.phase === "gather") consensusExpired(t);
      return;
    case TIMER.stored:
      ringStored(t);
      return;
    case TIMER.stats:
      statsRound(t);
      return;
    default:
      throw new Error(`totem has no timer ${name}`);
  }
}

function tokenLost(t: Srp): void {
  const state = t.s.phase;
  if (state === "commit" || state === "recovery") t.port.trace({ what: "commit-token-lost", node: t.params.nodeId, state });
  switch (state) {
    case "operational":
      t.stats.operational_token_lost++;
      t.port.log("debug", "TOTEM", "The token was lost in the OPERATIONAL state.");
      t.port.log(
        "notice",
        "TOTEM",
        `A processor failed, forming new configuration: token timed out (${t.params.tokenMs}ms), waiting ${t.params.consensusMs}ms for consensus.`,
      );
      t.port.log("debug", "TOTEM", "totemknet: iface_check");
      enterGather(t, 2);
      return;
    case "gather":
      t.stats.gather_token_lost++;
      t.port.log("debug", "TOTEM", `The consensus timeout expired (${t.params.consensusMs}ms).`);
      consensusExpired(t);
      enterGather(t, 3);
      return;
    case "commit":
      t.stats.commit_token_lost++;
      t.port.log("debug", "TOTEM", "The token was lost in the COMMIT state.");
      enterGather(t, 4);
      return;
    case "recovery":
      t.stats.recovery_token_lost++;
      t.port.log("debug", "TOTEM", "The token was lost in the RECOVERY state.");
      restoreOldRing(t);
      enterGather(t, 5);
  }
}

function statsRound(t: Srp): void {
  const stuck = t.stats.continuous_gather > CONTINUOUS_GATHER_MAX;
  t.stats.firewall_enabled_or_nic_failure = stuck ? 1 : 0;
  if (stuck) {
    t.port.log(
      "warning",
      "MAIN",
      "Totem is unable to form a cluster because of an operating system or network fault (reason: totem is continuously in gather state). The most common cause of this message is that the local firewall is configured improperly.",
    );
  }
  const watched = t.onStatsRound();
  if (watched || t.stats.continuous_gather > 0) armStatsRound(t);
}
