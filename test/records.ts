/** Records that somebody changed on purpose: what stands in them, with sums that fit. */
import { NO_SUM, summed } from "../src/engine/world/record/line-sum.ts";

const TAIL = /,"sum":"[0-9a-f]{16}"\}$/;

/** The lines of a record as they were written, each with the sum that belongs to it there; a line without a sum gets one. */
export function resummed(text: string): string {
  let last = NO_SUM;
  return text
    .split("\n")
    .map((written) => {
      if (written === "") return "";
      const { line, sum } = summed(written.replace(TAIL, "}"), last);
      last = sum;
      return line;
    })
    .join("\n");
}

/** The sum of a record's last line. */
export function lastSum(text: string): string {
  return [...text.matchAll(/,"sum":"([0-9a-f]{16})"\}$/gm)].at(-1)?.[1] ?? NO_SUM;
}
