/** Runs a scenario: a world of its own, unpaced, one step after the other. The same file and seed give the same run, digest included. */
import type { HostKind, UnpacedHost } from "../../../engine/host/index.ts";
import { MINUTE, type Instant } from "../../../engine/kernel/time.ts";
import { InvariantWatch, ONE_RING, type Violation } from "../../../engine/world/checkers/index.ts";
import { ASSERTION, comingToRest, watched } from "../../../engine/fuzz/index.ts";
import { printRecord, standingAt, type World, type WorldAct } from "../../../engine/world/index.ts";
import { sceneOf, type PlannedAct } from "../act/kind.ts";
import { impossible, readAct } from "../act/table.ts";
import { advancing, beginning } from "./advance.ts";
import type { WaitFor } from "../api.ts";
import { booted, matches, threeUnitStates, valueAt, whyNot } from "../view/conditions.ts";
import { worldDesign } from "../file/design.ts";
import { onHost } from "../process/hosts.ts";
import { checkersOf } from "./invariants.ts";
import { printLabFile } from "../file/labfile.ts";
import type { LabFile, Step } from "../file/labfile-schema.ts";
import { runOnNode, type NodeRun } from "./node-run.ts";
import { Trouble } from "../trouble.ts";
import { splitLine } from "../act/command-line.ts";
import { machineView } from "../view/view.ts";

export interface StepResult {
  step: number;
  /** µs since the epoch, when the step ended. */
  instant: Instant;
  passed: boolean;
  expected: string;
  got: string;
  stdout?: string;
  stderr?: string;
  status?: number;
  /** The step in one line, for people. */
  what: string;
}

export interface ScenarioResult {
  scenario: string;
  seed: string;
  passed: boolean;
  instant: Instant;
  digest: string;
  steps: StepResult[];
  /** What was broken of the invariants that the scenario names; absent where it names none. */
  violations?: readonly Violation[];
}

export interface ScenarioRun {
  result: ScenarioResult;
  /** The run's record. */
  record: string;
  /** Why the cluster had not formed when the steps began. */
  said: string | undefined;
}

type Outcome = Omit<StepResult, "step" | "instant">;

const bootMax = 10 * MINUTE;

async function perform(host: UnpacedHost, act: WorldAct, afterUs: number): Promise<void> {
  const result = await (afterUs > 0 ? host.schedule(host.world.now + afterUs, act) : host.act(act));
  if (!result.ok) throw new Trouble("usage", result.message);
}

/** As the command line does it: what boots machines is over when their last unit has started, but a step that has its instant is not kept waiting. */
async function settle(host: UnpacedHost, { boots }: PlannedAct, next: Instant): Promise<void> {
  if (boots.length === 0) return;
  const { world } = host;
  const all = (): boolean => boots.every((name) => booted(world.status(name)));
  await host.follow(advancing(world, Math.min(next, world.now + bootMax), all));
}

async function doStep(host: UnpacedHost, line: string, next: Instant): Promise<Outcome> {
  const { world } = host;
  const planned = readAct(line, sceneOf(world));
  const why = impossible(planned, world);
  if (why !== undefined) return { passed: false, expected: "done", got: why, what: `do: ${line}` };
  for (const act of planned.acts) await perform(host, act, planned.afterUs);
  await settle(host, planned, next);
  return { passed: true, expected: "done", got: planned.said, what: `do: ${line}` };
}

async function waitStep(host: UnpacedHost, wait: Extract<Step, { wait: unknown }>["wait"]): Promise<Outcome> {
  const { world } = host;
  const { node, timeout, ...rest } = wait;
  const what: WaitFor = {
    nodes: node === undefined ? [] : [node].flat(),
    timeout: timeout * 1e6,
    ...(rest.quorate === undefined ? {} : { quorate: rest.quorate }),
    ...(rest.members === undefined ? {} : { members: rest.members }),
    ...(rest.synced === undefined ? {} : { synced: rest.synced }),
    ...(rest.idle === undefined ? {} : { idle: rest.idle }),
  };
  const passed = await host.follow(advancing(world, world.now + Math.round(what.timeout), () => whyNot(what, world) === undefined));
  const wanted = JSON.stringify(wait);
  return {
    passed,
    expected: wanted,
    got: passed ? wanted : `not within ${timeout} s: ${whyNot(what, world) ?? ""}`,
    what: `wait: ${wanted}`,
  };
}

interface Told {
  stdout?: string | undefined;
  stderr?: string | undefined;
  status?: number | undefined;
}

/** The first of status, stdout and stderr that is not as told. */
function compareRun(run: NodeRun, told: Told): Pick<Outcome, "passed" | "expected" | "got"> {
  for (const key of ["status", "stdout", "stderr"] as const)
    if (told[key] !== undefined && told[key] !== run[key])
      return { passed: false, expected: `${key} ${JSON.stringify(told[key])}`, got: `${key} ${JSON.stringify(run[key])}` };
  if (run.failure !== undefined && told.status === undefined) return { passed: false, expected: "the command to run", got: run.failure };
  const held = (["status", "stdout", "stderr"] as const)
    .filter((key) => told[key] !== undefined)
    .map((key) => `${key} ${JSON.stringify(told[key])}`);
  return { passed: true, expected: held.join(", ") || "any result", got: held.join(", ") || `status ${run.status}` };
}

function expectStep(world: World, expectation: Record<string, unknown>): Outcome {
  const { node, ...wanted } = expectation;
  const status = threeUnitStates(machineView(world.status(String(node))));
  const found = Object.fromEntries(Object.keys(wanted).map((path) => [path, valueAt(status, path) ?? null]));
  const passed = Object.entries(wanted).every(([path, value]) => matches(value, found[path]));
  return {
    passed,
    expected: JSON.stringify(wanted),
    got: JSON.stringify(found),
    what: `expect: ${String(node)} ${JSON.stringify(wanted)}`,
  };
}

/** Starts a tool as a colleague at another prompt would, and does not wait for it. */
async function startStep(host: UnpacedHost, node: string, line: string): Promise<Outcome> {
  // Inputs are only ever added, so their count is a name that no other command of this world has.
  const id = `step-${host.world.inputs().length}`;
  await perform(host, { to: "machine", machine: node, act: { kind: "command", id, argv: splitLine(line), cwd: "/root", stdin: "" } }, 0);
  return { passed: true, expected: "started", got: "started", what: `exec: ${node}: ${line} (not waited for)` };
}

async function runStep(host: UnpacedHost, step: Step, next: Instant): Promise<Outcome> {
  if ("do" in step) return doStep(host, step.do, next);
  if ("wait" in step) return waitStep(host, step.wait);
  if ("expect" in step) return expectStep(host.world, step.expect);
  const told = "exec" in step ? step.exec : step.input;
  if ("wait" in told) return startStep(host, told.node, told.run);
  const run = await runOnNode(host, told.node, told.run, "input" in step ? step.input.answers : []);
  const { stdout, stderr, status } = run;
  return { ...compareRun(run, told), stdout, stderr, status, what: `${"exec" in step ? "exec" : "input"}: ${told.node}: ${told.run}` };
}

/** Runs every step, also after one that did not hold. `lab` must have a seed for the run to be repeatable. */
export function runScenario(lab: LabFile, scenario: string, host: HostKind = "inprocess"): Promise<ScenarioRun> {
  return onHost(host, { design: worldDesign(lab), load: lab.load }, (host) => play(host, lab, scenario));
}

async function play(host: UnpacedHost, lab: LabFile, scenario: string): Promise<ScenarioRun> {
  const { world } = host;
  const watch = lab.invariants === undefined ? undefined : new InvariantWatch(world, checkersOf(lab.invariants));
  if (watch !== undefined) world.watch(watch);
  const steps: StepResult[] = [];
  let why: string | undefined;
  try {
    why = await host.follow(beginning(world, lab));
    if (why !== undefined && lab.invariants?.includes(ONE_RING) === true) watch?.broke(world.now, ONE_RING, why);
    for (const line of lab.faults) await doStep(host, line, world.now);
    await runSteps(host, lab.steps, watch, steps);
    if (watch?.violations.length === 0) await host.follow(comingToRest(world, watch));
  } catch (error) {
    if (lab.invariants?.includes(ASSERTION) !== true || error instanceof Trouble) throw error;
    watch?.broke(world.now, ASSERTION, error instanceof Error ? error.message : String(error));
    return { result: resultOf(world, lab, scenario, steps, watch), record: recordOf(world, lab), said: why };
  }
  // The run ends between two instants: in the middle of one there is no digest that a replay could be compared with.
  await host.follow(standingAt(world.now + 1));
  return {
    result: resultOf(world, lab, scenario, steps, watch),
    record: recordOf(world, lab),
    said: why === undefined ? undefined : `the cluster had not formed when the steps began: ${why}`,
  };
}

async function runSteps(
  host: UnpacedHost,
  steps: readonly Step[],
  watch: InvariantWatch | undefined,
  results: StepResult[],
): Promise<void> {
  const { world } = host;
  const start = world.now;
  for (const [i, step] of steps.entries()) {
    if (step.at !== undefined)
      await host.follow(watch === undefined ? standingAt(start + step.at) : watched(world, start + step.at, watch));
    const nextAt = steps[i + 1]?.at;
    const outcome = await runStep(host, step, nextAt === undefined ? Number.POSITIVE_INFINITY : start + nextAt);
    results.push({ step: i + 1, instant: world.now, ...outcome });
  }
}

function resultOf(world: World, lab: LabFile, scenario: string, steps: StepResult[], watch: InvariantWatch | undefined): ScenarioResult {
  const violations = watch?.violations;
  return {
    scenario,
    seed: lab.seed ?? "1",
    passed: steps.every((r) => r.passed) && (violations === undefined || violations.length === 0),
    instant: world.now,
    digest: world.digest(),
    steps,
    ...(violations === undefined ? {} : { violations }),
  };
}

function recordOf(world: World, lab: LabFile): string {
  return printRecord({
    lab: printLabFile({ ...lab, steps: [] }),
    inputs: [...world.inputs()],
    checkpoints: [...world.checkpoints()],
    end: { at: world.now, digest: world.digest() },
  });
}
