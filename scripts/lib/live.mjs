// Live labs as the benchmarks see them: processes of their own, asked through the command line and through /proc.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as wallMs } from "node:timers/promises";

const text = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has ended since it was listed, or the system has no /proc.
    return "";
  }
};

/** A process and all that it started. */
function tree(pid) {
  const children = existsSync(`/proc/${pid}/task`)
    ? readdirSync(`/proc/${pid}/task`).flatMap((task) => text(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number))
    : [];
  return [pid, ...children.flatMap(tree)];
}

/** Processor time so far of all of them together, ms. */
function processorMs(pids) {
  return pids.reduce((sum, pid) => {
    const fields = (text(`/proc/${pid}/stat`).split(") ")[1] ?? "").split(" ");
    return fields.length > 12 ? sum + (Number(fields[11]) + Number(fields[12])) * 10 : sum;
  }, 0);
}

/** Processor use of a lab's processes over `seconds`, in percent of one core; undefined where the system does not tell. */
export async function processorPercent(pid, seconds) {
  if (text(`/proc/${pid}/stat`) === "") return undefined;
  const [before, began] = [processorMs(tree(pid)), performance.now()];
  await wallMs(seconds * 1000);
  return ((processorMs(tree(pid)) - before) / (performance.now() - began)) * 100;
}

/** MiB of the processes that run nodes below `pid`: what is theirs alone, and what is resident; the largest of each. Undefined without /proc. */
export function workerMemory(pid) {
  const rollups = tree(pid)
    .filter((one) => text(`/proc/${one}/cmdline`).startsWith("quorate node "))
    .map((one) => text(`/proc/${one}/smaps_rollup`))
    .filter((rollup) => rollup !== "");
  if (rollups.length === 0) return undefined;
  const kib = (rollup, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? NaN);
  const most = (of) => Math.max(...rollups.map(of)) / 1024;
  return {
    workers: rollups.length,
    privateMiB: most((r) => kib(r, "Private_Clean") + kib(r, "Private_Dirty")),
    residentMiB: most((r) => kib(r, "Rss")),
  };
}
