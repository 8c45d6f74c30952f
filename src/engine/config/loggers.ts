/**
 * The logging section as the daemon's loggers have it: which lines each subsystem says, and where they go. In the real stack: logconfig.c over logsys.c. Source: starts and reloads of corosync
 * 3.1.7 with each setting. It keeps that one's slips: of a subsystem only its own file, its priorities and its debug lines have an effect, but a to_* there that changes anything
 * switches the file that it shares with others on or off for all of them. Left out: the facility, the black box, and debug: trace, which is taken as on.
 */
import type { LogLevel } from "../kernel/journal.ts";
import type { Logger, LoggingConfig } from "./daemon.ts";
import { reachesSetting } from "./logging.ts";
import type { ConfValues } from "./values.ts";
import { stringOf } from "./values.ts";

const LEVELS: readonly LogLevel[] = ["emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"];

function priority(text: string | undefined, otherwise: LogLevel): LogLevel {
  return LEVELS.find((level) => level === (text === "err" ? "error" : text)) ?? otherwise;
}

/** Does a line of this level get past that priority? */
export function reaches(level: LogLevel, least: LogLevel): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(least);
}

const MODES = ["to_stderr", "to_syslog", "to_logfile"] as const;
type Modes = Record<(typeof MODES)[number], boolean>;

/** The settings of a section in the daemon's order, over what held before. `enabled`: which files are written. */
function logger(
  values: ConfValues,
  prefix: string,
  before: { readonly logger: Logger; readonly modes: Modes },
  enabled: Map<string, boolean>,
): { readonly logger: Logger; readonly modes: Modes } {
  const get = (name: string): string | undefined => stringOf(values, `${prefix}${name}`);
  const modes = { ...before.modes };
  let { file } = before.logger;
  const set = (name: keyof Modes): void => {
    const text = get(name);
    const on = text === undefined ? modes[name] : text === "yes" || text === "on";
    if (on === modes[name]) return;
    modes[name] = on;
    if (file !== undefined) enabled.set(file, modes.to_logfile);
  };
  set("to_stderr");
  set("to_syslog");
  const own = get("logfile");
  if (own !== undefined && own !== file) {
    file = own;
    if (!enabled.has(own) || modes.to_logfile) enabled.set(own, modes.to_logfile);
  }
  set("to_logfile");
  const debug = get("debug");
  return {
    modes,
    logger: {
      debug: debug === undefined ? before.logger.debug : debug === "on" || debug === "trace",
      syslogPriority: priority(get("syslog_priority") ?? get("syslog_level"), before.logger.syslogPriority),
      logfilePriority: priority(get("logfile_priority"), before.logger.logfilePriority),
      file,
    },
  };
}

/** Names of the subsystems with a section, in the order in which the daemon comes to them. */
export function namedSubsystems(values: ConfValues): string[] {
  const names = [...values.keys()].flatMap((key) => /^logging\.logger_subsys\.([^.]+)\.subsys$/.exec(key)?.[1] ?? []);
  return names.sort();
}

export function readLoggers(values: ConfValues): LoggingConfig {
  const enabled = new Map<string, boolean>();
  const silent: Logger = { debug: false, syslogPriority: "info", logfilePriority: "info", file: undefined };
  const main = logger(values, "logging.", { logger: silent, modes: { to_stderr: true, to_syslog: true, to_logfile: false } }, enabled);
  const subsystems: Record<string, Logger> = {};
  for (const name of namedSubsystems(values)) subsystems[name] = logger(values, `logging.logger_subsys.${name}.`, main, enabled).logger;
  const on = (name: string): boolean => stringOf(values, `logging.${name}`) === "on";
  const timestamp = stringOf(values, "logging.timestamp");
  return withDebug({
    timestamp: timestamp === "off" || timestamp === "on" ? timestamp : "hires",
    fileline: on("fileline"),
    functionName: on("function_name"),
    toStderr: main.modes.to_stderr,
    toSyslog: main.modes.to_syslog,
    main: main.logger,
    subsystems,
    files: [...enabled].filter(([, written]) => written).map(([file]) => file),
    debug: false,
  });
}

function withDebug(c: LoggingConfig): LoggingConfig {
  const loggers = [c.main, ...Object.values(c.subsystems)];
  const debug = loggers.some((l) => l.debug || l.syslogPriority === "debug" || l.logfilePriority === "debug");
  return Object.freeze({ ...c, debug });
}

/** What a running daemon makes of its logging section: it takes over one setting after the other, up to the first wrong one. */
export function rereadLoggers(values: ConfValues, running: LoggingConfig): LoggingConfig {
  const given = readLoggers(values);
  const from = (setting: string): LoggingConfig => (reachesSetting(values, setting) ? given : running);
  const last = from("debug");
  return withDebug({
    timestamp: from("timestamp").timestamp,
    fileline: from("fileline").fileline,
    functionName: from("function_name").functionName,
    toStderr: from("to_stderr").toStderr,
    toSyslog: from("to_syslog").toSyslog,
    main: {
      file: from("to_logfile").main.file,
      syslogPriority: from("syslog_priority").main.syslogPriority,
      logfilePriority: from("logfile_priority").main.logfilePriority,
      debug: last.main.debug,
    },
    subsystems: last.subsystems,
    files: from("to_logfile").files,
    debug: false,
  });
}
