/**
 * What a shell needs of the machine it runs on, and nothing else: questions, changes of files, modelled commands, virtual time. A shell that holds a
 * port reaches the lab's node; it never reaches the computer the lab runs on. Implemented over the lab's API (client-port.ts) and over a world in
 * the same process (world-port.ts).
 */
import type { FileAct, MachineQuery, QueryReply } from "../../engine/kernel/machine.ts";
import type { Duration, Instant } from "../../engine/kernel/time.ts";

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
  | { kind: "exit"; status: number };

/** A modelled command that acts or waits, running on the node. */
export interface RunningCommand {
  /** The next event, in order. After `exit` it is `exit` again. Rejects with PortError when the node goes away. */
  next(): Promise<CommandEvent>;
  signal(signal: "SIGINT" | "SIGTERM"): void;
  /** undefined is end of input. */
  input(line: string | undefined): void;
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

/** What became of a change of a file. */
export interface FileChanged {
  /** An errno name; undefined on success. */
  readonly errno: string | undefined;
  /** Virtual time that the disk still takes for it. */
  readonly lasts: Duration;
}

export interface NodePort {
  /** Name of the machine. */
  readonly node: string;
  query(query: MachineQuery): Promise<QueryReply>;
  file(act: FileAct): Promise<FileChanged>;
  command(argv: readonly string[], cwd: string, stdin: string): Promise<RunningCommand>;
  /** Ends when `duration` µs of virtual time have passed. */
  sleep(duration: Duration): Sleep;
  now(): Promise<Now>;
  /** Tells when the machine loses its power, is rebooted or the lab ends: whatever runs on it is gone. @returns a function that stops telling */
  onGone(listener: (error: PortError) => void): () => void;
  /** True: everything in this shell waits (for the node, for virtual time, for its caller's input), so time may pass. False: it computes. */
  waiting(waiting: boolean): void;
}
