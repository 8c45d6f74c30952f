/**
 * What each process has of files: working directory, umask, ids, its table of descriptors, and the open file descriptions behind them, which dup and children share. In the
 * real stack: fs_struct, files_struct, struct file. Left out: close-on-exec (every program of the lab is its own), and descriptors 0 to 2, which are its streams.
 */
import { DESCRIPTORS_MAX, type Hasher } from "../../kernel/index.ts";
import type { MountTable, Place } from "./mounts.ts";

/** An open file description. */
export interface Description {
  readonly id: number;
  readonly place: Place;
  readonly access: "r" | "w" | "rw";
  readonly append: boolean;
  readonly directory: boolean;
  readonly offset: number;
  /** Of a served file: what its server calls the open file. */
  readonly handle: number;
  /** The directory entry it was opened by, for /proc; of a served file nothing. */
  readonly entry: { readonly dir: number; readonly name: string };
}

export interface View {
  readonly pid: number;
  readonly cwd: Place;
  readonly umask: number;
  readonly uid: number;
  readonly gid: number;
  /** Ids of descriptions by descriptor, ascending. */
  readonly descriptors: ReadonlyMap<number, number>;
}

export interface ViewsState {
  readonly views: readonly {
    readonly view: Omit<View, "descriptors">;
    readonly descriptors: readonly (readonly [number, number])[];
  }[];
  readonly descriptions: readonly Description[];
  readonly nextId: number;
}

/** The lowest that open gives: below it are the standard streams. */
const FIRST_DESCRIPTOR = 3;

export class Views {
  private views = new Map<number, View>();
  private descriptions = new Map<number, Description>();
  private nextId = 1;
  /** Counts changes: what was made of an older state is out of date. */
  version = 0;

  constructor(
    private readonly table: MountTable,
    /** The last descriptor of a served file is closed. */
    private readonly onRelease: (description: Description, pid: number) => void,
  ) {}

  pids(): number[] {
    return [...this.views.keys()];
  }

  find(pid: number): View | undefined {
    return this.views.get(pid);
  }

  private hold(place: Place, sign: 1 | -1): void {
    const { fs } = this.table.get(place.mount);
    if (fs.kind !== "tree") return;
    if (sign === 1) fs.hold(place.ino);
    else fs.release(place.ino);
  }

  private put(view: View): void {
    this.views.set(view.pid, view);
    this.version++;
  }

  /** A process begins: with what its parent has, or anew at `cwd`. */
  attach(pid: number, from: { readonly parent: number } | { readonly cwd: Place; readonly uid: number; readonly gid: number }): void {
    if ("parent" in from) {
      const parent = this.views.get(from.parent);
      if (parent === undefined) throw new Error(`files: no process ${from.parent}`);
      this.put({ ...parent, pid, descriptors: new Map(parent.descriptors) });
    } else this.put({ pid, cwd: from.cwd, umask: 0o022, uid: from.uid, gid: from.gid, descriptors: new Map() });
    this.hold(this.view(pid).cwd, 1);
  }

  view(pid: number): View {
    const view = this.views.get(pid);
    if (view === undefined) throw new Error(`files: no process ${pid}`);
    return view;
  }

  /** It ends: everything it has open is closed. */
  detach(pid: number): void {
    const view = this.views.get(pid);
    if (view === undefined) return;
    for (const fd of view.descriptors.keys()) this.close(pid, fd);
    this.views.delete(pid);
    this.version++;
    this.hold(view.cwd, -1);
  }

  chdir(pid: number, cwd: Place): void {
    const view = this.view(pid);
    this.hold(cwd, 1);
    this.put({ ...view, cwd });
    this.hold(view.cwd, -1);
  }

  change(pid: number, changes: Partial<Pick<View, "umask" | "uid" | "gid">>): void {
    this.put({ ...this.view(pid), ...changes });
  }

  /** The lowest free descriptor; undefined: EMFILE. */
  free(pid: number): number | undefined {
    const { descriptors } = this.view(pid);
    for (let fd = FIRST_DESCRIPTOR; fd < DESCRIPTORS_MAX; fd++) if (!descriptors.has(fd)) return fd;
    return undefined;
  }

  open(pid: number, fd: number, description: Omit<Description, "id">): void {
    const id = this.nextId++;
    this.descriptions.set(id, { ...description, id });
    this.hold(description.place, 1);
    this.install(pid, fd, id);
  }

  private install(pid: number, fd: number, id: number): void {
    const view = this.view(pid);
    const descriptors = new Map([...view.descriptors, [fd, id] as const].sort(([a], [b]) => a - b));
    this.put({ ...view, descriptors });
  }

  dup(pid: number, fd: number): number | undefined {
    const id = this.view(pid).descriptors.get(fd);
    const free = this.free(pid);
    if (id === undefined || free === undefined) return undefined;
    this.install(pid, free, id);
    return free;
  }

  description(pid: number, fd: number): Description | undefined {
    const id = this.views.get(pid)?.descriptors.get(fd);
    return id === undefined ? undefined : this.descriptions.get(id);
  }

  update(id: number, changes: Partial<Description>): void {
    const before = this.descriptions.get(id);
    if (before === undefined) return;
    this.descriptions.set(id, { ...before, ...changes });
    this.version++;
  }

  all(): readonly Description[] {
    return [...this.descriptions.values()];
  }

  /** A file was renamed on its mount: what shows names shows the new one. */
  renamed(mount: number, ino: number, dir: number, name: string): void {
    for (const d of this.descriptions.values())
      if (d.place.mount === mount && d.place.ino === ino && d.place.inside === undefined) this.update(d.id, { entry: { dir, name } });
  }

  /** A served file was renamed, or a directory above it: the server hears the new path from now on. */
  renamedInside(mount: number, from: readonly string[], to: readonly string[]): void {
    for (const d of this.descriptions.values()) {
      const { inside } = d.place;
      if (d.place.mount !== mount || inside === undefined || !from.every((name, i) => inside[i] === name)) continue;
      this.update(d.id, { place: { ...d.place, inside: [...to, ...inside.slice(from.length)] } });
    }
  }

  /** Somebody has a file of this mount open for writing. */
  writing(mount: number): boolean {
    for (const d of this.descriptions.values()) if (d.place.mount === mount && d.access !== "r") return true;
    return false;
  }

  close(pid: number, fd: number): void {
    const view = this.view(pid);
    const description = this.description(pid, fd);
    if (description === undefined) return;
    const descriptors = new Map(view.descriptors);
    descriptors.delete(fd);
    this.put({ ...view, descriptors });
    for (const other of this.views.values()) for (const id of other.descriptors.values()) if (id === description.id) return;
    this.descriptions.delete(description.id);
    this.hold(description.place, -1);
    if (description.place.inside !== undefined) this.onRelease(description, pid);
  }

  /** The power went. */
  clear(): void {
    this.views.clear();
    this.descriptions.clear();
    this.version++;
  }

  /** Descriptors and working directories on a mount: umount's EBUSY. */
  using(mount: number): boolean {
    for (const { cwd } of this.views.values()) if (cwd.mount === mount) return true;
    for (const { place } of this.descriptions.values()) if (place.mount === mount) return true;
    return false;
  }

  snapshot(): ViewsState {
    const views = [...this.views.values()].map(({ descriptors, ...view }) => Object.freeze({ view, descriptors: [...descriptors] }));
    return Object.freeze({ views, descriptions: [...this.descriptions.values()], nextId: this.nextId });
  }

  restore(state: ViewsState): void {
    this.views = new Map(state.views.map(({ view, descriptors }) => [view.pid, { ...view, descriptors: new Map(descriptors) }]));
    this.descriptions = new Map(state.descriptions.map((d) => [d.id, d]));
    this.nextId = state.nextId;
    this.version++;
    for (const { cwd } of this.views.values()) this.hold(cwd, 1);
    for (const { place } of this.descriptions.values()) this.hold(place, 1);
  }

  digest(h: Hasher): void {
    const place = (p: Place): void => {
      h.int(p.mount).int(p.ino);
      for (const name of p.inside ?? []) h.text(name);
    };
    h.int(this.nextId).int(this.views.size).int(this.descriptions.size);
    for (const view of this.views.values()) {
      h.int(view.pid).int(view.umask).int(view.uid).int(view.gid);
      place(view.cwd);
      for (const [fd, id] of view.descriptors) h.int(fd).int(id);
    }
    for (const d of this.descriptions.values()) {
      h.int(d.id).text(d.access).bool(d.append).bool(d.directory).int(d.offset).int(d.handle).int(d.entry.dir).text(d.entry.name);
      place(d.place);
    }
  }
}
