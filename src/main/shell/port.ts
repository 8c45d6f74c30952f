/**
 * What a shell needs of the machine it runs on, and nothing else: questions, file calls, a session with processes, virtual time. A shell that holds a
 * port reaches the lab's node; it never reaches the computer the lab runs on. What the machine's acts and effects mean for a shell stands in
 * machine-port.ts; they come and go over the lab's API (client-port.ts) or to a world in the same process (world-port.ts).
 */
import type { MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { Signal } from "../../engine/kernel/signals.ts";
import type { Duration, Instant } from "../../engine/kernel/time.ts";
import type { FileCall, FileReply } from "../../engine/kernel/vfs.ts";

/** The lab itself failed (no such node, node off, lab gone): no program of the node can answer for it. `exec` exits 255. */
export class PortError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export type CommandEvent =
  | { kind: "output"; stream: "stdout" | "stderr"; text: string }
  /** The command waits for a line; `echo` false for a password. */
  | { kind: "prompt"; echo: boolean }
  /** A signal stopped it, or it goes on. */
  | { kind: "stopped"; stopped: boolean }
  | { kind: "exit"; status: number };

/** A process of the machine that this shell started. */
export interface RunningCommand {
  /** 0 where it did not begin. */
  readonly pid: number;
  /** The next event, in order. After `exit` it is `exit` again. Rejects with PortError when the node goes away. */
  next(): Promise<CommandEvent>;
  signal(signal: Signal): void;
  /** undefined is end of input. */
  input(line: string | undefined): void;
}

/** A process of the machine that this shell carries out itself: it does nothing there but be there, and get signals. */
export interface Fork {
  readonly id: string;
  readonly pid: number;
  /** What happens to it there: `stopped`, and `exit` by a signal. */
  next(): Promise<CommandEvent>;
  /** It goes on as another program that is carried out here. */
  exec(argv: readonly string[]): Promise<void>;
  exit(status: number): Promise<void>;
}

/** A file call under way. */
export interface FileAsk {
  /** The machine has got it; a reply that needs no waiting is there then. */
  readonly made: Promise<void>;
  readonly reply: Promise<FileReply>;
  /** A signal reaches the caller: the reply is EINTR where the call can be interrupted. */
  interrupt(): void;
}

export interface StartOptions {
  /** The fork that executes the program; absent: a new process. */
  readonly process?: Fork | undefined;
  /** The fork that is its parent; absent: the shell. */
  readonly parent?: Fork | undefined;
  /** It leads a process group of its own. */
  readonly group?: boolean;
}

/** The shell as a process of the machine. */
export interface PortSession {
  readonly id: string;
  readonly pid: number;
  /** `pts/0`; "" without a terminal. */
  readonly tty: string;
  /** Whether the shell's process is still there. */
  readonly open: boolean;
  /** The exit status, when the shell's process has ended: by `close`, or by somebody's signal. */
  readonly ended: Promise<number>;
  cd(cwd: string): Promise<void>;
  /** A call of the shell itself: descriptors are its own. */
  file(call: FileCall): FileAsk;
  run(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>, options?: StartOptions): Promise<RunningCommand>;
  fork(argv: readonly string[] | undefined, options?: StartOptions): Promise<Fork>;
  /** kill(2). @returns an errno name, undefined on success */
  kill(pid: number, signal: Signal): Promise<string | undefined>;
  /** The shell exits; without a status its terminal hangs up. */
  close(status?: number): Promise<void>;
}

export interface Sleep {
  readonly done: Promise<void>;
  cancel(): void;
}

export interface Now {
  /** µs since the epoch. */
  readonly instant: Instant;
  /** µs of the epoch since 1970. */
  readonly epoch: number;
}

export interface NodePort {
  /** Name of the machine. */
  readonly node: string;
  query(query: MachineQuery): Promise<QueryReply>;
  /** Calls that only look, by the shell's process or by root in the root directory, answered at once and without a trace; "would-wait" where a process would have to be waited for. */
  look(calls: readonly FileCall[], session?: PortSession): Promise<readonly (FileReply | "would-wait")[]>;
  /** One call by root in the root directory, for which no descriptor stays. */
  file(call: FileCall): FileAsk;
  /** Makes the shell a process of the machine. `line`: what a shell without a terminal was given to run. */
  open(terminal: boolean, cwd: string, line?: string): Promise<PortSession>;
  /** Ends when `duration` µs of virtual time have passed. */
  sleep(duration: Duration): Sleep;
  now(): Promise<Now>;
  /** Tells when the machine loses its power, is rebooted or the lab ends: whatever runs on it is gone. @returns a function that stops telling */
  onGone(listener: (error: PortError) => void): () => void;
  /** True: everything in this shell waits (for the node, for virtual time, for its caller's input), so time may pass. False: it computes. */
  waiting(waiting: boolean): void;
}
