/** Built-ins about jobs and signals: jobs, wait, kill, fg, bg, disown, trap. */
import type { Signal } from "../../../engine/kernel/signals.ts";
import { SIGNALS, signalNamed } from "../../../engine/kernel/signals.ts";
import type { Job } from "../interpreter/jobs.ts";
import { jobLine } from "../interpreter/jobs.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { ShellError } from "../interpreter/shell.ts";
import { quote } from "../interpreter/variables.ts";
import { runModelled } from "../userland/modelled.ts";

async function jobs(run: Run): Promise<number> {
  const list = run.shell.jobs;
  for (const job of [...list.all()]) {
    if (run.args.includes("-p")) await run.out(`${job.pid}\n`);
    else await run.out(run.args.includes("-l") ? jobLine(list, job).replace("  ", ` ${job.pid} `) : jobLine(list, job));
    if (job.status !== undefined) list.remove(job);
  }
  return 0;
}

function found(run: Run, spec: string): Job {
  const job = run.shell.jobs.find(spec);
  if (!job) throw new ShellError(`${run.name}: ${spec}: no such job`);
  return job;
}

async function wait(run: Run): Promise<number> {
  const list = run.shell.jobs;
  const specs = run.args.filter((arg) => !arg.startsWith("-"));
  if (specs.length === 0) {
    for (const job of list.own()) {
      await run.interrupt.race(job.done);
      list.remove(job);
    }
    return 0;
  }
  let status = 0;
  for (const spec of specs) {
    const job = list.find(spec);
    if (!job) {
      if (spec.startsWith("%")) throw new ShellError(`wait: ${spec}: no such job`, 127);
      throw new ShellError(`wait: pid ${spec} is not a child of this shell`, 127);
    }
    status = await run.interrupt.race(job.done);
    list.remove(job);
  }
  return status;
}

/** A stopped job goes on. */
async function goOn(run: Run, job: Job): Promise<void> {
  if (job.stopped) await run.system.kill(job.group ? -job.pid : job.pid, "SIGCONT");
}

async function foreground(run: Run): Promise<number> {
  const job = found(run, run.args[0] ?? "%+");
  await run.out(`${job.text}\n`);
  await goOn(run, job);
  const off = run.interrupt.onFire((signal) => job.interrupt.fire(signal));
  try {
    const status = await job.done;
    run.interrupt.check();
    return status;
  } finally {
    off();
    run.shell.jobs.remove(job);
  }
}

async function background(run: Run): Promise<number> {
  const job = found(run, run.args[0] ?? "%+");
  if (job.status !== undefined) return 1;
  if (!job.stopped) {
    await run.err(`bash: bg: job ${job.id} already in background\n`);
    return 0;
  }
  await run.out(`[${job.id}]${run.shell.jobs.mark(job)} ${job.text} &\n`);
  await goOn(run, job);
  return 0;
}

const USAGE = "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]";

/** Signals to jobs, processes and process groups. Its messages of a signal or a process that is none, and its lists, are the machine's tool's. */
async function kill(run: Run): Promise<number> {
  const args = [...run.args];
  const first = args[0];
  if (first === "-l" || first === "-L") return asTool(run, args);
  let signal: Signal | "0" = "SIGTERM";
  if (first !== undefined && /^-./.test(first)) {
    args.shift();
    const name = first === "-s" || first === "-n" ? (args.shift() ?? "") : first.slice(1);
    const named = first === "--" ? "SIGTERM" : name === "0" ? "0" : signalNamed(name);
    if (named === undefined) throw new ShellError(`kill: ${name}: invalid signal specification`);
    signal = named;
    if (first !== "--" && args[0] === "--") args.shift();
  }
  if (args.length === 0) throw new ShellError(USAGE, 2);
  let status = 0;
  for (const spec of args) status = Math.max(status, await killOne(run, signal, spec));
  return status;
}

async function killOne(run: Run, signal: Signal | "0", spec: string): Promise<number> {
  const job = run.shell.jobs.find(spec);
  if (spec.startsWith("%") && !job) throw new ShellError(`kill: ${spec}: no such job`);
  if (!spec.startsWith("%") && !/^-?\d{1,10}$/.test(spec)) throw new ShellError(`kill: ${spec}: arguments must be process or job IDs`);
  const pid = job && spec.startsWith("%") ? (job.group ? -job.pid : job.pid) : Number(spec);
  if (signal === "0") return asTool(run, ["-0", String(pid)]);
  // A job whose process has not heard of its end yet is there no more.
  const errno = await run.system.kill(pid, signal);
  if (errno === undefined) {
    // It may have been for this very process, which hears of it by now.
    await run.system.now();
    await run.system.busy(new Promise<void>((resolve) => setImmediate(resolve)));
    run.interrupt.check();
    return 0;
  }
  await run.err(`bash: kill: (${pid}) - ${errno === "ESRCH" ? "No such process" : "Operation not permitted"}\n`);
  return 1;
}

async function asTool(run: Run, args: readonly string[]): Promise<number> {
  const status = await runModelled(run.ctx, ["kill", ...args]);
  if (status === undefined) throw new ShellError("kill: not modelled on this machine");
  return status;
}

async function trap(run: Run): Promise<number> {
  const { traps } = run.shell;
  const args = run.args[0] === "--" ? run.args.slice(1) : [...run.args];
  if (args.length === 0 || args[0] === "-p") {
    for (const [name, action] of traps) await run.out(`trap -- ${quote(action)} ${name === "EXIT" ? name : `SIG${name}`}\n`);
    return 0;
  }
  const [action, ...names] = args.length === 1 ? ["-", ...args] : args;
  for (const spec of names) {
    const name = spec.toUpperCase().replace(/^SIG/, "").replace(/^0$/, "EXIT").replace(/^2$/, "INT").replace(/^15$/, "TERM");
    if (name !== "EXIT" && !Object.hasOwn(SIGNALS, `SIG${name}`)) throw new ShellError(`trap: ${spec}: invalid signal specification`);
    if (name !== "EXIT" && name !== "INT") throw new ShellError(`trap: ${spec}: only EXIT and INT are modelled in this shell`);
    if (action === "-" || action === undefined) traps.delete(name);
    else traps.set(name, action);
  }
  return 0;
}

export const jobControl: [string, Program][] = [
  ["jobs", jobs],
  ["wait", wait],
  ["fg", foreground],
  ["bg", background],
  [
    "disown",
    (run) => {
      run.shell.jobs.remove(found(run, run.args[0] ?? "%+"));
      return Promise.resolve(0);
    },
  ],
  ["kill", kill],
  ["trap", trap],
];
