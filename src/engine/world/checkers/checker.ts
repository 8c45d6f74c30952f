/**
 * What an invariant checker is: it looks on at a run, event by event, and says in one line when its sentence was broken. Checkers live here and not in
 * the protocol layers, so that what they check cannot be bent to what is there. Left out: who runs the world, and when it is at rest.
 */
import type { Instant, MachineStatus, TraceEvent } from "../../kernel/index.ts";
import type { Input } from "../types.ts";

/** Says that the invariant is broken, in one line. */
export type Complain = (text: string) => void;

export interface Checker {
  /** Short name, in words with hyphens. */
  readonly name: string;
  /** The invariant. */
  readonly sentence: string;
  trace?(machine: string, event: TraceEvent, complain: Complain): void;
  /** The machine's corosync is gone: with its process, or with the power. */
  gone?(machine: string): void;
  input?(input: Input): void;
  /** Every fault is healed, every machine and daemon runs, nobody sends, and time enough has gone by. */
  atRest?(statuses: readonly MachineStatus[], complain: Complain): void;
}

export interface Violation {
  readonly at: Instant;
  readonly invariant: string;
  readonly text: string;
}
