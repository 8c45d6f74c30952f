/** Each kind of file of a lab's directory with a few bits changed, and cut short: a clear line and the best state that is left, or as before. The long form: npm run nightly -- --tamper N. */
import { afterAll, describe, expect, it } from "vitest";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { TamperedLab, type Ending } from "./tamper.ts";

/** The first try of each kind, and how many: two thirds of them change bits. */
const asked = process.env["QUORATE_TAMPER"];
const [first = 0, count = 0] = (asked ?? "0,10").split(",").map(Number);

async function collected(): Promise<void> {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  await setImmediate();
}

describe.each<Ending>(["frozen", "killed"])("a lab that was %s", (ending) => {
  const lab = new TamperedLab(ending);
  afterAll(() => lab.remove());

  it.each(lab.files(asked !== undefined))(
    "comes up with %s tampered with",
    async (file) => {
      const failed: string[] = [];
      for (let number = first; number < first + count; number++) {
        const why = lab.attempt(file, number % 3 === 2 ? "cut" : "flip", number);
        if (why !== undefined) failed.push(why);
        // SQLite's files are closed when their statements are collected, which takes a turn of the event loop.
        if (number % 20 === 19) await collected();
      }
      expect(failed).toEqual([]);
    },
    120_000 + 10_000 * count,
  );
});
