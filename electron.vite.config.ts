// Builds the three parts: main (Node and Electron programs), preload (the bridge, CommonJS because it runs sandboxed) and renderer (the page).
import { chmodSync } from "node:fs";
import { resolve } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "electron-vite";
import type { Plugin } from "vite";

const at = (path: string): string => resolve(import.meta.dirname, path);

/** `quorate` is run by name after an install: the file behind it must be executable. */
function executableCli(): Plugin {
  return { name: "executable-cli", writeBundle: () => chmodSync(at("out/main/cli.js"), 0o755) };
}

export default defineConfig({
  main: {
    plugins: [executableCli()],
    build: {
      // What is plain JavaScript goes into the programs: to find and open its hundreds of files takes longer than to run it.
      externalizeDeps: { exclude: ["commander", "diff", "msgpackr", "string-argv", "yaml", "zod"] },
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
          worker: at("src/engine/host/worker.ts"),
        },
        output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  },
  preload: {
    build: {
      outDir: "out/preload",
      emptyOutDir: false,
      rollupOptions: { input: { index: at("src/main/desktop/preload.ts") }, output: { format: "cjs", entryFileNames: "[name].cjs" } },
    },
  },
  renderer: {
    root: at("src/renderer"),
    plugins: [svelte()],
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
