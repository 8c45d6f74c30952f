/**
 * What the service manager needs of its machine, and nothing else of it: processes, timers, the journal, files. In the real stack: the system calls of PID 1. The process
 * table implements it; so can a test with a handful of closures.
 */
import type { Instant, LogLevel, ProcessExit, Rng, Signal, TraceEvent } from "../../kernel/index.ts";
import type { ExecKind } from "./definition.ts";
import type { FileEdits, FileView } from "./files.ts";
import type { HostFacts } from "./names.ts";

export interface SpawnRequest {
  readonly unit: string;
  /** Which line of the unit file it is: the process of ExecStart= is a unit's main one, all others are its control processes. */
  readonly kind: ExecKind;
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly cwd: string;
  readonly user: string;
}

/** A process of its own id in any case, as fork(2) has come before execve(2). `errno`: there is no such program, and the process is gone again; ENOSYS: the lab does not run what is there. */
export interface Spawned {
  readonly pid: number;
  readonly errno?: "ENOENT" | "EACCES" | "ENOSYS";
}

export type SystemAction = "poweroff" | "reboot" | "halt";

export interface ManagerHooks {
  now(): Instant;
  /** Microseconds since 1970. */
  unixMicros(): number;
  /** One timer a name; `Manager.timer(name)` is called when it runs out. */
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  /** A line of PID 1 about a unit (`corosync`, `basic.target`); `as`: a process of the unit that has not become its program yet. */
  log(unit: string, level: LogLevel, text: string, as?: { readonly pid: number; readonly identifier: string }): void;
  trace(event: TraceEvent): void;
  /** A generator of its own for every list of labels. */
  rng(...labels: readonly string[]): Rng;
  readonly host: HostFacts;
  readonly files: FileView;
  readonly edits: FileEdits;
  /** fork and exec in the unit's control group. Its end is told by `Manager.exited`, which may come at once. */
  spawn(request: SpawnRequest): Spawned;
  kill(pid: number, signal: Signal): void;
  /** The processes of a unit's control group; `command` as ps(1) has it. */
  processes(unit: string): readonly { readonly pid: number; readonly name: string; readonly command?: string }[];
  /** Every job of the boot is done. */
  started(): void;
  /** A unit's SuccessAction= or FailureAction=: everything is stopped, or is not waited for. */
  act(action: SystemAction): void;
}

/** What sd_notify(3) may say: `READY=1`, `STOPPING=1`, `RELOADING=1`, `WATCHDOG=1`, `MAINPID=…`, `STATUS=…`. */
export type Notification = { readonly [variable: string]: string };

export type { ProcessExit };
