/**
 * The lab against recordings of the real daemons: same file, same acts at the same seconds, and every tool's output and every line of every daemon's log equal,
 * with one fixed seed and with fifty more. What a comparison leaves out stands in exclusions.ts; its uses are counted and printed at the end.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { haveReference, skipLine } from "../shared.ts";
import { Ledger } from "./ledger.ts";
import { play, type Played, type Timed } from "./play.ts";
import { FIXED_SEED, PlayedSet } from "./played-set.ts";
import { loadRecording, type Recording } from "./recording.ts";

const played = new PlayedSet({
  release: "3.1.7",
  notPlayed: { "bad-configs": "other-suite", "packet-loss-3": "random-loss" },
  rules: { "partition-non-transitive": { endless: true }, "qdevice-ffsplit-4": { recorderLostIn: 1 } },
  // Fifty in the long run.
  seeds: process.env["QUORATE_LONG"] === "1" ? 50 : 8,
});
const { ledger } = played;

skipLine("conformance");

describe.skipIf(!haveReference)("recorded scenarios", () => played.tests());

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
      const run = await playWithLostToken(recording);
      expect(played.judge(recording, run, ledger)).toEqual({ found: "", excused: [1] });
    });
  }

  test("a member too few in a later step is told", async () => {
    const recording = loadRecording("debug-lifecycle-3");
    const run = await playWithLostToken(recording);
    const answer = run.steps[2]?.answers.find((a) => a.command === "corosync-quorumtool -s");
    if (answer === undefined) throw new Error("quorumtool was not asked in step 3");
    answer.out = answer.out.replace("Nodes:            3", "Nodes:            2");
    const { found } = played.judge(recording, run, new Ledger("scenarios", "3.1.7"));
    expect(found).toContain(`step 3, ${answer.node}# corosync-quorumtool -s`);
    expect(found).not.toContain("step 2,");
  });
});

describe.skipIf(!haveReference)("what is left out", () => {
  test("comparing code blanks and drops by the ledger alone", () => {
    for (const file of ["answers", "compare", "logs", "rings"]) {
      const source = readFileSync(new URL(`./${file}.ts`, import.meta.url), "utf8");
      expect(source.match(/\.(replace|replaceAll|splice|slice|trimEnd|trim|toLowerCase)\(/g), file).toBeNull();
    }
  });

  played.testsOfExclusions();
});
