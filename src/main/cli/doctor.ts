/** `quorate doctor`: what the lab needs of this computer, one line each. Exit status 1 when something needed is missing. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { entry, pageDir } from "../lab/process/entries.ts";
import { labDir, logPaths, socketPath, stateDir } from "../lab/store/paths.ts";
import { print } from "./outcome.ts";

interface Check {
  what: string;
  /** Says how it is, or throws why it is not. */
  look(): string | Promise<string>;
  needed: boolean;
}

const checks: Check[] = [
  {
    what: "node",
    needed: true,
    look: () => {
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
      if (major < 20 || (major === 20 && minor < 19)) throw new Error(`${process.versions.node}; 20.19 or newer is needed`);
      return process.versions.node;
    },
  },
  {
    what: "state folder",
    needed: true,
    look: () => {
      mkdirSync(stateDir(), { recursive: true });
      accessSync(stateDir(), constants.W_OK);
      return stateDir();
    },
  },
  { what: "runtime folder", needed: true, look: () => socketPath(stateDir(), "doctor") },
  { what: "supervisor", needed: true, look: () => entry("supervisor").file },
  { what: "node processes", needed: true, look: () => entry("worker").file },
  {
    what: "messages between them",
    needed: true,
    look: async () => `ZeroMQ ${(await import("../../engine/host/worker-pool.ts")).zeromqVersion} loads`,
  },
  { what: "console", needed: true, look: () => entry("console").file },
  {
    what: "pseudo terminals",
    needed: true,
    look: async () => {
      await import("node-pty");
      return "node-pty loads";
    },
  },
  {
    what: "log",
    needed: false,
    look: () => {
      const path = logPaths(labDir(undefined)).newest;
      const size = statSync(path, { throwIfNoEntry: false })?.size;
      return size === undefined ? `${path}, from the first "up" on` : `${path}, ${size} bytes`;
    },
  },
  {
    what: "page",
    needed: false,
    look: () => {
      if (!existsSync(join(pageDir(), "index.html"))) throw new Error('not built; "npm run build" makes it');
      return pageDir();
    },
  },
];

export async function doctor(): Promise<number> {
  let status = 0;
  for (const { what, needed, look } of checks) {
    try {
      print(`ok       ${what}: ${await look()}`);
    } catch (error) {
      if (needed) status = 1;
      print(`${needed ? "missing" : "absent "}  ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return status;
}
