/**
 * A machine for shell tests: the lab's own file system with a handful of files, a few commands, and a virtual clock that moves only while the shell waits.
 * It answers as a node of the lab does, and its follow-style command speaks once a virtual second for ever.
 */
import type { Effect, MachineQuery, QueryReply } from "../../src/engine/kernel/machine.ts";
import { SIGNALS, defaultAction, type Signal } from "../../src/engine/kernel/signals.ts";
import type { FileCall, FileReply } from "../../src/engine/kernel/vfs.ts";
import { peek, writeWhole, fileQuery } from "../../src/engine/machine/files/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import type { Interrupt } from "../../src/main/shell/interrupt.ts";
import { MachinePort, type ShellAct } from "../../src/main/shell/machine-port.ts";
import type { Now, Sleep } from "../../src/main/shell/port.ts";
import { programFiles } from "../../src/engine/machine/base-programs.ts";
import { LabFiles } from "../machine/lab-files.ts";

/** 2026-01-01T00:00:00Z in µs. */
const EPOCH = 1_767_225_600_000_000;
const SECOND = 1_000_000;

/** Calls that change what they name. */
const CHANGING: ReadonlySet<FileCall["call"]> = new Set<FileCall["call"]>([
  ...(["open", "truncate", "mkdir", "rmdir", "unlink", "rename", "link", "symlink", "chmod", "chown", "lchown", "utimens"] as const),
]);

/** A process of the machine: a command of its own, or one that the shell carries out. */
interface Running {
  readonly id: string;
  readonly pid: number;
  readonly pgid: number;
  argv: readonly string[];
  /** A command's number, in the order they began; of a fork undefined. */
  readonly command: number | undefined;
  input: (line: string | undefined) => void;
  ended: boolean;
}

export class Machine extends MachinePort {
  instant = 0;
  /** File calls that were acts, in order. */
  readonly acts: string[] = [];
  /** Signals that running commands got. */
  readonly signals: string[] = [];
  readonly disk = new LabFiles();
  /** Processes of the shell that are there. */
  readonly processes: Running[] = [];
  private timers: { at: number; run: () => void }[] = [];
  private nextCommand = 1;
  private nextPid = 4001;
  private nextNumber = 1;
  private woken = false;

  constructor() {
    super("pve1");
    this.disk.files.attach(1);
    for (const path of ["/etc", "/root", "/tmp", "/ro", "/usr", "/usr/bin", "/usr/sbin"])
      this.disk.must(1, { call: "mkdir", path, mode: 0o755 });
    this.put("/etc/hostname", "pve1\n");
    for (const { path, data } of programFiles(["corosync"])) writeWhole(this.disk.files, path, data, { mode: 0o755 });
    this.link("/bin", "usr/bin");
    this.put("/etc/hosts", "127.0.0.1 localhost\n10.0.0.11 pve1.lab.local pve1\n10.0.0.12 pve2.lab.local pve2\n");
    this.put("/ro/locked", "kept\n");
  }

  put(path: string, text: string, mode = 0o644): void {
    writeWhole(this.disk.files, path, new TextEncoder().encode(text), { mode });
  }

  link(path: string, target: string): void {
    this.disk.must(1, { call: "symlink", target, path });
  }

  text(path: string): string | undefined {
    const data = this.bytes(path);
    return data && new TextDecoder().decode(data);
  }

  bytes(path: string): Uint8Array | undefined {
    const reply = fileQuery(this.disk.files, { kind: "file-read", path });
    return reply.kind === "file" ? reply.data : undefined;
  }

  query(query: MachineQuery): Promise<QueryReply> {
    return Promise.resolve(this.answer(query));
  }

  look(calls: readonly FileCall[]): Promise<readonly (FileReply | "would-wait")[]> {
    return Promise.resolve(
      calls.map((call) => {
        const reply = peek(this.disk.files, undefined, call);
        if (reply === "acts") throw new Error(`${call.call} does not only look`);
        return reply === "would-wait" ? reply : shown(reply);
      }),
    );
  }

  private answer(query: MachineQuery): QueryReply {
    switch (query.kind) {
      case "command":
        return this.command1(query.argv);
      case "complete":
        return {
          kind: "completions",
          candidates:
            query.argv.length === 1
              ? ["corosync-quorumtool", "journalctl", "pvecm"].filter((name) => name.startsWith(query.argv[0] ?? ""))
              : this.candidates(query.argv),
        };
      case "file-read":
      case "file-stat":
      case "file-list":
        return fileQuery(this.disk.files, query);
      case "file":
        throw new Error("the shell asks by look");
    }
  }

  private candidates(line: readonly string[]): string[] {
    return line[0] === "pvecm" ? ["add", "expected", "nodes", "status"].filter((word) => word.startsWith(line.at(-1) ?? "")) : [];
  }

  private command1(argv: readonly string[]): QueryReply {
    switch (argv[0]) {
      case "pvecm":
        return { kind: "result", stdout: "Quorate:          Yes\nFlags:            Quorate\n", stderr: "", status: 0 };
      case "corosync-quorumtool":
        return { kind: "result", stdout: "", stderr: "Cannot initialize CMAP service\n", status: 1 };
      case "journalctl":
      case "pveadd":
      case "stubborn":
        return { kind: "acts" };
      default:
        return { kind: "no-such-command" };
    }
  }

  protected newId(): string {
    return String(this.nextNumber++);
  }

  protected woke(): void {
    this.woken = true;
  }

  protected act(act: ShellAct): Promise<void> {
    this.disk.now = this.instant;
    for (const effect of this.done(act)) this.take(effect);
    return Promise.resolve();
  }

  private done(act: ShellAct): Effect[] {
    switch (act.kind) {
      case "session-open": {
        const pid = this.nextPid++;
        this.disk.files.attach(pid);
        return [{ kind: "session", session: act.session, pid, tty: act.terminal ? "pts/0" : "" }];
      }
      case "session-close":
        return [{ kind: "session-ended", session: act.session, exit: { code: act.status ?? 0 } }];
      case "session-cd":
      case "file-interrupt":
        return [];
      case "session-fork": {
        const pid = this.nextPid++;
        this.begin({ id: act.id, pid, group: act.group, parent: act.parent, argv: act.argv ?? ["bash"], command: undefined });
        return [{ kind: "started", id: act.id, pid }];
      }
      case "session-exec": {
        const process = this.processes.find((p) => p.id === act.id);
        if (process) process.argv = act.argv;
        return [];
      }
      case "session-exit":
        return this.end(act.id, act.status);
      case "session-run":
        return this.run1(act);
      case "session-kill":
        return this.signal1(act.id, act.pid, act.signal);
      case "command-input":
        this.processes.find((p) => p.id === act.id)?.input(act.line);
        return [];
      case "file":
        this.acts.push(act.call.call);
        return [{ kind: "file-reply", id: act.id, reply: this.file1(act.call, act.session !== undefined) }];
    }
  }

  /** The one session there is has the first pid; whoever makes a call without one is root. */
  private file1(call: FileCall, bySession: boolean): FileReply {
    const path = "to" in call ? call.to : "path" in call ? call.path : "";
    const writes = call.call !== "open" || call.flags.access !== "r";
    if (path.startsWith("/ro/") && CHANGING.has(call.call) && writes) return { ok: false, errno: "EACCES" };
    return shown(this.disk.call(bySession ? this.shellPid : 1, call));
  }

  private get shellPid(): number {
    return Math.min(...this.disk.files.views.pids().filter((pid) => pid > 1));
  }

  private begin(of: {
    id: string;
    pid: number;
    group: boolean | undefined;
    parent: string | undefined;
    argv: readonly string[];
    command: number | undefined;
  }): Running {
    const above = this.processes.find((p) => p.id === of.parent);
    const pgid = of.group === true ? of.pid : (above?.pgid ?? 4001);
    const running: Running = { ...of, pgid, input: () => undefined, ended: false };
    this.processes.push(running);
    return running;
  }

  private end(id: string, status: number): Effect[] {
    const at = this.processes.findIndex((p) => p.id === id);
    const [gone] = at < 0 ? [] : this.processes.splice(at, 1);
    if (!gone) return [];
    gone.ended = true;
    return [{ kind: "exit", id, status }];
  }

  private signal1(id: string, pid: number, signal: Signal): Effect[] {
    const targets = this.processes.filter((p) => (pid > 0 ? p.pid === pid : pid === -1 || p.pgid === -pid));
    const effects: Effect[] = [{ kind: "kill-result", id, error: targets.length === 0 ? "ESRCH" : undefined }];
    for (const process of targets) {
      if (process.command !== undefined) this.signals.push(`${process.command} ${signal}`);
      if (process.argv[0] === "stubborn") continue;
      const action = defaultAction(signal);
      if (action === "stop" || action === "continue") effects.push({ kind: "stopped", id: process.id, stopped: action === "stop" });
      else if (action !== "ignore") effects.push(...this.end(process.id, 128 + SIGNALS[signal]));
    }
    return effects;
  }

  /** `journalctl`: a TOTEM and a QUORUM line every second. `pveadd`: asks for a password and a yes. `stubborn`: does not end by a signal. */
  private run1(act: Extract<ShellAct, { kind: "session-run" }>): Effect[] {
    const { id, argv } = act;
    const before = this.processes.findIndex((p) => p.id === id);
    const [fork] = before < 0 ? [] : this.processes.splice(before, 1);
    const pid = fork?.pid ?? this.nextPid++;
    const running = this.begin({ id, pid, group: act.group, parent: act.parent, argv, command: this.nextCommand++ });
    const say = (text: string): void => this.take({ kind: "output", id, stream: "stdout", text });
    if (argv[0] === "journalctl") {
      const speak = (n: number): void => {
        if (running.ended) return;
        say(`[TOTEM ] token ${n}\n[QUORUM] members ${n}\n`);
        this.after(SECOND, () => speak(n + 1));
      };
      this.after(SECOND, () => speak(1));
      return fork ? [] : [{ kind: "started", id, pid }];
    }
    if (argv[0] !== "pveadd") return fork ? [] : [{ kind: "started", id, pid }];
    const answers: (string | undefined)[] = [];
    running.input = (line) => {
      answers.push(line);
      if (answers.length === 1) {
        say("\nAre you sure you want to continue connecting (yes/no)? ");
        this.take({ kind: "prompt", id, echo: true });
        return;
      }
      say(`answers: ${answers.map((answer) => answer ?? "(end of input)").join(", ")}\n`);
      for (const effect of this.end(id, answers[1] === "yes" ? 0 : 1)) this.take(effect);
    };
    return [
      { kind: "started", id, pid },
      { kind: "output", id, stream: "stdout", text: "Please enter superuser (root) password for '10.0.0.11': " },
      { kind: "prompt", id, echo: false },
    ];
  }

  private after(delay: number, run: () => void): void {
    this.timers.push({ at: this.instant + delay, run });
  }

  sleep(duration: number): Sleep {
    let cancelled = false;
    const done = new Promise<void>((resolve) =>
      this.after(duration, () => {
        if (cancelled) return;
        this.woken = true;
        resolve();
      }),
    );
    return { done, cancel: () => (cancelled = true) };
  }

  /** This machine is always there. */
  onGone(): () => void {
    return () => undefined;
  }

  now(): Promise<Now> {
    return Promise.resolve({ instant: this.instant, epoch: EPOCH });
  }

  /** The shell waits: time goes on until something it waits for has come. */
  waiting(waiting: boolean): void {
    this.woken = !waiting;
    while (!this.woken) {
      this.timers.sort((a, b) => a.at - b.at);
      const next = this.timers.shift();
      if (!next) return;
      this.instant = Math.max(this.instant, next.at);
      next.run();
    }
  }
}

/** Directories have two links here, as on file systems that do not count those in them. */
function shown(reply: FileReply): FileReply {
  if (!reply.ok || reply.value !== "stat" || reply.stat.type !== "directory") return reply;
  return { ...reply, stat: { ...reply.stat, nlink: 2 } };
}

export interface Ran {
  status: number;
  out: string;
  err: string;
}

/** Runs one line on a machine. */
export async function sh(
  line: string,
  machine = new Machine(),
  io: { stdin?: string[]; interrupt?: Interrupt; onOut?: (text: string) => void } = {},
): Promise<Ran> {
  let [out, err] = ["", ""];
  const input = [...(io.stdin ?? [])];
  const status = await runLine(machine, line, {
    stdout: (text) => {
      out += text;
      io.onOut?.(text);
    },
    stderr: (text) => (err += text),
    ...(io.stdin ? { stdin: () => Promise.resolve(input.shift() ?? null) } : {}),
    ...(io.interrupt ? { interrupt: io.interrupt } : {}),
  });
  return { status, out, err };
}
