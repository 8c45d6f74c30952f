/**
 * One process that runs lines of one node at a time: what runs in it, what it was told, and how it is ended where it does not react. It is watched from
 * outside, because a line may keep it from everything else.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { setPriority } from "node:os";
import { BEAT_MS, type FromSession, type ToSession } from "../../protocol.ts";
import { entry } from "../entries.ts";
import { boundCommand } from "./bound.ts";
import { usageOf } from "./usage.ts";

/** A line that got SIGINT and does not even hear it is ended by force after this long. */
const signalMs = 700;
/** Looks at which it says nothing, after which a process counts as hung: of one that runs a line, and of one whose line was interrupted. */
const silentLooksMax = 60;
const interruptedLooksMax = 2;
/** How often it is looked at. */
export const lookMs = 2 * BEAT_MS;
/** Memory a process may take, with all that is not V8's. */
const residentMaxBytes = 512 * 1024 * 1024;
/** One that has grown beyond this is not used for another line. */
const residentManyBytes = 110 * 1024 * 1024;
/** Looks at which a process computed all the time, after which it gives way to others. */
const busyLooksMax = 4;
const slowNice = 5;

/** What a line ends with: Ctrl-C, SIGKILL, and the lab's own failure. */
const interruptedStatus = 130;
const killedStatus = 137;
const lostStatus = 255;

export interface ExecSink {
  /** @param taken to be called when whoever reads it has room for more */
  output(stream: "stdout" | "stderr", data: string, taken: () => void): void;
  exit(status: number): void;
}

interface Line {
  readonly sink: ExecSink;
  interrupted: boolean;
  /** It has its status; what it left in the background goes on. */
  left: boolean;
}

export interface ProcessAround {
  readonly env: NodeJS.ProcessEnv;
  begun(pid: number): void;
  /** Nothing runs in it any more. */
  free(): void;
  gone(pid: number | undefined): void;
}

export class SessionProcess {
  private readonly child: ChildProcess;
  private readonly lines = new Map<string, Line>();
  private ready = false;
  private queue: ToSession[] = [];
  private silentLooks = 0;
  private busyLooks = 0;
  /** It used no processor time between the last two looks. */
  private calm = false;
  private processorMs = 0;
  private slowed = false;
  private large = false;
  private over = false;
  private why: { readonly text: string; readonly status: number } | undefined;
  /** Whose lines run in it; undefined while it waits for its first. */
  node: string | undefined;

  constructor(private readonly around: ProcessAround) {
    const { file, args, env } = boundCommand(entry("session"));
    const child = spawn(file, args, { env: { ...around.env, ...env }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.child = child;
    if (child.pid !== undefined) around.begun(child.pid);
    child.on("message", (message) => this.receive(message as FromSession));
    child.on("error", (error) => this.gone(`the session process did not start: ${error.message}`));
    child.on("exit", () => this.gone("the session process ended"));
  }

  /** Lines that run in it, or have left something in the background. */
  get load(): number {
    return this.lines.size;
  }

  /** It is up. */
  get started(): boolean {
    return this.ready;
  }

  /** It has answered lately. */
  get lively(): boolean {
    return this.silentLooks < interruptedLooksMax;
  }

  /** Good for another line when it has none. */
  get reusable(): boolean {
    return !this.slowed && !this.large && !this.over;
  }

  has(id: string): boolean {
    return this.lines.has(id);
  }

  run(id: string, node: string, line: string, sink: ExecSink): void {
    this.node = node;
    this.lines.set(id, { sink, interrupted: false, left: false });
    this.send({ kind: "run", id, node, line });
  }

  input(id: string, data: string | null): void {
    this.send({ kind: "input", id, data });
  }

  /** SIGINT; and the end of the process where nothing hears it. */
  interrupt(id: string): void {
    const line = this.lines.get(id);
    if (!line || line.left) return;
    this.send({ kind: "signal", id, signal: "SIGINT" });
    if (line.interrupted) return;
    line.interrupted = true;
    setTimeout(() => {
      if (this.unheard.has(id) && this.lines.has(id)) this.kill("another line of it did not react to SIGINT", killedStatus);
    }, signalMs).unref();
    this.unheard.add(id);
  }

  private readonly unheard = new Set<string>();

  /** Whoever wanted the line is gone, and so must it be. */
  abandon(id: string): void {
    this.interrupt(id);
    setTimeout(() => {
      const line = this.lines.get(id);
      if (line && !line.left && [...this.lines.values()].every(({ interrupted }) => interrupted))
        this.kill("nobody wants it", killedStatus);
    }, 2 * signalMs).unref();
  }

  private send(message: ToSession): void {
    if (this.over) return;
    if (this.ready) this.child.send(message, () => undefined);
    else this.queue.push(message);
  }

  private receive(message: FromSession): void {
    this.silentLooks = 0;
    switch (message.kind) {
      case "ready":
        this.ready = true;
        for (const waiting of this.queue.splice(0)) this.send(waiting);
        return;
      case "beat":
        return;
      case "signalled":
        this.unheard.delete(message.id);
        return;
      case "output": {
        const { id, stream, data } = message;
        this.lines.get(id)?.sink.output(stream, data, () => this.send({ kind: "taken", id, chars: data.length }));
        return;
      }
      case "exit": {
        const line = this.lines.get(message.id);
        if (!line || line.left) return;
        line.left = true;
        line.sink.exit(message.status);
        return;
      }
      case "over":
        this.unheard.delete(message.id);
        this.lines.delete(message.id);
        if (this.lines.size > 0 || this.over) return;
        this.node = undefined;
        this.busyLooks = 0;
        this.around.free();
    }
  }

  /** It waits for its first line or its next one, and did nothing between the last two looks. */
  get atRest(): boolean {
    return this.ready && this.lines.size === 0 && this.busyLooks === 0 && this.calm;
  }

  /** Looks at it from outside. */
  look(): void {
    const { pid } = this.child;
    const usage = pid === undefined ? undefined : usageOf(pid);
    if (usage !== undefined) {
      this.large = usage.residentBytes > residentManyBytes;
      if (usage.residentBytes > residentMaxBytes)
        return this.kill(`it took more than ${residentMaxBytes / 1048576} MiB of memory`, killedStatus);
      // On a computer that has much to do it gets little, and is no less busy. Its own start is no line's doing, however long that takes.
      const busy = this.ready && usage.state === "R" && usage.processorMs > this.processorMs;
      this.calm = usage.processorMs === this.processorMs;
      this.processorMs = usage.processorMs;
      this.busyLooks = busy ? this.busyLooks + 1 : 0;
      if (this.busyLooks >= busyLooksMax && pid !== undefined) this.slow(pid);
    }
    if (this.lines.size === 0 || !this.ready) return;
    this.silentLooks++;
    const interrupted = [...this.lines.values()].some((line) => line.interrupted && !line.left);
    if (this.silentLooks > (interrupted ? interruptedLooksMax : silentLooksMax))
      this.kill(`it did not answer for ${(this.silentLooks * lookMs) / 1000} s`, killedStatus);
  }

  /** It gives way to whoever computes now and then. */
  private slow(pid: number): void {
    if (this.slowed) return;
    this.slowed = true;
    try {
      setPriority(pid, slowNice);
    } catch {
      // It has just ended.
    }
  }

  /** By force. */
  kill(text: string, status: number): void {
    if (this.over) return;
    this.why ??= { text: `the shell of ${this.node ?? "a node"} was ended: ${text}`, status };
    this.child.kill("SIGKILL");
  }

  /** Of its own accord: it has nothing to do. */
  dismiss(): void {
    if (this.child.connected) this.child.disconnect();
    setTimeout(() => this.child.kill("SIGKILL"), signalMs).unref();
  }

  private gone(how: string): void {
    if (this.over) return;
    this.over = true;
    const lines = [...this.lines.values()];
    this.lines.clear();
    // V8 gives up with SIGABRT where its heap is full.
    const full = this.child.signalCode === "SIGABRT" || this.child.exitCode === 134;
    const { text, status } =
      this.why ??
      (full
        ? { text: `the shell of ${this.node ?? "a node"} was ended: memory exhausted`, status: killedStatus }
        : { text: how, status: lostStatus });
    for (const { sink, interrupted, left } of lines) {
      if (left) continue;
      if (interrupted) sink.exit(interruptedStatus);
      else {
        sink.output("stderr", `quorate: ${text}\n`, () => undefined);
        sink.exit(status);
      }
    }
    this.around.gone(this.child.pid);
  }
}
