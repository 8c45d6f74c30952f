/**
 * The daemons of one machine beside corosync, and the TCP they talk over: corosync-qdevice on a node, corosync-qnetd on the host of its own. Which unit is which
 * process, and who is told when one is gone. In the real stack: systemd and the kernel. Left out: what the daemons do (qdevice/).
 */
import { Rng, type Datagram, type Hasher } from "../kernel/index.ts";
import type { Device, QnetdView } from "../qdevice/index.ts";
import { Tcp, type Computer } from "../machine/index.ts";
import type { Daemon, DaemonPlace } from "./daemon.ts";
import { DAEMON_TIMER } from "./daemon.ts";
import { QDEVICE, QdeviceProcess, type CorosyncSeen } from "./qdevice-process.ts";
import { QNETD, QnetdProcess } from "./qnetd-process.ts";

/** Timers of TCP, among the machine's own. */
const TCP_TIMER = "tcp/";

interface ServicesState {
  tcp: unknown;
  daemons: { unit: string; pid: number; state: unknown }[];
}

export class Services {
  private readonly tcp: Tcp;
  qdevice: QdeviceProcess | undefined;
  qnetd: QnetdProcess | undefined;

  constructor(
    private readonly computer: Computer,
    private readonly seed: string,
    private readonly corosync: CorosyncSeen,
  ) {
    const { design } = computer;
    this.tcp = new Tcp(
      {
        now: () => computer.now,
        setTimer: (name, at) => computer.timers.set(TCP_TIMER + name, at),
        clearTimer: (name) => computer.timers.clear(TCP_TIMER + name),
        nics: () => computer.nics,
        prefix: (nic) => {
          const found = computer.design.nics.find((n) => n.name === nic);
          return found?.prefix ?? (found?.address.includes(":") === true ? 64 : 24);
        },
        send: (datagram) => computer.emit({ kind: "send", datagram }),
        deliver: (owner, event) => this.daemon(owner)?.event(event),
      },
      Rng.from(seed, "machine", design.name, "tcp"),
    );
  }

  networkRenamed(from: string, to: string): void {
    this.tcp.networkRenamed(from, to);
  }

  get device(): Device | undefined {
    return this.qdevice?.device;
  }

  get view(): QnetdView | undefined {
    return this.qnetd?.view;
  }

  private daemon(unit: string): Daemon | undefined {
    if (unit === QDEVICE) return this.qdevice;
    return unit === QNETD ? this.qnetd : undefined;
  }

  private all(): { unit: string; daemon: Daemon }[] {
    return [QDEVICE, QNETD].flatMap((unit) => {
      const daemon = this.daemon(unit);
      return daemon === undefined ? [] : [{ unit, daemon }];
    });
  }

  // ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

  spawn(unit: string, pid: number): void {
    this.make(unit, pid).start();
  }

  private make(unit: string, pid: number): QdeviceProcess | QnetdProcess {
    const { computer, tcp, seed } = this;
    const place: DaemonPlace = {
      computer,
      tcp,
      unit,
      pid,
      seed,
      ready: () => {
        computer.units.ready(unit);
        computer.afterUnitChange();
      },
      exited: (exit) => {
        this.forget(unit);
        computer.units.exited(unit, exit);
        computer.afterUnitChange();
      },
    };
    if (unit === QNETD) return (this.qnetd = new QnetdProcess(place));
    if (unit !== QDEVICE) throw new Error(`no program for unit ${unit}`);
    return (this.qdevice = new QdeviceProcess(place, this.corosync));
  }

  /** The process of `unit` is gone: its timers and its connections with it. */
  private forget(unit: string): void {
    this.computer.timers.clearPrefix(`${DAEMON_TIMER}${unit}/`);
    this.tcp.gone(unit);
    if (unit === QDEVICE) this.qdevice = undefined;
    else if (unit === QNETD) this.qnetd = undefined;
  }

  /** systemd's SIGTERM, with the SIGCONT that follows it. */
  terminate(unit: string): void {
    this.daemon(unit)?.resume();
    this.daemon(unit)?.terminate();
  }

  /** SIGKILL. */
  kill(unit: string): void {
    this.daemon(unit)?.kill();
    this.forget(unit);
  }

  /** By order of a daemon's own tool. False: it does not run. */
  shutDown(unit: string): boolean {
    if (unit === QDEVICE && this.qdevice !== undefined) this.qdevice.device.terminate("tool");
    else if (unit === QNETD && this.qnetd !== undefined) this.qnetd.shutDown();
    else return false;
    return true;
  }

  /** corosync's sockets broke. */
  corosyncGone(): void {
    this.device?.daemonGone();
  }

  /** corosync's process, which was stopped, goes on. */
  corosyncAnswers(): void {
    this.qdevice?.answered();
  }

  powerLost(): void {
    // First of all: what has no power closes no connection, and nobody hears that it is gone.
    this.tcp.powerLost();
    for (const { unit } of this.all()) this.kill(unit);
  }

  /** SIGSTOP of one unit's process, or the stall of all. */
  stop(unit?: string): void {
    for (const each of this.all()) if (unit === undefined || unit === each.unit) each.daemon.stop();
  }

  resume(unit?: string): void {
    for (const each of this.all()) if (unit === undefined || unit === each.unit) each.daemon.resume();
  }

  // ── time and network ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** False: the timer is none of theirs. */
  timer(name: string): boolean {
    if (name.startsWith(TCP_TIMER)) {
      this.tcp.timer(name.slice(TCP_TIMER.length));
      return true;
    }
    if (!name.startsWith(DAEMON_TIMER)) return false;
    const rest = name.slice(DAEMON_TIMER.length);
    const slash = rest.indexOf("/");
    this.daemon(rest.slice(0, slash))?.timer(rest.slice(slash + 1));
    return true;
  }

  receive(datagram: Datagram): void {
    this.tcp.receive(datagram);
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): unknown {
    const daemons = this.all().map(({ unit, daemon }) => ({ unit, pid: daemon.pid, state: daemon.snapshot() }));
    const state: ServicesState = { tcp: this.tcp.snapshot(), daemons };
    return state;
  }

  /** corosync must have been restored before. */
  restore(saved: unknown): void {
    const state = saved as ServicesState;
    this.tcp.restore(state.tcp);
    this.qdevice = undefined;
    this.qnetd = undefined;
    for (const { unit, pid, state: of } of state.daemons) this.make(unit, pid).restore(of);
  }

  digest(h: Hasher): void {
    this.tcp.digest(h);
    for (const { unit, daemon } of this.all()) daemon.digest(h.text(unit));
  }
}
