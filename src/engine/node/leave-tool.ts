/**
 * The tool of corosync's ExecStop=, corosync-cfgtool -H --force, as a process: it asks the daemon to leave the ring and stays for a moment, so that a daemon that has not heeded it (it gathers)
 * gets its signal after it. In the real stack: corosync-cfgtool. Left out: the status it ends with where nobody answers or the daemon says "try again", as systemd would then count the stop as
 * failed; all other calls of the tool, which are the machine's commands.
 */
import { CFG } from "../corosync/index.ts";
import {
  MS,
  NEVER,
  type Duration,
  type Handled,
  type Hasher,
  type Instant,
  type Os,
  type Plain,
  type Program,
  type ProgramEvent,
} from "../kernel/index.ts";

/** How long the tool runs (ours). */
const RUNS_FOR: Duration = 30 * MS;

interface LeaveState {
  readonly connection: number;
  readonly until: Instant;
}

export class LeaveTool implements Program {
  private state: LeaveState = { connection: 0, until: NEVER };

  constructor(
    private readonly os: Os,
    /** The daemon is stopped: nothing would be answered. */
    private readonly stalled: () => boolean,
  ) {}

  start(): void {
    const connection = this.stalled() ? undefined : this.os.ipc.connect(CFG);
    if (connection === undefined) return this.os.exit({ code: 0 });
    this.state = { connection, until: this.os.now + RUNS_FOR };
    this.os.ipc.request(connection, { call: "corosync_cfg_try_shutdown" });
  }

  nextTimerAt(): Instant {
    return this.state.until;
  }

  runTimer(): void {
    this.os.exit({ code: 0 });
  }

  handles(): Handled {
    return [];
  }

  signal(): void {
    throw new Error("corosync-cfgtool catches no signal");
  }

  event(event: ProgramEvent): void {
    if (event.kind !== "ipc" || event.event.id !== this.state.connection) return;
    const { event: heard } = event;
    if (heard.what === "gone" || (heard.what === "reply" && heard.reply.error !== undefined)) this.os.exit({ code: 0 });
  }

  snapshot(): Plain {
    return { connection: this.state.connection, until: this.state.until };
  }

  restore(state: Plain): void {
    this.state = state as unknown as LeaveState;
  }

  digest(h: Hasher): void {
    h.int(this.state.connection).int(this.state.until);
  }
}
