// npm run bench [-- [--json] [--seconds N] [--nodes N,N…] [--beside DIR] [PART…]]: how fast the engine, what-if, the two hosts, live labs, the command line, the page and the window are, as medians, with the goals
// beside. Parts: engine whatif hosts live cli page desktop; all without one. --seconds: wall time over which a lab's pace is taken, default 60. --nodes: sizes of the labs whose
// pace is taken, default 3,8,16,32. --beside: another checkout with its packages installed, whose engine is measured in turn with this one. Writes test-results/bench.json.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { setTimeout as wallMs } from "node:timers/promises";
import { busyNode } from "./lib/busy.mjs";
import { ensureElectronForTests } from "./lib/electron.mjs";
import { processorPercent, workerMemory } from "./lib/live.mjs";
import { manyNodes } from "./lib/page.mjs";
import { chromiumBinary, endsWithUs, ensureBuilt, ensureInstalled, root, say } from "./lib/setup.mjs";

const run = promisify(execFile);
const parts = ["engine", "whatif", "hosts", "live", "cli", "page", "desktop"];
const args = process.argv.slice(2).filter((word) => word !== "--json");
/** Takes an option and its value out of the arguments. */
function option(name, standard) {
  const at = args.indexOf(name);
  return at < 0 ? standard : (args.splice(at, 2)[1] ?? "");
}
const secondsWord = option("--seconds", "60");
const nodesWord = option("--nodes", "3,8,16,32");
const beside = option("--beside", "");
const wellFormed = /^[1-9]\d{0,3}$/.test(secondsWord) && /^\d{1,2}(,\d{1,2})*$/.test(nodesWord);
if (!wellFormed || args.some((word) => !parts.includes(word))) {
  say(`npm run bench [-- [--json] [--seconds N] [--nodes N,N…] [--beside DIR] [PART…]]: 1 to 9999 seconds; parts: ${parts.join(" ")}`);
  process.exit(2);
}
if (beside !== "" && !existsSync(join(beside, "test/bench/engine.ts"))) {
  say(`--beside ${beside}: no checkout with test/bench/engine.ts is there`);
  process.exit(2);
}
const seconds = Number(secondsWord);
const sizes = nodesWord.split(",").map(Number);
const wanted = (part) => args.length === 0 || args.includes(part);
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

/** A program of test/bench as one file: as the engine is when it runs in a lab. */
async function bundled(name, checkout = root) {
  const { build } = await import("vite");
  const outDir = join(checkout, "node_modules/.cache/quorate-bench");
  const bundle = { ssr: `test/bench/${name}.ts`, outDir, emptyOutDir: false, target: "node20" };
  await build({ root: checkout, configFile: false, logLevel: "warn", build: bundle });
  return join(outDir, `${name}.js`);
}

/** What it prints, run in a process of its own; what it says meanwhile is progress. */
async function told(...command) {
  const child = endsWithUs(spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "inherit"] }));
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${command[0]} ended with ${status}`);
  return JSON.parse(printed);
}

/** With another checkout beside it each runs twice, in turn, and the better of both counts: what else the machine does only ever slows them. */
async function engine() {
  say("engine: 3, 8, 16 and 32 nodes, idle and under load; about a minute");
  const own = await bundled("engine");
  if (beside === "") return told(own);
  const other = await bundled("engine", resolve(beside));
  const [a, b, c, d] = [await told(own), await told(other), await told(own), await told(other)];
  const better = (x, y) => x.rates.map((r, i) => Math.max(r.eventsPerSecond, y.rates[i].eventsPerSecond));
  const [ours, theirs] = [better(a, c), better(b, d)];
  return { ...c, rates: c.rates.map((r, i) => ({ ...r, besideRatio: ours[i] / theirs[i] })) };
}

async function whatif() {
  say("what-if: clusters of up to 16 nodes");
  return told(await bundled("whatif"));
}

async function hosts() {
  say(`hosts: ${nodesWord} nodes beside the wall clock, ${seconds} s each, idle and with a sender; then unpaced`);
  return told(await bundled("hosts"), await bundled("host-worker"), String(seconds), nodesWord);
}

/** Labs as people have them: how long until one stands, what it takes, and the pace it keeps. */
async function live() {
  const results = [];
  for (const nodes of sizes) {
    say(`live lab of ${nodes} nodes`);
    const lab = join(home, `live-${nodes}`);
    const times = [];
    for (let i = 0; i < (nodes > 16 ? 1 : 3); i++) {
      if (i > 0) await quorate("rm", "--yes", "--lab", lab);
      const began = performance.now();
      await quorate("up", "--nodes", String(nodes), "--clustered", "--lab", lab);
      times.push(performance.now() - began);
    }
    const { pid } = JSON.parse(await quorate("up", "--lab", lab, "--json"));
    const now = async () => JSON.parse(await quorate("time", "--lab", lab, "--json")).instant;
    // What starting costs is not what running costs.
    await wallMs(5000);
    const [at, began] = [await now(), performance.now()];
    // A young lab compiles what it runs; both are told. Those seconds are over before the others are taken.
    const looked = Math.min(20, seconds / 2);
    const young = await processorPercent(pid, looked);
    await wallMs(Math.max(0, (seconds - looked) * 1000 - (performance.now() - began)));
    const processor = await processorPercent(pid, looked);
    const end = await now();
    const wall = performance.now() - began;
    results.push({
      nodes,
      upMs: median(times),
      pace: (end - at) / 1000 / wall,
      youngPercent: young,
      processorPercent: processor,
      memory: workerMemory(pid),
    });
    await quorate("down", "--lab", lab);
  }
  return results;
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
    busy: await busyNode([cli], env),
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
  const many = await sixteen(browser);
  await browser.close();
  return { firstPaintMs: median(paints), labDrawnMs: median(drawns), many };
}

/** The window in a real Electron; undefined: there is none. */
async function desktop() {
  const why = await ensureElectronForTests();
  if (why !== undefined) return void say(`desktop: skipped, ${why}`);
  say("desktop: the window with 3 and 16 nodes; about a minute");
  return told("--import", "tsx", "test/bench/desktop.ts");
}

async function sixteen(browser) {
  say("page with 16 nodes");
  const lab = join(home, "page-16");
  await quorate("up", "--nodes", "16", "--clustered", "--lab", lab);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const tab = await context.newPage();
  await tab.goto(await quorate("serve", "--lab", lab));
  const many = await manyNodes(tab, 16);
  await context.close();
  await quorate("down", "--lab", lab);
  return many;
}

/** Recorded with corosync 3.1.7, three daemons on a machine with two processors: one sender, 1000 messages in flight; and one message now and then. */
const corosync = {
  64: { messagesPerSecond: 32_086, latencyUs: 867.5 },
  1024: { messagesPerSecond: 24_532, latencyUs: 810.6 },
  16384: { messagesPerSecond: 3_577, latencyUs: 868.5 },
};
/** Of the speed that is asked for: by nodes, load and speed. */
const paceGoals = { "3 idle 100": "0.98", "16 idle 10": "0.98", "16 idle 1": "0.98", "16 sender 1": "0.98", "32 sender 1": "0.9" };
/** Percent of a core at ×1, idle, nobody looking on, hub and workers together. */
const costGoals = { 3: 2, 16: 8, 32: 15 };
const costGoal = (nodes) => (costGoals[nodes] === undefined ? "" : `, goal ${costGoals[nodes]} %`);
const upGoals = { 3: "2,500 ms", 8: "4,000 ms", 16: "7,000 ms" };

const row = (name, value, goal = "") => console.log(`${name.padEnd(52)} ${value.padStart(16)}   ${goal}`);
const n = (value, digits = 0) => value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });

function printEngine(e) {
  row("this machine: loop steps per s", `${n(e.machineSpeed)} M`);
  for (const r of e.rates)
    row(`${r.nodes} nodes, ${r.load}: virtual s per s`, n(r.virtualPerWall), `${n(r.eventsPerVirtualSecond)} events per virtual s`);
  for (const r of e.rates) row(`${r.nodes} nodes, ${r.load}: events per s`, n(r.eventsPerSecond), "200,000");
  for (const r of e.rates.filter((rate) => rate.besideRatio !== undefined))
    row(`${r.nodes} nodes, ${r.load}: events per s over those of the other checkout`, n(r.besideRatio, 2), "0.85");
  row("boot of a node's service manager, processor time", `${n(e.bootMs, 2)} ms`, "2 ms");
  row("one idle hour of 3 nodes", `${n(e.idleHourSeconds, 2)} s`, "2 s");
  row(`snapshot of ${e.snapshot.nodes} nodes`, `${n(e.snapshot.snapshotMs, 2)} ms`, "5 ms");
  row(`restore of ${e.snapshot.nodes} nodes`, `${n(e.snapshot.restoreMs, 2)} ms`);
}

function printWhatif(questions) {
  for (const q of questions)
    row(
      `what-if: ${q.nodes} nodes, ${q.links} link${q.links > 1 ? "s" : ""}${q.qdevice ? ", QDevice" : ""}`,
      `${n(q.ms)} ms`,
      q.nodes === 16 && q.qdevice ? "5,000 ms" : "",
    );
}

function printHosts(h) {
  for (const p of h.pace)
    row(
      `workers, ${p.nodes} nodes, ${p.load}${p.load === "idle" && p.speed === 1 ? (p.watched ? ", looked at" : ", nobody looks on") : ""}: pace at ×${p.speed}`,
      n(p.pace, 3),
      `${paceGoals[`${p.nodes} ${p.load} ${p.speed}`] ?? "no goal"}; ${n(p.processorPercent, 1)} % of a core${p.watched || p.speed > 1 ? "" : costGoal(p.nodes)}`,
    );
  for (const g of h.granted)
    row(
      `workers, ${g.nodes} nodes, ${g.load}: granted events per s`,
      n(g.eventsPerSecond),
      `${g.nodes === 16 && g.load === "sender" ? "50,000; " : ""}${n(g.virtualPerWall, 1)} virtual s per s; ${n(g.hubMicros, 1)} µs of the hub and ${n(g.workerMicros, 1)} µs of workers an event`,
    );
  for (const m of h.messages) {
    const real = corosync[m.bytes];
    const name = `${m.host}, ${n(m.bytes)} B`;
    row(
      `${name}: messages per virtual s`,
      n(m.perVirtualSecond),
      `corosync ${n(real.messagesPerSecond)} (${n(m.perVirtualSecond / real.messagesPerSecond, 2)} ×)`,
    );
    row(`${name}: messages per s`, n(m.perSecond));
    row(`${name}: delivery on an idle ring, virtual`, `${n(m.latencyUs)} µs`, `corosync ${n(real.latencyUs)} µs`);
    row(`${name}: delivery on an idle ring, wall, unpaced`, `${n(m.wallUs)} µs`);
  }
}

function printLive(labs) {
  for (const l of labs) {
    row(`live, ${l.nodes} nodes: up --clustered`, `${n(l.upMs)} ms`, upGoals[l.nodes] ?? "");
    row(`live, ${l.nodes} nodes, idle: virtual over wall at ×1`, n(l.pace, 3), l.nodes === 16 ? "0.98" : "");
    if (l.processorPercent !== undefined) {
      row(`live, ${l.nodes} nodes, idle: processor use when young`, `${n(l.youngPercent, 1)} %`);
      row(`live, ${l.nodes} nodes, idle: processor use`, `${n(l.processorPercent, 1)} %`, l.nodes === 3 ? "3 % of a core" : "");
    }
    if (l.memory === undefined) continue;
    row(`live, ${l.nodes} nodes: private memory of a worker`, `${n(l.memory.privateMiB, 1)} MiB`, "40 MiB");
    row(`live, ${l.nodes} nodes: resident memory of a worker`, `${n(l.memory.residentMiB, 1)} MiB`, "80 MiB");
  }
}

function printDesktop(d) {
  row("desktop: from the start to the first window", `${n(d.windowMs)} ms`, "2,500 ms");
  row("desktop: … to a quorate lab", `${n(d.quorateMs)} ms`, "4,000 ms");
  row("desktop: from quitting to the end", `${n(d.closeMs)} ms`, "500 ms");
  row("desktop, 3 nodes: p95 frame", `${n(d.three.frameMs, 1)} ms`, "17 ms");
  row("desktop, 16 nodes: p95 frame", `${n(d.sixteenFrameMs, 1)} ms`, "20 ms");
  row("desktop, 3 nodes: memory of all processes (PSS)", `${n(d.three.pssMiB)} MiB`, "450 MB");
  row("desktop, 3 nodes: private memory of a worker", `${n(d.three.nodePrivateMiB, 1)} MiB`, "40 MiB");
  // Most of it is the program's file, of which every process of Electron's shows the part it has touched.
  row("desktop, 3 nodes: resident memory of a worker", `${n(d.three.nodeResidentMiB, 1)} MiB`, "80 MiB");
}

function print({ machine, engine: e, whatif: w, hosts: h, live: l, commandLine: c, page: p, desktop: d, startMs: s }) {
  console.log(`${machine.model}, ${machine.processors} processors, load ${n(machine.load, 1)}, Node ${machine.node}`);
  row("", "", "goal");
  if (e !== undefined) printEngine(e);
  if (w !== undefined) printWhatif(w);
  if (h !== undefined) printHosts(h);
  if (l !== undefined) printLive(l);
  if (c !== undefined) {
    row("npm start, warm, to the page's address", `${n(s)} ms`, "6,000 ms");
    row("exec pve1 true", `${n(c.execMs)} ms`, `100 ms; ${n(c.execMs / c.nodeMs, 1)} × an empty node program (${n(c.nodeMs)} ms)`);
    row("status --json", `${n(c.statusMs)} ms`);
    row(
      "beside a node whose lines flood, hang, multiply: exec",
      `${n(c.busy.otherExecMs)} ms, at most ${n(c.busy.otherExecMostMs)} ms`,
      "500 ms",
    );
    row("… Ctrl-C of those lines, at most", `${n(c.busy.interruptMostMs)} ms`, "1,000 ms");
    row("… resident, all session processes together", `${n(c.busy.residentMib)} MiB`, "300 MiB");
  }
  if (p !== undefined) {
    row("page: first paint", `${n(p.firstPaintMs)} ms`, "1,000 ms");
    row("page: lab drawn", `${n(p.labDrawnMs)} ms`);
    row(`page, ${p.many.nodes} nodes: key X until it is drawn`, `${n(p.many.keyMs)} ms`, "150 ms");
    row(`page, ${p.many.nodes} nodes: p95 frame at rest`, `${n(p.many.frameAtRestMs, 1)} ms`, "20 ms");
    row(`page, ${p.many.nodes} nodes: p95 frame after a cut`, `${n(p.many.frameAfterCutMs, 1)} ms`, "20 ms");
    row(`page, ${p.many.nodes} nodes: main thread at rest`, `${n(p.many.restMsPerSecond)} ms/s`, "80 ms/s");
  } else if (wanted("page")) console.log("page: skipped, no Chromium");
  if (d !== undefined) printDesktop(d);
}

const inPart = (part, work) => (wanted(part) ? work() : undefined);

/** Labs outlive who started them. */
async function endLabs() {
  for (const lab of readdirSync(home).filter((name) => existsSync(join(home, name, "lab.yaml"))))
    await quorate("rm", "--yes", "--lab", join(home, lab)).catch((error) =>
      say(`the lab ${lab} of the bench was not ended: ${error.message}`),
    );
  rmSync(home, { recursive: true, force: true });
}

/** A second signal finds the labs being ended, and changes nothing. */
let ending;
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
])
  process.on(signal, () => void (ending ??= endLabs().finally(() => process.exit(128 + number))));

try {
  if (wanted("cli") || wanted("page")) await quorate("up", "--nodes", "3", "--clustered");
  const [model, load] = [cpus()[0]?.model ?? "unknown processor", loadavg()[0] ?? NaN];
  const machine = { model, processors: availableParallelism(), load, node: process.versions.node };
  const result = {
    machine,
    commandLine: await inPart("cli", commandLine),
    page: await inPart("page", page),
    desktop: await inPart("desktop", desktop),
    startMs: await inPart("cli", startMs),
    engine: await inPart("engine", engine),
    whatif: await inPart("whatif", whatif),
    hosts: await inPart("hosts", hosts),
    live: await inPart("live", live),
  };
  mkdirSync(join(root, "test-results"), { recursive: true });
  writeFileSync(join(root, "test-results/bench.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  if (process.argv.includes("--json")) console.log(JSON.stringify(result));
  else print(result);
} finally {
  await endLabs();
}
