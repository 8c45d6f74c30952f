/** Built-ins about jobs and signals: jobs, wait, kill, fg, bg, disown, trap. */
import { SIGNALS } from "../interrupt.ts";
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
    else await run.out(jobLine(list, job));
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

async function foreground(run: Run): Promise<number> {
  const job = found(run, run.args[0] ?? "%+");
  await run.out(`${job.text}\n`);
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

function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  return SIGNALS[text.toUpperCase().replace(/^SIG/, "")];
}

async function kill(run: Run): Promise<number> {
  const args = [...run.args];
  if (args[0] === "-l") {
    await run.out(
      `${Object.entries(SIGNALS)
        .map(([name, number]) => `${number}) SIG${name}`)
        .join(" ")}\n`,
    );
    return 0;
  }
  let signal = 15;
  const first = args[0];
  if (first !== undefined && /^-./.test(first) && first !== "--") {
    args.shift();
    const name = first === "-s" || first === "-n" ? (args.shift() ?? "") : first.slice(1);
    const number = signalNumber(name);
    if (number === undefined) throw new ShellError(`kill: ${name}: invalid signal specification`);
    signal = number;
  }
  if (args.length === 0)
    throw new ShellError("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]", 2);
  let status = 0;
  for (const spec of args) {
    const job = run.shell.jobs.find(spec);
    if (job && job.status === undefined) {
      if (signal !== 0) job.interrupt.fire(signal);
      continue;
    }
    status = Math.max(status, await killProcess(run, signal, spec));
  }
  return status;
}

/** A process that is none of this shell's: one of the machine's, if it has it. */
async function killProcess(run: Run, signal: number, spec: string): Promise<number> {
  if (spec.startsWith("%")) throw new ShellError(`kill: ${spec}: no such job`);
  if (!/^-?\d+$/.test(spec)) throw new ShellError(`kill: ${spec}: arguments must be process or job IDs`);
  const modelled = await runModelled(run.ctx, ["kill", `-${signal}`, spec]);
  if (modelled !== undefined) return modelled;
  throw new ShellError(`kill: (${spec}) - No such process`);
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
    if (name !== "EXIT" && SIGNALS[name] === undefined) throw new ShellError(`trap: ${spec}: invalid signal specification`);
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
  ["bg", (run) => Promise.resolve(found(run, run.args[0] ?? "%+").status === undefined ? 0 : 1)],
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
