/** What ships: nothing that is not used, nothing under a licence that would bind the rest, the notices of all of it; and no package's script runs unless it is allowed by name. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Shipped {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
}

interface Notices {
  shippedPackages(): Shipped[];
  objection(one: Omit<Shipped, "path">): string | undefined;
}

const notices = (await import(new URL("../../scripts/lib/notices.mjs", import.meta.url).href)) as Notices;

interface Manifest {
  readonly dependencies: Record<string, string>;
  readonly allowScripts: Record<string, boolean>;
}

const manifest = JSON.parse(read("package.json")) as Manifest;
const lock = JSON.parse(read("package-lock.json")) as {
  packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; devOptional?: boolean }>;
};

describe("what ships", () => {
  const shipped = notices.shippedPackages();

  it("has a licence text for each package, and none under the GPL, the LGPL or the AGPL", () => {
    expect(shipped.length).toBeGreaterThan(40);
    expect(shipped.flatMap((one) => notices.objection(one) ?? [])).toEqual([]);
    const text = read("out/THIRD-PARTY.txt");
    for (const { name, version, licence } of shipped) expect(text).toContain(`\n${name} ${version} (${licence})\n`);
    expect(text).toMatch(
      /^zeromq \S+ \(MIT AND MPL-2\.0\)\n\n.*libzmq, under the Mozilla Public License 2\.0\. Its source is at https:\S+/m,
    );
    expect(text).toContain("\nre2js ");
  });

  it("is refused where a licence binds, is not told, or has no text", () => {
    const one = { name: "x", version: "1.0.0", text: "text" };
    const of = (licence: string, text = "text"): string | undefined => notices.objection({ ...one, licence, text });
    expect(["MIT", "MPL-2.0", "MIT AND MPL-2.0", "(GPL-2.0 OR MIT)", "MIT OR LGPL-3.0"].map((licence) => of(licence))).toEqual(Array(5).fill(undefined)); // prettier-ignore
    expect(["LGPL-3.0", "GPL-2.0-only", "AGPL-3.0", "MIT AND LGPL-3.0", "unknown"].map((licence) => of(licence))).toEqual(
      ["LGPL-3.0", "GPL-2.0-only", "AGPL-3.0", "MIT AND LGPL-3.0", "unknown"].map((licence) => `x 1.0.0 ships under ${licence}`),
    );
    expect(of("MIT", "")).toBe("x 1.0.0 ships without the text of its licence (MIT)");
  });

  it("is installed beside the built files only where it has parts for each system", () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["@photostructure/sqlite", "node-pty", "zeromq"]);
    const beside = Object.entries(lock.packages).filter(
      ([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true,
    );
    expect(beside.length).toBeLessThan(16);
  });

  it("has nothing of what the filters' package brings and nobody uses", () => {
    const unused =
      /node_modules\/(sql\.js|quickjs-emscripten|@jitl|undici|turndown|@mixmark-io|fast-xml-parser|node-liblzma|@mongodb-js|seek-bzip)(\/|$)/;
    expect(shipped.filter(({ path }) => unused.test(path))).toEqual([]);
    const files = readdirSync(join(root, "out/main"), { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith(".js"));
    const text = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8")).join("\n");
    expect(text).not.toMatch(/XMLParser|sql-wasm|QuickJS|TurndownService/);
    expect(text).toContain("not part of this build");
  });
});

describe("an install script", () => {
  it("is decided on by name for every package that has one, and for no other", () => {
    const having = Object.entries(lock.packages).flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript === true ? [path.replace(/^.*node_modules\//, "")] : [],
    );
    expect(Object.keys(manifest.allowScripts).sort()).toEqual(having.sort());
  });

  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const major = Number(spawnSync(npm, ["--version"], { encoding: "utf8", shell: process.platform === "win32" }).stdout.split(".")[0]);
  if (major < 11) console.log("an install script: skipped, npm before 11 runs what is not decided on");

  it.skipIf(major < 11)("of a package that nobody has decided on does not run: the install fails", () => {
    const dir = mkdtempSync(join(tmpdir(), "quorate-scripts-"));
    try {
      for (const name of ["stranger", "project"]) mkdirSync(join(dir, name));
      const ran = join(dir, "ran");
      const install = `node -e "require('fs').writeFileSync(process.env.RAN,'')"`;
      writeFileSync(
        join(dir, "stranger/package.json"),
        JSON.stringify({ name: "stranger", version: "1.0.0", scripts: { postinstall: install } }),
      );
      const options = {
        cwd: join(dir, "stranger"),
        encoding: "utf8",
        // The npm that runs these tests gives its own settings to this one, which `--silent` would silence.
        env: { ...process.env, npm_config_loglevel: "error", RAN: ran },
        shell: process.platform === "win32",
      } as const;
      expect(spawnSync(npm, ["pack", "--silent"], options).status).toBe(0);
      copyFileSync(join(root, ".npmrc"), join(dir, "project/.npmrc"));
      const project = {
        name: "project",
        private: true,
        dependencies: { stranger: "file:../stranger/stranger-1.0.0.tgz" },
        allowScripts: { esbuild: true },
      };
      writeFileSync(join(dir, "project/package.json"), JSON.stringify(project));
      const installed = spawnSync(npm, ["install", "--offline"], { ...options, cwd: join(dir, "project") });
      expect([installed.status === 0, existsSync(ran)]).toEqual([false, false]);
      expect(installed.stderr).toMatch(/stranger@1\.0\.0 \(postinstall/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
