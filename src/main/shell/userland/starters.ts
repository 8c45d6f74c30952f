/** Programs that start others: env, xargs, watch, timeout, time, nohup, nice. */
import { SIGNALS, signalNamed } from "../../../engine/kernel/signals.ts";
import { Interrupted } from "../interrupt.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { decode } from "../bytes.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { makePipe } from "../streams.ts";
import { strftime } from "./clock.ts";

async function env(run: Run): Promise<number> {
  const args = [...run.args];
  const clear = args[0] === "-i" || args[0] === "-";
  if (clear) args.shift();
  const unset: string[] = [];
  while (args[0] === "-u") {
    args.shift();
    unset.push(args.shift() ?? "");
  }
  if (args[0]?.startsWith("-") && args[0] !== "--")
    throw new UsageError(`invalid option -- '${args[0].slice(1, 2)}'\nTry 'env --help' for more information.`, 125);
  return run.executor.spawn(run.ctx, async (inner) => {
    if (clear) for (const variable of inner.shell.vars.values()) variable.exported = false;
    for (const name of unset) inner.shell.vars.delete(name);
    let word = args.shift();
    for (let m = /^([A-Za-z_]\w*)=([^]*)$/.exec(word ?? ""); m; m = /^([A-Za-z_]\w*)=([^]*)$/.exec(word ?? "")) {
      inner.shell.set(m[1] ?? "", m[2] ?? "");
      inner.shell.declare(m[1] ?? "").exported = true;
      word = args.shift();
    }
    if (word !== undefined) return run.executor.runArgv(inner, [word, ...args]);
    for (const [name, value] of Object.entries(inner.shell.environment())) await run.out(`${name}=${value}\n`);
    return 0;
  });
}

async function printenv(run: Run): Promise<number> {
  const values = run.shell.environment();
  const names = run.args.length > 0 ? run.args : Object.keys(values);
  let status = 0;
  for (const name of names) {
    const value = values[name];
    if (value === undefined) status = 1;
    else await run.out(run.args.length > 0 ? `${value}\n` : `${name}=${value}\n`);
  }
  return status;
}

/** Arguments in xargs' input, with its quotes. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const pattern = /(?:"([^"\n]*)"|'([^'\n]*)'|\\([^])|([^\s"'\\]))|(\s+)/g;
  let current: string | undefined;
  for (const m of text.matchAll(pattern)) {
    if (m[5] !== undefined) {
      if (current !== undefined) tokens.push(current);
      current = undefined;
    } else current = (current ?? "") + (m[1] ?? m[2] ?? m[3] ?? m[4] ?? "");
  }
  if (current !== undefined) tokens.push(current);
  return tokens;
}

async function xargs(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "0rtpx",
    values: "nILPdsE",
    long: { null: "0", "no-run-if-empty": "r", "max-args": "n", delimiter: "d", "max-procs": "P", verbose: "t" },
    strict: true,
    status: 1,
  });
  const command = options.operands.length > 0 ? options.operands : ["echo"];
  const text = decode(await run.stdin.readAll(run.interrupt, 1 << 24));
  const replace = options.value("I");
  const delimiter = options.has("0") ? "\u0000" : options.value("d");
  const cut = (separator: string): string[] => {
    const parts = text.split(separator === "\\n" ? "\n" : separator);
    if (parts.at(-1) === "") parts.pop();
    return parts;
  };
  const items =
    delimiter !== undefined
      ? cut(delimiter)
      : replace !== undefined || options.value("L") !== undefined
        ? cut("\n").filter((line) => line.trim() !== "")
        : tokensOf(text);
  const size = replace !== undefined ? 1 : Number(options.value("n") ?? options.value("L") ?? "5000");
  if (!Number.isInteger(size) || size < 1) throw new UsageError(`value ${options.value("n") ?? ""} for -n option should be >= 1`);
  if (items.length === 0 && (options.has("r") || replace !== undefined)) return 0;
  let status = 0;
  for (let at = 0; at === 0 || at < items.length; at += size) {
    const batch = items.slice(at, at + size);
    const argv =
      replace === undefined
        ? [...command, ...(options.value("L") === undefined ? batch : batch.flatMap(tokensOf))]
        : command.map((word) => word.replaceAll(replace, (batch[0] ?? "").trim()));
    if (options.has("t")) await run.err(`${argv.join(" ")}\n`);
    const result = await run.executor.spawn(run.ctx, (inner) => run.executor.runArgv(inner, argv));
    if (result === 255) return run.fail(`${argv[0]}: exited with status 255; aborting`, 124);
    if (result === 126 || result === 127) return result;
    if (result !== 0) status = 123;
  }
  return status;
}

const DURATION: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };

function duration(text: string): number {
  const m = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  if (!m) throw new UsageError(`invalid time interval '${text}'\nTry 'timeout --help' for more information.`, 125);
  return Math.round(Number(m[1]) * (DURATION[m[2] ?? ""] ?? 1) * 1_000_000);
}

async function timeout(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "v",
    values: "sk",
    long: { signal: "s", "kill-after": "k", foreground: "v", "preserve-status": "v" },
    strict: true,
    status: 125,
  });
  const [limit, ...command] = options.operands;
  if (limit === undefined || command.length === 0) throw new UsageError("missing operand\nTry 'timeout --help' for more information.", 125);
  const wanted = options.value("s") ?? "TERM";
  const signal = signalNamed(wanted);
  if (signal === undefined) throw new UsageError(`${wanted}: invalid signal\nTry 'timeout --help' for more information.`, 125);
  const { interrupt, done } = run.interrupt.child();
  const timer = run.system.port.sleep(duration(limit));
  let over = false;
  const watch = run.system.wait(timer.done).then(() => {
    over = true;
    interrupt.fire(SIGNALS[signal]);
  });
  watch.catch(() => undefined);
  try {
    const status = await run.executor.spawn(run.ctx, (inner) => run.executor.runArgv(inner, command), interrupt);
    // It may have taken the signal as an order to end well.
    return over ? 124 : status;
  } catch (error) {
    if (over && error instanceof Interrupted && !run.interrupt.fired) return 124;
    throw error;
  } finally {
    timer.cancel();
    done();
  }
}

/** The output of a shell line, for watch. */
async function capture(run: Run, line: string): Promise<string> {
  const pipe = makePipe();
  const fds = new Map(run.ctx.fds);
  fds.set(1, pipe.writer).set(2, pipe.writer);
  const work = run.executor.runScript({ ...run.ctx, fds }, line, "sh", []).finally(() => pipe.writer.release());
  const [output] = await Promise.all([pipe.reader.readAll(run.interrupt, 1 << 22), work]);
  return decode(output);
}

async function watch(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "tdbegcxp",
    values: "n",
    long: { interval: "n", "no-title": "t", differences: "d", exec: "x", color: "c" },
    strict: true,
  });
  const interval = options.value("n") ?? "2";
  if (!/^\d+(?:\.\d+)?$/.test(interval)) throw new UsageError(`failed to parse argument: '${interval}'`);
  if (options.operands.length === 0) throw new UsageError("usage: watch [options] command");
  const seconds = Math.max(0.1, Number(interval));
  const line = options.operands.join(" ");
  let before: string | undefined;
  for (;;) {
    const output = await capture(run, line);
    const now = await run.system.now();
    const { cols, rows } = run.stdout?.device.size?.() ?? { cols: 80, rows: 24 };
    const left = `Every ${seconds.toFixed(1)}s: ${line}`;
    const right = `${run.system.port.node}: ${strftime("%a %b %e %H:%M:%S %Y", now.epoch + now.instant)}`;
    const title = options.has("t") ? "" : `${left}${right.padStart(Math.max(right.length + 1, cols - left.length))}\n\n`;
    const shown = (title + output)
      .split("\n")
      .slice(0, rows)
      .map((text) => text.slice(0, cols))
      .join("\n");
    await run.out(run.stdout?.tty ? `\u001b[H\u001b[2J${shown.replace(/\n$/, "")}` : `${title}${output}`);
    if (options.has("g") && before !== undefined && before !== output) return 0;
    before = output;
    await run.system.sleep(Math.round(seconds * 1_000_000), run.interrupt);
  }
}

/** Prefixes that change nothing here: priority, hang-ups, buffering. */
async function plain(run: Run): Promise<number> {
  const args = [...run.args];
  while (args[0]?.startsWith("-")) {
    const option = args.shift() ?? "";
    if (/^-[niocp]$/.test(option)) args.shift();
  }
  if (args.length === 0) return run.fail("missing operand", 125);
  return run.executor.runArgv(run.ctx, args);
}

export const starters: [string, Program][] = [
  ["env", env],
  ["printenv", printenv],
  ["xargs", xargs],
  ["timeout", timeout],
  ["watch", watch],
  ["nohup", plain],
  ["nice", plain],
  ["ionice", plain],
  ["stdbuf", plain],
];
