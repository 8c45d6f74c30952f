/**
 * The form that journalctl still has: a query is a function of a view of the journal (host.ts). journal-tool.ts makes a tool of it. Everything else is a `Tool` (tool.ts).
 */
import type { Instant } from "../kernel/index.ts";
import type { ToolHost } from "./host.ts";
import type { Result } from "./result.ts";
import type { Kept, ToolOption } from "./tool.ts";

export { fail, notModelled, ok, type Result } from "./result.ts";

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
  /** Whether the operand after these is a unit. */
  takesUnit(before: readonly string[]): boolean;
  /** True where this call changes nothing and ends at once. */
  isQuery(argv: readonly string[], host: ToolHost): boolean;
  query(host: ToolHost, argv: readonly string[]): Result;
  /** The endless form of this call, where it is one. */
  follow?(argv: readonly string[]): Follow | undefined;
}

export function unixMicros(host: ToolHost, instant: Instant): number {
  return host.epochUnixMicros + instant;
}
