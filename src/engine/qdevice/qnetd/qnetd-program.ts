/**
 * The corosync-qnetd program: its options, its certificate database, its local socket, its coming up and going down. In the real stack: main of corosync-qnetd.c and
 * qnetd-ipc-cmd.c. Left out: options other than -d, -f, -s and -c, and its user.
 */
import {
  MS,
  NEVER,
  Timers,
  cloneState,
  exists,
  getopt,
  type Handled,
  type Hasher,
  type Instant,
  type IpcReply,
  type IpcRequest,
  type Os,
  type Peeked,
  type Plain,
  type Program,
  type ProgramEvent,
  type Signal,
  type TimersState,
} from "../../kernel/index.ts";
import { Qnetd, type QnetdView } from "./qnetd.ts";
import type { QnetdSettings } from "./qnetd-instance.ts";

const NAME = "corosync-qnetd";
const DATABASE = "/etc/corosync/qnetd/nssdb";
/** The daemon's local socket. */
export const QNETD_SOCKET = "/run/corosync-qnetd/corosync-qnetd.sock";

/** What its tool asks of it. */
export type QnetdToolCalls = {
  readonly status: { readonly request: object; readonly reply: { readonly view: QnetdView } };
  readonly shutdown: { readonly request: object; readonly reply: object };
};

const HANDLED: Handled = ["SIGTERM", "SIGINT", "SIGPIPE"];

interface ProgramState {
  timers: TimersState;
  up: boolean;
  server: unknown;
}

export class QnetdProgram implements Program {
  private readonly timers = new Timers();
  private readonly server: Qnetd;
  private up = false;

  constructor(private readonly os: Os) {
    this.server = new Qnetd(
      {
        now: () => os.now,
        tcp: os.tcp,
        setTimer: (name, at) => this.timers.set(name, at),
        clearTimer: (name) => this.timers.clear(name),
        log: (level, text) => os.log(NAME, level, text),
      },
      settingsOf(os.argv),
    );
  }

  /** The daemon is up a few milliseconds later. */
  start(): void {
    this.timers.set("exec", this.os.now + this.os.rng(NAME).between(4, 12) * MS);
  }

  /** What the lab's status shows of it; undefined before the daemon is up. */
  get view(): QnetdView | undefined {
    return this.up ? this.server.view : undefined;
  }

  private comeUp(): void {
    const { files } = this.os;
    const database = exists(files, `${DATABASE}/cert9.db`) || exists(files, `${DATABASE}/cert8.db`);
    if (this.server.settings.tls !== "off" && !database) {
      this.os.log(NAME, "error", "Can't open NSS DB directory (2): No such file or directory");
      this.os.exit({ code: 1 });
      return;
    }
    if (!this.server.start() || !this.os.ipc.listen(QNETD_SOCKET)) {
      this.os.exit({ code: 1 });
      return;
    }
    this.up = true;
    this.os.notifyReady();
  }

  nextTimerAt(): Instant {
    return this.timers.nextAt();
  }

  runTimer(now: Instant): void {
    const name = this.timers.nextAt() === NEVER ? undefined : this.timers.pop(now);
    if (name === "exec") this.comeUp();
    else if (name !== undefined) this.server.timer(name);
  }

  handles(): Handled {
    return this.up ? HANDLED : [];
  }

  signal(signal: Signal): void {
    if (signal !== "SIGPIPE") this.leave("SIGTERM");
  }

  private leave(by: "SIGTERM" | "tool"): void {
    this.server.shutDown(by);
    this.os.exit({ code: 0 });
  }

  event(event: ProgramEvent): void {
    if (event.kind === "tcp") this.server.event(event.event);
    else if (event.kind === "ipc" && event.event.what === "request") this.request(event.event.id, event.event.seq, event.event.request);
  }

  // ── its own tool ─────────────────────────────────────────────────────────────────────────────────────────────────────

  private request(id: number, seq: number, request: IpcRequest): void {
    if (request.call === "status") this.os.ipc.reply(id, seq, this.status());
    else if (request.call === "shutdown") {
      this.os.ipc.reply(id, seq, {});
      this.leave("tool");
    } else this.os.ipc.reply(id, seq, { error: "CS_ERR_NOT_SUPPORTED" });
  }

  private status(): IpcReply {
    return { view: cloneState(this.server.view) } as unknown as IpcReply;
  }

  peek(_service: string, request: IpcRequest): Peeked {
    return request.call === "status" ? { peek: "reply", reply: this.status() } : { peek: "would-wait" };
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): Plain {
    const state: ProgramState = { timers: this.timers.snapshot(), up: this.up, server: this.server.snapshot() };
    return state as unknown as Plain;
  }

  restore(saved: Plain): void {
    const state = saved as unknown as ProgramState;
    this.timers.restore(state.timers);
    this.up = state.up;
    this.server.restore(state.server);
  }

  digest(h: Hasher): void {
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    const { tls, clientCertRequired, debug } = this.server.settings;
    h.bool(this.up).text(tls).bool(clientCertRequired).bool(debug);
    this.server.digest(h);
  }
}

function settingsOf(argv: readonly string[]): QnetdSettings {
  const { options } = getopt(NAME, argv.slice(1), "46dfhvl:p:s:c:m:S:");
  const last = (name: string): string | undefined => options.filter((o) => o.name === name).at(-1)?.value;
  const tls = last("s");
  return {
    tls: tls === "off" ? "off" : tls === "req" ? "required" : "on",
    clientCertRequired: !/^(off|no|0)$/i.test(last("c") ?? "on"),
    debug: options.some((o) => o.name === "d"),
  };
}
