/**
 * A node with a program on it that joins a process group and multicasts at a steady rate until a given instant. The node is the real one; the program
 * stands where a libcpg client stands, and starts anew when the daemon does. Left out: what the program does with what it hears.
 */
import {
  NEVER,
  utf8,
  type Datagram,
  type Hasher,
  type Instant,
  type JournalLine,
  type Machine,
  type MachineAct,
  type MachineQuery,
  type MachineSnapshot,
  type MachineStatus,
  type Out,
  type QueryReply,
} from "../kernel/index.ts";
import { makeMachine, makeNode, type DaemonSocket, type Node } from "../node/index.ts";
import type { MachineFactory } from "../world/design.ts";
import type { Load } from "./fault-schedule.ts";

const GROUP = "load";
const PID = 4711;

/** What all programs of a world did together. */
export interface Tally {
  sent: number;
  delivered: number;
}

interface SenderState {
  nextAt: Instant;
  /** Process id of the daemon whose client this is; 0: none. */
  daemon: number;
  count: number;
}

class SendingNode implements Machine {
  readonly name: string;
  private state: SenderState;

  constructor(
    private readonly node: Node,
    private readonly load: Load,
    private readonly tally: Tally,
  ) {
    this.name = node.name;
    this.state = { nextAt: load.from, daemon: 0, count: 0 };
  }

  nextTimerAt(): Instant {
    return Math.min(this.state.nextAt, this.node.nextTimerAt());
  }

  runTimer(now: Instant, out: Out): void {
    if (this.node.nextTimerAt() <= this.state.nextAt) {
      this.node.runTimer(now, out);
      return;
    }
    const next = now + this.load.every;
    this.state.nextAt = next < this.load.until ? next : NEVER;
    this.node.program(now, out, (daemon) => this.send(daemon));
  }

  private send({ pid, cpg, ready }: DaemonSocket): void {
    if (!ready) return;
    if (this.state.daemon !== pid) {
      if (cpg.join(GROUP, PID, this.handlers()) === undefined) this.state.daemon = pid;
      return;
    }
    for (let i = 0; i < this.load.burst; i++) {
      const text = utf8(`${this.name} ${this.state.count} `);
      const message = new Uint8Array(Math.max(text.length, this.load.bytes));
      message.set(text);
      if (cpg.mcast(GROUP, PID, message) !== undefined) return;
      this.state.count++;
      this.tally.sent++;
    }
  }

  private handlers(): { deliver: () => void; confchg: () => void } {
    return { deliver: () => void this.tally.delivered++, confchg: () => undefined };
  }

  receive(now: Instant, datagram: Datagram, out: Out): void {
    this.node.receive(now, datagram, out);
  }

  act(now: Instant, act: MachineAct, out: Out): void {
    this.node.act(now, act, out);
  }

  query(now: Instant, query: MachineQuery): QueryReply {
    return this.node.query(now, query);
  }

  status(now: Instant): MachineStatus {
    return this.node.status(now);
  }

  journalSince(from: number): JournalLine[] {
    return this.node.journalSince(from);
  }

  journalLength(): number {
    return this.node.journalLength();
  }

  snapshot(): MachineSnapshot {
    return { node: this.node.snapshot(), sender: { ...this.state } };
  }

  restore(snapshot: MachineSnapshot): void {
    const { node, sender } = snapshot as unknown as { node: MachineSnapshot; sender: SenderState };
    this.node.restore(node);
    this.state = { ...sender };
    const daemon = this.node.daemonSocket();
    if (daemon !== undefined && daemon.pid === sender.daemon) daemon.cpg.attach(GROUP, PID, this.handlers());
  }

  digest(h: Hasher): void {
    this.node.digest(h);
    h.int(this.state.count).int(this.state.daemon);
  }
}

/** Nodes that send; all count into `tally`. */
export function sendingNodes(load: Load, tally: Tally): MachineFactory {
  return (world, machine) =>
    machine.kind === "node" ? new SendingNode(makeNode(world, machine), load, tally) : makeMachine(world, machine);
}

/** Machines of a lab, whose nodes send where there is a load; nobody counts. */
export function loadedMachines(load: Load | undefined): MachineFactory {
  return load === undefined ? makeMachine : sendingNodes(load, { sent: 0, delivered: 0 });
}
