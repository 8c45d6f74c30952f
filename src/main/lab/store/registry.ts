/** The per-user list of labs, for `quorate ls`. A hint, not a truth: every entry is looked at again when it is read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stateDir } from "./paths.ts";
import { writeAtomic } from "./atomic-files.ts";

const labsMax = 1000;

function file(): string {
  return join(stateDir(), "labs.json");
}

/** Directories of the labs known on this computer, in the order they were made. */
export function knownLabs(): string[] {
  let text: string;
  try {
    text = readFileSync(file(), "utf8");
  } catch {
    // No registry yet: no labs.
    return [];
  }
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter((x): x is string => typeof x === "string") : [];
  } catch {
    // Somebody edited it into something else; the labs themselves are unharmed and come back as they are opened.
    return [];
  }
}

export function rememberLab(dir: string): void {
  const known = knownLabs();
  if (!known.includes(dir)) writeAtomic(file(), JSON.stringify([...known, dir].slice(-labsMax)), 0o600);
}

export function forgetLab(dir: string): void {
  const known = knownLabs();
  if (known.includes(dir)) writeAtomic(file(), JSON.stringify(known.filter((x) => x !== dir)), 0o600);
}
