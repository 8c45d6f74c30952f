/**
 * Installing a ring (memb_state_operational_enter of totemsrp): old messages without gaps, the transitional configuration, old messages after gaps,
 * the regular configuration, in this order; so members that came along together have delivered the same messages when they see the new ring.
 */
import { MCAST, decode } from "./messages.ts";
import { deliverUpTo } from "./delivery.ts";
import { subtract } from "./sets.ts";
import type { Srp } from "./state.ts";
import { resetTokenTimeout } from "./timing.ts";
import { resetRetransmitTimeout } from "./token-retransmission.ts";
import { ringIdText, sameRing } from "./types.ts";

/** Messages of the old ring that came encapsulated over the new one go back into the old ring's sort queue. */
function takeInRecovered(t: Srp): void {
  const s = t.s;
  for (let seq = 1; seq <= s.myAru; seq++) {
    const carrier = s.recovery.get(seq);
    if (carrier === undefined || !carrier.encapsulated) continue;
    const inner = decode(carrier.payload);
    if (inner === undefined || inner.type !== MCAST || !sameRing(inner.ring, s.oldRing)) continue;
    if (inner.seq > s.myHighDelivered && !s.regular.has(inner.seq)) s.regular.set(inner.seq, inner);
    if (inner.seq > s.oldRingHighSeq) s.oldRingHighSeq = inner.seq;
  }
}

function membershipLine(t: Srp, joined: readonly number[], left: readonly number[]): void {
  const part = (word: string, ids: readonly number[]): string => (ids.length > 0 ? ` ${word}: ${ids.join(" ")}` : "");
  t.port.log(
    "notice",
    "TOTEM",
    `A new membership (${ringIdText(t.s.ring)}) was formed. Members${part("joined", joined)}${part("left", left)}`,
  );
  const untold = subtract(left, t.s.leaving);
  if (untold.length > 0) t.port.log("notice", "TOTEM", `Failed to receive the leave message. failed: ${untold.join(" ")}`);
}

export function enterOperational(t: Srp): void {
  const s = t.s;
  const me = t.params.nodeId;
  s.consensus = [];
  s.oldRingSaved = false;
  t.port.log("debug", "TOTEM", "Resetting old ring state");
  t.port.log("debug", "TOTEM", "recovery to regular 1-0");
  takeInRecovered(t);
  const aru = s.myAru;
  s.myAru = s.oldRingAru;
  deliverUpTo(t, s.oldRingHighSeq, false);

  const left = subtract(s.memb, s.trans);
  const joined = subtract(s.newMemb, s.trans);
  s.memb = [...s.newMemb];
  s.mySetRetransFlg = false;
  s.waitingTransAck = true;
  t.port.trace({ what: "membership", node: me, ring: ringIdText(s.ring), members: [...s.trans], transitional: true });
  t.listener.configuration({ kind: "transitional", ring: s.ring, members: [...s.trans], left, joined: [] });
  t.port.log("debug", "TOTEM", "waiting_trans_ack changed to 1");
  deliverUpTo(t, s.oldRingHighSeq, true);

  // The queue of the new ring takes over before the application hears of it: whatever it sends now belongs to the new ring.
  s.myAru = aru;
  s.regular = s.recovery;
  s.recovery = new Map();
  s.misses = new Map();
  s.lastReleased = 0;
  s.myLastAru = 0;
  s.myHighDelivered = s.myHighSeqReceived;
  s.proc = [...s.newMemb];
  s.failed = [];
  s.myReceivedFlg = true;
  s.phase = "operational";
  t.port.trace({ what: "membership", node: me, ring: ringIdText(s.ring), members: [...s.memb], transitional: false });
  t.port.trace({ what: "state", node: me, state: "operational", reason: 0, ring: ringIdText(s.ring) });
  t.listener.configuration({ kind: "regular", ring: s.ring, members: [...s.memb], left: [], joined });
  resetTokenTimeout(t);
  resetRetransmitTimeout(t);
  t.port.log("debug", "TOTEM", "entering OPERATIONAL state.");
  membershipLine(t, joined, left);
  s.leaving = [];
  t.stats.operational_entered++;
  t.stats.continuous_gather = 0;
  s.oldRing = s.ring;
}
