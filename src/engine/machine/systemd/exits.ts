/**
 * How processes end and what a service makes of it: names of exit codes, the results that systemd knows, their texts in the journal, and the causes after which Restart=
 * starts a unit again. In the real stack: exit-status.c and service_shall_restart of service.c; systemd.exec(5), systemd.service(5).
 */
import { SIGNALS, type ProcessExit, type Signal } from "../../kernel/index.ts";
import type { ExitSet, RestartPolicy, ServiceDefinition } from "./definition.ts";

export const RESULTS = [
  "success",
  "resources",
  "protocol",
  "timeout",
  "exit-code",
  "signal",
  "core-dump",
  "watchdog",
  "start-limit-hit",
  "oom-kill",
  "exec-condition",
] as const;
export type UnitResult = (typeof RESULTS)[number];

/** Names systemd prints for exit codes: libc's, LSB's, and its own; others are `n/a`. */
const EXIT_NAMES: Readonly<Record<number, string>> = {
  0: "SUCCESS",
  1: "FAILURE",
  2: "INVALIDARGUMENT",
  3: "NOTIMPLEMENTED",
  4: "NOPERMISSION",
  5: "NOTINSTALLED",
  6: "NOTCONFIGURED",
  7: "NOTRUNNING",
  200: "CHDIR",
  203: "EXEC",
  217: "USER",
  255: "EXCEPTION",
};

/** Names of sysexits.h that lists like SuccessExitStatus= take beside those above. */
const SYSEXITS: Readonly<Record<string, number>> = {
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  NOUSER: 67,
  NOHOST: 68,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OSERR: 71,
  OSFILE: 72,
  CANTCREAT: 73,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
};

/** A word of a list of exit codes; undefined where it is none. */
export function exitNumber(word: string): number | undefined {
  if (/^\d{1,3}$/.test(word)) return Number(word) <= 255 ? Number(word) : undefined;
  const named = Object.entries(EXIT_NAMES).find(([, name]) => name === word)?.[0];
  return named === undefined ? SYSEXITS[word] : Number(named);
}

/** Signals whose default action writes a core. */
const DUMPS: readonly Signal[] = ["SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGXCPU", "SIGXFSZ", "SIGSYS"];

const dumps = (signal: Signal): boolean => DUMPS.includes(signal);

/** `code=exited, status=8/n/a`, as in journal and `systemctl status`. */
export function exitText(exit: ProcessExit): string {
  if ("code" in exit) return `code=exited, status=${exit.code}/${EXIT_NAMES[exit.code] ?? "n/a"}`;
  return `code=${dumps(exit.signal) ? "dumped" : "killed"}, status=${SIGNALS[exit.signal]}/${exit.signal.slice(3)}`;
}

function inSet(set: ExitSet, exit: ProcessExit): boolean {
  return "code" in exit ? set.codes.includes(exit.code) : set.signals.includes(exit.signal);
}

/** Ends of a daemon that count as success: systemd.service(5), SuccessExitStatus=. */
const CLEAN: readonly Signal[] = ["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"];

/** @param daemon a main process: the clean signals count as success, but not for a oneshot's commands */
export function resultOf(exit: ProcessExit, service: Pick<ServiceDefinition, "successExit">, daemon: boolean): UnitResult {
  if (inSet(service.successExit, exit)) return "success";
  if ("code" in exit) return exit.code === 0 ? "success" : "exit-code";
  if (daemon && CLEAN.includes(exit.signal)) return "success";
  return dumps(exit.signal) ? "core-dump" : "signal";
}

/** Restart= → the results after which a unit is started again (systemd.service(5), the table of exit causes). */
const RESTARTS: Readonly<Record<RestartPolicy, readonly UnitResult[]>> = {
  no: [],
  always: ["success", "resources", "exit-code", "signal", "core-dump", "timeout", "protocol", "watchdog", "oom-kill"],
  "on-success": ["success"],
  "on-failure": ["resources", "exit-code", "signal", "core-dump", "timeout", "protocol", "watchdog", "oom-kill"],
  "on-abnormal": ["signal", "core-dump", "timeout", "protocol", "watchdog", "oom-kill"],
  "on-watchdog": ["watchdog"],
  "on-abort": ["signal", "core-dump"],
};

export function restartsAfter(
  service: Pick<ServiceDefinition, "restart" | "restartPrevent" | "restartForce">,
  result: UnitResult,
  exit: ProcessExit | undefined,
): boolean {
  if (result === "exec-condition" || result === "start-limit-hit") return false;
  if (exit !== undefined && inSet(service.restartPrevent, exit)) return false;
  if (exit !== undefined && inSet(service.restartForce, exit)) return true;
  return RESTARTS[service.restart].includes(result);
}
