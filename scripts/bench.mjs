// npm run bench [-- --json]: how fast the engine, the command line and the page are, as medians, with the goals beside. Writes test-results/bench.json.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromiumBinary, ensureBuilt, ensureInstalled, root, say } from "./lib/setup.mjs";

const run = promisify(execFile);
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);

const home = mkdtempSync(join(tmpdir(), "quorate-bench-"));
for (const name of ["state", "run"]) mkdirSync(join(home, name), { mode: 0o700 });
const env = { ...process.env, XDG_STATE_HOME: join(home, "state"), XDG_RUNTIME_DIR: join(home, "run"), QUORATE_LAB: join(home, "lab") };
const cli = join(root, "out/main/cli.js");
const quorate = async (...args) => (await run(process.execPath, [cli, ...args], { env })).stdout.trim();

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(times, work) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await work();
    taken.push(performance.now() - began);
  }
  return median(taken);
}

/** The engine as it runs in a lab: bundled, in a process of its own. */
async function engine() {
  say("engine: 3, 8, 16 and 32 nodes, idle and under load; about a minute");
  const { build } = await import("vite");
  const outDir = join(root, "node_modules/.cache/quorate-bench");
  const bundle = { ssr: "test/bench/engine.ts", outDir, emptyOutDir: true, target: "node20" };
  await build({ root, configFile: false, logLevel: "warn", build: bundle });
  const { stdout } = await run(process.execPath, [join(outDir, "engine.js")], { cwd: root, maxBuffer: 1 << 20 });
  return JSON.parse(stdout);
}

/** Bare Node beside it, because that much no program of ours can save. */
async function commandLine() {
  say("command line");
  const nodeMs = await timed(15, () => run(process.execPath, ["-e", ""], { env }));
  await quorate("exec", "pve1", "true");
  return {
    nodeMs,
    execMs: await timed(15, () => quorate("exec", "pve1", "true")),
    statusMs: await timed(15, () => quorate("status", "--json")),
  };
}

/** `npm start` with everything installed and built, from nothing to the address of a running, quorate lab. */
async function startMs() {
  say("npm start");
  const taken = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    const lab = { ...env, QUORATE_LAB: join(home, `start-${i}`) };
    const child = spawn(process.execPath, [join(root, "scripts/start.mjs"), "--web", "--no-open"], {
      env: lab,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise((done) => child.stdout.once("data", done));
    taken.push(performance.now() - began);
    child.kill("SIGINT");
    await new Promise((done) => child.once("close", done));
  }
  return median(taken);
}

async function page() {
  const executablePath = chromiumBinary();
  if (executablePath === undefined) return undefined;
  say("page");
  const { chromium } = await import("playwright-core");
  const url = await quorate("serve");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"] });
  const paints = [];
  const drawns = [];
  for (let i = 0; i < 5; i++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const tab = await context.newPage();
    const began = performance.now();
    await tab.goto(url);
    await tab.getByText("pve3").first().waitFor();
    drawns.push(performance.now() - began);
    paints.push(await tab.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN));
    await context.close();
  }
  await browser.close();
  return { firstPaintMs: median(paints), labDrawnMs: median(drawns) };
}

function print({ machine, engine: e, commandLine: c, page: p, upMs, startMs: s }) {
  const row = (name, value, goal = "") => console.log(`${name.padEnd(46)} ${value.padStart(16)}   ${goal}`);
  const n = (value, digits = 0) => value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
  console.log(`${machine.model}, ${machine.processors} processors, Node ${machine.node}, ${n(e.machineSpeed)} M loop steps/s`);
  row("", "", "goal");
  for (const r of e.rates)
    row(`${r.nodes} nodes, ${r.load}: virtual s per s`, n(r.virtualPerWall), `${n(r.eventsPerVirtualSecond)} events per virtual s`);
  for (const r of e.rates) row(`${r.nodes} nodes, ${r.load}: events per s`, n(r.eventsPerSecond), "200,000");
  row("one idle hour of 3 nodes", `${n(e.idleHourSeconds, 2)} s`, "2 s");
  row(`snapshot of ${e.snapshot.nodes} nodes`, `${n(e.snapshot.snapshotMs, 2)} ms`, "5 ms");
  row(`restore of ${e.snapshot.nodes} nodes`, `${n(e.snapshot.restoreMs, 2)} ms`);
  row("up --nodes 3 --clustered", `${n(upMs)} ms`);
  row("npm start, warm, to the page's address", `${n(s)} ms`, "6,000 ms");
  row("exec pve1 true", `${n(c.execMs)} ms`, `300 ms; ${n(c.execMs / c.nodeMs, 1)} × an empty node program (${n(c.nodeMs)} ms)`);
  row("status --json", `${n(c.statusMs)} ms`);
  if (p === undefined) console.log("page: skipped, no Chromium");
  else {
    row("page: first paint", `${n(p.firstPaintMs)} ms`, "1,000 ms");
    row("page: lab drawn", `${n(p.labDrawnMs)} ms`);
  }
}

try {
  const began = performance.now();
  await quorate("up", "--nodes", "3", "--clustered");
  const upMs = performance.now() - began;
  const machine = { model: cpus()[0]?.model ?? "unknown processor", processors: availableParallelism(), node: process.versions.node };
  const result = { machine, upMs, commandLine: await commandLine(), page: await page(), startMs: await startMs(), engine: await engine() };
  mkdirSync(join(root, "test-results"), { recursive: true });
  writeFileSync(join(root, "test-results/bench.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
  else print(result);
} finally {
  await quorate("down").catch((error) => say(`the lab of the bench was not frozen: ${error.message}`));
  rmSync(home, { recursive: true, force: true });
}
