/**
 * What systemctl and journalctl see of the service manager and of the journal, all of it at one instant. They are the two tools that still are written as functions of such a view instead of asking
 * by `yield`; manager-tools.ts makes tools of them. It goes when they do.
 */
import type { Instant, JournalLine, UnitState } from "../kernel/index.ts";

/** One systemd service unit. */
export interface UnitView {
  /** Without `.service`. */
  readonly name: string;
  readonly description: string;
  readonly execStart: string;
  readonly state: UnitState;
  /** Activating, but without a process: systemd waits before it starts it again. */
  readonly autoRestart?: boolean;
  readonly enabled: boolean;
  /** systemd's result word: success, exit-code, signal, core-dump, timeout, protocol, start-limit-hit. */
  readonly result: string;
  /** `code=exited, status=8/n/a` of the last main process; undefined before its first end. */
  readonly exitText: string | undefined;
  readonly conditionPath: string | undefined;
  readonly conditionFailedAt: Instant | undefined;
  /** 0 while no main process runs. */
  readonly mainPid: number;
  readonly since: Instant;
  readonly startedAt: Instant | undefined;
  readonly endedAt: Instant | undefined;
  readonly job: "start" | "stop" | undefined;
  /** How the last start job ended. */
  readonly lastJob: "done" | "failed" | "timeout" | "canceled" | undefined;
}

export interface ToolHost {
  readonly hostname: string;
  readonly now: Instant;
  /** Microseconds since 1970 of instant 0. */
  readonly epochUnixMicros: number;
  unit(name: string): UnitView | undefined;
  /** In the order they start at boot. */
  units(): readonly UnitView[];
  /** Journal lines with index ≥ `from`, oldest first. */
  journalSince(from: number): readonly JournalLine[];
  journalLength(): number;
}
