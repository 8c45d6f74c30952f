/**
 * The form that systemctl and journalctl still have: a query is a function of a view of the manager and its journal (host.ts), an acting call is a generator over a few requests of its own.
 * manager-tools.ts makes tools of them. It goes when they do. Everything else is a `Tool` (tool.ts).
 */
import type { Instant } from "../kernel/index.ts";
import type { ToolHost } from "./host.ts";
import type { Result } from "./result.ts";
import type { Kept, ToolOption } from "./tool.ts";

export { fail, notModelled, ok, type Result } from "./result.ts";

/** A verb on a unit. */
export type UnitOp = "start" | "stop" | "restart" | "kill" | "enable" | "disable" | "reset-failed";

/** One step of an acting call. */
export type Ask =
  | { readonly ask: "print"; readonly stream: "stdout" | "stderr"; readonly text: string }
  /** The answer's `error` is the reason the tool prints. */
  | { readonly ask: "act"; readonly act: { readonly act: "unit"; readonly op: UnitOp; readonly unit: string } }
  /** A query of the same tool. */
  | { readonly ask: "run"; readonly argv: readonly string[] }
  /** Until no job runs on the unit; the answer is how the last start job ended and the unit's result. */
  | { readonly ask: "unit-job"; readonly unit: string };

export type Answer =
  | { readonly kind: "done"; readonly error?: string }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "job"; readonly lastJob: "done" | "failed" | "timeout" | "canceled" | undefined; readonly result: string };

export type Run = Generator<Ask, number, Answer>;

/** A call that never ends: the first output and the state to go on from; then what is new whenever the journal has grown. */
export interface Follow {
  begin(host: ToolHost, argv: readonly string[]): { readonly state: Kept; readonly stdout: string };
  poll(
    host: ToolHost,
    argv: readonly string[],
    state: Kept,
  ): { readonly state: Kept; readonly stdout: string; readonly stderr?: string; readonly status?: number };
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly ToolOption[];
  readonly subcommands?: readonly string[];
  /** Whether the operand after these is a unit. */
  takesUnit(before: readonly string[]): boolean;
  /** True where this call changes nothing and ends at once. */
  isQuery(argv: readonly string[], host: ToolHost): boolean;
  query(host: ToolHost, argv: readonly string[]): Result;
  run?(argv: readonly string[]): Run;
  /** The endless form of this call, where it is one. */
  follow?(argv: readonly string[]): Follow | undefined;
}

/** Prints a result inside a generator; its status is the value. */
export function* printResult(result: Result): Run {
  if (result.stdout !== "") yield { ask: "print", stream: "stdout", text: result.stdout };
  if (result.stderr !== "") yield { ask: "print", stream: "stderr", text: result.stderr };
  return result.status;
}

export function unixMicros(host: ToolHost, instant: Instant): number {
  return host.epochUnixMicros + instant;
}
