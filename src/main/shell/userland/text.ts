/** Text programs that stream: cat, head, tail, wc, tee, od, xxd, seq, yes, cmp. */
import { FileError } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { decode, encode } from "../bytes.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { openOutput } from "../interpreter/redirect.ts";
import type { OpenFile } from "../streams.ts";
import { BrokenPipe, concat } from "../streams.ts";
import { dumps } from "./dump.ts";
import { tail } from "./tail.ts";

/** Runs `work` on each named input (standard input when none is named); complains of those that cannot be read. @returns 1 if one could not */
export async function eachInput(
  run: Run,
  paths: readonly string[],
  work: (file: OpenFile, path: string) => Promise<void>,
  complaint = "",
): Promise<number> {
  let status = 0;
  for (const path of paths.length > 0 ? paths : ["-"]) {
    try {
      const file = await run.open(path);
      try {
        await work(file, path);
      } finally {
        await file.release();
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.err(
        `${run.name}: ${complaint === "" ? path : `${complaint} '${path}'${complaint.startsWith("error") ? "" : " for reading"}`}: ${error.message}\n`,
      );
      status = 1;
    }
  }
  return status;
}

async function copy(run: Run, file: OpenFile): Promise<void> {
  for (let chunk = await file.read(run.interrupt); chunk !== null; chunk = await file.read(run.interrupt)) {
    await run.system.step(run.interrupt);
    await run.out(chunk);
  }
}

/** A byte as `cat -v` shows it; tab and newline stay. */
function visibleByte(byte: number): string {
  if (byte === 9 || byte === 10) return String.fromCharCode(byte);
  const low = byte & 127;
  const shown = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? "^?" : String.fromCharCode(low);
  return byte < 128 ? shown : `M-${shown}`;
}

async function cat(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "nbsAvETetu",
    long: { number: "n", "show-all": "A", "squeeze-blank": "s", "show-ends": "E", "show-tabs": "T" },
  });
  const plain = !"nbsAvETet".split("").some((letter) => options.has(letter));
  let number = 0;
  let blank = false;
  const visible = (line: string): string => {
    let out = line;
    if (options.has("A") || options.has("T") || options.has("t")) out = out.replaceAll("\t", "^I");
    if (options.has("A") || options.has("v") || options.has("e") || options.has("t")) out = [...encode(out)].map(visibleByte).join("");
    return options.has("A") || options.has("E") || options.has("e") ? `${out}$` : out;
  };
  return eachInput(run, options.operands, async (file) => {
    if (plain) return copy(run, file);
    for await (const line of run.lines(file)) {
      if (options.has("s") && blank && line === "") continue;
      blank = line === "";
      const numbered = (options.has("n") && !options.has("b")) || (options.has("b") && line !== "");
      await run.out(`${numbered ? `${String(++number).padStart(6)}\t` : ""}${visible(line)}\n`);
    }
  });
}

async function head(run: Run): Promise<number> {
  const options = parseOptions(
    run.args.map((arg, index) => (/^-[nc]$/.test(run.args[index - 1] ?? "") ? arg : arg.replace(/^-(\d+)$/, "-n$1"))),
    { flags: "qvz", values: "nc", long: { lines: "n", bytes: "c", quiet: "q", silent: "q", verbose: "v" } },
  );
  const text = options.value("c") ?? options.value("n") ?? "10";
  if (!/^-?\d+$/.test(text)) throw new UsageError(`invalid number of ${options.value("c") === undefined ? "lines" : "bytes"}: '${text}'`);
  const count = Number(text);
  let first = true;
  return eachInput(
    run,
    options.operands,
    async (file, path) => {
      if ((options.operands.length > 1 && !options.has("q")) || options.has("v")) {
        await run.out(`${first ? "" : "\n"}==> ${path === "-" ? "standard input" : path} <==\n`);
        first = false;
      }
      if (options.value("c") !== undefined) await headBytes(run, file, count);
      else await headLines(run, file, count);
    },
    "cannot open",
  );
}

async function headBytes(run: Run, file: OpenFile, count: number): Promise<void> {
  if (count < 0) {
    const all = await file.readAll(run.interrupt, 1 << 26);
    await run.out(all.subarray(0, Math.max(0, all.length + count)));
    return;
  }
  for (let left = count; left > 0;) {
    const chunk = await file.read(run.interrupt);
    if (chunk === null) return;
    await run.out(chunk.subarray(0, left));
    if (chunk.length > left) file.unread(chunk.subarray(left));
    left -= Math.min(left, chunk.length);
  }
}

async function headLines(run: Run, file: OpenFile, count: number): Promise<void> {
  const kept: Uint8Array[] = [];
  for (let number = 0; count < 0 || number < count; number++) {
    const line = await file.readLine(run.interrupt);
    if (line === null) return;
    await run.system.step(run.interrupt);
    if (count >= 0) await run.out(line);
    else {
      kept.push(line);
      const oldest = kept.length > -count ? kept.shift() : undefined;
      if (oldest) await run.out(oldest);
    }
  }
}

interface Counts {
  lines: number;
  tokens: number;
  bytes: number;
  chars: number;
  longest: number;
}

async function count(run: Run, file: OpenFile): Promise<Counts> {
  const counts: Counts = { lines: 0, tokens: 0, bytes: 0, chars: 0, longest: 0 };
  for (let line = await file.readLine(run.interrupt); line !== null; line = await file.readLine(run.interrupt)) {
    await run.system.step(run.interrupt);
    const text = decode(line);
    if (line.at(-1) === 10) counts.lines++;
    counts.tokens += text.split(/\s+/).filter((word) => word !== "").length;
    counts.bytes += line.length;
    counts.chars += [...text].length;
    counts.longest = Math.max(counts.longest, text.replace(/\n$/, "").length);
  }
  return counts;
}

async function wc(run: Run): Promise<number> {
  const options = parseOptions(run.args, {
    flags: "lwcmL",
    long: { lines: "l", ["words"]: "w", bytes: "c", chars: "m", "max-line-length": "L" },
  });
  const chosen = [..."lwmcL"].filter((letter) => options.has(letter));
  const flags = chosen.length > 0 ? chosen : ["l", "w", "c"];
  const rows: { counts: Counts; name: string }[] = [];
  const status = await eachInput(run, options.operands, async (file, path) => {
    rows.push({ counts: await count(run, file), name: path });
  });
  if (rows.length > 1) {
    const sum = (key: keyof Counts): number =>
      rows.reduce((total, row) => (key === "longest" ? Math.max(total, row.counts[key]) : total + row.counts[key]), 0);
    rows.push({
      counts: { lines: sum("lines"), tokens: sum("tokens"), bytes: sum("bytes"), chars: sum("chars"), longest: sum("longest") },
      name: "total",
    });
  }
  const keys: Readonly<Record<string, keyof Counts>> = { l: "lines", w: "tokens", m: "chars", c: "bytes", L: "longest" };
  const numbers = rows.map(({ counts }) => flags.map((letter) => counts[keys[letter] ?? "bytes"]));
  // standard input has no size to guess a width from, so GNU wc takes 7
  const named = options.operands.length > 0;
  const widest = Math.max(...rows.map((row) => String(row.counts.bytes).length), 1);
  const width = flags.length === 1 && rows.length === 1 ? 1 : named ? widest : 7;
  for (const [index, row] of rows.entries()) {
    const line = (numbers[index] ?? []).map((number) => String(number).padStart(width)).join(" ");
    await run.out(`${line}${named ? ` ${row.name}` : ""}\n`);
  }
  return status;
}

async function tee(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "ai", long: { append: "a" } });
  let status = 0;
  const outputs: OpenFile[] = [];
  for (const path of options.operands) {
    try {
      outputs.push(await openOutput(run.ctx, path, options.has("a")));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      status = await run.fail(`${path}: ${error.message}`);
    }
  }
  try {
    let open = true;
    for (let chunk = await run.stdin.read(run.interrupt); chunk !== null; chunk = await run.stdin.read(run.interrupt)) {
      if (open) {
        try {
          await run.out(chunk);
        } catch (error) {
          if (!(error instanceof BrokenPipe) || outputs.length === 0) throw error;
          open = false;
        }
      }
      for (const file of outputs) await file.write(chunk, run.interrupt);
    }
  } finally {
    for (const file of outputs) await file.release();
  }
  return status;
}

/** What is written at once, as stdio has it. */
const BLOCK_CHARS = 4096;

async function seq(run: Run): Promise<number> {
  const options = parseOptions(
    run.args.map((arg) => (/^-[\d.]/.test(arg) ? `\u0000${arg}` : arg)),
    { flags: "w", values: "sf", long: { separator: "s", "equal-width": "w", format: "f" } },
  );
  const numbers = options.operands.map((text) => {
    const plain = text.replace("\u0000", "");
    if (plain.trim() === "" || Number.isNaN(Number(plain)))
      throw new UsageError(`invalid floating point argument: '${plain}'\nTry 'seq --help' for more information.`);
    return plain;
  });
  if (numbers.length === 0) throw new UsageError("missing operand\nTry 'seq --help' for more information.");
  if (numbers.length > 3) throw new UsageError(`extra operand '${numbers[3]}'\nTry 'seq --help' for more information.`);
  const last = Number(numbers.at(-1));
  const first = numbers.length > 1 ? Number(numbers[0]) : 1;
  const step = numbers.length > 2 ? Number(numbers[1]) : 1;
  if (step === 0) throw new UsageError(`invalid Zero increment value: '${numbers[1]}'\nTry 'seq --help' for more information.`);
  const decimals = Math.max(...numbers.slice(0, Math.max(1, numbers.length - 1)).map((text) => text.split(".")[1]?.length ?? 0));
  const steps = Math.floor((last - first) / step + 1e-9);
  const separator = options.value("s") ?? "\n";
  const show = (n: number): string => (first + n * step).toFixed(decimals);
  const width = options.has("w") ? Math.max(show(0).length, show(Math.max(steps, 0)).length) : 0;
  let block = "";
  for (let n = 0; n <= steps; n++) {
    const text = show(n);
    block += (n > 0 ? separator : "") + (text.startsWith("-") ? `-${text.slice(1).padStart(width - 1, "0")}` : text.padStart(width, "0"));
    if (block.length < BLOCK_CHARS) continue;
    await run.system.step(run.interrupt);
    await run.out(block);
    block = "";
  }
  if (steps >= 0) await run.out(`${block}\n`);
  return 0;
}

const repeated = (line: string): string => line.repeat(Math.max(1, Math.ceil(BLOCK_CHARS / line.length)));

async function yes(run: Run): Promise<number> {
  const block = repeated(`${run.args.length > 0 ? run.args.join(" ") : "y"}\n`);
  for (;;) {
    await run.system.step(run.interrupt);
    await run.out(block);
  }
}

async function cmp(run: Run): Promise<number> {
  const options = parseOptions(run.args, { flags: "s", long: { silent: "s", quiet: "s" }, status: 2 });
  const [left, right] = options.operands;
  if (left === undefined || right === undefined) return run.fail(`missing operand after '${left ?? run.name}'`, 2);
  const [a, b] = [await run.bytes(left), await run.bytes(right)];
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0 && a.length === b.length) return 0;
  if (options.has("s")) return 1;
  const end = at < 0 || at >= b.length;
  const place = at < 0 ? Math.min(a.length, b.length) : at;
  const line = 1 + concat([a.subarray(0, place)]).filter((byte) => byte === 10).length;
  if (end) await run.err(`cmp: EOF on ${a.length < b.length ? left : right} after byte ${place}, line ${line}\n`);
  else await run.out(`${left} ${right} differ: byte ${place + 1}, line ${line}\n`);
  return 1;
}

export const text: [string, Program][] = [
  ["cat", cat],
  ["head", head],
  ["tail", tail],
  ["wc", wc],
  ["tee", tee],
  ["seq", seq],
  ["yes", yes],
  ["cmp", cmp],
  ...dumps,
];
