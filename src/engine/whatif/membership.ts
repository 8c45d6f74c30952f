/**
 * Settled memberships: members that form a ring exchange their nodeinfo in one total order, as at the end of a synchronisation, and then time passes until
 * nothing is due any more. In the real stack: what sync.c and the token give votequorum. Left out: how long a ring takes to form, memberships that
 * are broken before their sync is done, and other services.
 */
import { SEC, type Duration, type Instant } from "../kernel/index.ts";
import type { RingId } from "../totem/types.ts";
import type { Voter } from "./voter.ts";

/** Longest stretch in which something settles: a last_man_standing_window of ten minutes is longer than anybody has. Ours. */
const SETTLE_MAX: Duration = 3600 * SEC;
/** Timers in one settling. Beyond it something arms itself without end. Ours. */
const TIMERS_MAX = 100_000;

/** Virtual time of all that sits together. */
export interface Clock {
  now: Instant;
}

/** The order in which a ring's first token visits its members: the representative passes it on and is visited last. */
export function tokenOrder(voters: readonly Voter[]): Voter[] {
  const [rep, ...rest] = voters;
  return rep === undefined ? [] : [...rest, rep];
}

/** Delivers what is queued to every member, until nothing is left. `voters`: ascending by node id. */
export function deliverAll(voters: readonly Voter[]): void {
  const order = tokenOrder(voters);
  for (let moved = true; moved;) {
    moved = false;
    for (const from of order) {
      const sent = from.queue;
      if (sent.length === 0) continue;
      from.queue = [];
      moved = true;
      for (const message of sent) for (const to of voters) to.votes.execute(message.handler, message.from, message.payload);
    }
  }
}

/** `voters`, ascending, have formed a ring and synchronise. `together`: they come from one ring; else each from a ring of its own. */
export function synchronise(voters: readonly Voter[], ring: RingId, together: boolean): void {
  const ids = voters.map((s) => s.member.nodeId);
  for (const voter of voters) voter.votes.syncInit(together ? ids : [voter.member.nodeId], ids, ring);
  deliverAll(voters);
  for (const voter of tokenOrder(voters)) if (!voter.votes.syncProcess()) throw new Error("whatif: a sync message was refused");
  deliverAll(voters);
  for (const voter of voters) voter.votes.syncActivate();
  deliverAll(voters);
}

/** Lets time pass until no timer is left. */
export function settle(voters: readonly Voter[], clock: Clock): void {
  const until = clock.now + SETTLE_MAX;
  for (let n = 0; n < TIMERS_MAX; n++) {
    let next: Voter | undefined;
    for (const voter of voters) if (voter.timers.nextAt() < (next?.timers.nextAt() ?? until)) next = voter;
    if (next === undefined) return;
    clock.now = Math.max(clock.now, next.timers.nextAt());
    const name = next.timers.pop(clock.now);
    if (name !== undefined) next.votes.timer(name);
    deliverAll(voters);
  }
  throw new Error(`whatif: more than ${TIMERS_MAX} timers, and nothing has settled`);
}
