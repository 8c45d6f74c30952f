// npm test [-- suite…]: sets up what is missing, runs every check and every suite, prints a line for each, and as its last line
// "N passed, N failed, N skipped". A static check counts as one test.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ensureElectronForTests } from "./lib/electron.mjs";
import { canApt, capture, chromiumBinary, ensureBuilt, ensureInstalled, exitOnSignals, nodeTooOld, root, run, say } from "./lib/setup.mjs";

const started = Date.now();
const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  say(tooOld);
  process.exit(1);
}
const only = process.argv.slice(2);
exitOnSignals();
await ensureInstalled();

const results = join(root, "test-results");
mkdirSync(results, { recursive: true });
rmSync(join(results, "exclusions"), { recursive: true, force: true });
const cpus = Math.max(1, Math.min(4, availableParallelism()));
// Tests start labs of their own: never the registry, the default lab or the sockets of the person who runs them.
const home = mkdtempSync(join(tmpdir(), "quorate-test-"));
for (const name of ["state", "run", "config", "data"]) mkdirSync(join(home, name), { mode: 0o700 });
const env = {
  ...process.env,
  CI: "1",
  NO_COLOR: "1",
  FORCE_COLOR: undefined,
  XDG_STATE_HOME: join(home, "state"),
  XDG_RUNTIME_DIR: join(home, "run"),
  XDG_CONFIG_HOME: join(home, "config"),
  XDG_DATA_HOME: join(home, "data"),
};
delete env.FORCE_COLOR;
delete env.QUORATE_LAB;

const bin = (path) => join(root, "node_modules", path);
/** The program npm is a script of its own on Windows. */
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const node = (script, ...args) => [process.execPath, [bin(script), ...args]];

/** A check is one test: status 0 passed, anything else failed. */
const checks = [
  ["lock", [npm, ["ci", "--dry-run", "--no-audit", "--no-fund", "--loglevel=error"]]],
  ["format", node("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".")],
  ["lint", node("oxlint/bin/oxlint", "--max-warnings", "0")],
  ["lint-svelte", node("eslint/bin/eslint.js", "--max-warnings", "0", ".")],
  // TypeScript's native compiler, under the name by which svelte-check finds it; the library in JavaScript is what the other tools use.
  ["types", node("@typescript/native-preview/bin/tsc", "--noEmit", "-p", "tsconfig.json")],
  [
    "svelte",
    node(
      "svelte-check/bin/svelte-check",
      "--tsgo-experimental-api",
      "--tsconfig",
      "tsconfig.json",
      "--fail-on-warnings",
      "--output",
      "machine",
    ),
  ],
  ["unused", node("knip/bin/knip.js", "--no-progress")],
].map(([name, command]) => ({ name, weight: 1, work: () => check(name, command) }));

const minutes = (n) => n * 60_000;
const suiteTimeoutMs = minutes(process.env.QUORATE_LONG === "1" ? 90 : 20);
/** Their tests start labs and browsers, which are many processes, and have time limits: two at once, and nothing beside them. Together they took longer than one after the other. */
const crowds = ["cli", "ui"];
const crowd = Math.min(2, cpus);
/** Last, with as many processes as there are processors. */
const broad = ["fuzz", "hosts"];
/** Of those that take one processor each, side by side, the long ones come first. */
const longFirst = ["conformance", "whatif", "conf", "node", "shell", "desktop"];
/** Processes more than processors: schedules on workers wait for messages a third of the time. */
const waiters = new Map([["hosts", 1]]);

/**
 * The files of a suite run one after another in each of its processes, which then has compiled the engine once: they share nothing but code, and what one of them changes of its process it puts
 * back. Node loads them itself: Vite's loader puts a getter before every name that is imported, which costs an engine a sixth of its speed.
 */
const native = ["--no-isolate", "--experimental.viteModuleRunner=false", "--execArgv=--import=tsx", "--execArgv=--enable-source-maps"];

function suites() {
  const folders = readdirSync(join(root, "test"))
    .filter((name) => statSync(join(root, "test", name)).isDirectory() && name !== "ui" && name !== "bench")
    .map((name) => ({ name, files: testFiles(join(root, "test", name)).length }))
    .filter(({ files }) => files > 0);
  const rank = ({ name }) => (longFirst.includes(name) ? longFirst.indexOf(name) : longFirst.length);
  folders.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  return folders.map(({ name, files }) => {
    const weight = crowds.includes(name) ? crowd : broad.includes(name) ? Math.min(files, cpus) : 1;
    return { name, weight, work: () => vitest(name, weight + (waiters.get(name) ?? 0)) };
  });
}

function testFiles(dir) {
  return readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith(".test.ts"));
}

const total = { passed: 0, failed: 0, skipped: 0 };
/** What failed, a line each: said again before the last line, where nobody has to look for it among the suites' own output. */
const failures = [];
/** Of a long list the first say enough. */
const FAILURES_SHOWN_MAX = 40;
const plain = (text) => text.replace(/\u001b\[[0-9;]*m/g, "").trim();

/** @param messages what the test threw; what they say first, and the line of the test, are shown */
function failed(suite, title, messages) {
  const lines = plain(messages.join("\n")).split("\n");
  const isPlace = (line) => /^\s*at /.test(line);
  const why = lines
    .filter((line) => line.trim() !== "" && !isPlace(line))
    .slice(0, 8)
    .map((line) => line.trim())
    .join(" | ");
  const where = lines.find((line) => isPlace(line) && /\btest\/\S+:\d+/.test(line));
  failures.push(`${suite}: ${title}: ${why.slice(0, 400) || "no reason was given"}${where === undefined ? "" : ` (${where.trim()})`}`);
}

function report(name, counts, ms, notes = []) {
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const mark = counts.failed > 0 ? "FAIL" : counts.passed === 0 ? "skip" : "ok  ";
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${mark} ${name.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed${skipped}  (${(ms / 1000).toFixed(1)} s)`);
  for (const note of notes) console.log(`     ${note}`);
}

function showFailure(name, output) {
  writeFileSync(join(results, `${name}.log`), output);
  const lines = output.trimEnd().split("\n");
  console.log(
    lines
      .slice(-80)
      .map((line) => `     | ${line}`)
      .join("\n"),
  );
  if (lines.length > 80) console.log(`     | … all ${lines.length} lines: test-results/${name}.log`);
}

async function check(name, [command, args]) {
  const began = Date.now();
  const result = await capture(command, args, { env, timeoutMs: suiteTimeoutMs });
  const ok = result.status === 0;
  report(name, { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }, Date.now() - began);
  if (!ok) failed(name, "the check", [result.timedOut ? "it was stopped at its time limit" : plain(result.output).split("\n").at(-1)]);
  if (!ok) showFailure(name, result.timedOut ? `${result.output}\nstopped after ${suiteTimeoutMs / 1000} s` : result.output);
}

async function vitest(name, workers) {
  const began = Date.now();
  const file = join(results, `${name}.json`);
  rmSync(file, { force: true });
  const args = [
    "run",
    `test/${name}/`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
    `--maxWorkers=${workers}`,
    ...native,
  ];
  if (process.env.QUORATE_SHUFFLE !== undefined) args.push("--sequence.shuffle.files", `--sequence.seed=${process.env.QUORATE_SHUFFLE}`);
  const result = await capture(...node("vitest/vitest.mjs", ...args), { env, timeoutMs: suiteTimeoutMs });
  const { counts, notes, wrong } = readVitest(file);
  for (const { title, messages } of wrong) failed(name, title, messages);
  if (name === "conformance") notes.push(...exclusions());
  if (name === "desktop" && noElectron !== undefined) notes.unshift(`under the stand-in for Electron: ${noElectron}`);
  // A file that does not load, or a run that dies, has no failed test to count.
  if (result.status !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1;
  if (counts.failed > 0 && wrong.length === 0)
    failed(name, "the run", [result.timedOut ? "it was stopped at its time limit" : `it ended with status ${result.status}`]);
  report(name, counts, Date.now() - began, notes);
  if (counts.failed > 0) showFailure(name, result.timedOut ? `${result.output}\nstopped after ${suiteTimeoutMs / 1000} s` : result.output);
}

function readVitest(file) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return { counts: { passed: 0, failed: 0, skipped: 0 }, notes: [], wrong: [] };
  const json = JSON.parse(readFileSync(file, "utf8"));
  const counts = { passed: json.numPassedTests, failed: json.numFailedTests, skipped: json.numPendingTests + json.numTodoTests };
  return { counts, notes: skippedNotes(json), wrong: wrongIn(json) };
}

/** The tests that failed, and the files that did not load. */
function wrongIn(json) {
  const tests = json.testResults.flatMap((file) => {
    const bad = file.assertionResults.filter(({ status }) => status === "failed");
    const where = relative(root, file.name);
    if (bad.length === 0 && file.status === "failed") return [{ title: where, messages: [file.message ?? ""] }];
    return bad.map((test) => ({ title: `${where} › ${test.fullName}`, messages: test.failureMessages }));
  });
  return tests;
}

/** What the comparisons with recordings left out, as the suites that ran so far have counted it. */
function exclusions() {
  const dir = join(results, "exclusions");
  if (statSync(dir, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(dir).flatMap((table) => readFileSync(join(dir, table), "utf8").trimEnd().split("\n"));
}

/** One line for each test or group of tests that was skipped. */
function skippedNotes(json) {
  const groups = new Map();
  for (const test of json.testResults.flatMap((file) => file.assertionResults)) {
    if (!["skipped", "pending", "todo"].includes(test.status)) continue;
    const group = test.ancestorTitles[0] ?? test.title;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  return [...groups].map(([group, count]) => `skipped: ${group}${count > 1 ? ` (${count} tests)` : ""}`);
}

/** A Chromium for the suites that draw; on Debian as root it is installed here. */
async function ensureChromium() {
  if (chromiumBinary() !== undefined || !canApt()) return;
  say("installing chromium for test/ui and test/desktop");
  const quiet = { heartbeat: "apt-get", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const lock = ["-qq", "-o", "DPkg::Lock::Timeout=120"];
  if ((await run("apt-get", ["update", ...lock], quiet)) !== 0) return;
  for (const name of ["chromium-headless-shell", "chromium"])
    if ((await run("apt-get", ["install", "-y", ...lock, "--no-install-recommends", name], quiet)) === 0) return;
}

/** Why test/desktop has no real Electron; undefined: it has one. */
let noElectron;

/** Every test of Playwright's report. */
const specs = (suites) => suites.flatMap((suite) => [...(suite.specs ?? []), ...specs(suite.suites ?? [])]);

/** The page in a real browser. */
async function ui() {
  const began = Date.now();
  const chromium = chromiumBinary();
  if (chromium === undefined) {
    report("ui", { passed: 0, failed: 0, skipped: 1 }, 0, [
      "skipped: test/ui needs Chromium (install it, or name one in QUORATE_CHROMIUM)",
    ]);
    return;
  }
  const file = join(results, "ui.json");
  rmSync(file, { force: true });
  const uiEnv = { ...env, QUORATE_CHROMIUM: chromium, PLAYWRIGHT_JSON_OUTPUT_NAME: file };
  const args = ["test", "-c", "test/ui/playwright.config.ts", "--reporter=line,json"];
  const result = await capture(...node("@playwright/test/cli.js", ...args), { env: uiEnv, timeoutMs: suiteTimeoutMs });
  const json = statSync(file, { throwIfNoEntry: false }) === undefined ? undefined : JSON.parse(readFileSync(file, "utf8"));
  const stats = json?.stats;
  const counts = { passed: (stats?.expected ?? 0) + (stats?.flaky ?? 0), failed: stats?.unexpected ?? 0, skipped: stats?.skipped ?? 0 };
  if (result.status !== 0 && counts.failed === 0) counts.failed = 1;
  const wrong = specs(json?.suites ?? []).filter(({ ok }) => !ok);
  for (const spec of wrong)
    failed(
      "ui",
      `${spec.file} › ${spec.title}`,
      spec.tests.flatMap(({ results }) => results.flatMap(({ error }) => [error?.message ?? "", error?.stack ?? ""])),
    );
  if (counts.failed > 0 && wrong.length === 0)
    failed("ui", "the run", [result.timedOut ? "it was stopped at its time limit" : `it ended with status ${result.status}`]);
  report("ui", counts, Date.now() - began);
  if (counts.failed > 0) showFailure("ui", result.output);
}

/** Runs jobs side by side, never more than the machine has processors for. */
async function runAll(jobs) {
  const waiting = [...jobs];
  const running = new Set();
  let load = 0;
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.findIndex((job) => load + job.weight <= cpus);
    if (next >= 0) {
      const [job] = waiting.splice(next, 1);
      load += job.weight;
      const done = job.work().finally(() => {
        load -= job.weight;
        running.delete(done);
      });
      running.add(done);
    } else await Promise.race(running);
  }
}

const built = await ensureBuilt();
report("build", { passed: built ? 1 : 0, failed: built ? 0 : 1, skipped: 0 }, Date.now() - started);
const uiJob = { name: "ui", weight: crowd, work: ui };
const tested = suites();
const isCrowd = ({ name }) => crowds.includes(name);
const isBroad = ({ name }) => broad.includes(name);
const narrow = tested.filter((job) => !isCrowd(job) && !isBroad(job));
const all = [...tested.filter(isCrowd), uiJob, ...checks, ...narrow, ...tested.filter(isBroad)];
const unknown = only.filter((name) => !all.some((job) => job.name === name));
if (unknown.length > 0) {
  say(`no such suite: ${unknown.join(", ")} (there are: ${all.map((job) => job.name).join(" ")})`);
  process.exit(2);
}
const chosen = only.length === 0 ? all : all.filter((job) => only.includes(job.name));
if (chosen.some((job) => job.name === "ui" || job.name === "desktop")) await ensureChromium();
if (chosen.some((job) => job.name === "desktop")) noElectron = await ensureElectronForTests();
await runAll(chosen);
rmSync(home, { recursive: true, force: true });
if (failures.length > 0) {
  console.log("failed:");
  for (const line of failures.slice(0, FAILURES_SHOWN_MAX)) console.log(`  ${line}`);
  if (failures.length > FAILURES_SHOWN_MAX) console.log(`  and ${failures.length - FAILURES_SHOWN_MAX} more`);
}
console.log(`took ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
