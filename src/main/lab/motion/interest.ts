/** What is worth seeing in slow motion, and for what a run slows down: changes of membership, and what makes and carries them. */
import type { Interest } from "../../../engine/host/index.ts";
import type { Effect, TraceEvent } from "../../../engine/kernel/machine.ts";
import { isTotem } from "../../../engine/world/dissect.ts";
import type { World } from "../../../engine/world/index.ts";

const SERIOUS: ReadonlySet<string> = new Set(["emerg", "alert", "crit", "error", "warning"]);

/** A node's state of Totem changes: told once for each change, since a node that gathers may enter gather again and again. */
export class Phases {
  private readonly known = new Map<number | string, string>();

  /** Knows from now on how the nodes of `world` stand. */
  begin(world: World): void {
    this.known.clear();
    for (const { name, corosync } of world.statuses()) if (corosync !== null) this.known.set(name, corosync.state);
  }

  /** True where `machine` was in another state before; of one of which nothing is known yet too. */
  enters(machine: number | string, state: string): boolean {
    const before = this.known.get(machine);
    this.known.set(machine, state);
    return before !== state;
  }
}

export class LabInterest implements Interest {
  private readonly phases = new Phases();
  /** What a node said in its last join: it repeats it until somebody answers. */
  private readonly joins = new Map<number, string>();

  constructor(private readonly world: World) {}

  of(machine: number, effect: Effect): "change" | "sight" | undefined {
    if (effect.kind === "journal") return SERIOUS.has(effect.line.level) ? "sight" : undefined;
    return effect.kind === "trace" ? this.ofTrace(machine, effect.event) : undefined;
  }

  private ofTrace(machine: number, event: TraceEvent): "change" | "sight" | undefined {
    switch (event.what) {
      case "state":
        return this.phases.enters(machine, event.state) ? "change" : undefined;
      case "membership":
        return event.transitional ? undefined : "change";
      case "commit-token-lost":
        return "change";
      case "join": {
        const said = `${event.proc.join(" ")}/${event.failed.join(" ")}`;
        const same = this.joins.get(machine) === said;
        this.joins.set(machine, said);
        return same ? undefined : "change";
      }
      case "token":
      case "commit-token":
      case "retransmit":
      case "mcast":
      case "pong":
      case "quorum":
      case "unit":
      case "power":
        return "sight";
      default:
        return undefined;
    }
  }

  /** Something of Totem is in a cable and is going to arrive. */
  underWay(): boolean {
    return this.world.flying().some((flight) => isTotem(flight.datagram) && this.world.arrives(flight));
  }

  settled(): boolean {
    return this.world
      .statuses()
      .every(({ power, corosync }) => power !== "on" || corosync === null || (corosync.state === "operational" && !corosync.syncing));
  }
}
