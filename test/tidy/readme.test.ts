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
  // What stands on them is still to come, in this order among them.
  expect(engineLayers.filter((layer) => !there.includes(layer))).toEqual(["guest", "ha", "cluster", "api"]);
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

test("every question of CONTRIBUTING.md is answered by a file in which the behaviour is", () => {
  const text = readFileSync(join(projectRoot, "CONTRIBUTING.md"), "utf8");
  const answers = [...text.matchAll(/^\| (\S.*?) +\| `(src\/[^`]+)` +\| `([^`]+)` +\|$/gm)];
  expect(answers).toHaveLength(10);
  const wrong = answers.filter(([, , path = "", phrase = ""]) => {
    const full = join(projectRoot, path);
    return !existsSync(full) || !readFileSync(full, "utf8").includes(phrase);
  });
  expect(wrong.map(([row]) => row)).toEqual([]);
});

test("every other file that CONTRIBUTING.md names is there, but for those of its example", () => {
  const text = readFileSync(join(projectRoot, "CONTRIBUTING.md"), "utf8");
  const named = new Set([...text.matchAll(/`((?:src|test|resources|docs|scripts)\/[\w./-]*)`/g)].map((match) => match[1] ?? ""));
  expect(named.size).toBeGreaterThan(25);
  expect([...named].filter((path) => !existsSync(join(projectRoot, path)) && !path.includes("heartbeatd"))).toEqual([]);
});
