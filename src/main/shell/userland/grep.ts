/** grep: streams line by line, so that it works behind `journalctl -f`. */
import { FileError } from "../files.ts";
import type { Parsed, Program, Run } from "../interpreter/program.ts";
import { decode } from "../bytes.ts";
import { parseOptions, UsageError } from "../interpreter/program.ts";
import { PatternFault, PatternLimit } from "../regex/fault.ts";
import { compilePattern, findAll, type Pattern } from "../regex/pattern.ts";
import type { OpenFile } from "../streams.ts";

async function compile(run: Run, options: Parsed, typed: readonly string[]): Promise<Pattern> {
  const fixed = options.has("F") || run.name === "fgrep";
  const extended = options.has("E") || run.name === "egrep";
  const syntax = options.has("P") ? "perl" : fixed ? "fixed" : extended ? "extended" : "basic";
  const patterns = typed.flatMap((pattern) => pattern.split("\n"));
  if (syntax === "perl" && patterns.length > 1) throw new UsageError("the -P option only supports a single pattern", 2);
  try {
    const how = { ignoreCase: options.has("i") || options.has("y"), word: options.has("w"), line: options.has("x") };
    const pattern = await compilePattern(patterns, { syntax, ...how });
    for (const letter of pattern.stray) await run.err(`${run.name}: warning: stray \\ before ${letter}\n`);
    return pattern;
  } catch (error) {
    if (error instanceof PatternFault) throw new UsageError(error.message, 2);
    throw error;
  }
}

/** What grep says where it gives up looking. */
function gaveUp(task: Task, name: string): never {
  throw new UsageError(task.options.has("P") ? `${name}: exceeded PCRE's backtracking limit` : "memory exhausted", 2);
}

function has(task: Task, line: string, name: string): boolean {
  try {
    return task.expression.find(line) !== undefined;
  } catch (error) {
    if (error instanceof PatternLimit) return gaveUp(task, name);
    throw error;
  }
}

interface Task {
  run: Run;
  expression: Pattern;
  options: Parsed;
  before: number;
  after: number;
  limit: number;
  color: boolean;
  withName: boolean;
}

const RED = "\u001b[01;31m\u001b[K";
const PLAIN = "\u001b[m\u001b[K";

function paint(task: Task, line: string): string {
  if (!task.color || task.options.has("v")) return line;
  let out = "";
  let past = 0;
  for (const { at, end } of findAll(task.expression, line)) {
    if (end > at) out += `${line.slice(past, at)}${RED}${line.slice(at, end)}${PLAIN}`;
    past = end > at ? end : past;
  }
  return out + line.slice(past);
}

function prefix(task: Task, name: string, number: number, separator: string): string {
  const file = task.withName ? `${name}${separator}` : "";
  return file + (task.options.has("n") ? `${number}${separator}` : "");
}

/** @returns whether a line was selected */
async function search(task: Task, file: OpenFile, name: string): Promise<boolean> {
  const { run, options } = task;
  let number = 0;
  let count = 0;
  let trailing = 0;
  let lastPrinted = 0;
  const waiting: { number: number; line: string }[] = [];
  const quiet = options.has("q") || options.has("c") || options.has("l") || options.has("L");
  for (;;) {
    const bytes = await file.readLine(run.interrupt);
    if (bytes === null) break;
    await run.system.step(run.interrupt);
    const line = decode(bytes.at(-1) === 10 ? bytes.subarray(0, -1) : bytes);
    number++;
    if (number === 1 && line.includes("\u0000") && !options.has("a")) return binary(task, file, bytes, name);
    const selected = has(task, line, name) !== options.has("v");
    if (selected) {
      count++;
      if (options.has("q") || options.has("l") || options.has("L")) break;
      if (!quiet) {
        const first = waiting[0]?.number ?? number;
        if (task.before + task.after > 0 && lastPrinted > 0 && first > lastPrinted + 1) await run.out("--\n");
        for (const kept of waiting) await run.out(`${prefix(task, name, kept.number, "-")}${kept.line}\n`);
        await printMatch(task, name, number, line);
        lastPrinted = number;
        trailing = task.after;
      }
      waiting.length = 0;
      if (count >= task.limit) break;
    } else if (trailing > 0 && !quiet) {
      await run.out(`${prefix(task, name, number, "-")}${line}\n`);
      lastPrinted = number;
      trailing--;
    } else if (task.before > 0) {
      waiting.push({ number, line });
      if (waiting.length > task.before) waiting.shift();
    }
  }
  if (options.has("c")) await run.out(`${task.withName ? `${name}:` : ""}${count}\n`);
  if (options.has("l") && count > 0) await run.out(`${name}\n`);
  if (options.has("L") && count === 0) await run.out(`${name}\n`);
  return count > 0;
}

async function printMatch(task: Task, name: string, number: number, line: string): Promise<void> {
  const { run, options } = task;
  if (!options.has("o")) {
    await run.out(`${prefix(task, name, number, ":")}${paint(task, line)}\n`);
    return;
  }
  if (options.has("v")) return;
  for (const { at, end } of findAll(task.expression, line)) {
    const match = line.slice(at, end);
    if (match !== "") await run.out(`${prefix(task, name, number, ":")}${task.color ? `${RED}${match}${PLAIN}` : match}\n`);
  }
}

async function binary(task: Task, file: OpenFile, first: Uint8Array, name: string): Promise<boolean> {
  file.unread(first);
  for await (const line of task.run.lines(file)) {
    if (has(task, line, name) === task.options.has("v")) continue;
    if (!task.options.has("q")) await task.run.out(`grep: ${name}: binary file matches\n`);
    return true;
  }
  return false;
}

async function* inputs(run: Run, paths: readonly string[], recursive: boolean): AsyncGenerator<string> {
  for (const path of paths) {
    const stat = path === "-" ? undefined : await run.files.maybeStat(run.path(path));
    if (!recursive || stat?.type !== "directory") yield path;
    else {
      const entries = await run.files.list(run.path(path));
      yield* inputs(
        run,
        entries.map((entry) => `${path.replace(/\/$/, "")}/${entry.name}`),
        true,
      );
    }
  }
}

function numeric(options: Parsed, letter: string): number {
  const text = options.value(letter) ?? options.value("C") ?? "0";
  if (!/^\d+$/.test(text)) throw new UsageError(`${text}: invalid context length argument`, 2);
  return Number(text);
}

const LONG = {
  "ignore-case": "i",
  "invert-match": "v",
  "line-number": "n",
  count: "c",
  quiet: "q",
  silent: "q",
  "only-matching": "o",
  "extended-regexp": "E",
  "fixed-strings": "F",
  "word-regexp": "w",
  "line-regexp": "x",
  recursive: "r",
  "files-with-matches": "l",
  "files-without-match": "L",
  "no-messages": "s",
  "with-filename": "H",
  "no-filename": "h",
  "after-context": "A",
  "before-context": "B",
  context: "C",
  "max-count": "m",
  regexp: "e",
  file: "f",
  color: "k",
  colour: "k",
  text: "a",
  "line-buffered": "u",
};

export const grep: Program = async (run) => {
  const args = run.args.map((arg) => (arg === "--color" || arg === "--colour" ? "--color=auto" : arg.replace(/^-(\d+)$/, "-C$1")));
  const options = parseOptions(args, { flags: "ivncqoEFGPwxrRlLshHayuIzU", values: "ABCmefk", long: LONG, status: 2 });
  const operands = [...options.operands];
  const patterns = options.all("e");
  for (const path of options.all("f")) patterns.push(decode(await run.bytes(path)).replace(/\n$/, ""));
  if (patterns.length === 0) {
    const pattern = operands.shift();
    if (pattern === undefined) {
      await run.err(`Usage: ${run.name} [OPTION]... PATTERNS [FILE]...\nTry '${run.name} --help' for more information.\n`);
      return 2;
    }
    patterns.push(pattern);
  }
  const recursive = options.has("r") || options.has("R");
  const paths = operands.length > 0 ? operands : [recursive ? "." : "-"];
  const color = options.value("k");
  const limit = options.value("m");
  const task: Task = {
    run,
    expression: await compile(run, options, patterns),
    options,
    before: numeric(options, "B"),
    after: numeric(options, "A"),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit),
    color: color === "always" || (color === "auto" && (run.stdout?.tty ?? false)),
    withName: !options.has("h") && (options.has("H") || recursive || paths.length > 1),
  };
  let found = false;
  let failed = false;
  for await (const path of inputs(run, paths, recursive)) {
    try {
      const file = await run.open(path);
      try {
        const name = path === "-" ? "(standard input)" : recursive && operands.length === 0 ? path.replace(/^\.\//, "") : path;
        found = (await search(task, file, name)) || found;
      } finally {
        await file.release();
      }
      if (found && options.has("q")) return 0;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      failed = true;
      if (!options.has("s")) await run.err(`${run.name}: ${path}: ${error.message}\n`);
    }
  }
  return failed ? 2 : found ? 0 : 1;
};
