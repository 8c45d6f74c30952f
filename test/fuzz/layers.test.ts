// A layer with one rule broken is caught by the check that stands beside the rule; the engine as it is passes all of them. The rule is broken in the text
// while it is loaded, as for the checkers of invariants.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer, type ViteDevServer } from "vite";
import { applyPatch, type Patch } from "./bundle.ts";
import { layerMutants } from "./layer-mutants.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const LAYERS = ["knet", "cpg", "cmap", "fabric", "machine", "host"];

type Checks = Readonly<Record<string, () => readonly string[] | Promise<readonly string[]>>>;

let server: ViteDevServer;
let patch: Patch | undefined;
let applied = false;

beforeAll(async () => {
  server = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    appType: "custom",
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true, include: [] },
    plugins: [
      {
        name: "break-a-rule",
        enforce: "pre",
        transform(code, id) {
          if (patch === undefined || id !== `${root}src/engine/${patch.file}`) return undefined;
          applied = true;
          return { code: applyPatch(code, patch), map: null };
        },
      },
    ],
  });
});

afterAll(async () => {
  await server.close();
});

/** All checks on the engine with this patch, or as it is. */
async function load(broken: Patch | undefined): Promise<Checks> {
  patch = broken;
  applied = broken === undefined;
  server.environments.ssr.moduleGraph.invalidateAll();
  const { CHECKS } = (await server.ssrLoadModule("/test/fuzz/layer-checks.ts")) as { CHECKS: Checks };
  if (!applied) throw new Error(`the patch for ${broken?.file ?? ""} does not apply: no check uses that file`);
  return CHECKS;
}

describe("a broken layer is caught", () => {
  test("the engine as it is passes every check", async () => {
    const checks = await load(undefined);
    for (const [name, check] of Object.entries(checks)) expect(await check(), name).toEqual([]);
    expect(Object.keys(checks).filter((name) => !layerMutants.some((m) => m.caughtBy === name))).toEqual([]);
  });

  test("there are two mutants or more for each layer", () => {
    const few = LAYERS.filter((layer) => layerMutants.filter((m) => m.layer === layer).length < 2);
    expect(few).toEqual([]);
  });

  test.each(layerMutants)("$layer: $rule ($caughtBy)", async ({ caughtBy, patch: broken }) => {
    const check = (await load(broken))[caughtBy];
    if (check === undefined) throw new Error(`there is no check "${caughtBy}"`);
    const said = await check();
    expect(said, "nothing complained").not.toEqual([]);
  });
});

test("a patch of a file that no check uses is an error", async () => {
  await expect(load({ file: "totem/no-such-file.ts", find: "a", replace: "b" })).rejects.toThrow("no check uses that file");
});
