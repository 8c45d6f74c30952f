/** Named snapshots of a lab: one file each below its directory, with the world as it stood; files' contents are in the lab's store. Written whole or not at all. */
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { MachineFactory, WorldDesign, WorldSnapshot } from "../../../engine/world/index.ts";
import type { NamedSnapshot } from "../api.ts";
import { readHead, readSealed, SealTrouble, writeSealed } from "./sealed-file.ts";
import type { PieceStore } from "./state-pieces.ts";
import { asWorldSnapshot, worldAt, type WorldState } from "./world-state.ts";
import { systemTrouble, Trouble, usage } from "../trouble.ts";

/** Folder of the snapshots in a lab's directory. */
const snapshotsDir = "snapshots";
const suffix = ".snapshot";
const snapshotsMax = 100;
const nameAllowed = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

function checkName(name: string): void {
  if (!nameAllowed.test(name))
    throw usage(
      `snapshot ${JSON.stringify(name)}: a name is 1 to 64 letters, digits, dots, hyphens and underscores, no dot or hyphen first`,
    );
}

/** What a file says it is; undefined where that is no snapshot of this version. */
function namedIn(head: Readonly<Record<string, unknown>>): (NamedSnapshot & { machines: string }) | undefined {
  const { name, instant, digest, machines } = head;
  if (typeof name !== "string" || typeof instant !== "number" || typeof digest !== "string" || typeof machines !== "string")
    return undefined;
  return { name, instant, digest, machines };
}

function snapshotFiles(dir: string): string[] {
  try {
    return readdirSync(dir).filter((file) => file.endsWith(suffix));
  } catch {
    // No folder yet: no snapshots.
    return [];
  }
}

/** The files that hold a lab's named snapshots. */
export function snapshotPaths(labDir: string): string[] {
  const dir = join(labDir, snapshotsDir);
  return snapshotFiles(dir).map((file) => join(dir, file));
}

/** The name of the snapshot in a file. */
export function snapshotName(path: string): string {
  return basename(path, suffix);
}

export class NamedSnapshots {
  private readonly dir: string;

  /**
   * @param store of the lab; undefined: each snapshot holds all it needs itself
   * @param owned throws where the directory is the lab's no longer: before every write
   */
  constructor(
    labDir: string,
    private readonly store?: PieceStore,
    private readonly owned: () => void = () => undefined,
  ) {
    this.dir = join(labDir, snapshotsDir);
  }

  private path(name: string): string {
    return join(this.dir, `${name}${suffix}`);
  }

  private names(): string[] {
    return snapshotFiles(this.dir).map((file) => file.slice(0, -suffix.length));
  }

  /** In the order of their instants. One that is damaged or of another version is not among them; whoever asks for it by name is told why. */
  list(): NamedSnapshot[] {
    const found: NamedSnapshot[] = [];
    for (const file of this.names()) {
      const head = this.head(file);
      if (head) found.push({ name: head.name, instant: head.instant, digest: head.digest });
    }
    return found.sort((a, b) => a.instant - b.instant || (a.name < b.name ? -1 : 1));
  }

  private head(name: string): NamedSnapshot | undefined {
    try {
      return namedIn(readHead(this.path(name), "snap"));
    } catch (error) {
      // Damaged, of another version, or deleted between two looks.
      if (error instanceof Trouble) return undefined;
      throw error;
    }
  }

  /** Throws Trouble for a name that is not allowed or taken, and when the disk refuses. */
  save(name: string, { state, digest, machines }: WorldState): NamedSnapshot {
    checkName(name);
    const names = this.names();
    if (names.some((known) => known.toLowerCase() === name.toLowerCase()))
      throw new Trouble("failed", `there is a snapshot ${name} already; "quorate snapshot --delete ${name}" deletes it`);
    if (names.length >= snapshotsMax) throw new Trouble("failed", `at most ${snapshotsMax} snapshots are kept; delete one first`);
    const made = { name, instant: state.now, digest };
    this.owned();
    writeSealed(this.path(name), "snap", { ...made, machines }, state, this.store);
    return made;
  }

  /** As `save`; one of that name makes way. */
  replace(name: string, state: WorldState): NamedSnapshot {
    if (this.names().includes(name)) this.remove(name);
    return this.save(name, state);
  }

  private missing(name: string): Trouble {
    const names = this.list().map((s) => s.name);
    return usage(`no snapshot ${JSON.stringify(name)}; ${names.length === 0 ? "there are none" : `there are: ${names.join(", ")}`}`);
  }

  /**
   * What it holds, and a world of `design` can be put there. Throws Trouble, in one line, for one that is not there, cannot be read, is damaged or of another version: nothing of it
   * has been used then.
   */
  load(name: string, design: WorldDesign, make: MachineFactory): WorldSnapshot {
    if (!this.names().includes(name)) throw this.missing(name);
    const path = this.path(name);
    try {
      const { head, value } = readSealed(path, "snap", this.store);
      const [named, state] = [namedIn(head), asWorldSnapshot(value)];
      if (named === undefined || state === undefined || worldAt(design, make, { state, ...named }) === undefined)
        throw new SealTrouble("damaged", path, "is damaged: no lab stands where it says");
      return state;
    } catch (error) {
      if (!(error instanceof SealTrouble)) throw error;
      throw new Trouble("failed", `${error.message}; "quorate snapshot --delete ${name}" deletes it`);
    }
  }

  remove(name: string): void {
    if (!this.names().includes(name)) throw this.missing(name);
    this.owned();
    try {
      rmSync(this.path(name));
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
