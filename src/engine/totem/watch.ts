/** Measurements of the token for the page and for stats.srp: rotation times, the hold, the slowest rotation of the last minute. No rule depends on them. */
import { MS, SEC } from "../kernel/index.ts";
import type { Srp } from "./state.ts";

/** A new ring turns a few times at once while its services synchronise, which is no rate of it: it is watched from then on. */
const SETTLES = SEC / 2;
/** The rate shown to a person is taken over so long at least, and little more, so that an idle ring looks idle soon after it was busy. */
const RATE_OVER = SEC;
const SAMPLE_EVERY = SEC / 10;
/** Tokens that mtt_rx_token looks back on (corosync: TOTEM_TOKEN_STATS_MAX, of which one place is always empty). */
const RECEIPTS = 99;
const SLOT = 10 * SEC;
const SLOTS = 6;

export function noteArrival(t: Srp): void {
  const w = t.watch;
  const now = t.port.now();
  w.rotations++;
  w.receipts[w.received++ % RECEIPTS] = Math.floor(now / MS);
  // Between two rings lies no rotation but a gathering.
  const sameAsBefore = w.ringRep === t.s.ring.rep && w.ringSeq === t.s.ring.seq;
  if (sameAsBefore) {
    if (now - w.ringSince >= SETTLES) sample(t, now);
    // Where the token may have rested is known to the representative alone, so only it can tell a hold from a slow ring.
    const rep = t.s.ring.rep === t.params.nodeId;
    const rotation = rep && w.heldSince >= 0 ? now - w.heldSince : now - w.lastRx;
    if (rep || t.s.mySeqUnchanged < t.params.seqnoUnchangedConst) noteRotation(t, rotation, now);
  } else {
    w.ringRep = t.s.ring.rep;
    w.ringSeq = t.s.ring.seq;
    w.ringSince = now;
    w.samples = [];
  }
  w.lastRx = now;
}

function sample(t: Srp, now: number): void {
  const { samples, rotations } = t.watch;
  const last = samples[samples.length - 1];
  if (last !== undefined && now - last[0] < SAMPLE_EVERY) return;
  samples.push([now, rotations]);
  while (samples.length > 2 && (samples[1]?.[0] ?? now) <= now - RATE_OVER) samples.shift();
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

/** stats.srp.mtt_rx_token, ms: the mean time between tokens, gatherings not left out. corosync works it out every 1.5 s, the lab when it is asked. */
export function meanReceipt(t: Srp): number {
  const { receipts, received } = t.watch;
  if (received < 2) return 0;
  const first = receipts[received < RECEIPTS ? 0 : received % RECEIPTS] ?? 0;
  const last = receipts[(received - 1) % RECEIPTS] ?? 0;
  return Math.floor((last - first) / (receipts.length - 1));
}

/** µs, counting the hold; 0 while this ring has not been watched for long enough. */
export function meanRotation(t: Srp): number {
  const { samples, lastRx, rotations } = t.watch;
  const first = samples[0];
  if (first === undefined || lastRx - first[0] < RATE_OVER) return 0;
  return Math.round((lastRx - first[0]) / (rotations - first[1]));
}
