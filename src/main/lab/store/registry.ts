/**
 * The per-user list of labs, for `quorate ls`: a file each, so that several labs made at once do not lose each other. A hint, not a truth: every entry is looked at again when it
 * is read.
 */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { labKey, stateDir } from "./paths.ts";
import { writeAtomic } from "./atomic-files.ts";

/** Labs kept; the ones made first are forgotten first. */
const labsMax = 1000;

interface Entry {
  readonly file: string;
  readonly lab: string;
  /** Wall time, ms. */
  readonly made: number;
}

const folder = (): string => join(stateDir(), "labs");
/** All in one file, as they were kept before. */
const formerFile = (): string => join(stateDir(), "labs.json");

function entryIn(file: string): Entry | undefined {
  try {
    const { lab, made } = JSON.parse(readFileSync(file, "utf8")) as { lab?: unknown; made?: unknown };
    return typeof lab === "string" ? { file, lab, made: typeof made === "number" ? made : 0 } : undefined;
  } catch {
    // Forgotten between two looks, or edited into something else: the lab itself is unharmed and comes back as it is opened.
    return undefined;
  }
}

function names(): string[] {
  try {
    return readdirSync(folder()).filter((name) => name.endsWith(".json"));
  } catch {
    // No registry yet: no labs.
    return [];
  }
}

function entries(): Entry[] {
  return names()
    .flatMap((name) => entryIn(join(folder(), name)) ?? [])
    .sort((a, b) => a.made - b.made || (a.lab < b.lab ? -1 : 1));
}

function former(): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(formerFile(), "utf8"));
    return Array.isArray(list) ? list.filter((x): x is string => typeof x === "string") : [];
  } catch {
    // There is none, or somebody edited it into something else.
    return [];
  }
}

/** Directories of the labs known on this computer, in the order they were made. */
export function knownLabs(): string[] {
  return [...new Set([...former(), ...entries().map(({ lab }) => lab)])];
}

export function rememberLab(dir: string): void {
  const file = join(folder(), `${labKey(dir)}.json`);
  if (entryIn(file)?.lab === dir) return;
  writeAtomic(file, JSON.stringify({ lab: dir, made: Date.now() }), 0o600);
  const beyond = names().length - labsMax;
  if (beyond > 0) for (const { file: first } of entries().slice(0, beyond)) rmSync(first, { force: true });
}

export function forgetLab(dir: string): void {
  const file = join(folder(), `${labKey(dir)}.json`);
  if (entryIn(file)?.lab === dir) rmSync(file, { force: true });
  const before = former();
  if (before.includes(dir)) writeAtomic(formerFile(), JSON.stringify(before.filter((x) => x !== dir)), 0o600);
}
