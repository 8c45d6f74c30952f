/**
 * The manager as those see it who only ask: systemctl's queries, status lines, the page. Nothing here changes anything; a unit that is not loaded is read for the question and
 * forgotten. In the real stack: the properties of org.freedesktop.systemd1.
 */
import { fromUtf8, type Instant } from "../../kernel/index.ts";
import type { UnitDefinition } from "./definition.ts";
import type { FileView } from "./files.ts";
import type { Edge } from "./graph.ts";
import { UnitFiles, type FileState } from "./install.ts";
import { UnitLoader } from "./load.ts";
import type { Manager } from "./manager.ts";
import { journalUnit } from "./names.ts";
import { newRecord, type ActiveState, type Job, type UnitRecord } from "./record.ts";

export interface UnitDetails {
  readonly unit: UnitDefinition;
  readonly record: Readonly<UnitRecord>;
  readonly job: Readonly<Job> | undefined;
  readonly names: readonly string[];
  readonly fileState: FileState | undefined;
  readonly preset: string;
  /** Its files have changed since they were read. */
  readonly stale: boolean;
  readonly processes: readonly { readonly pid: number; readonly name: string; readonly command?: string }[];
}

export interface SystemdView {
  /** Any unit, loaded or not. */
  unit(name: string): UnitDetails;
  /** Those that are loaded. */
  units(): UnitDetails[];
  jobs(): readonly Job[];
  edge(name: string, edge: Edge): readonly string[];
  active(name: string): ActiveState;
  fileState(name: string): FileState | undefined;
  unitFiles(): { readonly name: string; readonly state: FileState; readonly preset: string }[];
  text(path: string): string | undefined;
  /** /etc/init.d has a script of the name. */
  hasInitScript(name: string): boolean;
}

/** One unit as the lab's status has it. */
export interface UnitStatus {
  /** As the journal calls it: a service without its suffix. */
  readonly name: string;
  readonly description: string;
  readonly state: ActiveState;
  readonly sub: string;
  readonly since: Instant;
  readonly mainPid: number;
  /** Enabled: started at boot. */
  readonly wantedAtBoot: boolean;
}

/** @param files a way to read that leaves no trace, where the manager's own has some (times of access) */
export function systemdView(manager: Manager, files: FileView = manager.hooks.files): SystemdView {
  const { edits, host, processes } = manager.hooks;
  const installed = new UnitFiles(files, edits, host);
  const load = (name: string): UnitDefinition => new UnitLoader(files, host, () => undefined).load(name);
  const details = (unit: UnitDefinition): UnitDetails => {
    const fileState = installed.state(unit.name);
    const known = manager.record(unit.name);
    return {
      unit,
      record: known ?? newRecord(unit),
      job: manager.jobs.get(unit.name),
      names: [unit.name, ...manager.graph.namesOf(unit.name)],
      fileState,
      preset: fileState === undefined ? "" : installed.preset(fileState),
      stale: known !== undefined && unit.fragment !== undefined && load(unit.name).hash !== unit.hash,
      processes: processes(unit.name),
    };
  };
  return {
    unit: (name) => details(manager.graph.get(name) ?? load(name)),
    units: () => manager.graph.all().map(details),
    jobs: () => manager.jobs.all(),
    edge: (name, edge) => manager.graph.edge(manager.graph.canonical(name), edge),
    active: (name) => manager.active(name),
    fileState: (name) => installed.state(name),
    unitFiles: () => installed.list().map((f) => ({ ...f, preset: installed.preset(f.state) })),
    text: (path) => {
      const data = files.read(path);
      return data === undefined ? undefined : fromUtf8(data);
    },
    hasInitScript: (name) => files.stat(`/etc/init.d/${name}`) !== undefined,
  };
}

/** The services of the machine for its status: loaded ones, and those whose files are there. */
export function unitStatuses(manager: Manager, files: FileView = manager.hooks.files): UnitStatus[] {
  const view = systemdView(manager, files);
  const names = new Set([...view.unitFiles().map((f) => f.name), ...manager.graph.all().map((u) => u.name)]);
  return [...names]
    .filter((name) => name.endsWith(".service") && !name.endsWith("@.service"))
    .map((name) => view.unit(name))
    .filter(({ unit }) => unit.loadState === "loaded" && (unit.service?.exec.ExecStart.length ?? 0) > 0)
    .map(({ unit, record, fileState }) => ({
      name: journalUnit(unit.name),
      description: unit.description,
      state: record.active,
      sub: record.sub,
      since: record.since,
      mainPid: record.service?.mainPid ?? 0,
      wantedAtBoot: fileState === "enabled" || fileState === "enabled-runtime",
    }));
}
