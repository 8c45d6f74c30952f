/**
 * The sessions of one machine: terminals with a login shell, and shells of one line, with what is started in them. In the real stack: the pty driver's hang-up, systemd-logind's
 * scopes and the parent of a shell (here pid 1: login, sshd and termproxy are left out). A fork of a shell is carried out by the interpreter outside and ends with its shell.
 */
import { cloneState, exitStatus, type Attached, type Effect, type Hasher, type ProcessExit, type SessionAct } from "../../kernel/index.ts";
import type { Birth } from "./process-set.ts";
import type { ProcessRecord } from "./process.ts";
import { LINE_SHELL, LOGIN_SHELL } from "./shell.ts";
import type { ProcessTable } from "./table.ts";

/** What a shell says and exits with where a program is not there, and where the process table is full (bash). */
const NOT_FOUND = 127;
const NO_PROCESS = 126;

interface Session {
  readonly id: string;
  readonly serial: number;
  readonly pid: number;
  /** Number of the terminal; undefined without one. */
  readonly terminal: number | undefined;
  readonly scope: string;
}

export interface SessionsState {
  sessions: Session[];
}

export class Sessions {
  private state: SessionsState = { sessions: [] };

  constructor(
    private readonly table: ProcessTable,
    private readonly emit: (effect: Effect) => void,
  ) {}

  get open(): number {
    return this.state.sessions.length;
  }

  /** What somebody outside began, and that has not ended. */
  attached(): Attached {
    const commands = this.table.records().flatMap(({ sink, exit }) => (sink.kind === "command" && exit === undefined ? [sink.id] : []));
    return { sessions: this.state.sessions.map(({ id }) => id), commands };
  }

  /** The machine is up and runs. */
  act(act: SessionAct): void {
    switch (act.kind) {
      case "session-open":
        this.begin(act.session, act.terminal, act.cwd, act.line);
        return;
      case "session-close":
        this.close(act.session, act.status);
        return;
      case "session-cd": {
        const shell = this.find(act.session);
        if (shell !== undefined) this.table.hooks.files.blocking(shell.serial, { call: "chdir", path: act.cwd });
        return;
      }
      case "session-run":
        this.run(act);
        return;
      case "session-fork":
        this.fork(act);
        return;
      case "session-exec": {
        const forked = this.forked(act.session, act.id);
        if (forked !== undefined) this.table.exec(forked.pid, act.argv, "outside");
        return;
      }
      case "session-exit": {
        const forked = this.forked(act.session, act.id);
        if (forked !== undefined) this.table.exit(forked.pid, { code: act.status });
        this.table.settle();
        return;
      }
      case "session-kill": {
        const error = this.table.signal(act.pid, act.signal, this.find(act.session)?.pid);
        this.emit({ kind: "kill-result", id: act.id, error });
        this.table.settle();
      }
    }
  }

  /** What whoever waits for the act hears of a machine that is off, or too busy. */
  refuse(act: SessionAct, errno: string): void {
    if (act.kind === "session-run" || act.kind === "session-fork") this.emit({ kind: "exit", id: act.id, status: 255 });
    else if (act.kind === "session-open") this.emit({ kind: "session-ended", session: act.session, exit: { code: 255 } });
    else if (act.kind === "session-kill") this.emit({ kind: "kill-result", id: act.id, error: errno });
  }

  /** Serial number of a session's shell. */
  shell(id: string): number | undefined {
    return this.find(id)?.serial;
  }

  private find(id: string): Session | undefined {
    return this.state.sessions.find((s) => s.id === id);
  }

  private begin(id: string, onTerminal: boolean, cwd: string, line: string | undefined): void {
    const terminal = onTerminal ? this.freeTerminal() : undefined;
    const tty = terminal === undefined ? "" : `pts/${terminal}`;
    const scope = this.freeScope();
    const argv = onTerminal ? LOGIN_SHELL : line === undefined ? LINE_SHELL : [...LINE_SHELL, line];
    const place = { unit: scope, session: id, tty };
    const pid =
      this.find(id) === undefined ? this.table.spawn({ argv, cwd, parent: 1, place, sink: { kind: "nowhere" }, leader: true }) : "EEXIST";
    const serial = typeof pid === "number" ? this.table.get(pid)?.serial : undefined;
    if (typeof pid !== "number" || serial === undefined) {
      this.emit({ kind: "session-ended", session: id, exit: { code: NO_PROCESS } });
      return;
    }
    this.state.sessions.push({ id, serial, pid, terminal, scope });
    this.emit({ kind: "session", session: id, pid, tty });
  }

  /** The lowest that no session has; logind's counter goes on instead. */
  private freeScope(): string {
    for (let n = 1; ; n++) {
      const scope = `session-${n}.scope`;
      if (this.state.sessions.every((s) => s.scope !== scope)) return scope;
    }
  }

  private freeTerminal(): number {
    for (let n = 0; ; n++) if (this.state.sessions.every((s) => s.terminal !== n)) return n;
  }

  /** A process that the session's interpreter carries out under this id, and that has not ended. */
  private forked(session: string, id: string): Readonly<ProcessRecord> | undefined {
    return this.table.records().find((r) => r.command === id && r.place.session === session && r.outside && r.exit === undefined);
  }

  private run(act: Extract<SessionAct, { kind: "session-run" }>): void {
    const shell = this.find(act.session);
    if (shell === undefined) {
      this.refuse(act, "ESRCH");
      return;
    }
    const sink = { kind: "command", id: act.id } as const;
    const birth = { argv: act.argv, cwd: act.cwd, sink, ...(act.env === undefined ? {} : { env: act.env }) };
    const own = act.process === undefined ? undefined : this.forked(act.session, act.process);
    if (act.process !== undefined && (act.process !== act.id || own === undefined)) {
      // A signal was faster.
      this.emit({ kind: "exit", id: act.id, status: exitStatus({ signal: "SIGKILL" }) });
      return;
    }
    const made = own === undefined ? this.child(shell, act, birth) : this.table.exec(own.pid, act.argv, birth);
    if (made === "ENOENT") this.fail(act.id, `bash: ${act.argv[0] ?? ""}: command not found\n`, NOT_FOUND);
    else if (made === "EAGAIN") this.fail(act.id, "bash: fork: retry: Resource temporarily unavailable\n", NO_PROCESS);
  }

  private fork(act: Extract<SessionAct, { kind: "session-fork" }>): void {
    const shell = this.find(act.session);
    if (shell === undefined) {
      this.refuse(act, "ESRCH");
      return;
    }
    const parent = act.parent === undefined ? undefined : this.forked(act.session, act.parent);
    const argv = act.argv ?? parent?.argv ?? this.table.get(shell.pid)?.argv ?? [];
    if (this.child(shell, act, { argv, sink: { kind: "nowhere" }, outside: true }) === "EAGAIN")
      this.emit({ kind: "exit", id: act.id, status: NO_PROCESS });
  }

  /** fork, and exec where the program is one of this machine. */
  private child(
    shell: Session,
    act: { readonly id: string; readonly parent?: string; readonly group?: boolean },
    birth: Pick<Birth, "argv" | "cwd" | "env" | "sink" | "outside">,
  ): "ENOENT" | "EAGAIN" | undefined {
    const tty = shell.terminal === undefined ? "" : `pts/${shell.terminal}`;
    const parent = act.parent === undefined ? undefined : this.forked(shell.id, act.parent);
    const pid = this.table.spawn({
      ...birth,
      parent: parent?.pid ?? shell.pid,
      place: { unit: shell.scope, session: shell.id, tty },
      command: act.id,
      // Job control: what the shell of a terminal starts is a job.
      group: act.group ?? (parent === undefined && shell.terminal !== undefined),
      started: (started) => this.emit({ kind: "started", id: act.id, pid: started }),
    });
    return typeof pid === "number" ? undefined : pid;
  }

  private fail(id: string, text: string, status: number): void {
    this.emit({ kind: "output", id, stream: "stderr", text });
    this.emit({ kind: "exit", id, status });
  }

  private close(id: string, status: number | undefined): void {
    const session = this.find(id);
    if (session === undefined) return;
    if (status !== undefined) this.table.exit(session.pid, { code: status });
    else if (session.terminal === undefined) this.table.signal(session.pid, "SIGTERM");
    else for (const signal of ["SIGHUP", "SIGCONT"] as const) this.table.signal(session.pid, signal);
    this.table.settle();
  }

  /**
   * The shell on a terminal was ended by a signal: bash sends a SIGHUP that it gets to its jobs, with a SIGCONT for those that are stopped, and where it got another signal the kernel does
   * so to who has the terminal in the foreground.
   */
  private hangUp(session: Session): void {
    for (const { pid, place, exit } of this.table.records()) {
      if (place.session !== session.id || place.tty === "" || exit !== undefined) continue;
      this.table.signal(pid, "SIGHUP");
      this.table.signal(pid, "SIGCONT");
    }
  }

  /** A process has just ended. */
  ending(record: Readonly<ProcessRecord>, exit: ProcessExit): void {
    const session = this.state.sessions.find((s) => s.serial === record.serial);
    if (session === undefined) return;
    this.state.sessions = this.state.sessions.filter((s) => s !== session);
    // Nobody carries them out any more.
    for (const { pid, place, outside } of this.table.records())
      if (outside && place.session === session.id) this.table.signal(pid, "SIGKILL");
    if ("signal" in exit && session.terminal !== undefined) this.hangUp(session);
    this.emit({ kind: "session-ended", session: session.id, exit });
  }

  /** Every shell is gone. */
  powerLost(): void {
    const gone = this.state.sessions;
    this.state = { sessions: [] };
    for (const { id } of gone) this.emit({ kind: "session-ended", session: id, exit: { signal: "SIGKILL" } });
  }

  snapshot(): SessionsState {
    return cloneState(this.state);
  }

  restore(state: SessionsState): void {
    this.state = cloneState(state);
  }

  digest(h: Hasher): void {
    h.int(this.state.sessions.length);
    for (const s of this.state.sessions)
      h.text(s.id)
        .int(s.serial)
        .int(s.pid)
        .int(s.terminal ?? -1)
        .text(s.scope);
  }
}
