/** systemctl's tables and trees: list-units, list-unit-files, list-dependencies, list-timers, list-jobs. Layouts of systemd 252, without colours. */
import { globMatches } from "../../kernel/index.ts";
import type { UnitDetails } from "../../machine/systemd/index.ts";
import { ago, left, systemdTime } from "../dates.ts";
import { ok, type Result } from "../result.ts";
import type { Call } from "./options.ts";
import { dot, type SystemctlHost } from "./status.ts";

/** Columns parted by one blank, all but the last filled up. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((r) => (r[c] ?? "").length)));
  return rows.map((r) => `${r.map((cell, c) => (c + 1 < r.length ? cell.padEnd(widths[c] ?? 0) : cell)).join(" ")}\n`).join("");
}

const suffix = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
const byTypeAndName = (a: string, b: string): number => {
  const [x, y] = [`${suffix(a)} ${a}`, `${suffix(b)} ${b}`];
  return x < y ? -1 : x > y ? 1 : 0;
};

/** A shell pattern of unit names. */
function fits(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((p) => globMatches(p.replace(/\*\.service$/, "*"), name) || globMatches(p, name));
}

const states = ({ unit, record }: UnitDetails): string[] => [unit.loadState, record.active, record.sub];

export function listUnits(host: SystemctlHost, call: Call): Result {
  const shown = host.systemd
    .units()
    .filter((u) => fits(u.unit.name, call.units))
    .filter((u) => call.types.length === 0 || call.types.includes(u.unit.type))
    .filter((u) => call.states.length === 0 || states(u).some((s) => call.states.includes(s)))
    .filter((u) => call.all || call.states.length > 0 || u.record.active !== "inactive" || u.job !== undefined)
    .sort((a, b) => byTypeAndName(a.unit.name, b.unit.name));
  const mark = (u: UnitDetails): string =>
    call.plain
      ? ""
      : `${u.record.active === "failed" || !["loaded", "masked"].includes(u.unit.loadState) ? dot(u.record.active === "failed" ? "failed" : "active").replace("×", "●") : " "} `;
  const rows = shown.map((u) => [`${mark(u)}${u.unit.name}`, u.unit.loadState, u.record.active, u.record.sub, u.unit.description]);
  const header = [`${call.plain ? "" : "  "}UNIT`, "LOAD", "ACTIVE", "SUB", "DESCRIPTION"];
  if (!call.legend) return ok(table(rows));
  const count = `${shown.length} loaded units listed.`;
  if (shown.length === 0)
    return ok(`${table([header])}${count}
`);
  const legend =
    "\nLOAD   = Reflects whether the unit definition was properly loaded.\n" +
    "ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n" +
    "SUB    = The low-level unit activation state, values depend on unit type.\n";
  const more = call.all || call.states.length > 0 ? "" : " Pass --all to see loaded but inactive units, too.";
  return ok(`${table([header, ...rows])}${legend}${count}${more}\nTo show all installed unit files use 'systemctl list-unit-files'.\n`);
}

export function listUnitFiles(host: SystemctlHost, call: Call): Result {
  const shown = host.systemd
    .unitFiles()
    .filter((f) => fits(f.name, call.units))
    .filter((f) => call.types.length === 0 || call.types.includes(suffix(f.name)))
    .filter((f) => call.states.length === 0 || call.states.includes(f.state));
  const rows = shown.map((f) => [f.name, f.state, f.preset]);
  const status = shown.length === 0 && (call.units.length > 0 || call.states.length > 0) ? 1 : 0;
  if (!call.legend) return { stdout: table(rows), stderr: "", status };
  return { stdout: `${table([["UNIT FILE", "STATE", "PRESET"], ...rows])}\n${shown.length} unit files listed.\n`, stderr: "", status };
}

const FORWARD = ["Requires", "Requisite", "Wants", "BindsTo"] as const;
const BACKWARD = ["Requires<", "Requisite<", "Wants<", "BindsTo<", "PartOf<"] as const;

export function listDependencies(host: SystemctlHost, call: Call): Result {
  const [root = "default.target"] = call.units;
  const { systemd } = host;
  const top = systemd.unit(root);
  const below = (name: string): string[] => {
    const known = [...new Set((call.reverse ? BACKWARD : FORWARD).flatMap((edge) => systemd.edge(name, edge)))];
    // A unit that is not loaded has its own lists at least.
    const { dependencies } = systemd.unit(name).unit;
    const names = known.length > 0 || call.reverse ? known : FORWARD.flatMap((kind) => dependencies[kind]);
    const target = (n: string): number => (suffix(n) === "target" ? 1 : 0);
    return [...new Set(names)].sort((a, b) => target(a) - target(b) || (a < b ? -1 : 1));
  };
  let text = `${top.unit.name}\n`;
  const walk = (name: string, branch: string, path: readonly string[]): void => {
    const children = below(name);
    children.forEach((child, i) => {
      const last = i + 1 === children.length;
      const mark = call.plain ? "" : `${dot(systemd.active(child))} `;
      text += call.plain ? `${"  ".repeat(path.length)}${child}\n` : `${mark}${branch}${last ? "└─" : "├─"}${child}\n`;
      const goesOn = (suffix(child) === "target" || call.all) && !path.includes(child);
      if (goesOn) walk(child, branch + (last ? "  " : "│ "), [...path, child]);
    });
  };
  walk(top.unit.name, "", [top.unit.name]);
  return ok(text);
}

export function listTimers(host: SystemctlHost, call: Call): Result {
  const timers = host.systemd
    .units()
    .filter((u) => u.record.timer !== undefined && (call.all || u.record.active === "active") && fits(u.unit.name, call.units));
  const next = (u: UnitDetails): number => u.record.timer?.nextAt ?? Infinity;
  timers.sort((a, b) => next(a) - next(b) || byTypeAndName(a.unit.name, b.unit.name));
  const rows = timers.map((u) => {
    const { nextAt, lastTriggerUnixMicros: last } = u.record.timer ?? { nextAt: undefined, lastTriggerUnixMicros: undefined };
    const now = host.epochUnixMicros + host.now;
    return [
      nextAt === undefined ? "-" : systemdTime(host.epochUnixMicros + nextAt),
      nextAt === undefined ? "-" : left(nextAt - host.now),
      last === undefined ? "-" : systemdTime(last),
      last === undefined ? "-" : ago(now - last),
      u.unit.name,
      u.unit.timer?.unit ?? "",
    ];
  });
  if (!call.legend) return ok(table(rows));
  const foot = `\n${timers.length} timers listed.\n${call.all ? "" : "Pass --all to see loaded but inactive timers, too.\n"}`;
  return ok(`${table([["NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"], ...rows])}${foot}`);
}

export function listJobs(host: SystemctlHost, call: Call): Result {
  const jobs = host.systemd.jobs();
  if (jobs.length === 0) return ok(call.legend ? "No jobs running.\n" : "");
  const rows = jobs.map((j) => [String(j.id), j.unit, j.type, j.running ? "running" : "waiting"]);
  return ok(call.legend ? `${table([["JOB", "UNIT", "TYPE", "STATE"], ...rows])}\n${jobs.length} jobs listed.\n` : table(rows));
}
