/** The written style, enforced: openings, lengths, no left-overs, and the rules the linter holds. Each is shown something that breaks it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { projectRoot, sourceFiles } from "./project.ts";
import { badChecker, badOpening, leftOvers, longFunctions, maxFileLines, maxFolderFiles, openingComment } from "./style.ts";

const source = sourceFiles("src", [".ts", ".svelte"]);
const tests = sourceFiles("test", [".ts"]);
const scripts = sourceFiles("scripts", [".mjs"]);

describe("the project's files", () => {
  test("every file says at its top what it is; in the engine in a paragraph", () => {
    const bad = [...source, ...tests, ...scripts].flatMap(({ path, text }) => {
      const what = badOpening(path, text);
      return what === undefined ? [] : [`${path}: ${what}`];
    });
    expect(bad.join("\n")).toBe("");
  });

  test(`no file of the product is longer than ${maxFileLines} lines`, () => {
    const lines = (text: string): number => text.trimEnd().split("\n").length;
    expect(source.filter(({ text }) => lines(text) > maxFileLines).map(({ path, text }) => `${path}: ${lines(text)}`)).toEqual([]);
  });

  test(`no folder of src/main/lab holds more than ${maxFolderFiles} files`, () => {
    const held = new Map<string, number>();
    for (const { path } of source.filter((file) => file.path.startsWith("src/main/lab/")))
      held.set(dirname(path), (held.get(dirname(path)) ?? 0) + 1);
    expect(held.size).toBeGreaterThan(5);
    expect([...held].filter(([, files]) => files > maxFolderFiles)).toEqual([]);
  });

  test("no function of the product is longer than a screen", () => {
    const long = source
      .filter(({ path }) => path.endsWith(".ts"))
      .flatMap(({ path, text }) => longFunctions(path, text).map((found) => `${path}:${found}`));
    expect(long.join("\n")).toBe("");
  });

  test("nothing is left for another day", () => {
    const own = "test/tidy/";
    const left = [...source, ...tests, ...scripts]
      .filter(({ path }) => !path.startsWith(own))
      .flatMap(({ path, text }) => leftOvers(path, text).map((found) => `${path}:${found}`));
    expect(left.join("\n")).toBe("");
  });

  test("each checker states its invariant", () => {
    const bad = source
      .filter(({ path }) => /^src\/engine\/world\/checkers\/(?!index|types|check)/.test(path))
      .flatMap(({ path, text }) => {
        const what = badChecker(text);
        return what === undefined ? [] : [`${path}: ${what}`];
      });
    expect(bad.join("\n")).toBe("");
  });
});

describe("each rule is seen to fail", () => {
  test("a file without an opening, an engine file with half a line", () => {
    expect(badOpening("src/main/a.ts", "export const a = 1;\n")).toBe("opens without saying what it is");
    expect(badOpening("src/main/a.ts", "/** Says what it is. */\nexport const a = 1;\n")).toBeUndefined();
    expect(badOpening("src/engine/totem/a.ts", "/** Short. */\nexport const a = 1;\n")).toContain("paragraph");
    expect(badOpening("src/renderer/src/A.svelte", "<script>\n  let a = 1;\n</script>\n")).toBe("opens without saying what it is");
    expect(badOpening("src/renderer/src/A.svelte", "<!-- Says what it is. -->\n<p></p>\n")).toBeUndefined();
    expect(openingComment("#!/usr/bin/env node\n// One.\n// Two.\ncode();\n")).toBe("One.\nTwo.");
  });

  test("a long function", () => {
    const text = `function long() {\n${"  step();\n".repeat(90)}}\nfunction short() {}\n`;
    expect(longFunctions("a.ts", text)).toEqual(["1: long, 92 lines"]);
    const nest = `function nest() {\n  function one() {\n${"    step();\n".repeat(60)}  }\n  function two() {\n${"    step();\n".repeat(60)}  }\n}\n`;
    expect(longFunctions("a.ts", nest)).toEqual([]);
  });

  test("left-overs", () => {
    expect(leftOvers("src/a.ts", "// TODO: all of it\nconst todo = 1;\nthrow new Error('not implemented');\n")).toHaveLength(2);
    expect(leftOvers("src/a.ts", 'const facts = "../shared/reference";\n')).toHaveLength(1);
    // The C library's own text of ENOSYS.
    expect(leftOvers("src/a.ts", 'ENOSYS: "Function not implemented"\n')).toEqual([]);
  });

  test("a checker without its sentence", () => {
    expect(badChecker("/** checker */\n")).toBeDefined();
    expect(badChecker("/** At most one component is quorate at any instant. */\n")).toBeUndefined();
  });
});

describe("the linter holds the rest", () => {
  const samples: readonly (readonly [what: string, code: string, rule: string])[] = [
    ["any", "export const a = (x: any): number => x as number;\n", "typescript(no-explicit-any)"],
    ["non-null !", "export const a = (x: number | undefined): number => x!;\n", "typescript(no-non-null-assertion)"],
    ["a default export", "export default 1;\n", "import(no-default-export)"],
    ["#, where private is written", "export class A {\n  #b = 1;\n  c = (): number => this.#b;\n}\n", "quorate(no-private-identifier)"],
    ["a type imported as a value", 'import { B } from "./good.ts";\nexport type A = B;\n', "typescript(consistent-type-imports)"],
    [
      "a promise nobody waits for",
      "const p = async (): Promise<void> => {};\nexport const a = (): void => {\n  p();\n};\n",
      "typescript(no-floating-promises)",
    ],
    ["a swallowed error", "export const a = (): void => {\n  try {\n    a();\n  } catch {}\n};\n", "eslint(no-empty)"],
    [
      "a switch that forgets a case",
      'export const a = (x: "p" | "q"): number => {\n  switch (x) {\n    case "p":\n      return 1;\n  }\n  return 0;\n};\n',
      "typescript(switch-exhaustiveness-check)",
    ],
  ];
  let found: ReadonlyMap<string, readonly string[]> = new Map();

  /** All of them in one run, beside the project: what it says is of no file of the project. */
  beforeAll(() => {
    const dir = mkdtempSync(join(tmpdir(), "quorate-lint-"));
    const { compilerOptions } = JSON.parse(readFileSync(join(projectRoot, "tsconfig.json"), "utf8")) as { compilerOptions: object };
    const options = { ...compilerOptions, types: [] };
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
    writeFileSync(join(dir, "good.ts"), "export interface B {\n  readonly b: number;\n}\nexport const a = (x: number): number => x + 1;\n");
    samples.forEach(([, code], i) => writeFileSync(join(dir, `${i}.ts`), code));
    const oxlint = join(projectRoot, "node_modules/oxlint/bin/oxlint");
    const { stdout } = spawnSync(process.execPath, [oxlint, "-c", join(projectRoot, ".oxlintrc.json"), "--format=json"], {
      cwd: dir,
      encoding: "utf8",
    });
    rmSync(dir, { recursive: true, force: true });
    const { diagnostics, number_of_files: files } = JSON.parse(stdout) as {
      diagnostics: { code: string; filename: string }[];
      number_of_files: number;
    };
    expect(files).toBe(samples.length + 1);
    const rules = new Map<string, string[]>();
    for (const { code, filename } of diagnostics) rules.set(basename(filename), [...(rules.get(basename(filename)) ?? []), code]);
    found = rules;
  }, 60_000);

  test.each(samples.map(([what, , rule], i) => [what, `${i}.ts`, rule] as const))("%s", (_what, file, rule) => {
    expect(found.get(file)).toContain(rule);
  });

  test("and lets good code pass", () => {
    expect(found.get("good.ts") ?? []).toEqual([]);
  });
});

describe("the packages", () => {
  const read = (name: string): Record<string, Record<string, unknown>> =>
    JSON.parse(readFileSync(join(projectRoot, name), "utf8")) as Record<string, Record<string, unknown>>;

  test("every version is exact", () => {
    const { dependencies = {}, devDependencies = {} } = read("package.json");
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^(npm:@?[\w/-]+@)?\d+\.\d+\.\d+$/.test(String(version)),
    );
    expect(loose).toEqual([]);
  });

  test("the lock file names no host", () => {
    const { packages = {} } = read("package-lock.json");
    expect(Object.keys(packages).length).toBeGreaterThan(100);
    expect(Object.entries(packages).filter(([, entry]) => typeof entry === "object" && entry !== null && "resolved" in entry)).toEqual([]);
  });

  test("the lock file belongs to package.json", () => {
    const wanted = read("package.json");
    const locked = read("package-lock.json")["packages"]?.[""] as typeof wanted;
    expect(locked["dependencies"]).toEqual(wanted["dependencies"]);
    expect(locked["devDependencies"]).toEqual(wanted["devDependencies"]);
  });

  test("the licence is there whole", () => {
    expect(existsSync(join(projectRoot, "LICENSE"))).toBe(true);
    expect(readFileSync(join(projectRoot, "LICENSE"), "utf8")).toMatch(/Apache License\s+Version 2\.0[\s\S]*END OF TERMS AND CONDITIONS/);
  });
});
