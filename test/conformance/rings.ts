/**
 * Ring sequence numbers where one side lost a commit token: an attempt that failed used up four, so that all later rings are that much higher. The difference
 * is found in the step of the loss and taken off from then on; a cluster that never settles has no one difference, and its numbers are blanked.
 */
import type { Ledger, Side } from "./ledger.ts";

/** Where a ring's number stands: in parentheses, after its label, or alone when it is stored and read again. */
const RING =
  /(\((?:\d+)\.|Ring ID:\s+(?:\d+)\.|new sequence id for ring |loaded sequence id (?:\d+)\.)([0-9a-f]+)(?=\)|$| for this ring)/gm;
const FORMED = /A new membership \(\d+\.([0-9a-f]+)\)/;
const ATTEMPT = 4;

/** How much is taken off the lab's numbers (less than zero: the recorded ones are higher); in the step of the loss all are blanked, and in a scenario that never settles. */
export type Shift = number | "lost here" | "endless";

export function shifted(ledger: Ledger, side: Side, text: string, shift: Shift): string {
  if (shift === 0) return text;
  if (shift === "endless" || shift === "lost here")
    return ledger.blank(shift === "endless" ? "endless" : "ring-number", side, text, RING, (before) => `${before}SEQ`);
  if (side === "recorded") return text;
  return ledger.blank("ring-number", side, text, RING, (before, seq) => `${before}${(parseInt(seq ?? "", 16) - shift).toString(16)}`);
}

/** The highest ring that was formed. */
function highest(lines: readonly string[]): number | undefined {
  const all = lines.flatMap((line) => FORMED.exec(line)?.[1] ?? []).map((seq) => parseInt(seq, 16));
  return all.length === 0 ? undefined : Math.max(...all);
}

/** The difference after a step in which an attempt was lost; undefined where it is none that lost attempts make. */
export function shiftAfter(recorded: readonly string[], lab: readonly string[]): number | undefined {
  const [a, b] = [highest(recorded), highest(lab)];
  if (a === undefined || b === undefined || (b - a) % ATTEMPT !== 0) return undefined;
  return b - a;
}
