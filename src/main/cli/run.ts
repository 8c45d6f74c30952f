/** `quorate run SCENARIO` and `quorate replay RECORD`: no running lab, no wall clock. */
import { replayOn } from "../../engine/host/index.ts";
import { ENGINE_VERSION, parseRecord, type ReplayResult, type WorldRecord } from "../../engine/world/index.ts";
import { worldDesign } from "../lab/file/design.ts";
import { onHost } from "../lab/process/hosts.ts";
import { parseInstant } from "../lab/instant.ts";
import { parseLabFile, readLabFile } from "../lab/file/labfile.ts";
import { readInput, RECORD_BYTES_MAX } from "../lab/file/read-input.ts";
import { runScenario, type ScenarioResult } from "../lab/scenario/scenario.ts";
import { writeAtomic } from "../lab/store/atomic-files.ts";
import { Trouble } from "../lab/trouble.ts";
import { print, printJson, say, withProgress } from "./outcome.ts";
import { hostOf, textOf, type Values } from "./values.ts";

function printResult(result: ScenarioResult): void {
  for (const step of result.steps) {
    print(`${step.passed ? "ok  " : "FAIL"}  ${step.step}  ${(step.instant / 1e6).toFixed(6)} s  ${step.what}`);
    if (step.passed) continue;
    print(`      expected: ${step.expected}`);
    print(`      got:      ${step.got}`);
    if (step.stderr) print(`      stderr:   ${step.stderr.trimEnd()}`);
  }
  for (const violation of result.violations ?? [])
    print(`FAIL  invariant ${violation.invariant} broken at ${(violation.at / 1e6).toFixed(6)} s: ${violation.text}`);
  const failed = result.steps.filter((step) => !step.passed).length;
  print(
    `${result.scenario}: ${result.passed ? "passed" : failed === 0 ? "an invariant is broken" : `${failed} of ${result.steps.length} steps failed`} (seed ${result.seed}, digest ${result.digest})`,
  );
}

export async function run(path: string, v: Values): Promise<number> {
  const host = hostOf(v["host"]) ?? "inprocess";
  const lab = readLabFile(path);
  const seed = textOf(v["seed"]) ?? lab.seed ?? "1";
  const { result, record, said } = await withProgress("running the scenario", runScenario({ ...lab, seed }, path, host));
  if (said !== undefined) say(`quorate: ${said}`);
  const out = textOf(v["record"]);
  if (out !== undefined) writeAtomic(out, record);
  if (v["json"] === true) printJson({ ...result, steps: result.steps.map(({ what: _, ...step }) => step) });
  else printResult(result);
  return result.passed ? 0 : 1;
}

function readRecord(path: string): WorldRecord {
  const outcome = parseRecord(readInput(path, RECORD_BYTES_MAX, "a record"));
  if (!outcome.ok) throw new Trouble("usage", `${path}:${outcome.line}: ${outcome.message}`);
  return outcome.record;
}

export async function replay(path: string, v: Values): Promise<number> {
  const host = hostOf(v["host"]) ?? "inprocess";
  const record = readRecord(path);
  if (record.engine !== ENGINE_VERSION)
    say(`quorate: ${path} was recorded by engine ${record.engine}; this is ${ENGINE_VERSION} and may run differently`);
  const lab = parseLabFile(record.lab, `${path} (lab file)`);
  const design = worldDesign(lab);
  const until = textOf(v["until"]);
  const stop = until === undefined ? undefined : parseInstant(until, design.epochUnixMicros, "--until");
  let result: ReplayResult;
  try {
    result = await withProgress(
      "replaying",
      onHost(host, { design, load: lab.load }, (host) => replayOn(host, record, stop)),
    );
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw new Trouble("usage", `${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { digest, instant, equal, compared, firstDifference } = result;
  if (v["json"] === true) printJson({ digest, instant, equal, firstDifference: firstDifference ?? null });
  else print(`${digest} at ${(instant / 1e6).toFixed(6)} s`);
  const check = v["check"] === true;
  if (check && compared === 0) throw new Trouble("failed", `${path} has no digest up to there: nothing could be compared`);
  if (equal) return 0;
  say(`quorate: the replay differs from ${path} at ${((firstDifference ?? 0) / 1e6).toFixed(6)} s, or since the digest before`);
  return check ? 1 : 0;
}
