/** What a package is made of, and with which fuses; docs/security.md says why. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files, packageConfig } from "../../scripts/lib/package-config.mjs";
import { projectRoot } from "../tidy/project.ts";

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8");
const config = packageConfig({ platform: "linux", arch: "x64", electron: { version: "45.0.0" }, output: "dist" });

describe("the package", () => {
  test("its fuses are those of docs/security.md", () => {
    const table = [...read("docs/security.md").matchAll(/^\| (\w+) +\| (on|off) +\|/gm)].map(([, name = "", state]) => [
      name.replace(/^Enable/, "enable").replace(/^./, (first) => first.toLowerCase()),
      state === "on",
    ]);
    expect(table).toHaveLength(7);
    const { loadBrowserProcessSpecificV8Snapshot, ...set } = config.electronFuses;
    expect(Object.fromEntries(table)).toEqual(set);
    expect(loadBrowserProcessSpecificV8Snapshot).toBe(false);
  });

  test("every point of the table names a test that is there", () => {
    const page = read("docs/security.md");
    const tests = ["security", "ends", "package"].map((name) => read(`test/desktop/${name}.test.ts`)).join("\n");
    const points = [...page.matchAll(/^\| (\d+(?:, \d+)?) [^|]+\|[^|]+\| ([^|]+)\|/gm)];
    expect(points.flatMap(([, numbers = ""]) => numbers.split(", ").map(Number))).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    for (const [, , where = ""] of points) expect(where).toMatch(/`(security|ends|package)\.test\.ts`|the same/);
    for (const title of [
      "1, 18: ",
      "2, 3, 4, 20: ",
      "2 to 4, 6, 8 to 12: ",
      "5: ",
      "7: ",
      "13: ",
      "14, 15: ",
      "16: ",
      "17: ",
      "without the sandbox",
    ])
      expect(tests).toContain(`test("${title}`);
  });

  test("it has what runs and no more: no maps, no sources, nothing for another system", () => {
    for (const [platform, arch] of [
      ["linux", "x64"],
      ["darwin", "arm64"],
      ["win32", "x64"],
    ] as const) {
      const list = files(platform, arch);
      expect(list.filter((one) => one.startsWith("out") || one.startsWith("src"))).toEqual([
        "out/main/**/*",
        "out/preload/**/*",
        "out/renderer/**/*",
        "out/THIRD-PARTY.txt",
      ]);
      expect(list.join("\n")).toMatch(/!\*\*\/\*\.\{map,ts,/);
      expect(list).not.toContain(`!node_modules/zeromq/build/${platform}/**`);
      expect(list).not.toContain(`!node_modules/zeromq/build/${platform}/${arch}/**`);
    }
    expect(config.asarUnpack).toContain("**/*.node");
  });

  test("links and files of a lab are its own", () => {
    expect(config.protocols.flatMap(({ schemes }) => schemes)).toEqual(["quorate"]);
    expect(config.fileAssociations.map(({ ext }) => ext)).toEqual(["quorate"]);
  });
});
