/**
 * The commands running on one machine: acting ones as generators fed with answers, endless ones with explicit state. A snapshot of an acting command is its arguments and the
 * answers so far; restoring replays them with effects muted. Left out: job control and pipes, which are the shell's.
 */
import { cloneState, type Effect, type Hasher, type Instant } from "../kernel/index.ts";
import type { ToolHost } from "./host.ts";
import { absolutePath } from "../kernel/paths.ts";
import { answerQuery, commandNamed } from "./registry.ts";
import type { ManagerCall, SystemctlAnswer } from "./systemd/index.ts";
import type { Answer, Ask, CommandSpec, FollowState, Io, NodeAct, Run } from "./spec.ts";

/** Commands one machine runs at a time. Ours. */
export const COMMANDS_MAX = 64;
/** Lines typed ahead of a prompt that one command keeps. Ours. */
const TYPED_AHEAD_MAX = 256;

export interface RunHooks {
  host(): ToolHost;
  /** Does it; the error word a tool prints, undefined on success. `CS_ERR_LIBRARY` where no daemon answers. */
  act(act: NodeAct): string | undefined;
  /** A request to systemd. */
  manager(call: ManagerCall): SystemctlAnswer;
  /** How a job has ended; undefined while it has not. */
  job(job: number, unit: string): SystemctlAnswer | undefined;
  emit(effect: Effect): void;
  /** Timers of this layer; `timer(name)` is called back. */
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
}

/** cs_error_t of a reload that succeeded. */
const CS_OK = 1;

interface RunState {
  id: string;
  argv: readonly string[];
  cwd: string;
  stdin: string;
  /** Acting command: what it was told so far. Endless one: unused. */
  answers: Answer[];
  /** Endless command's own state; undefined for an acting one. */
  follow: FollowState | undefined;
  /** Lines typed and not yet asked for; `null` is end of input. */
  typed: (string | null)[];
}

interface Live {
  state: RunState;
  spec: CommandSpec;
  generator: Run | undefined;
  /** What it waits for; undefined for an endless one. */
  pending: Ask | undefined;
}

export class CommandRuns {
  private readonly live = new Map<string, Live>();
  private waking = false;

  constructor(private readonly hooks: RunHooks) {}

  get busy(): boolean {
    return this.live.size > 0;
  }

  /** Starts a command; its output, prompts and exit come as effects with this id. */
  start(id: string, argv: readonly string[], io: Io): void {
    const spec = commandNamed(argv[0] ?? "");
    if (spec === undefined || !this.hooks.host().installed(spec.name)) return this.refuse(id, `${argv[0] ?? ""}: command not found\n`, 127);
    if (this.live.size >= COMMANDS_MAX || this.live.has(id))
      return this.refuse(id, `${argv[0] ?? ""}: at most ${COMMANDS_MAX} commands run on one machine\n`, 1);
    const answer = answerQuery(this.hooks.host(), argv, io);
    if (answer !== undefined && answer !== "acts") {
      this.print(id, "stdout", answer.stdout);
      this.print(id, "stderr", answer.stderr);
      this.hooks.emit({ kind: "exit", id, status: answer.status });
      return;
    }
    const state: RunState = { id, argv: [...argv], cwd: io.cwd, stdin: io.stdin, answers: [], follow: undefined, typed: [] };
    const follow = spec.follow?.(argv);
    const run: Live = { state, spec, generator: undefined, pending: undefined };
    this.live.set(id, run);
    if (follow) {
      const begun = follow.begin(this.hooks.host(), argv);
      state.follow = begun.state;
      this.print(id, "stdout", begun.stdout);
      this.poll(run);
      return;
    }
    run.generator = spec.run?.(argv, io);
    if (run.generator === undefined) return this.refuse(id, `${argv[0] ?? ""}: not modelled in this lab\n`, 1);
    this.step(run, run.generator.next());
  }

  private refuse(id: string, text: string, status: number): void {
    this.live.delete(id);
    this.print(id, "stderr", text);
    this.hooks.emit({ kind: "exit", id, status });
  }

  private print(id: string, stream: "stdout" | "stderr", text: string): void {
    if (text !== "") this.hooks.emit({ kind: "output", id, stream, text });
  }

  private end(run: Live, status: number): void {
    this.live.delete(run.state.id);
    this.hooks.clearTimer(run.state.id);
    this.hooks.emit({ kind: "exit", id: run.state.id, status });
  }

  /** Goes on until the command has to wait or ends. */
  private step(run: Live, first: IteratorResult<Ask, number>): void {
    let next = first;
    while (this.live.get(run.state.id) === run) {
      if (next.done === true) return this.end(run, next.value);
      run.pending = next.value;
      this.ask(run, next.value);
      const answer = this.answerTo(run, next.value);
      if (answer === undefined || run.generator === undefined) return;
      next = this.feed(run, run.generator, answer);
    }
  }

  private feed(run: Live, generator: Run, answer: Answer): IteratorResult<Ask, number> {
    run.pending = undefined;
    run.state.answers.push(answer);
    return generator.next(answer);
  }

  /** The effect of a question, done once when it is asked. */
  private ask(run: Live, ask: Ask): void {
    if (ask.ask === "print") this.print(run.state.id, ask.stream, ask.text);
    else if (ask.ask === "sleep") this.hooks.setTimer(run.state.id, this.hooks.host().now + ask.micros);
    else if (ask.ask === "prompt") {
      this.print(run.state.id, "stdout", ask.text);
      this.hooks.emit({ kind: "prompt", id: run.state.id, echo: ask.echo });
    }
  }

  /** The answer if it can be given now; sleeps are answered by their timer. */
  private answerTo(run: Live, ask: Ask): Answer | undefined {
    const host = this.hooks.host();
    switch (ask.ask) {
      case "print":
        return { kind: "done" };
      case "act": {
        const error = this.hooks.act(ask.act);
        if (error !== undefined) return { kind: "done", error };
        if (ask.act.act !== "reload") return { kind: "done" };
        const daemon = this.hooks.host().corosync();
        return { kind: "done", number: typeof daemon === "string" ? 0 : daemon.lastReload };
      }
      case "run": {
        const result = answerQuery(host, ask.argv, { cwd: run.state.cwd, stdin: "" });
        // The daemon stalled again between the waiting and the question: ask once more when it is back.
        return result === undefined || result === "acts" ? undefined : { kind: "result", result };
      }
      case "file":
        return { kind: "file", data: host.file(absolutePath(ask.path, run.state.cwd)) };
      case "reloaded": {
        const daemon = host.corosync();
        if (daemon === "stalled") return undefined;
        if (daemon === "down") return { kind: "done", error: "CS_ERR_LIBRARY" };
        const status = daemon.reloadStatus(ask.number);
        if (status === undefined) return undefined;
        return status === CS_OK ? { kind: "done" } : { kind: "done", error: "CS_ERR_INVALID_PARAM" };
      }
      case "manager":
        return { kind: "systemd", answer: this.hooks.manager(ask.call) };
      case "job": {
        const over = this.hooks.job(ask.job, ask.unit);
        return over === undefined ? undefined : { kind: "systemd", answer: over };
      }
      case "daemon":
        return host.corosync() === "stalled" ? undefined : { kind: "done" };
      case "sleep":
        return undefined;
      case "prompt": {
        const line = run.state.typed.shift();
        return line === undefined ? undefined : { kind: "line", line: line ?? undefined };
      }
    }
  }

  private resume(run: Live, answer: Answer): void {
    if (run.generator) this.step(run, this.feed(run, run.generator, answer));
  }

  /** To be called after every event of the machine: whoever waited for what has happened goes on. */
  wake(): void {
    if (this.waking || this.live.size === 0) return;
    this.waking = true;
    for (const run of [...this.live.values()]) {
      if (run.state.follow !== undefined) this.poll(run);
      else if (run.pending !== undefined && run.pending.ask !== "sleep") {
        const answer = this.answerTo(run, run.pending);
        if (answer) this.resume(run, answer);
      }
    }
    this.waking = false;
  }

  private poll(run: Live): void {
    const follow = run.spec.follow?.(run.state.argv);
    if (follow === undefined || run.state.follow === undefined) return;
    const next = follow.poll(this.hooks.host(), run.state.argv, run.state.follow);
    run.state.follow = next.state;
    this.print(run.state.id, "stdout", next.stdout);
    this.print(run.state.id, "stderr", next.stderr ?? "");
    if (next.status !== undefined) this.end(run, next.status);
  }

  /** The sleep of command `id` is over. */
  timer(id: string): void {
    const run = this.live.get(id);
    if (run?.pending?.ask === "sleep") this.resume(run, { kind: "done" });
  }

  /** Ctrl-C or a polite kill: none of the modelled tools catches it. What it asked for stays asked for. */
  signal(id: string, signal: "SIGINT" | "SIGTERM"): void {
    const run = this.live.get(id);
    if (run) this.end(run, signal === "SIGINT" ? 130 : 143);
  }

  /** A line for command `id`; undefined is end of input. */
  input(id: string, line: string | undefined): void {
    const run = this.live.get(id);
    if (run === undefined || run.state.typed.length >= TYPED_AHEAD_MAX) return;
    if (run.state.follow !== undefined) {
      const status = run.spec.follow?.(run.state.argv)?.input?.(line);
      if (status !== undefined) this.end(run, status);
      return;
    }
    run.state.typed.push(line ?? null);
    if (run.pending?.ask === "prompt") {
      const answer = this.answerTo(run, run.pending);
      if (answer) this.resume(run, answer);
    }
  }

  /** The power went: every command is gone without an exit of its own. 137 is what its shell would have seen. */
  powerLost(): void {
    for (const run of [...this.live.values()]) this.end(run, 137);
  }

  snapshot(): unknown {
    return [...this.live.values()].map((run) => cloneState(run.state));
  }

  restore(state: unknown): void {
    this.live.clear();
    for (const saved of cloneState(state as RunState[])) {
      const spec = commandNamed(saved.argv[0] ?? "");
      if (spec === undefined) throw new Error(`snapshot holds an unknown command: ${saved.argv[0] ?? ""}`);
      const run: Live = { state: saved, spec, generator: undefined, pending: undefined };
      if (saved.follow === undefined) replay(run);
      this.live.set(saved.id, run);
    }
  }

  digest(h: Hasher): void {
    for (const { state } of this.live.values())
      h.text(state.id)
        .text(state.argv.join(" "))
        .int(state.answers.length)
        .text(JSON.stringify(state.follow ?? null));
  }
}

/** Feeds the kept answers to a fresh generator; what it asks on the way has been done already. */
function replay(run: Live): void {
  const { argv, cwd, stdin, answers } = run.state;
  run.generator = run.spec.run?.(argv, { cwd, stdin });
  let next = run.generator?.next();
  for (const answer of answers) next = run.generator?.next(answer);
  if (next === undefined || next.done === true) throw new Error(`snapshot of ${argv.join(" ")}: the command ends before its answers do`);
  run.pending = next.value;
}
