/** What programs that take paths have in common. */
import { FileError } from "../files.ts";
import type { Run } from "../interpreter/program.ts";
import { UsageError } from "../interpreter/program.ts";

export const missing = (run: Run, what = "operand"): UsageError =>
  new UsageError(`missing ${what}\nTry '${run.name} --help' for more information.`);

/** Does `work` for each path; a file error is told with `say` and gives status 1. */
export async function eachPath(
  run: Run,
  paths: readonly string[],
  say: (path: string) => string,
  work: (path: string) => Promise<void>,
): Promise<number> {
  let status = 0;
  for (const path of paths) {
    await run.system.step(run.interrupt);
    try {
      await work(path);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = await run.fail(`${say(path)}: ${error.message}`);
    }
  }
  return status;
}
