/**
 * A client of a process group that does what pmxcfs does: after each change of the group it sends its state, and waits for everybody else's. What it hears and whom it waits for stands in a log
 * that the test reads.
 */
import { CPG, ServiceClient, type CpgCalls, type CpgNotices } from "../../src/engine/corosync/index.ts";
import { MS, NEVER, fromUtf8, utf8, type Instant, type Os, type Program, type ProgramEvent } from "../../src/engine/kernel/index.ts";
import type { BroughtProgram } from "../../src/engine/node/index.ts";

const GROUP = "state";
const TRIES_EVERY = 5 * MS;

/** What the client of one node knows. */
export interface Seen {
  /** `joined 1 nodeup`, `left 1 procdown`, in the order in which they came. */
  changes: string[];
  members: number[];
  /** Nodes whose state has not come since the latest change. */
  waitsFor: number[];
}

class StateClient implements Program {
  private readonly cpg: ServiceClient<CpgCalls, CpgNotices>;
  private nextAt: Instant;
  private joined = false;
  private unsent = false;

  constructor(
    private readonly os: Os,
    private readonly seen: Seen,
  ) {
    this.cpg = new ServiceClient(os.ipc, CPG);
    this.nextAt = os.now;
  }

  start(): void {
    this.nextAt = this.os.now + TRIES_EVERY;
  }

  nextTimerAt(): Instant {
    return this.nextAt;
  }

  runTimer(now: Instant): void {
    this.nextAt = this.joined && !this.unsent ? NEVER : now + TRIES_EVERY;
    if (!this.cpg.connect()) return;
    if (!this.joined) this.cpg.ask("cpg_join", { group: GROUP, pid: this.os.pid });
    else if (this.unsent) this.cpg.ask("cpg_mcast_joined", { message: utf8("state") });
  }

  handles(): [] {
    return [];
  }

  signal(): void {
    throw new Error("the client catches no signal");
  }

  event(event: ProgramEvent): void {
    if (event.kind !== "ipc" || !this.cpg.owns(event.event.id)) return;
    const e = event.event;
    if (e.what === "gone") {
      this.cpg.lost();
      Object.assign(this, { joined: false, unsent: false, nextAt: this.os.now + TRIES_EVERY });
    } else if (e.what === "reply") {
      if (e.reply.error !== undefined) return;
      if (this.joined) this.unsent = false;
      this.joined = true;
    } else if (e.what === "notice") this.heard(e.notice);
  }

  private heard(notice: Parameters<ServiceClient<CpgCalls, CpgNotices>["notice"]>[1]): void {
    const change = this.cpg.notice("cpg_confchg", notice);
    if (change !== undefined) {
      for (const p of change.left) this.seen.changes.push(`left ${p.nodeId} ${p.reason}`);
      for (const p of change.joined) this.seen.changes.push(`joined ${p.nodeId} ${p.reason}`);
      this.seen.members = change.members.map((p) => p.nodeId);
      this.seen.waitsFor = [...this.seen.members];
      Object.assign(this, { unsent: true, nextAt: this.os.now + TRIES_EVERY });
    }
    const message = this.cpg.notice("cpg_deliver", notice);
    if (message !== undefined && fromUtf8(message.message) === "state")
      this.seen.waitsFor = this.seen.waitsFor.filter((id) => id !== message.nodeId);
  }

  snapshot(): never {
    throw new Error("the test keeps no snapshots");
  }

  restore(): never {
    throw new Error("the test keeps no snapshots");
  }

  digest(): void {
    // What it knows is in the daemon's digest already.
  }
}

/** The client as a world brings it to a node, and what it knows. */
export function stateClient(): { readonly program: BroughtProgram; readonly seen: Seen } {
  const seen: Seen = { changes: [], members: [], waitsFor: [] };
  return { program: { argv: ["state-client"], pid: 4711, make: (os) => new StateClient(os, seen) }, seen };
}
