/**
 * How services end and what follows from it: the results that systemd knows, their words in the journal and in `systemctl status`, and the causes after which
 * Restart= starts a unit again. Sources: systemd.service(5), observed journals. Left out: SuccessExitStatus= and its like, which no unit here sets.
 */
import { SIGNALS, defaultAction, type ProcessExit, type Signal } from "../kernel/index.ts";

const CLEAN: ReadonlySet<Signal> = new Set(["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"]);

export type UnitResult = "success" | "exit-code" | "signal" | "core-dump" | "timeout" | "protocol" | "start-limit-hit";

/** How a process ended: wait(2)'s status taken apart. */
export type ExitStatus = ProcessExit;

/** Names systemd prints for exit codes: libc's, LSB's, and its own for 255; others are `n/a` (exit-status.c). */
const EXIT_NAMES: Readonly<Record<number, string>> = {
  0: "SUCCESS",
  1: "FAILURE",
  2: "INVALIDARGUMENT",
  3: "NOTIMPLEMENTED",
  4: "NOPERMISSION",
  5: "NOTINSTALLED",
  6: "NOTCONFIGURED",
  7: "NOTRUNNING",
  255: "EXCEPTION",
};

/** `code=exited, status=8/n/a`, as in journal and `systemctl status`. */
export function exitText(exit: ExitStatus): string {
  if ("code" in exit) return `code=exited, status=${exit.code}/${EXIT_NAMES[exit.code] ?? "n/a"}`;
  return `code=${dumps(exit.signal) ? "dumped" : "killed"}, status=${SIGNALS[exit.signal]}/${exit.signal.slice("SIG".length)}`;
}

const dumps = (signal: Signal): boolean => defaultAction(signal) === "core";

/** Restart= → the results after which a unit is started again (systemd.service(5), the table of exit causes). */
export const RESTARTS: Readonly<Record<string, readonly UnitResult[]>> = {
  always: ["success", "exit-code", "signal", "core-dump", "timeout", "protocol"],
  "on-success": ["success"],
  "on-failure": ["exit-code", "signal", "core-dump", "timeout", "protocol"],
  "on-abnormal": ["signal", "core-dump", "timeout", "protocol"],
  "on-abort": ["signal", "core-dump"],
};

export function resultOf(exit: ExitStatus): UnitResult {
  if ("code" in exit) return exit.code === 0 ? "success" : "exit-code";
  if (dumps(exit.signal)) return "core-dump";
  // systemd.service(5): SIGHUP, SIGINT, SIGTERM and SIGPIPE count as a clean end.
  return CLEAN.has(exit.signal) ? "success" : "signal";
}
