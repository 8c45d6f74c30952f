/** The state of one shell: what `cd`, assignments, functions and options leave behind for the next line. A subshell works on a copy. */
import type { CompoundCommand, CompoundList, Redirected } from "unbash";
import type { Files } from "../files.ts";
import type { Interrupt } from "../interrupt.ts";
import type { OpenFile } from "../streams.ts";
import type { Process } from "../processes.ts";
import type { System } from "../system.ts";
import type { Jobs } from "./jobs.ts";

/** Bytes one variable, one substitution or one argument may hold. */
export const STRING_MAX = 32 * 1024 * 1024;
/** Nesting of functions, sourced files, `eval` and substitutions (bash: FUNCNEST). */
export const DEPTH_MAX = 200;

export type Value = string | string[] | Map<string, string>;

export interface Variable {
  value: Value | undefined;
  exported: boolean;
  readonly: boolean;
  integer: boolean;
}

export type FunctionBody = CompoundCommand | Redirected | CompoundList;

export interface Options {
  errexit: boolean;
  nounset: boolean;
  pipefail: boolean;
  xtrace: boolean;
  noglob: boolean;
  noclobber: boolean;
  allexport: boolean;
  noexec: boolean;
}

export const OPTION_FLAGS: Readonly<Record<string, keyof Options>> = {
  e: "errexit",
  u: "nounset",
  x: "xtrace",
  f: "noglob",
  C: "noclobber",
  a: "allexport",
  n: "noexec",
};

/** A message of the shell itself that ends the current command with `status`. */
export class ShellError extends Error {
  constructor(
    message: string,
    readonly status = 1,
    /** The whole line ends, not only this command (bad substitution, unset variable). */
    readonly fatal = false,
  ) {
    super(message);
  }
}

/** `exit`, `return`, `break` and `continue` on their way up; `abandon` gives up a line at a prompt and leaves its shell alive. */
export class Leave extends Error {
  constructor(
    readonly what: "exit" | "return" | "break" | "continue" | "abandon",
    /** Status of exit, return and abandon; loops left of break and continue. */
    public count: number,
  ) {
    super(what);
  }
}

export class Shell {
  vars = new Map<string, Variable>();
  functions = new Map<string, FunctionBody>();
  aliases = new Map<string, string>();
  traps = new Map<string, string>();
  history: string[] = [];
  cwd = "/root";
  positional: string[] = [];
  arg0 = "bash";
  status = 0;
  pipeStatus: number[] = [];
  lastBackground = 0;
  depth = 0;
  loops = 0;
  inFunction = 0;
  subshell = 0;
  /** Saved variables of the running functions' `local`, innermost last. */
  locals: Map<string, Variable | undefined>[] = [];
  options: Options = {
    errexit: false,
    nounset: false,
    pipefail: false,
    xtrace: false,
    noglob: false,
    noclobber: false,
    allexport: false,
    noexec: false,
  };
  random = 12345;

  constructor(
    readonly system: System,
    /** Of the whole shell; see `filesOf`. */
    readonly files: Files,
    readonly jobs: Jobs,
    readonly interactive: boolean,
    /** Virtual instant this shell began, for SECONDS. */
    readonly startedAt: number,
  ) {}

  get(name: string): string | undefined {
    const value = this.vars.get(name)?.value;
    if (value === undefined || typeof value === "string") return value;
    return Array.isArray(value) ? value[0] : value.get("0");
  }

  set(name: string, value: Value): void {
    const old = this.vars.get(name);
    if (old?.readonly) throw new ShellError(`${name}: readonly variable`, 1, true);
    if (old) {
      if (typeof value === "string" && Array.isArray(old.value)) old.value[0] = value;
      else if (typeof value === "string" && old.value instanceof Map) old.value.set("0", value);
      else old.value = value;
      if (this.options.allexport) old.exported = true;
    } else {
      this.vars.set(name, { value, exported: this.options.allexport, readonly: false, integer: false });
    }
  }

  declare(name: string): Variable {
    const old = this.vars.get(name);
    if (old) return old;
    const made: Variable = { value: undefined, exported: false, readonly: false, integer: false };
    this.vars.set(name, made);
    return made;
  }

  /** What a program finds in its environment. */
  environment(): Record<string, string> {
    const env: Record<string, string> = {};
    for (const [name, variable] of this.vars) {
      if (variable.exported && typeof variable.value === "string") env[name] = variable.value;
    }
    return env;
  }

  fork(): Shell {
    const copy = new Shell(this.system, this.files, this.jobs.inherit(), this.interactive, this.startedAt);
    for (const [name, v] of this.vars) copy.vars.set(name, { ...v, value: copyValue(v.value) });
    copy.functions = new Map(this.functions);
    copy.aliases = new Map(this.aliases);
    copy.history = this.history;
    copy.cwd = this.cwd;
    copy.positional = [...this.positional];
    copy.arg0 = this.arg0;
    copy.status = this.status;
    copy.lastBackground = this.lastBackground;
    copy.depth = this.depth + 1;
    copy.loops = this.loops;
    copy.inFunction = this.inFunction;
    copy.subshell = this.subshell + 1;
    copy.locals = this.locals.map((frame) => new Map(frame));
    copy.options = { ...this.options };
    copy.random = this.random + 1;
    if (copy.depth > DEPTH_MAX) throw new ShellError(`maximum nesting level exceeded (${DEPTH_MAX})`, 1, true);
    return copy;
  }
}

function copyValue(value: Value | undefined): Value | undefined {
  if (Array.isArray(value)) return [...value];
  return value instanceof Map ? new Map(value) : value;
}

/** Open files by number. */
export type Descriptors = Map<number, OpenFile>;

/** Everything a piece of a script runs in. */
export interface Context {
  readonly shell: Shell;
  readonly fds: Descriptors;
  readonly interrupt: Interrupt;
  /** In a condition: `set -e` does not apply. */
  readonly condition: boolean;
  /** The process this runs in; absent: the shell itself. */
  readonly process?: Process | undefined;
  /** The process has this one command to run: a program takes its place (exec), instead of being its child. */
  readonly last?: boolean | undefined;
}

/** The node's files for what runs in this context: Ctrl-C ends a call that waits. */
export function filesOf(ctx: Context): Files {
  return ctx.shell.files.under(ctx.interrupt);
}

export async function say(ctx: Context, fd: number, text: string): Promise<void> {
  await ctx.fds.get(fd)?.write(text, ctx.interrupt);
}

/** A message of the shell on its standard error. */
export async function complain(ctx: Context, message: string): Promise<void> {
  await say(ctx, 2, `bash: ${message}\n`);
}
