/**
 * The mount table: which file system is where, and how one place leads to the next across them. In the real stack: the VFS's tree of mounts, mount(2), /proc/mounts. Left
 * out: bind mounts, namespaces, propagation, and mounting below a file system that is served or /proc.
 */
import type { Errno, FileType, Instant } from "../../kernel/index.ts";
import type { Entry } from "./directory.ts";
import { PROC_ROOT, type ProcFs } from "./proc.ts";
import { ROOT_INO, type Tree } from "./tree.ts";

/** A file system that a process answers for. `dead`: it has exited, and nothing is answered any more until it is unmounted. */
export interface ServedFs {
  readonly kind: "served";
  readonly server: number;
  readonly dead: boolean;
}

export interface Mount {
  readonly id: number;
  readonly type: string;
  readonly source: string;
  readonly options: string;
  readonly readOnly: boolean;
  readonly fs: Tree | ProcFs | ServedFs;
  /** The directory it covers; undefined: the root file system, and what was detached lazily and is still used. */
  readonly on: { readonly mount: number; readonly ino: number } | undefined;
  readonly detached: boolean;
}

/** A directory or file on a file system of the kernel's own; `inside`: on a served one, the names from its root. */
export interface Place {
  readonly mount: number;
  readonly ino: number;
  readonly inside?: readonly string[];
}

/** What path resolution and stat need of any file of the kernel's own. */
export interface Attributes {
  readonly type: FileType;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly atime: Instant;
  readonly mtime: Instant;
  readonly ctime: Instant;
  readonly target: string;
}

export const ROOT_MOUNT = 1;

export class MountTable {
  private mounts: readonly Mount[] = [];
  private nextId = ROOT_MOUNT;

  add(mount: Omit<Mount, "id" | "detached">): number {
    const id = this.nextId++;
    // A new list each time: whoever has kept something made of the old one sees that it is out of date.
    this.mounts = [...this.mounts, { ...mount, id, detached: false }];
    return id;
  }

  /** In the order they were mounted. */
  all(): readonly Mount[] {
    return this.mounts;
  }

  replace(id: number, changes: Partial<Mount>): void {
    this.mounts = this.mounts.map((m) => (m.id === id ? { ...m, ...changes } : m));
  }

  drop(id: number): void {
    this.mounts = this.mounts.filter((m) => m.id !== id);
  }

  lay(mounts: readonly Mount[], nextId: number): void {
    this.mounts = [...mounts];
    this.nextId = nextId;
  }

  get next(): number {
    return this.nextId;
  }

  find(id: number): Mount | undefined {
    for (const mount of this.mounts) if (mount.id === id) return mount;
    return undefined;
  }

  get(id: number): Mount {
    const mount = this.find(id);
    if (mount === undefined) throw new Error(`file system: no mount ${id}`);
    return mount;
  }

  rootOf(mount: Mount): Place {
    if (mount.fs.kind === "served") return { mount: mount.id, ino: 0, inside: [] };
    return { mount: mount.id, ino: mount.fs.kind === "proc" ? PROC_ROOT : ROOT_INO };
  }

  get root(): Place {
    return this.rootOf(this.get(ROOT_MOUNT));
  }

  /** The mount that covers this directory; the last one where there are more. */
  covering(mount: number, ino: number): Mount | undefined {
    for (let i = this.mounts.length - 1; i >= 0; i--) {
      const { on } = this.mounts[i] as Mount;
      if (on !== undefined && on.ino === ino && on.mount === mount) return this.mounts[i];
    }
    return undefined;
  }

  /** From a directory to what is mounted on it, as often as there is something. */
  cross(place: Place): Place {
    let at = place;
    for (;;) {
      const over = at.inside === undefined ? this.covering(at.mount, at.ino) : undefined;
      if (over === undefined) return at;
      at = this.rootOf(over);
    }
  }

  isRootOf(place: Place): boolean {
    if (place.inside !== undefined) return place.inside.length === 0;
    return place.ino === (this.get(place.mount).fs.kind === "proc" ? PROC_ROOT : ROOT_INO);
  }

  /** `..` of a place that is no inner directory of a served file system. */
  up(place: Place): Place {
    let at = place;
    while (this.isRootOf(at)) {
      const { on } = this.get(at.mount);
      if (on === undefined) return at;
      at = on;
    }
    const { fs } = this.get(at.mount);
    return fs.kind === "served" ? at : this.cross({ mount: at.mount, ino: fs.parent(at.ino) });
  }

  lookup(dir: Place, name: string): number | undefined {
    const { fs } = this.get(dir.mount);
    return fs.kind === "served" ? undefined : fs.lookup(dir.ino, name);
  }

  list(dir: Place): Entry[] {
    const { fs } = this.get(dir.mount);
    return fs.kind === "served" ? [] : fs.list(dir.ino);
  }

  /** Undefined where a process and its files in /proc have gone. */
  attributes(place: Place): Attributes | undefined {
    const { fs } = this.get(place.mount);
    if (fs.kind === "served") return undefined;
    return fs.kind === "tree" ? fs.find(place.ino) : fs.attributes(place.ino);
  }

  /** The file system to be changed here, or why it cannot be. */
  writable(mount: number): Tree | Errno {
    const { fs, readOnly } = this.get(mount);
    if (fs.kind !== "tree") return fs.kind === "proc" ? "ENOENT" : "EIO";
    return readOnly || fs.fault === "read-only" ? "EROFS" : fs;
  }

  readOnly(mount: number): boolean {
    const { fs, readOnly } = this.get(mount);
    return readOnly || (fs.kind === "tree" && fs.fault === "read-only");
  }

  /** The absolute path of a place; undefined where no name leads to it any more. `name` of a file is not asked: directories only. */
  pathOf(place: Place): string | undefined {
    const names: string[] = [];
    let at = place;
    for (;;) {
      if (at.inside !== undefined && at.inside.length > 0) names.unshift(...at.inside);
      if (this.isRootOf(at) || at.inside !== undefined) {
        const { on, detached } = this.get(at.mount);
        if (detached) return undefined;
        if (on === undefined) return `/${names.join("/")}`;
        at = on;
        continue;
      }
      const { fs } = this.get(at.mount);
      if (fs.kind === "served") return undefined;
      const parent = fs.parent(at.ino);
      if (fs.kind === "tree" && fs.get(at.ino).nlink === 0) return undefined;
      const entry = fs.list(parent).find((e) => e.ino === at.ino);
      if (entry === undefined) return undefined;
      names.unshift(entry.name);
      at = { mount: at.mount, ino: parent };
    }
  }

  /** One line each, as /proc/mounts has them. */
  lines(): string {
    return this.mounts
      .filter((m) => !m.detached)
      .map((m) => `${m.source} ${escaped(this.pathOf(this.rootOf(m)) ?? "/")} ${m.type} ${optionsOf(m, this.readOnly(m.id))} 0 0\n`)
      .join("");
  }

  infoLines(): string {
    return this.mounts
      .filter((m) => !m.detached)
      .map((m) => {
        const ro = this.readOnly(m.id) ? "ro" : "rw";
        const path = escaped(this.pathOf(this.rootOf(m)) ?? "/");
        return `${20 + m.id} ${20 + (m.on?.mount ?? 0)} 0:${deviceOf(m.id)} / ${path} ${ro},relatime - ${m.type} ${m.source} ${optionsOf(m, ro === "ro")}\n`;
      })
      .join("");
  }
}

/** The device number that stat shows of a mount's files. */
export function deviceOf(mount: number): number {
  return 20 + mount;
}

function optionsOf(mount: Mount, readOnly: boolean): string {
  return `${readOnly ? "ro" : "rw"},${mount.options === "" ? "relatime" : mount.options}`;
}

/** Spaces, tabs, newlines and backslashes as getmntent(3) reads them. */
function escaped(path: string): string {
  return path.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}
