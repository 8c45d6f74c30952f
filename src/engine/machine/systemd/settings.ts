/**
 * What each key of a unit file means: one table a section, from a value to a change of the definition that is being made. In the real stack:
 * load-fragment-gperf.gperf and load-fragment.c. Keys that systemd knows and this lab has no use for (resource control, sandboxing, users) are taken silently.
 */
import { NEVER, type Duration, type Signal } from "../../kernel/index.ts";
import { parseCalendar } from "./calendar.ts";
import {
  DEFAULT_RESTART,
  DEFAULT_START_LIMIT_BURST,
  DEFAULT_START_LIMIT_INTERVAL,
  DEFAULT_TIMEOUT,
  DEFAULT_TIMER_ACCURACY,
  DEPENDENCIES,
  EXEC_KINDS,
  KILL_MODES,
  RESTART_POLICIES,
  SERVICE_TYPES,
  TIMER_BASES,
  type Check,
  type Dependency,
  type ExecKind,
  type ExitSet,
  type InstallDefinition,
  type ServiceDefinition,
  type TimerBase,
  type UnitDefinition,
} from "./definition.ts";
import { exitNumber } from "./exits.ts";
import { KNOWN_KEYS } from "./known-keys.ts";
import { unitType } from "./names.ts";
import { parseBoolean, parseExec, parseSignal, parseSpan, parseVariable, splitItems, type ExecCommand } from "./values.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Lists<K extends string, T> = { [kind in K]: T[] };

/** A definition on its way: lists can still grow. */
export interface Draft {
  readonly name: string;
  unit: Mutable<
    Pick<
      UnitDefinition,
      | "description"
      | "documentation"
      | "defaultDependencies"
      | "conditions"
      | "asserts"
      | "startLimitInterval"
      | "startLimitBurst"
      | "allowIsolate"
      | "refuseManualStart"
      | "refuseManualStop"
      | "ignoreOnIsolate"
      | "jobTimeout"
      | "successAction"
      | "failureAction"
    >
  >;
  dependencies: Lists<Dependency, string>;
  /** Undefined: what the type has. */
  service: Mutable<Omit<ServiceDefinition, "exec" | "type" | "timeoutStart">> & {
    type: ServiceDefinition["type"] | undefined;
    timeoutStart: Duration | undefined;
  };
  exec: Lists<ExecKind, ExecCommand>;
  timer: {
    monotonic: { base: TimerBase; span: Duration }[];
    calendar: string[];
    unit: string | undefined;
    persistent: boolean;
    accuracy: Duration;
    randomizedDelay: Duration;
    fixedRandomDelay: boolean;
    remainAfterElapse: boolean;
  };
  install: Mutable<InstallDefinition>;
  /** A command line that cannot be read: the unit is not started at all. */
  fatal: boolean;
}

/** Reads one value into the draft; the answer is what is wrong with it. */
type Setter = (draft: Draft, value: string, expand: (text: string) => string | undefined) => string | undefined;

const noExits = (): ExitSet => ({ codes: [], signals: [] });

export function emptyDraft(name: string): Draft {
  const lists = <K extends string, T>(kinds: readonly K[]): Lists<K, T> =>
    Object.fromEntries(kinds.map((k) => [k, [] as T[]])) as Lists<K, T>;
  return {
    name,
    unit: {
      description: name,
      documentation: [],
      defaultDependencies: true,
      conditions: [],
      asserts: [],
      startLimitInterval: DEFAULT_START_LIMIT_INTERVAL,
      startLimitBurst: DEFAULT_START_LIMIT_BURST,
      allowIsolate: false,
      refuseManualStart: false,
      refuseManualStop: false,
      ignoreOnIsolate: false,
      jobTimeout: NEVER,
      successAction: "none",
      failureAction: "none",
    },
    dependencies: lists<Dependency, string>(DEPENDENCIES),
    service: {
      type: undefined,
      remainAfterExit: false,
      timeoutStart: undefined,
      timeoutStop: DEFAULT_TIMEOUT,
      timeoutAbort: undefined,
      runtimeMax: NEVER,
      restart: "no",
      restartSec: DEFAULT_RESTART,
      successExit: noExits(),
      restartPrevent: noExits(),
      restartForce: noExits(),
      watchdog: 0,
      pidFile: undefined,
      killMode: "control-group",
      killSignal: "SIGTERM",
      restartKillSignal: undefined,
      finalKillSignal: "SIGKILL",
      watchdogSignal: "SIGABRT",
      sendSigkill: true,
      sendSighup: false,
      environment: [],
      environmentFiles: [],
      workingDirectory: undefined,
      user: undefined,
    },
    exec: lists<ExecKind, ExecCommand>(EXEC_KINDS),
    timer: {
      monotonic: [],
      calendar: [],
      unit: undefined,
      persistent: false,
      accuracy: DEFAULT_TIMER_ACCURACY,
      randomizedDelay: 0,
      fixedRandomDelay: false,
      remainAfterElapse: true,
    },
    install: { wantedBy: [], requiredBy: [], alias: [], also: [], defaultInstance: undefined },
    fatal: false,
  };
}

// ---- kinds of values

/** A setter that parses, and says as systemd puts it what it could not. */
function parsed<T>(parse: (text: string) => T | undefined, what: string, set: (draft: Draft, value: T) => void): Setter {
  return (draft, value, expand) => {
    const text = expand(value);
    const result = text === undefined ? undefined : parse(text);
    if (result === undefined) return `Failed to parse ${what}, ignoring: ${value}`;
    set(draft, result);
    return undefined;
  };
}

const flag = (set: (draft: Draft, value: boolean) => void): Setter => parsed(parseBoolean, "boolean value", set);
const span = (key: string, set: (draft: Draft, value: Duration) => void): Setter => parsed(parseSpan, `${key}= parameter`, set);
/** Where `infinity` and 0 both mean that there is no limit. */
const limit = (key: string, set: (draft: Draft, value: Duration) => void): Setter =>
  span(key, (draft, value) => set(draft, value === 0 ? NEVER : value));
const signal = (set: (draft: Draft, value: Signal) => void): Setter => parsed(parseSignal, "kill signal", set);
const text =
  (set: (draft: Draft, value: string) => void): Setter =>
  (draft, value, expand) => {
    const expanded = expand(value);
    if (expanded === undefined) return `Failed to resolve unit specifiers in ${value}, ignoring: Invalid slot`;
    set(draft, expanded);
    return undefined;
  };
const oneOf = <T extends string>(values: readonly T[], what: string, set: (draft: Draft, value: T) => void): Setter =>
  parsed((t) => values.find((v) => v === t), what, set);
const whole = (set: (draft: Draft, value: number) => void): Setter =>
  parsed((t) => (/^\d{1,10}$/.test(t) ? Number(t) : undefined), "unsigned value", set);

function dependency(kind: Dependency): Setter {
  return (draft, value, expand) => {
    // An empty value does not take dependencies back: systemd.unit(5).
    for (const word of value.split(/\s+/).filter((w) => w !== "")) {
      const name = expand(word);
      if (name === undefined || unitType(name) === undefined) return `Failed to add dependency on ${word}, ignoring: Invalid argument`;
      draft.dependencies[kind].push(name);
    }
    return undefined;
  };
}

function check(list: "conditions" | "asserts", kind: string): Setter {
  return (draft, value, expand) => {
    if (value === "") {
      draft.unit[list] = [];
      return undefined;
    }
    const marks = /^[|!]*\s*/.exec(value)?.[0] ?? "";
    const rest = expand(value.slice(marks.length));
    if (rest === undefined) return `Failed to resolve unit specifiers in ${value}, ignoring: Invalid slot`;
    const one: Check = { kind, value: rest, negated: marks.includes("!"), trigger: marks.includes("|") };
    const key = `${list === "conditions" ? "Condition" : "Assert"}${kind}`;
    if (/^(Path|Directory|File)/.test(kind) && !rest.startsWith("/")) return `${key}= path is not absolute, ignoring: ${rest}`;
    draft.unit[list] = [...draft.unit[list], one];
    return undefined;
  };
}

function exec(kind: ExecKind): Setter {
  return (draft, value, expand) => {
    if (value === "") {
      draft.exec[kind] = [];
      return undefined;
    }
    const expanded = expand(value);
    const fatal = (problem: string): string => {
      draft.fatal = true;
      return problem;
    };
    if (expanded === undefined) return fatal(`Failed to resolve unit specifiers in ${/%[A-Za-z]/.exec(value)?.[0] ?? value}: Invalid slot`);
    const commands = parseExec(expanded);
    if ("problem" in commands) return fatal(commands.problem);
    draft.exec[kind].push(...commands);
    return undefined;
  };
}

function exits(set: (draft: Draft, change: (before: ExitSet) => ExitSet) => void): Setter {
  return (draft, value) => {
    if (value === "") {
      set(draft, noExits);
      return undefined;
    }
    for (const word of value.split(/\s+/)) {
      const code = exitNumber(word);
      const name = code === undefined ? parseSignal(word) : undefined;
      if (code === undefined && name === undefined) return `Failed to parse value, ignoring: ${word}`;
      set(draft, (before) => ({
        codes: code === undefined ? before.codes : [...before.codes, code],
        signals: name === undefined ? before.signals : [...before.signals, name],
      }));
    }
    return undefined;
  };
}

const environment: Setter = (draft, value, expand) => {
  if (value === "") {
    draft.service.environment = [];
    return undefined;
  }
  const variables: (readonly [string, string])[] = [];
  for (const word of splitItems(expand(value) ?? value) ?? []) {
    const variable = parseVariable(word);
    if (variable === undefined) return `Invalid environment assignment, ignoring: ${word}`;
    variables.push(variable);
  }
  draft.service.environment = [...draft.service.environment, ...variables];
  return undefined;
};

const environmentFile: Setter = (draft, value, expand) => {
  if (value === "") {
    draft.service.environmentFiles = [];
    return undefined;
  }
  const file = expand(value) ?? value;
  if (!/^-?\//.test(file)) return `EnvironmentFile= path is not absolute, ignoring: ${file}`;
  draft.service.environmentFiles = [...draft.service.environmentFiles, file];
  return undefined;
};

function calendar(draft: Draft, value: string): string | undefined {
  if (value === "") {
    draft.timer.calendar = [];
    draft.timer.monotonic = [];
    return undefined;
  }
  if (parseCalendar(value) === undefined) return `Failed to parse calendar specification, ignoring: ${value}`;
  draft.timer.calendar.push(value);
  return undefined;
}

function monotonic(base: TimerBase): Setter {
  return (draft, value) => {
    if (value === "") {
      draft.timer.calendar = [];
      draft.timer.monotonic = [];
      return undefined;
    }
    const of = parseSpan(value);
    if (of === undefined) return `Failed to parse timer value, ignoring: ${value}`;
    draft.timer.monotonic.push({ base, span: of });
    return undefined;
  };
}

const items =
  (key: "wantedBy" | "requiredBy" | "alias" | "also"): Setter =>
  (draft, value, expand) => {
    const list = value.split(/\s+/).filter((w) => w !== "");
    draft.install[key] = value === "" ? [] : [...draft.install[key], ...list.map((w) => expand(w) ?? w)];
    return undefined;
  };

// ---- the sections

const UNIT_KEYS: Readonly<Record<string, Setter>> = {
  Description: text((d, v) => (d.unit.description = v === "" ? d.name : v)),
  Documentation: (d, value) => {
    d.unit.documentation = value === "" ? [] : [...d.unit.documentation, ...value.split(/\s+/)];
    return undefined;
  },
  ...Object.fromEntries(DEPENDENCIES.filter((kind) => kind !== "Triggers").map((kind) => [kind, dependency(kind)])),
  BindTo: dependency("BindsTo"),
  DefaultDependencies: flag((d, v) => (d.unit.defaultDependencies = v)),
  StartLimitIntervalSec: span("StartLimitIntervalSec", (d, v) => (d.unit.startLimitInterval = v)),
  StartLimitInterval: span("StartLimitInterval", (d, v) => (d.unit.startLimitInterval = v)),
  StartLimitBurst: whole((d, v) => (d.unit.startLimitBurst = v)),
  AllowIsolate: flag((d, v) => (d.unit.allowIsolate = v)),
  RefuseManualStart: flag((d, v) => (d.unit.refuseManualStart = v)),
  RefuseManualStop: flag((d, v) => (d.unit.refuseManualStop = v)),
  IgnoreOnIsolate: flag((d, v) => (d.unit.ignoreOnIsolate = v)),
  JobTimeoutSec: limit("JobTimeoutSec", (d, v) => (d.unit.jobTimeout = v)),
  SuccessAction: text((d, v) => (d.unit.successAction = v)),
  FailureAction: text((d, v) => (d.unit.failureAction = v)),
};

const SERVICE_KEYS: Readonly<Record<string, Setter>> = {
  Type: oneOf(SERVICE_TYPES, "service type", (d, v) => (d.service.type = v)),
  ...Object.fromEntries(EXEC_KINDS.map((kind) => [kind, exec(kind)])),
  RemainAfterExit: flag((d, v) => (d.service.remainAfterExit = v)),
  TimeoutSec: limit("TimeoutSec", (d, v) => Object.assign(d.service, { timeoutStart: v, timeoutStop: v })),
  TimeoutStartSec: limit("TimeoutStartSec", (d, v) => (d.service.timeoutStart = v)),
  TimeoutStopSec: limit("TimeoutStopSec", (d, v) => (d.service.timeoutStop = v)),
  TimeoutAbortSec: limit("TimeoutAbortSec", (d, v) => (d.service.timeoutAbort = v)),
  RuntimeMaxSec: limit("RuntimeMaxSec", (d, v) => (d.service.runtimeMax = v)),
  Restart: oneOf(RESTART_POLICIES, "service restart specifier", (d, v) => (d.service.restart = v)),
  RestartSec: span("RestartSec", (d, v) => (d.service.restartSec = v)),
  SuccessExitStatus: exits((d, change) => (d.service.successExit = change(d.service.successExit))),
  RestartPreventExitStatus: exits((d, change) => (d.service.restartPrevent = change(d.service.restartPrevent))),
  RestartForceExitStatus: exits((d, change) => (d.service.restartForce = change(d.service.restartForce))),
  WatchdogSec: span("WatchdogSec", (d, v) => (d.service.watchdog = v)),
  PIDFile: text((d, v) => (d.service.pidFile = v === "" ? undefined : v.startsWith("/") ? v : `/run/${v}`)),
  KillMode: oneOf(KILL_MODES, "kill mode specifier", (d, v) => (d.service.killMode = v)),
  KillSignal: signal((d, v) => (d.service.killSignal = v)),
  RestartKillSignal: signal((d, v) => (d.service.restartKillSignal = v)),
  FinalKillSignal: signal((d, v) => (d.service.finalKillSignal = v)),
  WatchdogSignal: signal((d, v) => (d.service.watchdogSignal = v)),
  SendSIGKILL: flag((d, v) => (d.service.sendSigkill = v)),
  SendSIGHUP: flag((d, v) => (d.service.sendSighup = v)),
  Environment: environment,
  EnvironmentFile: environmentFile,
  WorkingDirectory: text((d, v) => (d.service.workingDirectory = v === "" ? undefined : v)),
  User: text((d, v) => (d.service.user = v === "" ? undefined : v)),
  // Since systemd 230 these two belong to [Unit], and are still read here.
  StartLimitInterval: span("StartLimitInterval", (d, v) => (d.unit.startLimitInterval = v)),
  StartLimitBurst: whole((d, v) => (d.unit.startLimitBurst = v)),
};

const TIMER_KEYS: Readonly<Record<string, Setter>> = {
  ...Object.fromEntries(TIMER_BASES.map((base) => [base, monotonic(base)])),
  OnCalendar: calendar,
  Unit: text((d, v) => (d.timer.unit = v)),
  Persistent: flag((d, v) => (d.timer.persistent = v)),
  AccuracySec: span("AccuracySec", (d, v) => (d.timer.accuracy = v)),
  RandomizedDelaySec: span("RandomizedDelaySec", (d, v) => (d.timer.randomizedDelay = v)),
  FixedRandomDelay: flag((d, v) => (d.timer.fixedRandomDelay = v)),
  RemainAfterElapse: flag((d, v) => (d.timer.remainAfterElapse = v)),
};

const INSTALL_KEYS: Readonly<Record<string, Setter>> = {
  WantedBy: items("wantedBy"),
  RequiredBy: items("requiredBy"),
  Alias: items("alias"),
  Also: items("also"),
  DefaultInstance: text((d, v) => (d.install.defaultInstance = v)),
};

const TABLES: Readonly<Record<string, Readonly<Record<string, Setter>>>> = {
  Unit: UNIT_KEYS,
  Service: SERVICE_KEYS,
  Timer: TIMER_KEYS,
  Install: INSTALL_KEYS,
};

/** Applies one assignment. @returns what is wrong with it, as systemd puts it */
export function assign(
  draft: Draft,
  section: string,
  key: string,
  value: string,
  expand: (text: string) => string | undefined,
): string | undefined {
  const setter = TABLES[section]?.[key];
  if (setter !== undefined) return setter(draft, value, expand);
  const m = /^(Condition|Assert)([A-Z]\w*)$/.exec(key);
  if (section === "Unit" && m !== null && KNOWN_KEYS.checks.has(m[2] ?? ""))
    return check(m[1] === "Condition" ? "conditions" : "asserts", m[2] ?? "")(draft, value, expand);
  if (KNOWN_KEYS[section === "Unit" ? "unit" : section === "Install" ? "install" : "exec"].has(key)) return undefined;
  // Sections of sockets, mounts and the like: the lab reads nothing from them.
  if (TABLES[section] === undefined) return undefined;
  return `Unknown key '${key}' in section [${section}], ignoring.`;
}
