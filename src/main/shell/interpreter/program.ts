/** What a program or built-in gets, and the few things all of them do: write, complain, read options, open inputs. */
import { FileError, resolvePath } from "../files.ts";
import type { Files } from "../files.ts";
import type { Interrupt } from "../interrupt.ts";
import type { OpenFile } from "../streams.ts";
import { decode } from "../bytes.ts";
import { nodeInput, nullFile, StreamError } from "../streams.ts";
import type { System } from "../system.ts";
import type { Expander } from "./expand.ts";
import type { Context, FunctionBody, Shell } from "./shell.ts";
import { filesOf } from "./shell.ts";

/** The running of commands, for the programs that start others. */
export interface Executor {
  readonly expander: Expander;
  /** Built-ins and programs, not functions. */
  runArgv(ctx: Context, argv: readonly string[]): Promise<number>;
  /** A script in a shell of its own. */
  runScript(ctx: Context, source: string, arg0: string, args: readonly string[]): Promise<number>;
  /** Text in this shell: `eval`, `source`, traps. */
  evaluateSource(ctx: Context, source: string): Promise<number>;
  /** A copy of the shell as a process of its own. */
  spawn(ctx: Context, body: (inner: Context) => Promise<number>, interrupt?: Interrupt): Promise<number>;
  /** What `body` makes of a function or a compound command. */
  body(ctx: Context, body: FunctionBody): Promise<number>;
}

/** @returns the exit status */
export type Program = (run: Run) => Promise<number>;

/** A wrong option or operand: the message (without the program's name) and the status. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly status = 1,
  ) {
    super(message);
  }
}

export class Run {
  constructor(
    readonly name: string,
    readonly args: readonly string[],
    readonly ctx: Context,
    readonly executor: Executor,
    /** Values of array assignments among the arguments of `declare` and its kin. */
    readonly arrays: ReadonlyMap<string, readonly string[]> = new Map(),
  ) {}

  get shell(): Shell {
    return this.ctx.shell;
  }

  get system(): System {
    return this.ctx.shell.system;
  }

  get files(): Files {
    return filesOf(this.ctx);
  }

  get interrupt(): Interrupt {
    return this.ctx.interrupt;
  }

  get stdin(): OpenFile {
    return this.ctx.fds.get(0) ?? nullFile();
  }

  get stdout(): OpenFile | undefined {
    return this.ctx.fds.get(1);
  }

  path(path: string): string {
    return resolvePath(this.shell.cwd, path);
  }

  async out(data: string | Uint8Array): Promise<void> {
    const file = this.ctx.fds.get(1);
    if (!file) throw new StreamError("write error: Bad file descriptor");
    await file.write(data, this.interrupt);
  }

  async err(text: string): Promise<void> {
    await this.ctx.fds.get(2)?.write(text, this.interrupt);
  }

  /** `NAME: message` on standard error. @returns `status` */
  async fail(message: string, status = 1): Promise<number> {
    await this.err(`${this.name}: ${message}\n`);
    return status;
  }

  /** An input named on the command line: `-` is standard input. @throws FileError */
  async open(path: string): Promise<OpenFile> {
    return openInput(this.ctx, path);
  }

  /** A whole file as bytes. @throws FileError */
  async bytes(path: string, limit = 64 * 1024 * 1024): Promise<Uint8Array> {
    const file = await this.open(path);
    try {
      return await file.readAll(this.interrupt, limit);
    } finally {
      await file.release();
    }
  }

  /** Lines of an input without their newlines. */
  async *lines(file: OpenFile): AsyncGenerator<string> {
    for (;;) {
      const line = await file.readLine(this.interrupt);
      if (line === null) return;
      await this.system.step(this.interrupt);
      yield decode(line.at(-1) === 10 ? line.subarray(0, -1) : line);
    }
  }
}

/** @throws FileError */
export async function openInput(ctx: Context, path: string): Promise<OpenFile> {
  const number = path === "-" || path === "/dev/stdin" ? 0 : /^\/dev\/fd\/(\d+)$/.exec(path)?.[1];
  if (number !== undefined) {
    const file = ctx.fds.get(Number(number));
    if (!file) throw new FileError("ENOENT");
    return file.retain();
  }
  if (path === "/dev/tty") {
    const terminal = [...ctx.fds.values()].find((file) => file.tty);
    if (!terminal) throw new FileError("ENXIO");
    return terminal.retain();
  }
  if (path === "") throw new FileError("ENOENT");
  const resolved = resolvePath(ctx.shell.cwd, path);
  if (resolved === "/dev/null") return nullFile();
  if (resolved === "/dev/zero") return zeroes();
  return nodeInput(filesOf(ctx), resolved);
}

function zeroes(): OpenFile {
  const file = nullFile();
  Object.assign(file.device, { read: () => Promise.resolve(new Uint8Array(65_536)) });
  return file;
}

export interface OptionSpec {
  /** Flags that take no value. */
  flags: string;
  /** Flags that take a value. */
  values?: string;
  /** Long names to flags; a long name whose flag is in `values` takes a value. */
  long?: Readonly<Record<string, string>>;
  /** Status of a usage error. */
  status?: number;
  /** Options end at the first operand. */
  strict?: boolean;
}

export interface Parsed {
  has(letter: string): boolean;
  /** The last value of an option. */
  value(letter: string): string | undefined;
  all(letter: string): string[];
  operands: string[];
}

/** GNU-style options. @throws UsageError */
export function parseOptions(args: readonly string[], spec: OptionSpec): Parsed {
  const found: [string, string][] = [];
  const operands: string[] = [];
  const takes = (letter: string): boolean => spec.values?.includes(letter) ?? false;
  const wrong = (message: string): never => {
    throw new UsageError(message, spec.status ?? 1);
  };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(at + 1));
      break;
    }
    if (arg.startsWith("--")) {
      const [name, ...rest] = arg.slice(2).split("=");
      const letter = longOption(spec, name ?? "");
      if (letter === undefined) return wrong(`unrecognized option '${arg}'`);
      if (!takes(letter)) found.push([letter, ""]);
      else if (arg.includes("=")) found.push([letter, rest.join("=")]);
      else if (++at < args.length) found.push([letter, args[at] ?? ""]);
      else return wrong(`option '--${name}' requires an argument`);
    } else if (arg.startsWith("-") && arg.length > 1) {
      for (let i = 1; i < arg.length; i++) {
        const letter = arg.charAt(i);
        if (spec.flags.includes(letter)) found.push([letter, ""]);
        else if (!takes(letter)) return wrong(`invalid option -- '${letter}'`);
        else {
          if (i + 1 < arg.length) found.push([letter, arg.slice(i + 1)]);
          else if (++at < args.length) found.push([letter, args[at] ?? ""]);
          else return wrong(`option requires an argument -- '${letter}'`);
          break;
        }
      }
    } else {
      operands.push(arg);
      if (spec.strict) {
        operands.push(...args.slice(at + 1));
        break;
      }
    }
  }
  return {
    has: (letter) => found.some(([name]) => name === letter),
    value: (letter) => found.findLast(([name]) => name === letter)?.[1],
    all: (letter) => found.filter(([name]) => name === letter).map(([, value]) => value),
    operands,
  };
}

function longOption(spec: OptionSpec, name: string): string | undefined {
  const exact = spec.long?.[name];
  if (exact !== undefined) return exact;
  const close = Object.entries(spec.long ?? {}).filter(([long]) => long.startsWith(name));
  return close.length === 1 ? close[0]?.[1] : undefined;
}
