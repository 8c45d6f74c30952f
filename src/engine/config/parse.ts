/**
 * Reading a corosync.conf: text in; tree, typed values and the daemon's refusals out. In the real stack: coroparse_configparse. What a start
 * makes of the values is verify.ts.
 */
import type { Conf, ConfError } from "./ast.ts";
import type { Accounts } from "./accounts.ts";
import { CONF_PATH, EXIT_ABORT, EXIT_CRASH } from "./ast.ts";
import { ERRORS_MAX, readLines, utf8Length } from "./grammar.ts";
import { RELEASE_DEFAULT, profileOf, type ReleaseProfile } from "./release.ts";
import type { ConfValues } from "./values.ts";
import { DOUBLE_FREE, OVERFLOW, storeValues } from "./values.ts";

export interface ParseOutcome {
  readonly conf: Conf;
  readonly values: ConfValues;
  /** In the order of the file; the first is what the daemon says before it exits. Empty: the file parses. */
  readonly errors: readonly ConfError[];
  /** Of the daemon that reads it. */
  readonly profile: ReleaseProfile;
}

/**
 * Parses any text. Never throws; time linear in the length of the text.
 * @param accounts the host's users and groups; without them names that could be some are left alone
 * @param profile of the daemon that reads it
 */
export function parseConf(text: string, accounts?: Accounts, profile: ReleaseProfile = profileOf(RELEASE_DEFAULT)): ParseOutcome {
  const { conf, errors } = readLines(text, profile);
  const stored = storeValues(conf, profile, accounts);
  const all = [...errors, ...stored.errors].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, ERRORS_MAX);
  return { conf, values: stored.values, errors: all, profile };
}

/** corosync: bytes of the buffers it formats a message in, first what is wrong with a value or a name, then the line it prints, each with a NUL. */
const REASON_BYTES = 256;
const MESSAGE_BYTES = 384;
/** What glibc says as it ends a process: the daemon adds nothing to it. */
const GLIBC: readonly string[] = [DOUBLE_FREE, OVERFLOW];
const UNFORMATTED = "Can't format parser error message";

/** The signal that ends the daemon where it dies of what it reads. */
export function endsBy(exitCode: number): "SIGABRT" | "SIGSEGV" | undefined {
  return exitCode === EXIT_ABORT ? "SIGABRT" : exitCode === EXIT_CRASH ? "SIGSEGV" : undefined;
}

/** What the daemon prints for a parse error, on its standard error and without a time (observed). Nothing where it is ended by a wrong access to its memory. */
export function parserMessage(error: ConfError, { lines }: ReleaseProfile, path: string = CONF_PATH): string {
  if (error.exitCode === EXIT_CRASH) return "";
  if (error.exitCode === EXIT_ABORT)
    return GLIBC.includes(error.text) ? error.text : `corosync: coroparse.c:${lines.assertion}: ${error.text}`;
  const formatted = /^(Value of|Can't store) key /.test(error.text);
  const reason = formatted && utf8Length(error.text) >= REASON_BYTES ? UNFORMATTED : error.text;
  const message = `parser error: ${path}:${error.line}: ${reason}`;
  return utf8Length(message) >= MESSAGE_BYTES ? UNFORMATTED : message;
}
