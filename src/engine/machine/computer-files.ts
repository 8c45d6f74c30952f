/**
 * The files of one computer: the disk it is delivered with, and what /proc tells of it. In the real stack: the installed root file system and the kernel's own facts. Left
 * out: which programs are on the disk (node/programs.ts).
 */
import {
  ROOT_BYTES_MAX,
  ROOT_INODES_MAX,
  SEC,
  type Commit,
  type DiskImage,
  type Effect,
  type Instant,
  type Piece,
  type Served,
} from "../kernel/index.ts";
import { baseEntries, type BaseEntry, type HostEntry } from "./base-files.ts";
import { programFiles } from "./base-programs.ts";
import {
  Files,
  Tree,
  contentHash,
  layBase,
  makeDirectories,
  writeWhole,
  type ProcProcess,
  type ProcView,
  type TreeState,
} from "./files/index.ts";
import type { NicDesign } from "./nics.ts";
import { withUnits } from "./unit-disk.ts";

/** The kernel that `uname` names. */
export const KERNEL_RELEASE = "6.14.8-2-pve";
export const KERNEL_LINE = `Linux version ${KERNEL_RELEASE} (build@proxmox) (gcc (Debian 14.2.0-19) 14.2.0) #1 SMP PREEMPT_DYNAMIC PMX 6.14.8-2 (2025-07-22T10:04Z)`;

/** Of every machine. Ours. */
const PROCESSORS = 2;
const MEMORY_BYTES = 4 * 1024 * 1024 * 1024;

/** The processes as the files know them: by serial number. */
export interface FileUsers {
  /** For the process that serves a mount. */
  served(server: number, served: Served): void;
  unmounted(server: number, mount: number): void;
  pidOf(process: number): number;
  /** Ascending. */
  pids(): readonly number[];
  process(pid: number): ProcProcess | undefined;
}

/** Where nothing runs. */
export const NO_FILE_USERS: FileUsers = {
  served: () => undefined,
  unmounted: () => undefined,
  pidOf: () => 0,
  pids: () => [],
  process: () => undefined,
};

export interface FilesDesign {
  readonly name: string;
  readonly hostname: string;
  readonly domain: string;
  readonly nics: readonly NicDesign[];
  readonly hosts: readonly HostEntry[];
  /** Services that are not enabled. */
  readonly disabledUnits: readonly string[];
  readonly files: readonly { readonly path: string; readonly data: Uint8Array; readonly mode?: number }[];
}

/** The computer around them. */
export interface FilesOwner {
  readonly now: Instant;
  unixMicros(): number;
  readonly hostname: string;
  setHostname(name: string): void;
  emit(effect: Effect): void;
  /** The disk is done with something at `at`. */
  wakeDisk(at: Instant): void;
}

const LIMITS = { blocks: ROOT_BYTES_MAX / 4096, inodes: ROOT_INODES_MAX };

/** What /proc would show where there is no kernel. */
const NO_KERNEL = {
  ...{ hostname: () => "", setHostname: () => undefined, now: () => 0, bootedAt: () => 0, bootUnixSeconds: () => 0 },
  ...{ kernelRelease: KERNEL_RELEASE, kernelLine: KERNEL_LINE, processors: PROCESSORS, memoryBytes: MEMORY_BYTES },
};

/** A design and its disk never change, and a fork of a world makes each of its machines once more. */
const delivered = new WeakMap<FilesDesign, TreeState>();

/**
 * The disk of a machine that was just delivered: everything is dated 0, and nothing of it is a change.
 * @param packages whose unit files are on it: always the same for one design
 */
function newDisk(design: FilesDesign, packages: readonly string[]): TreeState {
  const known = delivered.get(design);
  if (known !== undefined) return known;
  const made = makeDisk(design, packages);
  delivered.set(design, made);
  return made;
}

/** What was installed, by all that it is made from: runs with other seeds and other files have the same machines. Ours. */
const INSTALLED_MAX = 256;
const installed = new Map<string, TreeState>();

function installedTree(design: FilesDesign, packages: readonly string[]): TreeState {
  const { hostname, domain, nics, hosts, disabledUnits } = design;
  const key = JSON.stringify([hostname, domain, nics, hosts, disabledUnits, packages]);
  const known = installed.get(key);
  if (known !== undefined) return known;
  const root = new Tree(LIMITS, undefined).format(0);
  const programs = programFiles(packages).map(({ path, data }): BaseEntry => ({ path, type: "file", mode: 0o755, data }));
  layBase(root, withUnits([...baseEntries({ hostname, domain, nics, hosts }), ...programs], packages, disabledUnits), 0);
  const made = root.snapshot();
  if (installed.size >= INSTALLED_MAX) installed.clear();
  installed.set(key, made);
  return made;
}

function makeDisk(design: FilesDesign, packages: readonly string[]): TreeState {
  const root = new Tree(LIMITS, undefined);
  root.restore(installedTree(design, packages));
  const { served: request, unmounted, pidOf, pids, process } = NO_FILE_USERS;
  const proc = { ...NO_KERNEL, pids, process };
  const files = new Files({ now: () => 0, commit: () => undefined, request, unmounted, pidOf, proc, wakeDisk: () => undefined }, root);
  for (const { path, data, mode } of design.files) {
    const parent = path.slice(0, Math.max(1, path.lastIndexOf("/")));
    const error = makeDirectories(files, parent, true) ?? writeWhole(files, path, data, mode === undefined ? {} : { mode });
    if (error !== undefined) throw new Error(`${design.name}: cannot put ${path} on the new disk: ${error}`);
  }
  return root.snapshot();
}

export function computerFiles(owner: FilesOwner, users: FileUsers, design: FilesDesign, packages: readonly string[]): Files {
  const commit = (change: Commit): void => owner.emit({ kind: "commit", commit: change });
  const root = new Tree(LIMITS, commit);
  root.restore(newDisk(design, packages));
  const bootedAt = (): Instant => users.process(1)?.startedAt ?? owner.now;
  const proc: ProcView = {
    ...NO_KERNEL,
    pids: () => users.pids(),
    process: (pid) => users.process(pid),
    hostname: () => owner.hostname,
    setHostname: (name) => owner.setHostname(name),
    now: () => owner.now,
    bootedAt,
    bootUnixSeconds: () => Math.floor((owner.unixMicros() - owner.now + bootedAt()) / SEC),
  };
  return new Files(
    {
      ...{ now: () => owner.now, commit, proc, pidOf: (process) => users.pidOf(process) },
      request: (server, served) => users.served(server, served),
      unmounted: (server, mount) => users.unmounted(server, mount),
      wakeDisk: (at) => owner.wakeDisk(at),
    },
    root,
  );
}

/**
 * Puts another disk in. A piece of contents that does not come along is taken from the disk before; one that is not what its hash says counts as missing.
 * @returns rows that lead nowhere, and are dropped
 */
export function layContents(files: Files, image: DiskImage, chunks: readonly Piece[]): { readonly dropped: number } {
  const known = new Map(files.image().chunks);
  for (const { hash, data } of chunks) if (contentHash(data) === hash) known.set(hash, data);
  return files.lay(image, (hash) => known.get(hash));
}
