// Builds the three parts: main (Node and Electron programs), preload (the bridge, CommonJS because it runs sandboxed) and renderer (the page).
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "electron-vite";
import type { Plugin } from "vite";
import { FILTERS } from "./src/main/shell/userland/filter-names.ts";

const at = (path: string): string => resolve(import.meta.dirname, path);

/** `quorate` is run by name after an install: the file behind it must be executable. */
function executableCli(): Plugin {
  return { name: "executable-cli", writeBundle: () => chmodSync(at("out/main/cli.js"), 0o755) };
}

/** Its chunk has another name than the program. */
const CHUNK_NAMES: Record<string, string> = { awk2: "awk" };

/** Of just-bash the filters that the shell uses; its other programs bring a database, another language and more along, which nobody here can reach. */
function filtersAlone(): Plugin {
  const wanted = new Set<string>(FILTERS);
  const leftOut = "\0left-out";
  return {
    name: "filters-alone",
    enforce: "pre",
    resolveId(source, importer) {
      if (importer?.includes("/just-bash/dist/") !== true) return undefined;
      const chunk = /\/([a-z0-9-]+)-[A-Z0-9]{8}\.js$/.exec(source)?.[1];
      return chunk === undefined || chunk === "chunk" || wanted.has(CHUNK_NAMES[chunk] ?? chunk) ? undefined : leftOut;
    },
    load: (id) => (id === leftOut ? 'throw new Error("not part of this build");' : undefined),
  };
}

/** Writes down which packages something of went into a part, for the notices (scripts/lib/notices.mjs). */
function bundled(part: string): Plugin {
  return {
    name: "bundled-packages",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : []));
      // Styles are no modules of a chunk any more: what they came from stands among the modules that were read.
      const read = part === "renderer" ? [...this.getModuleIds()] : modules;
      const dirs = read.flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replace(/^\0/, "").replaceAll("\\", "/")) ?? [],
      );
      mkdirSync(at("out"), { recursive: true });
      writeFileSync(at(`out/.bundled-${part}.json`), JSON.stringify([...new Set(dirs)].sort()));
    },
  };
}

export default defineConfig({
  main: {
    plugins: [executableCli(), filtersAlone(), bundled("main")],
    build: {
      // What is plain JavaScript is a devDependency and goes into the programs: to find and open its hundreds of files takes longer than to run it, and what is not used of it
      // stays behind. Dependencies are the packages with parts for each system.
      externalizeDeps: true,
      outDir: "out/main",
      // A lab that runs goes on loading the chunks it was built with; scripts/build.mjs sweeps what is a day old.
      emptyOutDir: false,
      target: "node20",
      sourcemap: true,
      rollupOptions: {
        input: {
          index: at("src/main/desktop/main.ts"),
          cli: at("src/main/cli/index.ts"),
          supervisor: at("src/main/lab/process/supervisor.ts"),
          session: at("src/main/shell/session.ts"),
          console: at("src/main/shell/console.ts"),
          "fuzz-worker": at("src/main/lab/fuzz/fuzz-worker.ts"),
          "whatif-worker": at("src/main/lab/whatif/whatif-worker.ts"),
          "run-worker": at("src/main/lab/scenario/run-worker.ts"),
          worker: at("src/engine/host/worker.ts"),
        },
        output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  },
  preload: {
    plugins: [bundled("preload")],
    build: {
      outDir: "out/preload",
      emptyOutDir: false,
      rollupOptions: { input: { index: at("src/main/desktop/preload.ts") }, output: { format: "cjs", entryFileNames: "[name].cjs" } },
    },
  },
  renderer: {
    root: at("src/renderer"),
    plugins: [svelte(), bundled("renderer")],
    build: {
      outDir: at("out/renderer"),
      emptyOutDir: false,
      minify: true,
      // Fonts and images stay files: the page's policy allows data: for images only.
      assetsInlineLimit: 0,
      rollupOptions: { input: { index: at("src/renderer/index.html") } },
    },
  },
});
