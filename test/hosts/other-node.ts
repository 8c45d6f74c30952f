/** Another version of Node for the tests, from npm: installed once into node_modules/.cache. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));

/** The package that holds the binary for this computer: what npm's package `node` itself installs. */
const platform = process.platform === "win32" ? "win" : process.platform;
const packageName = `node-${platform}-${process.arch}`;
const binary = join("node_modules", packageName, "bin", process.platform === "win32" ? "node.exe" : "node");

function runs(file: string, version: string): boolean {
  return existsSync(file) && spawnSync(file, ["--version"], { encoding: "utf8" }).stdout.trim() === `v${version}`;
}

/** Path of Node `version`, installed if it is not there yet; or why it cannot be had. */
export function otherNode(version: string): { node: string } | { missing: string } {
  const dir = join(cache, `quorate-node-${version}`);
  const node = join(dir, binary);
  if (runs(node, version)) return { node };
  mkdirSync(cache, { recursive: true });
  const unpacked = mkdtempSync(join(cache, "quorate-node-"));
  try {
    writeFileSync(join(unpacked, "package.json"), '{ "private": true }\n');
    const args = ["install", "--prefix", unpacked, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    execFileSync(npm, [...args, `${packageName}@${version}`], { cwd: unpacked, stdio: "pipe", timeout: 240_000 });
    if (!runs(join(unpacked, binary), version)) return { missing: `${packageName}@${version} does not run here` };
    rmSync(dir, { recursive: true, force: true });
    renameSync(unpacked, dir);
    return { node };
  } catch (error) {
    return {
      missing: `npm install ${packageName}@${version}: ${error instanceof Error ? error.message.split("\n").at(-1) : String(error)}`,
    };
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}
