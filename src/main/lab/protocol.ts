/**
 * What the lab's process and the exec session process say to each other over the parent's IPC channel. The session reaches the lab's nodes over the
 * local socket, as every client does; this channel carries only the lines to run and what they print.
 */

export type ToSession =
  | { kind: "run"; id: string; node: string; line: string }
  /** null is end of input. */
  | { kind: "input"; id: string; data: string | null }
  | { kind: "signal"; id: string; signal: "SIGINT" };

export type FromSession =
  | { kind: "ready" }
  | { kind: "output"; id: string; stream: "stdout" | "stderr"; data: string }
  | { kind: "exit"; id: string; status: number };
