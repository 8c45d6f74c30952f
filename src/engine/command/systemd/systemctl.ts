/**
 * systemctl over the service manager: what only asks is a function of a view of it, what acts is part of a tool's body that calls it and waits for its jobs. Texts and exit codes
 * are those of systemd 252.
 */
import type { Plain } from "../../kernel/index.ts";
import type { JobResult, Verb as JobVerb } from "../../machine/systemd/index.ts";
import { callOnce } from "../library.ts";
import { MANAGER, type ManagerCalls } from "../manager-calls.ts";
import { ok, printResult, type Result } from "../result.ts";
import { print, type ToolBody, type ToolPart } from "../tool.ts";
import { listDependencies, listJobs, listTimers, listUnitFiles, listUnits } from "./lists.ts";
import { INSTALL_VERBS, type InstallVerb } from "./install-verbs.ts";
import { JOB_VERBS, parse, QUERIES, type Call } from "./options.ts";
import type { ManagerCall, SystemctlAnswer } from "./requests.ts";
import { cat, show } from "./show.ts";
import { status, type SystemctlHost } from "./status.ts";

/** Nobody is PID 1 any more: the machine is about to be off. */
export class NoManager extends Error {}

function* asked(act: ManagerCall): ToolPart<SystemctlAnswer> {
  const reply = yield* callOnce<ManagerCalls, "act">(MANAGER, "act", { act: act as ManagerCalls["act"]["request"]["act"] & Plain });
  const answer = reply?.answer;
  if (answer === undefined) throw new NoManager();
  return answer;
}

/** When the job is over: its result, and the unit's. */
function* ended(job: number, unit: string): ToolPart<SystemctlAnswer> {
  const answer = (yield* callOnce<ManagerCalls, "job">(MANAGER, "job", { job, unit }))?.answer;
  if (answer === undefined) throw new NoManager();
  return answer;
}

export function isQuery(argv: readonly string[]): boolean {
  const call = parse(argv.slice(1));
  return "stdout" in call || (QUERIES as readonly string[]).includes(call.verb);
}

/** is-active, is-failed: one word a unit; 0 where one of them is, 3 (1) where none is. */
function is(host: SystemctlHost, call: Call): Result {
  const items = call.units.map((name) => host.systemd.active(name));
  const hit = items.some((w) => (call.verb === "is-failed" ? w === "failed" : w === "active" || w === "reloading"));
  return { stdout: call.quiet ? "" : items.map((w) => `${w}\n`).join(""), stderr: "", status: hit ? 0 : call.verb === "is-failed" ? 1 : 3 };
}

const ENABLED: readonly string[] = ["enabled", "enabled-runtime", "static", "alias", "indirect"];

function isEnabled(host: SystemctlHost, call: Call): Result {
  let stdout = "";
  let stderr = "";
  let any = false;
  for (const name of call.units) {
    const state = host.systemd.fileState(name);
    if (state === undefined) stderr += `Failed to get unit file state for ${name}: No such file or directory\n`;
    else {
      stdout += `${state}\n`;
      any ||= ENABLED.includes(state);
    }
  }
  return { stdout: call.quiet ? "" : stdout, stderr, status: any ? 0 : 1 };
}

function isSystemRunning(host: SystemctlHost): Result {
  const failed = host.systemd.units().some((u) => u.record.active === "failed");
  const word = host.systemd.jobs().some((j) => j.irreversible)
    ? "stopping"
    : host.systemd.active("default.target") !== "active"
      ? "starting"
      : failed
        ? "degraded"
        : "running";
  return { stdout: `${word}\n`, stderr: "", status: word === "running" ? 0 : 1 };
}

export function query(host: SystemctlHost, argv: readonly string[]): Result {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return call;
  switch (call.verb) {
    case "status":
      return status(host, call);
    case "show":
      return show(host, call);
    case "cat":
      return cat(host, call);
    case "list-units":
      return listUnits(host, call);
    case "list-unit-files":
      return listUnitFiles(host, call);
    case "list-dependencies":
      return listDependencies(host, call);
    case "list-timers":
      return listTimers(host, call);
    case "list-jobs":
      return listJobs(host, call);
    case "is-active":
    case "is-failed":
      return is(host, call);
    case "is-enabled":
      return isEnabled(host, call);
    case "is-system-running":
      return isSystemRunning(host);
    case "get-default":
      return ok(`${host.systemd.unit("default.target").unit.name}\n`);
    default:
      return ok("");
  }
}

// ---- acting

/** What `systemctl start` says when the job failed, by the unit's result word. */
const FAILURES: Readonly<Record<string, string>> = {
  resources: "failed because of unavailable resources or another system error.",
  "exit-code": "failed because the control process exited with error code.",
  signal: "failed because a fatal signal was delivered to the control process.",
  "core-dump": "failed because a fatal signal was delivered causing the control process to dump core.",
  timeout: "failed because a timeout was exceeded.",
  protocol: "failed because the service did not take the steps required by its unit configuration.",
  watchdog: "failed because the service failed to send watchdog ping.",
  "start-limit-hit": "failed because start of the service was attempted too often.",
};

/** The lines for a job that did not come to what it was to. */
export function jobError(name: string, result: JobResult, unitResult: string): string {
  switch (result) {
    case "canceled":
      return `Job for ${name} canceled.\n`;
    case "timeout":
      return `Job for ${name} timed out.\n`;
    case "dependency":
      return `A dependency job for ${name} failed. See 'journalctl -xe' for details.\n`;
    case "invalid":
      return `${name} is not active, cannot reload.\n`;
    case "assert":
      return `Assertion failed on job for ${name}.\n`;
    default: {
      const text = `Job for ${name} ${FAILURES[unitResult] ?? "failed."}\nSee "systemctl status ${name}" and "journalctl -xeu ${name}" for details.\n`;
      if (unitResult !== "start-limit-hit") return text;
      return `${text}To force a start use "systemctl reset-failed ${name}"\nfollowed by "systemctl start ${name}" again.\n`;
    }
  }
}

/** LSB's codes, as systemctl makes them of the manager's errors. */
const STATUS_OF: Readonly<Record<string, number>> = { "not-found": 5, "not-applicable": 3, refused: 4, destructive: 4, "load-error": 6 };

/** Queues the jobs of all units, then waits for each. */
function* jobs(call: Call, units: readonly string[], verb: JobVerb): ToolBody {
  const waiting: { unit: string; job: number }[] = [];
  let code = 0;
  for (const unit of units) {
    const { job, error, code: why } = yield* asked({ call: "job", unit, verb, mode: call.mode });
    if (error !== undefined) {
      yield* print(`Failed to ${verb} ${unit}: ${error}\n`, "stderr");
      code ||= STATUS_OF[why ?? ""] ?? 1;
    } else if (job !== undefined && job !== 0) waiting.push({ unit, job });
  }
  if (!call.block) return code;
  for (const { unit, job } of waiting) {
    const { result = "done", unitResult = "success" } = yield* ended(job, unit);
    if (result === "done" || result === "skipped") continue;
    if (!call.quiet) yield* print(jobError(unit, result, unitResult), "stderr");
    code ||= 1;
  }
  return code;
}

const NO_INSTALL = `The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.
 
Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.
`;

const SYSV_INSTALL = "/lib/systemd/systemd-sysv-install";

function* install(call: Call, verb: InstallVerb): ToolBody {
  const answer = yield* asked({ call: "install", verb, units: call.units, runtime: call.runtime });
  let text = "";
  if (verb === "enable" || verb === "disable")
    for (const name of answer.initScripts ?? [])
      text += `Synchronizing state of ${name}.service with SysV service script with ${SYSV_INSTALL}.\nExecuting: ${SYSV_INSTALL} ${verb} ${name}\n`;
  text += (answer.lines ?? []).map((l) => `${l}\n`).join("");
  if (answer.nothingToDo === true) text += NO_INSTALL;
  if (text !== "" && !call.quiet) yield* print(text, "stderr");
  if (answer.error !== undefined) {
    yield* print(`Failed to ${verb} unit: ${answer.error}\n`, "stderr");
    return 1;
  }
  // As the real one does it, the manager reads its files again.
  yield* asked({ call: "reload" });
  if (!call.now || verb === "set-default" || verb === "unmask") return 0;
  return yield* jobs(call, call.units, verb === "enable" || verb === "reenable" ? "start" : "stop");
}

function* kill(call: Call): ToolBody {
  let code = 0;
  for (const unit of call.units) {
    const { error } = yield* asked({ call: "kill", unit, whom: call.whom, signal: call.signal });
    if (error === undefined) continue;
    yield* print(`Failed to kill unit ${unit}: ${error}\n`, "stderr");
    code = 1;
  }
  return code;
}

function* resetFailed(call: Call): ToolBody {
  let code = 0;
  for (const unit of call.units.length === 0 ? [undefined] : call.units) {
    const { error } = yield* asked({ call: "reset-failed", unit });
    if (error === undefined || unit === undefined) continue;
    yield* print(`Failed to reset failed state of unit ${unit}: ${error}\n`, "stderr");
    code = 1;
  }
  return code;
}

export function* run(argv: readonly string[]): ToolBody {
  const call = parse(argv.slice(1));
  if ("stdout" in call) {
    return yield* printResult(call);
  }
  const jobVerb = JOB_VERBS.find((v) => v === call.verb);
  const installVerb = INSTALL_VERBS.find((v) => v === call.verb);
  if (jobVerb !== undefined) return yield* jobs(call, call.units, jobVerb);
  if (installVerb !== undefined) return yield* install(call, installVerb);
  if (call.verb === "kill") return yield* kill(call);
  if (call.verb === "reset-failed") return yield* resetFailed(call);
  if (call.verb === "poweroff" || call.verb === "reboot" || call.verb === "halt") yield* asked({ call: "power", action: call.verb });
  else if (call.verb === "daemon-reload") yield* asked({ call: "reload" });
  return 0;
}
