/** One process of a tool alone: a peeker answers its calls, each as an event that waits until it is taken; what the peeker leaves open may be answered by the test. */
import { toolProgram } from "../../src/engine/command/index.ts";
import {
  NEVER,
  Rng,
  type FileReply,
  type IpcReply,
  type IpcRequest,
  type Os,
  type Peeker,
  type Program,
  type ProgramEvent,
} from "../../src/engine/kernel/index.ts";

type OpenOs = { -readonly [K in keyof Os]: Os[K] };

/** What a call that changes something, or waits, is answered; undefined: nothing yet. */
export type Perform = (service: string, request: IpcRequest) => IpcReply | "gone" | undefined;

interface Waiting {
  readonly id: number;
  readonly seq: number;
  readonly request: IpcRequest;
}

export class LoneProcess {
  readonly events: ProgramEvent[] = [];
  /** What it printed, and as `stream: text` with `exit N` at its end. */
  printed = "";
  readonly said: string[] = [];
  ended: number | undefined;
  readonly os: OpenOs;
  program: Program;
  private nextId = 1;
  private readonly services = new Map<number, string>();
  private waiting: Waiting[] = [];
  private readonly read = new Map<number, { readonly path: string; at: number }>();

  constructor(
    readonly argv: readonly string[],
    private readonly peeker: Peeker,
    private readonly perform: Perform = () => "gone",
    private readonly make = toolProgram(argv),
  ) {
    this.os = this.makeOs();
    this.program = this.born();
  }

  private born(): Program {
    if (this.make === undefined) throw new Error(`no such tool: ${this.argv.join(" ")}`);
    return this.make(this.os);
  }

  /** Another object goes on from a snapshot. */
  replace(): void {
    const state = structuredClone(this.program.snapshot());
    this.program = this.born();
    this.program.restore(state);
  }

  /** Connections to a service, the first one first. */
  connections(service: string): number[] {
    return [...this.services].filter(([, name]) => name === service).map(([id]) => id);
  }

  /** Handles everything that has come, and what follows from it. `between` is called before each event. */
  settle(between: () => void = () => undefined): void {
    this.answerWaiting();
    while (this.ended === undefined) {
      const event = this.events.shift();
      if (event === undefined) return;
      this.events.unshift(event);
      between();
      this.events.shift();
      this.program.event(event);
    }
  }

  /** Its earliest timer comes. */
  timer(between: () => void = () => undefined): void {
    const at = this.program.nextTimerAt();
    if (this.ended !== undefined || at === NEVER) return;
    this.os.now = at;
    this.program.runTimer(at);
    this.settle(between);
  }

  private answerWaiting(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const { id, seq, request } of waiting) {
      const service = this.services.get(id) ?? "";
      const peeked = this.peeker.service(service, request);
      const reply = peeked.peek === "reply" ? peeked.reply : peeked.peek === "refused" ? "gone" : this.perform(service, request);
      if (reply === undefined) this.waiting.push({ id, seq, request });
      else this.events.push({ kind: "ipc", event: reply === "gone" ? { what: "gone", id } : { what: "reply", id, seq, reply } });
      if (request.call === "tell") this.events.unshift({ kind: "ipc", event: { what: "notice", id, notice: { event: "news" } } });
    }
  }

  private say(stream: string, text: string): void {
    this.printed += text;
    if (text !== "") this.said.push(`${stream}: ${text}`);
  }

  private makeOs(): OpenOs {
    const facts = this.peeker.self();
    return {
      now: facts.now,
      unixMicros: () => facts.unixMicros,
      pid: facts.pid,
      argv: this.argv,
      cwd: facts.cwd,
      env: {},
      hostname: facts.hostname,
      release: facts.release,
      machine: facts.hostname,
      rng: (...labels) => Rng.from("lone", ...labels),
      log: () => undefined,
      print: (stream, text) => this.say(stream, text),
      prompt: () => void this.events.push({ kind: "input", line: "y" }, { kind: "input", line: undefined }),
      trace: () => undefined,
      notifyReady: () => undefined,
      detach: () => undefined,
      realTime: () => undefined,
      exit: (exit) => {
        this.ended = "code" in exit ? exit.code : 128;
        this.said.push(`exit ${this.ended}`);
      },
      spawn: () => {
        this.events.push({ kind: "child", pid: 9, exit: { code: 4 } });
        return 9;
      },
      kill: (pid, signal) => {
        this.printed += `(${signal} to ${pid})`;
        return undefined;
      },
      nics: () => [],
      route: () => undefined,
      udp: { bind: () => true, bindEcho: () => true, unbind: () => undefined, send: () => undefined },
      tcp: { listen: () => false, connect: () => undefined, send: () => false, close: () => undefined },
      ipc: {
        listen: () => false,
        unlisten: () => undefined,
        connect: (service) => {
          if (!this.peeker.serves(service)) return undefined;
          this.services.set(this.nextId, service);
          return this.nextId++;
        },
        request: (id, request) => {
          const seq = this.nextId++;
          this.waiting.push({ id, seq, request });
          this.answerWaiting();
          return seq;
        },
        reply: () => undefined,
        notify: () => false,
        close: () => undefined,
      },
      files: {
        call: (call) => {
          this.events.push({ kind: "file", id: this.nextId, reply: this.fileReply(call) });
          return this.nextId++;
        },
        blocking: () => ({ ok: false, errno: "EIO" }),
        answer: () => undefined,
      },
    };
  }

  /** Reads are short, as from a pipe. */
  private fileReply(call: Parameters<Os["files"]["call"]>[0]): FileReply {
    if (call.call === "open") {
      const found = this.peeker.contents(call.path);
      if (found?.ok !== true) return found ?? { ok: false, errno: "EIO" };
      this.read.set(3, { path: call.path, at: 0 });
      return { ok: true, value: "fd", fd: 3 };
    }
    const open = this.read.get(3);
    if (call.call !== "read" || open === undefined) return { ok: true, value: "done" };
    const whole = this.peeker.contents(open.path);
    const data = whole?.ok === true && whole.value === "data" ? whole.data : new Uint8Array(0);
    const piece = data.slice(open.at, open.at + 40);
    open.at += piece.length;
    return { ok: true, value: "data", data: piece };
  }
}

/** Runs it to its end; with `everywhere` another object goes on before every event. */
export function play(process: LoneProcess, everywhere: boolean): { printed: string; status: number | undefined; restored: number } {
  let restored = 0;
  const between = (): void => {
    if (!everywhere) return;
    process.replace();
    restored++;
  };
  process.program.start();
  for (;;) {
    process.settle(between);
    if (process.ended !== undefined) return { printed: process.printed, status: process.ended, restored };
    if (process.program.nextTimerAt() === NEVER) throw new Error(`${process.argv.join(" ")} waits for ever`);
    between();
    process.timer(between);
  }
}
