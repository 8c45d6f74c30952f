/**
 * Builds the program of the fuzz threads as it is or with one rule of the engine broken: a patch is applied to the source while it is loaded, so that the
 * engine itself knows nothing of being broken.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
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

/** Applies a patch while its file is loaded, and says so. */
export function patching(patch: Patch, applied: () => void): Plugin {
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

/** Builds the thread's program and returns its file, alone in a folder that the caller removes. */
export async function bundleWorker(patch?: Patch): Promise<string> {
  let applied = patch === undefined;
  // Below node_modules, where its packages are found.
  const above = join(root, "node_modules/.cache");
  mkdirSync(above, { recursive: true });
  const outDir = mkdtempSync(join(above, "quorate-fuzz-"));
  await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: patch === undefined ? [] : [patching(patch, () => (applied = true))],
    build: {
      outDir,
      minify: false,
      ssr: join(root, "src/main/lab/fuzz/fuzz-worker.ts"),
      target: "node20",
      rollupOptions: { output: { entryFileNames: "worker.mjs", chunkFileNames: "[name]-[hash].mjs" } },
    },
  });
  if (!applied) throw new Error(`the patch for ${patch?.file ?? ""} does not apply: the engine does not use that file`);
  return join(outDir, "worker.mjs");
}
