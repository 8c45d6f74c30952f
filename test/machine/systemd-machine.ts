/** A machine that is nothing but a disk, a clock and processes that do as they are told, for the service manager to manage. */
import {
  fromUtf8,
  Hasher,
  MS,
  Rng,
  SEC,
  Timers,
  utf8,
  unixFromIso,
  type JournalLine,
  type ProcessExit,
  type Signal,
} from "../../src/engine/kernel/index.ts";
import {
  layUnits,
  linkTarget,
  Manager,
  type FileFacts,
  type ManagerHooks,
  type SpawnRequest,
  type Spawned,
} from "../../src/engine/machine/systemd/index.ts";

export const EPOCH = unixFromIso("2026-11-20T09:35:28Z") ?? 0;

/** What a program does once it is started. */
export interface Behaviour {
  /** READY=1 after so long, µs; absent: never. */
  ready?: number;
  /** Ends by itself after so long. */
  ends?: { after: number; exit: ProcessExit };
  /** How long SIGTERM takes to end it; "ignored": it does not. */
  term?: number | "ignored";
  /** What SIGTERM ends it with; absent: by the signal. */
  termExit?: ProcessExit;
  /** Leaves a process of this name behind when it ends: daemon(3). */
  forks?: string;
  /** Pings the watchdog this often. */
  pings?: number;
}

export interface Process {
  readonly pid: number;
  readonly unit: string;
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
}

type Entry = { data: Uint8Array; mtime: number; mode: number } | { target: string };

interface MachineState {
  now: number;
  timers: ReturnType<Timers["snapshot"]>;
  processes: Process[];
  nextPid: number;
  manager: ReturnType<Manager["snapshot"]>;
}

export class TestMachine {
  now = 0;
  private readonly entries = new Map<string, Entry>();
  private readonly timers = new Timers();
  processes: Process[] = [];
  private nextPid = 700;
  /** `ms systemd[1]: text`. */
  readonly lines: string[] = [];
  readonly journal: JournalLine[] = [];
  private boots = 0;
  readonly traces: string[] = [];
  readonly signals: string[] = [];
  readonly actions: string[] = [];
  startedAt: number | undefined;
  readonly behaviours = new Map<string, Behaviour>();
  readonly manager: Manager;

  constructor(packages: readonly string[] = ["systemd"], hostname = "pve1") {
    layUnits(packages, {
      file: (path, text) => this.write(path, text),
      link: (path, target) => this.link(path, target),
    });
    this.manager = new Manager(this.hooks(hostname));
  }

  // ---- the disk

  write(path: string, text: string): void {
    this.directories = undefined;
    this.entries.set(path, { data: utf8(text), mtime: EPOCH + this.now, mode: 0o644 });
  }

  link(path: string, target: string): void {
    this.directories = undefined;
    this.entries.set(path, { target });
  }

  remove(path: string): boolean {
    this.directories = undefined;
    return this.entries.delete(path);
  }

  exists(path: string): boolean {
    return this.entries.has(path);
  }

  linkOf(path: string): string | undefined {
    const entry = this.entries.get(path);
    return entry !== undefined && "target" in entry ? entry.target : undefined;
  }

  /** `NAME.service` with these lines, in /etc. */
  unit(name: string, text: string): void {
    this.write(`/etc/systemd/system/${name}`, text);
  }

  private resolved(path: string): string {
    let at = path;
    for (let i = 0; i < 8; i++) {
      const target = this.linkOf(at);
      if (target === undefined) return at;
      at = linkTarget(at, target);
    }
    return at;
  }

  /** Names in every directory. */
  private directories: Map<string, Set<string>> | undefined;

  private list(path: string): ReadonlySet<string> | undefined {
    if (this.directories === undefined) {
      this.directories = new Map();
      for (const whole of this.entries.keys()) {
        const parts = whole.split("/");
        for (let i = 1; i < parts.length; i++) {
          const dir = parts.slice(0, i).join("/") || "/";
          const names = this.directories.get(dir) ?? new Set<string>();
          this.directories.set(dir, names.add(parts[i] ?? ""));
        }
      }
    }
    return this.directories.get(path);
  }

  private stat(path: string): FileFacts | undefined {
    const entry = this.entries.get(this.resolved(path));
    if (entry !== undefined && "data" in entry)
      return { type: "file", size: entry.data.length, mode: entry.mode, mtimeUnixMicros: entry.mtime };
    return this.list(path) !== undefined ? { type: "directory", size: 4096, mode: 0o755, mtimeUnixMicros: EPOCH } : undefined;
  }

  // ---- what the manager has of it

  private hooks(hostname: string): ManagerHooks {
    return {
      now: () => this.now,
      unixMicros: () => EPOCH + this.now,
      setTimer: (name, at) => this.timers.set(`m:${name}`, at),
      clearTimer: (name) => this.timers.clear(`m:${name}`),
      log: (unit, level, text, as) => {
        const { pid, identifier } = as ?? { pid: 1, identifier: "systemd" };
        this.lines.push(`${(this.now / 1000).toFixed(0).padStart(6)} ${identifier}[${pid}]: ${text}`);
        this.journal.push({ instant: this.now, unit, identifier, pid, boot: Math.max(0, this.boots - 1), level, subsystem: "", text });
      },
      trace: (event) => void (event.what === "unit" && this.traces.push(`${event.unit} ${event.state}`)),
      rng: (...labels) => Rng.from("seed", hostname, ...labels, String(this.now)),
      host: { hostname, machineId: "0123456789abcdef0123456789abcdef", bootId: "fedcba9876543210fedcba9876543210", kernel: "6.14.8-2-pve" },
      files: {
        read: (path) => {
          const entry = this.entries.get(this.resolved(path));
          return entry !== undefined && "data" in entry ? entry.data : undefined;
        },
        list: (path) => {
          const names = this.list(path);
          return names === undefined ? undefined : [...names].sort();
        },
        readlink: (path) => this.linkOf(path),
        stat: (path) => this.stat(path),
      },
      edits: {
        symlink: (target, path) => void this.link(path, target),
        unlink: (path) => (this.remove(path) ? undefined : "ENOENT"),
        rmdir: () => undefined,
        write: (path, data) => void this.write(path, fromUtf8(data)),
      },
      spawn: (request) => this.spawn(request),
      kill: (pid, signal) => this.signal(pid, signal),
      processes: (unit) => this.processes.filter((p) => p.unit === unit).map((p) => ({ ...p, command: p.argv.join(" ") })),
      started: () => void (this.startedAt = this.now),
      act: (action) => void this.actions.push(action),
    };
  }

  private spawn(request: SpawnRequest): Spawned {
    const name = request.path.slice(request.path.lastIndexOf("/") + 1);
    const behaviour = this.behaviours.get(name);
    const pid = this.nextPid++;
    if (behaviour === undefined) return { pid, errno: "ENOENT" };
    this.processes.push({ pid, unit: request.unit, name, argv: request.argv, env: request.env });
    if (behaviour.ready === 0) this.manager.notified(request.unit, pid, { READY: "1" });
    else if (behaviour.ready !== undefined) this.timers.set(`p:ready/${pid}`, this.now + behaviour.ready);
    if (behaviour.ends !== undefined) this.timers.set(`p:end/${pid}`, this.now + behaviour.ends.after);
    if (behaviour.pings !== undefined) this.timers.set(`p:ping/${pid}`, this.now + behaviour.pings);
    return { pid };
  }

  private signal(pid: number, signal: Signal): void {
    const p = this.processes.find((x) => x.pid === pid);
    if (p === undefined) return;
    if (signal !== "SIGCONT") this.signals.push(`${p.name} ${signal}`);
    const behaviour = this.behaviours.get(p.name) ?? {};
    if (signal === "SIGKILL" || signal === "SIGABRT" || signal === "SIGSEGV") this.end(pid, { signal });
    else if (signal === "SIGTERM" && behaviour.term !== "ignored") {
      if (behaviour.term === undefined) this.end(pid, behaviour.termExit ?? { signal });
      else this.timers.set(`p:term/${pid}`, this.now + behaviour.term);
    }
  }

  /** The process is gone, and the manager is told. */
  end(pid: number, exit: ProcessExit): void {
    const p = this.processes.find((x) => x.pid === pid);
    if (p === undefined) return;
    this.processes = this.processes.filter((x) => x !== p);
    this.timers.clearPrefix(`p:`.concat("ping/", String(pid)));
    const forks = this.behaviours.get(p.name)?.forks;
    if (forks !== undefined) this.processes.push({ pid: this.nextPid++, unit: p.unit, name: forks, argv: [forks], env: p.env });
    this.manager.exited(p.unit, pid, exit);
  }

  pidOf(name: string): number {
    return this.processes.find((p) => p.name === name)?.pid ?? 0;
  }

  // ---- time

  nextAt(): number {
    return this.timers.nextAt();
  }

  /** Runs whatever is due in the next `span` µs. */
  run(span: number): void {
    const until = this.now + span;
    while (this.timers.nextAt() <= until) this.step();
    this.now = until;
  }

  step(): void {
    this.now = this.timers.nextAt();
    const name = this.timers.pop(this.now) ?? "";
    if (name.startsWith("m:")) return this.manager.timer(name.slice(2));
    const [what = "", id = ""] = name.slice(2).split("/");
    const p = this.processes.find((x) => x.pid === Number(id));
    if (p === undefined) return;
    const behaviour = this.behaviours.get(p.name) ?? {};
    if (what === "ready") this.manager.notified(p.unit, p.pid, { READY: "1" });
    else if (what === "end") this.end(p.pid, behaviour.ends?.exit ?? { code: 0 });
    else if (what === "term") this.end(p.pid, behaviour.termExit ?? { signal: "SIGTERM" });
    else if (what === "ping") {
      this.timers.set(name, this.now + (behaviour.pings ?? SEC));
      this.manager.notified(p.unit, p.pid, { WATCHDOG: "1" });
    }
  }

  boot(): void {
    this.boots++;
    this.processes = [];
    this.manager.boot(this.now);
  }

  /** The lines since the last call, without their instants. */
  said(): string[] {
    return this.lines.splice(0).map((l) => l.trim().replace(/^\d+ /, ""));
  }

  digest(): string {
    const h = new Hasher();
    this.manager.digest(h);
    for (const t of this.timers.snapshot().pending) h.text(t.name).int(t.at);
    for (const p of this.processes) h.int(p.pid).text(p.unit).text(p.name);
    return h.hex();
  }

  /** A copy that goes on by itself: everything but the disk, which both share from now on by value. */
  copy(): TestMachine {
    const state = JSON.parse(
      JSON.stringify(this.snapshot(), (_, v: unknown) => (v === Infinity ? "∞" : v === -Infinity ? "-∞" : v)),
      (_, v: unknown) => (v === "∞" ? Infinity : v === "-∞" ? -Infinity : v),
    ) as MachineState;
    const other = new TestMachine([]);
    for (const [path, entry] of this.entries) other.entries.set(path, entry);
    for (const [name, behaviour] of this.behaviours) other.behaviours.set(name, behaviour);
    other.now = state.now;
    other.timers.restore(state.timers);
    other.processes = state.processes;
    other.nextPid = state.nextPid;
    other.manager.restore(state.manager);
    return other;
  }

  snapshot(): MachineState {
    return {
      now: this.now,
      timers: this.timers.snapshot(),
      processes: [...this.processes],
      nextPid: this.nextPid,
      manager: this.manager.snapshot(),
    };
  }
}

/** A daemon of Type=notify that comes up in 10 ms and goes in 5. */
export const DAEMON: Behaviour = { ready: 10 * MS, term: 5 * MS };
/** A program that does its work in 20 ms. */
export const WORKER: Behaviour = { ends: { after: 20 * MS, exit: { code: 0 } } };
export const FAILS: Behaviour = { ends: { after: 20 * MS, exit: { code: 1 } } };
