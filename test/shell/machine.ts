/**
 * A machine for shell tests: a handful of files in memory, a few commands, and a virtual clock that moves only while the shell waits. It answers as a
 * node of the lab does, and its follow-style command speaks once a virtual second for ever.
 */
import type { FileAct, FileStat, MachineQuery, QueryReply } from "../../src/engine/kernel/machine.ts";
import { CommandQueue } from "../../src/main/shell/command-queue.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import type { Interrupt } from "../../src/main/shell/interrupt.ts";
import type { FileChanged, NodePort, Now, RunningCommand, Sleep } from "../../src/main/shell/port.ts";

/** 2026-01-01T00:00:00Z in µs. */
const EPOCH = 1_767_225_600_000_000;
const SECOND = 1_000_000;

interface Entry {
  type: "file" | "directory" | "symlink";
  mode: number;
  data: Uint8Array;
  mtime: number;
  target?: string;
}

const encoder = new TextEncoder();

export class Machine implements NodePort {
  readonly node = "pve1";
  instant = 0;
  readonly entries = new Map<string, Entry>();
  /** Acts on files, in order. */
  readonly acts: string[] = [];
  /** Signals that running commands got. */
  readonly signals: string[] = [];
  private timers: { at: number; run: () => void }[] = [];
  private nextCommand = 1;
  private woken = false;

  constructor() {
    for (const path of ["/", "/etc", "/root", "/tmp", "/ro"]) this.add(path, { type: "directory", mode: 0o755 });
    this.put("/etc/hostname", "pve1\n");
    this.put("/etc/hosts", "127.0.0.1 localhost\n10.0.0.11 pve1.lab.local pve1\n10.0.0.12 pve2.lab.local pve2\n");
    this.put("/ro/locked", "kept\n");
  }

  private add(path: string, entry: Partial<Entry>): void {
    this.entries.set(path, { type: "file", mode: 0o644, data: new Uint8Array(0), mtime: this.instant, ...entry });
  }

  put(path: string, text: string, mode = 0o644): void {
    this.add(path, { data: encoder.encode(text), mode });
  }

  link(path: string, target: string): void {
    this.add(path, { type: "symlink", target });
  }

  text(path: string): string | undefined {
    const entry = this.entries.get(path);
    return entry && new TextDecoder().decode(entry.data);
  }

  query(query: MachineQuery): Promise<QueryReply> {
    return Promise.resolve(this.answer(query));
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
      case "file-stat":
      case "file-read":
      case "file-list":
        return this.file1(query.kind, query.path);
      case "file":
        return { kind: "acts" };
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

  private stat(entry: Entry): FileStat {
    const stat: FileStat = { type: entry.type, mode: entry.mode, size: entry.data.length, mtime: entry.mtime };
    return entry.target === undefined ? stat : { ...stat, target: entry.target };
  }

  private file1(kind: string, path: string): QueryReply {
    const entry = this.entries.get(path);
    if (!entry) {
      const parent = this.entries.get(path.slice(0, path.lastIndexOf("/")) || "/");
      return { kind: "error", errno: parent?.type === "file" ? "ENOTDIR" : "ENOENT" };
    }
    if (kind === "file-stat") return { kind: "stat", stat: this.stat(entry) };
    if (kind === "file-read") return { kind: "file", data: entry.data };
    const prefix = path === "/" ? "/" : `${path}/`;
    const names = [...this.entries.keys()].filter(
      (other) => other.startsWith(prefix) && other !== "/" && !other.slice(prefix.length).includes("/"),
    );
    return {
      kind: "list",
      entries: names.map((name) => ({ name: name.slice(prefix.length), stat: this.stat(this.entries.get(name) ?? entry) })),
    };
  }

  file(act: FileAct): Promise<FileChanged> {
    this.acts.push(act.kind);
    return Promise.resolve({ errno: this.change(act), lasts: 0 });
  }

  private change(act: FileAct): string | undefined {
    const path = act.kind === "file-rename" ? act.to : act.path;
    if (path.startsWith("/ro/")) return "EACCES";
    const old = this.entries.get(path);
    const parent = this.entries.get(path.slice(0, path.lastIndexOf("/")) || "/");
    if (!parent && !(act.kind === "file-mkdir" && act.parents)) return "ENOENT";
    switch (act.kind) {
      case "file-write": {
        if (old?.type === "directory") return "EISDIR";
        const before = act.append && old ? [...old.data] : [];
        this.add(path, { data: Uint8Array.from([...before, ...act.data]), mode: act.mode ?? old?.mode ?? 0o644 });
        return undefined;
      }
      case "file-mkdir":
        for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1))
          if (!this.entries.has(path.slice(0, at))) this.add(path.slice(0, at), { type: "directory", mode: 0o755 });
        this.add(path, { type: "directory", mode: 0o755 });
        return undefined;
      case "file-remove":
        if (!old) return "ENOENT";
        for (const name of [...this.entries.keys()]) if (name === path || name.startsWith(`${path}/`)) this.entries.delete(name);
        return undefined;
      case "file-rename": {
        const from = this.entries.get(act.from);
        if (!from) return "ENOENT";
        this.entries.delete(act.from);
        this.entries.set(path, from);
        return undefined;
      }
      case "file-chmod":
        if (!old) return "ENOENT";
        old.mode = act.mode;
        return undefined;
      case "file-touch":
        if (old) old.mtime = this.instant;
        else this.add(path, {});
        return undefined;
    }
  }

  /** `journalctl`: a TOTEM and a QUORUM line every second. `pveadd`: asks for a password and a yes. `stubborn`: does not end by a signal. */
  command(argv: readonly string[]): Promise<RunningCommand> {
    const events = new CommandQueue();
    const queue = {
      push: (event: Parameters<CommandQueue["push"]>[0]): void => {
        this.woken = true;
        events.push(event);
      },
      next: () => events.next(),
    };
    const id = this.nextCommand++;
    let ended = false;
    const end = (status: number): void => {
      ended = true;
      queue.push({ kind: "exit", status });
    };
    const say = (text: string): void => queue.push({ kind: "output", stream: "stdout", text });
    const answers: (string | undefined)[] = [];
    if (argv[0] === "journalctl") {
      const speak = (n: number): void => {
        if (ended) return;
        say(`[TOTEM ] token ${n}\n[QUORUM] members ${n}\n`);
        this.after(SECOND, () => speak(n + 1));
      };
      this.after(SECOND, () => speak(1));
    } else if (argv[0] === "pveadd") {
      say("Please enter superuser (root) password for '10.0.0.11': ");
      queue.push({ kind: "prompt", echo: false });
    }
    return Promise.resolve({
      next: () => queue.next(),
      signal: (signal) => {
        this.signals.push(`${id} ${signal}`);
        if (argv[0] !== "stubborn" && !ended) end(signal === "SIGINT" ? 130 : 143);
      },
      input: (line) => {
        answers.push(line);
        if (answers.length === 1) {
          say("\nAre you sure you want to continue connecting (yes/no)? ");
          queue.push({ kind: "prompt", echo: true });
        } else {
          say(`answers: ${answers.map((answer) => answer ?? "(end of input)").join(", ")}\n`);
          end(answers[1] === "yes" ? 0 : 1);
        }
      },
    });
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
