// The Debian package, as a person has it: built, installed by apt, started as a user, a lab made, quit, removed; nothing but the lab is left. As root on Debian.
import { spawn, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { ensureElectronForTests, XVFB } from "./electron.mjs";
import { canApt, capture, endsWithUs, root } from "./setup.mjs";

const NOBODY = { uid: 65_534, gid: 65_534 };
const ENV = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
const STARTED_WITHIN_MS = 120_000;

async function done(command, args, timeoutMs = 900_000) {
  const { status, output } = await capture(command, args, { env: ENV, timeoutMs });
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${output.trim().split("\n").slice(-3).join(" | ")}`);
  return output;
}

/** Processes that have this home. */
function processesOf(home) {
  return readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").includes(`HOME=${home}\0`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** The command lines of all processes. */
function linesOf() {
  return readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, "utf8")] : [];
    } catch {
      return [];
    }
  });
}

/** Starts the installed application as a user, waits for a lab of three quorate nodes, and quits. Throws Error. */
async function startAndQuit(home) {
  const xvfb = endsWithUs(
    spawn(XVFB, ["-displayfd", "3", "-nolisten", "tcp"], { stdio: ["ignore", "ignore", "ignore", "pipe"], ...NOBODY }),
    () => xvfb.kill("SIGKILL"),
  );
  try {
    const [number] = await once(xvfb.stdio[3], "data");
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: home,
      XDG_RUNTIME_DIR: join(home, "run"),
      DISPLAY: `:${String(number).trim()}`,
      LANG: "C.UTF-8",
    };
    const app = endsWithUs(spawn("/usr/bin/quorate", [], { env, cwd: home, stdio: ["ignore", "pipe", "pipe"], ...NOBODY }));
    let said = "";
    for (const stream of [app.stdout, app.stderr]) stream.on("data", (data) => (said = (said + data).slice(-4000)));
    const log = join(home, ".local/state/quorate/lab/supervisor.log");
    const until = Date.now() + STARTED_WITHIN_MS;
    const stands = () => existsSync(log) && readFileSync(log, "utf8").includes("started: 3 nodes, workers");
    while (!stands() && app.exitCode === null && Date.now() < until) await wallMs(200);
    if (!stands()) throw new Error(`the installed application made no lab: ${said.trim()}`);
    // What Chromium starts has its own name written over its environment: by its program.
    const renderers = () => linesOf().filter((line) => line.includes("quorate-desktop") && line.includes("--type=renderer")).length;
    while (renderers() === 0 && Date.now() < until) await wallMs(200);
    if (renderers() === 0) throw new Error(`the installed application opened no window: ${said.trim()}`);
    await wallMs(3000);
    app.kill("SIGTERM");
    const [status] = app.exitCode === null ? await once(app, "exit") : [app.exitCode];
    if (status !== 0) throw new Error(`the installed application ended with ${status}: ${said.trim()}`);
    if (!readFileSync(log, "utf8").includes("the lab was taken down")) throw new Error("the lab was not frozen");
  } finally {
    xvfb.kill("SIGKILL");
  }
}

/** Returns what was not as it should be, in a line; undefined: all was. */
export async function tryPackage() {
  if (!canApt()) return "skipped: a package is tried as root on Debian";
  const why = await ensureElectronForTests();
  if (why !== undefined) return `skipped: ${why}`;
  const home = mkdtempSync(join(tmpdir(), "quorate-deb-"));
  try {
    chownSync(home, NOBODY.uid, NOBODY.gid);
    mkdirSync(join(home, "run"), { mode: 0o700 });
    chownSync(join(home, "run"), NOBODY.uid, NOBODY.gid);
    await done(process.execPath, [join(root, "scripts/package.mjs"), "--deb"]);
    const deb = readdirSync(join(root, "dist")).find((name) => name.endsWith(".deb"));
    await done("apt-get", ["install", "-y", "-qq", "--no-install-recommends", join(root, "dist", deb)]);
    const installed = (await done("dpkg", ["-L", "quorate"])).trim().split("\n");
    try {
      await startAndQuit(home);
    } finally {
      await done("apt-get", ["purge", "-y", "-qq", "quorate"]);
    }
    const left = installed.filter((path) => /quorate/.test(path) && existsSync(path));
    if (left.length > 0) return `the removed package left ${left.slice(0, 5).join(" ")}`;
    const running = processesOf(home);
    if (running.length > 0) return `processes of the removed package run on: ${running.join(" ")}`;
    return existsSync(join(home, ".local/state/quorate/lab/lab.yaml")) ? undefined : "the user's lab is gone with the package";
  } catch (error) {
    return error.message;
  } finally {
    for (const pid of processesOf(home)) spawnSync("kill", ["-KILL", String(pid)]);
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
