/**
 * A message or a merge detect comes in: of this ring, it is taken in and what is complete is delivered; of another, the rings are to become one. In the real stack:
 * message_handler_mcast and message_handler_memb_merge_detect of totemsrp.
 */
import { deliverUpTo, inRange, sortQueue, updateAru } from "./delivery.ts";
import { onForeign } from "./gather.ts";
import type { Mcast, MergeDetect } from "./messages.ts";
import type { Srp } from "./state.ts";
import { sameRing } from "./types.ts";

/** A message of some ring's total order. */
export function onMcast(t: Srp, message: Mcast): void {
  const { s } = t;
  t.stats.mcast_rx++;
  if (!sameRing(message.ring, s.ring)) {
    if (s.phase === "commit" || s.phase === "recovery") t.stats.rx_msg_dropped++;
    else onForeign(t, message.from, 7, 8);
    return;
  }
  // While gathering, messages of the installed ring are still taken in: recovery will want them. Those of a ring that was never installed are not: their
  // numbers belong to a recovery that failed, and would hide the old messages of the same numbers.
  if (s.phase === "commit" || (s.phase === "gather" && s.oldRingSaved)) return;
  const queue = sortQueue(t);
  if (inRange(t, message.seq) && message.seq > s.myAru && !queue.has(message.seq)) {
    if (message.seq > s.myHighSeqReceived) s.myHighSeqReceived = message.seq;
    queue.set(message.seq, message);
    s.misses.delete(message.seq);
  }
  updateAru(t);
  if (s.phase === "operational") deliverUpTo(t, s.myHighSeqReceived, false);
}

/** An idle ring makes itself known. */
export function onMergeDetect(t: Srp, message: MergeDetect): void {
  t.stats.memb_merge_detect_rx++;
  if (sameRing(message.ring, t.s.ring)) return;
  // Seen with the real daemon: a process that slept through a re-forming is not woken by the merge detect of one it still counts as a member. One that did
  // not sleep is: a member that died and was started again is taken in before the token times out.
  if (t.s.phase === "operational" && t.s.slept && t.s.memb.includes(message.from)) return;
  onForeign(t, message.from, 9, 10);
}
