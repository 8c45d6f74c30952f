// npm run nightly [-- [--rounds N] [--workers N] [--tamper N] [--schedules N] [--why N] [--oracle N] [--package N] [--only SEED]]: the whole of npm test several times with the files in another
// order each time and after that the long runs of the worker tests (200 kills, 100 times up and down), of what-if beside the world, of all broken rules, of every recording
// with fifty seeds, of 5000 changed corosync.confs beside the real reader, and of the README's five things with sixteen nodes, then the schedules that are compared in one process and on workers over both transports and at every lead, then every kind of file
// of a lab with bits changed or cut short, then fuzz runs, then what is told of a lab (why) while faults come and go beside its record, then random scenarios on real corosync daemons and in the lab alike (as root on Debian), then the Debian package as a person has it (installed, started, removed), then the benchmarks. What
// fails once in a while is found here. The compared schedules, the tampering, the fuzz runs, the reasons and the scenarios of a commit go on where they were left: --rounds 0
// --schedules 20000 makes 20000 of 5000. --only plays one scenario again and nothing else. The last line says how many rounds held.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tryPackage } from "./lib/package-trial.mjs";
import { capture, endsWithUs, ensureBuilt, ensureInstalled, exitOnSignals, root, say } from "./lib/setup.mjs";

const usage =
  "npm run nightly [-- [--rounds N] [--workers N] [--tamper N] [--schedules N] [--why N] [--oracle N] [--package N] [--only SEED]]: rounds from 0 to 1000, default 5; schedules compared on workers from 0 " +
  "to 25, default 25; tries with each kind of file of a lab from 0 to 100000, default 450; schedules from 0 to 1000000, default 5000; schedules whose reasons are looked up from 0 to 100000, default 500; scenarios compared with real daemons from 0 to 1000, default 10, or the seed of one of these; the Debian package tried once or not (0 or 1), default 1";
const options = { "--rounds": 5, "--workers": 25, "--tamper": 450, "--schedules": 5000, "--why": 500, "--oracle": 10, "--package": 1 };
const most = {
  "--rounds": 1000,
  "--workers": 25,
  "--tamper": 100_000,
  "--schedules": 1_000_000,
  "--why": 100_000,
  "--oracle": 1000,
  "--package": 1,
};
const args = process.argv.slice(2);
exitOnSignals();

/** Scenarios on real daemons and in the lab: what test/oracle/main.ts is told. Returns whether all were alike. */
async function oracle(...args) {
  const { build } = await import("vite");
  const outDir = join(root, "node_modules/.cache/quorate-oracle");
  const bundle = { ssr: "test/oracle/main.ts", outDir, emptyOutDir: true, target: "node20" };
  await build({ root, configFile: false, logLevel: "warn", build: bundle });
  const child = endsWithUs(spawn(process.execPath, [join(outDir, "main.js"), ...args], { cwd: root, stdio: "inherit" }));
  return (await new Promise((done) => child.on("close", done))) === 0;
}

if (args[0] === "--only" && args.length === 2) {
  await ensureInstalled();
  process.exit((await oracle("--only", args[1])) ? 0 : 1);
}
for (let i = 0; i < args.length; i += 2) {
  const value = /^\d+$/.test(args[i + 1] ?? "") ? Number(args[i + 1]) : NaN;
  if (!Object.hasOwn(options, args[i]) || !(value <= most[args[i]])) {
    say(usage);
    process.exit(2);
  }
  options[args[i]] = value;
}
const {
  "--rounds": rounds,
  "--workers": compared,
  "--tamper": tries,
  "--schedules": schedules,
  "--why": reasons,
  "--oracle": scenarios,
  "--package": packages,
} = options;

/** Of what is numbered and tried in one file of the tests, in one process of it. */
const AT_ONCE = 25;

/**
 * Tries so many of what a file of the tests tries by number, a few at a time; what held before at this commit, as `file` says, is not tried again. Returns whether all held.
 * @param variable in which the test is told FIRST,COUNT
 */
async function tried({ count, file, test, variable, what }) {
  let done = 0;
  try {
    done = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // None yet.
  }
  for (let first = done; first < count; first += AT_ONCE) {
    const tries = Math.min(AT_ONCE, count - first);
    const env = { ...process.env, [variable]: `${first},${tries}` };
    const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", test, "--maxWorkers=1", "--testTimeout=900000"];
    const { status, output } = await capture(process.execPath, args, { env, timeoutMs: 3_600_000 });
    console.log(`${first + tries} of ${count} ${what}: ${status === 0 ? "all held" : "not all held"}`);
    if (status !== 0) {
      console.log(output);
      return false;
    }
    writeFileSync(file, JSON.stringify(first + tries));
  }
  return true;
}

/** The schedules on workers beside one process, one by one; those that a run before found the same at this commit are not run again. */
async function onWorkers(count, file) {
  let same = [];
  try {
    same = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // None yet.
  }
  const other = [];
  for (let number = 0; number < count; number++) {
    if (same.includes(number)) continue;
    const env = { ...process.env, QUORATE_SCHEDULES: String(number) };
    const args = [join(root, "node_modules/vitest/vitest.mjs"), "run", "test/hosts/schedules.test.ts", "--maxWorkers=1"];
    const began = Date.now();
    const { status, output } = await capture(process.execPath, args, { env, timeoutMs: 900_000 });
    const took = `${Math.round((Date.now() - began) / 1000)} s`;
    if (status === 0) writeFileSync(file, JSON.stringify((same = [...same, number])));
    else other.push(number);
    console.log(
      `schedule ${number}: ${status === 0 ? "the same" : "not the same"} in one process, over ipc and tcp, at every lead (${took}); ${same.length} of ${count}`,
    );
    if (status !== 0) console.log(output);
  }
  return other;
}

/** Runs a script of ours, passes on what it prints, and returns that. */
async function script(name, env, args = []) {
  const options = { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] };
  const child = endsWithUs(spawn(process.execPath, [join(root, "scripts", name), ...args], options));
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
    process.stdout.write(data);
  });
  const status = await new Promise((done) => child.on("close", done));
  return { status, output };
}

let held = 0;
const failed = [];
for (let round = 1; round <= rounds; round++) {
  console.log(`── round ${round} of ${rounds}`);
  const { status, output } = await script("test.mjs", { QUORATE_SHUFFLE: String(round) });
  if (status === 0) held++;
  else failed.push(`round ${round}: ${[...output.matchAll(/^FAIL (\S+)/gm)].map((match) => match[1]).join(" ")}`);
}
if (rounds > 0) {
  console.log("── long runs on workers, of what-if beside the world, of broken rules, and of changed files");
  // The compared schedules come by themselves.
  const long = await script("test.mjs", { QUORATE_LONG: "1", QUORATE_SCHEDULES: "0" }, [
    "hosts",
    "whatif",
    "fuzz",
    "cli",
    "conf",
    "shell",
    "conformance",
    "ui",
  ]);
  if (long.status !== 0) failed.push("long runs: see above");
}
await ensureInstalled();
const head = await capture("git", ["rev-parse", "--short", "HEAD"], {});
const commit = head.status === 0 ? head.output.trim() : "tree";
mkdirSync(join(root, "test-results"), { recursive: true });
if (compared > 0) {
  console.log(`── ${compared} schedules on workers`);
  const other = await onWorkers(compared, join(root, "test-results", `workers-${commit}.json`));
  if (other.length > 0) failed.push(`schedules on workers: not the same as in one process: ${other.join(" ")}`);
}
if (tries > 0) {
  console.log(`── ${tries} tries with each kind of file of a lab`);
  const file = join(root, "test-results", `tamper-${commit}.json`);
  const all = { count: tries, file, test: "test/disk/tamper.test.ts", variable: "QUORATE_TAMPER", what: "tries with each kind of file" };
  if (!(await tried(all))) failed.push("tampering: see above");
}
if (schedules > 0) {
  console.log(`── ${schedules} fault schedules`);
  await ensureBuilt();
  // Of ten schedules three are plain; the others have options, a quorum device, a file that is changed and read again, or all of these.
  const device = ["--nodes", "2..6", "--seconds", "90", "--qdevice"];
  const kinds = [
    { name: "options", tenths: 1, more: ["--nodes", "2..8", "--options"] },
    { name: "device", tenths: 1, more: device },
    { name: "device-options", tenths: 1, more: [...device, "--options"] },
    { name: "reloads", tenths: 1, more: ["--nodes", "2..8", "--reloads"] },
    { name: "options-reloads", tenths: 1, more: ["--nodes", "2..8", "--options", "--reloads"] },
    { name: "device-reloads", tenths: 1, more: [...device, "--reloads"] },
    { name: "device-options-reloads", tenths: 1, more: [...device, "--options", "--reloads"] },
  ].map(({ name, tenths, more }) => ({
    seed: `nightly-${name}`,
    runs: Math.floor((schedules * tenths) / 10),
    file: `fuzz-${name}-${commit}.json`,
    more,
  }));
  const plain = schedules - kinds.reduce((sum, { runs }) => sum + runs, 0);
  const series = [{ seed: "nightly", runs: plain, file: `fuzz-${commit}.json`, more: ["--nodes", "2..8"] }, ...kinds];
  for (const { seed, runs, file, more } of series.filter(({ runs }) => runs > 0)) {
    const args = ["fuzz", "--seed", seed, "--links", "1..2", ...more, "--runs", String(runs), "--resume", join(root, "test-results", file)];
    const fuzz = endsWithUs(spawn(process.execPath, [join(root, "out/main/cli.js"), ...args], { cwd: root, stdio: "inherit" }));
    const status = await new Promise((done) => fuzz.on("close", done));
    if (status !== 0) failed.push(`fuzz ${seed}: an invariant was broken, see above`);
  }
}
if (reasons > 0) {
  console.log(`── what is told in ${reasons} fault schedules`);
  const file = join(root, "test-results", `why-${commit}.json`);
  const all = {
    count: reasons,
    file,
    test: "test/fuzz/why.test.ts",
    variable: "QUORATE_WHY",
    what: "schedules whose reasons were looked up",
  };
  if (!(await tried(all))) failed.push("why: something is told that is not in the record, see above");
}
if (scenarios > 0) {
  console.log(`── ${scenarios} scenarios beside real daemons, seed ${commit}`);
  if (!(await oracle(commit, String(scenarios), join(root, "test-results", `oracle-${commit}.json`))))
    failed.push("oracle: the lab does otherwise than the real daemons, see above");
}
if (packages > 0) {
  console.log("── the Debian package");
  const wrong = await tryPackage();
  if (wrong !== undefined) console.log(wrong);
  if (wrong !== undefined && !wrong.startsWith("skipped")) failed.push("package: see above");
}
console.log("── benchmarks");
const benchmarks = await script("bench.mjs", {});
for (const line of failed) console.log(line);
console.log(`${held} of ${rounds} rounds held${benchmarks.status === 0 ? "" : ", the benchmarks failed"}`);
process.exit(failed.length > 0 || benchmarks.status !== 0 ? 1 : 0);
