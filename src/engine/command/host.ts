/**
 * What journalctl sees of the journal, all of it at one instant. It is the one tool that still is written as a function of such a view instead of asking by `yield`; journal-tool.ts makes a tool
 * of it.
 */
import type { Instant, JournalLine } from "../kernel/index.ts";

export interface ToolHost {
  readonly hostname: string;
  readonly now: Instant;
  /** Microseconds since 1970 of instant 0. */
  readonly epochUnixMicros: number;
  /** Journal lines with index ≥ `from`, oldest first. */
  journalSince(from: number): readonly JournalLine[];
  journalLength(): number;
}
