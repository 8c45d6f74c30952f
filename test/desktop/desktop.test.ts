/**
 * The built application: it opens a window on a running lab of three nodes, gives the page a channel and nothing else, saves an export, and freezes at
 * its end the lab it has started. Run under the stand-in for Electron with the system's Chromium: a window of it always, so that it stays true, the rest where no real Electron
 * is (window.test.ts, ends.test.ts and security.test.ts have it there).
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectRoot } from "../tidy/project.ts";
import { askByChannel, canElectron } from "./desk.ts";
import { canStandIn, StandIn } from "./driver.ts";

const run = promisify(execFile);
let home: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "quorate-desk-"));
  for (const name of ["state", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
  env = { ...process.env, XDG_STATE_HOME: join(home, "state"), XDG_RUNTIME_DIR: join(home, "run"), QUORATE_LAB: join(home, "lab") };
});

afterEach(async () => {
  if ((await running()) === true) await quorate("down");
  rmSync(home, { recursive: true, force: true });
});

async function quorate(...args: string[]): Promise<string> {
  return (await run(process.execPath, [join(projectRoot, "out/main/cli.js"), ...args], { env })).stdout;
}

/** Is the lab running? Undefined: there is none. */
async function running(): Promise<boolean | undefined> {
  const labs = JSON.parse(await quorate("ls", "--json")) as { lab: string; running: boolean }[];
  return labs.find((lab) => lab.lab === join(home, "lab"))?.running;
}

/** The page, its lab, its channel, its limits. */
async function tour(app: StandIn): Promise<void> {
  expect(await app.url()).toBe("app://quorate/index.html");
  await expect.poll(() => app.evaluate("document.body.innerText"), { timeout: 20_000 }).toMatch(/pve1[\s\S]*pve2[\s\S]*pve3/);
  expect(await running()).toBe(true);

  // The page has a channel and no Node.
  expect(await app.evaluate(askByChannel({ id: 7, request: { op: "time" } }))).toMatchObject({
    id: 7,
    ok: true,
    result: { speed: 1, paused: false },
  });
  expect(await app.evaluate(askByChannel({ id: 8, request: { op: "speed", speed: 1000 } }))).toMatchObject({ id: 8, ok: false });
  expect(await app.evaluate(askByChannel({ id: 9, request: { op: "no-such-thing" } }))).toMatchObject({
    id: 9,
    ok: false,
    error: { code: "usage" },
  });
  expect(await app.evaluate("[typeof require, typeof process, typeof module].join()")).toBe("undefined,undefined,undefined");
  expect(await app.evaluate("Object.keys(window.host).sort().join()")).toBe("connect,face,openLab,openTerminal,platform");

  // Its policy holds: no inline script, no foreign connection.
  await app.evaluate('{ const s = document.createElement("script"); s.textContent = "window.foreign = 1"; document.head.append(s); }');
  expect(await app.evaluate("typeof window.foreign")).toBe("undefined");
  expect(await app.evaluate('fetch("https://example.com/").then(() => "fetched", () => "refused")')).toBe("refused");

  // The menu reaches the page.
  await app.clickMenu("Command palette…");
  await expect.poll(() => app.evaluate('document.querySelectorAll("[role=dialog]").length'), { timeout: 5_000 }).toBe(1);

  // Export through the menu writes what real hosts need.
  const target = join(home, "export");
  mkdirSync(target);
  // The addresses of a new lab are placeholders, and that is asked about first.
  await app.answerQuestion(1);
  await app.answerDialog([target]);
  await app.clickMenu("Export configuration…");
  await expect.poll(() => existsSync(join(target, "README.md")) || existsSync(join(target, "README.txt")), { timeout: 10_000 }).toBe(true);
  const conf = (await run("find", [target, "-name", "corosync.conf"])).stdout.trim().split("\n")[0] ?? "";
  expect(readFileSync(conf, "utf8")).toMatch(/nodelist \{[\s\S]*ring0_addr: 10\.0\.0\.11/);
}

describe.skipIf(!canStandIn)("under the stand-in (skipped without Chromium)", () => {
  test("a window on a running lab; who started the lab freezes it", async () => {
    const app = new StandIn(env);
    try {
      const made = await app.until((what) => what["window"] !== undefined, "a window");
      expect(made).toMatchObject({ contextIsolation: true, sandbox: true, nodeIntegration: false });
      await tour(app);
      expect(app.told.filter((what) => what["console"] === "error" && !String(what["text"]).includes("Content Security Policy"))).toEqual(
        [],
      );
    } finally {
      await app.quit();
    }
    expect(await running()).toBe(false);
  });
});

/** What the tests in the real Electron hold as well. */
function elsewhere(): void {
  test("navigation, new windows and permissions are denied", async () => {
    const app = new StandIn(env);
    try {
      await app.url();
      await app.evaluate('void setTimeout(() => (location.href = "https://example.com/"))');
      await app.until((what) => what["denied"] === "https://example.com/", "the refusal");
      expect(await app.evaluate("location.host")).toBe("quorate.standin");
      await app.answerQuestion(0);
      expect(await app.command({ open: "https://example.com/" })).toEqual({ action: "deny" });
      await app.until((what) => what["external"] !== undefined, "the browser");
      expect(await app.command({ open: "file:///etc/passwd" })).toEqual({ action: "deny" });
      expect(app.told.filter((what) => what["external"] !== undefined)).toEqual([{ external: "https://example.com/" }]);
      for (const permission of ["media", "geolocation", "notifications", "openExternal"])
        expect(await app.command({ permission })).toBe(false);
    } finally {
      await app.quit();
    }
  });

  test("a lab that was running goes on when the window is closed", async () => {
    await quorate("up", "--nodes", "3", "--clustered");
    const app = new StandIn(env);
    await app.url();
    await app.quit();
    expect(await running()).toBe(true);
  });

  test("a lab that was frozen goes on where it was", async () => {
    await quorate("up", "--nodes", "3", "--clustered");
    await quorate("node", "kill", "pve3");
    await quorate("down");
    const app = new StandIn(env);
    try {
      await app.url();
      const { nodes } = JSON.parse(await quorate("status", "--json")) as { nodes: { name: string; power: string }[] };
      expect(nodes.map((node) => `${node.name} ${node.power}`)).toEqual(["pve1 on", "pve2 on", "pve3 off"]);
    } finally {
      await app.quit();
    }
  });
}

if (!canElectron) describe.skipIf(!canStandIn)("under the stand-in, in place of Electron (skipped without Chromium)", elsewhere);
