/** A record played again, or a scenario run, from its text: what a page asks for beside the lab. In a thread of its own (run-worker.ts), so that the lab's time goes on. */
import { ENGINE_VERSION, parseRecord } from "../../../engine/world/index.ts";
import { replayOn } from "../../../engine/host/index.ts";
import type { ReplayReply, ScenarioReply } from "../api-run.ts";
import { worldDesign } from "../file/design.ts";
import { parseLabFile } from "../file/labfile.ts";
import { onHost } from "../process/hosts.ts";
import { Trouble } from "../trouble.ts";
import { runScenario } from "./scenario.ts";

/** `name`: what messages call the file. */
export interface RunTask {
  readonly what: "replay" | "scenario";
  readonly text: string;
  readonly name: string;
}

export type RunOutcome = { ok: true; reply: ReplayReply | ScenarioReply } | { ok: false; usage: boolean; why: string };

/** Never throws: what is wrong is the outcome. */
export async function runTask({ what, text, name }: RunTask): Promise<RunOutcome> {
  try {
    return { ok: true, reply: what === "replay" ? await replayText(text, name) : await scenarioText(text, name) };
  } catch (error) {
    return { ok: false, usage: error instanceof Trouble, why: error instanceof Error ? error.message : String(error) };
  }
}

async function replayText(text: string, name: string): Promise<ReplayReply> {
  const outcome = parseRecord(text);
  if (!outcome.ok) throw new Trouble("usage", `${name}:${outcome.line}: ${outcome.message}`);
  const { record } = outcome;
  const lab = parseLabFile(record.lab, `${name} (lab file)`);
  const result = await onHost("inprocess", { design: worldDesign(lab), load: lab.load }, (host) => replayOn(host, record));
  const { digest, instant, equal, compared, firstDifference } = result;
  return { digest, instant, equal, compared, firstDifference: firstDifference ?? null, recordedBy: record.engine, engine: ENGINE_VERSION };
}

async function scenarioText(text: string, name: string): Promise<ScenarioReply> {
  const lab = parseLabFile(text, name);
  const { result } = await runScenario({ ...lab, seed: lab.seed ?? "1" }, name);
  return {
    passed: result.passed,
    seed: result.seed,
    instant: result.instant,
    digest: result.digest,
    steps: result.steps.map(({ step, instant, passed, expected, got, what }) => ({ step, instant, passed, expected, got, what })),
    violations: (result.violations ?? []).map(({ invariant, text: broken }) => `${invariant}: ${broken}`),
  };
}
