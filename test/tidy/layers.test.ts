/**
 * The directory listing is the stack: every import in src/ goes upwards in it, the engine is pure, the page knows the API alone. Each rule is also
 * shown a small tree that breaks it, so that a rule that catches nothing is noticed.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseOptions, type ICruiseResult } from "dependency-cruiser";
import { expect, test } from "vitest";
import rules, { engineLayers } from "../../dependency-cruiser.config.ts";
import { projectRoot } from "./project.ts";

async function violations(baseDir: string): Promise<string[]> {
  const options = { ...rules.options, baseDir, validate: true, ruleSet: { forbidden: rules.forbidden } } as ICruiseOptions;
  const result = (await cruise(["src"], options)).output as ICruiseResult;
  return result.summary.violations.map((found) => `${found.rule.name}: ${found.from} → ${found.to}`);
}

/** A tree of files, checked with the project's rules. */
async function inTree(files: Record<string, string>): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), "quorate-tidy-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), text);
    }
    writeFileSync(
      join(dir, "package.json"),
      JSON.stringify({ type: "module", dependencies: { zod: "*", ws: "*", zeromq: "*" }, devDependencies: { electron: "*" } }),
    );
    symlinkSync(join(projectRoot, "node_modules"), join(dir, "node_modules"));
    return await violations(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("every import in src/ is allowed, and none leads in a circle", async () => {
  expect((await violations(projectRoot)).join("\n")).toBe("");
});

test.each(engineLayers.slice(1).map((below, index) => [engineLayers[index] ?? "", below]))(
  "%s may not import %s, which is below it; the other way is fine",
  async (above, below) => {
    const leaf = { [`src/engine/${above}/b.ts`]: "export const b = 1;\n", [`src/engine/${below}/c.ts`]: "export const c = 1;\n" };
    const down = await inTree({
      ...leaf,
      [`src/engine/${above}/a.ts`]: `import type { c } from "../${below}/c.ts";\nexport type A = typeof c;\n`,
    });
    expect(down).toEqual([`layer-${above}: src/engine/${above}/a.ts → src/engine/${below}/c.ts`]);
    const up = await inTree({ ...leaf, [`src/engine/${below}/a.ts`]: `import { b } from "../${above}/b.ts";\nexport const a = b;\n` });
    expect(up).toEqual([]);
  },
);

const api = { "src/main/lab/api.ts": 'import { z } from "zod";\nexport const name = z.string();\n' };
const one = "export const one = 1;\n";

test.each<[string, string, Record<string, string>]>([
  [
    "the engine imports a face",
    "engine-alone",
    { "src/main/lab/a.ts": one, "src/engine/world/b.ts": 'export { one } from "../../main/lab/a.ts";\n' },
  ],
  ["the engine imports Node", "engine-pure", { "src/engine/world/b.ts": 'export { readFileSync } from "node:fs";\n' }],
  ["the engine imports a package", "engine-pure", { "src/engine/config/b.ts": 'export { z } from "zod";\n' }],
  [
    "a folder that is no layer",
    "engine-known-layer",
    { "src/engine/misc/b.ts": 'export { one } from "./a.ts";\n', "src/engine/misc/a.ts": one },
  ],
  [
    "the page imports the engine",
    "renderer-api-only",
    { "src/engine/config/a.ts": one, "src/renderer/src/b.ts": 'export { one } from "../../engine/config/a.ts";\n' },
  ],
  [
    "the page imports the lab's insides",
    "renderer-api-only",
    { "src/main/lab/a.ts": one, "src/renderer/src/b.ts": 'export { one } from "../../main/lab/a.ts";\n' },
  ],
  [
    "a component imports the engine",
    "renderer-api-only",
    {
      "src/engine/config/a.ts": one,
      "src/renderer/src/B.svelte": '<script lang="ts">\nimport { one } from "../../engine/config/a.ts";\n</script>\n{one}\n',
    },
  ],
  ["the page imports Node", "renderer-in-a-browser", { "src/renderer/src/b.ts": 'export { readFileSync } from "node:fs";\n' }],
  ["the API imports more than zod", "api-pure", { "src/main/lab/api.ts": 'export { one } from "./a.ts";\n', "src/main/lab/a.ts": one }],
  ["Electron outside the desktop face", "electron-in-desktop", { "src/main/lab/b.ts": 'export { app } from "electron";\n' }],
  ["ZeroMQ outside the rim", "zeromq-in-host", { "src/main/lab/b.ts": 'export { Dealer } from "zeromq";\n' }],
  [
    "the web face imports the command line",
    "faces-apart",
    { "src/main/cli/a.ts": one, "src/main/web/b.ts": 'export { one } from "../cli/a.ts";\n' },
  ],
  [
    "the product imports a test",
    "src-without-tests",
    { "test/a.ts": one, "src/main/web/b.ts": 'export { one } from "../../../test/a.ts";\n' },
  ],
  [
    "a circle",
    "no-circles",
    {
      "src/main/web/a.ts": 'import { b } from "./b.ts";\nexport const a = (): number => b();\n',
      "src/main/web/b.ts": 'import { a } from "./a.ts";\nexport const b = (): number => a();\n',
    },
  ],
  [
    "a circle of types",
    "no-circles",
    {
      "src/main/web/a.ts": 'import type { B } from "./b.ts";\nexport interface A { b: B }\n',
      "src/main/web/b.ts": 'import type { A } from "./a.ts";\nexport interface B { a: A }\n',
    },
  ],
  ["an import of nothing", "resolvable", { "src/main/web/a.ts": 'export { b } from "./nowhere.ts";\n' }],
])("%s: caught by %s", async (_what, rule, files) => {
  const found = await inTree(files);
  expect(found.map((line) => line.split(":")[0])).toContain(rule);
});

test("what is allowed is not complained about: the page and the API, a package in the rim", async () => {
  const fine = {
    ...api,
    "src/renderer/src/b.ts": 'export { name } from "../../main/lab/api.ts";\n',
    "src/engine/host/b.ts": 'export { Dealer } from "zeromq";\nexport { readFileSync } from "node:fs";\n',
  };
  expect(await inTree(fine)).toEqual([]);
});
