/**
 * The corosync-qdevice process of a node: its options from /etc/default/corosync-qdevice, and what it reaches of its machine and of the daemon. In the real stack:
 * main of corosync-qdevice.c with libcmap and libvotequorum behind it. Left out: the worker process of heuristics, options other than -d and -S.
 */
import { Rng, fromUtf8, type Hasher, type TcpEvent } from "../kernel/index.ts";
import { formatIp, parseIp } from "../config/index.ts";
import { Device } from "../qdevice/index.ts";
import { find } from "../machine/index.ts";
import { daemonLog, daemonTimer, defaultOptions, hasDatabase, type Daemon, type DaemonPlace } from "./daemon.ts";
import { resolveByHosts } from "./settings.ts";
import type { Stack } from "./stack.ts";

export const QDEVICE = "corosync-qdevice";

/** The corosync daemon as this process finds it. */
export interface CorosyncSeen {
  /** Its layers while it answers; undefined: its sockets are gone. */
  stack(): Stack | undefined;
  /** False: its process is stopped. */
  answers(): boolean;
  /** Runs a command line that only asks; its status, undefined where no such command is modelled. */
  query(argv: readonly string[]): number | undefined;
}

interface QdeviceProcessState {
  late: string[];
  device: unknown;
}

export class QdeviceProcess implements Daemon {
  readonly pid: number;
  readonly device: Device;
  /** Timers that came while the process slept or was stopped. */
  private late: string[] = [];

  constructor(
    private readonly place: DaemonPlace,
    private readonly corosync: CorosyncSeen,
  ) {
    this.pid = place.pid;
    const options = defaultOptions(place.computer, QDEVICE, "COROSYNC_QDEVICE_OPTIONS");
    const { computer } = place;
    this.device = new Device(
      {
        now: () => computer.now,
        setTimer: (name, at) => computer.timers.set(daemonTimer(place, name), at),
        clearTimer: (name) => this.clearTimer(name),
        log: (level, text) => daemonLog(place, level, text),
        tcp: place.tcp.port(place.unit),
        votequorum: () => corosync.stack()?.votequorum,
        ready: () => corosync.answers() && corosync.stack()?.sync.ready === true,
        answers: () => corosync.answers(),
        nodeId: () => corosync.stack()?.settings.config.nodeId ?? 0,
        get: (key) => valueText(corosync.stack()?.cmap.get(key)?.value),
        list: (prefix) => (corosync.stack()?.cmap.list(prefix) ?? []).map((e) => e.key),
        nodeVotes: () => {
          const stack = corosync.stack();
          // As votequorum counts them: of a node it has never heard of it knows nothing, whatever the file says (recorded).
          return (stack?.settings.config.nodes ?? []).flatMap(({ nodeId }) => stack?.votequorum.info(nodeId) ?? []);
        },
        resolve: (host) => addressOf(parseIp(host) === undefined ? resolveByHosts(computer, host)[0] : host),
        hasDatabase: (directory) => hasDatabase(computer, directory),
        run: (command) => this.run(command),
        notifyReady: () => place.ready(),
        exited: (code) => place.exited({ code }),
      },
      {
        debug: options.some((o) => /^-[a-z]*d/.test(o)),
        test: options.some((o) => /net_test_algorithm_enabled=(on|yes|1)/.test(o)),
      },
    );
  }

  start(): void {
    const rng = Rng.from(this.place.seed, "node", this.place.computer.design.name, QDEVICE, String(this.place.computer.now));
    this.place.computer.timers.set(daemonTimer(this.place, "start"), this.place.computer.now + rng.between(4_000, 12_000));
  }

  private clearTimer(name: string): void {
    this.place.computer.timers.clear(daemonTimer(this.place, name));
    this.late = this.late.filter((l) => l !== name);
  }

  /** A command of heuristics: true, false, test of a file, or a tool that only asks. Any other counts as failed, and the journal says that it was never run. */
  private run(command: string): boolean {
    const argv = words(command);
    const program = (argv[0] ?? "").replace(/^.*\//, "");
    if (program === "true" || program === "false") return program === "true";
    const tested = program === "test" && argv.length === 3 ? fileTest(this.place, argv[1] ?? "", argv[2] ?? "") : undefined;
    if (tested !== undefined) return tested;
    const status = this.corosync.query(argv);
    if (status === undefined) daemonLog(this.place, "warning", `heuristics: ${command}: not modelled in this lab, taken as failed`);
    return status === 0;
  }

  timer(name: string): void {
    if (this.device.holdsTimer(name)) this.late.push(name);
    else this.device.timer(name);
    this.catchUp();
  }

  private catchUp(): void {
    const late = this.late;
    this.late = [];
    for (const name of late) {
      if (this.device.holdsTimer(name)) this.late.push(name);
      else this.device.timer(name);
    }
  }

  event(event: TcpEvent): void {
    this.device.event(event);
  }

  /** Whoever asks it has to wait. */
  get stalled(): boolean {
    return this.device.holdsTimer("");
  }

  terminate(): void {
    this.device.terminate("SIGTERM");
  }

  kill(): void {
    this.device.kill();
  }

  stop(): void {
    this.place.tcp.stop(this.place.unit);
    this.device.stop();
  }

  resume(): void {
    this.device.resume();
    this.place.tcp.resume(this.place.unit);
    this.catchUp();
  }

  /** corosync's process goes on. */
  answered(): void {
    this.device.answered();
    this.catchUp();
  }

  snapshot(): unknown {
    const state: QdeviceProcessState = { late: [...this.late], device: this.device.snapshot() };
    return state;
  }

  restore(saved: unknown): void {
    const state = saved as QdeviceProcessState;
    this.late = [...state.late];
    this.device.restore(state.device);
  }

  digest(h: Hasher): void {
    h.int(this.pid).int(this.late.length);
    for (const name of this.late) h.text(name);
    this.device.digest(h);
  }
}

/** An address as the kernel prints it, however a file writes it. */
function addressOf(text: string | undefined): string | undefined {
  const ip = text === undefined ? undefined : parseIp(text);
  return ip === undefined ? text : formatIp(ip);
}

function valueText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return value instanceof Uint8Array ? fromUtf8(value) : String(value as string | number | bigint);
}

/** A command line taken apart as the daemon does it: blanks, double quotes, backslash. */
function words(line: string): string[] {
  const out: string[] = [];
  for (const m of line.matchAll(/(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))/g)) out.push((m[1] ?? m[2] ?? "").replace(/\\(.)/g, "$1"));
  return out;
}

/** test(1) of one file; undefined for a flag that is not modelled. */
function fileTest(place: DaemonPlace, flag: string, path: string): boolean | undefined {
  if (!["-e", "-f", "-d", "-s"].includes(flag)) return undefined;
  const found = find(place.computer.root, path);
  if (!found.ok) return false;
  if (flag === "-f") return found.value.type === "file";
  if (flag === "-d") return found.value.type === "directory";
  if (flag === "-s") return found.value.type === "file" && found.value.data.length > 0;
  return true;
}
