/**
 * The processes in which nodes' shells run: one warm process for exec, and one for each terminal, behind a pseudo terminal. They reach the lab over its
 * local socket, with the secret from their environment, and end with it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { IPty } from "node-pty";
import { entry } from "./entries.ts";
import type { FromSession, ToSession } from "../protocol.ts";
import { Trouble } from "../trouble.ts";

const execsMax = 256;
const terminalsMax = 64;
/** What an exec exits with when its session process dies. */
const sessionLost = 255;

export interface ExecSink {
  output(stream: "stdout" | "stderr", data: string): void;
  exit(status: number): void;
}

export interface TerminalSink {
  data(data: string): void;
  exit(status: number): void;
}

export interface TerminalSize {
  cols: number;
  rows: number;
}

/** Nothing of this computer's environment is for a node's shell. */
function environment(socket: string, secret: string): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "XDG_RUNTIME_DIR"];
  const env: NodeJS.ProcessEnv = { ELECTRON_RUN_AS_NODE: "1", QUORATE_SOCKET: socket, QUORATE_SECRET: secret };
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

export class Sessions {
  private child: ChildProcess | undefined;
  private ready = false;
  private queue: ToSession[] = [];
  private execs = new Map<string, { node: string; sink: ExecSink }>();
  private terminals = new Map<string, IPty>();
  private ended = false;

  constructor(
    private readonly socket: string,
    /** With which its processes are known on the socket. */
    readonly secret: string,
  ) {}

  /** Starts the exec session before it is needed: its first line would pay for it. */
  warm(): void {
    if (this.child || this.ended) return;
    const { file, execArgv } = entry("session");
    const child = spawn(process.execPath, [...execArgv, file], {
      env: environment(this.socket, this.secret),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.child = child;
    this.ready = false;
    child.on("message", (message) => this.receive(message as FromSession));
    child.on("error", (error) => this.lost(`the session process did not start: ${error.message}`));
    child.on("exit", () => {
      if (this.child === child) this.lost("the session process ended");
    });
  }

  private receive(message: FromSession): void {
    if (message.kind === "ready") {
      this.ready = true;
      const queue = this.queue;
      this.queue = [];
      for (const waiting of queue) this.child?.send(waiting);
      return;
    }
    const exec = this.execs.get(message.id);
    if (message.kind === "output") exec?.sink.output(message.stream, message.data);
    else {
      this.execs.delete(message.id);
      exec?.sink.exit(message.status);
    }
  }

  private lost(why: string): void {
    this.child = undefined;
    this.ready = false;
    this.queue = [];
    const execs = [...this.execs.values()];
    this.execs.clear();
    for (const { sink } of execs) {
      sink.output("stderr", `quorate: ${why}\n`);
      sink.exit(sessionLost);
    }
  }

  private send(message: ToSession): void {
    this.warm();
    if (this.ready) this.child?.send(message);
    else this.queue.push(message);
  }

  /** Runs one line in a new shell of a node. `started` gets its id before any output. */
  exec(node: string, line: string, sink: ExecSink, started: (id: string) => void): void {
    if (this.execs.size >= execsMax) throw new Trouble("failed", `at most ${execsMax} exec can run at once`);
    const id = randomUUID();
    this.execs.set(id, { node, sink });
    started(id);
    this.send({ kind: "run", id, node, line });
  }

  has(id: string): boolean {
    return this.execs.has(id);
  }

  input(id: string, data: string | null): void {
    if (this.has(id)) this.send({ kind: "input", id, data });
  }

  signal(id: string): void {
    if (this.has(id)) this.send({ kind: "signal", id, signal: "SIGINT" });
  }

  /** A terminal on a node's console; with `line`, of that one line. */
  async open(node: string, size: TerminalSize, line: string | undefined, sink: TerminalSink, started: (id: string) => void): Promise<void> {
    if (this.terminals.size >= terminalsMax) throw new Trouble("failed", `at most ${terminalsMax} terminals can be open at once`);
    // Loaded with the first terminal: it is a native module, and exec has no need of it.
    const pty = await import("node-pty");
    const { file, execArgv } = entry("console");
    const env = { ...environment(this.socket, this.secret), TERM: "xterm-256color", COLORTERM: "truecolor", QUORATE_NODE: node };
    const terminal = pty.spawn(process.execPath, [...execArgv, file], {
      name: "xterm-256color",
      cols: size.cols,
      rows: size.rows,
      env: line === undefined ? env : { ...env, QUORATE_LINE: line },
    });
    const id = randomUUID();
    this.terminals.set(id, terminal);
    started(id);
    terminal.onData((data) => sink.data(data));
    terminal.onExit(({ exitCode, signal }) => {
      this.terminals.delete(id);
      sink.exit(signal !== undefined && signal > 0 ? 128 + signal : exitCode);
    });
  }

  write(id: string, data: string): void {
    this.terminals.get(id)?.write(data);
  }

  resize(id: string, size: TerminalSize): void {
    this.terminals.get(id)?.resize(size.cols, size.rows);
  }

  /** Has a terminal's program wait with its output, or go on. */
  halt(id: string, on: boolean): void {
    const terminal = this.terminals.get(id);
    if (on) terminal?.pause();
    else terminal?.resume();
  }

  closeTerminal(id: string): void {
    this.terminals.get(id)?.kill("SIGHUP");
  }

  /** Ends every session process. */
  end(): void {
    this.ended = true;
    const child = this.child;
    this.lost("the lab went down");
    child?.kill("SIGTERM");
    for (const terminal of this.terminals.values()) terminal.kill("SIGHUP");
    this.terminals.clear();
  }
}
