/** The files of a lab are its owner's alone, whoever's umask they were made under, and those of before there was this rule too. What somebody else put into the directory is left. */
import { chmodSync, existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pageFileName } from "./page-file.ts";
import { logNames } from "./paths.ts";
import { systemTrouble } from "../trouble.ts";

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** Folders of the lab in folders of the lab. */
const DEPTH_MAX = 3;

const folders = new Set(["disks", "snapshots"]);
const names = new Set([
  "lab.yaml",
  "record.jsonl",
  "frozen.bin",
  "disks.bin",
  "running.json",
  "sessions.json",
  "timeline.jsonl",
  pageFileName,
  ...Object.values(logNames),
]);
/** What was put aside, and what a crash left of a write. */
const leftOver = /^(lab\.yaml|record\.jsonl|timeline\.jsonl|frozen\.bin|disks\.bin|page\.json)\.(damaged-\d+|\d+\.tmp)$/;

/** Whether a name in a lab's directory is one of the lab's own. */
export function isLabFile(name: string): boolean {
  return names.has(name) || folders.has(name) || leftOver.test(name);
}

/** Sets modes where they say more than they should. Returns what could not be done, as sentences. */
export function makePrivate(dir: string): string[] {
  if (process.platform === "win32") return [];
  const said: string[] = [];
  setMode(dir, said);
  for (const name of readdirSync(dir)) if (isLabFile(name)) walk(join(dir, name), 0, said);
  return said;
}

function walk(path: string, depth: number, said: string[]): void {
  if (!setMode(path, said) || depth === DEPTH_MAX) return;
  for (const name of readdirSync(path)) walk(join(path, name), depth + 1, said);
}

/** @returns whether it is a directory */
function setMode(path: string, said: string[]): boolean {
  const stat = lstatSync(path);
  // What a link leads to is somebody else's.
  if (!stat.isDirectory() && !stat.isFile()) return false;
  const mode = stat.isDirectory() ? DIRECTORY_MODE : FILE_MODE;
  if ((stat.mode & 0o777) === mode) return stat.isDirectory();
  try {
    chmodSync(path, mode);
  } catch (error) {
    // Somebody else's file that this user may write: the lab works with it, and whoever runs it is told.
    if (existsSync(path)) said.push(systemTrouble(error, `${path} can be read by others; its mode could not be set`).message);
  }
  return stat.isDirectory();
}
