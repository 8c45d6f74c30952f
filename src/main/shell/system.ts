/**
 * The one object through which interpreter and programs touch the node. It counts what is under way, so that the port learns when the whole shell does
 * nothing but wait (time may pass) and when it computes (a scripted line holds the floor), and it gives the event loop its turn in long loops. The
 * shell becomes a process of its machine when something of it needs one: a line that only asks leaves no trace there.
 */
import type { MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { Signal } from "../../engine/kernel/signals.ts";
import type { Duration } from "../../engine/kernel/time.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";
import { textOf } from "./bytes.ts";
import type { Interrupt } from "./interrupt.ts";
import { refusedCall } from "./outgoing.ts";
import { PortError } from "./port.ts";
import type { FileAsk, NodePort, Now, PortSession, RunningCommand, StartOptions } from "./port.ts";
import { Processes } from "./processes.ts";

/** Longest stretch of computing before input and Ctrl-C are looked at, ms of wall time. */
const SLICE_MS = 8;
/** How long output may wait for its reader before virtual time goes on meanwhile, ms of wall time. */
const READER_MS = 200;

export interface ShellKind {
  readonly terminal: boolean;
  /** What a shell without a terminal was given to run. */
  readonly line?: string;
}

export class System {
  private busyCount = 0;
  private idle = false;
  private checkPending = false;
  private lastYield = performance.now();
  private steps = 0;
  /** Everything of this shell gives the event loop its turn. */
  private turn: Promise<void> | undefined;
  private closed = false;
  private opening: Promise<PortSession> | undefined;
  private opened: PortSession | undefined;
  /** Where the shell is, which its process is, too. */
  private cwd = "/root";
  private onEnded: (status: number) => void = () => undefined;
  readonly processes = new Processes(this);
  private forks: Promise<unknown> = Promise.resolve();

  constructor(
    readonly port: NodePort,
    private readonly kind: ShellKind = { terminal: false },
  ) {}

  // ── the shell as a process ─────────────────────────────────────────────────────────────────────────────────────────

  /** The shell's process, which begins at the first call. */
  session(): Promise<PortSession> {
    this.opening ??= this.open();
    return this.opening;
  }

  private async open(): Promise<PortSession> {
    const session = await this.busy(this.port.open(this.kind.terminal, this.cwd, this.kind.line));
    this.opened = session;
    void session.ended.then((status) => {
      if (!this.closed) this.onEnded(status);
    });
    return session;
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.forks.then(work);
    this.forks = turn.catch(() => undefined);
    return turn;
  }

  /** `told` hears of the status when somebody's signal has ended the shell's process. */
  whenEnded(told: (status: number) => void): void {
    this.onEnded = told;
  }

  /** Undefined where nothing has needed it yet. */
  get process(): PortSession | undefined {
    return this.opened;
  }

  /** The shell itself has gone to another directory. */
  async moved(cwd: string): Promise<void> {
    this.cwd = cwd;
    if (this.opening) await this.busy((await this.session()).cd(cwd));
  }

  async run(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>, options: StartOptions): Promise<RunningCommand> {
    await this.writeOut();
    const session = await this.session();
    return this.busy(session.run(argv, cwd, env, options));
  }

  async kill(pid: number, signal: Signal): Promise<string | undefined> {
    const session = await this.session();
    return this.busy(session.kill(pid, signal));
  }

  // ── questions and files ────────────────────────────────────────────────────────────────────────────────────────────

  /** Files with bytes that are written but not yet on the node: whoever looks at the node sees them there first. */
  readonly unwritten = new Set<() => Promise<void>>();

  private async writeOut(): Promise<void> {
    for (const write of [...this.unwritten]) await write();
  }

  async query(query: MachineQuery): Promise<QueryReply> {
    await this.writeOut();
    return this.busy(this.port.query("argv" in query ? { ...query, argv: query.argv.map(textOf) } : query));
  }

  /** The process that asks, as far as there is one: /proc/self is its own, and only who is one can ask for it. */
  private async asking(path: string): Promise<PortSession | undefined> {
    if (/^\/proc\/(?:self|thread-self)\b/.test(path)) await this.session();
    return this.opened?.open === true ? this.opened : undefined;
  }

  /** Part of a file by its path. */
  async part(path: string, at: number, length: number): Promise<QueryReply> {
    const refused = refusedCall({ call: "stat", path });
    if (refused !== undefined) return { kind: "error", errno: refused.errno };
    const session = await this.asking(path);
    return this.query({ kind: "file-read", path, at, length, ...(session ? { session: session.id } : {}) });
  }

  /** Calls that only look: answered at once where no process has to be waited for, else as calls of the shell; "never": EAGAIN. */
  async look(calls: readonly FileCall[], interrupt?: Interrupt | "never"): Promise<FileReply[]> {
    await this.writeOut();
    const [first] = calls;
    const session = await this.asking(first && "path" in first ? first.path : "");
    const replies: FileReply[] = [];
    const asked = calls.filter((call) => refusedCall(call) === undefined);
    const answers = (asked.length === 0 ? [] : await this.busy(this.port.look(asked, session))).values();
    for (const call of calls) {
      const reply = refusedCall(call) ?? answers.next().value;
      if (reply === undefined) break;
      if (reply !== "would-wait") replies.push(reply);
      else if (interrupt === "never") replies.push({ ok: false, errno: "EAGAIN" });
      else replies.push(await this.pending((this.opened ?? this.port).file(call), interrupt));
    }
    return replies;
  }

  /** A call for which no descriptor stays. It waits as long as its reply takes; a signal ends it where the kernel lets it. */
  async call(call: FileCall, interrupt?: Interrupt): Promise<FileReply> {
    await this.writeOut();
    return this.pending((this.opened ?? this.port).file(call), interrupt);
  }

  /** A call of the shell's process: descriptors are its own. Without regard to what is unwritten. */
  async own(call: FileCall, interrupt?: Interrupt): Promise<FileReply> {
    const session = await this.session();
    return this.pending(session.file(call), interrupt);
  }

  private async pending(ask: FileAsk, interrupt: Interrupt | undefined): Promise<FileReply> {
    await this.busy(ask.made);
    const off = interrupt?.onFire(() => ask.interrupt());
    try {
      return await this.wait(ask.reply);
    } finally {
      off?.();
    }
  }

  now(): Promise<Now> {
    return this.busy(this.port.now());
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Virtual time passes. Rejects with Interrupted. */
  async sleep(duration: Duration, interrupt: Interrupt): Promise<void> {
    const sleep = this.port.sleep(duration);
    try {
      await this.wait(interrupt.race(sleep.done));
      await this.goesOn(interrupt);
    } finally {
      sleep.cancel();
    }
  }

  /** Waits while what runs under `interrupt` is stopped. Rejects with Interrupted. */
  private async goesOn(interrupt: Interrupt): Promise<void> {
    if (interrupt.stopped) await this.wait(interrupt.race(interrupt.running()));
  }

  /** Something of this session is being worked on until `work` settles: no virtual time may pass. */
  async busy<T>(work: Promise<T>): Promise<T> {
    this.busyCount++;
    this.wake();
    try {
      return await work;
    } finally {
      this.busyCount--;
      this.check();
    }
  }

  /** Waits for what needs virtual time or the caller's input. */
  async wait<T>(event: Promise<T>): Promise<T> {
    this.wake();
    this.check();
    try {
      return await event;
    } finally {
      this.wake();
      this.check();
    }
  }

  /** Waits until whoever reads the output has room. One who reads slowly stops no time. */
  async blocked(room: Promise<void>, interrupt: Interrupt): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const soon = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), READER_MS)));
    const there = room.then(() => true);
    try {
      if (await this.busy(interrupt.race(Promise.race([there, soon])))) return;
    } finally {
      clearTimeout(timer);
    }
    await this.wait(interrupt.race(room));
  }

  /**
   * Called at every step of the interpreter and in every long loop of a program: bounds how long the event loop is kept from its other work. Where a turn
   * of it is due, all that computes here waits for the same one, however much it is.
   */
  async step(interrupt: Interrupt): Promise<void> {
    interrupt.check();
    await this.goesOn(interrupt);
    if (!this.turn) {
      if (++this.steps % 32 !== 0 || performance.now() - this.lastYield < SLICE_MS) return;
      this.turn = this.busy(new Promise<void>((resolve) => setImmediate(resolve))).then(() => {
        this.turn = undefined;
        this.lastYield = performance.now();
      });
    }
    await this.turn;
    interrupt.check();
  }

  /** The shell has ended: it neither computes nor waits any more. Its process ends with `status`, or by its terminal's hang-up. */
  async close(status?: number): Promise<void> {
    this.closed = true;
    try {
      await (await this.opening)?.close(status);
    } catch (error) {
      // The machine is gone, and the process with it.
      if (!(error instanceof PortError)) throw error;
    }
  }

  private wake(): void {
    if (!this.idle) return;
    this.idle = false;
    this.port.waiting(false);
  }

  /** All promises that can go on have gone on by the time `setImmediate` runs; what is left then waits. */
  private check(): void {
    if (this.checkPending || this.closed) return;
    this.checkPending = true;
    setImmediate(() => {
      this.checkPending = false;
      if (this.busyCount > 0 || this.idle || this.closed) return;
      const announced = this.processes.announce();
      if (announced) {
        void this.busy(announced);
        return;
      }
      this.idle = true;
      this.port.waiting(true);
    });
  }
}
