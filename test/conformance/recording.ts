/** The recorded scenarios: what was done to real daemons at which second, what they logged and what the tools printed. */
import type { Release } from "../../src/engine/config/index.ts";
import { reference } from "../shared.ts";

export interface RecordedOutput {
  rc: number | null;
  out: string;
  err: string;
}

export interface RecordedCommand extends RecordedOutput {
  t: number;
  node: number;
  cmd: string;
}

export interface RecordedStep {
  step: number;
  title: string;
  t_start: number;
  t_snapshot: number;
  /** How long the recorder waited for one ring before it let a second or more go by and asked; absent where it waited for none. */
  waited_s?: number | null;
  commands: RecordedCommand[];
  /** By node name, then command line. */
  outputs: Record<string, Record<string, RecordedOutput>>;
  /** By node name: [seconds, line]. */
  log: Record<string, [number, string][]>;
}

export interface Recording {
  scenario: string;
  config: Record<string, string> | string;
  steps: RecordedStep[];
  /** What was recorded. */
  release: Release;
}

/** The folder of the recordings of a release, below the reference. */
const FOLDERS: Readonly<Record<Release, string>> = { "3.1.7": "corosync", "9.1": "corosync-3.1.9", "9.2": "corosync-3.1.10" };

export const folderOf = (release: Release): string => `${FOLDERS[release]}/transcripts`;

export function loadRecording(name: string, release: Release = "3.1.7"): Recording {
  return { ...(JSON.parse(reference(`${folderOf(release)}/${name}.json`)) as Omit<Recording, "release">), release };
}

export interface LogLine {
  level: string;
  subsystem: string;
  text: string;
}

/** `Nov 20 10:00:00.000 [123] node1 corosync notice  [TOTEM ] text`; undefined for a line that is not whole. */
export function parseLog(line: string): LogLine | undefined {
  const m = /^[A-Z][a-z]{2} \d\d [\d:.]+ \[\d+\] \S+ corosync ([a-z]+) +\[([A-Z]+) *\] ?(.*)$/s.exec(line);
  return m === null ? undefined : { level: m[1] ?? "", subsystem: m[2] ?? "", text: m[3] ?? "" };
}
