/**
 * Text tools that need no streaming (awk, sed, sort, jq …), run by just-bash over the node's files. It is loaded at the first use, has no network, no
 * Python and no JavaScript, knows only the commands listed here, and sees a file system that leads to the node and nowhere else.
 */
import type { Bash, CommandName, FileContent, FsStat, IFileSystem } from "just-bash";
import { encode } from "../bytes.ts";
import { errnoText, FileError, resolvePath, type FileStat } from "../files.ts";
import type { Program, Run } from "../interpreter/program.ts";
import type { Files } from "../files.ts";

const NAMES: readonly CommandName[] = [
  "awk",
  "sed",
  "sort",
  "jq",
  "column",
  "paste",
  "nl",
  "tac",
  "rev",
  "fold",
  "expand",
  "unexpand",
  "comm",
  "join",
  "md5sum",
  "sha1sum",
  "sha256sum",
  "base64",
  "expr",
  "strings",
];

/** Input one filter takes, bytes. */
const INPUT_MAX = 32 * 1024 * 1024;
/** Wall time one filter may take, ms. */
const FILTER_MS = 30_000;

const programs = new Map<string, Program>();
for (const name of NAMES) programs.set(name, (run) => filter(name, run));
for (const name of ["gawk", "mawk"]) programs.set(name, (run) => filter("awk", run));

export function textFilter(name: string): Program | undefined {
  return programs.get(name);
}

export const FILTER_NAMES: readonly string[] = [...programs.keys()];

/** Without these words a filter does not look at its input at all. */
const needsInput = (name: string): boolean => name !== "expr";

async function filter(name: CommandName, run: Run): Promise<number> {
  const stdin = needsInput(name) && !run.stdin.tty ? await readInput(name, run) : "";
  const abort = new AbortController();
  const off = run.interrupt.onFire(() => abort.abort());
  try {
    const result = await run.system.busy(execute(name, run, stdin, abort.signal));
    run.interrupt.check();
    await run.out(result.stdoutKind === "bytes" ? Buffer.from(result.stdout, "latin1") : result.stdout);
    await run.err(result.stderr);
    return result.exitCode;
  } finally {
    off();
  }
}

/** Standard input is read only when the operands do not name the files: `awk 'BEGIN{…}'` and `sed -n p FILE` leave it alone. */
async function readInput(name: string, run: Run): Promise<string> {
  if (
    name === "awk" &&
    /^\s*BEGIN\s*\{[^]*\}\s*$/.test(run.args.find((arg) => !arg.startsWith("-")) ?? "") &&
    !/getline|END|\}\s*\{/.test(run.args.join(" "))
  )
    return "";
  const operands = run.args.filter((arg) => !arg.startsWith("-") || arg === "-");
  const wanted = ["awk", "sed", "jq"].includes(name) ? operands.slice(1) : operands;
  const files = await Promise.all(wanted.map((path) => run.files.maybeStat(run.path(path))));
  if (files.some((stat) => stat !== undefined) && !operands.includes("-")) return "";
  const data = await run.stdin.readAll(run.interrupt, INPUT_MAX);
  return Buffer.from(data).toString("latin1");
}

interface Result {
  stdout: string;
  stdoutKind?: string | undefined;
  stderr: string;
  exitCode: number;
}

async function execute(name: CommandName, run: Run, stdin: string, signal: AbortSignal): Promise<Result> {
  const fs = new NodeFileSystem(run.files, run.shell.cwd);
  const bash = await makeBash(fs, run);
  try {
    const result = await bash.exec(name, {
      args: [...run.args],
      stdin,
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
    commands: [...NAMES],
    python: false,
    javascript: false,
    defenseInDepth: false,
    processInfo: { pid: run.system.process?.pid ?? 2, ppid: 1, uid: 0, gid: 0 },
    executionLimits: {
      maxExecutionTimeMs: FILTER_MS,
      maxInputBytes: INPUT_MAX * 2,
      maxOutputSize: INPUT_MAX * 2,
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

  async readFileBuffer(path: string): Promise<Uint8Array> {
    return this.from(path, this.files.read(this.resolvePath("", path)));
  }

  async readFile(path: string, options?: { encoding?: string | null } | string): Promise<string> {
    const encoding = (typeof options === "string" ? options : options?.encoding) ?? "utf8";
    const known = ["utf8", "latin1", "base64", "hex", "ascii", "binary"] as const;
    return Buffer.from(await this.readFileBuffer(path)).toString(known.find((name) => name === encoding.replace("-", "")) ?? "utf8");
  }

  async writeFile(path: string, content: FileContent): Promise<void> {
    await this.from(path, this.files.write(this.resolvePath("", path), toBytes(content)));
  }

  async appendFile(path: string, content: FileContent): Promise<void> {
    await this.from(path, this.files.write(this.resolvePath("", path), toBytes(content), true));
  }

  /** just-bash wants to find its own commands as files on PATH. */
  private isFilter(path: string): boolean {
    const m = /^\/usr\/bin\/([^/]+)$/.exec(path);
    return m !== null && programs.has(m[1] ?? "");
  }

  async exists(path: string): Promise<boolean> {
    if (this.isFilter(path)) return true;
    return (await this.files.maybeStat(this.resolvePath("", path))) !== undefined;
  }

  async stat(path: string): Promise<FsStat> {
    if (this.isFilter(path)) return toStat({ type: "file", mode: 0o755, size: 0 });
    return toStat(await this.from(path, this.files.stat(this.resolvePath("", path))));
  }

  async lstat(path: string): Promise<FsStat> {
    return toStat(await this.from(path, this.files.lstat(this.resolvePath("", path))));
  }

  async readdir(path: string): Promise<string[]> {
    return (await this.from(path, this.files.list(this.resolvePath("", path)))).map((entry) => entry.name);
  }

  async mkdir(path: string, options?: { recursive?: boolean }): Promise<void> {
    const target = this.resolvePath("", path);
    await this.from(path, options?.recursive === true ? this.files.mkdirs(target) : this.files.mkdir(target));
  }

  async rm(path: string, options?: { recursive?: boolean }): Promise<void> {
    const target = this.resolvePath("", path);
    await this.from(path, options?.recursive === true ? this.files.remove(target) : this.files.change({ call: "unlink", path: target }));
  }

  async cp(source: string, target: string): Promise<void> {
    await this.writeFile(target, await this.readFileBuffer(source));
  }

  async mv(source: string, target: string): Promise<void> {
    await this.from(source, this.files.rename(this.resolvePath("", source), this.resolvePath("", target)));
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.from(path, this.files.chmod(this.resolvePath("", path), mode));
  }

  async utimes(path: string): Promise<void> {
    await this.from(path, this.files.touch(this.resolvePath("", path)));
  }

  async readlink(path: string): Promise<string> {
    return this.from(path, this.files.readlink(this.resolvePath("", path)));
  }

  async realpath(path: string): Promise<string> {
    return this.from(path, this.files.realpath(this.resolvePath("", path)));
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.from(path, this.files.change({ call: "symlink", target, path: this.resolvePath("", path) }));
  }

  async link(existing: string, path: string): Promise<void> {
    await this.from(path, this.files.change({ call: "link", from: this.resolvePath("", existing), to: this.resolvePath("", path) }));
  }

  getAllPaths(): string[] {
    return [];
  }
}

function toBytes(content: FileContent): Uint8Array {
  return typeof content === "string" ? encode(content) : content;
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
