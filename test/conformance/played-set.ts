/** The recordings of one release against the lab: every scenario with a fixed seed, and with more of them. */
import { expect, test } from "vitest";
import type { Release } from "../../src/engine/config/index.ts";
import { haveReference, recordings } from "../shared.ts";
import { compareRun, type Difference, type Rule } from "./compare.ts";
import type { ExclusionName } from "./exclusions.ts";
import { Ledger } from "./ledger.ts";
import { play, type Played } from "./play.ts";
import { brokenRaceRules } from "./races.ts";
import { folderOf, loadRecording, type Recording } from "./recording.ts";
import { keepTable } from "./table.ts";

export interface RecordedSet {
  readonly release: Release;
  /** All others of its recordings are played. */
  readonly notPlayed: Readonly<Record<string, ExclusionName>>;
  readonly rules: Readonly<Record<string, Rule>>;
  /** Beside the fixed one. */
  readonly seeds: number;
}

export const FIXED_SEED = "quorate";
/** Of so many other seeds one may differ: the computer of a recording has a chance of its own. */
const SEEDS_OF_ONE_ODD = 10;

const shown = (d: Difference): string => `step ${d.step}, ${d.where}\n--- recorded\n${d.recorded}\n--- lab\n${d.lab}`;
const broken = (scenario: string, played: Played): string[] => brokenRaceRules(played, scenario === "partition-non-transitive");

export class PlayedSet {
  /** Of all runs; and of those with the fixed seed, which meet every recorded line once. */
  readonly ledger: Ledger;
  readonly fixed: Ledger;
  private readonly scenarios: readonly string[];

  constructor(readonly set: RecordedSet) {
    this.ledger = new Ledger("scenarios", set.release);
    this.fixed = new Ledger("scenarios", set.release);
    this.scenarios = haveReference ? recordings(folderOf(set.release)).filter((name) => set.notPlayed[name] === undefined) : [];
  }

  load(scenario: string): Recording {
    return loadRecording(scenario, this.set.release);
  }

  /** What differs in a run, and the steps that a lost commit token excuses. */
  judge(recording: Recording, played: Played, into: Ledger): { found: string; excused: number[] } {
    const { found, excused } = compareRun(into, recording, played, this.set.rules[recording.scenario] ?? {});
    return { found: found.map(shown).join("\n\n"), excused };
  }

  tests(): void {
    const { release, notPlayed, rules, seeds } = this.set;
    test("what is not played is a recording, and has its reason", () => {
      expect(recordings(folderOf(release))).toEqual([...this.scenarios, ...Object.keys(notPlayed)].sort());
      expect(this.scenarios.length).toBeGreaterThan(20);
      for (const name of Object.values(notPlayed)) this.ledger.use(name, "recorded");
    });

    for (const scenario of this.scenarios) {
      test(`${scenario} equals the recording`, async () => {
        const recording = this.load(scenario);
        const played = await play(recording, FIXED_SEED);
        const trial = new Ledger("scenarios", release);
        const { found, excused } = this.judge(recording, played, trial);
        expect(found).toBe("");
        const lost = rules[scenario]?.recorderLostIn;
        expect(excused.filter((step) => step !== lost)).toEqual([]);
        expect(broken(scenario, played)).toEqual([]);
        this.ledger.add(trial);
        this.fixed.add(trial);
      });

      test(`${scenario} equals the recording with ${seeds} other seeds`, { timeout: 180_000 }, async () => {
        const recording = this.load(scenario);
        const odd: string[] = [];
        for (let i = 0; i < seeds; i++) {
          const played = await play(recording, `seed-${i}`);
          const trial = new Ledger("scenarios", release);
          const { found } = this.judge(recording, played, trial);
          this.ledger.add(trial);
          if (found !== "") odd.push(`seed-${i}: ${found}`);
          expect(broken(scenario, played), `seed-${i}`).toEqual([]);
        }
        if (release === "3.1.7" || odd.length > Math.ceil(seeds / SEEDS_OF_ONE_ODD)) expect(odd.join("\n\n")).toBe("");
      });
    }
  }

  testsOfExclusions(): void {
    test("with the fixed seed every recorded line and answer is met once: compared, or left out under a name", () => {
      const count = (s: Recording["steps"][number]): number =>
        s.commands.length +
        Object.values(s.outputs).reduce((n, o) => n + Object.keys(o).length, 0) +
        Object.values(s.log).reduce((n, lines) => n + lines.length, 0);
      const all = this.scenarios.flatMap((scenario) => this.load(scenario).steps).reduce((n, s) => n + count(s), 0);
      expect(this.fixed.met).toBe(all);
      this.fixed.balance();
    });

    test("every exclusion was used", () => {
      keepTable(this.ledger);
      expect(this.ledger.unused()).toEqual([]);
    });
  }
}
