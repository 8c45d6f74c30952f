/**
 * A machine's answers to who asks without being a process. In the real stack nothing: there the tool that asks is one, which is why the process list has a line here for what it would be.
 */
import type { FileCall, FileReply, Instant, IpcReply, IpcRequest, Peeked, Peeker, SelfFacts } from "../../kernel/index.ts";
import type { FileLayer } from "./file-layer.ts";
import { commOf } from "./process.ts";
import { PROCESS_LIST, type ProcessRow } from "./process-list.ts";
import type { ProcessTable } from "./table.ts";

/** Who asks: what was typed, where, and in which session ("" outside of any). */
export interface PeekCaller {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly session: string;
}

export interface PeekedMachine {
  readonly board: {
    readonly now: Instant;
    unixMicros(): number;
    readonly hostname: string;
    readonly release: string;
    readonly nextPid: number;
  };
  readonly files: FileLayer;
  readonly table: ProcessTable;
}

export class MachinePeeker implements Peeker {
  constructor(
    private readonly machine: PeekedMachine,
    private readonly caller: PeekCaller,
  ) {}

  self(): SelfFacts {
    const { board } = this.machine;
    const { now, hostname, release, nextPid: pid } = board;
    return { now, unixMicros: board.unixMicros(), hostname, release, pid, cwd: this.caller.cwd };
  }

  serves(service: string): boolean {
    return this.machine.table.sockets.server(service) !== undefined;
  }

  service(service: string, request: IpcRequest): Peeked {
    const peeked = this.machine.table.peek(service, request);
    return service === PROCESS_LIST && peeked.peek === "reply" ? { peek: "reply", reply: this.withSelf(peeked.reply) } : peeked;
  }

  /** The list with the line of the one who asks. */
  private withSelf(reply: IpcReply): IpcReply {
    const { rows } = reply;
    if (!Array.isArray(rows)) return reply;
    return { ...reply, rows: [...(rows as readonly ProcessRow[]), this.row()].sort((a, b) => a.pid - b.pid) };
  }

  private row(): ProcessRow {
    const { board, table } = this.machine;
    const shell = table.records().find((r) => r.place.session === this.caller.session && r.place.session !== "" && r.sid === r.pid);
    return {
      pid: board.nextPid,
      ppid: shell?.pid ?? 1,
      sid: shell?.pid ?? board.nextPid,
      pgid: shell === undefined || shell.place.tty !== "" ? board.nextPid : shell.pid,
      uid: 0,
      tty: shell?.place.tty ?? "",
      unit: shell?.place.unit ?? "",
      state: "R",
      leader: shell === undefined,
      realTime: 0,
      comm: commOf(this.caller.argv),
      argv: this.caller.argv,
      startUnixMicros: board.unixMicros(),
    };
  }

  file(call: FileCall): FileReply | undefined {
    return this.machine.files.peek(this.caller.cwd, call);
  }

  contents(path: string): FileReply | undefined {
    return this.machine.files.peekContents(this.caller.cwd, path);
  }
}
