/**
 * Builds the engine with the property harness into one file that worker threads run at full speed, as it is or with one rule of the engine broken: a
 * patch is applied to the source while it is loaded, so that the engine itself knows nothing of being broken.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";

/** Replaces `find`, which must stand exactly once in `file`, by `replace`. */
export interface Patch {
  /** Path below src/engine. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The patched text; throws where the patch no longer applies. */
export function applyPatch(text: string, patch: Patch): string {
  const times = text.split(patch.find).length - 1;
  if (times !== 1) throw new Error(`the patch for ${patch.file} does not apply: its text stands there ${times} times`);
  return text.replace(patch.find, () => patch.replace);
}

function patching(patch: Patch, applied: () => void): Plugin {
  const file = join(root, "src/engine", patch.file);
  return {
    name: "break-a-rule",
    enforce: "pre",
    transform(code, id) {
      if (id !== file) return undefined;
      applied();
      return { code: applyPatch(code, patch), map: null };
    },
  };
}

/** Builds the worker's program and returns where it lies. The caller's test run removes the folder. */
export async function bundleWorker(patch?: Patch): Promise<string> {
  let applied = patch === undefined;
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: patch === undefined ? [] : [patching(patch, () => (applied = true))],
    build: { write: false, minify: false, ssr: fileURLToPath(new URL("./worker.ts", import.meta.url)), target: "node20" },
    ssr: { noExternal: true },
  });
  if (!applied) throw new Error(`the patch for ${patch?.file ?? ""} does not apply: the engine does not use that file`);
  const outputs = Array.isArray(result) ? result.flatMap((r) => r.output) : "output" in result ? result.output : [];
  const chunk = outputs.find((o) => o.type === "chunk");
  if (chunk === undefined) throw new Error("the build of the property worker gave no program");
  const path = join(mkdtempSync(join(tmpdir(), "quorate-property-")), "worker.mjs");
  writeFileSync(path, chunk.code);
  return path;
}
