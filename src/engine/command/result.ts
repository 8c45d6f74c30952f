/** What a tool comes to that has everything it needs: text and an exit status. A file of helpers for tools; nothing in the real stack. */
import { print, type ToolPart } from "./tool.ts";

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export function ok(stdout: string): Result {
  return { stdout, stderr: "", status: 0 };
}

export function fail(stderr: string, status = 1, stdout = ""): Result {
  return { stdout, stderr, status };
}

/** An option or command that exists on a real node but not here. */
export function notModelled(what: string): Result {
  return fail(`${what}: not modelled in this lab\n`);
}

/** Prints it; its status is the value. */
export function* printResult({ stdout, stderr, status }: Result): ToolPart<number> {
  yield* print(stdout);
  yield* print(stderr, "stderr");
  return status;
}

/** A tool's exec, its connection and its exit take about this long; what it asked for has then gone round the ring (µs, ours). */
export const TOOL_TIME = 10_000;
