/** The state of a series of fuzz runs: what is done, what was found, and the figures; as JSON, so that a long series goes on after an interruption. */
import { existsSync } from "node:fs";
import { z } from "zod";
import { ENGINE_VERSION } from "../../../engine/world/index.ts";
import type { FuzzReport } from "./fuzz.ts";
import { readInput, RECORD_BYTES_MAX } from "../file/read-input.ts";
import { writeAtomic } from "../store/atomic-files.ts";
import { usage } from "../trouble.ts";

const count = z.number().int().nonnegative();
const span = z.tuple([count, count]).readonly();
const bounds = z.strictObject({
  nodes: span,
  links: span,
  faultsFor: count,
  wide: z.boolean().optional(),
  releases: z.boolean().optional(),
  options: z.boolean().optional(),
  qdevice: z.boolean().optional(),
  reloads: z.boolean().optional(),
});
const found = z.strictObject({ seed: z.string(), invariant: z.string(), instant: count, text: z.string(), scenario: z.string() });
/** How often each value came: the median of thousands in little room. */
const figures = z.record(z.string(), count);

const fuzzState = z.strictObject({
  quorateFuzz: z.literal(1),
  engine: z.string(),
  seed: z.string(),
  bounds,
  /** Every run below this number is done, and these beyond. */
  next: count,
  ahead: z.array(count),
  violations: z.array(found),
  seconds: figures,
  faults: figures,
  memberships: figures,
});

export type FuzzState = z.infer<typeof fuzzState>;
type Series = Pick<FuzzState, "seed" | "bounds">;

export function newState(series: Series): FuzzState {
  return {
    quorateFuzz: 1,
    engine: ENGINE_VERSION,
    ...series,
    next: 0,
    ahead: [],
    violations: [],
    seconds: {},
    faults: {},
    memberships: {},
  };
}

/** Reads the state at `path`; undefined where there is no such file yet. Throws Trouble (usage) for what is no state, or of another engine. */
export function readState(path: string): FuzzState | undefined {
  if (!existsSync(path)) return undefined;
  const text = readInput(path, RECORD_BYTES_MAX, "the state of a fuzz series");
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    raw = undefined;
  }
  const parsed = fuzzState.safeParse(raw);
  if (!parsed.success) throw usage(`${path}: not the state of a fuzz series; name a file that --resume wrote, or one that is not there`);
  if (parsed.data.engine !== ENGINE_VERSION)
    throw usage(
      `${path}: from engine ${parsed.data.engine}, this is ${ENGINE_VERSION}; its runs would not be comparable, begin a new file`,
    );
  return parsed.data;
}

export function writeState(path: string, state: FuzzState): void {
  writeAtomic(path, `${JSON.stringify(state)}\n`);
}

/** Takes in the report of run `index`. */
export function note(state: FuzzState, report: FuzzReport, index: number): void {
  state.ahead.push(index);
  state.ahead.sort((a, b) => a - b);
  while (state.ahead[0] === state.next) {
    state.ahead.shift();
    state.next++;
  }
  if (report.found !== undefined) state.violations.push(report.found);
  add(state.seconds, Math.floor(report.livedUs / 1e6));
  add(state.faults, report.faults);
  add(state.memberships, report.memberships);
}

function add(list: Record<string, number>, value: number): void {
  list[value] = (list[value] ?? 0) + 1;
}

export function doneRuns(state: FuzzState): number {
  return state.next + state.ahead.length;
}

/** The value in the middle, the lower of two; 0 where there is none. */
export function median(list: Readonly<Record<string, number>>): number {
  const values = Object.entries(list)
    .map(([value, times]) => ({ value: Number(value), times }))
    .sort((a, b) => a.value - b.value);
  let left = values.reduce((sum, v) => sum + v.times, 0) / 2;
  for (const { value, times } of values) {
    left -= times;
    if (left <= 0) return value;
  }
  return 0;
}

/** The seed of run `index`: the first is the series' own, so that any of them can be run alone. */
export function seedOf(series: Series, index: number): string {
  return index === 0 ? series.seed : `${series.seed}.${index}`;
}
