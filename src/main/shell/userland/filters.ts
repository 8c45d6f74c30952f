/**
 * Text tools that need no streaming (awk, sed, sort, jq …), run by just-bash over the node's files. It is loaded at the first use, has no network, no
 * Python and no JavaScript, knows only the commands listed here, and sees a file system that leads to the node and nowhere else.
 */
import type { Bash, CommandName, FileContent, FsStat, IFileSystem } from "just-bash";
import { decode, encode, isText, latin } from "../bytes.ts";
import { errnoText, FileError, resolvePath, type FileStat } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import type { Files } from "../files.ts";
import { FILTERS } from "./filter-names.ts";

/** Input one filter takes, bytes. */
const INPUT_MAX = 32 * 1024 * 1024;
/** Characters of one string of a filter's program: what doubles has no time to reach the end of the computer's memory. */
const STRING_MAX = 8 * 1024 * 1024;
/** Wall time one filter may take, ms. */
const FILTER_MS = 30_000;

const programs = new Map<string, Program>();
for (const name of FILTERS) programs.set(name, (run) => filter(name, run));
for (const name of ["gawk", "mawk"]) programs.set(name, (run) => filter("awk", run));

export function textFilter(name: string): Program | undefined {
  return programs.get(name);
}

export const FILTER_NAMES: readonly string[] = [...programs.keys()];

/** Without these operands a filter does not look at its input at all. */
const needsInput = (name: string): boolean => name !== "expr";

/** Those that take lines of text. What is no text they would change, so that they get it byte by byte (`bytewise`). */
const OF_TEXT: readonly string[] = "awk sed sort column paste nl tac rev fold expand unexpand comm join".split(" ");

/** One character a byte, as UTF-8: text for whoever takes text alone. */
const doubled = (data: Uint8Array): Uint8Array => Buffer.from(Buffer.from(data).toString("latin1"), "utf8");
const undoubled = (data: Uint8Array): Uint8Array => Buffer.from(Buffer.from(data).toString("utf8"), "latin1");

async function isNoText(name: string, run: Run, stdin: Uint8Array): Promise<boolean> {
  if (!OF_TEXT.includes(name)) return false;
  if (!isText(decode(stdin)) || run.args.some((arg) => !isText(arg))) return true;
  for (const path of run.args) {
    const stat = path.startsWith("-") ? undefined : await run.files.maybeStat(run.path(path));
    if (stat?.type === "file" && stat.size <= INPUT_MAX && !isText(decode(await run.files.read(run.path(path))))) return true;
  }
  return false;
}

async function filter(name: CommandName, run: Run): Promise<number> {
  const stdin = needsInput(name) && !run.stdin.tty ? await readInput(name, run) : new Uint8Array(0);
  const bytewise = await isNoText(name, run, stdin);
  const abort = new AbortController();
  const off = run.interrupt.onFire(() => abort.abort());
  try {
    const result = await run.system.busy(execute(name, run, stdin, bytewise, abort.signal));
    run.interrupt.check();
    const bytes = Buffer.from(result.stdout, "latin1");
    if (result.stdoutKind === "bytes") await run.out(bytewise ? undoubled(bytes) : bytes);
    else await run.out(bytewise ? bytes : result.stdout);
    await run.err(bytewise ? decode(Buffer.from(result.stderr, "latin1")) : result.stderr);
    return result.exitCode;
  } finally {
    off();
  }
}

/** Standard input is read only when the operands do not name the files: `awk 'BEGIN{…}'` and `sed -n p FILE` leave it alone. */
async function readInput(name: string, run: Run): Promise<Uint8Array> {
  if (
    name === "awk" &&
    /^\s*BEGIN\s*\{[^]*\}\s*$/.test(run.args.find((arg) => !arg.startsWith("-")) ?? "") &&
    !/getline|END|\}\s*\{/.test(run.args.join(" "))
  )
    return new Uint8Array(0);
  const operands = run.args.filter((arg) => !arg.startsWith("-") || arg === "-");
  const wanted = ["awk", "sed", "jq"].includes(name) ? operands.slice(1) : operands;
  const files = await Promise.all(wanted.map((path) => run.files.maybeStat(run.path(path))));
  if (files.some((stat) => stat !== undefined) && !operands.includes("-")) return new Uint8Array(0);
  return run.stdin.readAll(run.interrupt, INPUT_MAX);
}

interface Result {
  stdout: string;
  stdoutKind?: string | undefined;
  stderr: string;
  exitCode: number;
}

async function execute(name: CommandName, run: Run, stdin: Uint8Array, bytewise: boolean, signal: AbortSignal): Promise<Result> {
  const fs = new NodeFileSystem(run.files, run.shell.cwd, bytewise);
  const bash = await makeBash(fs, run);
  try {
    const result = await bash.exec(name, {
      args: bytewise ? run.args.map(latin) : [...run.args],
      stdin: Buffer.from(bytewise ? doubled(stdin) : stdin).toString("latin1"),
      stdinKind: "bytes",
      cwd: run.shell.cwd,
      env: run.shell.environment(),
      replaceEnv: true,
      signal,
    });
    return { ...result, stderr: result.stderr.replace(/^bash: line \d+: /gm, "") };
  } catch (error) {
    // just-bash lets an error of the file system out of exec()
    if (signal.aborted) return { stdout: "", stderr: "", exitCode: 130 };
    return { stdout: "", stderr: `${name}: ${error instanceof Error ? error.message : String(error)}\n`, exitCode: 1 };
  }
}

async function makeBash(fs: IFileSystem, run: Run): Promise<Bash> {
  const { Bash: Shell } = await import("just-bash");
  return new Shell({
    fs,
    cwd: run.shell.cwd,
    env: run.shell.environment(),
    commands: [...FILTERS],
    python: false,
    javascript: false,
    defenseInDepth: false,
    processInfo: { pid: run.system.process?.pid ?? 2, ppid: 1, uid: 0, gid: 0 },
    executionLimits: {
      maxExecutionTimeMs: FILTER_MS,
      maxInputBytes: INPUT_MAX * 2,
      maxOutputSize: INPUT_MAX * 2,
      maxStringLength: STRING_MAX,
      maxLiveBytes: INPUT_MAX * 4,
      maxAwkIterations: 2_000_000,
      maxSedIterations: 2_000_000,
    },
  });
}

class NodeError extends Error {
  constructor(
    readonly code: string,
    path: string,
  ) {
    super(`${path}: ${errnoText(code)}`);
  }
}

/** The node's files in the shape just-bash asks for. */
class NodeFileSystem implements IFileSystem {
  constructor(
    private readonly files: Files,
    private readonly cwd: string,
    private readonly bytewise: boolean,
  ) {}

  private async from<T>(path: string, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof FileError) throw new NodeError(error.errno, path);
      throw error;
    }
  }

  resolvePath(base: string, path: string): string {
    return resolvePath(base || this.cwd, path);
  }

  /** The node's name of a path. */
  private at(path: string): string {
    const resolved = this.resolvePath("", path);
    return this.bytewise ? decode(Buffer.from(resolved, "latin1")) : resolved;
  }

  private bytesOf(content: FileContent): Uint8Array {
    const bytes = typeof content === "string" ? encode(content) : content;
    return this.bytewise ? undoubled(bytes) : bytes;
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    const data = await this.from(path, this.files.read(this.at(path)));
    return this.bytewise ? doubled(data) : data;
  }

  async readFile(path: string, options?: { encoding?: string | null } | string): Promise<string> {
    const encoding = (typeof options === "string" ? options : options?.encoding) ?? "utf8";
    const known = ["utf8", "latin1", "base64", "hex", "ascii", "binary"] as const;
    return Buffer.from(await this.readFileBuffer(path)).toString(known.find((name) => name === encoding.replace("-", "")) ?? "utf8");
  }

  async writeFile(path: string, content: FileContent): Promise<void> {
    await this.from(path, this.files.write(this.at(path), this.bytesOf(content)));
  }

  async appendFile(path: string, content: FileContent): Promise<void> {
    await this.from(path, this.files.write(this.at(path), this.bytesOf(content), true));
  }

  /** just-bash wants to find its own commands as files on PATH. */
  private isFilter(path: string): boolean {
    const m = /^\/usr\/bin\/([^/]+)$/.exec(path);
    return m !== null && programs.has(m[1] ?? "");
  }

  async exists(path: string): Promise<boolean> {
    if (this.isFilter(path)) return true;
    return (await this.files.maybeStat(this.at(path))) !== undefined;
  }

  async stat(path: string): Promise<FsStat> {
    if (this.isFilter(path)) return toStat({ type: "file", mode: 0o755, size: 0 });
    return toStat(await this.from(path, this.files.stat(this.at(path))));
  }

  async lstat(path: string): Promise<FsStat> {
    return toStat(await this.from(path, this.files.lstat(this.at(path))));
  }

  async readdir(path: string): Promise<string[]> {
    return (await this.from(path, this.files.list(this.at(path)))).map((entry) => entry.name);
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    const target = this.at(path);
    await this.from(path, options?.recursive === true ? this.files.mkdirs(target) : this.files.mkdir(target));
  }

  async rm(path: string, options?: { recursive?: boolean }): Promise<void> {
    const target = this.at(path);
    await this.from(path, options?.recursive === true ? this.files.remove(target) : this.files.change({ call: "unlink", path: target }));
  }

  async cp(source: string, target: string): Promise<void> {
    await this.writeFile(target, await this.readFileBuffer(source));
  }

  async mv(source: string, target: string): Promise<void> {
    await this.from(source, this.files.rename(this.at(source), this.at(target)));
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.from(path, this.files.chmod(this.at(path), mode));
  }

  async utimes(path: string): Promise<void> {
    await this.from(path, this.files.touch(this.at(path)));
  }

  async readlink(path: string): Promise<string> {
    return this.from(path, this.files.readlink(this.at(path)));
  }

  async realpath(path: string): Promise<string> {
    return this.from(path, this.files.realpath(this.at(path)));
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.from(path, this.files.change({ call: "symlink", target, path: this.at(path) }));
  }

  async link(existing: string, path: string): Promise<void> {
    await this.from(path, this.files.change({ call: "link", from: this.at(existing), to: this.at(path) }));
  }

  getAllPaths(): string[] {
    return [];
  }
}

function toStat(stat: Pick<FileStat, "type" | "mode" | "size">): FsStat {
  return {
    isFile: stat.type === "file",
    isDirectory: stat.type === "directory",
    isSymbolicLink: stat.type === "symlink",
    mode: stat.mode & 0o7777,
    size: stat.size,
    mtime: new Date(0),
  };
}
