/** Where the programs of this product are: built (out/main/NAME.js) or, in a checkout run through tsx, the sources. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Trouble } from "../trouble.ts";

type Entry = "supervisor" | "session" | "console" | "cli" | "index" | "fuzz-worker" | "whatif-worker" | "run-worker" | "worker";

const sources: Record<Entry, string> = {
  supervisor: "main/lab/process/supervisor.ts",
  session: "main/shell/session.ts",
  console: "main/shell/console.ts",
  cli: "main/cli/index.ts",
  index: "main/desktop/main.ts",
  "fuzz-worker": "main/lab/fuzz/fuzz-worker.ts",
  "whatif-worker": "main/lab/whatif/whatif-worker.ts",
  "run-worker": "main/lab/scenario/run-worker.ts",
  worker: "engine/host/worker.ts",
};

export interface Program {
  file: string;
  /** What node needs before the file. */
  execArgv: string[];
}

/** Walks up from this module to the folder that holds `marker`. */
function above(marker: string): string | undefined {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    if (existsSync(join(dir, marker))) return dir;
    if (dirname(dir) === dir) return undefined;
  }
}

/**
 * A lab is many processes with small heaps. V8 would collect each with helper threads and wait for them, which on a computer with fewer processors than processes takes longer
 * than the collection: on two that were busy, half a second for 9 MB.
 */
const nodeFlags = ["--single-threaded-gc"];

const fromSource = import.meta.url.endsWith(".ts");

/** The file to run for a program. Throws Trouble when it is not there. */
export function entry(name: Entry): Program {
  if (fromSource) {
    const root = above(join("main", "lab", "process", "entries.ts"));
    if (root) return { file: join(root, sources[name]), execArgv: [...nodeFlags, "--import", import.meta.resolve("tsx")] };
  }
  const root = above("package.json");
  const file = root && join(root, "out", "main", `${name}.js`);
  if (!file || !existsSync(file)) throw new Trouble("lab", `the program ${name} is not built; "npm run build" makes it`);
  return { file, execArgv: nodeFlags };
}

/** Folder of the built page. */
export function pageDir(): string {
  return join(above("package.json") ?? ".", "out", "renderer");
}
