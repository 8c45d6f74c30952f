/**
 * A node with a program on it that multicasts to a closed process group at a steady rate: the load of the bench. The node is the real one; the program
 * stands where a libcpg client stands.
 */
import type { Cpg } from "../../src/engine/cpg/index.ts";
import {
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
}

class SendingNode implements Machine {
  readonly name: string;
  private nextAt: Instant = beginAt;
  private joined = false;
  private readonly message: Uint8Array;

  constructor(
    private readonly node: Node,
    private readonly traffic: Traffic,
  ) {
    this.name = node.name;
    this.message = new Uint8Array(traffic.bytes);
  }

  nextTimerAt(): Instant {
    return Math.min(this.nextAt, this.node.nextTimerAt());
  }

  runTimer(now: Instant, out: Out): void {
    if (this.node.nextTimerAt() <= this.nextAt) return this.node.runTimer(now, out);
    this.nextAt = now + this.traffic.every;
    this.send(now, out);
  }

  private send(now: Instant, out: Out): void {
    const { computer, cpg } = insides(this.node);
    computer.enter(now, out);
    if (!this.joined) {
      const refused = cpg.join(group, pid, { deliver: () => void this.traffic.delivered++, confchg: () => undefined });
      this.joined = refused === undefined;
    } else if (cpg.mcast(group, pid, this.message) === undefined) this.traffic.sent++;
    else this.traffic.refused++;
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
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
