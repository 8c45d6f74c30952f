/**
 * Wait for all: with wait_for_all a daemon that was started is not quorate before it has seen all nodes of its configuration together, or a member that was quorate already. Told from
 * verdicts alone, not from the status the engine keeps. Left out: allow_downscale, with which a node that leaves in order is not waited for; a quorum
 * device, whose votes count towards all (observed: with device.votes: 1 one of two nodes and the device are all); files that differ, with which each counts otherwise.
 */
import type { JournalLine, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";
import { overridesVotes, type Checker, type Complain } from "./checker.ts";
import { Configurations } from "./configurations.ts";

interface Known {
  readonly nodeId: number;
  readonly nodes: readonly number[];
  readonly waits: boolean;
}

/** A first verdict of a daemon, which nobody in the membership can have told it. */
interface Verdict {
  readonly machine: string;
  readonly members: readonly number[];
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
  private waiting: Verdict[] = [];
  private readonly configurations = new Configurations();

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
      const { waitForAll, allowDownscale } = quorum.options;
      const waits = waitForAll && !allowDownscale && quorum.qdevice === null;
      this.known.set(name, { nodeId: corosync.nodeId, nodes: corosync.nodelist.map((n) => n.nodeId), waits });
    }
  }

  trace(machine: string, event: TraceEvent, complain: Complain): void {
    if (event.what !== "quorum") return;
    if (!event.quorate) {
      this.quorate.delete(event.node);
      return;
    }
    if (!this.been.has(machine) && !this.overridden) {
      const told = event.members.some((id) => id !== event.node && this.quorate.has(id));
      const verdict: Verdict = { machine, members: event.members.length === 0 ? [event.node] : event.members };
      // Of a daemon that has just started nothing is known before it is looked at.
      if (!told && this.configurations.agreed(machine)) this.judge(verdict, complain);
      else if (!told) this.waiting.push(verdict);
    }
    this.been.add(machine);
    this.quorate.add(event.node);
  }

  private judge({ machine, members }: Verdict, complain: Complain): void {
    const known = this.known.get(machine);
    if (known?.waits !== true || known.nodes.every((id) => members.includes(id))) return;
    complain(`${machine} is quorate with ${members.join(" ")} of ${known.nodes.join(" ")} and has not seen all`);
  }

  journal(machine: string, line: JournalLine): void {
    // What it decided by the old file is not judged by the new one.
    if (this.configurations.journal(machine, line)) this.forget(machine);
  }

  gone(machine: string): void {
    this.configurations.gone(machine);
    this.forget(machine);
    this.been.delete(machine);
    const known = this.known.get(machine);
    if (known !== undefined) this.quorate.delete(known.nodeId);
  }

  private forget(machine: string): void {
    this.waiting = this.waiting.filter((verdict) => verdict.machine !== machine);
  }

  input(input: Input): void {
    this.overridden ||= overridesVotes(input);
  }

  look(statuses: readonly MachineStatus[], complain: Complain): void {
    this.configurations.look(statuses);
    this.learn(statuses);
    for (const verdict of this.waiting) if (this.configurations.agreed(verdict.machine)) this.judge(verdict, complain);
    this.waiting = [];
  }
}
