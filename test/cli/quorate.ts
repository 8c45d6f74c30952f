/** The command line as a person has it: a process, in a state folder and lab directory of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { holderRuns, readLock } from "../../src/main/lab/store/lock.ts";

const root = resolve(import.meta.dirname, "../..");

function newestUnder(dir: string): number {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}

/** The built command where it is newer than its sources: what people get, and it starts faster. Else the sources themselves. */
function commandLine(): string[] {
  const built = join(root, "out/main/cli.js");
  const made = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const current = made > Math.max(newestUnder(join(root, "src/main")), newestUnder(join(root, "src/engine")));
  return current ? [built] : ["--import", "tsx", join(root, "src/main/cli/index.ts")];
}

const command = commandLine();

export interface Ran {
  stdout: string;
  stderr: string;
  status: number;
}

export interface RunOptions {
  input?: string;
  /** Sent once the command has printed something: how long it takes to start is nobody's to know. */
  signalAtOutput?: NodeJS.Signals;
}

export interface Place {
  /** Scratch directory; the lab is in `lab` below it. */
  dir: string;
  lab: string;
  /** What node needs to run the command line, and the environment that makes this place its own. */
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Starts one and leaves it alone. */
  begin(args: readonly string[]): ChildProcess;
  /** Runs and throws unless the status is 0; returns stdout. */
  ok(...args: string[]): Promise<string>;
  /** Ends the lab by force, whatever state it is in, and removes the scratch directory: what else an end does, tests of `down` and `rm` show. */
  end(): Promise<void>;
}

export function newPlace(): Place {
  const dir = mkdtempSync(join(tmpdir(), "quorate-cli-"));
  const lab = join(dir, "lab");
  const env = { ...process.env, XDG_STATE_HOME: join(dir, "state"), XDG_RUNTIME_DIR: dir, QUORATE_LAB: lab, HOME: dir };
  const run = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    new Promise((done, reject) => {
      const child = spawn(process.execPath, [...command, ...args], { env, cwd: root });
      let [stdout, stderr] = ["", ""];
      child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
      child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
      child.on("error", reject);
      child.on("close", (status) => done({ stdout, stderr, status: status ?? -1 }));
      // A command that ends without reading closes the pipe under us.
      child.stdin.on("error", () => undefined);
      child.stdin.end(options.input ?? "");
      const { signalAtOutput } = options;
      if (signalAtOutput) child.stdout.once("data", () => child.kill(signalAtOutput));
    });
  const ok = async (...args: string[]): Promise<string> => {
    const ran = await run(args);
    if (ran.status !== 0) throw new Error(`quorate ${args.join(" ")}: status ${ran.status}: ${complaint(ran).replaceAll("\n", " | ")}`);
    return ran.stdout;
  };
  const end = async (): Promise<void> => {
    const lock = readLock(lab);
    if (lock !== undefined && holderRuns(lock)) {
      process.kill(lock.pid, "SIGKILL");
      for (let waited = 0; waited < 10_000 && holderRuns(lock); waited += 10) await wallMs(10);
    }
    // Its workers end with it, and may write a last time.
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  const begin = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [...command, ...args], { env, cwd: root, stdio: "ignore" });
  return { dir, lab, command, env, run, begin, ok, end };
}

/** The process is there. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has collected yet is gone.
    return !existsSync(`/proc/${pid}/stat`) || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** What went to stderr, without the word about long work in progress. */
export function complaint(ran: Ran): string {
  return ran.stderr
    .split("\n")
    .filter((line) => line !== "" && !line.endsWith(" …"))
    .join("\n");
}
