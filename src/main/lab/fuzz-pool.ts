/** Fuzz runs on worker threads, each given the next seed when it has reported the last. */
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { FuzzReport, FuzzTask } from "./fuzz.ts";

export interface PoolOptions {
  /** The threads' program: built, or in a checkout its source. */
  readonly file: string;
  readonly threads: number;
  /** Looks at each report as it comes, with the number of its task; true ends the runs early. */
  readonly enough?: (report: FuzzReport, index: number) => boolean;
}

/** A thread takes no loader of TypeScript on its command line: it is given one before it reads a source. */
function open(file: string): Worker {
  if (!file.endsWith(".ts")) return new Worker(file);
  const words = [import.meta.resolve("tsx/esm/api"), pathToFileURL(file).href].map((word) => JSON.stringify(word));
  return new Worker(`import(${words[0] ?? ""}).then((tsx) => { tsx.register(); return import(${words[1] ?? ""}); });`, { eval: true });
}

/** Runs `count` tasks and returns when all, or enough, have been reported. Rejects where a thread dies. */
export async function runPool(task: (index: number) => FuzzTask, from: number, count: number, options: PoolOptions): Promise<void> {
  let next = from;
  let over = false;
  const thread = async (): Promise<void> => {
    const worker = open(options.file);
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
