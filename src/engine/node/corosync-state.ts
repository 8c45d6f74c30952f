/** What a corosync process is made of, for its snapshots: where it is in its life, and what it has read. */
import type { SchedMiss } from "../cmap/index.ts";
import type { Instant, LogLevel, RngState, TimersState } from "../kernel/index.ts";
import { emptySocket, type SocketBuffer } from "../machine/index.ts";
import type { Launch } from "./launch.ts";
import type { EarlyLogging, Settings } from "./settings.ts";
import type { StackState } from "./stack.ts";

type Phase = "exec" | "configured" | "knet" | "running" | "unloading" | "draining" | "dead";

export interface RefusalLine {
  readonly level: LogLevel;
  readonly subsystem: string | undefined;
  readonly text: string;
}

export interface LifeState {
  phase: Phase;
  pid: number;
  launch: Launch;
  /** Its standard error is still heard: it is not in the background. */
  heard: boolean;
  logging: EarlyLogging;
  /** It has the lock file. */
  holds: boolean;
  /** The process is stopped by SIGSTOP, or its machine stalls. */
  stopped: boolean;
  stoppedAt: Instant;
  /** SIGTERM arrived while stopped. */
  termPending: boolean;
  /** The services will refuse the configuration when they are loaded. */
  refusal: { exitCode: number; messages: RefusalLine[] } | undefined;
  socket: SocketBuffer;
  /** The main loop's own timer last ran. */
  lastTick: Instant;
  /** The latest times it came late, newest first: stats.schedmiss.*. */
  schedMisses: SchedMiss[];
  /** Services unloaded so far, and the gaps before the next ones. */
  unloaded: number;
  gaps: number[];
}

export interface CorosyncState {
  life: LifeState;
  timers: TimersState;
  rng: RngState;
  settings: Settings | undefined;
  stack: StackState | undefined;
}

/** At exec(2). */
export function newLife(pid: number, launch: Launch): LifeState {
  return {
    phase: "exec",
    pid,
    launch,
    heard: launch.heard,
    logging: { syslog: true, stderr: true, timestamp: "hires" },
    holds: false,
    stopped: false,
    stoppedAt: 0,
    termPending: false,
    refusal: undefined,
    socket: emptySocket(),
    lastTick: 0,
    schedMisses: [],
    unloaded: 0,
    gaps: [],
  };
}
