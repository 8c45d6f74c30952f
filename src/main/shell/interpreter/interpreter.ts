/**
 * Runs parsed lines: lists, pipelines of concurrent stages, compound commands, functions, substitutions. Simple commands are looked up in command.ts.
 * Control flow travels as Leave, Ctrl-C as Interrupted, a broken pipe as BrokenPipe; a stage turns them into statuses.
 */
import type {
  AndOr,
  CommandExpansionPart,
  CommandNode,
  CompoundCommand,
  CompoundList,
  ParsedScript,
  Pipeline,
  ProcessSubstitutionPart,
  Script,
  Statement,
} from "unbash";
import { print } from "unbash/printer";
import { FileError } from "../files.ts";
import { Interrupt, Interrupted } from "../interrupt.ts";
import { PortError } from "../port.ts";
import type { OpenFile } from "../streams.ts";
import { BrokenPipe, makePipe, nullFile, StreamError } from "../streams.ts";
import { alone, type Process } from "../processes.ts";
import { runArgv, runCommand, runScript } from "./command.ts";
import { runCompound } from "./compound.ts";
import type { Runner } from "./expand.ts";
import { Expander } from "./expand.ts";
import type { Executor } from "./program.ts";
import { decode } from "../bytes.ts";
import { openInput } from "./program.ts";
import { redirect, redirectProcess, releaseAll } from "./redirect.ts";
import type { Context, Descriptors, FunctionBody } from "./shell.ts";
import { complain, DEPTH_MAX, Leave, say, ShellError, STRING_MAX } from "./shell.ts";
import { parseLine, syntaxError } from "./syntax.ts";

/** Commands that PIPESTATUS tells of; the others leave it to what is in them (bash, observed). */
const isPipelineOfOne = ({ type }: CommandNode): boolean =>
  type === "Command" || type === "Subshell" || type === "TestCommand" || type === "ArithmeticCommand";

export class Interpreter implements Runner, Executor {
  readonly expander = new Expander(this);

  /** A whole script: syntax errors first, then its statements. */
  async script(ctx: Context, script: ParsedScript, source: string): Promise<number> {
    const wrong = syntaxError(script, source);
    if (wrong !== undefined) {
      await complain(ctx, wrong);
      return (ctx.shell.status = 2);
    }
    return this.statements(ctx, script.commands);
  }

  async statements(ctx: Context, statements: readonly Statement[]): Promise<number> {
    for (const statement of statements) await this.statement(ctx, statement);
    return ctx.shell.status;
  }

  async list(ctx: Context, list: CompoundList): Promise<number> {
    return this.statements(ctx, list.commands);
  }

  private async statement(ctx: Context, statement: Statement): Promise<void> {
    await ctx.shell.system.step(ctx.interrupt);
    if (ctx.shell.options.noexec && !ctx.shell.interactive) return;
    if (statement.background) await this.background(ctx, statement);
    else if (statement.command.type === "AndOr") await this.andOr(ctx, statement.command);
    else await this.pipeline(ctx, statement.command);
  }

  private async andOr(ctx: Context, node: AndOr): Promise<number> {
    const quiet: Context = { ...ctx, condition: true };
    for (const [index, command] of node.commands.entries()) {
      const operator = index === 0 ? undefined : node.operators[index - 1];
      if (operator === "&&" && ctx.shell.status !== 0) continue;
      if (operator === "||" && ctx.shell.status === 0) continue;
      await this.pipeline(index < node.commands.length - 1 ? quiet : ctx, command);
    }
    return ctx.shell.status;
  }

  private async pipeline(ctx: Context, node: CommandNode | Pipeline): Promise<number> {
    if (node.type !== "Pipeline") {
      const status = await this.command(ctx, node);
      ctx.shell.status = status;
      return exitOnError(ctx, status, node.type === "Command" || node.type === "Subshell" || node.type === "Redirected");
    }
    const negated = node.prefixes.filter((prefix) => prefix.type === "Negation").length % 2 === 1;
    const timed = node.prefixes.some((prefix) => prefix.type === "Time");
    const began = timed ? (await ctx.shell.system.now()).instant : 0;
    const inner: Context = negated ? { ...ctx, condition: true } : ctx;
    const only = node.commands.length === 1 ? node.commands[0] : undefined;
    let status = only ? await this.command(inner, only) : await this.stages(inner, node);
    if (timed) await say(ctx, 2, timeReport((await ctx.shell.system.now()).instant - began));
    if (negated) status = status === 0 ? 1 : 0;
    ctx.shell.status = status;
    return exitOnError(inner, status, true);
  }

  private async stages(ctx: Context, node: Pipeline): Promise<number> {
    const runs: Promise<number>[] = [];
    let input: OpenFile | undefined;
    for (const [index, command] of node.commands.entries()) {
      const fds: Descriptors = copyDescriptors(ctx.fds);
      if (input) await put(fds, 0, input);
      input = undefined;
      if (index < node.commands.length - 1) {
        const pipe = makePipe();
        await put(fds, 1, pipe.writer);
        if (node.operators[index] === "|&") await put(fds, 2, pipe.writer.retain());
        input = pipe.reader;
      }
      const group = forksGroup(ctx);
      runs.push(this.process(ctx, fds, ctx.interrupt, (inner) => this.command(inner, command), { group, last: true }));
    }
    const results = await Promise.allSettled(runs);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    ctx.interrupt.check();
    const statuses = results.map((result) => (result.status === "fulfilled" ? result.value : 1));
    ctx.shell.pipeStatus = statuses;
    const last = statuses.at(-1) ?? 0;
    return ctx.shell.options.pipefail ? (statuses.findLast((status) => status !== 0) ?? 0) : last;
  }

  /**
   * A process: a copy of the shell with open files of its own, which it lets go at its end.
   * @returns its status. Rejects only when the lab itself failed, or with Interrupted.
   */
  async spawn(ctx: Context, body: (inner: Context) => Promise<number>, interrupt = ctx.interrupt): Promise<number> {
    return this.process(ctx, copyDescriptors(ctx.fds), interrupt, body);
  }

  private async process(
    ctx: Context,
    fds: Descriptors,
    interrupt: Interrupt,
    body: (inner: Context) => Promise<number>,
    { begun, group = false, last = false }: { begun?: Process | undefined; group?: boolean; last?: boolean } = {},
  ): Promise<number> {
    const { processes } = ctx.shell.system;
    const own = begun ? { interrupt, done: () => undefined } : interrupt.child();
    let process = begun;
    let ended = 1;
    try {
      process ??= processes.begin(ctx.process, undefined, own.interrupt, group);
      if (!process) throw new ShellError(NO_PROCESS, 254);
      process.fds = fds;
      const shell = ctx.shell.fork();
      shell.traps.delete("EXIT");
      const inner: Context = { shell, fds, interrupt: own.interrupt, condition: ctx.condition, process, last };
      ended = await alone(interrupt, own.interrupt, async () => {
        const status = await this.settle(inner, () => body(inner));
        return this.exitTrap(inner, status);
      });
      return ended;
    } catch (error) {
      if (error instanceof Interrupted) ended = error.status;
      if (!(error instanceof ShellError)) throw error;
      await complain({ ...ctx, fds }, error.message);
      return (ended = error.status);
    } finally {
      own.done();
      await releaseQuietly(ctx, [...fds.values()]);
      if (process) await processes.end(process, ended);
    }
  }

  /** Runs `body` and turns what ends a shell into its status. */
  async settle(ctx: Context, body: () => Promise<number>): Promise<number> {
    try {
      return await body();
    } catch (error) {
      return this.statusOf(ctx, error);
    }
  }

  private async statusOf(ctx: Context, error: unknown): Promise<number> {
    if (error instanceof Leave) return error.what === "break" || error.what === "continue" ? ctx.shell.status : error.count;
    if (error instanceof BrokenPipe) return 141;
    if (error instanceof ShellError) {
      await complain(ctx, error.message);
      return error.status;
    }
    if (error instanceof StreamError || error instanceof FileError) {
      await complain(ctx, error.message);
      return 1;
    }
    throw error;
  }

  /** The EXIT trap of a shell that ends. */
  async exitTrap(ctx: Context, status: number): Promise<number> {
    const trap = ctx.shell.traps.get("EXIT");
    if (trap === undefined) return status;
    ctx.shell.traps.delete("EXIT");
    ctx.shell.status = status;
    return this.settle(ctx, async () => {
      await this.evaluateSource(ctx, trap);
      return status;
    });
  }

  private async background(ctx: Context, statement: Statement): Promise<void> {
    const interrupt = new Interrupt();
    const fds = copyDescriptors(ctx.fds);
    await put(fds, 0, nullFile());
    const command = statement.command;
    const { processes } = ctx.shell.system;
    const process = processes.begin(ctx.process, undefined, interrupt, forksGroup(ctx));
    const pid = (await process?.announce()) ?? 0;
    if (!process || pid === 0) {
      await releaseQuietly(ctx, [...fds.values()]);
      if (process) await processes.end(process, 1);
      throw new ShellError(NO_PROCESS, 254);
    }
    const run = async (inner: Context): Promise<number> =>
      command.type === "AndOr" ? this.andOr({ ...inner, last: false }, command) : this.pipeline(inner, command);
    const done = this.process(ctx, fds, interrupt, run, { begun: process, last: true }).catch((error: unknown) => {
      if (error instanceof Interrupted) return error.status;
      if (error instanceof PortError) return 255;
      throw error;
    });
    const text = print({ type: "Script", pos: 0, end: 0, shebang: undefined, commands: [{ ...statement, background: false }] }).trim();
    const job = ctx.shell.jobs.add(pid, process.group, text, interrupt, done);
    process.onStopped = (stopped) => (job.stopped = stopped);
    ctx.shell.lastBackground = pid;
    ctx.shell.status = 0;
    if (ctx.shell.interactive && ctx.shell.subshell === 0) await say(ctx, 2, `[${job.id}] ${pid}\n`);
  }

  /** One command of a pipeline, in this shell. Errors of the command itself become its status. */
  async command(ctx: Context, node: CommandNode): Promise<number> {
    const status = await this.carriedOut(ctx, node);
    if (isPipelineOfOne(node)) ctx.shell.pipeStatus = [status];
    return status;
  }

  private async carriedOut(ctx: Context, node: CommandNode): Promise<number> {
    try {
      switch (node.type) {
        case "Command":
          return await runCommand(this, ctx, node);
        case "Redirected": {
          const { fds, opened } = await redirect(this.expander, ctx, node.redirects);
          try {
            await redirectProcess(ctx, fds);
            return await this.command({ ...ctx, fds }, node.command);
          } finally {
            await releaseAll(opened);
          }
        }
        case "Function":
          ctx.shell.functions.set(await this.expander.text(ctx, node.name), node.body);
          return 0;
        case "Coproc":
          throw new ShellError("coproc: not modelled in this shell");
        default:
          return await this.compound(ctx, node);
      }
    } catch (error) {
      if (error instanceof ShellError && !error.fatal) {
        await complain(ctx, error.message);
        return error.status;
      }
      if (error instanceof ShellError) {
        await complain(ctx, error.message);
        throw ctx.shell.interactive && ctx.shell.subshell === 0 ? new Leave("abandon", 1) : new Leave("exit", error.status);
      }
      throw error;
    }
  }

  runArgv(ctx: Context, argv: readonly string[]): Promise<number> {
    return runArgv(this, ctx, argv);
  }

  runScript(ctx: Context, source: string, arg0: string, args: readonly string[]): Promise<number> {
    return runScript(this, ctx, source, arg0, args);
  }

  async body(ctx: Context, body: FunctionBody): Promise<number> {
    return body.type === "CompoundList" ? this.list(ctx, body) : this.command(ctx, body);
  }

  private async compound(ctx: Context, node: CompoundCommand): Promise<number> {
    const inside: Context = { ...ctx, last: false };
    if (node.type !== "Subshell") return runCompound(this, inside, node);
    // One that is all of a process needs no other.
    if (ctx.last) return this.list(inside, node.body);
    return this.process(ctx, copyDescriptors(ctx.fds), ctx.interrupt, (inner) => this.list(inner, node.body));
  }

  /** A line known as text: `eval`, `source`, traps, `bash -c`. */
  async evaluateSource(ctx: Context, source: string): Promise<number> {
    if (++ctx.shell.depth > DEPTH_MAX) {
      ctx.shell.depth--;
      throw new ShellError(`maximum nesting level exceeded (${DEPTH_MAX})`, 1, true);
    }
    try {
      return await this.script(ctx, parseLine(source), source);
    } finally {
      ctx.shell.depth--;
    }
  }

  async substitute(ctx: Context, part: CommandExpansionPart): Promise<string> {
    const script = part.script;
    if (!script) return "";
    const direct = onlyInput(script);
    if (direct) {
      const path = await this.expander.text(ctx, direct);
      const file = await openInput(ctx, path).catch((error: unknown) => {
        throw error instanceof FileError ? new ShellError(`${path}: ${error.message}`) : error;
      });
      return trimmed(await file.readAll(ctx.interrupt, STRING_MAX));
    }
    const pipe = makePipe();
    const fds = copyDescriptors(ctx.fds);
    await put(fds, 1, pipe.writer);
    const run = this.process(ctx, fds, ctx.interrupt, (inner) => this.script(inner, script, script.source ?? part.text));
    const [status, output] = await Promise.allSettled([
      run,
      pipe.reader.readAll(ctx.interrupt, STRING_MAX).finally(() => pipe.reader.release()),
    ]);
    if (status.status === "rejected") throw status.reason;
    if (output.status === "rejected") throw output.reason;
    ctx.shell.status = status.value;
    return trimmed(output.value);
  }

  async processSubstitution(ctx: Context, part: ProcessSubstitutionPart): Promise<string> {
    const script = part.script;
    if (!script) throw new ShellError("syntax error in process substitution", 2);
    let number = 63;
    while (ctx.fds.has(number)) number--;
    const pipe = makePipe();
    const fds = copyDescriptors(ctx.fds);
    await put(fds, part.operator === "<" ? 1 : 0, part.operator === "<" ? pipe.writer : pipe.reader);
    ctx.fds.set(number, part.operator === "<" ? pipe.reader : pipe.writer);
    const run = this.process(ctx, fds, ctx.interrupt, (inner) => this.script(inner, script, script.source ?? part.text));
    run.catch(() => undefined);
    return `/dev/fd/${number}`;
  }
}

/** `$(<file)` */
function onlyInput(script: Script): Parameters<Expander["text"]>[1] | undefined {
  const command = script.commands.length === 1 ? script.commands[0]?.command : undefined;
  if (command?.type !== "Command" || command.name || command.prefix.length !== 1) return undefined;
  const only = command.prefix[0];
  return only?.type === "Redirect" && only.operator === "<" && !only.descriptor ? only.target : undefined;
}

function trimmed(output: Uint8Array): string {
  return decode(output).replaceAll("\u0000", "").replace(/\n+$/, "");
}

/** bash's message for EAGAIN from fork. */
const NO_PROCESS = "fork: retry: Resource temporarily unavailable";

/** An interactive shell gives every pipeline a process group (job control); what it forks belongs to theirs. */
const forksGroup = (ctx: Context): boolean => ctx.shell.interactive && ctx.shell.subshell === 0;

function exitOnError(ctx: Context, status: number, simple: boolean): number {
  if (status !== 0 && simple && ctx.shell.options.errexit && !ctx.condition) throw new Leave("exit", status);
  return status;
}

function timeReport(micros: number): string {
  const seconds = micros / 1_000_000;
  const real = `${Math.floor(seconds / 60)}m${(seconds % 60).toFixed(3)}s`;
  return `\nreal\t${real}\nuser\t0m0.000s\nsys\t0m0.000s\n`;
}

export function copyDescriptors(fds: Descriptors): Descriptors {
  const copy: Descriptors = new Map();
  for (const [number, file] of fds) copy.set(number, file.retain());
  return copy;
}

/** Replaces an entry of a table that owns its files. */
export async function put(fds: Descriptors, number: number, file: OpenFile): Promise<void> {
  const old = fds.get(number);
  fds.set(number, file);
  await old?.release();
}

async function releaseQuietly(ctx: Context, files: readonly OpenFile[]): Promise<void> {
  for (const file of files) {
    try {
      await file.release();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      await complain(ctx, `write error: ${error.message}`);
    }
  }
}
