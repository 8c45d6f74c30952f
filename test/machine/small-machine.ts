/**
 * One machine with nothing but the process layer: power, a clock and a few small files, for tests that look at processes. Files are read-only and lie in a map; a path below
 * /hung is a served mount whose process does not answer.
 */
import {
  Hasher,
  Rng,
  type Datagram,
  type Effect,
  type FileCall,
  type FileReply,
  type Instant,
  type LogLevel,
  type MachineAct,
  type NicStatus,
  type ProgramMaker,
  type Signal,
} from "../../src/engine/kernel/index.ts";
import type { FileLayer } from "../../src/engine/machine/process/file-layer.ts";
import type { KernelParty } from "../../src/engine/machine/process/hooks.ts";
import type { Place, Sink } from "../../src/engine/machine/process/process.ts";
import { MachineRuntime, isSessionAct, type Board, type RuntimeState } from "../../src/engine/machine/runtime.ts";

const NIC: NicStatus = { name: "eno1", net: "lan", address: "10.0.0.1", up: true, mtu: 1500 };
const EPOCH_US = 1_767_225_600_000_000;

/** Files of a map, and descriptors by process. */
class MapFiles implements FileLayer {
  private cwds = new Map<number, string>();
  private open = new Map<string, { path: string; at: number }>();
  private nextFd = 3;

  constructor(private readonly files: ReadonlyMap<string, string>) {}

  born(process: number, parent: number | undefined, cwd: string | undefined): void {
    this.cwds.set(process, cwd ?? this.cwds.get(parent ?? -1) ?? "/");
  }

  waits(): boolean {
    return false;
  }

  cwd(process: number): string {
    return this.cwds.get(process) ?? "/";
  }

  gone(process: number): void {
    this.cwds.delete(process);
    for (const key of [...this.open.keys()]) if (key.startsWith(`${process}/`)) this.open.delete(key);
  }

  powerLost(): void {
    this.cwds.clear();
    this.open.clear();
  }

  call(process: number, _id: number, call: FileCall): FileReply | undefined {
    return "path" in call && call.path.startsWith("/hung") ? undefined : this.blocking(process, call);
  }

  blocking(process: number, call: FileCall): FileReply {
    switch (call.call) {
      case "chdir":
        this.cwds.set(process, call.path);
        return { ok: true, value: "done" };
      case "open": {
        if (!this.files.has(call.path)) return { ok: false, errno: "ENOENT" };
        const fd = this.nextFd++;
        this.open.set(`${process}/${fd}`, { path: call.path, at: 0 });
        return { ok: true, value: "fd", fd };
      }
      case "read": {
        const of = this.open.get(`${process}/${call.fd}`);
        if (of === undefined) return { ok: false, errno: "EBADF" };
        // Short reads, as a pipe or a served mount gives them.
        const data = this.bytes(of.path).slice(of.at, of.at + Math.min(call.length, 16));
        of.at += data.length;
        return { ok: true, value: "data", data };
      }
      case "close":
        return this.open.delete(`${process}/${call.fd}`) ? { ok: true, value: "done" } : { ok: false, errno: "EBADF" };
      default:
        return { ok: false, errno: "ENOSYS" };
    }
  }

  private bytes(path: string): Uint8Array {
    return new TextEncoder().encode(this.files.get(path) ?? "");
  }

  answer(): void {
    return;
  }

  peek(): FileReply | undefined {
    return undefined;
  }

  peekContents(_cwd: string, path: string): FileReply | undefined {
    if (path.startsWith("/hung")) return undefined;
    return this.files.has(path) ? { ok: true, value: "data", data: this.bytes(path) } : { ok: false, errno: "ENOENT" };
  }

  get descriptors(): number {
    return this.open.size;
  }

  snapshot(): unknown {
    return { cwds: [...this.cwds], open: [...this.open].map(([k, v]) => [k, { ...v }]), nextFd: this.nextFd };
  }

  restore(state: unknown): void {
    const s = state as { cwds: [number, string][]; open: [string, { path: string; at: number }][]; nextFd: number };
    this.cwds = new Map(s.cwds);
    this.open = new Map(s.open.map(([k, v]) => [k, { ...v }]));
    this.nextFd = s.nextFd;
  }
}

export interface SmallSnapshot {
  readonly now: Instant;
  readonly runtime: RuntimeState;
  readonly files: unknown;
  readonly nextPid: number;
  readonly rng: ReturnType<Rng["snapshot"]>;
}

/** The computer around it: a clock, a card, pids. */
class SmallBoard implements Board {
  now: Instant = 0;
  readonly name = "pve1";
  readonly hostname = "pve1";
  readonly release = "3.1.7";
  cards: NicStatus[] = [{ ...NIC }];
  nextPid = 700;
  rng = Rng.from("small machine");

  constructor(
    readonly emit: (effect: Effect) => void,
    private readonly say: (line: string) => void,
  ) {}

  unixMicros(): number {
    return EPOCH_US + this.now;
  }

  nics(): readonly NicStatus[] {
    return this.cards;
  }

  prefix(): number {
    return 24;
  }

  newPid(): number {
    const pid = this.nextPid;
    this.nextPid += this.rng.between(1, 4);
    return pid;
  }

  trace(): void {
    return;
  }

  log(unit: string, pid: number, level: LogLevel, _subsystem: string, text: string, identifier: string): void {
    this.say(`${identifier}[${pid}] (${unit}, ${level}): ${text}`);
  }
}

export class SmallMachine {
  readonly board: SmallBoard;
  readonly runtime: MachineRuntime;
  readonly files: MapFiles;
  /** What was said to somebody, one line each. */
  said: string[] = [];
  /** Datagrams for the wire. */
  sent: Datagram[] = [];

  constructor(
    programs: (argv: readonly string[]) => ProgramMaker | undefined,
    files: Readonly<Record<string, string>> = {},
    party?: KernelParty,
  ) {
    this.files = new MapFiles(new Map(Object.entries(files)));
    this.board = new SmallBoard(
      (effect) => this.hear(effect),
      (line) => void this.said.push(line),
    );
    this.runtime = new MachineRuntime({
      seed: "seed",
      board: this.board,
      files: this.files,
      manager: {
        ended: (process, exit) =>
          void this.said.push(
            `init: ${process.comm}[${process.pid}] ${"code" in exit ? `exited ${exit.code}` : `killed by ${exit.signal}`}`,
          ),
        ready: (process) => void this.said.push(`init: ${process.comm}[${process.pid}] is ready`),
      },
      program: programs,
      party: () => party,
    });
    this.runtime.start();
  }

  private hear(effect: Effect): void {
    if (effect.kind === "output") this.said.push(`${effect.id}> ${effect.text.replace(/\n$/, "")}`);
    else if (effect.kind === "exit") this.said.push(`${effect.id}: exit ${effect.status}`);
    else if (effect.kind === "prompt") this.said.push(`${effect.id}? ${effect.echo ? "" : "(no echo)"}`);
    else if (effect.kind === "session") this.said.push(`${effect.session}: shell ${effect.pid} on ${effect.tty || "no terminal"}`);
    else if (effect.kind === "session-ended") this.said.push(`${effect.session}: ended ${JSON.stringify(effect.exit)}`);
    else if (effect.kind === "kill-result") this.said.push(`${effect.id}: ${effect.error ?? "sent"}`);
    else if (effect.kind === "send" && effect.datagram.proto === "tcp") this.sent.push(effect.datagram);
    else if (effect.kind === "send") this.said.push(`sent ${effect.datagram.proto} to port ${effect.datagram.dstPort}`);
  }

  /** What was said since the last time. */
  heard(): string[] {
    const said = this.said;
    this.said = [];
    return said;
  }

  get table(): MachineRuntime["table"] {
    return this.runtime.table;
  }

  /** A unit's process, or with `sink` another one. */
  spawn(argv: readonly string[], sink: Sink = { kind: "journal" }, place: Place = { unit: argv[0] ?? "", session: "", tty: "" }): number {
    const pid = this.table.spawn({ argv, parent: 1, place, sink });
    if (typeof pid !== "number") throw new Error(`${argv.join(" ")}: ${pid}`);
    return pid;
  }

  signal(pid: number, signal: Signal): void {
    this.table.signal(pid, signal);
    this.table.settle();
  }

  act(act: MachineAct): void {
    if (!isSessionAct(act)) throw new Error(`no session act: ${act.kind}`);
    this.runtime.sessions.act(act);
  }

  datagram(port: number, text: string, src = "10.0.0.2"): Datagram {
    return { proto: "udp", net: "lan", src, srcPort: 9, dst: "10.0.0.1", dstPort: port, bytes: new TextEncoder().encode(text) };
  }

  /** Lets time pass; timers run at their instants. */
  wait(micros: number): void {
    const end = this.board.now + micros;
    for (let at = this.runtime.nextTimerAt(); at <= end; at = this.runtime.nextTimerAt()) {
      this.board.now = Math.max(this.board.now, at);
      this.runtime.runTimer(this.board.now);
    }
    this.board.now = end;
  }

  digest(): string {
    const h = new Hasher();
    this.runtime.digest(h);
    return h.int(this.board.nextPid).hex();
  }

  snapshot(): SmallSnapshot {
    return {
      now: this.board.now,
      runtime: this.runtime.snapshot(),
      files: this.files.snapshot(),
      nextPid: this.board.nextPid,
      rng: this.board.rng.snapshot(),
    };
  }

  restore(state: SmallSnapshot): void {
    this.board.now = state.now;
    this.files.restore(structuredClone(state.files));
    this.runtime.restore(structuredClone(state.runtime));
    this.board.nextPid = state.nextPid;
    this.board.rng = Rng.restore([...state.rng]);
  }
}
