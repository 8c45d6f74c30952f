/** Finds the lab a window shows, or starts it, by the same command a person types: the window is one more client of the lab. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectLab, type LabClient } from "../lab/process/client.ts";
import { entry } from "../lab/process/entries.ts";
import { Trouble } from "../lab/trouble.ts";

/** Forming three nodes takes a second; a machine under load may take its time. */
const upTimeoutMs = 120_000;

export interface Attached {
  client: LabClient;
  dir: string;
  /** This call started the lab: who started it freezes it at the end. */
  started: boolean;
}

/** Connects to the lab in `dir`; one that is not running is started with `up` and the given options. Throws Trouble. */
export async function attach(dir: string, create: readonly string[]): Promise<Attached> {
  const running = await connectLab(dir).catch(() => undefined);
  if (running !== undefined) return { client: running, dir, started: false };
  await up(dir, create);
  return { client: await connectLab(dir), dir, started: true };
}

/** A lab that exists resumes; options that would create one are then refused by `up`, so they are left out. */
async function up(dir: string, create: readonly string[]): Promise<void> {
  const exists = existsSync(join(dir, "lab.yaml"));
  await quorate(["up", ...(exists ? [] : create), "--lab", dir]);
}

/** Runs the command line with this very program in Node mode; resolves with its output. Throws Trouble with its last line. */
export function quorate(args: readonly string[]): Promise<string> {
  const cli = entry("cli");
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [...cli.execArgv, cli.file, ...args],
      { env, timeout: upTimeoutMs, maxBuffer: 4 << 20 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Trouble("lab", stderr.trim().split("\n").at(-1) || error.message));
      },
    );
  });
}
