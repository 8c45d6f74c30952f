/** What the system tells of a process from outside, whether or not it answers. Linux alone has it in files; elsewhere nothing is known. */
import { readFileSync } from "node:fs";

export interface Usage {
  /** R where it computes, S where it waits. */
  readonly state: string;
  readonly processorMs: number;
  readonly residentBytes: number;
}

/** The kernel counts processor time for user space in hundredths of a second, whatever its own clock is. */
const tickMs = 10;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Gone, or no such file on this system.
    return undefined;
  }
}

/** Undefined where the process is gone or nothing is known. */
export function usageOf(pid: number): Usage | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  const status = stat === undefined ? undefined : readText(`/proc/${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  // The name of the program, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", ticks] = [fields[0], Number(fields[11]) + Number(fields[12])];
  const residentKib = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? "0");
  return { state, processorMs: ticks * tickMs, residentBytes: residentKib * 1024 };
}
