/**
 * Programs that run a person's lines end with the process that started them, at once and without a hand of their own: they may be in the middle of
 * anything. Linux's kernel sees to it (prctl(2), PR_SET_PDEATHSIG) where util-linux's setpriv is there to ask it; elsewhere a thread of theirs does.
 */
import { spawnSync } from "node:child_process";
import type { Program } from "../entries.ts";

/** In the environment of a program that the kernel ends. */
export const BOUND = "QUORATE_BOUND";

const asked = ["--pdeathsig", "KILL"];

let known: boolean | undefined;

/** busybox has a setpriv without this. */
function kernelBinds(): boolean {
  known ??= process.platform === "linux" && spawnSync("setpriv", [...asked, "true"], { stdio: "ignore", timeout: 5000 }).status === 0;
  return known;
}

export interface BoundCommand {
  readonly file: string;
  readonly args: string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Memory that V8 may take for a program's objects, MiB; and for the young ones, so that a busy one does not grow to its bound at once. */
const heapFlags = ["--max-old-space-size=384", "--max-semi-space-size=4"];

/** How to start a program of ours so that it goes with this process. */
export function boundCommand({ file, execArgv }: Program): BoundCommand {
  const args = [...heapFlags, ...execArgv, file];
  return kernelBinds()
    ? { file: "setpriv", args: [...asked, process.execPath, ...args], env: { [BOUND]: String(process.pid) } }
    : { file: process.execPath, args, env: {} };
}
