/**
 * How systemctl is called: verbs, options and unit names. In the real stack: systemctl.c of systemd 252; systemctl(1). Left out: verbs and options that are not listed here,
 * which say so; other hosts, other managers than the system's.
 */
import { isTemplate, parseSignal, unitType } from "../../machine/systemd/index.ts";
import type { JobMode, Verb as JobVerb } from "../../machine/systemd/index.ts";
import type { Signal } from "../../kernel/index.ts";
import { getopt, wholeNumber } from "../../kernel/getopt.ts";
import { INSTALL_VERBS, type InstallVerb } from "./install-verbs.ts";
import { fail, notModelled, ok, type Result } from "../result.ts";
import { yesOrNo } from "../yes-or-no.ts";

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

/** In systemd's order, which shows where a shortened one is ambiguous. An equals sign: with an argument. */
const LONG = (
  "help type= property= all reverse after before show-types failed full job-mode= fail irreversible ignore-dependencies ignore-inhibitors check-inhibitors= version value user system global wait " +
  "no-block legend= no-legend no-pager no-wall dry-run quiet root= image= force no-reload kill-whom= kill-who= kill-value= signal= no-ask-password host= machine= runtime lines= output= " +
  "plain state= recursive with-dependencies preset-mode= firmware-setup boot-loader-menu= boot-loader-entry= now message= show-transaction what= reboot-argument= timestamp= read-only mkdir marked"
).split(" ");

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
  h: "help",
  H: "host",
  M: "machine",
  i: "ignore-inhibitors",
  T: "show-transaction",
  r: "recursive",
};

/** `corosync` → `corosync.service`; a name with a suffix that is known stays. */
export function unitName(word: string): string {
  return unitType(word) === undefined ? `${word}.service` : word;
}

/** Verbs by which others are called. */
const VERB_ALIASES: Readonly<Record<string, Verb>> = {
  condrestart: "try-restart",
  condreload: "try-reload-or-restart",
  "force-reload": "try-reload-or-restart",
  "reload-or-try-restart": "try-reload-or-restart",
  condstop: "stop",
};

/** Verbs that systemd has besides, by the least number of arguments. */
const OTHER_VERBS: readonly (readonly string[])[] = [
  (
    "list-automounts list-machines list-paths list-sockets cancel daemon-reexec default emergency exit hibernate hybrid-sleep import-environment kexec log-level log-target preset-all rescue " +
    "service-watchdogs show-environment suspend suspend-then-hibernate"
  ).split(" "),
  "clean edit freeze help link preset revert service-log-level service-log-target set-environment switch-root thaw unset-environment".split(
    " ",
  ),
  "add-requires add-wants bind mount-image set-property".split(" "),
];

/** Most arguments of these verbs. */
const MOST: Readonly<Record<string, number>> = {
  "daemon-reload": 0,
  "get-default": 0,
  halt: 0,
  "is-system-running": 0,
  isolate: 1,
  poweroff: 0,
  reboot: 0,
  "set-default": 1,
};

/** What is said of a verb that is none, of one that the lab has not, and of too few or too many arguments. */
function wrongVerb(word: string, verb: Verb | undefined, count: number): Result | undefined {
  const few = fail("Too few arguments.\n");
  if (verb !== undefined) {
    if (count === 0 && !ALONE.includes(verb)) return few;
    return count > (MOST[verb] ?? Infinity) ? fail("Too many arguments.\n") : undefined;
  }
  const least = OTHER_VERBS.findIndex((verbs) => verbs.includes(word));
  if (least < 0) return fail(`Unknown command verb ${word}.\n`);
  if (word === "help" && count === 0)
    return fail("'help' command expects one or more unit names.\n(Alternatively, help for systemctl itself may be shown with --help)\n");
  return count < least ? few : notModelled(`${NAME} ${word}`);
}

export function parse(args: readonly string[]): Call | Result {
  const parsed = getopt(NAME, args, "ht:p:P:alqfs:H:M:n:o:iTr", LONG);
  const [word = "list-units", ...units] = parsed.operands;
  const verb = VERBS.find((v) => v === (VERB_ALIASES[word] ?? word));
  const call: Call = {
    verb: verb ?? "list-units",
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
  if (parsed.error !== undefined) return fail(`${parsed.error}\n`);
  const wrong = wrongVerb(word, verb, units.length);
  if (wrong !== undefined) return wrong;
  const template = [...JOB_VERBS, "kill"].includes(call.verb as JobVerb) ? call.units.find((u) => isTemplate(u)) : undefined;
  return template === undefined ? call : fail(`Failed to ${call.verb} ${template}: Unit name ${template} is missing the instance name.\n`);
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
const IDLE = ["no-pager", "no-wall", "full", "force", "no-ask-password", "system", "wait", "show-types", "with-dependencies"];
const OUTPUTS =
  "short short-full short-iso short-iso-precise short-precise short-monotonic short-unix verbose export json json-pretty json-sse json-seq cat with-unit help".split(
    " ",
  );
const TIMESTAMPS = "pretty unix us µs utc us+utc µs+utc".split(" ");
const TYPES = "service mount swap socket target device automount timer path slice scope".split(" ");
const LOAD_STATES = "stub loaded not-found bad-setting error merged masked".split(" ");

/** -t takes types of units and load states. */
function applyTypes(call: Call, value: string): Result | undefined {
  for (const one of value.split(",")) {
    if (one === "help") return ok(`Available unit types:\n${TYPES.map((t) => `${t}\n`).join("")}`);
    if (TYPES.includes(one)) call.types = [...call.types, one];
    else if (LOAD_STATES.includes(one)) call.states = [...call.states, one];
    else return fail(`Unknown unit type or load state '${one}'.\nUse -t help to see a list of allowed values.\n`);
  }
  return undefined;
}

function apply(call: Call, name: string, value: string): Result | undefined {
  const set = SWITCHES[name];
  if (set !== undefined) set(call);
  else if (name === "signal") {
    const signal = parseSignal(value);
    if (signal === undefined) return fail(`Failed to parse signal string "${value}".\n`);
    call.signal = signal;
  } else if (name === "kill-whom" || name === "kill-who") {
    if (value !== "all" && value !== "main" && value !== "control") return fail(`Failed to kill unit: Invalid who argument ${value}\n`);
    call.whom = value;
  } else if (name === "lines") {
    const n = wholeNumber(value, 0, 2_147_483_647);
    if (n === undefined) return fail(`Failed to parse lines '${value}'\n`);
    call.lines = n;
  } else if (name === "property" || name === "property-value") {
    call.properties = [...(call.properties ?? []), ...value.split(",")];
    if (name === "property-value") call.value = true;
  } else if (name === "type") return applyTypes(call, value);
  else if (name === "state") call.states = [...call.states, ...value.split(",")];
  else if (name === "job-mode") {
    const mode = (["replace", "fail", "isolate", "replace-irreversibly", "ignore-dependencies"] as const).find((m) => m === value);
    if (mode === undefined) return fail(`Failed to start: Job mode ${value} invalid\n`);
    call.mode = mode;
  } else if (name === "legend") {
    const yes = yesOrNo(value);
    if (yes === undefined) return fail(`Failed to parse boolean argument to --legend: ${value}.\n`);
    call.legend = yes;
  } else if (name === "output") return OUTPUTS.includes(value) ? undefined : fail(`Unknown output '${value}'.\n`);
  else if (name === "timestamp" && !TIMESTAMPS.includes(value)) return fail(`Invalid value: ${value}.\n`);
  else if (name === "marked") return fail("--marked may only be used with 'reload-or-restart'.\n");
  else if (!IDLE.includes(name)) return notModelled(`${NAME} --${name}`);
  return undefined;
}
