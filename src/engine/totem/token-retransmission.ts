/**
 * The token's retransmission: whoever passed a token on keeps it, and sends it again when nothing shows that it has gone on. In the real stack: token_retransmit and
 * timer_function_token_retransmit_timeout of totemsrp. Messages that are missed are another matter (token.ts).
 */
import { isOrfToken } from "./messages.ts";
import type { Srp } from "./state.ts";
import { TIMER, arm } from "./timing.ts";

/** token_retransmit from now on. */
export function resetRetransmitTimeout(t: Srp): void {
  arm(t, TIMER.retransmit, t.params.tokenRetransmitMs);
}

/** Sends the stored token (orf or commit) again. */
export function retransmitToken(t: Srp): void {
  if (t.s.sentToken.length === 0) return;
  if (t.params.profile.countsEveryToken && isOrfToken(t.s.sentToken)) t.stats.orf_token_tx++;
  t.transport.unicast(t.s.sentTokenTo, t.s.sentToken);
}

/** The timer has run out. */
export function onRetransmitTimeout(t: Srp): void {
  if (t.s.phase === "gather") return;
  retransmitToken(t);
  resetRetransmitTimeout(t);
}
