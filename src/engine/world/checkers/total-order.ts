/**
 * Total order: on every ring all members deliver the same message under the same number, in rising order, and without a gap until the transitional
 * configuration that ends their time on that ring. Totem's promise (agreed delivery). Left out: what a node must deliver at all, which is
 * virtual synchrony's and self-delivery's.
 */
import { SORT_QUEUE_MAX, type TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

/** Rings remembered, so that a lab may run for weeks. */
const RINGS_MAX = 64;

interface Seen {
  readonly from: number;
  readonly digest: string;
  readonly machine: string;
}

interface Ring {
  readonly messages: Map<number, Seen>;
  readonly last: Map<string, number>;
}

export class TotalOrder implements Checker {
  readonly name = "total-order";
  readonly sentence = "on every ring all members deliver the same messages in the same order";
  private readonly rings = new Map<string, Ring>();
  /** Machines between a transitional and a regular configuration: holes are passed over there. */
  private readonly transitional = new Set<string>();

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what === "membership") {
      if (event.transitional) this.transitional.add(machine);
      else this.transitional.delete(machine);
    } else if (event.what === "deliver") this.deliver(machine, event, complain);
  }

  private deliver(machine: string, event: Extract<TraceEvent, { what: "deliver" }>, complain: Complain): void {
    const { seq, from, digest } = event;
    const ring = this.ring(event.ring);
    const last = ring.last.get(machine);
    ring.last.set(machine, seq);
    if (last !== undefined && seq <= last) complain(`${machine} delivers ${event.ring}:${seq} after ${last}`);
    else if (last !== undefined && seq !== last + 1 && !this.transitional.has(machine)) {
      complain(`${machine} delivers ${event.ring}:${seq} after ${last}, with a gap`);
    }
    const seen = ring.messages.get(seq);
    if (seen === undefined) {
      ring.messages.set(seq, { from, digest, machine });
      ring.messages.delete(seq - SORT_QUEUE_MAX);
    } else if (seen.from !== from || seen.digest !== digest) {
      complain(`${event.ring}:${seq} is from ${from} on ${machine} and another one, from ${seen.from}, on ${seen.machine}`);
    }
  }

  removed(): void {
    this.rings.clear();
  }

  gone(machine: string): void {
    this.transitional.delete(machine);
  }

  private ring(id: string): Ring {
    const known = this.rings.get(id);
    if (known !== undefined) return known;
    const made: Ring = { messages: new Map(), last: new Map() };
    this.rings.set(id, made);
    const oldest = this.rings.keys().next();
    if (this.rings.size > RINGS_MAX && oldest.done !== true) this.rings.delete(oldest.value);
    return made;
  }
}
