/**
 * Ring ids: the number of the rings of a node strictly grows, also over restarts and power cuts, and no two rings with different members share an id. That
 * is what the ring number on stable storage is for. Left out: nodes whose stored number was
 * taken away.
 */
import type { TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import type { Checker, Complain } from "./checker.ts";

/** Rings remembered, so that a lab may run for weeks. */
const RINGS_MAX = 1024;

export class RingIds implements Checker {
  readonly name = "ring-ids";
  readonly sentence = "ring ids strictly grow on each node, and no two different rings share one";
  private readonly last = new Map<string, string>();
  /** By ring id: its members, and who said so first. */
  private readonly rings = new Map<string, { members: string; machine: string }>();

  /** Who takes the stored number away begins anew. */
  input({ act }: Input): void {
    if (act.to !== "machine") return;
    const what = act.act.kind === "file" ? act.act.call : act.act;
    const path = "path" in what ? what.path : "from" in what ? what.from : "";
    if (path.startsWith("/var/lib")) this.last.delete(act.machine);
  }

  removed(): void {
    this.rings.clear();
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "membership" || event.transitional) return;
    const { ring } = event;
    const before = this.last.get(machine);
    if (before !== undefined && numberOf(ring) <= numberOf(before)) complain(`${machine} goes from ring ${before} to ${ring}`);
    this.last.set(machine, ring);
    const members = event.members.join(" ");
    const known = this.rings.get(ring);
    if (known === undefined) {
      this.rings.set(ring, { members, machine });
      const oldest = this.rings.keys().next();
      if (this.rings.size > RINGS_MAX && oldest.done !== true) this.rings.delete(oldest.value);
    } else if (known.members !== members) complain(`ring ${ring} is ${members} on ${machine} and ${known.members} on ${known.machine}`);
  }
}

/** `1.1a` is the 26th ring of representative 1. */
function numberOf(ring: string): number {
  return Number.parseInt(ring.slice(ring.lastIndexOf(".") + 1), 16);
}
