// A lab in which one node's lines flood, hang and multiply: what another node's exec takes meanwhile, what Ctrl-C takes, and what their processes take of the memory.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";

/** Lines of one node, all at once. */
const LINES = [
  "yes",
  "printf 'a%.0s' {1..60} > /tmp/b; echo b >> /tmp/b; while :; do grep -E '^(a+)+\\1$' /tmp/b 2> /dev/null; done",
  "for i in {1..400}; do while :; do :; done & done; wait",
];

/** MiB resident of all session processes together; undefined without /proc. */
function residentMib(lab) {
  try {
    const { processes } = JSON.parse(readFileSync(join(lab, "sessions.json"), "utf8"));
    return processes.reduce((sum, { pid }) => {
      try {
        return sum + Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
      } catch {
        // It has just ended.
        return sum;
      }
    }, 0);
  } catch {
    return undefined;
  }
}

/**
 * @param command what node needs to run the command line
 * @returns medians and the worst, ms, and MiB
 */
export async function busyNode(command, env, times = 9) {
  const exec = (node, line) => spawn(process.execPath, [...command, "exec", node, line], { env, stdio: "ignore" });
  const ended = (child) => new Promise((done) => child.on("exit", done));
  const running = LINES.map((line) => exec("pve1", line));
  const ends = running.map(ended);
  await wallMs(3000);
  const taken = [];
  let most = 0;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await ended(exec("pve2", "echo here"));
    taken.push(performance.now() - began);
    most = Math.max(most, residentMib(env.QUORATE_LAB) ?? Number.NaN);
    await wallMs(200);
  }
  const interrupts = await Promise.all(
    running.map(async (child, i) => {
      const began = performance.now();
      child.kill("SIGINT");
      await ends[i];
      return performance.now() - began;
    }),
  );
  taken.sort((a, b) => a - b);
  return {
    otherExecMs: taken[Math.floor(taken.length / 2)],
    otherExecMostMs: taken.at(-1),
    interruptMostMs: Math.max(...interrupts),
    residentMib: most,
  };
}
