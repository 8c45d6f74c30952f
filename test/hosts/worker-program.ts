/** Builds programs from the sources into one file each, so that a test starts the processes it means, quickly. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { patching, type Patch } from "../fuzz/bundle.ts";
import type { WorkerProgram } from "../../src/engine/host/worker-pool.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Built extends WorkerProgram {
  /** Takes the file away. */
  readonly remove: () => void;
}

/**
 * @param entry path in the project. The file lies below node_modules, where its packages are found.
 * @param patch breaks a rule of the engine in this program alone
 */
export async function buildProgram(entry: string, patch?: Patch): Promise<Built> {
  let applied = patch === undefined;
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: patch === undefined ? [] : [patching(patch, () => (applied = true))],
    build: { write: false, minify: false, ssr: join(root, entry), target: "node20" },
  });
  if (!applied) throw new Error(`the patch for ${patch?.file ?? ""} does not apply: the worker does not use that file`);
  const outputs = Array.isArray(result) ? result.flatMap((r) => r.output) : "output" in result ? result.output : [];
  const chunk = outputs.find((o) => o.type === "chunk");
  if (chunk === undefined) throw new Error(`the build of ${entry} gave no program`);
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "quorate-test-"));
  const file = join(dir, "program.mjs");
  writeFileSync(file, chunk.code);
  return { file, execArgv: [], remove: () => rmSync(dir, { recursive: true }) };
}

export function buildWorker(patch?: Patch): Promise<Built> {
  return buildProgram("src/engine/host/worker.ts", patch);
}
