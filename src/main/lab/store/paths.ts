/** Where things are on this computer: the default lab, the registry of labs, the private runtime folder for sockets. Nothing else is written to. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { systemTrouble, Trouble } from "../trouble.ts";

/** The per-user state folder: registry of labs, settings, the default lab. */
export function stateDir(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === "win32") return join(env["LOCALAPPDATA"] ?? join(homedir(), "AppData", "Local"), "Quorate");
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "Quorate");
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "quorate");
}

/** The lab's directory: the named one, else $QUORATE_LAB, else the per-user default. Absolute. */
export function labDir(named: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  return resolve(named ?? (env["QUORATE_LAB"] || join(stateDir(env), "lab")));
}

/** Files of the lab's log, in its directory: when the newest is full, it becomes the older one. */
export const logNames = { newest: "supervisor.log", older: "supervisor.log.1" };

export function logPaths(dir: string): { newest: string; older: string } {
  return { newest: join(dir, logNames.newest), older: join(dir, logNames.older) };
}

/** Socket paths are limited to about 107 bytes, so the folder is short: $XDG_RUNTIME_DIR where it is, else one of our own in the temporary folder. */
function runtimeDir(env: NodeJS.ProcessEnv): string {
  const own = env["XDG_RUNTIME_DIR"];
  return own && own.length < 60 ? join(own, "quorate") : join(shortTemp(), `quorate-${userInfo().uid}`);
}

function shortTemp(): string {
  const dir = tmpdir();
  return dir.length < 50 ? dir : "/tmp";
}

export function labKey(lab: string): string {
  return createHash("sha256").update(resolve(lab)).digest("hex").slice(0, 12);
}

/** Path of the lab's socket, in a folder that only this user can enter; a named pipe on Windows. `run` makes every start's name new. */
export function socketPath(lab: string, run: string, env: NodeJS.ProcessEnv = process.env): string {
  const key = labKey(lab);
  if (process.platform === "win32") return `\\\\.\\pipe\\quorate-${key}-${run}`;
  return join(privateDir(runtimeDir(env)), `${key}-${run}.sock`);
}

/** Folder for the socket over which the nodes' processes of one run are reached; undefined where the system has no such sockets. */
export function workersDir(lab: string, run: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return process.platform === "win32" ? undefined : privateDir(join(privateDir(runtimeDir(env)), `${labKey(lab)}-${run}.work`));
}

/** Folder for the sockets of a run that no lab stands behind; undefined where the system has no such sockets. */
export function scratchDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return process.platform === "win32" ? undefined : privateDir(runtimeDir(env));
}

/** Removes what earlier supervisors of this lab left when they were killed. For whoever holds the lab's lock, or knows that nobody does. */
export function dropStaleSockets(lab: string, own: string | undefined, env: NodeJS.ProcessEnv = process.env): void {
  if (process.platform === "win32") return;
  const dir = runtimeDir(env);
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    if (!name.startsWith(`${labKey(lab)}-`) || path === own) continue;
    if (name.endsWith(".sock")) rmSync(path, { force: true });
    else if (name.endsWith(".work")) rmSync(path, { recursive: true, force: true });
  }
}

/** Makes `dir` with mode 0700 and refuses one that somebody else could have put there. */
function privateDir(dir: string): string {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const stat = lstatSync(dir);
    if (!stat.isDirectory() || stat.uid !== userInfo().uid)
      throw new Trouble("lab", `${dir}: not a directory of this user; set XDG_RUNTIME_DIR to one that is (at most 59 bytes long)`);
    if ((stat.mode & 0o077) !== 0) chmodSync(dir, 0o700);
    return dir;
  } catch (error) {
    throw systemTrouble(error, `runtime folder ${dir}`);
  }
}
