/** find: names, types, depth, sizes and -exec; no other tests. */
import { basename, FileError, type FileStat } from "../files.ts";
import { matchPattern } from "../interpreter/pattern.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { UsageError } from "../interpreter/program.ts";

interface Item {
  path: string;
  stat: FileStat;
  depth: number;
}

type Test = (run: Run, item: Item) => Promise<boolean> | boolean;

interface Query {
  tests: Test;
  minDepth: number;
  maxDepth: number;
  printed: boolean;
}

interface Tokens {
  args: readonly string[];
  at: number;
  query: Query;
}

function value(tokens: Tokens, option: string): string {
  const text = tokens.args[tokens.at++];
  if (text === undefined) throw new UsageError(`missing argument to \`${option}'`);
  return text;
}

function number(tokens: Tokens, option: string): number {
  const text = value(tokens, option);
  if (!/^\d+$/.test(text)) throw new UsageError(`Expected a positive decimal integer argument to ${option}, but got '${text}'`);
  return Number(text);
}

function disjunction(tokens: Tokens): Test {
  let left = conjunction(tokens);
  while (tokens.args[tokens.at] === "-o" || tokens.args[tokens.at] === "-or") {
    tokens.at++;
    const a = left;
    const b = conjunction(tokens);
    left = async (run, item) => (await a(run, item)) || b(run, item);
  }
  return left;
}

function conjunction(tokens: Tokens): Test {
  let left: Test | undefined;
  for (
    let word = tokens.args[tokens.at];
    word !== undefined && word !== "-o" && word !== "-or" && word !== ")";
    word = tokens.args[tokens.at]
  ) {
    if (word === "-a" || word === "-and") {
      tokens.at++;
      continue;
    }
    const a = left;
    const b = primary(tokens);
    left = a ? async (run, item) => (await a(run, item)) && b(run, item) : b;
  }
  return left ?? (() => true);
}

function sizeTest(text: string): Test {
  const m = /^([-+]?)(\d+)([cwbkMG]?)$/.exec(text);
  if (!m) throw new UsageError(`invalid argument \`${text}' to \`-size'`);
  const units: Readonly<Record<string, number>> = { c: 1, w: 2, b: 512, "": 512, k: 1024, M: 1 << 20, G: 1 << 30 };
  const [unit, wanted] = [units[m[3] ?? ""] ?? 512, Number(m[2])];
  return (_run, { stat }) => {
    const size = Math.ceil(stat.size / unit);
    return m[1] === "+" ? size > wanted : m[1] === "-" ? size < wanted : size === wanted;
  };
}

function primary(tokens: Tokens): Test {
  const word = tokens.args[tokens.at++] ?? "";
  switch (word) {
    case "!":
    case "-not": {
      const inner = primary(tokens);
      return async (run, item) => !(await inner(run, item));
    }
    case "(": {
      const inner = disjunction(tokens);
      if (tokens.args[tokens.at++] !== ")") throw new UsageError("invalid expression; expected to find a ')' but didn't see one");
      return inner;
    }
    case "-name":
    case "-iname": {
      const pattern = value(tokens, word);
      if (word === "-name") return (_run, item) => matchPattern(pattern, basename(item.path));
      return (_run, item) => matchPattern(pattern.toLowerCase(), basename(item.path).toLowerCase());
    }
    case "-path":
    case "-wholename": {
      const pattern = value(tokens, word);
      return (_run, item) => matchPattern(pattern, item.path);
    }
    case "-type": {
      const types: Readonly<Record<string, string>> = { f: "file", d: "directory", l: "symlink", s: "socket", p: "fifo" };
      const letter = value(tokens, word);
      const type = types[letter];
      if (type === undefined) throw new UsageError(`Unknown argument to -type: ${letter}`);
      return (_run, item) => item.stat.type === type;
    }
    case "-empty":
      return async (run, { path, stat }) =>
        stat.type === "directory" ? (await run.files.list(run.path(path))).length === 0 : stat.size === 0;
    case "-size":
      return sizeTest(value(tokens, word));
    case "-maxdepth":
      tokens.query.maxDepth = number(tokens, word);
      return () => true;
    case "-mindepth":
      tokens.query.minDepth = number(tokens, word);
      return () => true;
    default:
      return action(tokens, word);
  }
}

function action(tokens: Tokens, word: string): Test {
  tokens.query.printed = true;
  switch (word) {
    case "-print":
      return printWith("\n");
    case "-print0":
      return printWith("\u0000");
    case "-delete":
      return async (run, { path, stat }) => {
        try {
          await run.files.change({ call: stat.type === "directory" ? "rmdir" : "unlink", path: run.path(path) });
          return true;
        } catch (error) {
          if (!(error instanceof FileError)) throw error;
          await run.err(`find: cannot delete '${path}': ${error.message}\n`);
          return false;
        }
      };
    case "-exec": {
      const end = tokens.args.findIndex((arg, index) => index >= tokens.at && (arg === ";" || arg === "+"));
      if (end < 0) throw new UsageError("missing argument to `-exec'");
      const argv = tokens.args.slice(tokens.at, end);
      tokens.at = end + 1;
      return async (run, { path }) =>
        (await run.executor.runArgv(
          run.ctx,
          argv.map((arg) => arg.replaceAll("{}", path)),
        )) === 0;
    }
    default:
      throw new UsageError(word.startsWith("-") ? `unknown predicate \`${word}'` : `paths must precede expression: \`${word}'`);
  }
}

function printWith(end: string): Test {
  return async (run, { path }) => {
    await run.out(path + end);
    return true;
  };
}

async function walk(run: Run, item: Item, query: Query): Promise<number> {
  await run.system.step(run.interrupt);
  let status = 0;
  let below: { name: string; stat: FileStat }[] = [];
  if (item.stat.type === "directory" && item.depth < query.maxDepth) {
    try {
      below = await run.files.list(run.path(item.path));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.err(`find: '${item.path}': ${error.message}\n`);
      status = 1;
    }
  }
  if (item.depth >= query.minDepth) {
    const hit = await query.tests(run, item);
    if (hit && !query.printed) await run.out(`${item.path}\n`);
  }
  for (const { name, stat } of below) {
    status = Math.max(status, await walk(run, { path: `${item.path.replace(/\/$/, "")}/${name}`, stat, depth: item.depth + 1 }, query));
  }
  return status;
}

export const find: Program = async (run) => {
  const first = run.args.findIndex((arg) => arg.startsWith("-") || arg === "(" || arg === "!");
  const paths = first < 0 ? [...run.args] : run.args.slice(0, first);
  const tokens: Tokens = {
    args: first < 0 ? [] : run.args.slice(first),
    at: 0,
    query: { tests: () => true, minDepth: 0, maxDepth: Number.POSITIVE_INFINITY, printed: false },
  };
  tokens.query.tests = disjunction(tokens);
  if (tokens.at < tokens.args.length) throw new UsageError("invalid expression; you have too many ')'");
  let status = 0;
  for (const path of paths.length > 0 ? paths : ["."]) {
    try {
      const stat = await run.files.lstat(run.path(path));
      status = Math.max(status, await walk(run, { path, stat, depth: 0 }, tokens.query));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await run.err(`find: '${path}': ${error.message}\n`);
      status = 1;
    }
  }
  return status;
};
