/**
 * The processes in which nodes' shells run: those of exec, and one for each terminal, behind a pseudo terminal. They reach the lab over its local socket,
 * with the secret from their environment, are watched from outside, and end with it.
 */
import { randomUUID } from "node:crypto";
import { SessionPool } from "./session/pool.ts";
import { ProcessList } from "./session/process-list.ts";
import type { ExecSink } from "./session/session-process.ts";
import { Terminals, type TerminalSink, type TerminalSize } from "./session/terminals.ts";

/** Nothing of this computer's environment is for a node's shell. */
function environment(socket: string, secret: string): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "XDG_RUNTIME_DIR"];
  const env: NodeJS.ProcessEnv = { ELECTRON_RUN_AS_NODE: "1", QUORATE_SOCKET: socket, QUORATE_SECRET: secret };
  for (const name of kept) if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

export class Sessions {
  private readonly pool: SessionPool;
  private readonly terminals: Terminals;

  /**
   * @param secret with which its processes are known on the socket
   * @param dir of the lab, and the run of its supervisor: there the processes are listed
   */
  constructor(
    socket: string,
    readonly secret: string,
    dir: string,
    run: string,
  ) {
    const list = new ProcessList(dir, run);
    const env = environment(socket, secret);
    this.pool = new SessionPool(env, list);
    this.terminals = new Terminals(env, list);
  }

  /** Starts a process for exec before it is needed: its first line would pay for it. */
  warm(): void {
    this.pool.warm();
  }

  /** Runs one line in a new shell of a node. `started` gets its id before any output. */
  exec(node: string, line: string, sink: ExecSink, started: (id: string) => void): void {
    const id = randomUUID();
    this.pool.run(id, node, line, sink);
    started(id);
  }

  input(id: string, data: string | null): void {
    this.pool.of(id)?.input(id, data);
  }

  signal(id: string): void {
    this.pool.of(id)?.interrupt(id);
  }

  /** Whoever asked for it is gone. */
  abandon(id: string): void {
    this.pool.of(id)?.abandon(id);
  }

  /** A terminal on a node's console; with `line`, of that one line. */
  open(node: string, size: TerminalSize, line: string | undefined, sink: TerminalSink, started: (id: string) => void): Promise<void> {
    return this.terminals.begin(node, size, line, sink, started);
  }

  write(id: string, data: string): void {
    this.terminals.write(id, data);
  }

  resize(id: string, size: TerminalSize): void {
    this.terminals.resize(id, size);
  }

  /** Has a terminal's program wait with its output, or go on. */
  halt(id: string, on: boolean): void {
    this.terminals.halt(id, on);
  }

  closeTerminal(id: string): void {
    this.terminals.close(id);
  }

  /** Ends every session process. */
  end(): void {
    this.pool.end();
    this.terminals.end();
  }
}
