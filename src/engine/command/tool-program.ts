/**
 * A tool as a process: its body goes on with every answer, and what it waits for is plain state. A snapshot is the answers so far and that state; restoring gives them to a new body, whose
 * requests on the way have been carried out already and are not carried out again. One that never ends by itself forgets its answers whenever it begins again. In the real stack: the tool's process. Left out: signals that a tool catches; none here does.
 */
import {
  joinedBytes,
  INPUT_LINES_MAX,
  IPC_QUEUE_MAX,
  NEVER,
  TOOL_ANSWERS_MAX,
  cloneState,
  type FileReply,
  type Handled,
  type Hasher,
  type Instant,
  type IpcEvent,
  type IpcNotice,
  type Os,
  type Plain,
  type Program,
  type ProgramEvent,
  type ProgramMaker,
} from "../kernel/index.ts";
import type { Again, Kept, Rounds, ToolAnswer, ToolAsk } from "./tool.ts";

/** Bytes of one read(2) of a file that is read whole. */
const READ_BYTES = 131_072;

/** What the pending request waits for. */
type Wait =
  | { readonly on: "reply"; readonly connection: number; readonly seq: number; readonly close: boolean }
  | { readonly on: "notice"; readonly connection: number }
  | { readonly on: "file"; readonly id: number }
  | { readonly on: "contents"; readonly id: number; readonly fd: number | undefined; readonly pieces: readonly Uint8Array[] }
  | { readonly on: "close"; readonly id: number; readonly reply: FileReply }
  | { readonly on: "child"; readonly pid: number }
  | { readonly on: "line" }
  | { readonly on: "event"; readonly connection: number }
  | { readonly on: "time"; readonly at: Instant };

type Body = Generator<ToolAsk, number | Again, ToolAnswer>;

interface ToolState {
  /** From the round before, and how many there were. */
  kept: Kept | undefined;
  rounds: number;
  answers: ToolAnswer[];
  wait: Wait | undefined;
  /** Notices that came before they were asked for. */
  notices: { connection: number; notice: IpcNotice }[];
  /** Connections whose server is gone. */
  gone: number[];
  /** Lines typed ahead; null is end of file. */
  typed: (string | null)[];
}

export class ToolProgram implements Program {
  private state: ToolState = { kept: undefined, rounds: 0, answers: [], wait: undefined, notices: [], gone: [], typed: [] };
  private body: Body;

  constructor(
    /** A tool is one whose first body is its last. */
    private readonly tool: Rounds,
    private readonly os: Os,
  ) {
    this.body = tool.body(os.argv, undefined);
  }

  start(): void {
    this.goOn(this.body.next());
  }

  nextTimerAt(): Instant {
    const { wait } = this.state;
    return wait?.on === "time" ? wait.at : NEVER;
  }

  runTimer(): void {
    this.answer({ answer: "done" });
  }

  handles(): Handled {
    return [];
  }

  signal(): void {
    throw new Error(`${this.tool.name} catches no signal`);
  }

  // ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** On with it until it has to wait or ends. */
  private goOn(first: IteratorResult<ToolAsk, number | Again>): void {
    let next = first;
    for (;;) {
      if (next.done === true) {
        if (typeof next.value === "number") {
          this.os.exit({ code: next.value });
          return;
        }
        next = this.beginAgain(next.value);
        continue;
      }
      const answer = this.carryOut(next.value);
      if (answer === undefined) return;
      next = this.keep(answer);
    }
  }

  private beginAgain({ again }: Again): IteratorResult<ToolAsk, number | Again> {
    this.state.kept = again;
    this.state.rounds++;
    this.state.answers = [];
    this.body = this.tool.body(this.os.argv, again);
    return this.body.next();
  }

  private answer(answer: ToolAnswer): void {
    this.state.wait = undefined;
    this.goOn(this.keep(answer));
  }

  private keep(answer: ToolAnswer): IteratorResult<ToolAsk, number | Again> {
    if (this.state.answers.length >= TOOL_ANSWERS_MAX) throw new Error(`${this.os.argv.join(" ")} has had ${TOOL_ANSWERS_MAX} answers`);
    this.state.answers.push(Object.freeze(answer));
    return this.body.next(answer);
  }

  /** The answer where it is there at once; else what is waited for is noted. */
  private carryOut(ask: ToolAsk): ToolAnswer | undefined {
    switch (ask.ask) {
      case "print":
        this.os.print(ask.stream, ask.text);
        return { answer: "done" };
      case "self": {
        const { now, hostname, release, pid, cwd } = this.os;
        return { answer: "self", self: { now, unixMicros: this.os.unixMicros(), hostname, release, pid, cwd } };
      }
      case "kill":
        return { answer: "killed", errno: this.os.kill(ask.pid, ask.signal) };
      case "run": {
        const pid = this.os.spawn({ argv: ask.argv });
        return pid === undefined ? { answer: "ended", exit: undefined } : this.waitFor({ on: "child", pid });
      }
      case "sleep":
        return this.waitFor({ on: "time", at: this.os.now + ask.micros });
      case "line":
        return this.ask(ask.text, ask.echo);
      case "file":
        return this.waitFor({ on: "file", id: this.os.files.call(ask.call) });
      case "contents": {
        const id = this.os.files.call({ call: "open", path: ask.path, flags: { access: "r" } });
        return this.waitFor({ on: "contents", id, fd: undefined, pieces: [] });
      }
      default:
        return this.overSocket(ask);
    }
  }

  private waitFor(wait: Wait): undefined {
    this.state.wait = wait;
    return undefined;
  }

  private ask(text: string, echo: boolean): ToolAnswer | undefined {
    this.os.print("stdout", text);
    const line = this.state.typed.shift();
    if (line !== undefined) return { answer: "line", line: line ?? undefined };
    this.os.prompt(echo);
    return this.waitFor({ on: "line" });
  }

  private overSocket(
    ask: Extract<ToolAsk, { ask: "call" | "connect" | "request" | "notice" | "event" | "disconnect" }>,
  ): ToolAnswer | undefined {
    const { ipc } = this.os;
    if (ask.ask === "connect" || ask.ask === "call") {
      const connection = ipc.connect(ask.service);
      if (connection === undefined) return { answer: "refused" };
      return ask.ask === "connect" ? { answer: "connected", connection } : this.requested(connection, ask.request, true);
    }
    if (ask.ask === "request") return this.requested(ask.connection, ask.request, false);
    if (ask.ask === "disconnect") {
      ipc.close(ask.connection);
      this.state.notices = this.state.notices.filter((n) => n.connection !== ask.connection);
      return { answer: "done" };
    }
    const { connection } = ask;
    const place = this.state.notices.findIndex((n) => n.connection === connection);
    const [first] = place < 0 ? [] : this.state.notices.splice(place, 1);
    if (first !== undefined) return { answer: "notice", notice: first.notice };
    if (this.state.gone.includes(connection)) return { answer: "gone" };
    if (ask.ask === "notice") return this.waitFor({ on: "notice", connection });
    const line = this.state.typed.shift();
    if (line !== undefined) return { answer: "line", line: line ?? undefined };
    return this.waitFor({ on: "event", connection });
  }

  private requested(connection: number, request: Parameters<Os["ipc"]["request"]>[1], close: boolean): ToolAnswer | undefined {
    const seq = this.os.ipc.request(connection, request);
    return seq === undefined ? { answer: "gone" } : this.waitFor({ on: "reply", connection, seq, close });
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  event(event: ProgramEvent): void {
    const { wait } = this.state;
    if (event.kind === "ipc") this.socketEvent(event.event);
    else if (event.kind === "file") this.fileEvent(event.id, event.reply);
    else if (event.kind === "child") {
      if (wait?.on === "child" && wait.pid === event.pid) this.answer({ answer: "ended", exit: event.exit });
    } else if (event.kind === "input") {
      if (wait?.on === "line" || wait?.on === "event") this.answer({ answer: "line", line: event.line });
      else if (this.state.typed.length < INPUT_LINES_MAX) this.state.typed.push(event.line ?? null);
    }
  }

  private socketEvent(event: IpcEvent): void {
    const { wait } = this.state;
    if (event.what === "reply") {
      if (wait?.on !== "reply" || wait.connection !== event.id || wait.seq !== event.seq) return;
      if (wait.close) this.os.ipc.close(event.id);
      this.answer({ answer: "reply", reply: event.reply });
    } else if (event.what === "notice") {
      if ((wait?.on === "notice" || wait?.on === "event") && wait.connection === event.id)
        this.answer({ answer: "notice", notice: event.notice });
      else this.keepNotice(event.id, event.notice);
    } else if (event.what === "gone") {
      this.state.gone.push(event.id);
      if ((wait?.on === "reply" || wait?.on === "notice" || wait?.on === "event") && wait.connection === event.id)
        this.answer({ answer: "gone" });
    }
  }

  private keepNotice(connection: number, notice: IpcNotice): void {
    if (this.state.notices.length >= IPC_QUEUE_MAX) throw new Error(`${this.tool.name} does not read its notices`);
    this.state.notices.push({ connection, notice });
  }

  private fileEvent(id: number, reply: FileReply): void {
    const { wait } = this.state;
    if (wait?.on === "file" && wait.id === id) this.answer({ answer: "file", reply });
    else if (wait?.on === "close" && wait.id === id) this.answer({ answer: "file", reply: wait.reply });
    else if (wait?.on === "contents" && wait.id === id) this.readOn(wait, reply);
  }

  private readOn(wait: Extract<Wait, { on: "contents" }>, reply: FileReply): void {
    const { files } = this.os;
    const fd = wait.fd ?? (reply.ok && reply.value === "fd" ? reply.fd : undefined);
    if (fd === undefined) {
      this.answer({ answer: "file", reply });
      return;
    }
    const piece = reply.ok && reply.value === "data" ? reply.data : undefined;
    if (reply.ok && (piece === undefined || piece.length > 0)) {
      const pieces = piece === undefined ? wait.pieces : [...wait.pieces, piece];
      this.waitFor({ on: "contents", id: files.call({ call: "read", fd, length: READ_BYTES }), fd, pieces });
      return;
    }
    const whole: FileReply = reply.ok ? { ok: true, value: "data", data: joinedBytes(wait.pieces) } : reply;
    this.waitFor({ on: "close", id: files.call({ call: "close", fd }), reply: whole });
  }

  // ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────────

  snapshot(): Plain {
    return cloneState(this.state) as unknown as Plain;
  }

  restore(state: Plain): void {
    this.state = cloneState(state) as unknown as ToolState;
    this.body = this.tool.body(this.os.argv, this.state.kept);
    let next = this.body.next();
    for (const answer of this.state.answers) next = this.body.next(answer);
    if (next.done === true) throw new Error(`snapshot of ${this.os.argv.join(" ")}: it ends before its answers do`);
  }

  digest(h: Hasher): void {
    const { kept, rounds, answers, wait, notices, gone, typed } = this.state;
    h.text(this.tool.name)
      .int(rounds)
      .text(JSON.stringify(kept ?? null));
    h.int(answers.length).int(notices.length).int(gone.length).int(typed.length);
    h.text(answers.at(-1)?.answer ?? "").text(wait?.on ?? "");
    if (wait?.on === "time") h.int(wait.at);
    else if (wait?.on === "event") h.int(wait.connection);
    else if (wait?.on === "child") h.int(wait.pid);
    else if (wait?.on === "reply") h.int(wait.connection).int(wait.seq);
    else if (wait !== undefined && "id" in wait) h.int(wait.id);
  }
}

/** The program of a call that never ends by itself. */
export function endless(rounds: Rounds): ProgramMaker {
  return (os) => new ToolProgram(rounds, os);
}
