/**
 * One configuration at a time: a node delivers only messages of the ring that it is on, sent by members of it, and is a member itself; the members that come
 * along into a new ring were on the old one and are on the new one. Extended virtual synchrony's promise. Left out: what must be delivered.
 */
import type { MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Checker, Complain } from "./checker.ts";

interface Configuration {
  readonly ring: string;
  readonly members: readonly number[];
}

type Membership = Extract<TraceEvent, { what: "membership" }>;

export class OneConfiguration implements Checker {
  readonly name = "one-configuration";
  readonly sentence = "no message is delivered from a configuration one is not in";
  /** By machine: the last regular configuration. */
  private readonly regular = new Map<string, Configuration>();
  /** By machine: members that come along, between a transitional and a regular configuration. */
  private readonly along = new Map<string, readonly number[]>();

  /** Machines that were on a ring before this checker looked on: which one is seen at the next change. */
  private readonly unseen = new Set<string>();

  begin(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync } of statuses) if (corosync !== null) this.unseen.add(name);
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what === "deliver") {
      const mine = this.regular.get(machine);
      const what = `${machine} delivers ${event.ring}:${event.seq} from ${event.from}`;
      if (mine === undefined) {
        if (!this.unseen.has(machine)) complain(`${what} and is in no configuration`);
      } else if (mine.ring !== event.ring) complain(`${what} while on ${mine.ring}`);
      else if (!mine.members.includes(event.from)) complain(`${what}, whose members are ${mine.members.join(" ")}`);
    } else if (event.what === "membership") this.membership(machine, event, complain);
  }

  private membership(machine: string, event: Membership, complain: Complain): void {
    const { members, ring } = event;
    const what = `${machine} is told of the ${event.transitional ? "transitional" : "regular"} configuration ${ring} of ${members.join(" ")}`;
    // The transitional configuration of a daemon that has just started is empty: it was on no ring.
    if (!members.includes(event.node) && (!event.transitional || this.regular.has(machine))) complain(`${what} without itself`);
    const old = this.regular.get(machine);
    if (event.transitional) {
      const stranger = old === undefined ? undefined : members.find((id) => !old.members.includes(id));
      if (stranger !== undefined) complain(`${what}, but ${stranger} was not on ${old?.ring ?? ""}`);
      this.along.set(machine, members);
      return;
    }
    const lost = (this.along.get(machine) ?? []).find((id) => !members.includes(id));
    if (lost !== undefined) complain(`${what} without ${lost}, which came along`);
    this.along.delete(machine);
    this.regular.set(machine, { ring, members });
    this.unseen.delete(machine);
  }

  gone(machine: string): void {
    this.regular.delete(machine);
    this.unseen.delete(machine);
    this.along.delete(machine);
  }
}
