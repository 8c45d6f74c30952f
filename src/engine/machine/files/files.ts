/**
 * The files of one machine: its root file system, what else is mounted, and what every process has of them. The one way in for the process table, the shell and the tools.
 * In the real stack: the kernel's VFS. Every call is answered at once but one that meets a served file system: that one waits for the process that serves it, and for as long
 * as that process does not answer.
 *
 * What differs from Linux: callers are root, so that no permission is checked but execute on a file; directories report 4096 bytes and list by name; access times are
 * relatime, and following a link does not touch its own; served file systems are not cached.
 */
import {
  Hasher,
  type Commit,
  type DiskFault,
  type DiskImage,
  type Duration,
  type FileCall,
  type FileReply,
  type Instant,
  type Served,
  type ServedReply,
} from "../../kernel/index.ts";
import { mountState, type FilesHost, type FilesState, type MountState, type Resumed } from "./files-state.ts";
import { imageOf, treeOf, type Imaged } from "./image.ts";
import { localCall } from "./local-calls.ts";
import { newTmpfs } from "./mount-calls.ts";
import { MountTable, ROOT_MOUNT, type Mount } from "./mounts.ts";
import { PendingCall } from "./pending.ts";
import { perform } from "./perform.ts";
import { ProcFs } from "./proc.ts";
import { failed, type Context } from "./replies.ts";
import { NOT_CONNECTED, pathIn } from "./served-path.ts";
import { SlowDisk } from "./slow-disk.ts";
import { Tree } from "./tree.ts";
import { Views, type Description, type View } from "./views.ts";
import { walk } from "./walk.ts";

export class Files {
  readonly table = new MountTable();
  readonly views: Views;
  private readonly proc: ProcFs;
  private readonly slow: SlowDisk;
  private pending = new Map<number, PendingCall>();
  private nextCall = 1;
  private nextRequest = 1;
  private traceless = false;
  private cached: { readonly key: readonly unknown[]; readonly state: FilesState } | undefined;
  private cachedDigest: { readonly key: readonly unknown[]; readonly sum: readonly [number, number] } | undefined;

  /** @param root the root file system, whose commits go to `host.commit` */
  constructor(
    private readonly host: FilesHost,
    root: Tree,
  ) {
    this.views = new Views(this.table, (description, pid) => this.releaseServed(description, pid));
    this.slow = new SlowDisk((at) => host.wakeDisk(at));
    this.table.add({
      type: "ext4",
      source: "/dev/mapper/pve-root",
      options: "relatime,errors=remount-ro",
      readOnly: false,
      fs: root,
      on: undefined,
    });
    this.proc = new ProcFs(host.proc, {
      cwd: (pid) => this.cwdOf(pid),
      descriptors: (pid) => this.descriptorsOf(pid),
      umask: (pid) => this.views.find(pid)?.umask ?? 0o022,
      mounts: () => this.table.lines(),
      mountinfo: () => this.table.infoLines(),
    });
  }

  get root(): Tree {
    const { fs } = this.table.get(ROOT_MOUNT);
    if (fs.kind !== "tree") throw new Error("files: the root file system is none");
    return fs;
  }

  // ---- power

  /** The kernel and systemd's first steps mount what every machine has. A mount point that somebody removed stays away. */
  powerOn(): void {
    const c = this.context(undefined, true);
    const on = (path: string): { mount: number; ino: number } | undefined => {
      const walked = walk(this.table, c.view, path, "follow");
      if (typeof walked === "string" || "point" in walked || walked.place === undefined) return undefined;
      return this.table.attributes(walked.place)?.type === "directory" ? walked.place : undefined;
    };
    const procOn = on("/proc");
    if (procOn !== undefined)
      this.table.add({ type: "proc", source: "proc", options: "nosuid,nodev,noexec,relatime", readOnly: false, fs: this.proc, on: procOn });
    const runOn = on("/run");
    if (runOn === undefined) return;
    const fs = newTmpfs(RUN_BYTES, 0o755, c.now);
    const options = `nosuid,nodev,noexec,relatime,size=${RUN_BYTES / 1024}k,mode=755`;
    this.table.add({ type: "tmpfs", source: "tmpfs", options, readOnly: false, fs, on: runOn });
  }

  /** Everything but what is on the disk is gone, names without a file among it. */
  powerLost(): void {
    const { fault, commitMicros } = this.root;
    for (const { place } of this.views.all()) if (place.mount === ROOT_MOUNT) this.root.release(place.ino);
    for (const pid of this.views.pids()) {
      const { cwd } = this.views.view(pid);
      if (cwd.mount === ROOT_MOUNT) this.root.release(cwd.ino);
    }
    this.views.clear();
    this.pending.clear();
    this.slow.clear();
    this.table.lay([this.table.get(ROOT_MOUNT)], ROOT_MOUNT + 1);
    this.table.replace(ROOT_MOUNT, { readOnly: false });
    this.root.setFault(fault, commitMicros);
  }

  setDisk(fault: DiskFault, commitMicros: Duration): void {
    this.root.setFault(fault, commitMicros);
  }

  /** When the disk will have done everything so far; undefined: it has. */
  get diskBusyUntil(): Instant | undefined {
    return this.slow.until(this.host.now());
  }

  /** Replies that have waited for the disk. */
  written(): Resumed[] {
    return this.slow.due(this.host.now()).map(({ id, pid, tag, reply }) => ({ id, pid, tag, reply }));
  }

  /** Of the last commit. */
  get seq(): number {
    return this.root.snapshot().seq;
  }

  /** What is on the disk, and the pieces it refers to. */
  image(): Imaged {
    return imageOf(this.root);
  }

  /** Another disk is in the machine, which is off; what is wrong with the device stays. Where it holds no root directory an empty file system is made. */
  lay(image: DiskImage, chunks: (hash: string) => Uint8Array | undefined): { readonly dropped: number } {
    const { limits, fault, commitMicros } = this.root;
    const commit = (c: Commit): void => this.host.commit(c);
    const mounted = treeOf(image, chunks, limits, commit);
    const tree = mounted?.tree ?? new Tree(limits, commit).format(this.host.now()).settle(image.seq);
    tree.setFault(fault, commitMicros);
    this.table.replace(ROOT_MOUNT, { fs: tree });
    return { dropped: mounted?.dropped ?? image.inodes.length + image.entries.length };
  }

  // ---- processes

  /** A process begins, with what its parent has; without one in the root directory, umask 022. */
  attach(pid: number, parent?: number): void {
    this.views.attach(pid, parent === undefined ? { cwd: this.table.root, uid: 0, gid: 0 } : { parent });
  }

  setIds(pid: number, uid: number, gid: number): void {
    this.views.change(pid, { uid, gid });
  }

  /** It has ended: what it has open is closed, what it waits for is given up, and who waits for it hears that it is gone. */
  detach(pid: number): Resumed[] {
    for (const call of [...this.pending.values()]) if (call.pid === pid) this.pending.delete(call.id);
    this.slow.drop(pid);
    const resumed: Resumed[] = [];
    for (const mount of this.table.all())
      if (mount.fs.kind === "served" && mount.fs.server === pid) {
        this.table.replace(mount.id, { fs: { ...mount.fs, dead: true } });
        for (const call of [...this.pending.values()])
          if (call.mount === mount.id) resumed.push(...this.advance(call, { ok: false, errno: "ECONNABORTED" }));
      }
    this.views.detach(pid);
    this.settle();
    return resumed;
  }

  // ---- calls

  /** @param tag what the caller calls it, if it has to wait; the id where absent */
  call(pid: number, call: FileCall, tag?: number): { readonly done: FileReply } | { readonly pending: number } {
    const c = this.context(pid, false);
    this.proc.caller = this.host.pidOf(pid);
    const before = this.seq;
    const reply = localCall(c, call, (mount) => this.waiting(mount));
    if (reply !== "served") {
      this.settle();
      const at = this.seq > before || call.call === "fsync" ? this.slow.until(c.now) : undefined;
      if (at === undefined) return { done: reply };
      const id = this.nextCall++;
      this.slow.hold({ id, pid, tag: tag ?? id, reply, at });
      return { pending: id };
    }
    const pending = new PendingCall(this.nextCall, pid, tag ?? this.nextCall, call);
    this.nextCall++;
    this.pending.set(pending.id, pending);
    const [resumed] = this.advance(pending, undefined);
    return resumed === undefined ? { pending: pending.id } : { done: resumed.reply };
  }

  /** The same for a caller that cannot wait: EIO where a process would have to be asked. */
  blocking(pid: number, call: FileCall): FileReply {
    this.proc.caller = this.host.pidOf(pid);
    const reply = localCall(this.context(pid, this.traceless), call, (mount) => this.waiting(mount));
    this.settle();
    return reply === "served" ? failed("EIO") : reply;
  }

  /** What `work` reads here leaves no trace: for programs that are put back and read again what they have read before. */
  withoutTrace(work: () => void): void {
    const before = this.snapshot();
    this.traceless = true;
    try {
      work();
    } finally {
      this.traceless = false;
    }
    this.restore(before);
  }

  /** The process that serves a mount has answered request `id`. Of one that nobody waits for nothing comes. */
  served(id: number, reply: ServedReply): Resumed[] {
    for (const call of this.pending.values()) if (call.request === id) return this.advance(call, reply);
    return [];
  }

  /** A signal reached a process in a call that waits. */
  interrupt(id: number): Resumed | undefined {
    const call = this.pending.get(id);
    if (call === undefined) return undefined;
    this.pending.delete(id);
    this.settle();
    return { id, pid: call.pid, tag: call.tag, reply: failed("EINTR") };
  }

  /** The working directory of a process; "(unreachable)" where no path leads there, as the kernel says. */
  cwd(pid: number): string {
    return this.table.pathOf(this.views.view(pid).cwd) ?? "(unreachable)";
  }

  /** Begins in another directory than its parent's; false where it is none. */
  begin(pid: number, cwd: string): boolean {
    return this.blocking(pid, { call: "chdir", path: cwd }).ok;
  }

  /** What this process waits for; with `tag` only the call it calls so. */
  waitingCalls(pid: number, tag?: number): number[] {
    return [...this.pending.values()].filter((call) => call.pid === pid && (tag === undefined || call.tag === tag)).map((call) => call.id);
  }

  /** A server has been asked for this process, and has not answered. */
  isServed(pid: number): boolean {
    for (const call of this.pending.values()) if (call.pid === pid && call.request !== 0) return true;
    return false;
  }

  private waiting(mount: number): boolean {
    for (const call of this.pending.values()) if (call.mount === mount) return true;
    return false;
  }

  private advance(call: PendingCall, reply: ServedReply | undefined): Resumed[] {
    let answer = reply;
    for (;;) {
      const outcome = call.advance(answer, (step) => perform(this.context(call.pid, false), step, (mount) => this.waiting(mount)));
      if ("done" in outcome) {
        this.pending.delete(call.id);
        this.settle();
        return [{ id: call.id, pid: call.pid, tag: call.tag, reply: outcome.done }];
      }
      const { mount, request } = outcome.serve;
      const fs = this.table.find(mount)?.fs;
      if (fs?.kind === "served" && !fs.dead) {
        call.mount = mount;
        call.request = this.send(fs.server, mount, request, call.pid);
        return [];
      }
      answer = NOT_CONNECTED;
    }
  }

  private send(server: number, mount: number, request: Served["request"], pid: number): number {
    const id = this.nextRequest++;
    const { uid, gid, umask } = this.views.find(pid) ?? { uid: 0, gid: 0, umask: 0 };
    this.host.request(server, { id, mount, request, caller: { pid: this.host.pidOf(pid), uid, gid, umask } });
    return id;
  }

  private releaseServed({ place, handle, directory }: Description, pid: number): void {
    const mount = this.table.get(place.mount);
    if (mount.fs.kind !== "served" || mount.fs.dead || directory) return;
    this.send(mount.fs.server, mount.id, { op: "release", path: pathIn(place.inside ?? []), handle }, pid);
  }

  /** The end of whatever may have changed something: the commit goes out, and what was detached and is no longer used goes. */
  private settle(): void {
    const { fault, commitMicros } = this.root;
    const before = this.seq;
    this.root.flush();
    if (fault === "none") this.slow.commits(this.host.now(), this.seq - before, commitMicros);
    for (const { id, detached, fs } of this.table.all()) {
      if (!detached || this.views.using(id) || this.waiting(id)) continue;
      this.table.drop(id);
      if (fs.kind === "served" && !fs.dead) this.host.unmounted(fs.server, id);
    }
  }

  context(pid: number | undefined, quiet: boolean): Context {
    const view = pid === undefined ? this.nobody() : this.views.view(pid);
    return { table: this.table, views: this.views, view, now: this.host.now(), quiet, links: 0 };
  }

  /** A question without a process: root, in the root directory. */
  private nobody(): View {
    return { pid: 1, cwd: this.table.root, umask: 0o022, uid: 0, gid: 0, descriptors: new Map() };
  }

  private cwdOf(pid: number): string | undefined {
    const view = this.views.find(pid);
    return view === undefined ? undefined : (this.table.pathOf(view.cwd) ?? "/ (deleted)");
  }

  private descriptorsOf(pid: number): { fd: number; path: string }[] {
    const view = this.views.find(pid);
    if (view === undefined) return [];
    return [...view.descriptors.keys()].flatMap((fd) => {
      const d = this.views.description(pid, fd);
      return d === undefined ? [] : [{ fd, path: this.shownPath(d) }];
    });
  }

  private shownPath(d: Description): string {
    if (d.place.inside !== undefined || d.directory) return this.table.pathOf(d.place) ?? `${d.entry.name} (deleted)`;
    const { fs } = this.table.get(d.place.mount);
    const dir = { mount: d.place.mount, ino: d.entry.dir };
    const there = fs.kind === "tree" && fs.find(dir.ino) !== undefined && fs.lookup(dir.ino, d.entry.name) === d.place.ino;
    if (fs.kind === "tree" && !there) return `${d.entry.name} (deleted)`;
    const path = this.table.pathOf(dir);
    return path === undefined ? `${d.entry.name} (deleted)` : `${path === "/" ? "" : path}/${d.entry.name}`;
  }

  /** Sets who /proc/self is, for a question. */
  askingAs(pid: number | undefined): Context {
    this.proc.caller = pid === undefined ? 1 : this.host.pidOf(pid);
    return this.context(pid, true);
  }

  // ---- snapshots

  private key(): readonly unknown[] {
    const { busyUntil, late } = this.slow.snapshot();
    const key: unknown[] = [this.table.all(), this.views.version, this.nextCall, this.nextRequest, this.pending.size, busyUntil, late];
    for (const { fs } of this.table.all()) if (fs.kind === "tree") key.push(fs.snapshot());
    return key;
  }

  snapshot(): FilesState {
    const key = this.key();
    if (this.cached !== undefined && same(this.cached.key, key)) return this.cached.state;
    const state = Object.freeze({
      mounts: this.table.all().map(mountState),
      nextMount: this.table.next,
      views: this.views.snapshot(),
      pending: [...this.pending.values()].map((call) => call.snapshot()),
      nextCall: this.nextCall,
      nextRequest: this.nextRequest,
      slow: this.slow.snapshot(),
    });
    this.cached = { key, state };
    return state;
  }

  restore(state: FilesState): void {
    const mounts = state.mounts.map((m): Mount => ({ ...m, fs: this.fileSystemOf(m) }));
    this.table.lay(mounts, state.nextMount);
    this.views.restore(state.views);
    this.pending = new Map(state.pending.map((p) => [p.id, PendingCall.restore(p)]));
    this.nextCall = state.nextCall;
    this.nextRequest = state.nextRequest;
    this.slow.restore(state.slow);
    this.cached = undefined;
    this.cachedDigest = undefined;
  }

  private fileSystemOf({ id, fs }: MountState): Mount["fs"] {
    if (fs.kind === "served") return fs;
    if (fs.kind === "proc") return this.proc;
    const tree = new Tree(fs.limits, id === ROOT_MOUNT ? (commit) => this.host.commit(commit) : undefined);
    tree.restore(fs.state);
    return tree;
  }

  digest(h: Hasher): void {
    for (const { fs } of this.table.all()) if (fs.kind === "tree") fs.digest(h);
    const key = [this.table.all(), this.views.version, this.nextCall, this.nextRequest, this.pending.size];
    if (this.cachedDigest === undefined || !same(this.cachedDigest.key, key)) {
      const own = new Hasher().int(this.table.next).int(this.nextCall).int(this.nextRequest);
      for (const m of this.table.all())
        own
          .int(m.id)
          .text(m.type)
          .text(m.options)
          .bool(m.readOnly)
          .bool(m.detached)
          .int(m.on?.mount ?? 0)
          .int(m.on?.ino ?? 0);
      for (const { fs } of this.table.all()) if (fs.kind === "served") own.int(fs.server).bool(fs.dead);
      this.views.digest(own);
      for (const call of this.pending.values()) call.digest(own);
      this.cachedDigest = { key, sum: own.snapshot() };
    }
    h.int(this.cachedDigest.sum[0]).int(this.cachedDigest.sum[1]);
    this.slow.digest(h);
  }
}

/** systemd gives /run a fifth of the memory. */
const RUN_BYTES = 800 * 1024 * 1024;

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
