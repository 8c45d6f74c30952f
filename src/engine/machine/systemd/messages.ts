/**
 * What the journal says of jobs: `Starting`, `Started`, `Reached target`, and why one did not come about. In the real stack: the status formats of each unit type and
 * job_emit_done_message of job.c, with StatusUnitFormat=combined as Debian builds it.
 */
import type { Duration, LogLevel } from "../../kernel/index.ts";
import { checkText } from "./checks.ts";
import type { UnitDefinition } from "./definition.ts";
import type { UnitType } from "./names.ts";
import type { JobResult, JobType, UnitRecord } from "./record.ts";
import { spanText } from "./values.ts";

interface Said {
  readonly level: LogLevel;
  readonly text: string;
}

/** `corosync.service - Corosync Cluster Engine`; a unit without a description goes by its name. */
export function unitTitle(unit: UnitDefinition): string {
  return unit.description === unit.name ? unit.name : `${unit.name} - ${unit.description}`;
}

const STARTED: Readonly<Partial<Record<UnitType, string>>> = {
  target: "Reached target",
  socket: "Listening on",
  mount: "Mounted",
  slice: "Created slice",
};
const STOPPED: Readonly<Partial<Record<UnitType, string>>> = {
  target: "Stopped target",
  socket: "Closed",
  mount: "Unmounted",
  slice: "Removed slice",
};

const LEVELS: Readonly<Record<JobResult, LogLevel>> = {
  done: "info",
  canceled: "info",
  timeout: "error",
  failed: "error",
  dependency: "warning",
  skipped: "notice",
  invalid: "info",
  assert: "warning",
};

function started(unit: UnitDefinition): string {
  if (unit.service?.type === "oneshot") return "Finished";
  return STARTED[unit.type] ?? "Started";
}

const START_FAILURES: Readonly<Partial<Record<JobResult, string>>> = {
  timeout: "Timed out starting",
  failed: "Failed to start",
  dependency: "Dependency failed for",
  assert: "Assertion failed for",
};
const STOP_FAILURES: Readonly<Partial<Record<JobResult, string>>> = { failed: "Stopped (with error)", timeout: "Timed out stopping" };
const RELOAD_FAILURES: Readonly<Partial<Record<JobResult, string>>> = { failed: "Reload failed for", timeout: "Timed out reloading" };

/** The line at the end of a job; undefined where there is none. */
export function doneMessage(unit: UnitDefinition, type: JobType, result: JobResult): Said | undefined {
  const say = (items: string | undefined): Said | undefined =>
    items === undefined ? undefined : { level: LEVELS[result], text: `${items} ${unitTitle(unit)}.` };
  if (type === "start" || type === "reload-or-start") return say(result === "done" ? started(unit) : START_FAILURES[result]);
  if (type === "stop" || type === "restart") return say(result === "done" ? (STOPPED[unit.type] ?? "Stopped") : STOP_FAILURES[result]);
  if (type === "reload") return say(result === "done" ? "Reloaded" : RELOAD_FAILURES[result]);
  return undefined;
}

/** A start that came to nothing because a condition does not hold. */
export function skippedMessage(unit: UnitDefinition, { unmet }: UnitRecord): string {
  if (unmet === "trigger") return `${unitTitle(unit)} was skipped because no trigger condition checks were met.`;
  const which = unmet === undefined ? "" : ` (${checkText("Condition", unmet)})`;
  return `${unitTitle(unit)} was skipped because of an unmet condition check${which}.`;
}

/** The end of a boot. */
export function startupMessage(kernel: Duration, user: Duration): string {
  return `Startup finished in ${spanText(kernel)} (kernel) + ${spanText(user)} (userspace) = ${spanText(kernel + user)}.`;
}
