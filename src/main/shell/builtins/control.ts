/** Built-ins that steer: true, exit, return, break, eval, source, test, command, time limits, bash itself. */
import { evaluateText } from "../interpreter/arithmetic.ts";
import { testArguments } from "../interpreter/conditions.ts";
import type { Program, Run } from "../interpreter/program.ts";
import { decode } from "../bytes.ts";
import { Leave, ShellError } from "../interpreter/shell.ts";
import { FileError } from "../files.ts";

function statusArgument(run: Run): number {
  const text = run.args[0];
  if (text === undefined) return run.shell.status;
  if (!/^-?\d+$/.test(text)) throw new ShellError(`${run.name}: ${text}: numeric argument required`, 2);
  return Number(BigInt.asUintN(8, BigInt(text)));
}

function leaveLoop(run: Run, what: "break" | "continue"): Promise<number> {
  const text = run.args[0] ?? "1";
  if (!/^\d+$/.test(text)) throw new ShellError(`${what}: ${text}: numeric argument required`, 128);
  if (run.shell.loops === 0) {
    throw new ShellError(`${what}: only meaningful in a \`for', \`while', or \`until' loop`, 0);
  }
  const count = Number(text);
  if (count < 1) throw new ShellError(`${what}: ${text}: loop count out of range`, 1);
  return Promise.reject(new Leave(what, Math.min(count, run.shell.loops)));
}

async function returnBuiltin(run: Run): Promise<number> {
  if (run.shell.inFunction === 0) throw new ShellError("return: can only `return' from a function or sourced script", 2);
  throw new Leave("return", statusArgument(run));
}

async function source(run: Run): Promise<number> {
  const path = run.args[0];
  if (path === undefined) throw new ShellError(`${run.name}: filename argument required`, 2);
  let text: string;
  try {
    text = decode(await run.bytes(path));
  } catch (error) {
    if (error instanceof FileError) throw new ShellError(`${path}: ${error.message}`);
    throw error;
  }
  const { shell } = run;
  const saved = shell.positional;
  if (run.args.length > 1) shell.positional = run.args.slice(1);
  shell.inFunction++;
  try {
    return await run.executor.evaluateSource(run.ctx, text);
  } catch (error) {
    if (error instanceof Leave && error.what === "return") return error.count;
    throw error;
  } finally {
    shell.inFunction--;
    shell.positional = saved;
  }
}

async function letBuiltin(run: Run): Promise<number> {
  if (run.args.length === 0) throw new ShellError("let: expression expected");
  let value = 0n;
  for (const text of run.args) value = await evaluateText(text, run.executor.expander.cells(run.ctx));
  return value === 0n ? 1 : 0;
}

async function testBuiltin(run: Run): Promise<number> {
  let args = run.args;
  if (run.name === "[") {
    if (args.at(-1) !== "]") throw new ShellError("[: missing `]'", 2);
    args = args.slice(0, -1);
  }
  return (await testArguments(run.ctx, args)) ? 0 : 1;
}

/** `bash -c LINE`, `bash FILE`, `bash` reading its input; `sh` is the same. */
async function bash(run: Run): Promise<number> {
  const args = [...run.args];
  let line: string | undefined;
  const options: string[] = [];
  while (args[0]?.startsWith("-") || args[0]?.startsWith("+")) {
    const word = args.shift() ?? "";
    if (word === "--" || word === "-") break;
    if (word === "-o") options.push(`set -o ${args.shift() ?? ""}`);
    else if (/^-[a-z]*c[a-z]*$/.test(word)) {
      line = "";
      const rest = word.slice(1).replace(/[cli]/g, "");
      if (rest) options.push(`set -${rest}`);
    } else if (/^[-+][euxfCan]+$/.test(word)) options.push(`set ${word}`);
    else if (word !== "-l" && word !== "-i" && word !== "--login" && word !== "-s") return run.fail(`${word}: invalid option`, 2);
  }
  if (line !== undefined) {
    const command = args.shift();
    if (command === undefined) return run.fail("-c: option requires an argument", 2);
    return run.executor.runScript(run.ctx, [...options, command].join("\n"), args.shift() ?? "bash", args);
  }
  const path = args.shift();
  const text = path === undefined ? decode(await run.stdin.readAll(run.interrupt, 1 << 20)) : decode(await run.bytes(path));
  return run.executor.runScript(run.ctx, [...options, text].join("\n"), path ?? run.name, args);
}

export const control: [string, Program][] = [
  [":", () => Promise.resolve(0)],
  ["true", () => Promise.resolve(0)],
  ["false", () => Promise.resolve(1)],
  ["exit", (run) => Promise.reject(new Leave("exit", statusArgument(run)))],
  ["logout", (run) => Promise.reject(new Leave("exit", statusArgument(run)))],
  ["return", returnBuiltin],
  ["break", (run) => leaveLoop(run, "break")],
  ["continue", (run) => leaveLoop(run, "continue")],
  ["eval", (run) => run.executor.evaluateSource(run.ctx, run.args.join(" "))],
  ["source", source],
  [".", source],
  ["let", letBuiltin],
  ["test", testBuiltin],
  ["[", testBuiltin],
  ["bash", bash],
  ["sh", bash],
];
