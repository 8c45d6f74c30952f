/** The engine outside host/ sees no clock, no randomness, no language and no machine: it is the same run everywhere. */
import { describe, expect, test } from "vitest";
import { engineBans } from "./engine-bans.ts";
import { sourceFiles } from "./project.ts";

const files = sourceFiles("src/engine", [".ts"]).filter(({ path }) => !path.startsWith("src/engine/host/"));

test("there is an engine to look at", () => {
  expect(files.length).toBeGreaterThan(10);
});

test("no file of the engine touches what is banned", () => {
  const found = files.flatMap(({ path, text }) => engineBans(path, text).map((ban) => `${path}:${ban}`));
  expect(found.join("\n")).toBe("");
});

describe("each ban is seen", () => {
  test.each([
    ["const t = Date.now();", "Date"],
    ["const t = new Date();", "Date"],
    ["const t = performance.now();", "performance"],
    ["const r = Math.random();", "Math.random"],
    ["const p = Math.pow(x, 2);", "Math.pow"],
    ["const l = Math.log(x);", "Math.log"],
    ["const s = Math.sin(x);", "Math.sin"],
    ["const p = x ** y;", "**"],
    ["let p = 2; p **= x;", "**="],
    ["setTimeout(f, 1);", "setTimeout"],
    ["console.log(1);", "console"],
    ["const e = process.env.HOME;", "process"],
    ["const g = globalThis;", "globalThis"],
    ["names.sort((a, b) => a.localeCompare(b));", "localeCompare"],
    ["const s = n.toLocaleString();", "toLocaleString"],
    ["const f = new Intl.NumberFormat();", "Intl"],
    ["async function f() {}", "async"],
    ["const f = async () => 1;", "async"],
    ["class C { async m() {} }", "async"],
    ["const p = Promise.resolve(1);", "Promise"],
    ["const b = Buffer.alloc(1);", "Buffer"],
    ['import { readFileSync } from "node:fs";', "import of node:fs"],
    ['import { app } from "electron";', "import of electron"],
    ['export * from "zod";', "import of zod"],
    ['import { x } from "./x";', "import of ./x without its .ts"],
    ['const m = import("./x.ts");', "import()"],
  ])("%s", (code, what) => {
    expect(engineBans("sample.ts", code)).toEqual([`1: ${what}`]);
  });

  test("the line is told", () => {
    expect(engineBans("sample.ts", "const a = 1;\n\nconsole.log(a);\n")).toEqual(["3: console"]);
  });

  test.each([
    "export function run(process: number): number { return process + 1; }",
    "const line = { Date: 1, process: 2 };",
    "const t = line.process;",
    "const big = 2 ** 32;",
    "const m = Math.floor(Math.sqrt(x)) + Math.PI;",
    "interface Host { process: string; console: number }",
    'import { x } from "./x.ts";',
  ])("no false alarm: %s", (code) => {
    expect(engineBans("sample.ts", code)).toEqual([]);
  });
});
