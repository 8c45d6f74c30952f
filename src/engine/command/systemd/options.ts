/**
 * How systemctl is called: verbs, options and unit names. In the real stack: systemctl.c of systemd 252; systemctl(1). Left out: verbs and options that are not listed here,
 * which say so; other hosts, other managers than the system's.
 */
import { isTemplate, parseSignal, unitType } from "../../machine/systemd/index.ts";
import type { JobMode, Verb as JobVerb } from "../../machine/systemd/index.ts";
import type { Signal } from "../../kernel/index.ts";
import { getopt, wholeNumber } from "../../kernel/getopt.ts";
import { INSTALL_VERBS, type InstallVerb } from "./install-verbs.ts";
import { fail, notModelled, type Result } from "../result.ts";

const NAME = "systemctl";

export const JOB_VERBS: readonly JobVerb[] = [
  "start",
  "stop",
  "restart",
  "try-restart",
  "reload",
  "reload-or-restart",
  "try-reload-or-restart",
  "isolate",
];
export const QUERIES = [
  "status",
  "cat",
  "show",
  "list-units",
  "list-unit-files",
  "list-dependencies",
  "list-timers",
  "list-jobs",
  "is-active",
  "is-enabled",
  "is-failed",
  "is-system-running",
  "get-default",
] as const;
export type Query = (typeof QUERIES)[number];
const OTHERS = ["kill", "daemon-reload", "reset-failed", "poweroff", "reboot", "halt"] as const;
export type Verb = JobVerb | InstallVerb | Query | (typeof OTHERS)[number];
export const VERBS: readonly Verb[] = [...JOB_VERBS, ...INSTALL_VERBS, ...QUERIES, ...OTHERS];

/** Verbs that do without a unit. */
const ALONE: readonly Verb[] = [
  "status",
  "list-units",
  "list-unit-files",
  "list-dependencies",
  "list-timers",
  "list-jobs",
  "daemon-reload",
  "reset-failed",
  "is-system-running",
  "get-default",
  "poweroff",
  "reboot",
  "halt",
];

export interface Call {
  readonly verb: Verb;
  /** As typed, with `.service` where there was no suffix. */
  readonly units: readonly string[];
  now: boolean;
  quiet: boolean;
  block: boolean;
  all: boolean;
  runtime: boolean;
  plain: boolean;
  legend: boolean;
  value: boolean;
  reverse: boolean;
  signal: Signal;
  whom: "all" | "main" | "control";
  lines: number;
  mode: JobMode;
  types: readonly string[];
  states: readonly string[];
  properties: readonly string[] | undefined;
}

const LONG = [
  "no-pager",
  "now",
  "quiet",
  "no-block",
  "signal=",
  "kill-whom=",
  "kill-who=",
  "lines=",
  "property=",
  "all",
  "full",
  "type=",
  "state=",
  "failed",
  "force",
  "value",
  "plain",
  "no-legend",
  "legend=",
  "runtime",
  "job-mode=",
  "reverse",
  "after",
  "before",
  "output=",
  "no-ask-password",
  "no-warn",
  "system",
  "wait",
  "show-types",
  "with-dependencies",
];

const ALIASES: Readonly<Record<string, string>> = {
  q: "quiet",
  s: "signal",
  n: "lines",
  p: "property",
  P: "property-value",
  a: "all",
  l: "full",
  t: "type",
  f: "force",
  o: "output",
};

/** `corosync` → `corosync.service`; a name with a suffix that is known stays. */
export function unitName(word: string): string {
  return unitType(word) === undefined ? `${word}.service` : word;
}

export function parse(args: readonly string[]): Call | Result {
  const parsed = getopt(NAME, args, "qs:n:p:P:alt:fo:", LONG);
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const [word = "list-units", ...units] = parsed.operands;
  const verb = VERBS.find((v) => v === word);
  if (verb === undefined) return fail(`Unknown command verb ${word}.\n`);
  const call: Call = {
    verb,
    units: units.map(unitName),
    now: false,
    quiet: false,
    block: true,
    all: false,
    runtime: false,
    plain: false,
    legend: true,
    value: false,
    reverse: false,
    signal: "SIGTERM",
    whom: "all",
    lines: 10,
    mode: "replace",
    types: [],
    states: [],
    properties: undefined,
  };
  for (const { name, value } of parsed.options) {
    const answer = apply(call, ALIASES[name] ?? name, value);
    if (answer !== undefined) return answer;
  }
  if (call.units.length === 0 && !ALONE.includes(verb)) return fail("Too few arguments.\n");
  const template = [...JOB_VERBS, "kill"].includes(verb as JobVerb) ? call.units.find((u) => isTemplate(u)) : undefined;
  return template === undefined ? call : fail(`Failed to ${verb} ${template}: Unit name ${template} is missing the instance name.\n`);
}

const SWITCHES: Readonly<Record<string, (call: Call) => void>> = {
  now: (c) => (c.now = true),
  quiet: (c) => (c.quiet = true),
  "no-block": (c) => (c.block = false),
  all: (c) => (c.all = true),
  runtime: (c) => (c.runtime = true),
  plain: (c) => (c.plain = true),
  "no-legend": (c) => (c.legend = false),
  value: (c) => (c.value = true),
  reverse: (c) => (c.reverse = true),
  failed: (c) => (c.states = ["failed"]),
};
/** Taken without effect: lines are never cut, there is no pager and nobody to ask. */
const IDLE = ["no-pager", "full", "force", "output", "no-ask-password", "no-warn", "system", "wait", "show-types", "with-dependencies"];

function apply(call: Call, name: string, value: string): Result | undefined {
  const set = SWITCHES[name];
  if (set !== undefined) set(call);
  else if (name === "signal") {
    const signal = parseSignal(value);
    if (signal === undefined) return fail(`Failed to parse signal string ${value}.\n`);
    call.signal = signal;
  } else if (name === "kill-whom" || name === "kill-who") {
    if (value !== "all" && value !== "main" && value !== "control") return fail(`Failed to kill unit: Invalid who argument ${value}\n`);
    call.whom = value;
  } else if (name === "lines") {
    const n = wholeNumber(value, 0, 2_147_483_647);
    if (n === undefined) return fail(`Failed to parse lines '${value}'.\n`);
    call.lines = n;
  } else if (name === "property" || name === "property-value") {
    call.properties = [...(call.properties ?? []), ...value.split(",")];
    if (name === "property-value") call.value = true;
  } else if (name === "type") {
    for (const one of value.split(",")) {
      if (unitType(`x.${one}`) !== undefined) call.types = [...call.types, one];
      else call.states = [...call.states, one];
    }
  } else if (name === "state") call.states = [...call.states, ...value.split(",")];
  else if (name === "job-mode") {
    const mode = (["replace", "fail", "isolate", "replace-irreversibly", "ignore-dependencies"] as const).find((m) => m === value);
    if (mode === undefined) return fail(`Failed to start: Job mode ${value} invalid\n`);
    call.mode = mode;
  } else if (name === "legend") call.legend = value !== "no" && value !== "false";
  else if (!IDLE.includes(name)) return notModelled(`${NAME} --${name}`);
  return undefined;
}
