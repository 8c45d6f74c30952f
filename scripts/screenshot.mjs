// node scripts/screenshot.mjs [--out docs/quorate.png]: the picture in the README, taken from the real page of a lab that has just lost a node's cable.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { chromiumBinary, ensureBuilt, ensureInstalled, root, say } from "./lib/setup.mjs";

const at = process.argv.indexOf("--out");
const out = resolve(at < 0 ? join(root, "docs/quorate.png") : (process.argv[at + 1] ?? ""));
const executablePath = chromiumBinary();
if (executablePath === undefined) {
  say("a screenshot needs Chromium: install it, or name one in QUORATE_CHROMIUM");
  process.exit(1);
}
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);

const home = mkdtempSync(join(tmpdir(), "quorate-shot-"));
for (const name of ["state", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
const env = { ...process.env, XDG_STATE_HOME: join(home, "state"), XDG_RUNTIME_DIR: join(home, "run"), QUORATE_LAB: join(home, "lab") };
const run = promisify(execFile);
const quorate = async (...args) => (await run(process.execPath, [join(root, "out/main/cli.js"), ...args], { env })).stdout.trim();

const { chromium } = await import("playwright-core");
try {
  await quorate("up", "--nodes", "3", "--clustered", "--seed", "7f3a");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"] });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
  await page.goto(await quorate("serve"));
  await page.getByText("pve3").first().waitFor();
  await page.waitForTimeout(3000);
  await quorate("link", "cut", "pve3:net0");
  await quorate("wait", "--members", "2", "--node", "pve1", "--timeout", "60");
  await page.waitForTimeout(1500);
  mkdirSync(dirname(out), { recursive: true });
  await page.screenshot({ path: out });
  await browser.close();
  say(`written: ${out}`);
} finally {
  await quorate("down").catch((error) => say(`the lab was not frozen: ${error.message}`));
  rmSync(home, { recursive: true, force: true });
}
