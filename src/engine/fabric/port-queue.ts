/**
 * The queue before a port that sends at a given rate: a packet waits for those before it, then takes its own time on the wire; one that finds the queue
 * full is dropped at its tail. In the real world this is a network card's or a switch port's output buffer. Left out: priorities, pause frames, and
 * early drops. Kept is only the instant at which the port is through with what it has: how much waits follows from it.
 */
import type { Duration, Instant } from "../kernel/index.ts";

/** Bytes that wait before one port at most. Ours: what a plain switch has for a port. */
export const PORT_QUEUE_BYTES = 512 * 1024;

/** Bytes of a frame beside the IP packet: Ethernet header, checksum, preamble and gap. */
const FRAME_OVERHEAD_BYTES = 38;
/** The shortest frame with preamble and gap. */
const FRAME_MIN_BYTES = 84;

export interface PortQueue {
  /** The port is through with what it has at this instant … */
  at: Instant;
  /** … and so many nanoseconds, 0 … 999. */
  ns: number;
}

/** Nanoseconds that an IP packet of so many bytes is on the wire. */
function wireNs(packetBytes: number, rateMbit: number): number {
  return Math.ceil((Math.max(FRAME_MIN_BYTES, packetBytes + FRAME_OVERHEAD_BYTES) * 8000) / rateMbit);
}

/**
 * Puts a packet into the queue at `now`.
 * @returns how long until its last bit has left, µs; undefined where it is dropped
 */
export function enterPort(queue: PortQueue, now: Instant, packetBytes: number, rateMbit: number): Duration | undefined {
  const waiting = Math.max(0, (queue.at - now) * 1000 + queue.ns);
  if ((waiting * rateMbit) / 8000 + packetBytes > PORT_QUEUE_BYTES) return undefined;
  const through = waiting + wireNs(packetBytes, rateMbit);
  queue.at = now + Math.floor(through / 1000);
  queue.ns = through % 1000;
  return Math.ceil(through / 1000);
}
