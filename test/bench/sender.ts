/**
 * A node with a program on it that multicasts to a closed process group at a steady rate: the load of the benchmarks. The node is the real one; the program
 * stands where a libcpg client stands.
 */
import type { Cpg } from "../../src/engine/cpg/index.ts";
import {
  NEVER,
  SEC,
  type Hasher,
  type Instant,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineSnapshot,
  type Datagram,
  type Out,
} from "../../src/engine/kernel/index.ts";
import { Computer } from "../../src/engine/machine/index.ts";
import { Corosync } from "../../src/engine/node/corosync.ts";
import { makeNode, type Node } from "../../src/engine/node/index.ts";
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

class SendingNode implements Machine {
  readonly name: string;
  private nextAt: Instant = beginAt;
  private joined = false;
  private readonly message: Uint8Array;
  private at: Instant = 0;
  /** When those under way were sent, in order: delivery keeps it. */
  private readonly underWay: { at: Instant; wall: number }[] = [];

  constructor(
    private readonly node: Node,
    private readonly traffic: Traffic,
  ) {
    this.name = node.name;
    this.message = new Uint8Array(traffic.bytes);
    if (traffic.only !== undefined && traffic.only !== node.name) this.nextAt = NEVER;
  }

  nextTimerAt(): Instant {
    return Math.min(this.nextAt, this.node.nextTimerAt());
  }

  runTimer(now: Instant, out: Out): void {
    this.at = now;
    if (this.node.nextTimerAt() <= this.nextAt) return this.node.runTimer(now, out);
    this.nextAt = now + this.traffic.every;
    this.send(now, out);
  }

  private send(now: Instant, out: Out): void {
    const { computer, cpg } = insides(this.node);
    computer.enter(now, out);
    if (!this.joined) {
      const refused = cpg.join(group, pid, { deliver: () => this.deliver(), confchg: () => undefined });
      this.joined = refused === undefined;
      return;
    }
    for (let left = this.traffic.burst ?? 1; left > 0; left--) {
      if (cpg.mcast(group, pid, this.message) !== undefined) {
        this.traffic.refused++;
        return;
      }
      this.traffic.sent++;
      if (this.traffic.own !== undefined) this.underWay.push({ at: now, wall: performance.now() });
    }
  }

  private deliver(): void {
    this.traffic.delivered++;
    const [sent, { own }] = [this.underWay.shift(), this.traffic];
    if (sent === undefined || own === undefined) return;
    own.count++;
    if (own.virtualUs.length >= keptMax) return;
    own.virtualUs.push(this.at - sent.at);
    own.wallUs.push((performance.now() - sent.wall) * 1000);
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
    this.at = now;
    this.node.receive(now, datagram, out);
  }
  act(now: Instant, act: MachineAct, out: Out): void {
    this.node.act(now, act, out);
  }
  query(now: Instant, query: MachineQuery): ReturnType<Machine["query"]> {
    return this.node.query(now, query);
  }
  status(now: Instant): ReturnType<Machine["status"]> {
    return this.node.status(now);
  }
  journalSince(from: number): ReturnType<Machine["journalSince"]> {
    return this.node.journalSince(from);
  }
  journalLength(): number {
    return this.node.journalLength();
  }
  snapshot(): MachineSnapshot {
    return this.node.snapshot();
  }
  restore(state: MachineSnapshot): void {
    this.node.restore(state);
  }
  digest(h: Hasher): void {
    this.node.digest(h);
  }
}

/** The node keeps its layers to itself; a client's socket into corosync is what this reaches for. */
function insides(node: Node): { computer: Computer; cpg: Cpg } {
  const computer: unknown = Reflect.get(node, "computer");
  const corosync: unknown = Reflect.get(node, "corosync");
  const cpg = corosync instanceof Corosync ? corosync.stack?.cpg : undefined;
  if (!(computer instanceof Computer) || cpg === undefined) throw new Error(`${node.name} runs no corosync`);
  return { computer, cpg };
}

/** Nodes that send; all count into one `traffic`. */
export function sendingNodes(traffic: Traffic): MachineFactory {
  return (world, machine) => new SendingNode(makeNode(world, machine), traffic);
}
