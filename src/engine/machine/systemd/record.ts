/** What the manager remembers of each unit while it runs: plain data. In the real stack: the run-time fields of struct Unit, Service and Timer, and struct Job. */
import type { Hasher, Instant, ProcessExit } from "../../kernel/index.ts";
import type { Check, ExecKind, UnitDefinition } from "./definition.ts";
import type { UnitResult } from "./exits.ts";

export const ACTIVE_STATES = ["active", "reloading", "inactive", "failed", "activating", "deactivating"] as const;
export type ActiveState = (typeof ACTIVE_STATES)[number];

/** States of a service, as `systemctl show -p SubState` has them. */
export const SERVICE_STATES = {
  dead: "inactive",
  condition: "activating",
  "start-pre": "activating",
  start: "activating",
  "start-post": "activating",
  running: "active",
  exited: "active",
  reload: "reloading",
  stop: "deactivating",
  "stop-watchdog": "deactivating",
  "stop-sigterm": "deactivating",
  "stop-sigkill": "deactivating",
  "stop-post": "deactivating",
  "final-watchdog": "deactivating",
  "final-sigterm": "deactivating",
  "final-sigkill": "deactivating",
  failed: "failed",
  "auto-restart": "activating",
} as const satisfies { readonly [state: string]: ActiveState };
export type ServiceState = keyof typeof SERVICE_STATES;

/** One process that a unit had: its pid, what it was, and how it ended. */
export interface ExecRecord {
  readonly kind: ExecKind;
  readonly index: number;
  readonly pid: number;
  readonly startedAt: Instant;
  readonly endedAt: Instant | undefined;
  readonly exit: ProcessExit | undefined;
}

export interface ServiceRecord {
  result: UnitResult;
  reloadResult: UnitResult;
  mainPid: number;
  controlPid: number;
  /** The command that the control process, or the main one of a oneshot, is in its list. */
  control: { kind: ExecKind; index: number } | undefined;
  mainIndex: number;
  /** How the last main process ended. */
  mainExit: ProcessExit | undefined;
  /** The processes of the last run, the newest of each command. */
  execs: ExecRecord[];
  restarts: number;
  /** Somebody asked for the stop: no restart follows. */
  forbidRestart: boolean;
  /** The stop that was asked for does without ExecStop=. */
  bySignal: boolean;
  /** Its last stop belongs to a restart. */
  restarting: boolean;
  /** A restart by itself is coming or under way: its counter goes on. */
  keepRestarts: boolean;
  statusText: string;
  /** WATCHDOG_USEC= of a notification, µs. */
  watchdogOverride: number | undefined;
}

export interface TimerRecord {
  /** Instants of the earliest elapse; undefined where none comes. */
  nextAt: Instant | undefined;
  lastTriggerUnixMicros: number | undefined;
  lastTriggerAt: Instant | undefined;
  /** Monotonic ones of OnActiveSec=, OnBootSec=, OnStartupSec= that have elapsed. */
  spent: number[];
  result: UnitResult;
}

export interface UnitRecord {
  active: ActiveState;
  sub: string;
  /** Of the last change of `active` or `sub`. */
  since: Instant;
  activeEnter: Instant | undefined;
  activeExit: Instant | undefined;
  inactiveEnter: Instant | undefined;
  inactiveExit: Instant | undefined;
  conditionAt: Instant | undefined;
  /** The condition or assertion that did not hold. */
  unmet: Check | "trigger" | undefined;
  assertAt: Instant | undefined;
  assertUnmet: Check | "trigger" | undefined;
  limitSince: Instant;
  limitStarts: number;
  service: ServiceRecord | undefined;
  timer: TimerRecord | undefined;
}

export const JOB_TYPES = ["start", "verify-active", "stop", "reload", "restart", "reload-or-start"] as const;
export type JobType = (typeof JOB_TYPES)[number];
export type JobResult = "done" | "canceled" | "timeout" | "failed" | "dependency" | "skipped" | "invalid" | "assert";

export interface Job {
  readonly id: number;
  readonly unit: string;
  type: JobType;
  running: boolean;
  /** To be looked at: it may be able to run now. */
  queued: boolean;
  irreversible: boolean;
  ignoreOrder: boolean;
}

export const JOB_MODES = ["replace", "fail", "replace-irreversibly", "isolate", "ignore-dependencies"] as const;
export type JobMode = (typeof JOB_MODES)[number];

export function newService(): ServiceRecord {
  return {
    result: "success",
    reloadResult: "success",
    mainPid: 0,
    controlPid: 0,
    control: undefined,
    mainIndex: 0,
    mainExit: undefined,
    execs: [],
    restarts: 0,
    forbidRestart: false,
    bySignal: false,
    restarting: false,
    keepRestarts: false,
    statusText: "",
    watchdogOverride: undefined,
  };
}

/** A unit that has never run. */
export function newRecord(unit: UnitDefinition): UnitRecord {
  return {
    active: "inactive",
    sub: "dead",
    since: 0,
    activeEnter: undefined,
    activeExit: undefined,
    inactiveEnter: undefined,
    inactiveExit: undefined,
    conditionAt: undefined,
    unmet: undefined,
    assertAt: undefined,
    assertUnmet: undefined,
    limitSince: Number.NEGATIVE_INFINITY,
    limitStarts: 0,
    service: unit.type === "service" ? newService() : undefined,
    timer:
      unit.type === "timer"
        ? { nextAt: undefined, lastTriggerUnixMicros: undefined, lastTriggerAt: undefined, spent: [], result: "success" }
        : undefined,
  };
}

/** Mixes what decides over its future into `h`. */
export function digestRecord(h: Hasher, r: UnitRecord | undefined): void {
  if (r === undefined) return;
  h.text(r.active).text(r.sub).int(r.since).int(r.limitStarts);
  if (r.limitSince >= 0) h.int(r.limitSince);
  if (r.service !== undefined) {
    const s = r.service;
    h.text(s.result)
      .int(s.mainPid)
      .int(s.controlPid)
      .int(s.mainIndex)
      .int(s.restarts)
      .bool(s.forbidRestart)
      .bool(s.bySignal)
      .bool(s.keepRestarts)
      .bool(s.restarting);
    h.text(s.control === undefined ? "" : `${s.control.kind}/${s.control.index}`);
  }
  if (r.timer !== undefined) h.int(r.timer.nextAt ?? -1).int(r.timer.lastTriggerUnixMicros ?? -1);
}
