/** The rules that other suites break on purpose still stand where the tables say: each text exactly once in its file, and what replaces it can be read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { applyPatch, type Patch } from "../fuzz/bundle.ts";
import { layerMutants } from "../fuzz/layer-mutants.ts";
import { mutants } from "../fuzz/mutants.ts";
import { workerMutants } from "../hosts/worker-mutants.ts";
import { projectRoot } from "./project.ts";

/** What is wrong with the patch, or undefined. */
function patchFault(patch: Patch): string | undefined {
  try {
    const broken = applyPatch(readFileSync(join(projectRoot, "src/engine", patch.file), "utf8"), patch);
    const { diagnostics = [] } = ts.transpileModule(broken, {
      reportDiagnostics: true,
      compilerOptions: { target: ts.ScriptTarget.ES2023 },
    });
    return diagnostics.length === 0 ? undefined : `${patch.file}: what replaces the text is no TypeScript`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test.each([
  ["of the cluster's invariants", mutants, 25],
  ["of single layers", layerMutants, 15],
  ["of workers", workerMutants, 5],
])("the mutants %s apply to the source as it is", (_what, table, least) => {
  expect(table.length).toBeGreaterThanOrEqual(least);
  expect(table.flatMap(({ rule, patch }) => (patchFault(patch) === undefined ? [] : [`${rule}: ${patchFault(patch)}`]))).toEqual([]);
  expect(table.filter(({ patch }) => patch.find === patch.replace)).toEqual([]);
});

test("a patch that does not apply, and one that breaks more than a rule, are seen", () => {
  const patch = { file: "totem/token.ts", find: "seq: ++token.seq,", replace: "seq: token.seq," };
  expect(patchFault(patch)).toBeUndefined();
  expect(patchFault({ ...patch, find: "no such text" })).toContain("stands there 0 times");
  expect(patchFault({ ...patch, replace: "seq: (," })).toContain("is no TypeScript");
  expect(patchFault({ ...patch, file: "totem/no-such-file.ts" })).toContain("no such file");
});
