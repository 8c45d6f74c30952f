/**
 * The rule of comparison: outputs of tools are equal byte for byte and with their exit status, logs line for line with their levels, after taking out what
 * exclusions.ts lists. Answers and lines that were not compared stand in the ledger under the name of their exclusion.
 */
import { SEC } from "../../src/engine/kernel/index.ts";
import { blankAnswer } from "./answers.ts";
import { Ledger } from "./ledger.ts";
import { compareLog, type Where } from "./logs.ts";
import type { Answer, Played, PlayedStep } from "./play.ts";
import type { RecordedOutput, RecordedStep, Recording } from "./recording.ts";
import { shifted, shiftAfter, type Shift } from "./rings.ts";

export interface Difference {
  step: number;
  where: string;
  recorded: string;
  lab: string;
}

/** The recorder asked nothing there. */
const STATE = "(state)";

interface Asked {
  node: string;
  command: string;
  want: RecordedOutput;
}

function find(step: PlayedStep, { node, command }: Asked): Answer {
  const found = step.answers.find((a) => a.node === node && a.command === command);
  if (found === undefined) throw new Error(`step ${step.step}: ${command} was not asked on ${node}`);
  return found;
}

function compareAnswers(ledger: Ledger, recorded: RecordedStep, played: PlayedStep, shift: Shift): Difference[] {
  const all: Asked[] = [
    ...recorded.commands.map((c) => ({ node: `node${c.node}`, command: c.cmd, want: c })),
    ...Object.entries(recorded.outputs).flatMap(([node, list]) => Object.entries(list).map(([command, want]) => ({ node, command, want }))),
  ];
  ledger.met += all.length;
  const asked = ledger.without("stopped-daemon", "recorded", all, (a) => a.command === STATE);
  ledger.compared += asked.length;
  return asked.flatMap((one) => {
    const got = find(played, one);
    const text = (side: "recorded" | "lab", { out, err, rc }: RecordedOutput): string =>
      `${shifted(ledger, side, blankAnswer(ledger, side, one.command, out), shift)}${err}exit ${rc}`;
    const [a, b] = [text("recorded", one.want), text("lab", got)];
    return a === b ? [] : [{ step: recorded.step, where: `${one.node}# ${one.command}`, recorded: a, lab: b }];
  });
}

const isDevice = (who: string): boolean => who === "qnetd" || who.endsWith(" (qdevice)");

/** Compares one played step with its recording. */
export function compareStep(
  ledger: Ledger,
  { scenario, release }: Pick<Recording, "scenario" | "release">,
  recorded: RecordedStep,
  played: PlayedStep,
  shift: Shift,
): Difference[] {
  const out = compareAnswers(ledger, recorded, played, shift);
  for (const [who, lines] of Object.entries(recorded.log)) {
    if (!isDevice(who)) continue;
    ledger.met += lines.length;
    ledger.leave("device-daemons", "recorded", lines.length);
  }
  const nodes = new Set([
    ...Object.keys(recorded.log).filter((who) => !isDevice(who)),
    ...Object.keys(played.log).filter((n) => !isDevice(n)),
  ]);
  for (const node of nodes) {
    const where: Where = { scenario, release, step: recorded.step, node, shift };
    const raw = (recorded.log[node] ?? []).map(([, line]) => line);
    for (const d of compareLog(ledger, where, raw, played.log[node] ?? []))
      out.push({ step: recorded.step, where: `${node} log (${d.channel})`, recorded: d.recorded, lab: d.lab });
  }
  ledger.balance();
  return out;
}

/** Did the lab lose a commit token in this step, before the next one began? */
function lostCommitToken(played: Played, index: number): boolean {
  const [from, until] = [played.begins[index] ?? 0, played.begins[index + 1] ?? Infinity];
  return played.traces.some((t) => t.event.what === "commit-token-lost" && t.at / SEC >= from && t.at / SEC < until);
}

export interface Rule {
  /** The scenario never settles: the number of formings may differ by one, and with it every ring's sequence number. */
  readonly endless?: true;
  /** The recorder lost a commit token in this step. */
  readonly recorderLostIn?: number;
}

function allLines(step: RecordedStep): string[] {
  return Object.entries(step.log).flatMap(([who, lines]) => (isDevice(who) ? [] : lines.map(([, line]) => line)));
}

const labLines = (step: PlayedStep): string[] => Object.values(step.log).flatMap((lines) => lines.map((l) => l.text));

/**
 * Compares a whole run. A step in which one side lost a commit token and the other one did not may differ; what follows it may not, but for the numbers that
 * the lost attempt used up. @returns what differs, and the steps that were excused
 */
export function compareRun(ledger: Ledger, recording: Recording, played: Played, rule: Rule): { found: Difference[]; excused: number[] } {
  let shift: Shift = rule.endless === true ? "endless" : 0;
  const found: Difference[] = [];
  const excused: number[] = [];
  for (const name of played.adjusted) ledger.use(name, "lab");
  recording.steps.forEach((step, i) => {
    const mine = played.steps[i];
    if (mine === undefined) throw new Error(`${recording.scenario}: step ${step.step} was not played`);
    const lost = lostCommitToken(played, i) || rule.recorderLostIn === step.step;
    const judge = (trialShift: Shift): { ledger: Ledger; differences: Difference[] } => {
      const trial = new Ledger(ledger.comparison, ledger.release);
      return { ledger: trial, differences: compareStep(trial, recording, step, mine, trialShift) };
    };
    let judged = judge(shift);
    if (lost && judged.differences.length > 0 && shift !== "endless") {
      // Usually nothing but the numbers differs.
      judged = judge("lost here");
      shift = shiftAfter(allLines(step), labLines(mine)) ?? shift;
    }
    ledger.add(judged.ledger);
    if (lost && judged.differences.length > 0) {
      excused.push(step.step);
      ledger.use("lost-commit-token", "recorded");
    } else found.push(...judged.differences);
  });
  return { found, excused };
}
