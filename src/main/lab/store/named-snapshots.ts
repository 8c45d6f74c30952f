/** Named snapshots of a lab: one file each below its directory, a line that says what it is and then the world as it stood. Written whole or not at all. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { ENGINE_VERSION, type WorldSnapshot } from "../../../engine/world/index.ts";
import type { NamedSnapshot } from "../api.ts";
import { writeAtomic } from "./atomic-files.ts";
import { systemTrouble, Trouble, usage } from "../trouble.ts";

/** Folder of the snapshots in a lab's directory. */
const snapshotsDir = "snapshots";
const suffix = ".snapshot";
const snapshotsMax = 100;
/** More than any first line has. */
const headBytesMax = 1024;
const nameAllowed = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

interface Head extends NamedSnapshot {
  engine: string;
}

function checkName(name: string): void {
  if (!nameAllowed.test(name))
    throw usage(
      `snapshot ${JSON.stringify(name)}: a name is 1 to 64 letters, digits, dots, hyphens and underscores, no dot or hyphen first`,
    );
}

function parseHead(bytes: Uint8Array): { head: Head; rest: Uint8Array } | undefined {
  const end = bytes.indexOf(10);
  if (end < 0) return undefined;
  try {
    const value = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString()) as Partial<Head>;
    const { engine, name, instant, digest } = value;
    if (typeof engine !== "string" || typeof name !== "string" || typeof instant !== "number" || typeof digest !== "string")
      return undefined;
    return { head: { engine, name, instant, digest }, rest: bytes.subarray(end + 1) };
  } catch {
    // Not written by this program: not a snapshot.
    return undefined;
  }
}

export class NamedSnapshots {
  readonly #dir: string;

  constructor(labDir: string) {
    this.#dir = join(labDir, snapshotsDir);
  }

  #path(name: string): string {
    return join(this.#dir, `${name}${suffix}`);
  }

  #names(): string[] {
    try {
      return readdirSync(this.#dir)
        .filter((file) => file.endsWith(suffix))
        .map((file) => file.slice(0, -suffix.length));
    } catch {
      // No folder yet: no snapshots.
      return [];
    }
  }

  /** In the order of their instants. */
  list(): NamedSnapshot[] {
    const found: NamedSnapshot[] = [];
    for (const file of this.#names()) {
      const head = this.#head(file);
      if (head) found.push({ name: head.name, instant: head.instant, digest: head.digest });
    }
    return found.sort((a, b) => a.instant - b.instant || (a.name < b.name ? -1 : 1));
  }

  #head(name: string): Head | undefined {
    const bytes = new Uint8Array(headBytesMax);
    let fd: number;
    try {
      fd = openSync(this.#path(name), "r");
    } catch {
      // Deleted between two looks.
      return undefined;
    }
    try {
      return parseHead(bytes.subarray(0, readSync(fd, bytes)))?.head;
    } finally {
      closeSync(fd);
    }
  }

  /** Throws Trouble for a name that is not allowed or taken, and when the disk refuses. */
  save(name: string, state: WorldSnapshot, digest: string): NamedSnapshot {
    checkName(name);
    const names = this.#names();
    if (names.some((known) => known.toLowerCase() === name.toLowerCase()))
      throw new Trouble("failed", `there is a snapshot ${name} already; "quorate snapshot --delete ${name}" deletes it`);
    if (names.length >= snapshotsMax) throw new Trouble("failed", `at most ${snapshotsMax} snapshots are kept; delete one first`);
    const made = { name, instant: state.now, digest };
    const head = Buffer.from(`${JSON.stringify({ quorateSnapshot: 1, engine: ENGINE_VERSION, ...made })}\n`);
    writeAtomic(this.#path(name), Buffer.concat([head, serialize(state)]), 0o600);
    return made;
  }

  /** As `save`; one of that name makes way. */
  replace(name: string, state: WorldSnapshot, digest: string): NamedSnapshot {
    if (this.#names().includes(name)) this.remove(name);
    return this.save(name, state, digest);
  }

  #missing(name: string): Trouble {
    const names = this.list().map((s) => s.name);
    return usage(`no snapshot ${JSON.stringify(name)}; ${names.length === 0 ? "there are none" : `there are: ${names.join(", ")}`}`);
  }

  /** Throws Trouble for one that is not there, cannot be read, or is of another engine. */
  load(name: string): WorldSnapshot {
    if (!this.#names().includes(name)) throw this.#missing(name);
    const path = this.#path(name);
    let found: ReturnType<typeof parseHead>;
    try {
      found = parseHead(readFileSync(path));
    } catch (error) {
      throw systemTrouble(error, `read ${path}`);
    }
    if (!found) throw new Trouble("failed", `${path}: not a snapshot of this program`);
    if (found.head.engine !== ENGINE_VERSION)
      throw new Trouble("failed", `snapshot ${name} is of engine ${found.head.engine}, this is ${ENGINE_VERSION}`);
    try {
      // Written by this program, this version, atomically: the shape is WorldSnapshot's.
      return deserialize(found.rest) as WorldSnapshot;
    } catch {
      throw new Trouble("failed", `${path}: damaged, or written by another version of the runtime`);
    }
  }

  remove(name: string): void {
    if (!this.#names().includes(name)) throw this.#missing(name);
    try {
      rmSync(this.#path(name));
    } catch (error) {
      throw systemTrouble(error, `delete snapshot ${name}`);
    }
  }
}

/** Deletes every snapshot of a lab, for whoever deletes the lab; what else lies there stays. */
export function deleteSnapshots(labDir: string): void {
  const dir = join(labDir, snapshotsDir);
  if (!existsSync(dir)) return;
  for (const file of readdirSync(dir)) if (file.endsWith(suffix) || file.endsWith(".tmp")) rmSync(join(dir, file), { force: true });
  if (readdirSync(dir).length === 0) rmdirSync(dir);
}
