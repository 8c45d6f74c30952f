/**
 * The corosync-qnetd process of a qnetd host: its options from /etc/default/corosync-qnetd, its certificate database, its coming up and going down. In the real
 * stack: main of corosync-qnetd.c. Left out: options other than -d, -s and -c, and its user.
 */
import { MS, Rng, type Hasher, type TcpEvent } from "../kernel/index.ts";
import { Qnetd, type QnetdSettings, type QnetdView } from "../qdevice/index.ts";
import { daemonLog, daemonTimer, defaultOptions, hasDatabase, type Daemon, type DaemonPlace } from "./daemon.ts";

export const QNETD = "corosync-qnetd";
const QNETD_DATABASE = "/etc/corosync/qnetd/nssdb";

interface QnetdProcessState {
  settings: QnetdSettings;
  up: boolean;
  stopped: boolean;
  /** Timers that came while the process was stopped. */
  late: string[];
  server: unknown;
}

export class QnetdProcess implements Daemon {
  readonly pid: number;
  private server: Qnetd;
  private up = false;
  private stopped = false;
  private late: string[] = [];

  constructor(private readonly place: DaemonPlace) {
    this.pid = place.pid;
    this.server = this.make(settingsOf(defaultOptions(place.computer, QNETD, "COROSYNC_QNETD_OPTIONS")));
  }

  private make(settings: QnetdSettings): Qnetd {
    const { place } = this;
    return new Qnetd(
      {
        now: () => place.computer.now,
        tcp: place.tcp.port(place.unit),
        setTimer: (name, at) => place.computer.timers.set(daemonTimer(place, name), at),
        clearTimer: (name) => place.computer.timers.clear(daemonTimer(place, name)),
        log: (level, text) => daemonLog(place, level, text),
      },
      settings,
    );
  }

  /** exec(2): the daemon is up a few milliseconds later. */
  start(): void {
    const rng = Rng.from(this.place.seed, "node", this.place.computer.design.name, QNETD, String(this.place.computer.now));
    this.place.computer.timers.set(daemonTimer(this.place, "exec"), this.place.computer.now + rng.between(4, 12) * MS);
  }

  /** What corosync-qnetd-tool gets; undefined before the daemon is up. */
  get view(): QnetdView | undefined {
    return this.up ? this.server.view : undefined;
  }

  get stalled(): boolean {
    return this.stopped;
  }

  private comeUp(): void {
    if (this.server.settings.tls !== "off" && !hasDatabase(this.place.computer, QNETD_DATABASE)) {
      daemonLog(this.place, "error", "Can't open NSS DB directory (2): No such file or directory");
      this.place.exited({ code: 1 });
      return;
    }
    if (!this.server.start()) {
      this.place.exited({ code: 1 });
      return;
    }
    this.up = true;
    this.place.ready();
  }

  timer(name: string): void {
    if (this.stopped) this.late.push(name);
    else if (name === "exec") this.comeUp();
    else this.server.timer(name);
  }

  event(event: TcpEvent): void {
    this.server.event(event);
  }

  terminate(): void {
    if (this.up) this.server.shutDown("SIGTERM");
    this.place.exited(this.up ? { code: 0 } : { signal: "SIGTERM" });
  }

  /** corosync-qnetd-tool -H. */
  shutDown(): void {
    this.server.shutDown("tool");
    this.place.exited({ code: 0 });
  }

  kill(): void {
    this.up = false;
  }

  stop(): void {
    this.stopped = true;
    this.place.tcp.stop(this.place.unit);
  }

  resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.place.tcp.resume(this.place.unit);
    const late = this.late;
    this.late = [];
    for (const name of late) this.timer(name);
  }

  snapshot(): unknown {
    const state: QnetdProcessState = {
      settings: this.server.settings,
      up: this.up,
      stopped: this.stopped,
      late: [...this.late],
      server: this.server.snapshot(),
    };
    return state;
  }

  restore(saved: unknown): void {
    const state = saved as QnetdProcessState;
    this.server = this.make({ ...state.settings });
    this.server.restore(state.server);
    this.up = state.up;
    this.stopped = state.stopped;
    this.late = [...state.late];
  }

  digest(h: Hasher): void {
    h.int(this.pid).bool(this.up).bool(this.stopped).int(this.late.length);
    const { tls, clientCertRequired, debug } = this.server.settings;
    h.text(tls).bool(clientCertRequired).bool(debug);
    this.server.digest(h);
  }
}

function settingsOf(options: readonly string[]): QnetdSettings {
  const after = (flag: string): string | undefined => {
    const i = options.indexOf(flag);
    return i < 0 ? undefined : options[i + 1];
  };
  const tls = after("-s");
  return {
    tls: tls === "off" ? "off" : tls === "req" ? "required" : "on",
    clientCertRequired: !/^(off|no|0)$/i.test(after("-c") ?? "on"),
    debug: options.some((o) => /^-[a-z]*d/.test(o)),
  };
}
