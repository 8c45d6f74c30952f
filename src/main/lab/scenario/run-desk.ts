/** Runs beside a lab: one at a time in a thread of its own, ended with the lab or when it takes too long. */
import { entry } from "../process/entries.ts";
import { openThread } from "../process/thread.ts";
import { Trouble } from "../trouble.ts";
import type { RunOutcome, RunTask } from "./run-task.ts";

/** Wall time of one run. A longer one is the command line's. */
const RUN_MINUTES_MAX = 10;
/** Memory of one run: it must not take the lab along. */
const MEMORY_MEGABYTES_MAX = 1_024;

export class RunDesk {
  private end: ((why: Trouble) => void) | undefined;

  /** @param program of the thread */
  constructor(private readonly program = (): string => entry("run-worker").file) {}

  /** Throws Trouble where the file is none, or the run does not come to an end. */
  async run(task: RunTask): Promise<Extract<RunOutcome, { ok: true }>["reply"]> {
    if (this.end !== undefined) throw new Trouble("failed", "another run is under way; wait until it has ended");
    const outcome = await this.inThread(task);
    if (outcome.ok) return outcome.reply;
    throw new Trouble(outcome.usage ? "usage" : "failed", outcome.why);
  }

  private inThread(task: RunTask): Promise<RunOutcome> {
    const worker = openThread(this.program(), { resourceLimits: { maxOldGenerationSizeMb: MEMORY_MEGABYTES_MAX } });
    return new Promise<RunOutcome>((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        this.end = undefined;
        void worker.terminate();
      };
      const end = (why: Trouble): void => {
        over();
        reject(why);
      };
      this.end = end;
      const timer = setTimeout(
        () =>
          end(new Trouble("failed", `${task.name}: it did not end within ${RUN_MINUTES_MAX} minutes; the command line has no such limit`)),
        RUN_MINUTES_MAX * 60_000,
      );
      worker.once("message", (outcome: RunOutcome) => {
        over();
        resolve(outcome);
      });
      worker.once("error", (error) =>
        end(new Trouble("failed", `${task.name}: ${error instanceof Error ? error.message : String(error)}`)),
      );
      worker.postMessage(task);
    });
  }

  close(): void {
    this.end?.(new Trouble("lab", "the lab is closing"));
  }
}
