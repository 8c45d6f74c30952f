/** The load of the bench: a program on the nodes that multicasts to a closed process group at a steady rate, and measures its own deliveries by the wall clock. */
import { CPG, ServiceClient, type CpgCalls, type CpgNotices } from "../../src/engine/corosync/index.ts";
import { NEVER, SEC, type Instant, type IpcEvent, type Os, type Program, type ProgramEvent } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import type { MachineFactory } from "../../src/engine/world/index.ts";

const group = "bench";
const pid = 4_711;
/** The program starts when clusters of every size here have long formed. */
const beginAt = 175 * SEC;

export interface Traffic {
  /** Between two messages of one node, µs. */
  every: number;
  bytes: number;
  sent: number;
  delivered: number;
  refused: number;
  /** The one node that sends; absent: all do. */
  only?: string;
  /** Messages tried at a time; sending ends for now with the first that is refused. */
  burst?: number;
  /** The sender's own deliveries: how many, and how long each took, in virtual and in wall µs. */
  own?: { count: number; virtualUs: number[]; wallUs: number[] };
}

/** Latencies kept. */
const keptMax = 20_000;

class BenchSender implements Program {
  private readonly cpg: ServiceClient<CpgCalls, CpgNotices>;
  private readonly message: Uint8Array;
  private nextAt: Instant = NEVER;
  private joined = false;
  private left = 0;
  /** When those under way were sent, in order: delivery keeps it. */
  private readonly underWay: { at: Instant; wall: number }[] = [];

  constructor(
    private readonly os: Os,
    private readonly traffic: Traffic,
  ) {
    this.cpg = new ServiceClient(os.ipc, CPG);
    this.message = new Uint8Array(traffic.bytes);
  }

  start(): void {
    if (this.traffic.only === undefined || this.traffic.only === this.os.machine) this.nextAt = beginAt;
  }

  nextTimerAt(): Instant {
    return this.nextAt;
  }

  runTimer(now: Instant): void {
    this.nextAt = now + this.traffic.every;
    if (!this.cpg.connect()) throw new Error(`${this.os.machine} runs no corosync`);
    if (!this.joined) {
      this.cpg.ask("cpg_join", { group, pid });
      return;
    }
    if (this.left > 0) return;
    this.left = this.traffic.burst ?? 1;
    this.send();
  }

  private send(): void {
    this.cpg.ask("cpg_mcast_joined", { message: this.message });
  }

  handles(): readonly [] {
    return [];
  }

  signal(): void {
    throw new Error("the sender catches no signal");
  }

  event(event: ProgramEvent): void {
    if (event.kind === "ipc") this.heard(event.event);
  }

  private heard(event: IpcEvent): void {
    if (event.what === "notice" && this.cpg.notice("cpg_deliver", event.notice) !== undefined) this.deliver();
    else if (event.what === "reply") this.answered(event.reply.error === undefined);
  }

  private answered(ok: boolean): void {
    if (!this.joined) this.joined = ok;
    else if (!ok) {
      this.traffic.refused++;
      this.left = 0;
    } else {
      this.traffic.sent++;
      if (this.traffic.own !== undefined) this.underWay.push({ at: this.os.now, wall: performance.now() });
      this.left--;
      if (this.left > 0) this.send();
    }
  }

  private deliver(): void {
    this.traffic.delivered++;
    const [sent, { own }] = [this.underWay.shift(), this.traffic];
    if (sent === undefined || own === undefined) return;
    own.count++;
    if (own.virtualUs.length >= keptMax) return;
    own.virtualUs.push(this.os.now - sent.at);
    own.wallUs.push((performance.now() - sent.wall) * 1000);
  }

  snapshot(): { nextAt: Instant; joined: boolean; left: number; connection: { id: number | undefined } } {
    return { nextAt: this.nextAt, joined: this.joined, left: this.left, connection: { ...this.cpg.snapshot() } };
  }

  restore(state: ReturnType<BenchSender["snapshot"]>): void {
    this.nextAt = state.nextAt;
    this.joined = state.joined;
    this.left = state.left;
    this.cpg.restore(state.connection);
  }

  digest(): void {
    // What it does shows in the daemon's state.
  }
}

/** Nodes that send; all count into one `traffic`. */
export function sendingNodes(traffic: Traffic): MachineFactory {
  return (world, machine) => makeNode(world, machine, { argv: ["bench-sender"], pid, make: (os) => new BenchSender(os, traffic) });
}
