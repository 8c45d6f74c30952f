/**
 * The program `load`: a client of closed process groups that joins one and multicasts at a steady rate until a given instant. In the real stack: corosync's own cpgverify and testcpg, and
 * every daemon that works over cpg. Left out: what it does with what it hears.
 */
import { CPG, ServiceClient, type Connection, type CpgCalls, type CpgNotices } from "../corosync/index.ts";
import {
  NEVER,
  utf8,
  type Handled,
  type Hasher,
  type Instant,
  type IpcEvent,
  type Os,
  type Plain,
  type Program,
  type ProgramEvent,
} from "../kernel/index.ts";
import type { BroughtProgram } from "../node/index.ts";
import type { Load } from "./fault-schedule.ts";

const GROUP = "load";
const PID = 4711;

/** What all programs of a world did together. */
export interface Tally {
  sent: number;
  delivered: number;
}

interface LoadState {
  nextAt: Instant;
  connection: Connection;
  /** It is in the group, or on its way in. */
  joined: boolean;
  count: number;
  /** Messages of this turn still to be sent. */
  left: number;
  /** A request has not been answered. */
  asked: "join" | "mcast" | undefined;
}

class LoadProgram implements Program {
  private readonly cpg: ServiceClient<CpgCalls, CpgNotices>;
  private state: Omit<LoadState, "connection"> = { nextAt: NEVER, joined: false, count: 0, left: 0, asked: undefined };

  constructor(
    private readonly os: Os,
    private readonly load: Load,
    private readonly tally: Tally,
  ) {
    this.cpg = new ServiceClient(os.ipc, CPG);
  }

  start(): void {
    this.state.nextAt = this.turnFrom(this.os.now);
  }

  /** The first of its turns that is not before `at`. */
  private turnFrom(at: Instant): Instant {
    const { from, every, until } = this.load;
    const next = from + Math.max(0, Math.ceil((at - from) / every)) * every;
    return next < until ? next : NEVER;
  }

  nextTimerAt(): Instant {
    return this.state.nextAt;
  }

  /** A turn that it has missed is left out. */
  runTimer(now: Instant): void {
    const due = this.state.nextAt;
    this.state.nextAt = this.turnFrom(now + 1);
    if (due === now && this.state.asked === undefined) this.turn();
  }

  private turn(): void {
    if (!this.cpg.connect()) return;
    const s = this.state;
    if (!s.joined) {
      if (this.cpg.ask("cpg_join", { group: GROUP, pid: this.os.pid }) !== undefined) s.asked = "join";
      return;
    }
    s.left = this.load.burst;
    this.send();
  }

  private send(): void {
    const s = this.state;
    if (s.left === 0) return;
    const text = utf8(`${this.os.machine} ${s.count} `);
    const message = new Uint8Array(Math.max(text.length, this.load.bytes));
    message.set(text);
    if (this.cpg.ask("cpg_mcast_joined", { message }) !== undefined) s.asked = "mcast";
  }

  handles(): Handled {
    return [];
  }

  signal(): void {
    throw new Error("load catches no signal");
  }

  event(event: ProgramEvent): void {
    if (event.kind !== "ipc" || !this.cpg.owns(event.event.id)) return;
    this.heard(event.event);
  }

  private heard(event: IpcEvent): void {
    if (event.what === "reply") this.answered(event.reply.error === undefined);
    else if (event.what === "gone") {
      this.cpg.lost();
      Object.assign(this.state, { joined: false, left: 0, asked: undefined });
    } else if (event.what === "notice" && this.cpg.notice("cpg_deliver", event.notice) !== undefined) this.tally.delivered++;
  }

  /** The rest of a turn is left out where a message is refused. */
  private answered(ok: boolean): void {
    const s = this.state;
    const { asked } = s;
    s.asked = undefined;
    if (asked === "join") s.joined = ok;
    else if (!ok) s.left = 0;
    else {
      s.count++;
      s.left--;
      this.tally.sent++;
      this.send();
    }
  }

  snapshot(): Plain {
    return { ...this.state, connection: this.cpg.snapshot() } as unknown as Plain;
  }

  restore(saved: Plain): void {
    const { connection, ...state } = saved as unknown as LoadState;
    this.state = { ...state };
    this.cpg.restore(connection);
  }

  digest(h: Hasher): void {
    const s = this.state;
    h.int(s.nextAt)
      .bool(s.joined)
      .int(s.count)
      .int(s.left)
      .text(s.asked ?? "");
  }
}

/** The program as a world brings it to its nodes; all count into `tally`. */
export function loadProgram(load: Load, tally: Tally): BroughtProgram {
  return { argv: ["load"], pid: PID, make: (os) => new LoadProgram(os, load, tally) };
}
