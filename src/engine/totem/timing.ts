/** The timers of totemsrp and what their names mean. Periods come from the effective parameters (runtime.config.totem.*). */
import { MS } from "../kernel/index.ts";
import type { Srp } from "./state.ts";

export const TIMER = {
  /** Token lost. */
  token: "token",
  /** "Token has not been received in N ms". */
  warning: "warning",
  /** Re-send the token I passed on. */
  retransmit: "retransmit",
  /** The representative lets an idle token go. */
  hold: "hold",
  /** Tell foreign rings that this one exists. */
  merge: "merge",
  /** Re-send the join while gathering. */
  join: "join",
  /** Delayed first join (send_join). */
  sendJoin: "send-join",
  consensus: "consensus",
  /** The ring id is on disk at last: the commit token goes on. */
  stored: "stored",
  /** The statistics round that complains about endless gathering. */
  stats: "stats",
} as const;

/** corosync updates its totem statistics every 1.5 s (observed; main.c). */
const STATS_ROUND_MS = 1500;

/** Rounds happen every 1.5 s from the start; the timer is set only while a round could have something to say. */
export function armStatsRound(t: Srp): void {
  const period = STATS_ROUND_MS * MS;
  const sinceStart = t.port.now() - t.s.startedAt;
  t.port.setTimer(TIMER.stats, t.s.startedAt + (Math.floor(sinceStart / period) + 1) * period);
}

export function arm(t: Srp, name: string, ms: number): void {
  t.port.setTimer(name, t.port.now() + ms * MS);
}

/** An accepted token (or a new phase) restarts loss detection and its warning. */
export function resetTokenTimeout(t: Srp): void {
  arm(t, TIMER.token, t.params.tokenMs);
  resetTokenWarning(t);
}

export function resetTokenWarning(t: Srp): void {
  if (t.params.tokenWarningPercent > 0) arm(t, TIMER.warning, Math.floor((t.params.tokenMs * t.params.tokenWarningPercent) / 100));
}

export function cancelTokenTimers(t: Srp): void {
  t.port.clearTimer(TIMER.token);
  t.port.clearTimer(TIMER.warning);
  t.port.clearTimer(TIMER.retransmit);
}

/** Merge detection is armed by an idle token visit and not re-armed while it is pending, so it comes once per visit at most. */
export function startMergeDetect(t: Srp): void {
  if (t.s.mergeDetectPending) return;
  t.s.mergeDetectPending = true;
  arm(t, TIMER.merge, t.params.mergeMs);
}

export function cancelMergeDetect(t: Srp): void {
  if (!t.s.mergeDetectPending) return;
  t.s.mergeDetectPending = false;
  t.port.clearTimer(TIMER.merge);
}
