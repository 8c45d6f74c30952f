/**
 * What the lab's process and a session process say to each other over the parent's IPC channel. The session reaches the lab's nodes over the
 * local socket, as every client does; this channel carries only the lines to run and what they print.
 */

/** Characters of output a line may have under way: beyond that its programs wait, as at a full pipe. */
export const CREDIT_CHARS = 64 * 1024;

/** How often a session process that runs a line says that it is alive, ms. */
export const BEAT_MS = 250;

export type ToSession =
  | { kind: "run"; id: string; node: string; line: string }
  /** null is end of input. */
  | { kind: "input"; id: string; data: string | null }
  | { kind: "signal"; id: string; signal: "SIGINT" }
  /** So many characters of its output have been taken. */
  | { kind: "taken"; id: string; chars: number };

export type FromSession =
  | { kind: "ready" }
  | { kind: "output"; id: string; stream: "stdout" | "stderr"; data: string }
  /** The line has its status, and nobody holds its output. */
  | { kind: "exit"; id: string; status: number }
  /** What it left in the background has ended, too. */
  | { kind: "over"; id: string }
  /** A signal has come. */
  | { kind: "signalled"; id: string }
  | { kind: "beat" };
