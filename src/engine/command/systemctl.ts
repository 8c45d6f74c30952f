/**
 * systemctl: starting, stopping and asking about the units of this machine. Texts are those of systemd 252 on Debian 12. Left out: memory, tasks and CPU time in
 * `status` (the lab does not model them, so the lines are absent), targets, timers, and verbs not listed here, which say so.
 */
import { ago, systemdTime, timeSpan } from "./dates.ts";
import { getopt, wholeNumber } from "../kernel/getopt.ts";
import type { ToolHost, UnitView } from "./host.ts";
import { journalText } from "./journal-format.ts";
import { fail, notModelled, ok, printResult, unixMicros, type CommandSpec, type Result, type Run } from "./spec.ts";

const NAME = "systemctl";

const VERBS = [
  "start",
  "stop",
  "restart",
  "reload-or-restart",
  "try-restart",
  "kill",
  "status",
  "is-active",
  "is-enabled",
  "is-failed",
  "enable",
  "disable",
  "reset-failed",
  "daemon-reload",
  "list-units",
  "show",
] as const;
type Verb = (typeof VERBS)[number];
const QUERIES: readonly Verb[] = ["status", "is-active", "is-enabled", "is-failed", "list-units", "show", "daemon-reload"];

/** Documentation= of the unit files. */
const DOCS: Readonly<Record<string, readonly string[]>> = { corosync: ["man:corosync", "man:corosync.conf", "man:corosync_overview"] };
/** Units that Debian also ships as an init script: enabling them is announced as a synchronisation. */
const SYSV = new Set(["corosync"]);

interface Call {
  verb: Verb;
  units: string[];
  now: boolean;
  quiet: boolean;
  noBlock: boolean;
  signal: string;
  lines: number;
  property: string | undefined;
}

const bare = (unit: string): string => unit.replace(/\.service$/, "");
const full = (unit: string): string => (unit.includes(".") ? unit : `${unit}.service`);

/** corosync's unit has no ExecReload= (Debian's file, which Proxmox VE ships): systemd refuses the job; the file is read again by corosync-cfgtool -R. */
function reload(units: readonly string[]): Result {
  if (units.length === 0) return fail("Too few arguments.\n");
  const other = units.find((u) => u !== "corosync");
  if (other !== undefined) return notModelled(`${NAME} reload ${other}`);
  return fail("Failed to reload corosync.service: Job type reload is not applicable for unit corosync.service.\n", 3);
}

function parse(args: readonly string[]): Call | Result {
  const parsed = getopt(NAME, args, "qn:s:p:alt:", [
    "no-pager",
    "now",
    "quiet",
    "no-block",
    "signal=",
    "lines=",
    "property=",
    "all",
    "full",
    "type=",
    "force",
    "value",
  ]);
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const [word = "list-units", ...units] = parsed.operands;
  if (word === "reload") return reload(units.map(bare));
  const verb = VERBS.find((v) => v === word);
  if (verb === undefined) return fail(`Unknown command verb ${word}.\n`);
  const call: Call = {
    verb,
    units: units.map(bare),
    now: false,
    quiet: false,
    noBlock: false,
    signal: "SIGTERM",
    lines: 10,
    property: undefined,
  };
  for (const { name, value } of parsed.options) {
    if (name === "now") call.now = true;
    else if (name === "q" || name === "quiet") call.quiet = true;
    else if (name === "no-block") call.noBlock = true;
    else if (name === "s" || name === "signal") call.signal = /^(SIG)?(KILL|9)$/.test(value) ? "SIGKILL" : value;
    else if (name === "p" || name === "property") call.property = value;
    else if (name === "n" || name === "lines") {
      const n = wholeNumber(value, 0, 2_147_483_647);
      if (n === undefined) return fail(`Failed to parse lines '${value}'.\n`);
      call.lines = n;
    }
  }
  const needsUnit = verb !== "status" && verb !== "list-units" && verb !== "daemon-reload" && verb !== "reset-failed";
  return needsUnit && call.units.length === 0 ? fail("Too few arguments.\n") : call;
}

function stateText(u: UnitView): string {
  switch (u.state) {
    case "active":
      return "active (running)";
    case "activating":
      return u.autoRestart === true ? `activating (auto-restart) (Result: ${u.result})` : "activating (start)";
    case "deactivating":
      return "deactivating (stop-sigterm)";
    case "failed":
      return `failed (Result: ${u.result})`;
    case "inactive":
      return "inactive (dead)";
  }
}

/** The pid of the last main process, from the journal, as a unit that does not run keeps none. */
function lastPid(host: ToolHost, u: UnitView): number {
  const lines = host.journalSince(0);
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i];
    if (line !== undefined && line.unit === u.name && line.pid > 1) return line.pid;
  }
  return 0;
}

/** When the unit last came up in the run that ended; undefined where it never did. */
function lastUp(host: ToolHost, u: UnitView): number | undefined {
  const started = u.startedAt;
  const lines = started === undefined ? [] : host.journalSince(0);
  return lines.findLast((l) => l.unit === u.name && l.pid === 1 && l.text.startsWith("Started ") && l.instant >= (started ?? 0))?.instant;
}

/** How a process ended, as `status` says it: a signal by name, and no name for an exit code that has none. */
function endText(exitText: string): string {
  return exitText.replace(/^code=(killed|dumped), status=\d+\//, "code=$1, signal=").replace("/n/a", "");
}

/** The block of one unit. Labels end in column 11, as systemd aligns them. */
function describe(host: ToolHost, u: UnitView, lines: number): string {
  const wall = (instant: number): string => `${systemdTime(unixMicros(host, instant))}; ${ago(host.now - instant)}`;
  const row = (label: string, text: string): string => `${label.padStart(11)}: ${text}\n`;
  const dot = u.state === "failed" ? "×" : u.state === "inactive" ? "○" : "●";
  const enabled = u.enabled ? "enabled" : "disabled";
  let text = `${dot} ${u.name}.service - ${u.description}\n`;
  text += row("Loaded", `loaded (/lib/systemd/system/${u.name}.service; ${enabled}; preset: enabled)`);
  const dated = u.startedAt !== undefined || u.endedAt !== undefined;
  text += row("Active", `${stateText(u)}${dated ? ` since ${wall(u.since)}` : ""}`);
  const up = lastUp(host, u);
  if (u.state !== "active" && up !== undefined && u.endedAt !== undefined) text += row("Duration", timeSpan(u.endedAt - up));
  if (u.conditionFailedAt !== undefined && u.conditionPath !== undefined) {
    text += row("Condition", `start condition failed at ${wall(u.conditionFailedAt)}`);
    text += `             └─ ConditionPathExists=${u.conditionPath} was not met\n`;
  }
  const docs = DOCS[u.name] ?? [];
  docs.forEach((d, i) => (text += i === 0 ? row("Docs", d) : `             ${d}\n`));
  text += processRows(host, u, row);
  const own = host.journalSince(0).filter((l) => l.unit === u.name);
  const last = own.slice(Math.max(0, own.length - lines));
  if (last.length > 0 && lines > 0) text += `\n${last.map((l) => journalText(host, l, "short", true)).join("")}`;
  return text;
}

function processRows(host: ToolHost, u: UnitView, row: (label: string, text: string) => string): string {
  if (u.mainPid !== 0) {
    const command = u.execStart.replace(/ \$[A-Z_]+/g, "");
    return (
      row("Main PID", `${u.mainPid} (${u.name})`) +
      row("CGroup", `/system.slice/${u.name}.service`) +
      `             └─${u.mainPid} ${command}\n`
    );
  }
  if (u.exitText === undefined) return "";
  const pid = lastPid(host, u);
  const end = endText(u.exitText);
  return row("Process", `${pid} ExecStart=${u.execStart} (${end})`) + row("Main PID", `${pid} (${end})`);
}

function status(host: ToolHost, call: Call): Result {
  let stdout = "";
  let stderr = "";
  let code = 0;
  const units = call.units.length === 0 ? host.units().map((u) => u.name) : call.units;
  units.forEach((name, i) => {
    const u = host.unit(name);
    if (i > 0 && u !== undefined && stdout !== "") stdout += "\n";
    if (u === undefined) {
      stderr += `Unit ${full(name)} could not be found.\n`;
      code = 4;
      return;
    }
    stdout += describe(host, u, call.lines);
    if (code === 0 && (u.state === "inactive" || u.state === "failed")) code = 3;
  });
  return { stdout, stderr, status: code };
}

/** is-active, is-failed: one word a unit; 0 where one of them is, 3 (1) where none is. */
function is(host: ToolHost, call: Call): Result {
  const states = call.units.map((name) => host.unit(name)?.state ?? "inactive");
  const failedWanted = call.verb === "is-failed";
  const hit = states.some((w) => (failedWanted ? w === "failed" : w === "active"));
  return { stdout: call.quiet ? "" : states.map((w) => `${w}\n`).join(""), stderr: "", status: hit ? 0 : failedWanted ? 1 : 3 };
}

function isEnabled(host: ToolHost, call: Call): Result {
  let stdout = "";
  let stderr = "";
  let any = false;
  for (const name of call.units) {
    const u = host.unit(name);
    if (u === undefined) stderr += `Failed to get unit file state for ${full(name)}: No such file or directory\n`;
    else {
      stdout += `${u.enabled ? "enabled" : "disabled"}\n`;
      any ||= u.enabled;
    }
  }
  return { stdout: call.quiet ? "" : stdout, stderr, status: any ? 0 : 1 };
}

/** systemd's own, finer state. */
function subState(u: UnitView): string {
  const activating = u.autoRestart === true ? "auto-restart" : "start";
  return { active: "running", activating, deactivating: "stop-sigterm", inactive: "dead", failed: "failed" }[u.state];
}

function listUnits(host: ToolHost): Result {
  const shown = host.units().filter((u) => u.state !== "inactive");
  const rows = shown.map((u) => [`${u.state === "failed" ? "●" : " "} ${u.name}.service`, "loaded", u.state, subState(u), u.description]);
  const table = [["  UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"], ...rows];
  const widths = [0, 1, 2, 3].map((c) => Math.max(...table.map((r) => (r[c] ?? "").length)));
  const text = table.map((r) => `${r.map((cell, c) => (c < 4 ? cell.padEnd(widths[c] ?? 0) : cell)).join(" ")}\n`).join("");
  return ok(`${text}\n${shown.length} loaded units listed.\n`);
}

function show(host: ToolHost, call: Call): Result {
  let stdout = "";
  for (const name of call.units) {
    const u = host.unit(name);
    const sub = u === undefined ? "dead" : subState(u);
    const properties: Record<string, string> = {
      Id: full(name),
      Description: u?.description ?? full(name),
      LoadState: u ? "loaded" : "not-found",
      ActiveState: u?.state ?? "inactive",
      SubState: sub,
      MainPID: String(u?.mainPid ?? 0),
      Result: u?.result ?? "success",
      UnitFileState: u ? (u.enabled ? "enabled" : "disabled") : "",
    };
    const wanted = call.property?.split(",") ?? Object.keys(properties);
    for (const key of wanted) if (properties[key] !== undefined) stdout += `${key}=${properties[key]}\n`;
  }
  return ok(stdout);
}

function query(host: ToolHost, argv: readonly string[]): Result {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return call;
  switch (call.verb) {
    case "status":
      return status(host, call);
    case "is-active":
    case "is-failed":
      return is(host, call);
    case "is-enabled":
      return isEnabled(host, call);
    case "list-units":
      return listUnits(host);
    case "show":
      return show(host, call);
    default:
      return ok("");
  }
}

/** What `systemctl start` says when the job failed, by the unit's result word. */
const FAILURES: Readonly<Record<string, string>> = {
  "exit-code": "failed because the control process exited with error code.",
  signal: "failed because a fatal signal was delivered to the control process.",
  "core-dump": "failed because a fatal signal was delivered causing the control process to dump core.",
  timeout: "failed because a timeout was exceeded.",
  protocol: "failed because the service did not take the steps required by its unit configuration.",
  "start-limit-hit": "failed because start of the service was attempted too often.",
};

function jobError(name: string, lastJob: "failed" | "timeout" | "canceled", result: string): string {
  if (lastJob === "canceled") return `Job for ${name} canceled.\n`;
  const why = lastJob === "timeout" ? "timeout" : result;
  const text = `Job for ${name} ${FAILURES[why] ?? "failed."}\nSee "systemctl status ${name}" and "journalctl -xeu ${name}" for details.\n`;
  if (why !== "start-limit-hit") return text;
  return `${text}To force a start use "systemctl reset-failed ${name}"\nfollowed by "systemctl start ${name}" again.\n`;
}

function* job(call: Call, unit: string, op: "start" | "stop" | "restart"): Run {
  const answer = yield { ask: "act", act: { act: "unit", op, unit } };
  if (answer.kind === "done" && answer.error !== undefined) {
    const state = op === "stop" ? "not loaded" : "not found";
    yield { ask: "print", stream: "stderr", text: `Failed to ${op} ${full(unit)}: Unit ${full(unit)} ${state}.\n` };
    return 5;
  }
  if (call.noBlock) return 0;
  const end = yield { ask: "unit-job", unit };
  if (op === "stop" || end.kind !== "job" || end.lastJob === undefined || end.lastJob === "done") return 0;
  yield { ask: "print", stream: "stderr", text: jobError(full(unit), end.lastJob, end.result) };
  return 1;
}

function* enable(call: Call, unit: string, op: "enable" | "disable"): Run {
  const before = yield { ask: "run", argv: [NAME, "is-enabled", unit] };
  const was = before.kind === "result" ? before.result.stdout.trim() : "";
  if (was === "") {
    yield { ask: "print", stream: "stderr", text: `Failed to ${op} unit: Unit file ${full(unit)} does not exist.\n` };
    return 1;
  }
  const script = "/lib/systemd/systemd-sysv-install";
  const link = `/etc/systemd/system/multi-user.target.wants/${full(unit)}`;
  let text = SYSV.has(unit)
    ? `Synchronizing state of ${full(unit)} with SysV service script with ${script}.\nExecuting: ${script} ${op} ${unit}\n`
    : "";
  if (op === "enable" && was === "disabled") text += `Created symlink ${link} → /lib/systemd/system/${full(unit)}.\n`;
  if (op === "disable" && was === "enabled") text += `Removed "${link}".\n`;
  yield { ask: "act", act: { act: "unit", op, unit } };
  if (text !== "" && !call.quiet) yield { ask: "print", stream: "stderr", text };
  return call.now ? yield* job(call, unit, op === "enable" ? "start" : "stop") : 0;
}

function* run(argv: readonly string[]): Run {
  const call = parse(argv.slice(1));
  if ("stdout" in call) return yield* printResult(call);
  let code = 0;
  for (const unit of call.units) {
    let one = 0;
    if (call.verb === "start" || call.verb === "stop" || call.verb === "restart") one = yield* job(call, unit, call.verb);
    else if (call.verb === "reload-or-restart") one = yield* job(call, unit, "restart");
    else if (call.verb === "try-restart") one = yield* tryRestart(call, unit);
    else if (call.verb === "enable" || call.verb === "disable") one = yield* enable(call, unit, call.verb);
    else if (call.verb === "kill") one = yield* kill(call, unit);
    else yield { ask: "act", act: { act: "unit", op: "reset-failed", unit } };
    code = one || code;
  }
  return code;
}

function* tryRestart(call: Call, unit: string): Run {
  const state = yield { ask: "run", argv: [NAME, "is-active", unit] };
  return state.kind === "result" && state.result.status === 0 ? yield* job(call, unit, "restart") : 0;
}

function* kill(call: Call, unit: string): Run {
  if (call.signal !== "SIGKILL") return yield* printResult(notModelled(`${NAME} kill -s ${call.signal} (available: SIGKILL)`));
  const answer = yield { ask: "act", act: { act: "unit", op: "kill", unit } };
  if (answer.kind !== "done" || answer.error === undefined) return 0;
  yield { ask: "print", stream: "stderr", text: `Failed to kill unit ${full(unit)}: Unit ${full(unit)} not loaded.\n` };
  return 1;
}

export const systemctl: CommandSpec = {
  name: NAME,
  summary: "start, stop and look at services",
  options: [
    { flag: "--now", help: "with enable and disable: also start or stop" },
    { flag: "--no-block", help: "do not wait" },
    { flag: "--no-pager", help: "no pager" },
    { flag: "-n", help: "journal lines to show" },
    { flag: "-q", help: "print nothing" },
    { flag: "-s", help: "signal for kill" },
    { flag: "-p", help: "property for show" },
  ],
  subcommands: VERBS,
  takesUnit: (before) => before.some((operand) => !operand.startsWith("-")),
  isQuery: (argv) => {
    const call = parse(argv.slice(1));
    return "stdout" in call || QUERIES.includes(call.verb);
  },
  query,
  run,
};
