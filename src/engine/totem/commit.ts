/**
 * The COMMIT state and the way through it into RECOVERY: the commit token goes twice round the new ring, first collecting what each member has of
 * its old ring, then telling everybody (memb_state_commit_*, memb_state_recovery_enter of totemsrp). The ring id is stored on disk before the token goes on.
 */
import { MS } from "../kernel/index.ts";
import { ORF_TOKEN, encodeCommit, encodeMcast, encodeToken, type CommitToken, type OrfToken } from "./messages.ts";
import { isEqual, subtract } from "./sets.ts";
import type { Srp } from "./state.ts";
import { TIMER, resetTokenTimeout } from "./timing.ts";
import { resetRetransmitTimeout } from "./token-retransmission.ts";
import { ringIdText, sameRing, type RingId } from "./types.ts";

/**
 * Two rings may disturb each other's forming again and again, every few milliseconds. On real machines small differences in the time each step takes end
 * that after some rounds. Here all steps take the same time, so it could go on for ever. A ring id that is to be stored so soon after the last one
 * therefore waits a little for the disk. Both numbers are ours.
 */
const DISK_BUSY_MS = 50;
const DISK_WAIT_MAX_MS = 3;

/** Who gets the token after `me`: the next higher node id, the last one passes to the first. */
export function nextInRing(members: readonly number[], me: number): number {
  const i = members.indexOf(me);
  return members[(i + 1) % members.length] ?? me;
}

/** The representative of proc − failed proposes the ring: sequence = highest seen anywhere + 4. */
export function createCommitToken(t: Srp): void {
  const s = t.s;
  t.port.log("debug", "TOTEM", "Creating commit token because I am the rep.");
  const addrs = subtract(s.proc, s.failed);
  s.commitToken = {
    type: 4,
    tokenSeq: 0,
    ring: Object.freeze({ rep: t.params.nodeId, seq: s.tokenRingSeq + 4 }),
    retransFlg: false,
    membIndex: 0,
    addrs,
    entries: addrs.map(() => ({ ring: Object.freeze({ rep: 0, seq: 0 }), aru: 0, highDelivered: 0, receivedFlg: false })),
  };
}

function saveOldRing(t: Srp): void {
  const s = t.s;
  if (s.oldRingSaved) return;
  s.oldRingSaved = true;
  s.oldRing = s.ring;
  s.oldRingAru = s.myAru;
  s.oldRingHighSeq = s.myHighSeqReceived;
  t.port.log("debug", "TOTEM", `Saving state aru ${s.myAru.toString(16)} high seq received ${s.myHighSeqReceived.toString(16)}`);
}

/** Fills in this node's entry; whoever has less than the best of its old ring is marked as missing messages. */
function fillIn(t: Srp, token: CommitToken): void {
  const s = t.s;
  const i = token.membIndex;
  const mine = { ring: s.oldRing, aru: s.oldRingAru, highDelivered: s.myHighDelivered, receivedFlg: s.myReceivedFlg };
  mine.receivedFlg = s.oldRingAru === s.oldRingHighSeq;
  token.entries[i] = mine;
  let high = s.oldRingAru;
  const same = token.entries.slice(0, i + 1).filter((e) => sameRing(e.ring, s.oldRing));
  for (const e of same) if (e.aru > high) high = e.aru;
  for (const e of same) if (e.aru < high) e.receivedFlg = false;
  s.myReceivedFlg = mine.receivedFlg;
  token.membIndex = i + 1;
}

export function enterCommit(t: Srp): void {
  const s = t.s;
  const token = s.commitToken;
  if (token === undefined) throw new Error("enterCommit without a commit token");
  saveOldRing(t);
  fillIn(t, token);
  s.newMemb = [...token.addrs];
  s.ring = token.ring;
  s.tokenRingSeq = token.ring.seq;
  t.listener.storeRingSeq(token.ring.seq);
  // No joins from here on: the commit token itself is re-sent until it comes through or the token timeout gives up.
  t.port.clearTimer(TIMER.join);
  t.port.clearTimer(TIMER.sendJoin);
  t.port.clearTimer(TIMER.consensus);
  s.phase = "commit";
  t.stats.commit_entered++;
  t.stats.continuous_gather = 0;
  s.myTrc = 0;
  s.myPbl = 0;
  s.myCbl = 0;
  t.port.log("debug", "TOTEM", "entering COMMIT state.");
  t.port.trace({ what: "state", node: t.params.nodeId, state: "commit", reason: 0, ring: ringIdText(s.ring) });
  resetTokenTimeout(t);
  const since = t.port.now() - s.committedAt;
  s.committedAt = t.port.now();
  if (since >= DISK_BUSY_MS * MS) sendCommitToken(t, token);
  else t.port.setTimer(TIMER.stored, t.port.now() + t.port.rng.between(0, DISK_WAIT_MAX_MS * MS));
}

/** The ring id of a hurried forming is on disk: the commit token goes on, if this is still the forming it belongs to. */
export function ringStored(t: Srp): void {
  const token = t.s.commitToken;
  if (t.s.phase === "commit" && token !== undefined && sameRing(token.ring, t.s.ring)) sendCommitToken(t, token);
}

function sendCommitToken(t: Srp, token: CommitToken): void {
  const s = t.s;
  token.tokenSeq++;
  const to = nextInRing(s.newMemb, t.params.nodeId);
  s.sentToken = encodeCommit(token);
  s.sentTokenTo = to;
  t.stats.memb_commit_token_tx++;
  t.port.trace({ what: "commit-token", from: t.params.nodeId, to, ring: ringIdText(token.ring) });
  t.transport.unicast(to, s.sentToken);
  resetRetransmitTimeout(t);
}

export function onCommitToken(t: Srp, token: CommitToken): void {
  const s = t.s;
  t.stats.memb_commit_token_rx++;
  t.port.log("debug", "TOTEM", "got commit token");
  switch (s.phase) {
    case "operational":
      return;
    case "gather":
      if (!isEqual(token.addrs, subtract(s.proc, s.failed)) || token.ring.seq <= s.ring.seq || token.membIndex >= token.addrs.length)
        return;
      if (token.addrs[token.membIndex] !== t.params.nodeId) return;
      s.commitToken = token;
      enterCommit(t);
      return;
    case "commit":
      if (!sameRing(token.ring, s.ring) || token.membIndex !== token.addrs.length) return;
      enterRecovery(t, token);
      return;
    case "recovery":
      if (!sameRing(token.ring, s.ring) || s.ring.rep !== t.params.nodeId || s.originatedOrfToken) return;
      s.originatedOrfToken = true;
      t.port.log("debug", "TOTEM", "Sending initial ORF token");
      sendInitialToken(t);
  }
}

/** The members that come from the same installed ring as this node; nobody when no ring was installed yet. */
function transitionals(token: CommitToken, oldRing: RingId, memb: readonly number[]): number[] {
  return token.addrs.filter((id, i) => {
    const e = token.entries[i];
    return e !== undefined && sameRing(e.ring, oldRing) && memb.includes(id);
  });
}

function logPositions(t: Srp, token: CommitToken): void {
  t.s.trans.forEach((id, i) => t.port.log("debug", "TOTEM", `TRANS [${i}] member ${id}:`));
  token.addrs.forEach((id, i) => {
    const e = token.entries[i];
    if (e === undefined) return;
    t.port.log("debug", "TOTEM", `position [${i}] member ${id}:`);
    t.port.log("debug", "TOTEM", `previous ringid (${ringIdText(e.ring)})`);
    const flag = e.receivedFlg ? 1 : 0;
    t.port.log("debug", "TOTEM", `aru ${e.aru.toString(16)} high delivered ${e.highDelivered.toString(16)} received flag ${flag}`);
  });
}

function enterRecovery(t: Srp, token: CommitToken): void {
  const s = t.s;
  t.port.log("debug", "TOTEM", "entering RECOVERY state.");
  s.orfTokenDiscard = false;
  s.recovery = new Map();
  s.misses = new Map();
  s.retransQueue = [];
  s.commitToken = token;
  sendCommitToken(t, token);
  s.myTokenSeq = -1;
  s.trans = transitionals(token, s.oldRing, s.memb);
  logPositions(t, token);
  originateOldMessages(t, token);
  s.myAru = 0;
  s.myAruCount = 0;
  s.mySeqUnchanged = 0;
  s.myLastSeq = 0;
  s.myLastAru = 0;
  s.myHighSeqReceived = 0;
  s.myInstallSeq = 0;
  s.lastReleased = 0;
  s.mySetRetransFlg = false;
  s.myRetransFlgCount = 0;
  s.myRotationCounter = 0;
  resetTokenTimeout(t);
  resetRetransmitTimeout(t);
  s.phase = "recovery";
  t.stats.recovery_entered++;
  t.stats.continuous_gather = 0;
  t.port.trace({ what: "state", node: t.params.nodeId, state: "recovery", reason: 0, ring: ringIdText(s.ring) });
}

/** Queues, for the new ring's token, every old message that some member from the same old ring lacks. */
function originateOldMessages(t: Srp, token: CommitToken): void {
  const s = t.s;
  const trans = token.entries.filter((e) => sameRing(e.ring, s.oldRing));
  if (trans.every((e) => e.receivedFlg)) {
    t.port.log("debug", "TOTEM", "Did not need to originate any messages in recovery.");
    return;
  }
  s.deliverMemb = [...s.trans];
  let low = s.oldRingHighSeq;
  for (const e of trans) if (e.aru < low) low = e.aru;
  t.port.log("debug", "TOTEM", `copying all old ring messages from ${(low + 1).toString(16)}-${s.oldRingHighSeq.toString(16)}.`);
  for (let seq = low + 1; seq <= s.oldRingHighSeq; seq++) {
    const message = s.regular.get(seq);
    if (message !== undefined) s.retransQueue.push(encodeMcast(message));
  }
  t.port.log("debug", "TOTEM", `Originated ${s.retransQueue.length} messages in RECOVERY.`);
}

function sendInitialToken(t: Srp): void {
  const s = t.s;
  const retrans = s.retransQueue.length > 0;
  s.mySetRetransFlg = retrans;
  const token: OrfToken = {
    type: ORF_TOKEN,
    seq: 0,
    tokenSeq: 0,
    aru: -1,
    aruAddr: t.params.nodeId,
    ring: s.ring,
    backlog: 0,
    fcc: 0,
    retransFlg: retrans,
    rtr: [],
  };
  sendToken(t, token, true);
  resetTokenTimeout(t);
  resetRetransmitTimeout(t);
}

/** Keeps a copy for retransmission and, unless the token is held, passes it on. */
export function sendToken(t: Srp, token: OrfToken, forward: boolean): void {
  const s = t.s;
  const members = s.phase === "recovery" ? s.newMemb : s.memb;
  const to = nextInRing(members, t.params.nodeId);
  s.sentToken = encodeToken(token);
  s.sentTokenTo = to;
  if (!forward) return;
  // Of old only tokens that begin a ring were counted.
  if (t.params.profile.countsEveryToken || token.tokenSeq === 0) t.stats.orf_token_tx++;
  t.port.trace({ what: "token", from: t.params.nodeId, to, seq: token.seq, retransmits: token.rtr.length, ring: ringIdText(token.ring) });
  t.transport.unicast(to, s.sentToken);
}
