/**
 * The GATHER state: who can I hear, who is gone, and do we all agree (memb_state_gather_enter, memb_join_process and the consensus timer of
 * totemsrp). Sources: the Totem paper's membership algorithm; totemsrp's behaviour as observed in debug logs. Left out: nothing.
 */
import { MS } from "../kernel/index.ts";
import { createCommitToken, enterCommit } from "./commit.ts";
import { encodeJoin, type Join } from "./messages.ts";
import { isEqual, isSubset, subtract, union } from "./sets.ts";
import type { Srp } from "./state.ts";
import { TIMER, arm, armStatsRound, cancelMergeDetect, cancelTokenTimers, resetTokenTimeout } from "./timing.ts";
import { ringIdText } from "./types.ts";

/** How late the consensus timer of a quarrel may run out. Ours. */
const LATE_MAX_MS = 5;

/** Why a node entered GATHER: the numbers and texts of totemsrp's debug line. */
export const REASON: { readonly [n: number]: string } = {
  0: "consensus timeout",
  2: "The token was lost in the OPERATIONAL state.",
  3: "The consensus timeout expired.",
  4: "The token was lost in the COMMIT state.",
  5: "The token was lost in the RECOVERY state.",
  6: "failed to receive",
  7: "foreign message in operational state",
  8: "foreign message in gather state",
  9: "merge during operational state",
  10: "merge during gather state",
  11: "merge during join",
  12: "join during operational state",
  13: "join during commit state",
  14: "join during recovery",
  15: "interface change",
};

export function enterGather(t: Srp, reason: number): void {
  const s = t.s;
  s.orfTokenDiscard = true;
  s.originatedOrfToken = false;
  s.proc = union(s.proc, [t.params.nodeId]);
  s.consensus = [t.params.nodeId];
  s.phase = "gather";
  t.stats.gather_entered++;
  if (reason === 3) {
    t.stats.continuous_gather++;
    armStatsRound(t);
  }
  cancelTokenTimers(t);
  cancelMergeDetect(t);
  t.port.clearTimer(TIMER.hold);
  t.port.clearTimer(TIMER.stored);
  arm(t, TIMER.join, t.params.joinMs);
  arm(t, TIMER.consensus, t.params.consensusMs);
  t.port.log("debug", "TOTEM", `entering GATHER state from ${reason}(${REASON[reason] ?? "unknown"}).`);
  t.port.trace({ what: "state", node: t.params.nodeId, state: "gather", reason, ring: ringIdText(s.ring) });
  if (t.params.sendJoinMs > 0) t.port.setTimer(TIMER.sendJoin, t.port.now() + t.port.rng.below(t.params.sendJoinMs * 1000));
  else sendJoin(t);
}

export function sendJoin(t: Srp): void {
  const s = t.s;
  t.stats.memb_join_tx++;
  t.port.trace({ what: "join", from: t.params.nodeId, proc: [...s.proc], failed: [...s.failed] });
  t.transport.multicast(encodeJoin({ type: 3, from: t.params.nodeId, leave: false, ringSeq: s.ring.seq, proc: s.proc, failed: s.failed }));
}

/** The goodbye of an orderly stop: a join whose header names nobody, with the sender among the failed and not among the known. */
export function sendLeave(t: Srp): void {
  const s = t.s;
  const me = [t.params.nodeId];
  t.port.log("debug", "TOTEM", "sending join/leave message");
  t.stats.memb_join_tx++;
  t.transport.multicast(
    encodeJoin({
      type: 3,
      from: t.params.nodeId,
      leave: true,
      ringSeq: s.ring.seq,
      proc: subtract(s.proc, me),
      failed: union(s.failed, me),
    }),
  );
}

/** Have all processors that are not failed said the same lists as mine? */
function consensusAgreed(t: Srp): boolean {
  const s = t.s;
  return isSubset(subtract(s.proc, s.failed), s.consensus);
}

function lowestInConfig(t: Srp): boolean {
  return subtract(t.s.proc, t.s.failed)[0] === t.params.nodeId;
}

export function consensusExpired(t: Srp): void {
  const s = t.s;
  t.stats.consensus_timeouts++;
  if (consensusAgreed(t)) {
    // Everybody agreed, yet no commit token came: wait one more token timeout for it.
    s.consensus = [t.params.nodeId];
    resetTokenTimeout(t);
    return;
  }
  s.failed = union(s.failed, subtract(s.proc, s.consensus));
  enterGather(t, 0);
}

/** A process that slept drops the membership messages that piled up meanwhile: they describe the past. */
function pauseFlush(t: Srp): boolean {
  const since = t.s.pausedSince;
  if (since < 0) return false;
  const ms = Math.floor((t.port.now() - since) / 1000);
  if (ms <= t.params.tokenMs / 2) return false;
  t.port.log("notice", "TOTEM", `Process pause detected for ${ms} ms, flushing membership messages.`);
  return true;
}

export function onJoin(t: Srp, join: Join): void {
  const s = t.s;
  t.stats.memb_join_rx++;
  if (pauseFlush(t)) return;
  if (s.tokenRingSeq < join.ringSeq) s.tokenRingSeq = join.ringSeq;
  switch (s.phase) {
    case "operational":
      if (join.failed.includes(t.params.nodeId)) return;
      if (s.memb.includes(join.from) && join.ringSeq < s.ring.seq) return;
      processJoin(t, join);
      return;
    case "gather":
      processJoin(t, join);
      return;
    case "commit":
    case "recovery":
      if (!s.newMemb.includes(join.from) || join.ringSeq < s.ring.seq) return;
      processJoinWhileForming(t, join);
  }
}

/** A member of the ring being formed gathers again: so does this node, whatever the join says (observed: 5 and 14 follow each other in one instant). */
function processJoinWhileForming(t: Srp, join: Join): void {
  const recovering = t.s.phase === "recovery";
  processJoin(t, join);
  if (recovering) {
    restoreOldRing(t);
    enterGather(t, 5);
  }
  enterGather(t, recovering ? 14 : 13);
}

/** totemsrp's old_ring_state_restore: recovery failed, the installed ring is again what the next attempt starts from. */
export function restoreOldRing(t: Srp): void {
  const s = t.s;
  s.myAru = s.oldRingAru;
  s.myHighSeqReceived = s.oldRingHighSeq;
  t.port.log(
    "debug",
    "TOTEM",
    `Restoring instance->my_aru ${s.myAru.toString(16)} my high seq received ${s.myHighSeqReceived.toString(16)}`,
  );
}

/**
 * Nodes that have given each other up gather by themselves, time out together, and give each other up again: with steps that all take the same time, for
 * ever. The timers of real main loops run out a little apart, and the first whose time is up ends it. So after an accusation they do here, too.
 */
function loosenConsensus(t: Srp): void {
  t.port.setTimer(TIMER.consensus, t.port.now() + t.params.consensusMs * MS + t.port.rng.between(0, LATE_MAX_MS * MS));
}

/** memb_join_process: agree, ignore, or learn something new and gather again. */
function processJoin(t: Srp, join: Join): void {
  const s = t.s;
  if (join.leave) {
    t.port.log("debug", "TOTEM", `Received LEAVE message from ${join.from}`);
    s.leaving = union(s.leaving, [join.from]);
  }
  let entered = false;
  if (isEqual(join.proc, s.proc) && isEqual(join.failed, s.failed)) {
    if (!join.leave && !s.consensus.includes(join.from)) s.consensus = union(s.consensus, [join.from]);
    if (consensusAgreed(t) && s.failedToRecv) {
      s.failedToRecv = false;
      s.proc = [t.params.nodeId];
      s.failed = [];
      createCommitToken(t);
      enterCommit(t);
      return;
    }
    if (s.phase === "gather" && consensusAgreed(t) && lowestInConfig(t)) {
      createCommitToken(t);
      enterCommit(t);
      return;
    }
  } else if (isSubset(join.proc, s.proc) && isSubset(join.failed, s.failed)) {
    // Nothing new.
  } else if (s.failed.includes(join.from)) {
    // I have given this one up; its view counts no more in this round.
  } else {
    const known = s.proc.length + s.failed.length;
    const accused = join.failed.includes(t.params.nodeId);
    s.proc = union(s.proc, join.proc);
    if (accused) s.failed = union(s.failed, [join.from]);
    else if (s.memb.includes(join.from)) s.failed = union(s.failed, join.failed);
    // A stranger that has given up somebody begins the gather anew with every join, although nothing is learnt from it (observed, every 50 ms). Only where
    // each of two has given up another one it is left out: each would answer the other at once, ever more of them, and no consensus timer would run out.
    const learnt = s.proc.length + s.failed.length > known;
    const mutual = !isSubset(s.proc, join.proc) || !isSubset(s.failed, join.failed);
    if (s.phase !== "gather" || learnt || !mutual) {
      enterGather(t, 11);
      entered = true;
      if (accused) loosenConsensus(t);
    }
  }
  if (!entered && s.phase === "operational") enterGather(t, 12);
}

/** A foreign ring made itself known: by a merge detect (9, 10) or by a message (7, 8). */
export function onForeign(t: Srp, from: number, reasonOperational: number, reasonGather: number): void {
  const s = t.s;
  if (s.phase === "operational") {
    s.proc = union(s.proc, [from]);
    enterGather(t, reasonOperational);
  } else if (s.phase === "gather" && !s.proc.includes(from)) {
    s.proc = union(s.proc, [from]);
    enterGather(t, reasonGather);
  }
}
