/**
 * A daemon beside corosync as its machine runs it: a process with a pid, timers of its own, TCP connections, and a place in the journal. In the real stack: what
 * systemd and the kernel know of a service's main process. Left out: what the daemon does (qdevice/).
 */
import type { Hasher, LogLevel, TcpEvent } from "../kernel/index.ts";
import { find, type Computer, type ExitStatus, type Tcp } from "../machine/index.ts";
import { fromUtf8 } from "../kernel/index.ts";

/** What a node or a qnetd host does with one of its daemons. */
export interface Daemon {
  readonly pid: number;
  /** A timer set under the daemon's prefix. */
  timer(name: string): void;
  event(event: TcpEvent): void;
  /** SIGTERM. */
  terminate(): void;
  /** SIGKILL, or the power went. */
  kill(): void;
  /** SIGSTOP, or the machine stalls; and back. */
  stop(): void;
  resume(): void;
  snapshot(): unknown;
  restore(state: unknown): void;
  digest(h: Hasher): void;
}

/** What a daemon has from its machine. */
export interface DaemonPlace {
  readonly computer: Computer;
  readonly tcp: Tcp;
  readonly unit: string;
  readonly pid: number;
  readonly seed: string;
  ready(): void;
  exited(exit: ExitStatus): void;
}

/** Timers of daemons, among the machine's own: `daemon/UNIT/NAME`. */
export const DAEMON_TIMER = "daemon/";

export function daemonTimer(place: DaemonPlace, name: string): string {
  return `${DAEMON_TIMER}${place.unit}/${name}`;
}

export function daemonLog(place: DaemonPlace, level: LogLevel, text: string): void {
  place.computer.log(place.unit, place.pid, level, "", text);
}

/** The value of a shell variable in a file of /etc/default, "" where it is not set. */
export function defaultOptions(computer: Computer, file: string, variable: string): string[] {
  const found = find(computer.root, `/etc/default/${file}`);
  if (!found.ok || found.value.type !== "file") return [];
  let value = "";
  for (const line of fromUtf8(found.value.data).split("\n")) {
    const m = /^\s*([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (m?.[1] === variable) value = m[2] ?? m[3] ?? m[4] ?? "";
  }
  return value.split(/\s+/).filter((w) => w !== "");
}

/** There is a certificate database of NSS in this directory. */
export function hasDatabase(computer: Computer, directory: string): boolean {
  return find(computer.root, `${directory}/cert9.db`).ok || find(computer.root, `${directory}/cert8.db`).ok;
}
