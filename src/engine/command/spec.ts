/**
 * What a command is: how it is called, whether it only asks, and how it acts or waits. A query is a function of the machine's present state. An
 * acting command is a generator that touches the machine by `yield` alone, so that its snapshot is its arguments and the replies so far. An
 * endless one (`-f`, `-m`) keeps explicit plain state instead. Left out: signals other than the two that end a command.
 */
import type { CmapType, CmapValue } from "../cmap/map.ts";
import type { StatsGroup } from "../cmap/stats.ts";
import type { Instant } from "../kernel/index.ts";
import type { ToolHost } from "./host.ts";
import type { SystemctlAnswer, SystemctlAsk } from "./systemd/requests.ts";

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export interface Io {
  readonly stdin: string;
  readonly cwd: string;
}

/** What a command can do to its machine. The answer's `error` is the word the tool prints. */
export type NodeAct =
  /** The -H of the quorum device's two tools: their daemon ends. */
  | { readonly act: "daemon-shutdown"; readonly unit: "corosync-qdevice" | "corosync-qnetd" }
  | { readonly act: "set-expected"; readonly votes: number }
  | { readonly act: "set-votes"; readonly nodeId: number; readonly votes: number }
  /** corosync-cfgtool -k and -H. */
  | { readonly act: "kill-node"; readonly nodeId: number }
  | { readonly act: "corosync-shutdown" }
  /** corosync-cfgtool -R; how it ended is the answer to a "reloaded". */
  | { readonly act: "reload" }
  | { readonly act: "cmap-set"; readonly key: string; readonly type: CmapType; readonly value: CmapValue }
  | { readonly act: "cmap-delete"; readonly key: string }
  /** corosync-cmapctl -C. */
  | { readonly act: "stats-clear"; readonly what: StatsGroup }
  /** What 3.1.7 does not survive. */
  | { readonly act: "daemon-crash" }
  /** corosync-quorumtool -f: this node's quorum device is no longer registered, whatever its daemon thinks. */
  | { readonly act: "device-unregister"; readonly nodeId: number };

/** One step of an acting command. */
export type Ask =
  | { readonly ask: "print"; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly ask: "act"; readonly act: NodeAct }
  /** A query of this machine, by another command line. */
  | { readonly ask: "run"; readonly argv: readonly string[] }
  /** The bytes of a file; undefined where there is none. */
  | { readonly ask: "file"; readonly path: string }
  /** A request to systemd, and the wait for the end of a job. */
  | Exclude<SystemctlAsk, { readonly ask: "print" }>
  /** Until the reload this command has just asked for has taken place on this node; the answer's `error` is set where it did not succeed. */
  | { readonly ask: "reloaded"; readonly number: number }
  /** Until the daemon is no longer stalled. */
  | { readonly ask: "daemon" }
  | { readonly ask: "sleep"; readonly micros: number }
  /** A line of input; `text` is shown before it. */
  | { readonly ask: "prompt"; readonly text: string; readonly echo: boolean };

/** Plain data, so that it can be kept and replayed. */
export type Answer =
  /** `number`: of the reload asked for. */
  | { readonly kind: "done"; readonly error?: string; readonly number?: number }
  | { readonly kind: "result"; readonly result: Result }
  | { readonly kind: "file"; readonly data: Uint8Array | undefined }
  | { readonly kind: "systemd"; readonly answer: SystemctlAnswer }
  | { readonly kind: "line"; readonly line: string | undefined };

export type Run = Generator<Ask, number, Answer>;

/** Plain data of an endless command. */
export type FollowState = { readonly [key: string]: string | number | boolean };

export interface Follow {
  /** The first output and the state to go on from. */
  begin(host: ToolHost, argv: readonly string[]): { readonly state: FollowState; readonly stdout: string };
  /** A line typed while it runs; a number ends it with that status. Absent: typing does nothing. */
  input?(line: string | undefined): number | undefined;
  /** Called whenever the machine's state may have changed. `status`: the command ends. */
  poll(
    host: ToolHost,
    argv: readonly string[],
    state: FollowState,
  ): { readonly state: FollowState; readonly stdout: string; readonly stderr?: string; readonly status?: number };
}

export interface OptionSpec {
  readonly flag: string;
  readonly help: string;
}

export interface CommandSpec {
  readonly name: string;
  /** One line, for completion and palettes. */
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Words the first operand may be. */
  readonly words?: readonly string[];
  /** True where this call changes nothing and ends at once. */
  isQuery(argv: readonly string[], host: ToolHost): boolean;
  query(host: ToolHost, argv: readonly string[], io: Io): Result;
  run?(argv: readonly string[], io: Io): Run;
  /** The endless form of this call, where it is one. */
  follow?(argv: readonly string[]): Follow | undefined;
}

export function ok(stdout: string): Result {
  return { stdout, stderr: "", status: 0 };
}

export function fail(stderr: string, status = 1, stdout = ""): Result {
  return { stdout, stderr, status };
}

/** A tool's exec, its connection and its exit take about this long; what it asked for has then gone round the ring (µs, ours). */
export const TOOL_TIME = 10_000;

/** An option or command that exists on a real node but not here. */
export function notModelled(what: string): Result {
  return fail(`${what}: not modelled in this lab\n`);
}

/** Prints a result inside a generator and hands back its status. */
export function* printResult(result: Result): Run {
  if (result.stdout !== "") yield { ask: "print", stream: "stdout", text: result.stdout };
  if (result.stderr !== "") yield { ask: "print", stream: "stderr", text: result.stderr };
  return result.status;
}

export function unixMicros(host: ToolHost, instant: Instant): number {
  return host.epochUnixMicros + instant;
}
