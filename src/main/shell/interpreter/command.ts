/** Simple commands: assignments, aliases, redirections, and the way from a name to what runs. */
import type { Assignment, Command, CommandArgument, Redirection, Word } from "unbash";
import { builtins } from "../builtins/index.ts";
import { FileError } from "../files.ts";
import { Interrupted } from "../interrupt.ts";
import { alone } from "../processes.ts";
import type { OpenFile } from "../streams.ts";
import { BrokenPipe, StreamError } from "../streams.ts";
import { textFilter } from "../userland/filters.ts";
import { programs } from "../userland/index.ts";
import { runModelled } from "../userland/modelled.ts";
import { isNoted } from "../userland/noted.ts";
import { whichPath } from "../userland/which.ts";
import { programIn } from "../../../engine/machine/base-programs.ts";
import { evaluateText } from "./arithmetic.ts";
import type { Executor, Program } from "./program.ts";
import { decode } from "../bytes.ts";
import { Run, UsageError } from "./program.ts";
import { adopt, redirect, redirectProcess, releaseAll } from "./redirect.ts";
import type { Context, Shell, Variable } from "./shell.ts";
import { complain, DEPTH_MAX, Leave, say, ShellError, STRING_MAX } from "./shell.ts";
import { parseLine } from "./syntax.ts";
import { isAssociative, quote, setElement } from "./variables.ts";

/** Bytes of all arguments of one command (Linux: ARG_MAX is 2 MiB). */
const ARGUMENTS_MAX = 2 * 1024 * 1024;

/** Bytes that bash looks at to tell a program from a script. */
const BINARY_LOOK = 80;

const DECLARING: readonly string[] = ["export", "local", "declare", "typeset", "readonly"];

const isRedirection = (node: CommandArgument | Redirection): node is Redirection =>
  node.type === "Redirect" || node.type === "HereDoc" || node.type === "HereString";

export async function runCommand(executor: Executor, ctx: Context, typed: Command): Promise<number> {
  const node = withAlias(ctx.shell, typed);
  if (node.type !== "Command") return executor.evaluateSource(ctx, node.source);
  const substituted = [...ctx.fds.keys()];
  try {
    const { argv, arrays } = await argumentsOf(executor, ctx, node);
    const assignments = node.prefix.filter((part) => part.type === "Assignment");
    const redirections = [...node.prefix, ...node.suffix]
      .filter((part) => part.type !== "Assignment" && part.type !== "Word")
      .filter(isRedirection);
    if (argv.length === 0) return await assignOnly(executor, ctx, assignments, redirections);
    await trace(ctx, argv);
    const { fds, opened } = await redirect(executor.expander, ctx, redirections);
    const inner: Context = { ...ctx, fds };
    const name = argv[0] ?? "";
    let status = 1;
    try {
      await redirectProcess(ctx, fds);
      status = await withAssignments(executor, ctx, assignments, name, () => dispatch(executor, inner, argv, arrays, ctx));
    } catch (error) {
      // the message goes where the command's own messages go
      if (!(error instanceof ShellError) || error.fatal) throw error;
      await complain(inner, error.message);
      status = error.status;
    } finally {
      status = await closed(ctx, name, opened, status);
    }
    return status;
  } finally {
    await closeSubstitutions(ctx, substituted);
  }
}

/** Closes what a command was redirected to; what could not be written shows here. @returns its status */
async function closed(ctx: Context, name: string, opened: readonly OpenFile[], status: number): Promise<number> {
  try {
    await releaseAll(opened);
    return status;
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    await complain(ctx, `${name}: ${error.message}`);
    return 1;
  }
}

/** Ends of process substitutions that this command opened. */
async function closeSubstitutions(ctx: Context, before: readonly number[]): Promise<void> {
  for (const [number, file] of [...ctx.fds]) {
    if (number < 10 || before.includes(number)) continue;
    ctx.fds.delete(number);
    await file.release();
  }
}

/** The command with its alias put in; a compound alias comes back as source text. */
function withAlias(shell: Shell, node: Command): Command | { type: "Source"; source: string } {
  let current = node;
  const seen = new Set<string>();
  while (current.name && !current.name.parts && current.name.text === current.name.value) {
    const name = current.name.value;
    const alias = shell.aliases.get(name);
    if (alias === undefined || seen.has(name)) return current;
    seen.add(name);
    const script = parseLine(alias);
    const command = script.commands.length === 1 ? script.commands[0]?.command : undefined;
    if (script.errors || command?.type !== "Command") {
      const rest = current.suffix.map((part) => ("text" in part ? part.text : "")).join(" ");
      return { type: "Source", source: `${alias} ${rest}` };
    }
    const suffix = [...command.suffix, ...current.suffix];
    current = { ...current, name: command.name, prefix: [...current.prefix, ...command.prefix], suffix };
  }
  return current;
}

interface Arguments {
  argv: string[];
  arrays: Map<string, string[]>;
}

async function argumentsOf(executor: Executor, ctx: Context, node: Command): Promise<Arguments> {
  const arrays = new Map<string, string[]>();
  const argv = node.name ? await executor.expander.fields(ctx, [node.name]) : [];
  for (const part of node.suffix) {
    if (part.type === "Word") {
      for (const field of await wordFields(executor, ctx, part, argv[0])) argv.push(field);
    } else if (part.type === "Assignment") {
      const operator = part.append ? "+=" : "=";
      const index = part.index ? `[${await executor.expander.text(ctx, part.index)}]` : "";
      if (part.value.type === "ArrayValue") {
        arrays.set(part.name, await executor.expander.fields(ctx, part.value.elements));
        argv.push(part.name);
      } else argv.push(`${part.name}${index}${operator}${await assigned(executor, ctx, part.value)}`);
    }
  }
  if (argv.length > 0 && argv.reduce((sum, arg) => sum + arg.length, 0) > ARGUMENTS_MAX && !builtins.has(argv[0] ?? "")) {
    throw new ShellError(`${argv[0]}: Argument list too long`, 126);
  }
  return { argv, arrays };
}

async function wordFields(executor: Executor, ctx: Context, word: Word, command: string | undefined): Promise<string[]> {
  if (command !== undefined && DECLARING.includes(command) && /^[A-Za-z_]\w*\+?=/.test(word.text))
    return [await assigned(executor, ctx, word)];
  return executor.expander.fields(ctx, [word]);
}

/** The value of an assignment: a tilde counts after `=` and after each `:`. */
async function assigned(executor: Executor, ctx: Context, word: Word): Promise<string> {
  const text = await executor.expander.text(ctx, word);
  return word.parts || !text.includes(":~") ? text : text.replaceAll(/:~(?=\/|:|$)/g, `:${ctx.shell.get("HOME") ?? "/root"}`);
}

async function assign(executor: Executor, ctx: Context, node: Assignment): Promise<void> {
  const { shell } = ctx;
  if (node.value.type === "ArrayValue") {
    await assignArray(executor, ctx, node.name, node.value.elements, node.append ?? false);
    return;
  }
  let text = await assigned(executor, ctx, node.value);
  const cells = executor.expander.cells(ctx);
  if (shell.vars.get(node.name)?.integer) text = (await evaluateText(text, cells)).toString();
  if (node.index) {
    const raw = await executor.expander.text(ctx, node.index);
    const key = isAssociative(shell, node.name) ? raw : (await evaluateText(raw, cells)).toString();
    setElement(shell, node.name, key, text);
    return;
  }
  const old = shell.get(node.name) ?? "";
  if (node.append && shell.vars.get(node.name)?.integer) text = (BigInt(old || "0") + BigInt(text)).toString();
  else if (node.append) text = old + text;
  if (text.length > STRING_MAX) throw new ShellError(`cannot allocate ${text.length} bytes`, 1, true);
  shell.set(node.name, text);
}

async function assignArray(executor: Executor, ctx: Context, name: string, tokens: readonly Word[], append: boolean): Promise<void> {
  const { shell } = ctx;
  const map = isAssociative(shell, name);
  const variable = shell.declare(name);
  if (variable.readonly) throw new ShellError(`${name}: readonly variable`, 1, true);
  const old = variable.value;
  if (!append) variable.value = map ? new Map() : [];
  else if (typeof old === "string") variable.value = [old];
  else variable.value ??= [];
  let next = Array.isArray(variable.value) ? variable.value.length : 0;
  for (const word of tokens) {
    const keyed = /^\[([^\]]+)\]=/.exec(word.text);
    if (keyed) {
      const text = (await executor.expander.text(ctx, word)).replace(/^\[[^\]]*\]=/, "");
      const key = (keyed[1] ?? "").replace(/^["']|["']$/g, "");
      if (map) setElement(shell, name, key, text);
      else {
        next = Number(await evaluateText(key, executor.expander.cells(ctx)));
        setElement(shell, name, next++, text);
      }
    } else for (const field of await executor.expander.fields(ctx, [word])) setElement(shell, name, next++, field);
  }
}

async function assignOnly(
  executor: Executor,
  ctx: Context,
  assignments: readonly Assignment[],
  redirections: readonly Redirection[],
): Promise<number> {
  const before = ctx.shell.status;
  ctx.shell.status = 0;
  for (const assignment of assignments) await assign(executor, ctx, assignment);
  const status = ctx.shell.status;
  ctx.shell.status = before;
  const { opened } = await redirect(executor.expander, ctx, redirections);
  await releaseAll(opened);
  return status;
}

async function trace(ctx: Context, argv: readonly string[]): Promise<void> {
  if (ctx.shell.options.xtrace) await say(ctx, 2, `${"+".repeat(ctx.shell.subshell + 1)} ${argv.map(quote).join(" ")}\n`);
}

/** Assignments before a command hold while it runs. */
async function withAssignments(
  executor: Executor,
  ctx: Context,
  assignments: readonly Assignment[],
  name: string,
  run: () => Promise<number>,
): Promise<number> {
  if (assignments.length === 0) return run();
  const { shell } = ctx;
  const saved = new Map<string, Variable | undefined>();
  for (const assignment of assignments) {
    const old = shell.vars.get(assignment.name);
    if (!saved.has(assignment.name)) saved.set(assignment.name, old && { ...old });
    await assign(executor, ctx, assignment);
    shell.declare(assignment.name).exported = true;
  }
  try {
    return await run();
  } finally {
    if (name !== "export" && name !== "exec") {
      for (const [key, old] of saved) {
        if (old) shell.vars.set(key, old);
        else shell.vars.delete(key);
      }
    }
  }
}

/** Runs `argv`. `outer` is the context without the command's redirections, for `exec`. */
async function dispatch(
  executor: Executor,
  ctx: Context,
  argv: readonly string[],
  arrays: ReadonlyMap<string, readonly string[]>,
  outer: Context,
): Promise<number> {
  const name = argv[0] ?? "";
  const body = ctx.shell.functions.get(name);
  if (body) return callFunction(executor, ctx, argv.slice(1), () => executor.body({ ...ctx, last: false }, body));
  if (name === "exec") return execBuiltin(executor, ctx, argv, outer);
  return runArgv(executor, ctx, argv, arrays);
}

async function execBuiltin(executor: Executor, ctx: Context, argv: readonly string[], outer: Context): Promise<number> {
  if (argv.length > 1) throw new Leave("exit", await runArgv(executor, ctx, argv.slice(1)));
  await adopt(outer.fds, ctx.fds);
  return 0;
}

/** Anything but functions: what `command`, `env`, `xargs`, `timeout` and the like start. */
export async function runArgv(
  executor: Executor,
  ctx: Context,
  argv: readonly string[],
  arrays: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<number> {
  const typed = argv[0] ?? "";
  const builtin = SHELLS.includes(typed) ? undefined : builtins.get(typed);
  if (builtin) {
    const inner = RUNS_ITS_TOKENS.includes(typed) ? ctx : { ...ctx, last: false };
    return guarded(builtin, new Run(typed, argv.slice(1), inner, executor, arrays));
  }
  if (typed.includes("/")) return runPath(executor, ctx, argv, arrays);
  const known = isNoted(typed) ? undefined : await runNamed(executor, ctx, typed, argv, arrays);
  if (known !== undefined) return known;
  const path = await whichPath(new Run(typed, argv.slice(1), ctx, executor), typed);
  if (path !== undefined) return runPath(executor, ctx, [path, ...argv.slice(1)], arrays);
  throw new ShellError(`${typed}: command not found`, 127);
}

/** The program of that name, called as `argv`; undefined where nobody knows one. */
async function runNamed(
  executor: Executor,
  ctx: Context,
  name: string,
  argv: readonly string[],
  arrays: ReadonlyMap<string, readonly string[]>,
): Promise<number | undefined> {
  const program = builtins.get(name) ?? programs.get(name);
  if (program) return carried(ctx, argv, (inner) => guarded(program, new Run(name, argv.slice(1), inner, executor, arrays)));
  const modelled = await runModelled(ctx, [name, ...argv.slice(1)]);
  if (modelled !== undefined) return tellEnd(ctx, modelled);
  const filter = textFilter(name);
  if (filter) return carried(ctx, argv, (inner) => guarded(filter, new Run(name, argv.slice(1), inner, executor)));
  if (!isNoted(name)) return undefined;
  await say(ctx, 2, `${name}: not modelled in this lab\n`);
  return 1;
}

/** Programs that stand among the built-ins because they run the interpreter. */
const SHELLS: readonly string[] = ["bash", "sh"];
/** Built-ins that run what follows them in their own place. */
const RUNS_ITS_TOKENS: readonly string[] = ["command", "builtin"];

/** A program that this shell carries out itself, as a process of its own: in the place of the one that has nothing else to do, or as a child. */
async function carried(ctx: Context, argv: readonly string[], work: (inner: Context) => Promise<number>): Promise<number> {
  if (ctx.last && ctx.process) {
    await ctx.process.exec(argv);
    return work({ ...ctx, last: false });
  }
  const { processes } = ctx.shell.system;
  const { interrupt, done } = ctx.interrupt.child();
  const process = processes.begin(ctx.process, argv, interrupt, ctx.shell.interactive && ctx.shell.subshell === 0);
  if (!process) throw new ShellError("fork: retry: Resource temporarily unavailable", 254);
  let status = 1;
  try {
    status = await alone(ctx.interrupt, interrupt, () => work({ ...ctx, interrupt, process }));
  } catch (error) {
    if (error instanceof Interrupted) status = error.status;
    throw error;
  } finally {
    done();
    await processes.end(process, status);
  }
  return interrupt.fired ? tellEnd(ctx, status) : status;
}

/** What an interactive shell says of a program in the foreground that a signal ended; of Ctrl-C and a closed pipe it says nothing. */
async function tellEnd(ctx: Context, status: number): Promise<number> {
  const texts: Readonly<Record<number, string>> = { 129: "Hangup", 131: "Quit", 137: "Killed", 143: "Terminated" };
  const text = texts[status];
  if (text !== undefined && ctx.shell.interactive && !ctx.process && !ctx.interrupt.fired) await say(ctx, 2, `${text}\n`);
  return status;
}

async function guarded(program: Program, run: Run): Promise<number> {
  try {
    return await program(run);
  } catch (error) {
    if (error instanceof UsageError) return run.fail(error.message, error.status);
    if (error instanceof FileError || (error instanceof StreamError && !(error instanceof BrokenPipe))) return run.fail(error.message);
    throw error;
  }
}

/** A file given by its path: a program, a script of the node, or the error bash has for it. */
async function runPath(
  executor: Executor,
  ctx: Context,
  argv: readonly string[],
  arrays: ReadonlyMap<string, readonly string[]>,
): Promise<number> {
  const [path = "", ...args] = argv;
  const run = new Run(path, args, ctx, executor);
  const stat = await run.files.maybeStat(run.path(path));
  if (!stat) throw new ShellError(`${path}: No such file or directory`, 127);
  if (stat.type === "directory") throw new ShellError(`${path}: Is a directory`, 126);
  if ((stat.mode & 0o111) === 0) throw new ShellError(`${path}: Permission denied`, 126);
  const data = await run.bytes(path);
  const program = programIn(data);
  const status = program === undefined ? undefined : await runNamed(executor, ctx, program, argv, arrays);
  if (status !== undefined) return status;
  // The kernel does not take it, and bash sees that it is no text.
  if (data.subarray(0, BINARY_LOOK).includes(0)) throw new ShellError(`${path}: cannot execute binary file: Exec format error`, 126);
  const source = decode(data);
  const interpreterName = /^#!\s*(?:\/usr\/bin\/env\s+)?(\S+)/.exec(source)?.[1] ?? "/bin/sh";
  if (!/\/?(?:ba|da)?sh$/.test(interpreterName))
    throw new ShellError(`${path}: ${interpreterName}: bad interpreter: No such file or directory`, 126);
  return carried(ctx, [interpreterName, path, ...args], (inner) => runScript(executor, { ...inner, last: true }, source, path, args));
}

/** A script in a shell of its own. */
export async function runScript(executor: Executor, ctx: Context, source: string, arg0: string, args: readonly string[]): Promise<number> {
  return executor.spawn(ctx, (inner) => {
    inner.shell.arg0 = arg0;
    inner.shell.positional = [...args];
    inner.shell.functions.clear();
    inner.shell.aliases.clear();
    inner.shell.loops = 0;
    inner.shell.inFunction = 0;
    for (const [name, variable] of inner.shell.vars) if (!variable.exported) inner.shell.vars.delete(name);
    return executor.evaluateSource(inner, source);
  });
}

export async function callFunction(
  executor: Executor,
  ctx: Context,
  args: readonly string[],
  body: () => Promise<number>,
): Promise<number> {
  const { shell } = ctx;
  if (shell.depth >= DEPTH_MAX) throw new ShellError(`maximum function nesting level exceeded (${DEPTH_MAX})`, 1, true);
  const saved = { positional: shell.positional, loops: shell.loops };
  shell.positional = [...args];
  shell.loops = 0;
  shell.depth++;
  shell.inFunction++;
  shell.locals.push(new Map());
  try {
    await shell.system.step(ctx.interrupt);
    return await body();
  } catch (error) {
    if (error instanceof Leave && error.what === "return") return error.count;
    throw error;
  } finally {
    for (const [name, old] of shell.locals.pop() ?? []) {
      if (old) shell.vars.set(name, old);
      else shell.vars.delete(name);
    }
    shell.inFunction--;
    shell.depth--;
    shell.positional = saved.positional;
    shell.loops = saved.loops;
  }
}
