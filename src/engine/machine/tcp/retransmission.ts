/**
 * How long TCP waits for an acknowledgement, and how often it sends again before it gives up. In the real stack: RFC 6298 and Linux's tcp_timer.c; numbers are
 * Linux's defaults. Left out: tail loss probes and the user time-out.
 */
import { MS, SEC, type Duration } from "../../kernel/index.ts";
import type { Connection } from "./state.ts";

/** First wait for an answer, before any round trip was measured (RFC 6298, Linux TCP_TIMEOUT_INIT). */
const TIMEOUT_FIRST: Duration = 1 * SEC;
/** Linux TCP_RTO_MIN and TCP_RTO_MAX. */
const TIMEOUT_MIN: Duration = 200 * MS;
const TIMEOUT_MAX: Duration = 120 * SEC;
/** net.ipv4.tcp_syn_retries, tcp_synack_retries, tcp_retries2, tcp_orphan_retries (as used where it is 0). */
const SYN_RETRIES = 6;
const SYNACK_RETRIES = 5;
const RETRIES = 15;
const ORPHAN_RETRIES = 8;

/** How often the oldest segment of `c` is sent again. */
export function retriesOf(c: Connection): number {
  if (c.state === "syn-sent") return SYN_RETRIES;
  if (c.state === "syn-received") return SYNACK_RETRIES;
  return c.owner === "" ? ORPHAN_RETRIES : RETRIES;
}

/** How long the oldest segment of `c` is waited for: doubled with every time it was sent again. */
export function timeoutOf(c: Connection): Duration {
  const base = c.roundTrip === 0 ? TIMEOUT_FIRST : Math.max(TIMEOUT_MIN, c.roundTrip + 4 * c.variation);
  let wait = base;
  for (let i = 0; i < c.retries && wait < TIMEOUT_MAX; i++) wait *= 2;
  return Math.min(wait, TIMEOUT_MAX);
}

/** RFC 6298 in whole microseconds. */
export function measure(c: Connection, sample: Duration): void {
  if (c.roundTrip === 0) {
    c.roundTrip = Math.max(1, sample);
    c.variation = Math.floor(sample / 2);
    return;
  }
  c.variation = Math.floor((3 * c.variation + Math.abs(c.roundTrip - sample)) / 4);
  c.roundTrip = Math.max(1, Math.floor((7 * c.roundTrip + sample) / 8));
}
