/** Both READMEs print the order of the engine's folders that is enforced; they and CONTRIBUTING.md name files that are there. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineLayers } from "../../dependency-cruiser.config.ts";
import { projectRoot } from "./project.ts";

const engine = join(projectRoot, "src", "engine");
const there = engineLayers.filter((layer) => existsSync(join(engine, layer)));
const engineReadme = readFileSync(join(engine, "README.md"), "utf8");

test("the engine's folders are those of the enforced order", () => {
  const folders = readdirSync(engine).filter((name) => statSync(join(engine, name)).isDirectory());
  expect(folders.sort()).toEqual([...there].sort());
});

test("README.md prints the enforced order", () => {
  const line = readFileSync(join(projectRoot, "README.md"), "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith("kernel config "));
  expect(line?.trim().split(" ")).toEqual(there);
});

test("src/engine/README.md prints the enforced order", () => {
  const [, table = ""] = engineReadme.split("| folder ");
  const rows = [...(table.split("\n\n")[0] ?? "").matchAll(/^\| `([a-z]+)` +\|/gm)].map((match) => match[1]);
  expect(rows).toEqual(there);
});

test("every file that src/engine/README.md names is there", () => {
  const named = [...engineReadme.matchAll(/`?([a-z-]+\/[a-z/-]*\.ts)\b/g)].map((match) => match[1] ?? "");
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((path) => !existsSync(join(engine, path)))).toEqual([]);
});

test("every file that CONTRIBUTING.md answers a question with is there", () => {
  const text = readFileSync(join(projectRoot, "CONTRIBUTING.md"), "utf8");
  const answers = [...text.matchAll(/^\| .*\| `(src\/[^`]+)` +\|$/gm)].map((match) => match[1] ?? "");
  expect(answers).toHaveLength(10);
  expect(answers.filter((path) => !existsSync(join(projectRoot, path)))).toEqual([]);
});
