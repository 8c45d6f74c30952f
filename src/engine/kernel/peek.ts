/**
 * Who asks a machine without being one of its processes: a query. It has no place in the process table, no descriptor, and leaves no access time; what would have to wait, or change
 * something, is undefined here, and whoever wants it has to become a process. Nothing in the real stack.
 */
import type { IpcRequest, Peeked } from "./ipc.ts";
import type { Instant } from "./time.ts";
import type { FileCall, FileReply } from "./vfs.ts";

/** What a process knows of itself, or would if it were one. */
export type SelfFacts = {
  readonly now: Instant;
  /** Microseconds since 1970. */
  readonly unixMicros: number;
  readonly hostname: string;
  /** Which release of the stack is installed. */
  readonly release: string;
  readonly pid: number;
  readonly cwd: string;
};

export interface Peeker {
  self(): SelfFacts;
  /** Somebody serves the name. */
  serves(service: string): boolean;
  service(service: string, request: IpcRequest): Peeked;
  /** A call that only looks. */
  file(call: FileCall): FileReply | undefined;
  /** The whole contents of a file: a "data" reply, or an error. */
  contents(path: string): FileReply | undefined;
}
