/**
 * The sort queue and delivery in the total order: totemsrp's update_aru, messages_deliver_to_app and messages_free. A message is delivered as soon as
 * every lower number is there ("agreed"); the guarantee field of the wire format is evaluated by nobody, as in the real stack.
 */
import { SORT_QUEUE_MAX, hashBytes } from "../kernel/index.ts";
import type { Mcast, Srp } from "./state.ts";
import { ringIdText } from "./types.ts";

/** The sort queue in use: the new ring's while recovering, else the installed ring's. */
export function sortQueue(t: Srp): Map<number, Mcast> {
  return t.s.phase === "recovery" ? t.s.recovery : t.s.regular;
}

/** Is `seq` a number the sort queue can hold now? */
export function inRange(t: Srp, seq: number): boolean {
  return seq > t.s.lastReleased && seq < t.s.lastReleased + SORT_QUEUE_MAX;
}

/** Raises myAru over every message that has arrived without a gap. */
export function updateAru(t: Srp): void {
  const queue = sortQueue(t);
  const s = t.s;
  while (s.myAru < s.myHighSeqReceived && queue.has(s.myAru + 1)) {
    s.myAru++;
    s.misses.delete(s.myAru);
  }
}

/**
 * Delivers from the installed ring's queue up to `end`.
 * @param skipHoles after the transitional configuration: pass over holes, and deliver only what members that came along sent
 */
export function deliverUpTo(t: Srp, end: number, skipHoles: boolean): void {
  const s = t.s;
  while (s.myHighDelivered < end) {
    const seq = s.myHighDelivered + 1;
    const message = s.regular.get(seq);
    if (message === undefined && !skipHoles) return;
    s.myHighDelivered = seq;
    if (message === undefined) continue;
    if (skipHoles && !s.deliverMemb.includes(message.from)) continue;
    if (message.encapsulated) continue;
    t.port.trace({
      what: "deliver",
      node: t.params.nodeId,
      from: message.from,
      ring: ringIdText(message.ring),
      seq,
      bytes: message.payload.length,
      digest: hashBytes(message.payload),
    });
    t.listener.deliver(message.from, message.payload);
  }
}

/** Frees what every member has received for two rotations and this node has delivered. */
export function freeMessages(t: Srp, tokenAru: number): void {
  const s = t.s;
  const upTo = Math.min(tokenAru, s.myLastAru, s.myHighDelivered);
  for (let seq = s.lastReleased + 1; seq <= upTo; seq++) s.regular.delete(seq);
  if (upTo > s.lastReleased) s.lastReleased = upTo;
}
