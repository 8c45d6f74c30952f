/** One fuzz run: a seed's schedule under all checkers and, where an invariant breaks, the smallest scenario found that `quorate run` plays to the same break. */
import type { Violation } from "../../../engine/world/checkers/index.ts";
import {
  drawSchedule,
  runSchedule,
  minimise,
  type Bounds,
  type Failing,
  type FaultSchedule,
  type ScheduleRun,
} from "../../../engine/fuzz/index.ts";
import { checkersOf } from "../scenario/invariants.ts";
import { parseLabFile, printLabFile } from "../file/labfile.ts";
import { untracedMaker, scenarioOf } from "./schedule-scenario.ts";
import { runScenario } from "../scenario/scenario.ts";

export interface FuzzTask {
  readonly seed: string;
  readonly bounds: Bounds;
  /** Schedules to try while shrinking a violation; 0: report it as it is. */
  readonly tries: number;
}

export interface FuzzFound {
  readonly seed: string;
  readonly invariant: string;
  /** µs since power on, in the run of the scenario. */
  readonly instant: number;
  readonly text: string;
  /** The scenario file's text. */
  readonly scenario: string;
}

export interface FuzzReport {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  readonly faults: number;
  readonly memberships: number;
  readonly livedUs: number;
  readonly mendedUs: number;
  readonly events: number;
  readonly delivered: number;
  /** "seconds invariant: text", first ones first. */
  readonly violations: readonly string[];
  readonly found: FuzzFound | undefined;
}

const say = (v: Violation): string => `${(v.at / 1e6).toFixed(6)} ${v.invariant}: ${v.text}`;

/** How a schedule breaks `invariant`; undefined when it does not, or not otherwise than for want of mending. */
function failingOf(played: ScheduleRun, invariant: string): Failing | undefined {
  const first = played.violations.find((v) => v.invariant === invariant);
  if (first === undefined) return undefined;
  const resting = first.at >= played.restedAt;
  return resting && !played.whole ? undefined : { at: first.at - played.start, resting, text: first.text };
}

function shrink(schedule: FaultSchedule, played: ScheduleRun, invariant: string, tries: number): FaultSchedule {
  const judge = (candidate: FaultSchedule): Failing | undefined =>
    failingOf(runSchedule(candidate, untracedMaker, checkersOf([invariant])), invariant);
  const failing = failingOf(played, invariant);
  // Something stays at fault although it was mended: what is needed for that cannot be told from what is not.
  return failing === undefined ? schedule : minimise(schedule, failing, judge, tries).schedule;
}

/** The scenario's text, once it was seen to break the invariant the way `quorate run` plays it. */
async function told(schedule: FaultSchedule, invariant: string): Promise<Omit<FuzzFound, "seed"> | undefined> {
  const scenario = printLabFile(scenarioOf(schedule, invariant));
  const { result } = await runScenario(parseLabFile(scenario, "scenario"), "scenario");
  const first = result.violations?.find((v) => v.invariant === invariant);
  return first === undefined ? undefined : { invariant, instant: first.at, text: first.text, scenario };
}

/** Plays the schedule of a seed. */
export async function fuzz(task: FuzzTask): Promise<FuzzReport> {
  const schedule = drawSchedule(task.seed, task.bounds);
  const played = runSchedule(schedule, untracedMaker);
  const first = played.violations[0];
  let found: FuzzFound | undefined;
  if (first !== undefined && task.tries > 0) {
    const small = shrink(schedule, played, first.invariant, task.tries);
    const scenario = (await told(small, first.invariant)) ?? (await told(schedule, first.invariant));
    const whole = {
      invariant: first.invariant,
      instant: first.at,
      text: first.text,
      scenario: printLabFile(scenarioOf(schedule, first.invariant)),
    };
    found = { seed: task.seed, ...(scenario ?? whole) };
  }
  return {
    seed: task.seed,
    nodes: schedule.nodes.length,
    links: schedule.links,
    faults: schedule.faults,
    memberships: played.memberships,
    livedUs: played.ranFor,
    mendedUs: played.mended,
    events: played.events,
    delivered: played.tally.delivered,
    violations: played.violations.map(say),
    found,
  };
}
