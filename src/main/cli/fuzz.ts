/** `quorate fuzz`: seeded fault schedules on all cores, progress on stderr, what broke an invariant on stdout as a scenario file. */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Bounds } from "../../engine/fuzz/index.ts";
import { entry } from "../lab/process/entries.ts";
import { linksMax, nodesMax } from "../lab/file/default-lab.ts";
import { runPool } from "../lab/fuzz/fuzz-pool.ts";
import { doneRuns, newState, median, note, readState, seedOf, writeState, type FuzzState } from "../lab/fuzz/fuzz-state.ts";
import { usage } from "../lab/trouble.ts";
import { print, printJson, say } from "./outcome.ts";
import { textOf, whole, type Values } from "./values.ts";

const runsDefault = 100;
const runsMax = 10_000_000;
const secondsMax = 3600;
/** Schedules tried to shrink one violation. */
const triesMax = 300;
/** After so many broken seeds a series ends: what is wrong is known. */
const violationsMax = 10;
const progressEveryMs = 2000;

/** `A..B`, or `A` alone, both within lo … hi. */
function range(value: unknown, option: string, lo: number, hi: number): readonly [number, number] | undefined {
  if (value === undefined) return undefined;
  const m = /^(\d+)(?:\.\.(\d+))?$/.exec(String(value));
  const [a, b] = [Number(m?.[1]), Number(m?.[2] ?? m?.[1])];
  if (m === null || a < lo || b > hi || a > b)
    throw usage(`${option} ${JSON.stringify(String(value))}: A..B from ${lo} to ${hi} is allowed`);
  return [a, b];
}

/** Kinds of clusters that are drawn only where they are asked for: an option each. */
const kinds = ["options", "qdevice", "reloads"] as const;
type Kind = (typeof kinds)[number];

/** What the command line says of the series; undefined where it says nothing. */
function asked(v: Values): {
  seed: string | undefined;
  nodes: Bounds["nodes"] | undefined;
  links: Bounds["links"] | undefined;
  seconds: number | undefined;
  kinds: readonly Kind[];
} {
  const seed = textOf(v["seed"]);
  if (seed !== undefined && (seed === "" || seed.length > 48))
    throw usage(`--seed ${JSON.stringify(seed)}: 1 to 48 characters are allowed`);
  return {
    seed,
    // Faults lie between nodes: one alone has none to speak of.
    nodes: range(v["nodes"], "--nodes", 2, nodesMax),
    links: range(v["links"], "--links", 1, linksMax),
    seconds: whole(v["seconds"], "--seconds", 10, secondsMax),
    kinds: kinds.filter((kind) => v[kind] === true),
  };
}

function boundsOptions(bounds: Bounds): string {
  const { nodes, links, faultsFor } = bounds;
  const flags = kinds.map((kind) => (bounds[kind] === true ? ` --${kind}` : "")).join("");
  return `--nodes ${nodes.join("..")} --links ${links.join("..")}${flags} --seconds ${faultsFor / 1e6}`;
}

/** The state to go on from. A file that says otherwise than the command line is not gone on from. */
export function begin(v: Values, file: string | undefined): FuzzState {
  const want = asked(v);
  const old = file === undefined ? undefined : readState(file);
  if (old === undefined) {
    const bounds: Bounds = {
      nodes: want.nodes ?? [2, 7],
      links: want.links ?? [1, 2],
      faultsFor: (want.seconds ?? 60) * 1e6,
      wide: true,
      releases: true,
      ...Object.fromEntries(want.kinds.map((kind) => [kind, true])),
    };
    return newState({ seed: want.seed ?? randomBytes(4).toString("hex"), bounds });
  }
  const differs = (a: unknown, b: unknown): boolean => a !== undefined && JSON.stringify(a) !== JSON.stringify(b);
  const { seed, bounds } = old;
  const seconds = want.seconds === undefined ? undefined : want.seconds * 1e6;
  if (
    differs(want.seed, seed) ||
    differs(want.nodes, bounds.nodes) ||
    differs(want.links, bounds.links) ||
    differs(seconds, bounds.faultsFor) ||
    want.kinds.some((kind) => bounds[kind] !== true)
  )
    throw usage(`${file ?? ""}: a series of --seed ${seed} ${boundsOptions(bounds)}; leave these out, or name another file`);
  return old;
}

/** Runs what is left of the series. Ctrl-C ends it with what is known, and the state kept. */
async function runSeries(state: FuzzState, runs: number, file: string | undefined): Promise<boolean> {
  const { file: program } = entry("fuzz-worker");
  const ahead = new Set(state.ahead);
  const left = Array.from({ length: Math.max(0, runs - state.next) }, (_, i) => state.next + i).filter((i) => !ahead.has(i));
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    say("quorate: stopping when the runs under way have ended …");
  };
  process.once("SIGINT", stop);
  let shown = Date.now();
  const enough = (report: Parameters<typeof note>[1], at: number): boolean => {
    note(state, report, left[at] ?? 0);
    if (Date.now() - shown >= progressEveryMs) {
      shown = Date.now();
      if (file !== undefined) writeState(file, state);
      say(`quorate: ${doneRuns(state)} of ${runs} schedules, ${state.violations.length} violations`);
    }
    return stopped || state.violations.length >= violationsMax;
  };
  const task = (at: number) => ({ seed: seedOf(state, left[at] ?? 0), bounds: state.bounds, tries: triesMax });
  try {
    if (left.length > 0) await runPool(task, 0, left.length, { file: program, threads: availableParallelism(), enough });
  } finally {
    process.off("SIGINT", stop);
    if (file !== undefined) writeState(file, state);
  }
  return !stopped;
}

function printViolations(state: FuzzState): void {
  for (const { seed, invariant, instant, text, scenario } of state.violations) {
    const { wide } = state.bounds;
    print(`# seed ${seed}: ${invariant} broken at ${(instant / 1e6).toFixed(6)} s: ${text}`);
    // A series begun anew draws every fault; one that was begun without them is gone on from, not begun again.
    if (wide === true) print(`# again: quorate fuzz --seed ${seed} --runs 1 ${boundsOptions(state.bounds)}`);
    print(`# ${wide === true ? "or " : ""}this scenario: quorate run FILE\n${scenario}---`);
  }
}

export async function fuzz(v: Values): Promise<number> {
  const runs = whole(v["runs"], "--runs", 1, runsMax) ?? runsDefault;
  const file = textOf(v["resume"]);
  const state = begin(v, file);
  // A file that cannot be written is better known before an hour of runs.
  if (file !== undefined) writeState(file, state);
  say(`quorate: seed ${state.seed}, ${runs} schedules${state.next > 0 ? `, ${doneRuns(state)} of them done` : ""}`);
  const ended = await runSeries(state, runs, file);
  const violations = state.violations.map(({ seed, invariant, instant, text, scenario }) => ({ seed, invariant, instant, scenario, text }));
  const medians = { seconds: median(state.seconds), faults: median(state.faults), memberships: median(state.memberships) };
  const done = doneRuns(state);
  if (v["json"] === true) printJson({ runs: done, violations, seed: state.seed, medians });
  else {
    printViolations(state);
    print(
      `${done} schedules, ${violations.length} violations (seed ${state.seed}; medians: ${medians.seconds} virtual s, ${medians.faults} faults, ${medians.memberships} memberships)`,
    );
  }
  return violations.length > 0 || !ended ? 1 : 0;
}
