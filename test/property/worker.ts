/** A worker thread: lives one seed after the other and reports each. */
import { parentPort } from "node:worker_threads";
import { live } from "./life.ts";
import type { Bounds } from "./schedule.ts";

export interface Task {
  readonly seed: string;
  readonly bounds: Bounds;
}

export interface Report {
  readonly seed: string;
  readonly nodes: number;
  readonly links: number;
  readonly faults: number;
  /** "instant invariant: text", first ones first; an assertion of the engine counts as one. */
  readonly violations: readonly string[];
  readonly digest: string;
  readonly events: number;
  readonly livedUs: number;
  readonly mendedUs: number;
  readonly delivered: number;
}

function report(task: Task): Report {
  try {
    const life = live(task.seed, task.bounds);
    return {
      seed: task.seed,
      nodes: life.schedule.nodes,
      links: life.schedule.links,
      faults: life.schedule.faults,
      violations: life.violations.map((v) => `${(v.at / 1e6).toFixed(6)} ${v.invariant}: ${v.text}`),
      digest: life.digest,
      events: life.events,
      livedUs: life.lived,
      mendedUs: life.mended,
      delivered: life.tally.delivered,
    };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const none = { nodes: 0, links: 0, faults: 0, digest: "", events: 0, livedUs: 0, mendedUs: 0, delivered: 0 };
    return { seed: task.seed, ...none, violations: [`assertion: ${text}`] };
  }
}

parentPort?.on("message", (task: Task) => parentPort?.postMessage(report(task)));
