/** One fuzz run: a seed's life under all checkers and, where an invariant breaks, the smallest scenario found that `quorate run` plays to the same break. */
import type { Violation } from "../../../engine/world/checkers/index.ts";
import { lifeOf, live, minimise, type Bounds, type Failing, type Life, type Lived } from "../../../engine/fuzz/index.ts";
import { checkersOf } from "../scenario/invariants.ts";
import { parseLabFile, printLabFile } from "../file/labfile.ts";
import { birth, scenarioOf } from "./schedule-scenario.ts";
import { runScenario } from "../scenario/scenario.ts";

export interface FuzzTask {
  readonly seed: string;
  readonly bounds: Bounds;
  /** Lives to try while shrinking a violation; 0: report it as it is. */
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
  readonly digest: string;
  /** "seconds invariant: text", first ones first. */
  readonly violations: readonly string[];
  readonly found: FuzzFound | undefined;
}

const say = (v: Violation): string => `${(v.at / 1e6).toFixed(6)} ${v.invariant}: ${v.text}`;

/** How a life breaks `invariant`; undefined when it does not, or not otherwise than for want of mending. */
function failingOf(lived: Lived, invariant: string): Failing | undefined {
  const first = lived.violations.find((v) => v.invariant === invariant);
  if (first === undefined) return undefined;
  const resting = first.at >= lived.restedAt;
  return resting && !lived.whole ? undefined : { at: first.at - lived.start, resting, text: first.text };
}

function shrink(life: Life, lived: Lived, invariant: string, tries: number): Life {
  const judge = (candidate: Life): Failing | undefined => failingOf(live(candidate, birth, checkersOf([invariant])), invariant);
  const failing = failingOf(lived, invariant);
  // Something stays at fault although it was mended: what is needed for that cannot be told from what is not.
  return failing === undefined ? life : minimise(life, failing, judge, tries).life;
}

/** The scenario's text, once it was seen to break the invariant the way `quorate run` plays it. */
async function told(life: Life, invariant: string): Promise<Omit<FuzzFound, "seed"> | undefined> {
  const scenario = printLabFile(scenarioOf(life, invariant));
  const { result } = await runScenario(parseLabFile(scenario, "scenario"), "scenario");
  const first = result.violations?.find((v) => v.invariant === invariant);
  return first === undefined ? undefined : { invariant, instant: first.at, text: first.text, scenario };
}

/** Lives the life of a seed. */
export async function fuzz(task: FuzzTask): Promise<FuzzReport> {
  const life = lifeOf(task.seed, task.bounds);
  const lived = live(life, birth);
  const first = lived.violations[0];
  let found: FuzzFound | undefined;
  if (first !== undefined && task.tries > 0) {
    const small = shrink(life, lived, first.invariant, task.tries);
    const scenario = (await told(small, first.invariant)) ?? (await told(life, first.invariant));
    const whole = {
      invariant: first.invariant,
      instant: first.at,
      text: first.text,
      scenario: printLabFile(scenarioOf(life, first.invariant)),
    };
    found = { seed: task.seed, ...(scenario ?? whole) };
  }
  return {
    seed: task.seed,
    nodes: life.nodes.length,
    links: life.links,
    faults: life.faults,
    memberships: lived.memberships,
    livedUs: lived.lived,
    mendedUs: lived.mended,
    events: lived.events,
    delivered: lived.tally.delivered,
    digest: lived.digest,
    violations: lived.violations.map(say),
    found,
  };
}
