/** Starts a lab's supervisor as a process of its own and waits until it says it is ready. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { LabInfo } from "../api.ts";
import { entry } from "./entries.ts";
import { refuseOtherVersion } from "../store/record-file.ts";
import { logPaths } from "../store/paths.ts";
import { systemTrouble, Trouble, type TroubleCode } from "../trouble.ts";

export interface LaunchOptions {
  dir: string;
  /** Power every node on from its disk. */
  cold: boolean;
  /** Speed to run at; absent: as it was, 1 for a new lab. */
  speed: string | undefined;
  /** Where the nodes run; absent: as processes of their own. */
  host?: "workers" | "inprocess" | undefined;
  /** Stay attached: the supervisor ends with this process's terminal. */
  foreground: boolean;
}

/** What the supervisor tells whoever started it, once. */
export type LaunchMessage =
  { ready: LabInfo; said: string | undefined; formed: boolean } | { failed: { code: TroubleCode; message: string } };

export interface Launched {
  info: LabInfo;
  /** Something to tell the person: that the start was cold. */
  said: string | undefined;
  /** The cluster that was to form has formed. */
  formed: boolean;
  /** Resolves with the supervisor's exit status. */
  ended: Promise<number>;
}

/** Throws Trouble, one line, when the lab does not start. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  refuseOtherVersion(options.dir);
  const { file, execArgv } = entry("supervisor");
  let log: number;
  try {
    log = openSync(logPaths(options.dir).newest, "a", 0o600);
  } catch (error) {
    throw systemTrouble(error, `lab directory ${options.dir}`);
  }
  const args = [
    options.dir,
    ...(options.cold ? ["--cold"] : []),
    ...(options.speed === undefined ? [] : ["--speed", options.speed]),
    ...(options.host === undefined ? [] : ["--host", options.host]),
    ...(options.foreground ? ["--foreground"] : []),
  ];
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
  const child = spawn(process.execPath, [...execArgv, file, ...args], {
    detached: !options.foreground,
    env,
    stdio: ["ignore", log, log, "ipc"],
    cwd: options.dir,
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) => child.once("exit", (status) => resolve(status ?? 1)));
  const message = await new Promise<LaunchMessage>((resolve, reject) => {
    child.once("message", (sent) => resolve(sent as LaunchMessage));
    child.once("error", (error) => reject(systemTrouble(error, "start the supervisor")));
    child.once("exit", (status, signal) =>
      reject(
        new Trouble("lab", `the supervisor ended while starting (${signal ?? `status ${status}`}); see ${logPaths(options.dir).newest}`),
      ),
    );
  });
  if ("failed" in message) throw new Trouble(message.failed.code, message.failed.message);
  if (!options.foreground) {
    child.disconnect();
    child.unref();
  }
  return { info: message.ready, said: message.said, formed: message.formed, ended };
}
