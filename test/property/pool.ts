/** Runs seeds in worker threads, each the bundled program, and collects their reports in the order of the seeds. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Report, Task } from "./worker.ts";

/**
 * @param program what bundleWorker made; removed at the end
 * @param enough looks at each report as it comes; true ends the run early
 */
export async function runSeeds(
  program: string,
  tasks: readonly Task[],
  threads: number,
  enough: (r: Report) => boolean = () => false,
): Promise<Report[]> {
  const reports: (Report | undefined)[] = [];
  let next = 0;
  let over = false;
  const thread = async (): Promise<void> => {
    const worker = new Worker(program);
    try {
      while (next < tasks.length && !over) {
        const index = next++;
        const report = await ask(worker, tasks[index]);
        reports[index] = report;
        over ||= enough(report);
      }
    } finally {
      await worker.terminate();
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, thread));
  } finally {
    rmSync(dirname(program), { recursive: true });
  }
  return reports.filter((r) => r !== undefined);
}

function ask(worker: Worker, task: Task | undefined): Promise<Report> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      worker.off("message", good);
      worker.off("error", bad);
    };
    const good = (report: Report): void => {
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
