/**
 * Reading a corosync.conf: text in; tree, typed values and the daemon's refusals out. In the real stack: coroparse_configparse. What a start
 * makes of the values is verify.ts.
 */
import type { Conf, ConfError } from "./ast.ts";
import { CONF_PATH, EXIT_ABORT } from "./ast.ts";
import { ERRORS_MAX, readLines } from "./grammar.ts";
import type { ConfValues } from "./values.ts";
import { storeValues } from "./values.ts";

export interface ParseOutcome {
  readonly conf: Conf;
  readonly values: ConfValues;
  /** In the order of the file; the first is what the daemon says before it exits. Empty: the file parses. */
  readonly errors: readonly ConfError[];
}

/** Parses any text. Never throws; time linear in the length of the text. */
export function parseConf(text: string): ParseOutcome {
  const { conf, errors } = readLines(text);
  const stored = storeValues(conf);
  const all = [...errors, ...stored.errors].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, ERRORS_MAX);
  return { conf, values: stored.values, errors: all };
}

/** What the daemon prints for a parse error, on its standard error and without a time (observed). */
export function parserMessage(error: ConfError, path: string = CONF_PATH): string {
  if (error.exitCode === EXIT_ABORT) return `corosync: coroparse.c:1477: ${error.text}`;
  return `parser error: ${path}:${error.line}: ${error.text}`;
}
