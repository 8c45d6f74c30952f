/**
 * What an invariant checker is: it looks on at a run, event by event, and says in one line when its sentence was broken. Checkers live here and not in
 * the protocol layers, so that what they check cannot be bent to what is there. Left out: who runs the world, and when it is at rest.
 */
import type { Instant, JournalLine, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";

/** Says that the invariant is broken, in one line. */
export type Complain = (text: string) => void;

export interface Checker {
  /** Short name, lower case with hyphens. */
  readonly name: string;
  /** The invariant. */
  readonly sentence: string;
  /** The run is looked on from here on only: what every machine believes at this moment. */
  begin?(statuses: readonly MachineStatus[]): void;
  trace?(machine: string, event: TraceEvent, complain: Complain): void;
  /** A line of a machine's journal, in the order of the traces around it. */
  journal?(machine: string, line: JournalLine, complain: Complain): void;
  /** The machine's corosync is gone: with its process, or with the power. */
  gone?(machine: string): void;
  input?(input: Input): void;
  /** A machine was taken away: another one in its place begins with a new disk, and its rings may have the ids of rings that were. */
  removed?(): void;
  /** What every machine believes, between two events, now and then. */
  look?(statuses: readonly MachineStatus[], complain: Complain, at: Instant): void;
  /** Every fault is healed, every machine and daemon runs, nobody sends, and time enough has gone by. */
  atRest?(statuses: readonly MachineStatus[], complain: Complain): void;
}

export interface Violation {
  readonly at: Instant;
  readonly invariant: string;
  readonly text: string;
}

/** True for a line typed on a machine that overrides votes or expectations, by any of the tools that do. */
export function overridesVotes(input: Input): boolean {
  const { act } = input;
  if (act.to !== "machine" || (act.act.kind !== "command" && act.act.kind !== "session-run")) return false;
  const [tool, ...args] = act.act.argv;
  const name = tool?.slice(tool.lastIndexOf("/") + 1);
  if (name === "pvecm") return args[0]?.startsWith("e") === true;
  if (name === "corosync-quorumtool") return args.some((w) => /^-\w*[ev]/.test(w));
  return name === "corosync-cmapctl" && args.some((w) => w.startsWith("quorum.") || w.startsWith("nodelist."));
}
