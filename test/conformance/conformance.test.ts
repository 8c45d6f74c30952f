/**
 * The lab against recordings of the real daemons: same file, same acts at the same seconds, and every tool's output and every line of every daemon's log equal,
 * with one fixed seed and with fifty more. What a comparison leaves out stands in exclusions.ts; its uses are counted and printed at the end.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { haveReference, recordings, skipLine } from "../shared.ts";
import { compareRun, type Difference, type Rule } from "./compare.ts";
import type { ExclusionName } from "./exclusions.ts";
import { Ledger } from "./ledger.ts";
import { play, type Played, type Timed } from "./play.ts";
import { brokenRaceRules } from "./races.ts";
import { loadRecording, type Recording } from "./recording.ts";
import { keepTable } from "./table.ts";

const SCENARIOS = [
  "form-1",
  "form-3-one-by-one",
  "form-3-together",
  "kill-1-of-3",
  "stop-1-of-3",
  "pause-resume-1-of-3",
  "partition-2-1",
  "partition-non-transitive",
  "four-2-2",
  "two-links",
  "reload-config",
  "config-version-mismatch",
  "cfgtool-kill-and-monitor",
  "latency-3",
  "debug-lifecycle-3",
  "debug-partition-3",
  "trace-2",
  "qdevice-ffsplit-4",
  "two-node-flag",
  "wait-for-all-3",
  "auto-tie-breaker-4",
  "last-man-standing-4",
  "allow-downscale-3",
  "qdevice-lms-3",
  "qdevice-add-online",
];
const NOT_PLAYED: Readonly<Record<string, ExclusionName>> = { "bad-configs": "other-suite", "packet-loss-3": "random-loss" };
const RULES: Readonly<Record<string, Rule>> = {
  "partition-non-transitive": { endless: true },
  "qdevice-ffsplit-4": { recorderLostIn: 1 },
};
const FIXED_SEED = "quorate";
/** Beside the fixed one; fifty in the long run. */
const SEEDS = process.env["QUORATE_LONG"] === "1" ? 50 : 12;

/** Of all runs of this file; and of those with the fixed seed, which meet every recorded line once. */
const ledger = new Ledger("scenarios");
const fixed = new Ledger("scenarios");

const shown = (d: Difference): string => `step ${d.step}, ${d.where}\n--- recorded\n${d.recorded}\n--- lab\n${d.lab}`;
const broken = (scenario: string, played: Played): string[] => brokenRaceRules(played, scenario === "partition-non-transitive");

/** What differs in a run, and the steps that a lost commit token excuses. */
function judge(recording: Recording, played: Played, into: Ledger): { found: string; excused: number[] } {
  const { found, excused } = compareRun(into, recording, played, RULES[recording.scenario] ?? {});
  return { found: found.map(shown).join("\n\n"), excused };
}

skipLine("conformance");

describe.skipIf(!haveReference)("recorded scenarios", () => {
  test("every recording is played, or listed with the reason why not", () => {
    expect([...SCENARIOS, ...Object.keys(NOT_PLAYED)].sort()).toEqual(recordings());
    for (const name of Object.values(NOT_PLAYED)) ledger.use(name, "recorded");
  });

  for (const scenario of SCENARIOS) {
    test(`${scenario} equals the recording`, async () => {
      const recording = loadRecording(scenario);
      const played = await play(recording, FIXED_SEED);
      const trial = new Ledger("scenarios");
      expect(judge(recording, played, trial)).toEqual({ found: "", excused: [] });
      expect(broken(scenario, played)).toEqual([]);
      ledger.add(trial);
      fixed.add(trial);
    });

    test(`${scenario} equals the recording with ${SEEDS} other seeds`, { timeout: 180_000 }, async () => {
      const recording = loadRecording(scenario);
      for (let i = 0; i < SEEDS; i++) {
        const played = await play(recording, `seed-${i}`);
        expect(judge(recording, played, ledger).found, `seed-${i}`).toBe("");
        expect(broken(scenario, played), `seed-${i}`).toEqual([]);
      }
    });
  }
});

/** Loses the commit token of the first common ring until its sender gives up, and no longer: the attempt that follows succeeds. */
async function playWithLostToken(recording: Recording): Promise<Played> {
  const undisturbed = await play(recording, FIXED_SEED);
  const commit = undisturbed.traces.find((t) => t.at > 1e6 && t.event.what === "state" && t.event.state === "commit");
  if (commit === undefined) throw new Error("no ring was formed");
  const cable = (after: number, kind: "link-cut" | "link-heal"): Timed => ({
    after: commit.at + after,
    act: { to: "fabric", act: { kind, link: { node: "node2", to: "node3", direction: "out" } } },
  });
  // The commit token is sent again every 869 ms and given up after 3650.
  return play(recording, FIXED_SEED, [cable(-20, "link-cut"), cable(3_550_000, "link-heal")]);
}

describe.skipIf(!haveReference)("a lost commit token excuses the step it happened in", () => {
  for (const scenario of ["form-3-together", "debug-lifecycle-3", "debug-partition-3"]) {
    test(`${scenario}: the first step, and nothing after it but the number that the attempt used up`, async () => {
      const recording = loadRecording(scenario);
      const played = await playWithLostToken(recording);
      expect(judge(recording, played, ledger)).toEqual({ found: "", excused: [1] });
    });
  }

  test("a member too few in a later step is told", async () => {
    const recording = loadRecording("debug-lifecycle-3");
    const played = await playWithLostToken(recording);
    const answer = played.steps[2]?.answers.find((a) => a.command === "corosync-quorumtool -s");
    if (answer === undefined) throw new Error("quorumtool was not asked in step 3");
    answer.out = answer.out.replace("Nodes:            3", "Nodes:            2");
    const { found } = judge(recording, played, new Ledger("scenarios"));
    expect(found).toContain(`step 3, ${answer.node}# corosync-quorumtool -s`);
    expect(found).not.toContain("step 2,");
  });
});

describe.skipIf(!haveReference)("what is left out", () => {
  test("with the fixed seed every recorded line and answer is met once: compared, or left out under a name", () => {
    const count = (s: Recording["steps"][number]): number =>
      s.commands.length +
      Object.values(s.outputs).reduce((n, o) => n + Object.keys(o).length, 0) +
      Object.values(s.log).reduce((n, lines) => n + lines.length, 0);
    const all = SCENARIOS.flatMap((scenario) => loadRecording(scenario).steps).reduce((n, s) => n + count(s), 0);
    expect(fixed.met).toBe(all);
    fixed.balance();
  });

  test("comparing code blanks and drops by the ledger alone", () => {
    for (const file of ["answers", "compare", "logs", "rings"]) {
      const source = readFileSync(new URL(`./${file}.ts`, import.meta.url), "utf8");
      expect(source.match(/\.(replace|replaceAll|splice|slice|trimEnd|trim|toLowerCase)\(/g), file).toBeNull();
    }
  });

  test("every exclusion was used", () => {
    keepTable(ledger);
    expect(ledger.unused()).toEqual([]);
  });
});
