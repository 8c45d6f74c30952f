/**
 * The token at rest: an idle ring's representative holds it for a while, whoever has something to send asks for it, and it goes on. In the real stack: the token hold
 * of totemsrp (orf_token_hold_retransmit, message_handler_token_hold_cancel).
 */
import { TIMER } from "./timing.ts";
import { resetRetransmitTimeout, retransmitToken } from "./token-retransmission.ts";
import { encodeHoldCancel, type HoldCancel } from "./messages.ts";
import type { Srp } from "./state.ts";
import { ringIdText, sameRing } from "./types.ts";

/** Somebody believes the token rests at the representative: ask for it. */
export function cancelHold(t: Srp): void {
  if (!t.s.myTokenHeld || t.s.phase !== "operational") return;
  t.s.myTokenHeld = false;
  t.stats.token_hold_cancel_tx++;
  t.transport.multicast(encodeHoldCancel(t.params.nodeId, t.s.ring));
}

/** Somebody has something to send: the representative passes the token on at once. */
export function onHoldCancel(t: Srp, message: HoldCancel): void {
  t.stats.token_hold_cancel_rx++;
  if (!sameRing(message.ring, t.s.ring) || t.s.phase === "gather" || t.s.phase === "commit") return;
  t.s.mySeqUnchanged = 0;
  t.s.myTokenHeld = false;
  if (t.s.ring.rep !== t.params.nodeId) return;
  t.port.clearTimer(TIMER.hold);
  sendTokenAgain(t);
  resetRetransmitTimeout(t);
}

/** The token that rested here goes on. */
export function sendTokenAgain(t: Srp): void {
  t.watch.heldSince = t.port.now();
  t.port.trace({
    what: "token",
    from: t.params.nodeId,
    to: t.s.sentTokenTo,
    seq: t.s.myHighSeqReceived,
    retransmits: 0,
    ring: ringIdText(t.s.ring),
  });
  retransmitToken(t);
}
