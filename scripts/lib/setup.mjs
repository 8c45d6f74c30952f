// What start, test and build share: is everything installed, is the build current, is the Electron binary there, is there a Chromium.
// Plain Node and nothing installed: this runs before `npm ci` has.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const windows = process.platform === "win32";

/** One line on stderr: progress never mixes with results. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** The reason why this Node cannot run the project, or undefined. */
export function nodeTooOld() {
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    .engines.node.replace(">=", "")
    .split(".")
    .map(Number);
  const have = process.versions.node.split(".").map(Number);
  const older = have[0] < wanted[0] || (have[0] === wanted[0] && have[1] < (wanted[1] ?? 0));
  return older ? `Node ${wanted.join(".")} or newer is needed; this is ${process.versions.node} (${process.execPath})` : undefined;
}

/** Why node_modules is not what the lock file says, or undefined when it is. */
export function installNeeded(dir = root) {
  const installedFile = join(dir, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return "nothing is installed yet";
  const wanted = JSON.parse(readFileSync(join(dir, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "" || entry.optional || entry.peer || entry.devOptional) continue;
    if (installed[path]?.version !== entry.version) return `${path.replace("node_modules/", "")} ${entry.version} is not installed`;
  }
  return undefined;
}

/** Installs exactly what the lock file names, when it is not there already. Ends the program when that fails. */
export async function ensureInstalled() {
  const why = installNeeded();
  if (why === undefined) return false;
  say(`installing packages (${why}); about a minute`);
  const status = await run(windows ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error", "--yes"], {
    heartbeat: "installing",
  });
  if (status !== 0) {
    say(`npm ci failed with status ${status}: see above`);
    process.exit(1);
  }
  return true;
}

function* filesUnder(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    yield { path, stat };
    return;
  }
  for (const name of readdirSync(path).sort()) yield* filesUnder(join(path, name));
}

const sources = ["src", "package.json", "package-lock.json", "electron.vite.config.ts", "svelte.config.js", "tsconfig.json"];
const stampFile = join(root, "out/.built");

/** Changes whenever a source file is added, removed, touched or resized. */
export function sourceStamp() {
  const hash = createHash("sha256");
  for (const source of sources) {
    for (const { path, stat } of filesUnder(join(root, source))) hash.update(`${relative(root, path)} ${stat.size} ${stat.mtimeMs}\n`);
  }
  return hash.digest("hex");
}

export function buildNeeded() {
  return !existsSync(stampFile) || readFileSync(stampFile, "utf8") !== sourceStamp();
}

/** Builds when the sources changed since the last build. Returns whether the build is good. */
export async function ensureBuilt() {
  if (!buildNeeded()) return true;
  return await withBuildLock(async () => {
    if (!buildNeeded()) return true;
    return await build();
  });
}

/** Builds now. A running lab goes on with the files it started from: old chunks are swept after a day. */
export async function build() {
  const started = Date.now();
  const stamp = sourceStamp();
  say("building");
  rmSync(stampFile, { force: true });
  const result = await capture(process.execPath, [
    join(root, "node_modules/electron-vite/bin/electron-vite.js"),
    "build",
    "--logLevel",
    "warn",
  ]);
  if (result.status !== 0) {
    say(result.output.trimEnd());
    say(`the build failed with status ${result.status}`);
    return false;
  }
  // Not before this runs: it reads what the lock file has installed.
  const { writeNotices } = await import("./notices.mjs");
  const wrong = writeNotices();
  for (const line of wrong) say(line);
  if (wrong.length > 0) return false;
  sweep(started - 24 * 3600 * 1000);
  writeFileSync(stampFile, stamp);
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return true;
}

function sweep(before) {
  for (const { path, stat } of [...filesUnder(join(root, "out"))]) if (stat.mtimeMs < before) rmSync(path, { force: true });
}

/** Two builds at once would mix their files: the second waits, and takes over from one that died. */
export async function withBuildLock(work) {
  const lock = join(root, "out/.building");
  mkdirSync(join(root, "out"), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (!alive(holder(lock))) rmSync(lock, { force: true });
      else await new Promise((done) => setTimeout(done, 200));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function holder(lock) {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
}

function alive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/**
 * The Electron executable, or undefined. Looks at files only: importing `electron` would try to download it.
 */
export function electronBinary() {
  const folder = join(root, "node_modules/electron");
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  const pathFile = join(folder, "path.txt");
  const defaults = { linux: "electron", win32: "electron.exe", darwin: "Electron.app/Contents/MacOS/Electron" };
  const name = existsSync(pathFile) ? readFileSync(pathFile, "utf8").trim() : (defaults[process.platform] ?? "electron");
  const path = join(override ?? join(folder, "dist"), name);
  return existsSync(path) ? path : undefined;
}

/** The command that fetches the Electron binary. */
export const electronInstallCommand = "npx install-electron";

/** A Chromium of the system, or undefined. */
export function chromiumBinary() {
  if (process.env.QUORATE_CHROMIUM) return process.env.QUORATE_CHROMIUM;
  // The one without windows of its own first: it draws the same and costs half.
  const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const known = names.map((name) => `/usr/bin/${name}`);
  const mac = ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
  return [...known, ...mac].find((path) => existsSync(path));
}

export function isRoot() {
  return typeof process.getuid === "function" && process.getuid() === 0;
}

/** Whether packages of the system can be installed here without asking anybody. */
export function canApt() {
  return isRoot() && spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0;
}

/** Runs a program with its output on ours; resolves with its status. `heartbeat`: a line every 15 s so that nobody thinks it hangs. */
export function run(command, args, { heartbeat, env = process.env, stdio = ["ignore", process.stderr, process.stderr] } = {}) {
  const started = Date.now();
  const child = endsWithUs(spawn(command, args, { cwd: root, env, stdio, shell: windows }));
  const beat =
    heartbeat === undefined ? undefined : setInterval(() => say(`${heartbeat} … ${Math.round((Date.now() - started) / 1000)} s`), 15_000);
  return new Promise((done) => {
    const end = (status) => {
      clearInterval(beat);
      done(status);
    };
    child.on("error", (error) => {
      say(`${command}: ${error.message}`);
      end(127);
    });
    child.on("exit", (status, signal) => end(status ?? (signal === null ? 1 : 128)));
  });
}

/** A program that ends with this one, by `end`. */
export function endsWithUs(child, end = () => child.kill("SIGTERM")) {
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  return child;
}

/** A signal ends this program in order, and with it what it has started. */
export function exitOnSignals() {
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.once(signal, () => process.exit(128 + number));
}

const outputLimit = 4 << 20;

/** Runs a program and keeps its output (the last 4 MB). After `timeoutMs` the program and its children are killed. */
export function capture(command, args, { env = process.env, timeoutMs = 0 } = {}) {
  const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: !windows });
  // In a process group of its own no key of the terminal reaches it.
  endsWithUs(child, () => killTree(child));
  let output = "";
  const keep = (data) => {
    output = (output + data.toString("utf8")).slice(-outputLimit);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let timedOut = false;
  const timer =
    timeoutMs > 0
      ? setTimeout(() => {
          timedOut = true;
          killTree(child);
        }, timeoutMs)
      : undefined;
  return new Promise((done) => {
    child.on("error", (error) => {
      clearTimeout(timer);
      done({ status: 127, output: `${output}${command}: ${error.message}\n`, timedOut });
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      done({ status: timedOut ? 124 : (status ?? 1), output, timedOut });
    });
  });
}

function killTree(child) {
  if (child.pid === undefined) return;
  try {
    if (windows) spawnSync("taskkill", ["/pid", String(child.pid), "/t", "/f"]);
    else process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
