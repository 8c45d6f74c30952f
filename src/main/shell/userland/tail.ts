/** tail: the last lines of a file, and with -f what is added to it, looked at once a virtual second. */
import { FileError, PIECE_BYTES } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import type { OpenFile } from "../streams.ts";

const SECOND = 1_000_000;

/** The last `count` lines, or all from line `from` on. */
async function lastLines(run: Run, file: OpenFile, count: number, from: number | undefined): Promise<void> {
  const kept: Uint8Array[] = [];
  let number = 0;
  for (let line = await file.readLine(run.interrupt); line !== null; line = await file.readLine(run.interrupt)) {
    await run.system.step(run.interrupt);
    number++;
    if (from !== undefined) {
      if (number >= from) await run.out(line);
      continue;
    }
    kept.push(line);
    if (kept.length > count) kept.shift();
  }
  for (const line of kept) await run.out(line);
}

async function lastBytes(run: Run, file: OpenFile, count: number, from: number | undefined): Promise<void> {
  const all = await file.readAll(run.interrupt, 1 << 26);
  await run.out(from === undefined ? all.subarray(Math.max(0, all.length - count)) : all.subarray(Math.max(0, from - 1)));
}

/** Waits for growth for ever; ends by a signal. */
async function follow(run: Run, paths: readonly string[], headers: boolean, interval: number): Promise<number> {
  const sizes = new Map<string, number>();
  for (const path of paths) sizes.set(path, (await run.files.maybeStat(run.path(path)))?.size ?? 0);
  let shown = paths.at(-1);
  for (;;) {
    await run.system.sleep(interval, run.interrupt);
    for (const path of paths) {
      const stat = await run.files.maybeStat(run.path(path));
      const old = sizes.get(path) ?? 0;
      if (!stat || stat.size === old) continue;
      if (stat.size < old) await run.err(`tail: ${path}: file truncated\n`);
      sizes.set(path, stat.size);
      if (headers && shown !== path) await run.out(`\n==> ${path} <==\n`);
      shown = path;
      for (let at = stat.size < old ? 0 : old; at < stat.size;) {
        const data = await run.files.piece(run.path(path), at, Math.min(PIECE_BYTES, stat.size - at));
        if (!data || data.length === 0) break;
        await run.out(data);
        at += data.length;
      }
    }
  }
}

export const tail: Program = async (run) => {
  const options = parseOptions(
    run.args.map((arg, index) => (/^-[ncs]$/.test(run.args[index - 1] ?? "") ? arg : arg.replace(/^([-+])(\d+)$/, "-n$1$2"))),
    {
      flags: "fFqvz",
      values: "ncs",
      long: { follow: "f", lines: "n", bytes: "c", quiet: "q", verbose: "v", "sleep-interval": "s", retry: "z" },
    },
  );
  const bytes = options.value("c");
  const amount = bytes ?? options.value("n") ?? "10";
  if (!/^[-+]?\d+$/.test(amount)) throw new UsageError(`invalid number of ${bytes === undefined ? "lines" : "bytes"}: '${amount}'`);
  const from = amount.startsWith("+") ? Number(amount) : undefined;
  const paths = options.operands.length > 0 ? options.operands : ["-"];
  const headers = (paths.length > 1 && !options.has("q")) || options.has("v");
  const present: string[] = [];
  let status = 0;
  for (const [index, path] of paths.entries()) {
    try {
      const file = await run.open(path);
      try {
        if (headers) await run.out(`${index > 0 ? "\n" : ""}==> ${path === "-" ? "standard input" : path} <==\n`);
        const work = bytes === undefined ? lastLines : lastBytes;
        await work(run, file, Math.abs(Number(amount)), from);
        if (path !== "-") present.push(path);
      } finally {
        await file.release();
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = await run.fail(`cannot open '${path}' for reading: ${error.message}`);
    }
  }
  if (!options.has("f") && !options.has("F")) return status;
  if (present.length === 0) return status === 0 ? 0 : run.fail("no files remaining");
  const interval = options.value("s") ?? "1";
  if (!/^\d+(?:\.\d+)?$/.test(interval)) throw new UsageError(`invalid number of seconds: '${interval}'`);
  return follow(run, present, headers, Math.max(1000, Math.round(Number(interval) * SECOND)));
};
