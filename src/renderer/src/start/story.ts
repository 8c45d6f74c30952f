/** Which card fits now: a reason from the lab's own record, or one of the first minute (pull a cable; healed, and what next). */
import type { Component, LabSnapshot, Why } from "../../../main/lab/api.ts";

export type Story = { kind: "pull"; node: string } | { kind: "why"; whys: readonly Why[] } | { kind: "healed" } | null;

const formedOf = (snapshot: LabSnapshot): Component[] => snapshot.components.filter(({ formed }) => formed);

/** The node the first cut is offered for: the last one, when it stands in one quorate ring with the others. */
function pullable(snapshot: LabSnapshot): string | undefined {
  const formed = formedOf(snapshot);
  const only = formed[0];
  const last = snapshot.nodes.findLast(({ kind }) => kind === "node");
  if (formed.length !== 1 || snapshot.components.length !== 1 || only === undefined || last === undefined) return undefined;
  return only.quorate && only.nodes.length >= 3 && only.nodes.includes(last.name) && snapshot.faults.length === 0 ? last.name : undefined;
}

/** What passes by itself in a moment is shown only to those who look closely: while time is slow or stands. */
const PASSING: ReadonlySet<string> = new Set(["gather", "starting"]);
/** Notes that are shown, too: they say what is awaited. */
const AWAITED: ReadonlySet<string> = new Set(["coming-back", "stale-ring", "not-quorate"]);

/** The reasons a card is shown for, the most urgent first; `closed`: put away by the person. */
export function reasonsShown(snapshot: LabSnapshot, closed: ReadonlySet<string>): Why[] {
  const { paused, speed } = snapshot.time;
  const slow = paused || (typeof speed === "number" && speed <= 0.2);
  const shown = snapshot.why.filter(({ id, code, severity }) => {
    if (closed.has(id)) return false;
    if (PASSING.has(code)) return slow;
    return severity !== "note" || AWAITED.has(code);
  });
  // What goes on at this moment comes first: it names its cause, too.
  return shown.toSorted((a, b) => Number(PASSING.has(b.code)) - Number(PASSING.has(a.code)));
}

/** Whether two sides stand apart, one of them without quorum: what the first cut is made for. */
export const isSplit = (snapshot: LabSnapshot): boolean => {
  const formed = formedOf(snapshot);
  return formed.some(({ quorate }) => quorate) && formed.some(({ quorate }) => !quorate);
};

/** Which card fits now. `split` tells that a split was seen since the page opened. */
export function storyOf(snapshot: LabSnapshot, split: boolean, closed: ReadonlySet<string>): Story {
  const whys = reasonsShown(snapshot, closed);
  if (whys.length > 0) return { kind: "why", whys };
  const node = pullable(snapshot);
  if (node === undefined) return null;
  return split ? { kind: "healed" } : { kind: "pull", node };
}
