/**
 * What a unit is after its files are read: plain, frozen data that the manager, systemctl and a snapshot share. In the real stack: the fields of struct Unit, Service and
 * Timer that come from unit files; systemd.unit(5), systemd.service(5), systemd.kill(5), systemd.timer(5). Left out: resource control, sandboxing, sockets' own settings.
 */
import { MINUTE, MS, SEC, type Duration, type Signal } from "../../kernel/index.ts";
import type { UnitType } from "./names.ts";
import type { ExecCommand } from "./values.ts";

/** Dependencies as unit files name them. */
export const DEPENDENCIES = [
  "Requires",
  "Requisite",
  "Wants",
  "BindsTo",
  "PartOf",
  "Conflicts",
  "Before",
  "After",
  "OnFailure",
  "OnSuccess",
  "Triggers",
] as const;
export type Dependency = (typeof DEPENDENCIES)[number];
export type Dependencies = { readonly [kind in Dependency]: readonly string[] };

export const LOAD_STATES = ["loaded", "not-found", "bad-setting", "error", "masked"] as const;
export type LoadState = (typeof LOAD_STATES)[number];

/** One Condition…= or Assert…=. */
export interface Check {
  /** `PathExists`. */
  readonly kind: string;
  readonly value: string;
  /** `!`. */
  readonly negated: boolean;
  /** `|`: one of these is enough. */
  readonly trigger: boolean;
}

export const SERVICE_TYPES = ["simple", "exec", "forking", "oneshot", "notify", "idle", "dbus"] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];
export const RESTART_POLICIES = ["no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"] as const;
export type RestartPolicy = (typeof RESTART_POLICIES)[number];
export const KILL_MODES = ["control-group", "mixed", "process", "none"] as const;
export type KillMode = (typeof KILL_MODES)[number];
export const EXEC_KINDS = [
  "ExecCondition",
  "ExecStartPre",
  "ExecStart",
  "ExecStartPost",
  "ExecReload",
  "ExecStop",
  "ExecStopPost",
] as const;
export type ExecKind = (typeof EXEC_KINDS)[number];

/** Exit codes and signals of a list like SuccessExitStatus=. */
export interface ExitSet {
  readonly codes: readonly number[];
  readonly signals: readonly Signal[];
}

export interface ServiceDefinition {
  readonly type: ServiceType;
  readonly exec: { readonly [kind in ExecKind]: readonly ExecCommand[] };
  readonly remainAfterExit: boolean;
  readonly timeoutStart: Duration;
  readonly timeoutStop: Duration;
  readonly timeoutAbort: Duration | undefined;
  readonly runtimeMax: Duration;
  readonly restart: RestartPolicy;
  readonly restartSec: Duration;
  readonly successExit: ExitSet;
  readonly restartPrevent: ExitSet;
  readonly restartForce: ExitSet;
  readonly watchdog: Duration;
  readonly pidFile: string | undefined;
  readonly killMode: KillMode;
  readonly killSignal: Signal;
  readonly restartKillSignal: Signal | undefined;
  readonly finalKillSignal: Signal;
  readonly watchdogSignal: Signal;
  readonly sendSigkill: boolean;
  readonly sendSighup: boolean;
  readonly environment: readonly (readonly [name: string, value: string])[];
  /** With a leading `-` where it may be missing. */
  readonly environmentFiles: readonly string[];
  readonly workingDirectory: string | undefined;
  readonly user: string | undefined;
}

export interface TimerDefinition {
  /** Of the timer's start, the boot, the unit's last start and last end, the manager's start. */
  readonly monotonic: readonly { readonly base: TimerBase; readonly span: Duration }[];
  readonly calendar: readonly string[];
  readonly unit: string;
  readonly persistent: boolean;
  readonly accuracy: Duration;
  readonly randomizedDelay: Duration;
  readonly fixedRandomDelay: boolean;
  readonly remainAfterElapse: boolean;
}

export const TIMER_BASES = ["OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"] as const;
export type TimerBase = (typeof TIMER_BASES)[number];

export interface InstallDefinition {
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
  readonly alias: readonly string[];
  readonly also: readonly string[];
  readonly defaultInstance: string | undefined;
}

export interface UnitDefinition {
  readonly name: string;
  readonly type: UnitType;
  readonly loadState: LoadState;
  /** The file it comes from; undefined where there is none. */
  readonly fragment: string | undefined;
  readonly dropIns: readonly string[];
  readonly description: string;
  readonly documentation: readonly string[];
  readonly dependencies: Dependencies;
  readonly defaultDependencies: boolean;
  readonly conditions: readonly Check[];
  readonly asserts: readonly Check[];
  readonly startLimitInterval: Duration;
  readonly startLimitBurst: number;
  readonly allowIsolate: boolean;
  readonly refuseManualStart: boolean;
  readonly refuseManualStop: boolean;
  readonly ignoreOnIsolate: boolean;
  readonly jobTimeout: Duration;
  readonly successAction: string;
  readonly failureAction: string;
  readonly service: ServiceDefinition | undefined;
  readonly timer: TimerDefinition | undefined;
  readonly install: InstallDefinition;
  /** Over everything above: two definitions with the same hash are the same. */
  readonly hash: string;
}

/** systemd-system.conf(5): DefaultTimeoutStartSec and so on. */
export const DEFAULT_TIMEOUT: Duration = 90 * SEC;
export const DEFAULT_RESTART: Duration = 100 * MS;
export const DEFAULT_START_LIMIT_INTERVAL: Duration = 10 * SEC;
export const DEFAULT_START_LIMIT_BURST = 5;
export const DEFAULT_TIMER_ACCURACY: Duration = MINUTE;
