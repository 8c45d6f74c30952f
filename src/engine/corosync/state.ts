/** What a corosync process is made of, for its snapshots: how far it has come, and what it has read. */
import type { SchedMiss } from "../cmap/index.ts";
import { CONF_PATH, readLoggers, type LoggingConfig } from "../config/index.ts";
import type { Instant, IpcEvent, LogLevel, Plain, RngState, TimersState } from "../kernel/index.ts";
import type { Call } from "./call.ts";
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

/** At exec(2). */
export function newRun(): RunState {
  return {
    phase: "exec",
    call: { file: { path: CONF_PATH, named: CONF_PATH }, test: false, foreground: true },
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
