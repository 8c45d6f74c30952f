/**
 * Self-delivery: whatever a node multicast on a ring it has delivered itself by the time the cluster is at rest, unless its daemon ended first. Totem's
 * promise. Left out: messages that were queued and never went onto a ring.
 */
import type { MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

export class SelfDelivery implements Checker {
  readonly name = "self-delivery";
  readonly sentence = "a node delivers every message it multicast itself";
  /** By machine: what it sent and has not delivered, as ring:seq. */
  private readonly open = new Map<string, Set<string>>();

  trace(machine: string, event: TraceEvent): void {
    if (event.what === "mcast") this.of(machine).add(`${event.ring}:${event.seq}`);
    else if (event.what === "deliver" && event.from === event.node) this.of(machine).delete(`${event.ring}:${event.seq}`);
  }

  gone(machine: string): void {
    this.open.delete(machine);
  }

  atRest(_statuses: readonly MachineStatus[], complain: Complain): void {
    for (const [machine, messages] of this.open) {
      const first = [...messages][0];
      if (first !== undefined) complain(`${machine} multicast ${first} and has not delivered it (${messages.size} in all)`);
    }
  }

  private of(machine: string): Set<string> {
    const known = this.open.get(machine);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.open.set(machine, made);
    return made;
  }
}
