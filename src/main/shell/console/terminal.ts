/**
 * The terminal of a console: keystrokes in, text out. While a line is edited the editor has the keys; while a command runs they go through a line
 * discipline, as in a kernel: echo, erase, Ctrl-C, Ctrl-D; a pager takes them raw.
 */
import { StringDecoder } from "node:string_decoder";
import type { Interrupt } from "../interrupt.ts";
import type { Device } from "../streams.ts";
import type { System } from "../system.ts";
import type { Key } from "./keys.ts";
import { KeyReader } from "./keys.ts";

/** Keys typed ahead. */
const AHEAD_MAX = 65_536;
const ESCAPE_MS = 40;

export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream;
  write(text: string): void;
  size(): { cols: number; rows: number };
}

export class Terminal {
  private readonly keys = new KeyReader();
  private readonly ahead: Key[] = [];
  private sink: ((key: Key) => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private readonly endListeners = new Set<() => void>();

  constructor(readonly streams: TerminalStreams) {
    const decoder = new StringDecoder("utf8");
    streams.input.on("data", (bytes: Buffer) => this.take(decoder.write(bytes)));
    streams.input.on("end", () => this.end());
  }

  write(text: string): void {
    this.streams.write(text);
  }

  size(): { cols: number; rows: number } {
    return this.streams.size();
  }

  get closed(): boolean {
    return this.ended;
  }

  onEnd(listener: () => void): () => void {
    if (this.ended) listener();
    this.endListeners.add(listener);
    return () => this.endListeners.delete(listener);
  }

  /** Who gets the keys from now on; what was typed ahead comes first. */
  listen(sink: (key: Key) => void): void {
    this.sink = sink;
    while (this.sink === sink) {
      const key = this.ahead.shift();
      if (!key) return;
      sink(key);
    }
  }

  unlisten(): void {
    this.sink = undefined;
  }

  /** A key comes again, before the others. */
  unread(key: Key): void {
    this.ahead.unshift(key);
  }

  private take(text: string): void {
    clearTimeout(this.timer);
    for (const key of this.keys.push(text)) this.deliver(key);
    this.timer = setTimeout(() => {
      for (const key of this.keys.flush()) this.deliver(key);
    }, ESCAPE_MS);
  }

  private deliver(key: Key): void {
    if (this.sink && this.ahead.length === 0) this.sink(key);
    else if (this.ahead.length < AHEAD_MAX) this.ahead.push(key);
  }

  private end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    for (const listener of this.endListeners) listener();
    this.endListeners.clear();
  }
}

/** The terminal as an open file of running commands. */
export class TerminalDevice implements Device {
  readonly tty = true;
  private readonly lines: (string | null)[] = [];
  private typed = "";
  private secret = false;
  /** A pager reads keys: they are not echoed and make no lines. */
  private rawMode = false;
  private readonly rawKeys: string[] = [];
  private readonly wake = new Set<() => void>();
  private interrupt: Interrupt | undefined;
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(
    private readonly terminal: Terminal,
    private readonly system: System,
  ) {
    terminal.onEnd(() => {
      this.lines.push(null);
      this.changed();
    });
  }

  /** Takes the keys while a command runs under `interrupt`. */
  begin(interrupt: Interrupt): void {
    this.interrupt = interrupt;
    this.terminal.listen((key) => this.take(key));
  }

  /** A command has ended: what was typed and not read is there for the prompt. */
  finish(): void {
    this.interrupt = undefined;
    this.terminal.unlisten();
    const left = [...this.lines.filter((line) => line !== null).map((line) => line.replace(/\n$/, "\r")), this.typed].join("");
    this.lines.length = 0;
    this.typed = "";
    this.rawMode = false;
    this.rawKeys.length = 0;
    if (this.terminal.closed) this.lines.push(null);
    for (const char of [...left].reverse()) this.terminal.unread({ kind: "key", text: char });
  }

  private changed(): void {
    for (const wake of [...this.wake]) wake();
    this.wake.clear();
  }

  private take(key: Key): void {
    if (key.kind === "paste") {
      for (const char of key.text) this.take({ kind: "key", text: char === "\n" ? "\r" : char });
      return;
    }
    const { text } = key;
    if (this.rawMode) {
      this.rawKeys.push(text);
      this.changed();
      return;
    }
    switch (text) {
      case "\u0003":
        this.typed = "";
        this.terminal.write("^C\n");
        this.interrupt?.fire(2);
        return;
      case "\u001c":
        this.terminal.write("^\\\n");
        this.interrupt?.fire(3);
        return;
      case "\u0004":
        this.lines.push(this.typed === "" ? null : this.typed);
        this.typed = "";
        break;
      case "\r":
      case "\n":
        if (!this.secret) this.terminal.write("\n");
        this.lines.push(`${this.typed}\n`);
        this.typed = "";
        break;
      case "\u007f":
      case "\b":
        if (this.typed !== "" && !this.secret) this.terminal.write("\b \b");
        this.typed = [...this.typed].slice(0, -1).join("");
        return;
      case "\u0015":
        if (!this.secret) this.terminal.write("\b \b".repeat([...this.typed].length));
        this.typed = "";
        return;
      default:
        if (text.startsWith("\u001b") || (text < " " && text !== "\t") || this.typed.length > 4096) return;
        this.typed += text;
        if (!this.secret) this.terminal.write(text);
        return;
    }
    this.changed();
  }

  private async line(interrupt: Interrupt): Promise<string | null> {
    this.rawMode = false;
    for (;;) {
      interrupt.check();
      const line = this.lines.shift();
      if (line === null && this.terminal.closed) this.lines.push(null);
      if (line !== undefined) return line;
      await this.system.wait(interrupt.race(new Promise<void>((resolve) => this.wake.add(resolve))));
    }
  }

  async read(interrupt: Interrupt): Promise<Uint8Array | null> {
    const line = await this.line(interrupt);
    return line === null ? null : new TextEncoder().encode(line);
  }

  async readSecret(interrupt: Interrupt): Promise<string | null> {
    this.secret = true;
    try {
      const line = await this.line(interrupt);
      return line === null ? null : line.replace(/\n$/, "");
    } finally {
      this.secret = false;
    }
  }

  async readKey(interrupt: Interrupt): Promise<string | null> {
    this.rawMode = true;
    for (;;) {
      interrupt.check();
      const key = this.rawKeys.shift();
      if (key !== undefined) return key;
      if (this.terminal.closed) return null;
      await this.system.wait(interrupt.race(new Promise<void>((resolve) => this.wake.add(resolve))));
    }
  }

  write(data: Uint8Array, interrupt: Interrupt): Promise<void> {
    try {
      interrupt.check();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.terminal.write(this.decoder.decode(data, { stream: true }));
    return Promise.resolve();
  }

  close(): void {
    this.rawMode = false;
  }

  size(): { cols: number; rows: number } {
    return this.terminal.size();
  }
}
