// npm run package [-- [--deb]]: the application as a folder to run from, into dist/, made by electron-builder for this system, with a list of all that is in it (SBOM) and checksums
// beside it; --deb: a Debian package of it, too. Of the Electron that package.json names where its binary is installed; else, for a trial on Linux, of the old one of the tests: that
// package is for nobody else.
import { createHash } from "node:crypto";
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fetchElectronForTests, TEST_ELECTRON_VERSION, testElectronDir } from "./lib/electron.mjs";
import { packageConfig } from "./lib/package-config.mjs";
import { capture, electronBinary, ensureBuilt, ensureInstalled, exitOnSignals, root, run, say } from "./lib/setup.mjs";

const args = process.argv.slice(2);
if (args.some((word) => word !== "--deb") || (args.includes("--deb") && process.platform !== "linux")) {
  say("npm run package [-- [--deb]]: --deb is for Linux");
  process.exit(2);
}
exitOnSignals();
await ensureInstalled();
if (!(await ensureBuilt())) process.exit(1);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const output = join(root, "dist");
const work = mkdtempSync(join(tmpdir(), "quorate-package-"));
/** app.asar: what is ours, without Electron. */
const ASAR_MAX_BYTES = 45 * 1024 * 1024;
const SYSTEM = { linux: "linux", darwin: "mac", win32: "win" }[process.platform];

/** Which Electron, in a folder of its own: what is packed has its fuses set there. */
async function electronToPack() {
  const binary = electronBinary();
  const from = binary === undefined ? testElectronDir() : dirname(binary);
  if (binary === undefined) {
    const why = await fetchElectronForTests();
    if (why !== undefined) {
      say(`the Electron binary is not installed ("npx install-electron" installs it), and there is none for a trial: ${why}`);
      process.exit(1);
    }
    say(`of Electron ${TEST_ELECTRON_VERSION}, which is for tests alone: this package is for nobody else`);
  }
  const dist = join(work, "electron");
  cpSync(from, dist, { recursive: true });
  rmSync(join(dist, "resources/app"), { recursive: true, force: true });
  return { dist, version: binary === undefined ? TEST_ELECTRON_VERSION : manifest.devDependencies.electron };
}

async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** All that is in the package, by what the build and the lock file say of it. */
async function bill(electron) {
  const { shippedPackages } = await import("./lib/notices.mjs");
  const shipped = new Set(shippedPackages().map(({ name, version }) => `${name}@${version}`));
  const { status, output: text } = await capture("npm", ["sbom", "--sbom-format=cyclonedx", "--package-lock-only", "--silent"], {});
  if (status !== 0) throw new Error(`npm sbom ended with ${status}`);
  const all = JSON.parse(text);
  const named = ({ group, name, version }) => `${group ? `${group}/` : ""}${name}@${version}`;
  const components = all.components.filter((one) => shipped.has(named(one)) || shipped.has(`${one.name}@${one.version}`));
  const refs = new Set([all.metadata.component["bom-ref"], ...components.map((one) => one["bom-ref"])]);
  const dependencies = all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  const itself = {
    type: "framework",
    "bom-ref": `electron@${electron}`,
    name: "electron",
    version: electron,
    purl: `pkg:npm/electron@${electron}`,
  };
  return { ...all, components: [...components, itself], dependencies };
}

/** Of the folder a Debian package; its maker is run from the registry, at one version, because it installs on Linux alone. */
async function debian(from) {
  const deb = {
    src: from,
    dest: output,
    arch: process.arch === "x64" ? "amd64" : process.arch,
    options: {
      name: "quorate",
      productName: "Quorate",
      genericName: "Cluster lab",
      description: manifest.description,
      productDescription: manifest.description,
      version: manifest.version,
      section: "devel",
      maintainer: "The Quorate authors <noreply@quorate.invalid>",
      homepage: "https://quorate.invalid/",
      bin: "quorate-desktop",
      icon: join(root, "resources/desktop/icon.png"),
      categories: ["Development", "Education"],
      mimeType: ["x-scheme-handler/quorate", "application/x-quorate"],
      compression: "gzip",
    },
  };
  const file = join(work, "deb.json");
  writeFileSync(file, JSON.stringify({ ...deb, ...deb.options }));
  const maker = ["exec", "--yes", "--package=electron-installer-debian@4.0.0", "--", "electron-installer-debian", "--config", file];
  const status = await run("npm", [...maker, "--src", from, "--dest", output, "--arch", deb.arch], { heartbeat: "packing" });
  if (status !== 0) throw new Error(`electron-installer-debian ended with ${status}`);
}

let failed = false;
try {
  const electron = await electronToPack();
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const { build, Platform } = await import("electron-builder");
  const config = packageConfig({ platform: process.platform, arch: process.arch, electron, output });
  const platform = { linux: Platform.LINUX, darwin: Platform.MAC, win32: Platform.WINDOWS }[process.platform];
  await build({ projectDir: root, targets: platform.createTarget("dir"), config, publish: "never" });
  const made = readdirSync(output).find((name) => name.startsWith(SYSTEM) && statSync(join(output, name)).isDirectory());
  const folder = join(output, `quorate-${manifest.version}-${process.platform}-${process.arch}`);
  renameSync(join(output, made), folder);
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  cpSync(join(root, "out/THIRD-PARTY.txt"), join(folder, "THIRD-PARTY.txt"));
  const asar = [join(folder, "resources/app.asar"), join(folder, "Quorate.app/Contents/Resources/app.asar")].find((path) =>
    existsSync(path),
  );
  const { size } = statSync(asar);
  if (size > ASAR_MAX_BYTES) throw new Error(`app.asar has ${(size / 1048576).toFixed(1)} MB; ${ASAR_MAX_BYTES / 1048576} are allowed`);
  for (const name of readdirSync(output).filter((one) => /^builder-/.test(one))) rmSync(join(output, name), { force: true });
  writeFileSync(join(output, "sbom.json"), `${JSON.stringify(await bill(electron.version), undefined, 2)}\n`);
  if (args.includes("--deb")) await debian(folder);
  const sums = [];
  for (const name of readdirSync(output).sort())
    if (statSync(join(output, name)).isFile()) sums.push(`${await sha256(join(output, name))}  ${name}`);
  sums.push(`${await sha256(asar)}  ${asar.slice(output.length + 1)}`);
  writeFileSync(join(output, "SHA256SUMS"), `${sums.join("\n")}\n`);
  console.log(`${folder}: app.asar ${(size / 1048576).toFixed(1)} MB`);
} catch (error) {
  say(error.message);
  failed = true;
} finally {
  rmSync(work, { recursive: true, force: true });
}
// electron-builder has an exit status of its own in mind.
process.exit(failed ? 1 : 0);
