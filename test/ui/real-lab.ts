/** A real lab for a test: started by the command line in a directory of its own, deleted at the end. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { holderRuns, readLock } from "../../src/main/lab/store/lock.ts";

const cli = resolve(import.meta.dirname, "../../out/main/cli.js");

export interface RealLab {
  readonly url: string;
  /** Runs `quorate …` on this lab; resolves with what it printed, rejects with its last line. */
  quorate(...args: string[]): Promise<string>;
  end(): Promise<void>;
}

/** What did not go down when it was asked must not be there beside the next test. */
function endByForce(dir: string): void {
  const lock = readLock(dir);
  if (lock !== undefined && holderRuns(lock)) process.kill(lock.pid, "SIGKILL");
}

/** Forms a cluster and serves its page. Virtual time runs at `speed`. */
export async function realLab(options: { nodes: number; links: number; speed: number; qdevice?: boolean }): Promise<RealLab> {
  // The path of a socket is limited to 107 bytes: a short directory of our own.
  const home = mkdtempSync(join(tmpdir(), "q-ui-"));
  for (const name of ["state", "run", "config"]) mkdirSync(join(home, name), { mode: 0o700 });
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(home, "state"),
    XDG_RUNTIME_DIR: join(home, "run"),
    XDG_CONFIG_HOME: join(home, "config"),
    QUORATE_LAB: join(home, "lab"),
  };
  const quorate = (...args: string[]): Promise<string> =>
    new Promise((done, fail) => {
      execFile(process.execPath, [cli, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else fail(new Error(`quorate ${args.join(" ")}: ${stderr.trim() || error.message}`));
      });
    });
  const sizes = ["--nodes", String(options.nodes), "--links", String(options.links), "--speed", String(options.speed)];
  await quorate("up", "--clustered", ...sizes, ...(options.qdevice === true ? ["--qdevice"] : []));
  const url = (await quorate("serve")).trim();
  return {
    url,
    quorate,
    end: async () => {
      try {
        await quorate("down");
      } finally {
        endByForce(env.QUORATE_LAB);
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}
