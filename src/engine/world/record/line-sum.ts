/**
 * The sum that every line of a record carries: of the line, and of the sum before it. A bit that changed, a line that is missing, came twice or stands elsewhere is found at its
 * line, and what stands before it is still what was written. It finds accidents, not enemies. In the real stack nothing stands here.
 */
import { Hasher } from "../../kernel/index.ts";

/** What the first line follows. */
export const NO_SUM = "";

const TAIL = /,"sum":"([0-9a-f]{16})"\}$/;

function sumOf(body: string, before: string): string {
  return new Hasher().text(before).text(body).hex();
}

/**
 * A line as it is written.
 * @param text one JSON object, without an end of line
 * @param before sum of the line before it, NO_SUM where there is none
 */
export function summed(text: string, before: string): { readonly line: string; readonly sum: string } {
  const body = text.slice(0, -1);
  const sum = sumOf(body, before);
  return { line: `${body},"sum":"${sum}"}`, sum };
}

/**
 * The sum of a line where it is the one that belongs there; undefined where it is not.
 * @param before as for `summed`
 */
export function sumOfLine(line: string, before: string): string | undefined {
  const sum = TAIL.exec(line.slice(-32))?.[1];
  return sum !== undefined && sumOf(line.slice(0, -',"sum":"0123456789abcdef"}'.length), before) === sum ? sum : undefined;
}
