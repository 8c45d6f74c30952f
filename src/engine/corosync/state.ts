/** What a corosync process is made of, for its snapshots: how far it has come, and what it has read. */
import type { SchedMiss } from "../cmap/index.ts";
import { CONF_PATH, RELEASE_DEFAULT, readLoggers, type LoggingConfig, type Release } from "../config/index.ts";
import type { Instant, IpcEvent, LogLevel, Plain, RngState, TimersState } from "../kernel/index.ts";
import { LOCK, type Call } from "./call.ts";
import type { Settings } from "./settings.ts";
import type { StackState } from "./stack.ts";

type Phase = "exec" | "configured" | "knet" | "running" | "unloading" | "draining" | "dead";

/** Messages without a subsystem come from before the log is set up. */
export interface RefusalLine {
  readonly level: LogLevel;
  readonly subsystem: string | undefined;
  readonly text: string;
}

export interface RunState {
  phase: Phase;
  call: Call;
  /** What was installed when it began. */
  release: Release;
  /** Its standard error is still somebody's: it is not in the background. */
  heard: boolean;
  logging: LoggingConfig;
  /** Descriptors of its log files, by the names they have in the configuration. */
  logFiles: { [file: string]: number };
  /** The services will refuse the configuration when they are loaded. */
  refusal: { exitCode: number; messages: RefusalLine[] } | undefined;
  /** What clients had asked while it did not run, until its late timers have run. */
  asked: IpcEvent[];
  /** The main loop's own timer last ran. */
  lastTick: Instant;
  /** The latest times it came late, newest first: stats.schedmiss.*. */
  schedMisses: SchedMiss[];
  /** Services unloaded so far, and the gaps before the next ones. */
  unloaded: number;
  gaps: number[];
}

export interface CorosyncState {
  run: RunState;
  timers: TimersState;
  rng: RngState;
  settings: Settings | undefined;
  stack: StackState | undefined;
  services: Plain;
}

/** corosync: exit status where another process holds the lock file. */
export const EXIT_LOCKED = 18;
/** corosync's exit status after corosync_fatal_error and exit(-1). */
export const EXIT_FATAL = 255;

/** corosync.conf(5), system.sched_rr: the highest there is, unless told otherwise. */
export const REAL_TIME_PRIORITY = 99;

/** corosync: MAX_SCHEDMISS_EVENTS. */
export const SCHED_MISSES_KEPT = 10;

/** At exec(2). */
export function newRun(): RunState {
  return {
    phase: "exec",
    call: { file: { path: CONF_PATH, named: CONF_PATH }, test: false, foreground: true, lock: LOCK },
    release: RELEASE_DEFAULT,
    heard: true,
    logging: readLoggers(new Map()),
    logFiles: {},
    refusal: undefined,
    asked: [],
    lastTick: 0,
    schedMisses: [],
    unloaded: 0,
    gaps: [],
  };
}
