/**
 * What a layer has from the machine it runs on. A layer keeps plain state, is told of events by method calls, and touches the outside only
 * through this port; so the same layer runs in a test, in the world and in a worker process.
 */
import type { LogLevel } from "./journal.ts";
import type { TraceEvent } from "./machine.ts";
import type { Rng } from "./rng.ts";
import type { Instant } from "./time.ts";

export interface Port {
  now(): Instant;
  /** Arms timer `name` (unique within the layer) for `at`, replacing an earlier one; the machine calls the layer's `timer(name)`. */
  setTimer(name: string, at: Instant): void;
  clearTimer(name: string): void;
  /** The layer's own generator. */
  readonly rng: Rng;
  log(level: LogLevel, subsystem: string, text: string): void;
  trace(event: TraceEvent): void;
}
