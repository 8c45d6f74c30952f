/** Measurements of the token for the page and for stats.srp: rotation times, the hold, the slowest rotation of the last minute. No rule depends on them. */
import { SEC } from "../kernel/index.ts";
import type { Srp } from "./state.ts";

/** Rotations the rate shown to a person is taken from: few, so that an idle ring looks idle soon after it was busy. */
const KEPT = 8;
const SLOT = 10 * SEC;
const SLOTS = 6;

export function noteArrival(t: Srp): void {
  const w = t.watch;
  const now = t.port.now();
  w.rotations++;
  // Between two rings lies no rotation but a gathering.
  const sameAsBefore = w.ringRep === t.s.ring.rep && w.ringSeq === t.s.ring.seq;
  if (sameAsBefore) {
    w.arrivals.push(now - w.lastRx);
    if (w.arrivals.length > KEPT) w.arrivals.shift();
    // Where the token may have rested is known to the representative alone, so only it can tell a hold from a slow ring.
    const rep = t.s.ring.rep === t.params.nodeId;
    const rotation = rep && w.heldSince >= 0 ? now - w.heldSince : now - w.lastRx;
    if (rep || t.s.mySeqUnchanged < t.params.seqnoUnchangedConst) noteRotation(t, rotation, now);
  } else {
    w.ringRep = t.s.ring.rep;
    w.ringSeq = t.s.ring.seq;
    w.arrivals = [];
  }
  w.lastRx = now;
}

function noteRotation(t: Srp, rotation: number, now: number): void {
  const slots = t.watch.slowest;
  const start = now - (now % SLOT);
  const last = slots[slots.length - 1];
  if (last !== undefined && last[0] === start) {
    if (rotation > last[1]) last[1] = rotation;
    return;
  }
  slots.push([start, rotation]);
  if (slots.length > SLOTS) slots.shift();
}

/** The token left this node: what comes until its return is rotation, not hold. */
export function noteSent(t: Srp): void {
  t.watch.heldSince = t.port.now();
}

export function slowestRotation(t: Srp): number {
  const oldest = t.port.now() - SLOTS * SLOT;
  let slowest = 0;
  for (const [at, rotation] of t.watch.slowest) if (at > oldest && rotation > slowest) slowest = rotation;
  return slowest;
}

export function meanRotation(t: Srp): number {
  const a = t.watch.arrivals;
  if (a.length === 0) return 0;
  let sum = 0;
  for (const v of a) sum += v;
  return Math.round(sum / a.length);
}
