/**
 * What systemd adds to a unit that its files do not say: dependencies by type (DefaultDependencies=), the slice of a service, the unit of a timer, and the few units that
 * exist without any file. In the real stack: service_add_default_dependencies and its like; systemd.service(5) "Automatic Dependencies". Left out: what follows from
 * mounts and sockets.
 */
import { NEVER } from "../../kernel/index.ts";
import {
  DEFAULT_TIMEOUT,
  type Dependencies,
  type Dependency,
  type LoadState,
  type ServiceDefinition,
  type TimerDefinition,
  type UnitDefinition,
} from "./definition.ts";
import { bareName, unitType, type UnitType } from "./names.ts";
import type { Draft } from "./settings.ts";

/** Units that are there from the first moment, and never stop. */
export const PERPETUAL: readonly string[] = ["-.slice", "system.slice", "init.scope"];

const BUILT_IN: Readonly<Record<string, string>> = {
  "-.slice": "Root Slice",
  "system.slice": "System Slice",
  "init.scope": "System and Service Manager",
};

interface About {
  readonly loadState: LoadState;
  readonly fragment: string | undefined;
  readonly dropIns: readonly string[];
  readonly hash: string;
}

type Additions = Partial<Record<Dependency, readonly string[]>>;

const STOP_AT_SHUTDOWN: Additions = { Conflicts: ["shutdown.target"], Before: ["shutdown.target"] };

/** Dependencies by type where DefaultDependencies= is not off. */
function byType(type: UnitType, draft: Draft): Additions {
  const afterInit: Additions = { ...STOP_AT_SHUTDOWN, Requires: ["sysinit.target"] };
  switch (type) {
    case "service":
      return { ...afterInit, After: ["sysinit.target", "basic.target"] };
    case "timer":
      return {
        ...afterInit,
        Before: ["shutdown.target", "timers.target"],
        After: ["sysinit.target", ...(draft.timer.calendar.length > 0 ? ["time-set.target", "time-sync.target"] : [])],
      };
    case "socket":
      return { ...afterInit, Before: ["shutdown.target", "sockets.target"], After: ["sysinit.target"] };
    case "path":
      return { ...afterInit, Before: ["shutdown.target", "paths.target"], After: ["sysinit.target"] };
    case "target":
      return draft.name === "shutdown.target" ? {} : STOP_AT_SHUTDOWN;
    case "slice":
    case "scope":
      return STOP_AT_SHUTDOWN;
    case "mount":
      return { Conflicts: ["umount.target"], Before: ["umount.target", "local-fs.target"], After: ["local-fs-pre.target"] };
  }
}

/** Those a unit has whatever it says. */
function always(type: UnitType, draft: Draft, timerUnit: string): Additions {
  if (type === "service") return { Requires: ["system.slice"], After: ["system.slice"] };
  if (type === "timer") return { Before: [timerUnit], Triggers: [timerUnit] };
  if (draft.name === "system.slice") return { Requires: ["-.slice"], After: ["-.slice"] };
  return {};
}

function merged(draft: Draft, additions: readonly Additions[]): Dependencies {
  const out: Record<string, readonly string[]> = {};
  for (const kind of Object.keys(draft.dependencies) as Dependency[]) {
    const names = [...draft.dependencies[kind], ...additions.flatMap((a) => a[kind] ?? [])];
    out[kind] = Object.freeze([...new Set(names)].filter((name) => name !== draft.name));
  }
  return Object.freeze(out) as Dependencies;
}

/** @param loaded what is not loaded has no type, and ends as a daemon does: by SIGTERM cleanly */
function serviceOf(draft: Draft, loaded: boolean): ServiceDefinition {
  const { exec } = draft;
  const type = draft.service.type ?? (loaded && exec.ExecStart.length === 0 ? "oneshot" : "simple");
  // A oneshot may take its time, unless somebody gave it one.
  const timeoutStart = draft.service.timeoutStart ?? (type === "oneshot" ? NEVER : DEFAULT_TIMEOUT);
  return Object.freeze({ ...draft.service, type, exec: Object.freeze(exec), timeoutStart });
}

function timerOf(draft: Draft): TimerDefinition {
  return Object.freeze({ ...draft.timer, unit: draft.timer.unit ?? `${bareName(draft.name)}.service` });
}

/** The finished definition. A name without a file is not found, unless it is one of the few that need none. */
export function withDefaults(draft: Draft, about: About): UnitDefinition {
  const type = unitType(draft.name) ?? "service";
  const builtIn = BUILT_IN[draft.name];
  const scope = type === "scope" || type === "slice";
  const present = about.fragment !== undefined || builtIn !== undefined || scope;
  const loadState = about.loadState === "loaded" && !present ? "not-found" : about.loadState;
  const loaded = loadState === "loaded";
  const perpetual = PERPETUAL.includes(draft.name);
  const timer = type === "timer" ? timerOf(draft) : undefined;
  const additions = loaded ? [always(type, draft, timer?.unit ?? "")] : [];
  if (loaded && draft.unit.defaultDependencies && !perpetual) additions.push(byType(type, draft));
  return Object.freeze({
    name: draft.name,
    type,
    ...draft.unit,
    ...(builtIn === undefined || about.fragment !== undefined ? {} : { description: builtIn }),
    loadState,
    fragment: about.fragment,
    dropIns: Object.freeze([...about.dropIns]),
    dependencies: merged(draft, additions),
    // One that is masked or gone while it runs is still a service, with processes to end.
    service: type === "service" ? serviceOf(draft, loaded) : undefined,
    timer: loaded ? timer : undefined,
    install: Object.freeze({ ...draft.install }),
    refuseManualStop: draft.unit.refuseManualStop || perpetual,
    hash: about.hash,
  });
}
