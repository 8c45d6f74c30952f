/**
 * Packets on their way, in the world's order: instant, target, source, link, the source's own count. A binary heap, since it is looked at for every
 * event. Stands where the real world has wires. Left out: acts and timers, which the world keeps itself.
 */
import type { Datagram, Instant } from "../kernel/index.ts";

/** One packet in flight. Never written to once made, so snapshots share it. */
export interface Flight {
  readonly at: Instant;
  /** Machine numbers. */
  readonly target: number;
  readonly source: number;
  /** Network number. */
  readonly link: number;
  /** Counts the packets of the source. */
  readonly sequence: number;
  readonly datagram: Datagram;
}

/** Whether `a` comes before `b`. No two packets are equal in all five. */
export function flightBefore(a: Flight, b: Flight): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.target !== b.target) return a.target < b.target;
  if (a.source !== b.source) return a.source < b.source;
  if (a.link !== b.link) return a.link < b.link;
  return a.sequence < b.sequence;
}

export class FlightQueue {
  private heap: Flight[] = [];

  get length(): number {
    return this.heap.length;
  }

  peek(): Flight | undefined {
    return this.heap[0];
  }

  push(flight: Flight): void {
    const heap = this.heap;
    let i = heap.length;
    heap.push(flight);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !flightBefore(flight, parent)) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = flight;
  }

  pop(): Flight | undefined {
    const heap = this.heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    const n = heap.length;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      let child = heap[down];
      if (child === undefined) break;
      const right = down + 1 < n ? heap[down + 1] : undefined;
      if (right !== undefined && flightBefore(right, child)) {
        child = right;
        down++;
      }
      if (!flightBefore(child, last)) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
    return top;
  }

  /** All of them, in no order; not to be written to. */
  all(): readonly Flight[] {
    return this.heap;
  }

  /** The packet is lost: it is under way no longer. */
  drop(flight: Flight): void {
    const rest = this.heap.filter((other) => other !== flight);
    this.heap = [];
    for (const other of rest) this.push(other);
  }

  /** Every datagram under way becomes another. */
  change(to: (datagram: Datagram) => Datagram): void {
    this.heap = this.heap.map((flight) => ({ ...flight, datagram: to(flight.datagram) }));
  }

  snapshot(): readonly Flight[] {
    return [...this.heap];
  }

  restore(flights: readonly Flight[]): void {
    this.heap = [...flights];
  }
}
