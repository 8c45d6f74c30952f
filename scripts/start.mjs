// npm start [-- --web | --window] [--port P] [--no-open]: installs and builds what is missing, then opens the lab: in a window where the Electron
// binary is, else as a page on loopback. A second start attaches to the lab that runs.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { electronBinary, electronInstallCommand, ensureBuilt, ensureInstalled, isRoot, nodeTooOld, root, say } from "./lib/setup.mjs";

const usage = "npm start [-- [--web | --window] [--port P] [--no-open]]";
const firstLab = ["--nodes", "3", "--clustered"];

function wrong(line) {
  say(`${line}; ${usage}`);
  process.exit(2);
}

function options(args) {
  const chosen = { face: undefined, port: undefined, open: true };
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (word === "--web" || word === "--window") chosen.face = word.slice(2);
    else if (word === "--no-open") chosen.open = false;
    else if (word === "--port") chosen.port = portOf(args[++at]);
    else wrong(`${word}: no such option`);
  }
  return chosen;
}

function portOf(word) {
  if (!/^\d{1,5}$/.test(word ?? "") || Number(word) > 65535) wrong(`--port ${word ?? ""}: a port is a number from 1 to 65535`);
  return word;
}

const hasDisplay =
  process.platform === "win32" || process.platform === "darwin" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);

/** Window or page, and why, in one line. */
function chooseFace(wanted) {
  const binary = electronBinary();
  if (wanted === "web") return { face: "web", why: "page on loopback, as asked with --web" };
  if (binary === undefined) {
    if (wanted === "window") wrong(`--window: the Electron binary is not installed ("${electronInstallCommand}" installs it)`);
    return {
      face: "web",
      why: `page on loopback: the Electron binary is not installed ("${electronInstallCommand}" installs it, then npm start opens a window)`,
    };
  }
  if (process.platform === "linux" && isRoot()) {
    if (wanted === "window") wrong("--window: Chromium has no sandbox for root; start it as an ordinary user");
    return { face: "web", why: "page on loopback: Chromium has no sandbox for root (an ordinary user gets a window)" };
  }
  if (wanted !== "window" && !hasDisplay)
    return { face: "web", why: "page on loopback: the Electron binary is here, but there is no display for a window" };
  return { face: "window", why: "window: the Electron binary is installed (npm start -- --web serves the page on loopback instead)" };
}

const cli = join(root, "out/main/cli.js");

/**
 * One command of the product; ends the program when it fails. In a process group of its own: a Ctrl-C at the terminal is for us, and we let
 * the command finish, so that no lab is left half started.
 */
async function quorate(...args) {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    detached: process.platform !== "win32",
  });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  const status = await new Promise((done) => child.on("close", done));
  if (status !== 0) {
    say(`quorate ${args.join(" ")} ended with status ${status}`);
    process.exit(1);
  }
  return output.trim();
}

async function findLab() {
  const dir = await quorate("where");
  const listed = JSON.parse(await quorate("ls", "--json")).find((lab) => lab.lab === dir);
  return { dir, exists: existsSync(join(dir, "lab.yaml")), attached: listed?.running === true };
}

/** The page: the lab of the default directory, started if it does not run, served until Ctrl-C. */
async function page({ port, open }) {
  // From here on a Ctrl-C, whenever it comes, ends in order.
  const asked = new Promise((done) => ["SIGINT", "SIGTERM", "SIGHUP"].forEach((signal) => process.on(signal, done)));
  const { dir, exists, attached } = await findLab();
  if (attached) say(`attached to the lab that runs in ${dir}`);
  else say(exists ? `going on with the lab in ${dir} where it was frozen` : `starting a lab of three nodes in ${dir}`);
  const { pid } = JSON.parse(await quorate("up", ...(exists ? [] : firstLab), "--json"));
  const address = await quorate("serve", ...(port === undefined ? [] : ["--port", port]), ...(open && hasDisplay ? ["--open"] : []));
  console.log(address);
  say(
    attached
      ? "Ctrl-C ends this; the lab goes on (quorate down freezes it)"
      : "Ctrl-C freezes the lab; the next npm start goes on where it was",
  );
  await Promise.race([asked, labEnded(pid)]);
  if (!attached && alive(pid)) {
    await quorate("down");
    say("the lab is frozen");
  }
}

/** Somebody took the lab down, or its supervisor died. */
function labEnded(pid) {
  return new Promise((done) => {
    const look = setInterval(() => {
      if (alive(pid)) return;
      clearInterval(look);
      say("the lab has ended");
      done();
    }, 1000);
  });
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The window; this program ends with it. */
function window() {
  const child = spawn(electronBinary(), [root], { cwd: root, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return new Promise((done) => {
    child.on("error", (error) => {
      say(`the window could not be opened: ${error.message}`);
      done(1);
    });
    child.on("exit", (status) => done(status ?? 1));
  });
}

const tooOld = nodeTooOld();
if (tooOld !== undefined) {
  say(tooOld);
  process.exit(1);
}
const chosen = options(process.argv.slice(2));
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);
const { face, why } = chooseFace(chosen.face);
say(why);
if (face === "window") process.exit(await window());
await page(chosen);
process.exit(0);
