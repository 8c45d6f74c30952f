/** Fuzz runs of a built program, and the end of its folder. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { FuzzReport, FuzzTask } from "../../src/main/lab/fuzz/fuzz.ts";
import { runPool } from "../../src/main/lab/fuzz/fuzz-pool.ts";
import { bundleWorker, type Patch } from "./bundle.ts";

/** Plays the tasks on two threads, or one, until `enough`; their reports in the order of the tasks. */
export async function runTasks(
  tasks: readonly FuzzTask[],
  patch?: Patch,
  enough: (report: FuzzReport) => boolean = () => false,
  threads = 2,
): Promise<FuzzReport[]> {
  const file = await bundleWorker(patch);
  const reports = new Map<number, FuzzReport>();
  const task = (index: number): FuzzTask => {
    const found = tasks[index];
    if (found === undefined) throw new Error(`there is no task ${index}`);
    return found;
  };
  try {
    await runPool(task, 0, tasks.length, {
      file,
      threads,
      enough: (report, index) => {
        reports.set(index, report);
        return enough(report);
      },
    });
  } finally {
    rmSync(dirname(file), { recursive: true });
  }
  return [...reports].sort((a, b) => a[0] - b[0]).map(([, report]) => report);
}
