/**
 * What the daemon demands of the logging section before anything else (corosync_main_config_read): global switches first, then the main logger,
 * then each subsystem's. Left out: settings of other daemons (logging_daemon).
 */
import { utf8Length } from "./grammar.ts";
import type { Reason } from "./refuse.ts";
import type { ConfValues } from "./values.ts";
import { stringOf } from "./values.ts";

const FACILITIES =
  "auth authpriv cron daemon ftp kern lpr mail news syslog user uucp local0 local1 local2 local3 local4 local5 local6 local7".split(" ");
const PRIORITIES = "emerg alert crit err error warning notice info debug".split(" ");
/** corosync: bytes of a logger's name, with its NUL. */
const LOGGER_NAME_BYTES = 64;
/** The loggers a daemon has when it reads the file, and how many more fit beside all it will have (observed). */
const LOGGERS = new Set("MAIN QUORUM VOTEQ CMAP CFG CPG SYNC SERV QB WD MON PLOAD".split(" "));
const LOGGERS_MORE_MAX = 17;
const ON_OFF = ["on", "off"];
const YES_NO = ["yes", "on", "no", "off"];

interface Rule {
  readonly name: string;
  readonly values: readonly string[];
  readonly refusal: string;
}

function rule(name: string, values: readonly string[], refusal = `unknown value for ${name}`): Rule {
  return { name, values, refusal };
}

/** In the daemon's order (observed). */
const GLOBAL: readonly Rule[] = [
  rule("fileline", ON_OFF),
  rule("function_name", ON_OFF),
  rule("timestamp", ["on", "off", "hires"]),
  rule("blackbox", ON_OFF),
];

const LOGFILE = "logfile";

const LOGGER: readonly Rule[] = [
  rule("to_stderr", YES_NO),
  rule("to_syslog", YES_NO),
  rule("syslog_facility", FACILITIES, "unknown syslog facility specified"),
  rule("syslog_level", PRIORITIES, "unknown syslog level specified"),
  rule("syslog_priority", PRIORITIES, "unknown syslog priority specified"),
  // In this place the file is opened, whatever else is said of it.
  { name: LOGFILE, values: [], refusal: "" },
  rule("to_logfile", YES_NO),
  rule("logfile_priority", PRIORITIES, "unknown logfile priority specified"),
  rule("debug", ["on", "off", "trace"]),
];

/** Why a log file cannot be opened, where somebody tries. */
type Opener = (file: string) => string | undefined;

function broken(values: ConfValues, prefix: string, rules: readonly Rule[], open: Opener): Reason | undefined {
  for (const { name, values: allowed, refusal } of rules) {
    const value = stringOf(values, prefix + name);
    if (value !== undefined && name === LOGFILE) {
      const reason = open(value);
      if (reason !== undefined) return { text: `Can't open logfile '${value}' for reason: ${reason}`, key: prefix + name };
    } else if (value !== undefined && !allowed.includes(value)) return { text: refusal, key: prefix + name };
  }
  return undefined;
}

/**
 * Whether a daemon that runs gets as far as this setting of its main logger: it takes one over after the other, in the order above, and stops at the first that
 * is wrong, without a word (observed).
 */
export function reachesSetting(values: ConfValues, name: string): boolean {
  const wrong = loggingRefusal(values)?.key;
  if (wrong === undefined || wrong.startsWith("logging.logger_subsys.")) return true;
  const place = (key: string): number => [...GLOBAL, ...LOGGER].findIndex((r) => `logging.${r.name}` === key);
  return place(`logging.${name}`) < place(wrong);
}

/** The first setting the daemon refuses. */
export function loggingRefusal(values: ConfValues, open: Opener = () => undefined): Reason | undefined {
  const first = broken(values, "logging.", GLOBAL, open) ?? broken(values, "logging.", LOGGER, open);
  if (first !== undefined) return first;
  const subsystems: string[] = [];
  for (const key of values.keys()) {
    const m = /^logging\.logger_subsys\.([^.]+)\.subsys$/.exec(key);
    if (m?.[1] !== undefined) subsystems.push(m[1]);
  }
  let more = 0;
  for (const name of subsystems.sort()) {
    if (!LOGGERS.has(name)) more++;
    if (utf8Length(name) >= LOGGER_NAME_BYTES || more > LOGGERS_MORE_MAX)
      return { text: "unable to create new logging subsystem", key: `logging.logger_subsys.${name}.subsys` };
    const bad = broken(values, `logging.logger_subsys.${name}.`, LOGGER, open);
    if (bad !== undefined) return bad;
  }
  return undefined;
}
