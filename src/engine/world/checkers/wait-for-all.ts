/**
 * Wait for all: with wait_for_all a daemon that was started is not quorate before it has seen all nodes of its configuration together, or a member that was quorate already. Told from
 * verdicts alone, not from the status the engine keeps. Left out: allow_downscale, with which a node that leaves in order is not waited for; a quorum
 * device, whose votes are no node's.
 */
import type { MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";

interface Known {
  readonly nodeId: number;
  readonly nodes: readonly number[];
  readonly waits: boolean;
}

export class WaitForAll implements Checker {
  readonly name = "wait-for-all";
  readonly sentence = "with wait_for_all no node is quorate before all were seen, or one that had seen all";
  private readonly known = new Map<string, Known>();
  /** Machines whose daemon has been quorate since it was started. */
  private readonly been = new Set<string>();
  /** Node ids that are quorate now. */
  private readonly quorate = new Set<number>();
  private overridden = false;

  begin(statuses: readonly MachineStatus[]): void {
    this.learn(statuses);
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null || quorum?.quorate !== true) continue;
      this.been.add(name);
      this.quorate.add(corosync.nodeId);
    }
  }

  private learn(statuses: readonly MachineStatus[]): void {
    for (const { name, corosync, quorum } of statuses) {
      if (corosync === null || quorum === null) continue;
      const waits = quorum.flags.includes("WaitForAll") && !quorum.flags.some((f) => f === "AllowDownscale" || f === "Qdevice");
      this.known.set(name, { nodeId: corosync.nodeId, nodes: corosync.nodelist.map((n) => n.nodeId), waits });
    }
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "quorum") return;
    const known = this.known.get(machine);
    if (!event.quorate) {
      this.quorate.delete(event.node);
      return;
    }
    if (known?.waits === true && !this.been.has(machine) && !this.overridden) {
      const all = known.nodes.every((id) => event.members.includes(id));
      const told = event.members.some((id) => id !== event.node && this.quorate.has(id));
      if (!all && !told) complain(`${machine} is quorate with ${event.members.join(" ")} of ${known.nodes.join(" ")} and has not seen all`);
    }
    this.been.add(machine);
    this.quorate.add(event.node);
  }

  gone(machine: string): void {
    this.been.delete(machine);
    const known = this.known.get(machine);
    if (known !== undefined) this.quorate.delete(known.nodeId);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }

  look(statuses: readonly MachineStatus[]): void {
    this.learn(statuses);
  }
}
