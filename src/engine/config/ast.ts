/**
 * The shape of a corosync.conf as written: sections and keys in the order of the file, each with its place. In the real stack this is what the
 * parser (coroparse) sees line by line; it keeps no tree. Left out: comments and blank lines, which mean nothing to the daemon.
 * Lines and columns count from 1. Everything is plain, frozen data, so snapshots may share it.
 */

export interface ConfKey {
  readonly kind: "key";
  readonly name: string;
  /** Trimmed of blanks and tabs; a `#` in it is part of it. */
  readonly value: string;
  readonly line: number;
  readonly column: number;
  readonly valueColumn: number;
}

export interface ConfSection {
  readonly kind: "section";
  readonly name: string;
  readonly entries: readonly ConfEntry[];
  readonly line: number;
  readonly column: number;
  /** Line of the closing brace; undefined if the file ends before it. */
  readonly endLine: number | undefined;
}

export type ConfEntry = ConfKey | ConfSection;

export interface Conf {
  readonly entries: readonly ConfEntry[];
  /** Lines the file has. */
  readonly lines: number;
}

/** What the daemon says about one place of the file before it exits. */
export interface ConfError {
  readonly line: number;
  readonly column: number;
  /** The daemon's text, without the leading `parser error: FILE:LINE: `. */
  readonly text: string;
  /** 8 (main configuration); 134 or 139 where the daemon dies of it instead (SIGABRT, SIGSEGV). */
  readonly exitCode: number;
}

export const EXIT_LOGGING = 7;
export const EXIT_MAIN_CONFIG = 8;
export const EXIT_SERVICES = 20;
/** 128 + SIGABRT, as a shell reports it. */
export const EXIT_ABORT = 134;
/** 128 + SIGSEGV. */
export const EXIT_CRASH = 139;

/** Where the daemon keeps its configuration. */
export const CONF_PATH = "/etc/corosync/corosync.conf";
