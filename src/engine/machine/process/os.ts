/**
 * The kernel and the libraries as one process sees them: its own facts, and calls that change the machine. Replies come as local events, never inside a call. In the real stack:
 * system calls, libc, libsystemd. Left out: what kernel/program.ts leaves out.
 */
import {
  Rng,
  type Datagram,
  type FileCall,
  type FilePort,
  type Instant,
  type IpcPort,
  type LogLevel,
  type NicStatus,
  type Os,
  type ProcessExit,
  type ProgramEvent,
  type Signal,
  type SpawnOptions,
  type Stream,
  type TcpPort,
  type TraceEvent,
  type UdpPort,
} from "../../kernel/index.ts";
import type { ProcessHooks } from "./hooks.ts";
import type { LocalSockets } from "./local-sockets.ts";
import type { ProcessRecord } from "./process.ts";
import { ECHO_IDS_FROM, type UdpBindings } from "./udp.ts";

/** What the process table does for one process. */
export interface OsCalls {
  readonly table: {
    readonly hooks: ProcessHooks;
    readonly sockets: LocalSockets;
    readonly udp: UdpBindings;
    get(pid: number): Readonly<ProcessRecord> | undefined;
    post(serial: number, event: ProgramEvent): void;
    ready(record: ProcessRecord): void;
    signal(pid: number, signal: Signal, from: number): "ESRCH" | undefined;
  };
  spawn(options: SpawnOptions): number | undefined;
  detach(): void;
  exit(exit: ProcessExit): void;
}

export class ProcessOs implements Os {
  private readonly hooks: ProcessHooks;
  readonly udp: UdpPort;
  readonly tcp: TcpPort;
  readonly ipc: IpcPort;
  readonly files: FilePort;

  constructor(
    private readonly record: ProcessRecord,
    private readonly calls: OsCalls,
  ) {
    const { table } = calls;
    this.hooks = table.hooks;
    this.udp = {
      bind: (address, port) => table.udp.bind(record.serial, address, port),
      unbind: (address, port) => table.udp.unbind(record.serial, address, port),
      send: (datagram) => this.send(datagram),
      bindEcho: (address, id) => table.udp.bind(record.serial, address, ECHO_IDS_FROM + id),
    };
    this.tcp = table.hooks.tcp.port(String(record.serial));
    this.ipc = table.sockets.port(record.serial);
    this.files = {
      call: (call) => this.fileCall(call),
      blocking: (call) => table.hooks.files.blocking(record.serial, call),
      answer: (id, reply) => table.hooks.files.answer(id, reply),
    };
  }

  get now(): Instant {
    return this.hooks.now();
  }

  unixMicros(): number {
    return this.hooks.unixMicros();
  }

  get pid(): number {
    return this.record.pid;
  }

  get argv(): readonly string[] {
    return this.record.argv;
  }

  get cwd(): string {
    return this.hooks.files.cwd(this.record.serial);
  }

  get env(): { readonly [name: string]: string } {
    return this.record.env;
  }

  get hostname(): string {
    return this.hooks.hostname();
  }

  get release(): string {
    return this.hooks.release();
  }

  get machine(): string {
    return this.hooks.machine();
  }

  rng(...labels: readonly string[]): Rng {
    return Rng.from(this.hooks.seed, "node", this.hooks.machine(), ...labels, String(this.hooks.now()));
  }

  log(identifier: string, level: LogLevel, text: string, subsystem = ""): void {
    this.hooks.log(this.record, identifier, level, text, subsystem);
  }

  print(stream: Stream, text: string): void {
    const { sink } = this.record;
    if (text === "" || sink.kind === "nowhere") return;
    if (sink.kind === "command") this.hooks.emit({ kind: "output", id: sink.id, stream, text });
    else for (const line of text.replace(/\n$/, "").split("\n")) this.log(this.record.comm, "info", line);
  }

  realTime(priority: number): void {
    this.record.realTime = priority;
  }

  prompt(echo: boolean): void {
    const { sink } = this.record;
    if (sink.kind === "command") this.hooks.emit({ kind: "prompt", id: sink.id, echo });
  }

  trace(event: TraceEvent): void {
    this.hooks.trace(event);
  }

  notifyReady(): void {
    this.calls.table.ready(this.record);
  }

  detach(): void {
    this.calls.detach();
  }

  exit(exit: ProcessExit): void {
    this.calls.exit(exit);
  }

  spawn(options: SpawnOptions): number | undefined {
    return this.calls.spawn(options);
  }

  kill(pid: number, signal: Signal): "ESRCH" | "EPERM" | undefined {
    const target = this.calls.table.get(pid);
    if (pid > 0 && target === undefined) return "ESRCH";
    if (this.record.uid !== 0 && this.record.uid !== target?.uid) return "EPERM";
    return this.calls.table.signal(pid, signal, this.record.pid);
  }

  nics(): readonly NicStatus[] {
    return this.hooks.nics();
  }

  route(address: string): NicStatus | undefined {
    return this.hooks.route(address);
  }

  private send(datagram: Datagram): void {
    const nic = this.hooks.nics().find((n) => n.address === datagram.src && n.net === datagram.net);
    if (nic?.up === true) this.hooks.emit({ kind: "send", datagram });
  }

  private fileCall(call: FileCall): number {
    const id = this.record.nextCall++;
    this.record.calls.push(id);
    const reply = this.hooks.files.call(this.record.serial, id, call);
    if (reply !== undefined) this.calls.table.post(this.record.serial, { kind: "file", id, reply });
    return id;
  }
}
