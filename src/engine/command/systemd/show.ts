/** systemctl show and cat: a unit's properties as `Name=value`, and its files as they are on the disk. Names and order are those of systemd 252, as far as the lab has them. */
import { NEVER, SIGNALS, type Instant } from "../../kernel/index.ts";
import { spanText, type UnitDetails } from "../../machine/systemd/index.ts";
import { systemdTime } from "../dates.ts";
import { fail, ok, type Result } from "../result.ts";
import type { Call } from "./options.ts";
import type { SystemctlHost } from "./status.ts";

const yes = (value: boolean): string => (value ? "yes" : "no");
const span = (micros: number): string => (micros === NEVER ? "infinity" : micros === 0 ? "0" : spanText(micros));

function serviceProperties(details: UnitDetails, at: (instant: Instant | undefined) => string): [string, string][] {
  const { unit, record } = details;
  const [def, s] = [unit.service, record.service];
  if (def === undefined || s === undefined) return [];
  const main = s.execs.findLast((e) => e.kind === "ExecStart");
  const exit = main?.exit;
  const code = exit === undefined ? 0 : "code" in exit ? 1 : 2;
  return [
    ["Type", def.type],
    ["Restart", def.restart],
    ["PIDFile", def.pidFile ?? ""],
    ["RestartUSec", span(def.restartSec)],
    ["TimeoutStartUSec", span(def.timeoutStart)],
    ["TimeoutStopUSec", span(def.timeoutStop)],
    ["TimeoutAbortUSec", span(def.timeoutAbort ?? def.timeoutStop)],
    ["RuntimeMaxUSec", span(def.runtimeMax)],
    ["WatchdogUSec", span(def.watchdog)],
    ["RemainAfterExit", yes(def.remainAfterExit)],
    ["MainPID", String(s.mainPid)],
    ["ControlPID", String(s.controlPid)],
    ["StatusText", s.statusText],
    ["Result", s.result],
    ["ReloadResult", s.reloadResult],
    ["NRestarts", String(s.restarts)],
    ["ExecMainStartTimestamp", at(main?.startedAt)],
    ["ExecMainExitTimestamp", at(main?.endedAt)],
    ["ExecMainPID", String(main?.pid ?? 0)],
    ["ExecMainCode", String(code)],
    ["ExecMainStatus", String(exit === undefined ? 0 : "code" in exit ? exit.code : SIGNALS[exit.signal])],
    ...Object.entries(def.exec).flatMap(([kind, commands]) =>
      commands.map((c): [string, string] => [
        kind,
        `{ path=${c.path} ; argv[]=${c.argv.join(" ")} ; ignore_errors=${yes(c.ignoreFailure)} }`,
      ]),
    ),
    ["KillMode", def.killMode],
    ["KillSignal", String(SIGNALS[def.killSignal])],
    ["SendSIGKILL", yes(def.sendSigkill)],
  ];
}

function properties(host: SystemctlHost, details: UnitDetails): [string, string][] {
  const { unit, record, names, fileState, preset } = details;
  const at = (instant: Instant | undefined): string => (instant === undefined ? "" : systemdTime(host.epochUnixMicros + instant));
  const list = (kind: keyof typeof unit.dependencies): string => unit.dependencies[kind].join(" ");
  const back = (edge: "Requires<" | "Wants<" | "BindsTo<" | "Triggers<"): string => host.systemd.edge(unit.name, edge).join(" ");
  return [
    ...serviceProperties(details, at),
    ...(record.timer === undefined
      ? []
      : ([
          ["Unit", unit.timer?.unit ?? ""],
          ["Persistent", yes(unit.timer?.persistent === true)],
          ["NextElapseUSecRealtime", at(record.timer.nextAt)],
          ["LastTriggerUSec", record.timer.lastTriggerUnixMicros === undefined ? "" : systemdTime(record.timer.lastTriggerUnixMicros)],
          ["Result", record.timer.result],
        ] as [string, string][])),
    ["Id", unit.name],
    ["Names", names.join(" ")],
    ["Requires", list("Requires")],
    ["Requisite", list("Requisite")],
    ["Wants", list("Wants")],
    ["BindsTo", list("BindsTo")],
    ["PartOf", list("PartOf")],
    ["RequiredBy", back("Requires<")],
    ["WantedBy", back("Wants<")],
    ["BoundBy", back("BindsTo<")],
    ["Conflicts", list("Conflicts")],
    ["Before", host.systemd.edge(unit.name, "Before").join(" ") || list("Before")],
    ["After", host.systemd.edge(unit.name, "After").join(" ") || list("After")],
    ["OnFailure", list("OnFailure")],
    ["Triggers", list("Triggers")],
    ["TriggeredBy", back("Triggers<")],
    ["Documentation", unit.documentation.map((d) => (d.includes(" ") ? `"${d}"` : d)).join(" ")],
    ["Description", unit.description],
    ["LoadState", unit.loadState],
    ["ActiveState", record.active],
    ["SubState", record.sub],
    ["FragmentPath", unit.fragment ?? ""],
    ["DropInPaths", unit.dropIns.join(" ")],
    ["UnitFileState", fileState ?? ""],
    ["UnitFilePreset", preset === "-" ? "" : preset],
    ["StateChangeTimestamp", at(record.since === 0 && record.activeEnter === undefined ? undefined : record.since)],
    ["InactiveExitTimestamp", at(record.inactiveExit)],
    ["ActiveEnterTimestamp", at(record.activeEnter)],
    ["ActiveExitTimestamp", at(record.activeExit)],
    ["InactiveEnterTimestamp", at(record.inactiveEnter)],
    ["CanStart", yes(!unit.refuseManualStart && unit.loadState === "loaded")],
    ["CanStop", yes(!unit.refuseManualStop)],
    ["CanReload", yes((unit.service?.exec.ExecReload.length ?? 0) > 0)],
    ["CanIsolate", yes(unit.allowIsolate)],
    ["Job", details.job === undefined ? "" : String(details.job.id)],
    ["NeedDaemonReload", yes(details.stale)],
    ["DefaultDependencies", yes(unit.defaultDependencies)],
    ["ConditionResult", yes(record.conditionAt !== undefined && record.unmet === undefined)],
    ["AssertResult", yes(record.assertAt !== undefined && record.assertUnmet === undefined)],
    ["ConditionTimestamp", at(record.conditionAt)],
    ["StartLimitIntervalUSec", span(unit.startLimitInterval)],
    ["StartLimitBurst", String(unit.startLimitBurst)],
  ];
}

export function show(host: SystemctlHost, call: Call): Result {
  const blocks = call.units.map((name) => {
    const all = properties(host, host.systemd.unit(name)).filter(([, value]) => value !== "" || call.all || call.properties !== undefined);
    const chosen =
      call.properties === undefined ? all : call.properties.flatMap((wanted) => all.filter(([key]) => key === wanted).slice(0, 1));
    return chosen.map(([key, value]) => (call.value ? `${value}\n` : `${key}=${value}\n`)).join("");
  });
  return ok(blocks.join("\n"));
}

export function cat(host: SystemctlHost, call: Call): Result {
  const parts: string[] = [];
  for (const name of call.units) {
    const { unit } = host.systemd.unit(name);
    if (unit.loadState === "masked") {
      parts.push(`# Unit ${unit.name} is masked.\n`);
      continue;
    }
    if (unit.fragment === undefined) return fail(`No files found for ${name}.\n`, 1, parts.join("\n"));
    for (const path of [unit.fragment, ...unit.dropIns]) parts.push(`# ${path}\n${host.systemd.text(path) ?? ""}`);
  }
  return ok(parts.join("\n"));
}
