/** Runs a scenario: a world of its own, unpaced, one step after the other. The same file and seed give the same run, digest included. */
import { makeNode } from "../../engine/node/index.ts";
import { MINUTE, type Instant } from "../../engine/kernel/time.ts";
import { printRecord, World, type WorldAct } from "../../engine/world/index.ts";
import { parseActing, type Acting, type Places } from "./acting.ts";
import { advance, beginLab } from "./advance.ts";
import type { WaitFor } from "./api.ts";
import { booted, matches, valueAt, whyNot } from "./conditions.ts";
import { deedsOf } from "./deeds.ts";
import { worldDesign } from "./design.ts";
import { printLabFile, type LabFile, type Step } from "./labfile.ts";
import { runOnNode, type NodeRun } from "./node-run.ts";
import { Trouble } from "./trouble.ts";
import { machineView } from "./view.ts";

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

function placesOf(world: World): Places {
  const { machines, networks } = world.design;
  return {
    nodes: machines.map((m) => m.name),
    networks: networks.map((n) => n.name),
    nics: new Map(machines.map((m) => [m.name, m.nics.map((nic) => nic.net)])),
  };
}

function perform(world: World, act: WorldAct, afterUs: number): void {
  const result = afterUs > 0 ? world.schedule(world.now + afterUs, act) : world.act(act);
  if (!result.ok) throw new Trouble("usage", result.message);
}

/** As the command line does it: `node start|reboot` are over when the last unit has started, but a step that has its instant is not kept waiting. */
function settle(world: World, acting: Acting, next: Instant): void {
  if (acting.act !== "node" || acting.afterUs > 0 || (acting.verb !== "start" && acting.verb !== "reboot")) return;
  advance(world, Math.min(next, world.now + bootMax), () => acting.nodes.every((name) => booted(world.status(name))));
}

function doStep(world: World, line: string, next: Instant): Outcome {
  const acting = parseActing(line, placesOf(world));
  const deeds = deedsOf(acting);
  for (const act of deeds.fabric) perform(world, { to: "fabric", act }, deeds.afterUs);
  for (const { node, act } of deeds.machines) perform(world, { to: "machine", machine: node, act }, deeds.afterUs);
  settle(world, acting, next);
  return { passed: true, expected: "done", got: deeds.said, what: `do: ${line}` };
}

function waitStep(world: World, wait: Extract<Step, { wait: unknown }>["wait"]): Outcome {
  const { node, timeout, ...rest } = wait;
  const what: WaitFor = {
    nodes: node === undefined ? [] : [node].flat(),
    timeout: timeout * 1e6,
    ...(rest.quorate === undefined ? {} : { quorate: rest.quorate }),
    ...(rest.members === undefined ? {} : { members: rest.members }),
    ...(rest.synced === undefined ? {} : { synced: rest.synced }),
    ...(rest.idle === undefined ? {} : { idle: rest.idle }),
  };
  const passed = advance(world, world.now + Math.round(what.timeout), () => whyNot(what, world) === undefined);
  const words = JSON.stringify(wait);
  return {
    passed,
    expected: words,
    got: passed ? words : `not within ${timeout} s: ${whyNot(what, world) ?? ""}`,
    what: `wait: ${words}`,
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
  const status = machineView(world.status(String(node)));
  const found = Object.fromEntries(Object.keys(wanted).map((path) => [path, valueAt(status, path) ?? null]));
  const passed = Object.entries(wanted).every(([path, value]) => matches(value, found[path]));
  return {
    passed,
    expected: JSON.stringify(wanted),
    got: JSON.stringify(found),
    what: `expect: ${String(node)} ${JSON.stringify(wanted)}`,
  };
}

async function runStep(world: World, step: Step, next: Instant): Promise<Outcome> {
  if ("do" in step) return doStep(world, step.do, next);
  if ("wait" in step) return waitStep(world, step.wait);
  if ("expect" in step) return expectStep(world, step.expect);
  const told = "exec" in step ? step.exec : step.input;
  const run = await runOnNode(world, told.node, told.run, "input" in step ? step.input.answers : []);
  const { stdout, stderr, status } = run;
  return { ...compareRun(run, told), stdout, stderr, status, what: `${"exec" in step ? "exec" : "input"}: ${told.node}: ${told.run}` };
}

/** Runs every step, also after one that did not hold. `lab` must have a seed for the run to be repeatable. */
export async function runScenario(lab: LabFile, scenario: string): Promise<ScenarioRun> {
  const world = new World(worldDesign(lab), makeNode);
  const why = beginLab(world, lab);
  for (const line of lab.faults) doStep(world, line, world.now);
  const start = world.now;
  const results: StepResult[] = [];
  for (const [i, step] of lab.steps.entries()) {
    if (step.at !== undefined) world.runUntil(start + step.at);
    const nextAt = lab.steps[i + 1]?.at;
    const outcome = await runStep(world, step, nextAt === undefined ? Number.POSITIVE_INFINITY : start + nextAt);
    results.push({ step: i + 1, instant: world.now, ...outcome });
  }
  // The run ends between two instants: in the middle of one there is no digest that a replay could be compared with.
  world.runUntil(world.now + 1);
  const digest = world.digest();
  const record = printRecord({
    lab: printLabFile({ ...lab, steps: [] }),
    inputs: [...world.inputs()],
    checkpoints: [...world.checkpoints()],
    end: { at: world.now, digest },
  });
  return {
    result: { scenario, seed: lab.seed ?? "1", passed: results.every((r) => r.passed), instant: world.now, digest, steps: results },
    record,
    said: why === undefined ? undefined : `the cluster had not formed when the steps began: ${why}`,
  };
}
