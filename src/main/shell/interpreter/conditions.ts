/** `[[ … ]]` over the parser's tree, and `test` / `[` over arguments. */
import type { TestExpression } from "unbash";
import { FileError, resolvePath, type FileStat } from "../files.ts";
import { evaluateText } from "./arithmetic.ts";
import type { Expander } from "./expand.ts";
import { PatternFault, PatternLimit } from "../regex/fault.ts";
import { compilePattern, type Found } from "../regex/pattern.ts";
import { matchPattern } from "./pattern.ts";
import type { Context } from "./shell.ts";
import { filesOf, ShellError } from "./shell.ts";

/** @throws ShellError with status 2 */
export async function evaluateTest(expander: Expander, ctx: Context, node: TestExpression): Promise<boolean> {
  switch (node.type) {
    case "TestGroup":
      return evaluateTest(expander, ctx, node.expression);
    case "TestNot":
      return (node.negations.length % 2 === 1) !== (await evaluateTest(expander, ctx, node.operand));
    case "TestLogical":
      for (const operand of node.operands) {
        const value = await evaluateTest(expander, ctx, operand);
        if (value !== (node.operator === "&&")) return value;
      }
      return node.operator === "&&";
    case "TestUnary":
      return unary(ctx, node.operator, await expander.text(ctx, node.operand));
    case "TestBinary": {
      const left = await expander.text(ctx, node.left);
      if (node.operator === "=~") return matchExpression(ctx, left, await expander.regularExpression(ctx, node.right));
      if (node.operator === "==" || node.operator === "=") return matchPattern(await expander.pattern(ctx, node.right), left);
      if (node.operator === "!=") return !matchPattern(await expander.pattern(ctx, node.right), left);
      const right = await expander.text(ctx, node.right);
      if (NUMERIC.includes(node.operator)) {
        const cells = expander.cells(ctx);
        return compare(node.operator, await evaluateText(left, cells), await evaluateText(right, cells));
      }
      return binary(ctx, left, node.operator, right);
    }
  }
}

async function matchExpression(ctx: Context, text: string, source: string): Promise<boolean> {
  let found: Found | undefined;
  try {
    found = (await compilePattern([source], { syntax: "posix" })).find(text);
  } catch (error) {
    if (error instanceof PatternFault) throw new ShellError(`[[: invalid regular expression \`${source}'`, 2);
    if (error instanceof PatternLimit) throw new ShellError(`[[: ${error.message}`, 2);
    throw error;
  }
  ctx.shell.vars.set("BASH_REMATCH", {
    value: found ? found.groups.map((part) => part ?? "") : [],
    exported: false,
    readonly: false,
    integer: false,
  });
  return found !== undefined;
}

const NUMERIC: readonly string[] = ["-eq", "-ne", "-lt", "-le", "-gt", "-ge"];

function compare(operator: string, a: bigint, b: bigint): boolean {
  switch (operator) {
    case "-eq":
      return a === b;
    case "-ne":
      return a !== b;
    case "-lt":
      return a < b;
    case "-le":
      return a <= b;
    case "-gt":
      return a > b;
    default:
      return a >= b;
  }
}

async function binary(ctx: Context, left: string, operator: string, right: string): Promise<boolean> {
  switch (operator) {
    case "=":
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case ">":
      return left > right;
    case "-nt":
    case "-ot": {
      const [a, b] = (await Promise.all([left, right].map((path) => statOf(ctx, path)))).map((stat) => stat?.mtime);
      if (operator === "-nt") return a !== undefined && (b === undefined || a > b);
      return b !== undefined && (a === undefined || a < b);
    }
    case "-ef": {
      const [a, b] = await Promise.all([left, right].map((path) => statOf(ctx, path)));
      return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
    }
    default: {
      const number = (text: string): bigint => {
        if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new ShellError(`[: ${text}: integer expression expected`, 2);
        return BigInt(text.trim().replace(/^\+/, ""));
      };
      if (!NUMERIC.includes(operator)) throw new ShellError(`[: ${operator}: binary operator expected`, 2);
      return compare(operator, number(left), number(right));
    }
  }
}

/** Of what the path leads to; undefined where there is nothing. */
async function statOf(ctx: Context, path: string): Promise<FileStat | undefined> {
  return path === "" ? undefined : filesOf(ctx).maybeStat(resolvePath(ctx.shell.cwd, path));
}

const UNARY = "abcdefghknoprstuvwxzGLNORS";

async function unary(ctx: Context, operator: string, operand: string): Promise<boolean> {
  switch (operator) {
    case "-z":
      return operand === "";
    case "-n":
      return operand !== "";
    case "-t":
      return ctx.fds.get(Number(operand))?.tty ?? false;
    case "-v":
      return ctx.shell.vars.get(operand)?.value !== undefined;
    case "-o":
      return Object.entries(ctx.shell.options).some(([name, on]) => name === operand && on);
    case "-h":
    case "-L":
      try {
        return operand !== "" && (await filesOf(ctx).lstat(resolvePath(ctx.shell.cwd, operand))).type === "symlink";
      } catch (error) {
        if (error instanceof FileError) return false;
        throw error;
      }
  }
  const stat = await statOf(ctx, operand);
  if (!stat) return false;
  switch (operator) {
    case "-d":
      return stat.type === "directory";
    case "-f":
      return stat.type === "file" && !stat.device;
    case "-s":
      return stat.size > 0;
    case "-x":
      return stat.type === "directory" || (stat.mode & 0o111) !== 0;
    case "-c":
      return stat.device === true;
    case "-b":
      return false;
    case "-p":
      return stat.type === "fifo";
    case "-S":
      return stat.type === "socket";
    case "-u":
      return (stat.mode & 0o4000) !== 0;
    case "-g":
      return (stat.mode & 0o2000) !== 0;
    case "-k":
      return (stat.mode & 0o1000) !== 0;
    case "-O":
      return stat.uid === 0;
    case "-G":
      return stat.gid === 0;
    default:
      return true;
  }
}

/** `test` with its arguments. @throws ShellError with status 2 */
export async function testArguments(ctx: Context, args: readonly string[]): Promise<boolean> {
  const parser = { args, at: 0 };
  if (args.length === 0) return false;
  if (args.length === 1) return args[0] !== "";
  const value = await testOr(ctx, parser);
  if (parser.at < args.length)
    throw new ShellError(args.length <= 3 ? `[: ${args[parser.at]}: unexpected operator` : "[: too many arguments", 2);
  return value;
}

interface Arguments {
  readonly args: readonly string[];
  at: number;
}

async function testOr(ctx: Context, p: Arguments): Promise<boolean> {
  let value = await testAnd(ctx, p);
  while (p.args[p.at] === "-o") {
    p.at++;
    value = (await testAnd(ctx, p)) || value;
  }
  return value;
}

async function testAnd(ctx: Context, p: Arguments): Promise<boolean> {
  let value = await testTerm(ctx, p);
  while (p.args[p.at] === "-a") {
    p.at++;
    value = (await testTerm(ctx, p)) && value;
  }
  return value;
}

const isBinary = (word: string | undefined): boolean =>
  word !== undefined && (["=", "==", "!=", "<", ">", "-nt", "-ot", "-ef"].includes(word) || NUMERIC.includes(word));

async function testTerm(ctx: Context, p: Arguments): Promise<boolean> {
  const word = p.args[p.at];
  if (word === undefined) throw new ShellError("[: argument expected", 2);
  if (isBinary(p.args[p.at + 1]) && p.at + 2 < p.args.length) {
    p.at += 3;
    return binary(ctx, word, p.args[p.at - 2] ?? "", p.args[p.at - 1] ?? "");
  }
  if (word === "!") {
    p.at++;
    return !(await testTerm(ctx, p));
  }
  if (word === "(") {
    p.at++;
    const value = await testOr(ctx, p);
    if (p.args[p.at] !== ")") throw new ShellError("[: `)' expected", 2);
    p.at++;
    return value;
  }
  if (/^-.$/.test(word) && UNARY.includes(word.charAt(1)) && p.at + 1 < p.args.length) {
    p.at += 2;
    return unary(ctx, word, p.args[p.at - 1] ?? "");
  }
  p.at++;
  return word !== "";
}
