/**
 * The process list as a service of the kernel: what ps, pgrep and the like read. In the real stack: /proc with its stat, status, cmdline and cgroup files. Left out: memory, processor
 * time, threads, priorities, open files.
 */
import type { IpcEvent, IpcReply, IpcRequest, Peeked } from "../../kernel/index.ts";
import type { KernelParty } from "./hooks.ts";
import { stateLetter, type ProcessRecord } from "./process.ts";

/** The name it is served under, and its one call. */
export const PROCESS_LIST = "/proc";
export const PROCESS_LIST_CALL = "list";

/** One process as tools see it. */
export type ProcessRow = {
  readonly pid: number;
  readonly ppid: number;
  readonly sid: number;
  readonly pgid: number;
  readonly uid: number;
  /** "" without a terminal. */
  readonly tty: string;
  readonly unit: string;
  readonly state: "R" | "S" | "D" | "T" | "Z";
  readonly leader: boolean;
  /** Its priority under SCHED_RR; 0: an ordinary process. */
  readonly realTime: number;
  readonly comm: string;
  readonly argv: readonly string[];
  /** Microseconds since 1970. */
  readonly startUnixMicros: number;
};

type Records = readonly Readonly<ProcessRecord>[];

/** `asking`: pid of the process that reads it, which is the one that runs; `waits`: a process of that serial number waits for the server of a file system. */
export function processRows(records: Records, epochUnixMicros: number, asking: number, waits: (serial: number) => boolean): ProcessRow[] {
  return records
    .map((r) => ({
      pid: r.pid,
      ppid: r.ppid,
      sid: r.sid,
      pgid: r.pgid,
      uid: r.uid,
      tty: r.place.tty,
      unit: r.place.unit,
      state: stateLetter(r, r.pid === asking, waits(r.serial)),
      leader: r.sid === r.pid,
      realTime: r.realTime,
      comm: r.comm,
      argv: r.argv,
      startUnixMicros: epochUnixMicros + r.startedAt,
    }))
    .sort((a, b) => a.pid - b.pid);
}

export interface ProcessListHooks {
  records(): readonly Readonly<ProcessRecord>[];
  epochUnixMicros(): number;
  /** A process of this serial number waits for the server of a file system. */
  waits(serial: number): boolean;
  /** Pid of the process at the other end of a connection. */
  reader(connection: number): number;
  reply(connection: number, seq: number, reply: IpcReply): void;
}

/** The part of the kernel that answers. */
export class ProcessList implements KernelParty {
  constructor(private readonly hooks: ProcessListHooks) {}

  event(event: IpcEvent): void {
    if (event.what === "request") this.hooks.reply(event.id, event.seq, this.answer(event.request, this.hooks.reader(event.id)));
  }

  /** Who only looks is no process, so that nobody in the list runs. */
  peek(_service: string, request: IpcRequest): Peeked {
    return { peek: "reply", reply: this.answer(request, 0) };
  }

  private answer(request: IpcRequest, asking: number): IpcReply {
    if (request.call !== PROCESS_LIST_CALL) return { error: "EINVAL" };
    return { rows: processRows(this.hooks.records(), this.hooks.epochUnixMicros(), asking, (serial) => this.hooks.waits(serial)) };
  }
}
