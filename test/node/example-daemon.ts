/**
 * The example of CONTRIBUTING.md, "A daemon from nothing", put into the source where the page says: its program, its unit file and its package, its row. The source on disk
 * stays as it is; what is built has the daemon.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { build, type Plugin } from "vite";
import type { Hasher } from "../../src/engine/kernel/index.ts";
import type { clients } from "../corosync/client.ts";
import { applyPatch } from "../fuzz/bundle.ts";
import type { TestNetwork } from "./lab.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files of the example by the path that the page gives them. */
function examples(): ReadonlyMap<string, string> {
  const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const section = /^## A daemon from nothing\n([\s\S]*?)^## /m.exec(page)?.[1] ?? "";
  return new Map([...section.matchAll(/^`([^`]+)`,[^\n]*\n\n```\w+\n([\s\S]*?)^```$/gm)].map(([, path = "", text = ""]) => [path, text]));
}

/** The source with the daemon, by paths in the project. */
export function exampleFiles(): ReadonlyMap<string, string> {
  const given = examples();
  const need = (path: string): string => {
    const text = given.get(path);
    if (text === undefined) throw new Error(`CONTRIBUTING.md gives no ${path}; it gives: ${[...given.keys()].join(", ")}`);
    return text;
  };
  const source = (path: string): string => readFileSync(join(root, path), "utf8");
  const programs = "src/engine/node/programs.ts";
  const [importLine = "", row = ""] = need(programs).split("\n\n");
  const table = /^const ROWS[\s\S]*?^\];\n/m.exec(source(programs))?.[0] ?? "";
  const withRow = applyPatch(source(programs), { file: programs, find: table, replace: table.replace(/\];\n$/, `  ${row.trim()}\n];\n`) });
  const units = "src/engine/machine/systemd/unit-files.ts";
  const { files, ...rest } = JSON.parse(need("resources/units/packages.json")) as { files: string[] };
  const unitPackage = { ...rest, files: files.map((name) => ({ name, text: need(`resources/units/${name}`) })) };
  return new Map([
    ["src/engine/node/heartbeatd.ts", need("src/engine/node/heartbeatd.ts")],
    [
      programs,
      applyPatch(withRow, { file: programs, find: "\nexport type MachineKind", replace: `${importLine}\n\nexport type MachineKind` }),
    ],
    [units, source(units).replace(/\];\n$/, `  ${JSON.stringify(unitPackage)},\n];\n`)],
  ]);
}

/** What the compiler says of the daemon and of the table with its row, under the project's own settings. */
export function compilerFaults(files: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8")) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  const given = (path: string): string | undefined => files.get(path.slice(root.length));
  host.readFile = (path) => given(path) ?? readFile(path);
  host.fileExists = (path) => given(path) !== undefined || fileExists(path);
  const paths = [...files.keys()].map((path) => join(root, path));
  const program = ts.createProgram(paths, options, host);
  return paths.flatMap((path) => {
    const file = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.map((d) => `${path}: ${ts.flattenDiagnosticMessageText(d.messageText, "\n")}`);
  });
}

function adding(files: ReadonlyMap<string, string>): Plugin {
  const byId = new Map([...files].map(([path, text]) => [join(root, path), text]));
  return {
    name: "example-daemon",
    enforce: "pre",
    resolveId: (id, importer) => {
      const path = importer === undefined ? id : join(importer, "..", id);
      return byId.has(path) ? path : undefined;
    },
    load: (id) => byId.get(id),
  };
}

/** The network of the node tests, over an engine with the daemon. */
export interface EngineWithDaemon {
  readonly TestNetwork: typeof TestNetwork;
  readonly Hasher: typeof Hasher;
  readonly clients: typeof clients;
}

/** @returns the engine, and what takes its files away */
export async function engineWithDaemon(): Promise<{ engine: EngineWithDaemon; remove: () => void }> {
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "quorate-example-"));
  const at = (path: string): string => JSON.stringify(join(root, path));
  writeFileSync(
    join(dir, "entry.ts"),
    `export { TestNetwork } from ${at("test/node/lab.ts")};\nexport { clients } from ${at("test/corosync/client.ts")};\nexport { Hasher } from ${at("src/engine/kernel/index.ts")};\n`,
  );
  await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [adding(exampleFiles())],
    build: {
      outDir: dir,
      emptyOutDir: false,
      minify: false,
      ssr: join(dir, "entry.ts"),
      target: "node20",
      rollupOptions: { output: { entryFileNames: "engine.mjs" } },
    },
  });
  const engine = (await import(/* @vite-ignore */ pathToFileURL(join(dir, "engine.mjs")).href)) as EngineWithDaemon;
  return { engine, remove: () => rmSync(dir, { recursive: true }) };
}
