/** Fuzz runs on worker threads, each given the next seed when it has reported the last. */
import type { Worker } from "node:worker_threads";
import type { FuzzReport, FuzzTask } from "./fuzz.ts";
import { openThread } from "../process/thread.ts";

/** A run makes much that does not last; with room for it less of it is looked through before it is over (measured: a twentieth less time). */
const YOUNG_MB = 64;

export interface PoolOptions {
  /** The threads' program: built, or in a checkout its source. */
  readonly file: string;
  readonly threads: number;
  /** Looks at each report as it comes, with the number of its task; true ends the runs early. */
  readonly enough?: (report: FuzzReport, index: number) => boolean;
}

/** Runs `count` tasks and returns when all, or enough, have been reported. Rejects where a thread dies. */
export async function runPool(task: (index: number) => FuzzTask, from: number, count: number, options: PoolOptions): Promise<void> {
  let next = from;
  let over = false;
  const thread = async (): Promise<void> => {
    const worker = openThread(options.file, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    try {
      while (next < count && !over) {
        const index = next++;
        const report = await ask(worker, task(index));
        over ||= options.enough?.(report, index) === true;
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.threads, Math.max(1, count - from)) }, thread));
}

function ask(worker: Worker, task: FuzzTask): Promise<FuzzReport> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      worker.off("message", good);
      worker.off("error", bad);
    };
    const good = (report: FuzzReport): void => {
      over();
      resolve(report);
    };
    const bad = (error: unknown): void => {
      over();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    worker.on("message", good);
    worker.on("error", bad);
    worker.postMessage(task);
  });
}
