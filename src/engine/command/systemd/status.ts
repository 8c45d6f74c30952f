/**
 * systemctl status: the block of one unit. Layout of systemd 252. Left out: memory, tasks and CPU time, which the lab does not model, so that the lines are absent.
 */
import { exitText, checkText, type SystemdView, type UnitDetails } from "../../machine/systemd/index.ts";
import type { Instant, JournalLine } from "../../kernel/index.ts";
import { journalUnit } from "../../machine/systemd/index.ts";
import { ago, left, systemdTime, timeSpan } from "../dates.ts";
import type { Result } from "../result.ts";
import type { Call } from "./options.ts";

/** What systemctl sees of the machine it runs on. */
export interface SystemctlHost {
  readonly hostname: string;
  readonly now: Instant;
  readonly epochUnixMicros: number;
  readonly systemd: SystemdView;
  journalSince(from: number): readonly JournalLine[];
  /** A line as `journalctl -o short` prints it. */
  journalText(line: JournalLine): string;
}

const wall = (host: SystemctlHost, instant: Instant): string =>
  `${systemdTime(host.epochUnixMicros + instant)}; ${ago(host.now - instant)}`;
const row = (label: string, text: string): string => `${label.padStart(11)}: ${text}\n`;
const INDENT = "             ";

/** A unit's mark by its state. */
export function dot(active: string): string {
  return active === "failed" ? "×" : active === "inactive" ? "○" : active === "reloading" ? "↻" : "●";
}

function loaded({ unit, fileState, preset }: UnitDetails): string {
  if (unit.loadState === "masked") return `masked (Reason: Unit ${unit.name} is masked.)`;
  if (unit.loadState === "bad-setting") return `bad-setting (Reason: Unit ${unit.name} has a bad unit file setting.)`;
  if (unit.loadState === "error")
    return `error (Reason: Unit ${unit.name} failed to load properly, please adjust/correct and reload service manager: Bad message)`;
  const parts = [unit.fragment, fileState, preset === "" || preset === "-" ? undefined : `preset: ${preset}`].filter(
    (p) => p !== undefined,
  );
  return parts.length === 0 ? unit.loadState : `${unit.loadState} (${parts.join("; ")})`;
}

function active({ record }: UnitDetails): string {
  const result = record.service?.result ?? record.timer?.result ?? "success";
  if (record.active === "failed") return `failed (Result: ${result})`;
  return `${record.active} (${record.sub})${result !== "success" ? ` (Result: ${result})` : ""}`;
}

/** How a process ended, as `status` has it: a signal by name, and no name for an exit code that has none. */
function endText(text: string): string {
  return text.replace(/^code=(killed|dumped), status=\d+\//, "code=$1, signal=").replace("/n/a", "");
}

function processRows(details: UnitDetails): string {
  const { unit, record, processes } = details;
  const s = record.service;
  let text = "";
  for (const e of s?.execs ?? []) {
    const command = unit.service?.exec[e.kind][e.index];
    if (command === undefined || e.exit === undefined) continue;
    text += row("Process", `${e.pid} ${e.kind}=${command.text} (${endText(exitText(e.exit))})`);
  }
  const main = s?.execs.findLast((e) => e.kind === "ExecStart");
  if (s !== undefined && s.mainPid !== 0) {
    const name = processes.find((p) => p.pid === s.mainPid)?.name ?? journalUnit(unit.name);
    text += row("Main PID", `${s.mainPid} (${name})`);
  } else if (s !== undefined && main?.exit !== undefined && unit.service?.type !== "forking")
    text += row("Main PID", `${main.pid} (${endText(exitText(main.exit))})`);
  if (s !== undefined && s.statusText !== "") text += row("Status", `"${s.statusText}"`);
  if (processes.length === 0) return text;
  const group = unit.type === "scope" ? `/user.slice/${unit.name}` : `/system.slice/${unit.name}`;
  text += row("CGroup", group);
  const sorted = [...processes].sort((a, b) => a.pid - b.pid);
  const width = String(sorted.at(-1)?.pid ?? 0).length;
  sorted.forEach((p, i) => {
    const branch = i + 1 < sorted.length ? "├─" : "└─";
    text += `${INDENT}${branch}${String(p.pid).padStart(width)} ${p.command ?? p.name}\n`;
  });
  return text;
}

/** The unit with its state, as `Triggers` and `TriggeredBy` show it. */
const marked = (host: SystemctlHost, name: string): string => `${dot(host.systemd.active(name))} ${name}`;

function dates(host: SystemctlHost, { record }: UnitDetails): string {
  const { active: state } = record;
  const since =
    state === "active" || state === "reloading"
      ? record.activeEnter
      : state === "inactive" || state === "failed"
        ? record.inactiveEnter
        : record.since;
  const at = state === "activating" ? record.inactiveExit : state === "deactivating" ? record.activeExit : since;
  return at === undefined ? "" : ` since ${wall(host, at)}`;
}

export function describe(host: SystemctlHost, details: UnitDetails, call: Pick<Call, "lines">): string {
  const { unit, record } = details;
  let text = `${dot(record.active)} ${unit.name}${unit.description === unit.name ? "" : ` - ${unit.description}`}\n`;
  text += row("Loaded", loaded(details));
  unit.dropIns.forEach((path, i) => {
    const dir = path.slice(0, path.lastIndexOf("/"));
    const last = unit.dropIns[i + 1]?.startsWith(`${dir}/`) !== true;
    if (unit.dropIns[i - 1]?.startsWith(`${dir}/`) !== true) text += i === 0 ? row("Drop-In", dir) : `${INDENT}${dir}\n`;
    text += `${INDENT}${last ? "└─" : "├─"}${path.slice(dir.length + 1)}\n`;
  });
  text += row("Active", `${active(details)}${dates(host, details)}`);
  const { activeEnter, activeExit, inactiveEnter } = record;
  const ended = record.active === "inactive" || record.active === "failed" || record.active === "activating";
  if (ended && activeEnter !== undefined && activeExit !== undefined && inactiveEnter !== undefined && unit.type === "service")
    text += row("Duration", timeSpan(activeExit - activeEnter));
  if (record.timer !== undefined) {
    const next = record.timer.nextAt;
    text += row("Trigger", next === undefined ? "n/a" : `${systemdTime(host.epochUnixMicros + next)}; ${left(next - host.now)}`);
  }
  host.systemd
    .edge(unit.name, "Triggers")
    .forEach((name, i) => (text += i === 0 ? row("Triggers", marked(host, name)) : `${INDENT}${marked(host, name)}\n`));
  host.systemd
    .edge(unit.name, "Triggers<")
    .forEach((name, i) => (text += i === 0 ? row("TriggeredBy", marked(host, name)) : `${INDENT}${marked(host, name)}\n`));
  text += checkRows(host, details);
  unit.documentation.forEach((d, i) => (text += i === 0 ? row("Docs", d) : `${INDENT}${d}\n`));
  text += processRows(details);
  const own = host.journalSince(0).filter((l) => l.unit === journalUnit(unit.name));
  const last = call.lines === 0 ? [] : own.slice(-call.lines);
  return last.length === 0 ? text : `${text}\n${last.map((l) => host.journalText(l)).join("")}`;
}

function checkRows(host: SystemctlHost, { record }: UnitDetails): string {
  let text = "";
  for (const [label, prefix, at, unmet] of [
    ["Condition", "Condition", record.conditionAt, record.unmet],
    ["Assert", "Assert", record.assertAt, record.assertUnmet],
  ] as const) {
    if (unmet === undefined || at === undefined) continue;
    text += row(label, `start ${label.toLowerCase()} failed at ${wall(host, at)}`);
    text +=
      unmet === "trigger" ? `${INDENT}none of the trigger conditions were met\n` : `${INDENT}└─ ${checkText(prefix, unmet)} was not met\n`;
  }
  return text;
}

/** Status of the units named, or of all that are loaded and run. */
export function status(host: SystemctlHost, call: Call): Result {
  const { systemd } = host;
  const chosen =
    call.units.length > 0 ? call.units.map((u) => systemd.unit(u)) : systemd.units().filter((u) => u.record.active !== "inactive");
  const blocks: string[] = [];
  let stderr = "";
  let code = 0;
  for (const details of chosen) {
    if (details.unit.loadState === "not-found" && details.record.active === "inactive") {
      stderr += `Unit ${details.unit.name} could not be found.\n`;
      code = 4;
      continue;
    }
    if (details.stale)
      stderr += `Warning: The unit file, source configuration file or drop-ins of ${details.unit.name} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`;
    blocks.push(describe(host, details, call));
    if (code === 0 && call.units.length > 0 && (details.record.active === "inactive" || details.record.active === "failed")) code = 3;
  }
  return { stdout: blocks.join("\n"), stderr, status: code };
}
