/**
 * `npm start` on a machine without the Electron binary: says so in one line, serves the page of a running lab and prints its address; a second start
 * attaches; Ctrl-C of the first freezes the lab and the next goes on with it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { electronBinary, installNeeded } from "../../scripts/lib/setup.mjs";
import { projectRoot } from "../tidy/project.ts";

let home: string;
let env: NodeJS.ProcessEnv;
let started: Start[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "quorate-start-"));
  for (const name of ["state", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
  env = { ...process.env, XDG_STATE_HOME: join(home, "state"), XDG_RUNTIME_DIR: join(home, "run"), QUORATE_LAB: join(home, "lab") };
  started = [];
});

afterEach(async () => {
  for (const start of started.reverse()) await start.interrupt();
  rmSync(home, { recursive: true, force: true });
});

/** One `npm start` and what it said. */
class Start {
  out = "";
  err = "";
  private child: ChildProcess;
  private end: Promise<number | null>;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [join(projectRoot, "scripts/start.mjs"), ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.on("data", (data: Buffer) => (this.out += data.toString()));
    this.child.stderr?.on("data", (data: Buffer) => (this.err += data.toString()));
    this.end = new Promise((resolve) => this.child.on("close", resolve));
    started.push(this);
  }

  /** The address, once it is printed and what follows it is said. */
  async address(): Promise<string> {
    await expect.poll(() => this.err, { timeout: 60_000 }).toContain("Ctrl-C");
    return this.out.trim();
  }

  async interrupt(): Promise<number | null> {
    if (this.child.exitCode === null) this.child.kill("SIGINT");
    return await this.end;
  }

  ended(): Promise<number | null> {
    return this.end;
  }
}

test("the first start makes a lab and serves it, the second attaches, the end freezes it, the third goes on", async () => {
  const first = new Start("--web", "--no-open");
  const address = await first.address();
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{32}$/);
  expect(first.err).toContain("page on loopback");
  expect(first.err).toContain(`starting a lab of three nodes in ${join(home, "lab")}`);
  const page = await fetch(address);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("<title>Quorate</title>");

  const second = new Start("--web", "--no-open");
  expect(await second.address()).toBe(address);
  expect(second.err).toContain(`attached to the lab that runs in ${join(home, "lab")}`);
  expect(await second.interrupt()).toBe(0);
  expect((await fetch(address)).status).toBe(200);

  expect(await first.interrupt()).toBe(0);
  expect(first.err).toContain("the lab is frozen");
  await expect(fetch(address)).rejects.toThrow();

  const third = new Start("--web", "--no-open");
  await third.address();
  expect(third.err).toContain("where it was frozen");
});

test("Ctrl-C while the lab is starting leaves none running", async () => {
  const start = new Start("--web", "--no-open");
  await expect.poll(() => start.err, { timeout: 60_000 }).toContain("starting a lab");
  expect(await start.interrupt()).toBe(0);
  expect(start.err).toContain("the lab is frozen");
});

test.skipIf(electronBinary() !== undefined)("without the binary: one line says so and names the command that installs it", async () => {
  const start = new Start("--no-open");
  await start.address();
  const lines = start.err.split("\n").filter((line) => line.includes("Electron"));
  expect(lines).toEqual([
    'page on loopback: the Electron binary is not installed ("npx install-electron" installs it, then npm start opens a window)',
  ]);
});

test.each([
  [["--port", "99999"], "--port 99999: a port is a number from 1 to 65535"],
  [["--port"], "--port : a port is a number from 1 to 65535"],
  [["--wrong"], "--wrong: no such option"],
])("wrong usage %j: one line and status 2", async (args, line) => {
  const start = new Start(...args);
  expect(await start.ended()).toBe(2);
  expect(start.err.trim().split("\n")).toHaveLength(1);
  expect(start.err).toContain(line);
});

describe("what is missing", () => {
  /** A project folder with one package in its lock file, installed in the given version or not at all. */
  function project(installed: string | undefined): string {
    const dir = join(home, "project");
    mkdirSync(join(dir, "node_modules"), { recursive: true });
    const lock = (version: string): string =>
      JSON.stringify({ packages: { "": {}, "node_modules/zod": { version }, "node_modules/rare": { version: "1.0.0", optional: true } } });
    writeFileSync(join(dir, "package-lock.json"), lock("4.6.7"));
    if (installed !== undefined) writeFileSync(join(dir, "node_modules/.package-lock.json"), lock(installed));
    return dir;
  }

  test("nothing, another version, or all there", () => {
    expect(installNeeded(project(undefined))).toBe("nothing is installed yet");
    expect(installNeeded(project("4.0.0"))).toBe("zod 4.6.7 is not installed");
    expect(installNeeded(project("4.6.7"))).toBeUndefined();
  });

  test("the Electron binary is found by looking at files", () => {
    const dist = join(home, "dist");
    const before = process.env["ELECTRON_OVERRIDE_DIST_PATH"];
    process.env["ELECTRON_OVERRIDE_DIST_PATH"] = dist;
    try {
      expect(electronBinary()).toBeUndefined();
      mkdirSync(dist);
      writeFileSync(join(dist, process.platform === "win32" ? "electron.exe" : "electron"), "");
      if (process.platform !== "darwin") expect(electronBinary()).toContain(dist);
    } finally {
      if (before === undefined) delete process.env["ELECTRON_OVERRIDE_DIST_PATH"];
      else process.env["ELECTRON_OVERRIDE_DIST_PATH"] = before;
    }
  });
});
