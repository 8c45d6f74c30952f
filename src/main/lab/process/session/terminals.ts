/** The terminals: each a process of one node behind a pseudo terminal, ended by the kernel's hang-up whatever it is doing, and by force where it hangs. */
import { randomUUID } from "node:crypto";
import { setPriority } from "node:os";
import type { IPty } from "node-pty";
import { Trouble } from "../../trouble.ts";
import { entry } from "../entries.ts";
import { boundCommand } from "./bound.ts";
import type { ProcessList } from "./process-list.ts";
import { usageOf } from "./usage.ts";

const terminalsMax = 64;
/** A terminal that says nothing to Ctrl-C and computes on is ended after this long. */
const interruptMs = 700;
/** One that was hung up is there no longer than this. */
const hangUpMs = 1000;
const lookMs = 500;
const residentMaxBytes = 512 * 1024 * 1024;
const busyLooksMax = 4;
const slowNice = 5;
const interruptKey = "\u0003";

export interface TerminalSink {
  data(data: string): void;
  exit(status: number): void;
}

export interface TerminalSize {
  cols: number;
  rows: number;
}

interface Terminal {
  readonly pty: IPty;
  readonly sink: TerminalSink;
  /** Times it has put something out. */
  outputs: number;
  halted: boolean;
  processorMs: number;
  busyLooks: number;
}

export class Terminals {
  private readonly open = new Map<string, Terminal>();
  private opening = 0;
  private ended = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly list: ProcessList,
  ) {
    this.timer = setInterval(() => {
      for (const terminal of this.open.values()) this.look(terminal);
    }, lookMs);
    this.timer.unref();
  }

  /** A terminal on a node's console; with `line`, of that one line. `started` gets its id before any output. */
  async begin(
    node: string,
    size: TerminalSize,
    line: string | undefined,
    sink: TerminalSink,
    started: (id: string) => void,
  ): Promise<void> {
    if (this.open.size + this.opening >= terminalsMax) throw new Trouble("failed", `at most ${terminalsMax} terminals can be open at once`);
    this.opening++;
    try {
      // Loaded with the first terminal: it is a native module, and exec has no need of it.
      const { spawn } = await import("node-pty");
      if (this.ended) throw new Trouble("lab", "the lab goes down");
      const { file, args, env } = boundCommand(entry("console"));
      const own = {
        TERM: "xterm-256color",
        COLORTERM: "truecolor",
        QUORATE_NODE: node,
        ...(line === undefined ? {} : { QUORATE_LINE: line }),
      };
      const pty = spawn(file, args, { name: "xterm-256color", cols: size.cols, rows: size.rows, env: { ...this.env, ...env, ...own } });
      this.began(pty, sink, started);
    } finally {
      this.opening--;
    }
  }

  private began(pty: IPty, sink: TerminalSink, started: (id: string) => void): void {
    const id = randomUUID();
    const terminal: Terminal = { pty, sink, outputs: 0, halted: false, processorMs: 0, busyLooks: 0 };
    this.open.set(id, terminal);
    this.list.add(pty.pid);
    started(id);
    pty.onData((data) => {
      terminal.outputs++;
      sink.data(data);
    });
    pty.onExit(({ exitCode, signal }) => {
      this.open.delete(id);
      this.list.remove(pty.pid);
      sink.exit(signal !== undefined && signal > 0 ? 128 + signal : exitCode);
    });
  }

  write(id: string, data: string): void {
    const terminal = this.open.get(id);
    if (!terminal) return;
    terminal.pty.write(data);
    if (data.includes(interruptKey)) this.expectAnswer(id, terminal);
  }

  /** A console that is well says something to Ctrl-C, and one that has nothing to say waits. */
  private expectAnswer(id: string, terminal: Terminal): void {
    const { outputs } = terminal;
    setTimeout(() => {
      if (this.open.get(id) !== terminal || terminal.halted || terminal.outputs !== outputs) return;
      if (usageOf(terminal.pty.pid)?.state === "R") this.force(terminal, "it did not react to Ctrl-C");
    }, interruptMs).unref();
  }

  private look(terminal: Terminal): void {
    const usage = usageOf(terminal.pty.pid);
    if (usage === undefined) return;
    if (usage.residentBytes > residentMaxBytes)
      return this.force(terminal, `it took more than ${residentMaxBytes / 1048576} MiB of memory`);
    // On a computer that has much to do it gets little, and is no less busy.
    const busy = usage.state === "R" && usage.processorMs > terminal.processorMs;
    terminal.processorMs = usage.processorMs;
    terminal.busyLooks = busy ? terminal.busyLooks + 1 : 0;
    if (terminal.busyLooks !== busyLooksMax) return;
    try {
      setPriority(terminal.pty.pid, slowNice);
    } catch {
      // It has just ended.
    }
  }

  private force(terminal: Terminal, why: string): void {
    terminal.sink.data(`\r\nquorate: this shell was ended: ${why}\r\n`);
    signal(terminal, "SIGKILL");
  }

  resize(id: string, size: TerminalSize): void {
    this.open.get(id)?.pty.resize(size.cols, size.rows);
  }

  /** Has a terminal's program wait with its output, or go on. */
  halt(id: string, on: boolean): void {
    const terminal = this.open.get(id);
    if (!terminal) return;
    terminal.halted = on;
    if (on) terminal.pty.pause();
    else terminal.pty.resume();
  }

  close(id: string): void {
    const terminal = this.open.get(id);
    if (!terminal) return;
    signal(terminal, "SIGHUP");
    setTimeout(() => {
      if (this.open.get(id) === terminal) signal(terminal, "SIGKILL");
    }, hangUpMs).unref();
  }

  /** The lab goes: nothing of it is waited for. */
  end(): void {
    this.ended = true;
    clearInterval(this.timer);
    for (const terminal of this.open.values()) signal(terminal, "SIGKILL");
    this.open.clear();
  }
}

function signal({ pty }: Terminal, name: "SIGHUP" | "SIGKILL"): void {
  try {
    // Windows ends what it is asked to end, and takes no name.
    pty.kill(process.platform === "win32" ? undefined : name);
  } catch {
    // It has just ended.
  }
}
