/** What the hint card, the list of problems and the inspector of a service that does not run say by themselves. What they pass on stands in src/main/lab/view/why. */
import type { Problem, WhyClause } from "../../../main/lab/api.ts";
import { duration, plural } from "../format.ts";

export const card = {
  ask: "Why?",
  close: "Close",
  oneEvent: "One event",
  of: (at: number, all: number): string => `${at} of ${all}`,
  next: "Next reason",
  before: "Reason before",
  toJournal: (node: string): string => `Show the journal of ${node}`,
  type: (node: string): string => `Types it into ${node}’s terminal; Enter is yours`,
  pullTitle: "Pull a cable",
  pull: (node: string): string =>
    `Drag across ${node}’s cables, or select one and press X. Nothing breaks for good here: you can always heal it.`,
  pullForMe: "Cut it for me",
  notNow: "Not now",
  healedTitle: "One ring again",
  healed: "The nodes found each other and formed one ring. What next?",
  load: "Load my cluster’s corosync.conf …",
  build: "Build from nothing …",
  lookAround: "Look around",
} as const;

/** What kind of sentence a clause is, for those who hear it. */
export const roles: Readonly<Record<WhyClause["role"], string>> = { cause: "Cause", noticed: "Noticed", means: "Means", do: "Do" };

export const problems = {
  none: "No problems: every node is quorate, every service runs, every link is up.",
  /** "1 error, 2 warnings, 1 note" */
  counts: (all: readonly Pick<Problem, "severity">[]): string =>
    (
      [
        ["error", "error"],
        ["warning", "warning"],
        ["note", "note"],
      ] as const
    )
      .map(([severity, one]) => ({ n: all.filter((problem) => problem.severity === severity).length, one }))
      .filter(({ n }) => n > 0)
      .map(({ n, one }) => plural(n, one))
      .join(", "),
  /** "×30": so many things that go wrong have this one cause. */
  times: (count: number): string => `×${count}`,
  timesTitle: (count: number): string => `${count} links down or sides without quorum have this one cause`,
  age: (us: number): string => duration(us),
  ageTitle: (clock: string): string => `since ${clock}`,
  type: (node: string, command: string): string => `Types ${command} into ${node}’s terminal; Enter is yours`,
  show: (node: string): string => `Select ${node}`,
} as const;

export const service = {
  emptyJournal: "Its journal is empty.",
  stoppedInOrder: (unit: string): string => `${unit} was stopped in order. That is no failure.`,
  neverStarted: (unit: string): string => `${unit} has not been started.`,
  lastLines: "Last lines of its journal",
  start: (unit: string): string => `Start ${unit}`,
  configuration: "Its configuration",
} as const;
