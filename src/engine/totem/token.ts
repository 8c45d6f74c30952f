/**
 * Handling of the circulating token: retransmission, flow control, sending, the all-received-up-to rule, the hold of an idle ring and the count-down
 * from RECOVERY to OPERATIONAL (message_handler_orf_token and its helpers in totemsrp). Left out: the redundant-ring problem counters of older versions.
 */
import { RETRANSMIT_ENTRIES_MAX, SORT_QUEUE_MAX } from "../kernel/index.ts";
import { sendToken } from "./commit.ts";
import { deliverUpTo, freeMessages, inRange, sortQueue, updateAru } from "./delivery.ts";
import { enterGather } from "./gather.ts";
import { enterOperational } from "./install.ts";
import { MCAST, encodeMcast, type Mcast, type OrfToken } from "./messages.ts";
import { union } from "./sets.ts";
import type { Srp } from "./state.ts";
import { TIMER, arm, cancelMergeDetect, resetTokenTimeout, startMergeDetect } from "./timing.ts";
import { resetRetransmitTimeout } from "./token-retransmission.ts";
import { ringIdText, sameRing } from "./types.ts";
import { noteArrival, noteSent } from "./watch.ts";

/** The queue whose head goes out next. */
function sendQueue(t: Srp): Uint8Array[] {
  const s = t.s;
  if (s.phase === "recovery") return s.retransQueue;
  return s.waitingTransAck ? s.transQueue : s.queue;
}

/** How many messages this visit may send, retransmissions included. */
function flowControl(t: Srp, token: OrfToken): number {
  const s = t.s;
  const { windowSize, maxMessages } = t.params;
  let allowed = Math.min(maxMessages, windowSize - token.fcc);
  s.myCbl = sendQueue(t).length;
  const share = token.backlog + s.myCbl - s.myPbl;
  if (share > 0) {
    const calc = Math.floor((windowSize * s.myPbl) / share);
    if (calc > 0 && allowed > calc) allowed = calc;
  }
  return Math.max(0, allowed);
}

/** Re-multicasts what the list asks for and this node has, then asks for its own holes. Returns how many were re-sent. */
function serveRetransmits(t: Srp, token: OrfToken, allowed: number): number {
  const s = t.s;
  const queue = sortQueue(t);
  if (token.rtr.length > 0) {
    t.port.log("notice", "TOTEM", `Retransmit List: ${token.rtr.map((r) => `${r.seq.toString(16)} `).join("")}`);
  }
  let sent = 0;
  const left: OrfToken["rtr"] = [];
  for (const item of token.rtr) {
    const message = sameRing(item.ring, s.ring) ? queue.get(item.seq) : undefined;
    if (message === undefined || sent >= allowed) {
      left.push(item);
      continue;
    }
    t.transport.multicast(encodeMcast(message));
    t.stats.mcast_retx++;
    t.watch.retransmits++;
    t.port.trace({ what: "retransmit", from: t.params.nodeId, seq: item.seq, ring: ringIdText(s.ring) });
    sent++;
  }
  token.rtr = left;
  askForHoles(t, token, queue);
  return sent;
}

function askForHoles(t: Srp, token: OrfToken, queue: ReadonlyMap<number, Mcast>): void {
  const s = t.s;
  for (let seq = s.myAru + 1; seq <= token.seq && token.rtr.length < RETRANSMIT_ENTRIES_MAX; seq++) {
    if (!inRange(t, seq)) return;
    if (queue.has(seq)) continue;
    const misses = (s.misses.get(seq) ?? 0) + 1;
    s.misses.set(seq, misses);
    if (misses < t.params.missCountConst) continue;
    if (!token.rtr.some((r) => r.seq === seq && sameRing(r.ring, s.ring))) token.rtr.push({ ring: s.ring, seq });
  }
}

/** Sends waiting messages, numbering them on. Own messages enter the sort queue at once. */
function sendWaiting(t: Srp, token: OrfToken, allowed: number): number {
  const s = t.s;
  const queue = sendQueue(t);
  const sorted = sortQueue(t);
  let sent = 0;
  while (sent < allowed) {
    const payload = queue.shift();
    if (payload === undefined) break;
    const message: Mcast = Object.freeze({
      type: MCAST,
      encapsulated: s.phase === "recovery",
      from: t.params.nodeId,
      seq: ++token.seq,
      ring: s.ring,
      payload,
    });
    sorted.set(message.seq, message);
    s.myHighSeqReceived = message.seq;
    if (!message.encapsulated) t.port.trace({ what: "mcast", node: t.params.nodeId, ring: ringIdText(s.ring), seq: message.seq });
    t.transport.multicast(encodeMcast(message));
    t.stats.mcast_tx++;
    sent++;
  }
  updateAru(t);
  return sent;
}

function updateTokenAru(t: Srp, token: OrfToken, lastAru: number): void {
  const s = t.s;
  if (s.myAru < token.aru || token.aruAddr === t.params.nodeId || token.aruAddr === 0) {
    token.aru = s.myAru;
    token.aruAddr = token.aru === token.seq ? 0 : t.params.nodeId;
  }
  s.myAruCount = token.aru === lastAru && token.aruAddr !== 0 ? s.myAruCount + 1 : 0;
}

/** Counts towards the end of recovery; true when the ring may be installed. */
function recoveryDone(t: Srp, token: OrfToken): boolean {
  const s = t.s;
  const empty = s.retransQueue.length === 0;
  if (!empty) {
    if (!token.retransFlg) {
      token.retransFlg = true;
      s.mySetRetransFlg = true;
    }
  } else if (token.retransFlg && s.mySetRetransFlg) {
    token.retransFlg = false;
    s.mySetRetransFlg = false;
  }
  const hex = (n: number): string => (n >>> 0).toString(16);
  const flag = (b: boolean): number => (b ? 1 : 0);
  t.port.log(
    "debug",
    "TOTEM",
    `token retrans flag is ${flag(token.retransFlg)} my set retrans flag${flag(s.mySetRetransFlg)} retrans queue empty ${flag(empty)} count ${s.myRetransFlgCount}, aru ${hex(token.aru)}`,
  );
  s.myRetransFlgCount = token.retransFlg ? 0 : s.myRetransFlgCount + 1;
  if (s.myRetransFlgCount === 2) s.myInstallSeq = token.seq;
  t.port.log("debug", "TOTEM", `install seq ${hex(s.myInstallSeq)} aru ${hex(s.myAru)} high seq received ${hex(s.myHighSeqReceived)}`);
  if (s.myRetransFlgCount >= 2 && !s.myReceivedFlg && s.myInstallSeq <= s.myAru) {
    s.myReceivedFlg = true;
    s.deliverMemb = [...s.trans];
  }
  s.myRotationCounter = s.myRetransFlgCount >= 3 && s.myInstallSeq <= token.aru ? s.myRotationCounter + 1 : 0;
  if (s.myRotationCounter !== 2) return false;
  t.port.log(
    "debug",
    "TOTEM",
    `retrans flag count ${hex(s.myRetransFlgCount)} token aru ${hex(token.aru)} install seq ${hex(s.myInstallSeq)} aru ${hex(s.myAru)} ${hex(token.seq)}`,
  );
  return true;
}

/** Is the ring idle? An idle visit arms merge detection; a busy one ends it and lets the token run. */
function noteIdleness(t: Srp, token: OrfToken): void {
  const s = t.s;
  if (token.seq === s.myLastSeq) {
    startMergeDetect(t);
    s.mySeqUnchanged++;
  } else {
    cancelMergeDetect(t);
    t.port.clearTimer(TIMER.hold);
    s.mySeqUnchanged = 0;
  }
  s.myLastSeq = token.seq;
}

export function onToken(t: Srp, token: OrfToken): void {
  const s = t.s;
  const me = t.params.nodeId;
  t.stats.orf_token_rx++;
  if (s.orfTokenDiscard || s.phase === "commit" || s.phase === "gather") return;
  if (!sameRing(token.ring, s.ring) || token.tokenSeq <= s.myTokenSeq) return;
  // A token that waited while the process slept is no sign that the ring still turns.
  if (s.pausedSince < 0) s.slept = false;
  t.onToken();
  noteArrival(t);
  noteIdleness(t, token);
  const rep = s.ring.rep === me;
  const idleAfter = t.params.seqnoUnchangedConst;
  s.myTokenHeld = rep ? s.mySeqUnchanged > idleAfter : s.mySeqUnchanged >= idleAfter;
  let forward = !(rep && s.myTokenHeld);
  if (s.phase === "operational") freeMessages(t, token.aru);

  const lastAru = s.myLastAru;
  s.myLastAru = token.aru;
  let allowed = flowControl(t, token);
  const resent = serveRetransmits(t, token, allowed);
  allowed -= resent;
  // By default an idle ring stays slow while it repairs itself: the hold goes on (cancel_token_hold_on_retransmit).
  if (t.params.cancelTokenHoldOnRetransmit && s.myTokenHeld && (token.rtr.length > 0 || resent > 0)) {
    s.myTokenHeld = false;
    forward = true;
  }
  // Never number a message that the sort queue of a slow member could not hold.
  if (token.seq >= s.lastReleased + SORT_QUEUE_MAX - (allowed + t.params.windowSize)) allowed = 0;
  const sent = sendWaiting(t, token, allowed);
  token.fcc = Math.max(0, token.fcc + resent + sent - s.myTrc);
  token.backlog = Math.max(0, token.backlog + s.myCbl - s.myPbl);
  s.myTrc = resent + sent;
  s.myPbl = s.myCbl;
  updateTokenAru(t, token, lastAru);

  if (s.myAruCount > t.params.failRecvConst && token.aruAddr === me) {
    t.port.log("error", "TOTEM", "FAILED TO RECEIVE");
    s.failedToRecv = true;
    s.failed = union(s.failed, [me]);
    enterGather(t, 6);
    return;
  }
  passOn(t, token, forward, rep);
}

function passOn(t: Srp, token: OrfToken, forward: boolean, rep: boolean): void {
  const s = t.s;
  s.myTokenSeq = token.tokenSeq;
  token.tokenSeq++;
  const install = s.phase === "recovery" && recoveryDone(t, token);
  if (install) {
    enterOperational(t);
    s.myRotationCounter = 0;
    s.myRetransFlgCount = 0;
  }
  sendToken(t, token, forward);
  if (forward) noteSent(t);
  resetTokenTimeout(t);
  resetRetransmitTimeout(t);
  if (rep && s.myTokenHeld && !forward) {
    t.watch.heldSince = t.port.now();
    arm(t, TIMER.hold, t.params.holdMs);
  }
  if (s.phase === "operational") deliverUpTo(t, s.myHighSeqReceived, false);
  t.onTokenSent();
}
