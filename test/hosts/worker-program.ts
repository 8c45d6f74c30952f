/** Builds the worker's program from the sources into one file, so that a test starts the processes it means, quickly. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { WorkerProgram } from "../../src/engine/host/crew.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The file lies below node_modules, where its packages are found. `remove` takes it away. */
export async function buildWorker(): Promise<WorkerProgram & { readonly remove: () => void }> {
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, ssr: join(root, "src/engine/host/worker.ts"), target: "node20" },
  });
  const outputs = Array.isArray(result) ? result.flatMap((r) => r.output) : "output" in result ? result.output : [];
  const chunk = outputs.find((o) => o.type === "chunk");
  if (chunk === undefined) throw new Error("the build of the worker gave no program");
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "quorate-worker-"));
  const file = join(dir, "worker.mjs");
  writeFileSync(file, chunk.code);
  return { file, execArgv: [], remove: () => rmSync(dir, { recursive: true }) };
}
