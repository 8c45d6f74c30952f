/** Opens things on the caller's screen: the page in the browser, the desktop window. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { entry } from "../lab/process/entries.ts";
import { Trouble } from "../lab/trouble.ts";
import { say } from "./outcome.ts";

/** Opens `url` with the system's own opener; says so when there is none. */
export function openBrowser(url: string): Promise<void> {
  const [command, args]: [string, string[]] =
    process.platform === "win32"
      ? ["cmd", ["/c", "start", "", url]]
      : process.platform === "darwin"
        ? ["open", [url]]
        : ["xdg-open", [url]];
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "ignore", detached: true });
    child.once("error", () => {
      say(`quorate: no browser could be opened (${command}); the address is above`);
      resolve();
    });
    child.once("spawn", () => {
      child.unref();
      resolve();
    });
  });
}

/** Path of the Electron binary, found without importing the package: an import would try to download it. */
function electronBinary(): string | undefined {
  const override = process.env["ELECTRON_OVERRIDE_DIST_PATH"];
  try {
    const root = dirname(createRequire(import.meta.url).resolve("electron/package.json"));
    const name = readFileSync(join(root, "path.txt"), "utf8").trim();
    const binary = join(override ?? join(root, "dist"), name);
    return existsSync(binary) ? binary : undefined;
  } catch {
    // The package or its path.txt is not there: no binary either.
    return undefined;
  }
}

/** The desktop window on a lab; returns when it is closed. */
export function openApp(dir: string): Promise<number> {
  const electron = process.versions["electron"] === undefined ? electronBinary() : process.execPath;
  if (electron === undefined)
    throw new Trouble(
      "failed",
      'the desktop window needs the Electron binary, which is not installed ("npx install-electron" fetches it); "quorate serve --open" shows the same page',
    );
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  const child = spawn(electron, [entry("index").file], { stdio: "inherit", env: { ...env, QUORATE_LAB: dir } });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Trouble("failed", `the desktop window did not start: ${error.message}`)));
    child.once("exit", (status) => resolve(status ?? 1));
  });
}
