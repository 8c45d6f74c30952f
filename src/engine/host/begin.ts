/** A worker that begins as a machine: a free one of the pool, or a new one where that one has died or fallen silent meanwhile, with nobody to notice. */
import type { Instant } from "../kernel/index.ts";
import type { WorkerPool } from "./worker-pool.ts";
import type { Question, WorkerProcess } from "./worker-process.ts";

/** Processes that are tried for a machine. */
const TRIES = 2;

/** Throws where none comes up. */
export async function beginWorker(
  pool: WorkerPool,
  machine: string,
  beginning: Extract<Question, { ask: "begin" }>,
): Promise<{ readonly worker: WorkerProcess; readonly next: Instant }> {
  for (let tried = 1; ; tried++) {
    const worker = await pool.hire();
    const answer = await worker.ask(beginning);
    if (answer?.say === "begun") return { worker, next: answer.next };
    worker.kill("answered something else");
    if (tried >= TRIES) throw new Error(`the process of ${machine} did not begin: it ${worker.gone ?? "is gone"}`);
  }
}
