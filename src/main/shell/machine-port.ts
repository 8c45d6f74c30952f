/**
 * A shell's side of the machine's session and file acts: each is sent with an id, and what the machine tells under that id later (a reply, output, a
 * prompt, an end) finds its way to whoever waits for it. How acts get there and effects come back is the subclass's.
 */
import type { Effect, FileCallAct, MachineAct, MachineQuery, QueryReply, SessionAct } from "../../engine/kernel/machine.ts";
import type { Signal } from "../../engine/kernel/signals.ts";
import { exitStatus } from "../../engine/kernel/signals.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import { textOf } from "./bytes.ts";
import { CommandQueue } from "./command-queue.ts";
import { refusedCall, shownArguments } from "./outgoing.ts";
import type { FileAsk, Fork, NodePort, Now, PortSession, RunningCommand, Sleep, StartOptions } from "./port.ts";
import { PortError } from "./port.ts";

/** What a shell does on its machine. */
export type ShellAct = SessionAct | FileCallAct | Extract<MachineAct, { kind: "command-input" }>;

/** Characters of a line that the process list shows. */
const LINE_SHOWN_MAX = 4096;

/** Somebody waits for one answer. */
interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A promise, and who settles it. Nobody has to listen. */
function waiter<T>(): Waiter<T> & { readonly promise: Promise<T> } {
  let settle: Waiter<T> = { resolve: () => undefined, reject: () => undefined };
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => undefined);
  return { promise, ...settle };
}

interface Started {
  readonly events: CommandQueue;
  /** Carried out here: the machine has nothing to do for it. */
  readonly fork: boolean;
  pid: number;
}

interface Opened {
  readonly begun: Waiter<{ pid: number; tty: string }>;
  readonly ended: Waiter<number> & { readonly promise: Promise<number> };
  open: boolean;
}

export abstract class MachinePort implements NodePort {
  private readonly started = new Map<string, Started>();
  private readonly replies = new Map<string, Waiter<FileReply>>();
  private readonly kills = new Map<string, Waiter<string | undefined>>();
  private readonly sessions = new Map<string, Opened>();

  constructor(readonly node: string) {}

  abstract query(query: MachineQuery): Promise<QueryReply>;
  abstract look(calls: readonly FileCall[], session?: PortSession): Promise<readonly (FileReply | "would-wait")[]>;
  abstract sleep(duration: number): Sleep;
  abstract now(): Promise<Now>;
  abstract onGone(listener: (error: PortError) => void): () => void;
  abstract waiting(waiting: boolean): void;
  /** Has the machine do it; effects with this shell's ids come to `take`. Rejects with PortError. */
  protected abstract act(act: ShellAct): Promise<void>;
  /** Unique in the lab. */
  protected abstract newId(): string;
  /** Something came that somebody may have waited for. */
  protected abstract woke(): void;

  /** Programs and calls of the machine that this shell waits for. */
  protected get underWay(): number {
    let count = this.replies.size;
    for (const { fork } of this.started.values()) if (!fork) count++;
    return count;
  }

  // ── what the machine tells ─────────────────────────────────────────────────────────────────────────────────────────

  protected take(effect: Effect): void {
    switch (effect.kind) {
      case "output":
        this.tell(effect.id, { kind: "output", stream: effect.stream, text: effect.text });
        return;
      case "prompt":
        this.tell(effect.id, { kind: "prompt", echo: effect.echo });
        return;
      case "stopped":
        this.tell(effect.id, { kind: "stopped", stopped: effect.stopped });
        return;
      case "exit":
        this.exited(effect.id, effect.status);
        return;
      case "started": {
        const started = this.started.get(effect.id);
        if (started) started.pid = effect.pid;
        return;
      }
      case "file-reply":
        this.settled(this.replies, effect.id, effect.reply);
        return;
      case "kill-result":
        this.settled(this.kills, effect.id, effect.error);
        return;
      case "session":
        this.sessions.get(effect.session)?.begun.resolve({ pid: effect.pid, tty: effect.tty });
        return;
      case "session-ended":
        this.sessionEnded(effect.session, exitStatus(effect.exit));
        return;
      default:
    }
  }

  /** A program of the machine has ended. */
  protected exited(id: string, status: number): void {
    this.tell(id, { kind: "exit", status });
    this.started.delete(id);
  }

  private tell(id: string, event: Parameters<CommandQueue["push"]>[0]): void {
    const started = this.started.get(id);
    if (!started) return;
    started.events.push(event);
    this.woke();
  }

  private settled<T>(waiting: Map<string, Waiter<T>>, id: string, value: T): void {
    const one = waiting.get(id);
    waiting.delete(id);
    one?.resolve(value);
    this.woke();
  }

  private sessionEnded(id: string, status: number): void {
    const session = this.sessions.get(id);
    if (!session) return;
    session.open = false;
    this.sessions.delete(id);
    session.begun.reject(new PortError("node-off", `${this.node}: the shell did not begin`));
    session.ended.resolve(status);
    this.woke();
  }

  /** Nothing will come any more. */
  protected failAll(error: Error): void {
    for (const { events } of this.started.values()) events.fail(error);
    for (const one of [...this.replies.values(), ...this.kills.values()]) one.reject(error);
    for (const session of this.sessions.values()) {
      session.open = false;
      session.begun.reject(error);
    }
    this.started.clear();
    this.replies.clear();
    this.kills.clear();
    this.sessions.clear();
    this.woke();
  }

  // ── what the shell asks ────────────────────────────────────────────────────────────────────────────────────────────

  /** Nobody waits for it: a machine that is gone is told of by who asks next. */
  private later(act: ShellAct): void {
    this.act(act).catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
    });
  }

  file(call: FileCall, session?: string): FileAsk {
    const refused = refusedCall(call);
    if (refused !== undefined) return { made: Promise.resolve(), reply: Promise.resolve(refused), interrupt: () => undefined };
    const id = this.newId();
    const reply = waiter<FileReply>();
    this.replies.set(id, reply);
    const made = this.act({ kind: "file", id, ...(session === undefined ? {} : { session }), call });
    made.catch((error: unknown) => {
      this.replies.delete(id);
      reply.reject(error instanceof Error ? error : new Error(String(error)));
    });
    return {
      made,
      reply: reply.promise,
      interrupt: () => {
        if (this.replies.has(id)) this.later({ kind: "file-interrupt", id });
      },
    };
  }

  async open(terminal: boolean, cwd: string, line?: string): Promise<PortSession> {
    const id = this.newId();
    const begun = waiter<{ pid: number; tty: string }>();
    const opened: Opened = { begun, ended: waiter<number>(), open: true };
    this.sessions.set(id, opened);
    const shown = line === undefined ? undefined : textOf(line.slice(0, LINE_SHOWN_MAX));
    await this.act({ kind: "session-open", session: id, terminal, cwd, ...(shown === undefined ? {} : { line: shown }) });
    const { pid, tty } = await begun.promise;
    return {
      id,
      pid,
      tty,
      get open() {
        return opened.open;
      },
      ended: opened.ended.promise,
      cd: (to) => this.act({ kind: "session-cd", session: id, cwd: to }),
      file: (call) => this.file(call, id),
      run: (argv, at, env, options) => this.run(id, argv, at, env, options ?? {}),
      fork: (argv, options) => this.fork(id, argv, options ?? {}),
      kill: (to, signal) => this.kill(id, to, signal),
      close: async (status) => {
        if (opened.open) await this.act({ kind: "session-close", session: id, ...(status === undefined ? {} : { status }) });
      },
    };
  }

  private async run(
    session: string,
    argv: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
    { process, parent, group }: StartOptions,
  ): Promise<RunningCommand> {
    const id = process?.id ?? this.newId();
    const started: Started = { events: new CommandQueue(), fork: false, pid: process?.pid ?? 0 };
    this.started.set(id, started);
    const options = { ...(process ? { process: id } : {}), ...(parent ? { parent: parent.id } : {}), ...(group ? { group } : {}) };
    await this.act({ kind: "session-run", session, id, argv: argv.map(textOf), cwd, env: textsOf(env), ...options });
    return {
      pid: started.pid,
      next: () => started.events.next(),
      signal: (signal) => {
        if (this.started.has(id)) this.later({ kind: "session-kill", session, id: this.newId(), pid: started.pid, signal });
      },
      input: (line) => this.later({ kind: "command-input", id, line: line === undefined ? undefined : textOf(line) }),
    };
  }

  private async fork(session: string, argv: readonly string[] | undefined, { parent, group }: StartOptions): Promise<Fork> {
    const id = this.newId();
    const started: Started = { events: new CommandQueue(), fork: true, pid: 0 };
    this.started.set(id, started);
    const options = {
      ...(argv ? { argv: shownArguments(argv) } : {}),
      ...(parent ? { parent: parent.id } : {}),
      ...(group ? { group } : {}),
    };
    await this.act({ kind: "session-fork", session, id, ...options });
    return {
      id,
      pid: started.pid,
      next: () => started.events.next(),
      exec: (tokens) => this.act({ kind: "session-exec", session, id, argv: shownArguments(tokens) }),
      exit: async (status) => {
        if (this.started.get(id)?.fork === true) await this.act({ kind: "session-exit", session, id, status });
      },
    };
  }

  private async kill(session: string, pid: number, signal: Signal): Promise<string | undefined> {
    const id = this.newId();
    const result = waiter<string | undefined>();
    this.kills.set(id, result);
    await this.act({ kind: "session-kill", session, id, pid, signal });
    return result.promise;
  }
}

function textsOf(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, textOf(value)]));
}
