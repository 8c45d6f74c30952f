/** Where the recordings of the real programs lie when they are at hand: beside the checkout. On a user's computer they are not, and the tests that need them say so. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DIR = fileURLToPath(new URL("../../shared/reference/", import.meta.url));

const REPORTS = fileURLToPath(new URL("../../shared/faults/reports/", import.meta.url));

export const haveReference = existsSync(DIR);

/** Says once, in one line, why a suite is skipped. */
export function skipLine(suite: string): void {
  if (!haveReference) console.log(`${suite}: skipped, the recordings of the real programs are not beside this checkout`);
}

export function reference(path: string): string {
  return readFileSync(`${DIR}${path}`, "utf8");
}

/** Files that other people wrote for the real programs, with what those do of them; undefined where they are not at hand. */
export function reported(file: string): string | undefined {
  return existsSync(REPORTS + file) ? readFileSync(REPORTS + file, "utf8") : undefined;
}

/** Where such a file lies, for what it names beside itself. */
export const reportedPath = (file: string): string => REPORTS + file;

/** Names of the recorded scenarios of corosync, in order. */
export function recordings(folder = "corosync/transcripts"): string[] {
  return readdirSync(`${DIR}${folder}`)
    .flatMap((file) => (file.endsWith(".json") ? [file.slice(0, -".json".length)] : []))
    .sort();
}
