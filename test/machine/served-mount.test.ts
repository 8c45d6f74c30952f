/** A mount that a process serves, as FUSE does: its calls wait for that process, hang while it is stopped, fail when it has died, and after umount the directory is empty. */
import { expect, test } from "vitest";
import { ProcessFiles, peek, peekRead, type AskServer } from "../../src/engine/machine/files/index.ts";
import { fromUtf8, utf8, type FileCall, type FileReply } from "../../src/engine/kernel/index.ts";
import { LabFiles } from "./lab-files.ts";
import { TinyServer } from "./tiny-server.ts";

const SERVER = 800;
const SHELL = 900;

class Served {
  readonly lab = new LabFiles();
  readonly server = new TinyServer();
  readonly resumed = new Map<number, FileReply>();
  mount = 0;
  stopped = false;

  constructor() {
    this.lab.files.attach(SERVER);
    this.lab.files.attach(SHELL);
    for (const path of ["/etc", "/etc/pve", "/tmp"]) this.lab.must(SHELL, { call: "mkdir", path, mode: 0o755 });
    const reply = this.lab.must(SERVER, { call: "serve", path: "/etc/pve", source: "/dev/fuse", options: "nosuid,nodev,relatime" });
    if (reply.ok && reply.value === "count") this.mount = reply.count;
    this.server.put("/nodes", "directory").put("/nodes/pve1", "directory").put("/local", "symlink", "nodes/pve1");
    this.server.put("/nodes/pve1/config", "file", "memory: 512\n").put("/hosts", "symlink", "../hosts").put("/top", "symlink", "/tmp/x");
  }

  /** The server takes what has come for it, unless it is stopped. */
  run(): void {
    while (!this.stopped) {
      const request = this.lab.requests.shift();
      if (request === undefined) return;
      for (const { id, reply } of this.lab.files.served(request.id, this.server.answer(request.request))) this.resumed.set(id, reply);
    }
  }

  call(call: FileCall, pid = SHELL): FileReply | number {
    const made = this.lab.files.call(pid, call);
    if ("done" in made) return made.done;
    this.run();
    return this.resumed.get(made.pending) ?? made.pending;
  }

  fd(path: string, flags: Extract<FileCall, { call: "open" }>["flags"]): number {
    const reply = this.call({ call: "open", path, flags });
    if (typeof reply === "number" || !reply.ok || reply.value !== "fd") throw new Error(`${path}: ${JSON.stringify(reply)}`);
    return reply.fd;
  }
}

const errno = (reply: FileReply | number): string => (typeof reply === "number" ? "waits" : reply.ok ? "ok" : reply.errno);

function text(reply: FileReply | number): string {
  return typeof reply !== "number" && reply.ok && reply.value === "data" ? fromUtf8(reply.data) : errno(reply);
}

test("files are read and written through the process that serves them", () => {
  const s = new Served();
  const fd = s.fd("/etc/pve/local/config", { access: "rw" });
  expect(text(s.call({ call: "read", fd, length: 6 }))).toBe("memory");
  expect(text(s.call({ call: "read", fd, length: 100 }))).toBe(": 512\n");
  expect(errno(s.call({ call: "write", fd, data: utf8("cores: 2\n") }))).toBe("ok");
  expect(errno(s.call({ call: "close", fd }))).toBe("ok");
  s.run();
  expect(fromUtf8(s.server.nodes.get("/nodes/pve1/config")?.data ?? new Uint8Array(0))).toBe("memory: 512\ncores: 2\n");
  const appended = s.fd("/etc/pve/new", { access: "w", create: true, append: true });
  s.call({ call: "write", fd: appended, data: utf8("a") });
  s.call({ call: "write", fd: appended, data: utf8("b") });
  expect(text(s.call({ call: "read", fd: s.fd("/etc/pve/new", { access: "r" }), length: 9 }))).toBe("ab");
});

test("the kernel checks what it checks: types, names, links out of the mount and back", () => {
  const s = new Served();
  const of = (call: FileCall): string => errno(s.call(call));
  expect(of({ call: "mkdir", path: "/etc/pve/nodes" })).toBe("EEXIST");
  expect(of({ call: "mkdir", path: "/etc/pve/none/x" })).toBe("ENOENT");
  expect(of({ call: "stat", path: "/etc/pve/local/config/x" })).toBe("ENOTDIR");
  expect(of({ call: "unlink", path: "/etc/pve/nodes" })).toBe("EISDIR");
  expect(of({ call: "rename", from: "/etc/pve/nodes", to: "/tmp/nodes" })).toBe("EXDEV");
  expect(of({ call: "rename", from: "/etc/pve/nodes", to: "/etc/pve/nodes/pve1/n" })).toBe("EINVAL");
  expect(of({ call: "rmdir", path: "/etc/pve" })).toBe("EBUSY");
  s.lab.write(SHELL, "/etc/hosts", "localhost");
  expect(s.call({ call: "realpath", path: "/etc/pve/hosts" })).toMatchObject({ path: "/etc/hosts" });
  expect(s.call({ call: "realpath", path: "/etc/pve/../pve/local" })).toMatchObject({ path: "/etc/pve/nodes/pve1" });
  expect(of({ call: "stat", path: "/etc/pve/top" })).toBe("ENOENT");
  expect(of({ call: "mkdir", path: "/etc/pve/top/y" })).toBe("ENOENT");
  expect(s.call({ call: "statfs", path: "/etc/pve/local" })).toMatchObject({
    statfs: { type: "fuse", mountPoint: "/etc/pve", blocks: 32_768 },
  });
  expect(of({ call: "chdir", path: "/etc/pve/local" })).toBe("ok");
  expect(s.call({ call: "getcwd" })).toMatchObject({ path: "/etc/pve/nodes/pve1" });
  expect(of({ call: "stat", path: "config" })).toBe("ok");
  expect(of({ call: "stat", path: "../../../hosts" })).toBe("ok");
});

test("an open file keeps its name when it is renamed", () => {
  const s = new Served();
  const fd = s.fd("/etc/pve/nodes/pve1/config", { access: "r" });
  expect(errno(s.call({ call: "rename", from: "/etc/pve/nodes/pve1", to: "/etc/pve/nodes/pve2" }))).toBe("ok");
  expect(text(s.call({ call: "read", fd, length: 6 }))).toBe("memory");
});

test("a stopped server hangs its callers until it goes on", () => {
  const s = new Served();
  s.stopped = true;
  const waiting = s.call({ call: "readdir", path: "/etc/pve" });
  expect(errno(waiting)).toBe("waits");
  // Others are not held up, and neither is the directory above.
  expect(errno(s.call({ call: "readdir", path: "/etc" }))).toBe("ok");
  expect(s.lab.files.waitingCalls(SHELL)).toEqual([waiting]);
  s.stopped = false;
  s.run();
  expect(s.resumed.get(waiting as number)).toMatchObject({
    entries: [{ name: "nodes" }, { name: "local" }, { name: "hosts" }, { name: "top" }],
  });
});

test("who waits can be interrupted, or end", () => {
  const s = new Served();
  s.stopped = true;
  const waiting = s.call({ call: "stat", path: "/etc/pve/local" }) as number;
  expect(s.lab.files.interrupt(waiting)).toEqual({ id: waiting, pid: SHELL, tag: waiting, reply: { ok: false, errno: "EINTR" } });
  expect(s.lab.files.interrupt(waiting)).toBeUndefined();
  s.call({ call: "stat", path: "/etc/pve/local" });
  expect(s.lab.files.detach(SHELL)).toEqual([]);
  s.stopped = false;
  s.run();
  expect(s.resumed.size).toBe(0);
});

test("a server that dies takes those who wait with it; afterwards the transport endpoint is not connected", () => {
  const s = new Served();
  const fd = s.fd("/etc/pve/local/config", { access: "r" });
  s.stopped = true;
  const waiting = s.call({ call: "stat", path: "/etc/pve/local" }) as number;
  expect(s.lab.files.detach(SERVER)).toEqual([{ id: waiting, pid: SHELL, tag: waiting, reply: { ok: false, errno: "ECONNABORTED" } }]);
  for (const call of ["stat", "readdir", "chdir", "statfs"] as const) expect(errno(s.call({ call, path: "/etc/pve" }))).toBe("ENOTCONN");
  expect(errno(s.call({ call: "read", fd, length: 1 }))).toBe("ENOTCONN");
  expect(errno(s.call({ call: "stat", path: "/etc/pve/../hosts" }))).toBe("ENOENT");
  expect(s.call({ call: "readdir", path: "/etc" })).toMatchObject({ entries: [{ name: "pve", type: "directory" }] });
  expect(errno(s.call({ call: "umount", path: "/etc/pve" }))).toBe("EBUSY");
  expect(errno(s.call({ call: "close", fd }))).toBe("ok");
  expect(errno(s.call({ call: "umount", path: "/etc/pve" }))).toBe("ok");
  expect(s.call({ call: "readdir", path: "/etc/pve" })).toMatchObject({ entries: [] });
});

test("unmounted it is an empty directory again, and the server is told", () => {
  const s = new Served();
  s.call({ call: "chdir", path: "/etc/pve/nodes" });
  expect(errno(s.call({ call: "umount", path: "/etc/pve" }))).toBe("EBUSY");
  expect(errno(s.call({ call: "umount", path: "/etc/pve", lazy: true }))).toBe("ok");
  expect(s.call({ call: "readdir", path: "/etc/pve" })).toMatchObject({ entries: [] });
  // Whoever was inside goes on until he leaves.
  expect(errno(s.call({ call: "stat", path: "pve1" }))).toBe("ok");
  expect(errno(s.call({ call: "getcwd" }))).toBe("ENOENT");
  expect(s.lab.unmounted).toEqual([]);
  s.call({ call: "chdir", path: "/" });
  expect(s.lab.unmounted).toEqual([s.mount]);
});

test("a question asks the server without an event, and a stopped one would have to wait", () => {
  const s = new Served();
  const ask: AskServer = (_server, mount, request) => (mount === s.mount ? s.server.answer(request) : "would-wait");
  expect(peek(s.lab.files, SHELL, { call: "stat", path: "/etc/pve/local" }, ask)).toMatchObject({ stat: { type: "directory" } });
  expect(peekRead(s.lab.files, undefined, "/etc/pve/local/config", ask)).toEqual({ ok: true, value: "data", data: utf8("memory: 512\n") });
  expect(peek(s.lab.files, SHELL, { call: "stat", path: "/etc/pve/local" })).toBe("would-wait");
  expect(peek(s.lab.files, SHELL, { call: "mkdir", path: "/etc/x" })).toBe("acts");
  expect(s.lab.requests).toEqual([]);
});

test("a caller that cannot wait gets EIO", () => {
  const s = new Served();
  expect(s.lab.files.blocking(SHELL, { call: "stat", path: "/etc/pve/local" })).toEqual({ ok: false, errno: "EIO" });
  expect(s.lab.files.blocking(SHELL, { call: "stat", path: "/etc" })).toMatchObject({ ok: true });
});

test("the process table sees calls by its own ids, and processes by their serial numbers", () => {
  const { files, requests } = new LabFiles();
  const heard: unknown[] = [];
  const server = new TinyServer().put("/a", "file", "x");
  const table = new ProcessFiles(files, { reply: (...reply) => heard.push(reply) });
  table.born(1, undefined, "/");
  expect(table.call(1, 1, { call: "mkdir", path: "/m" })).toEqual({ ok: true, value: "done" });
  table.born(2, 1, "/m");
  table.born(3, 1, undefined);
  expect([table.cwd(2), table.cwd(3)]).toEqual(["/m", "/"]);
  table.call(3, 7, { call: "serve", path: "/m", source: "fuse", options: "" });
  expect(table.call(1, 40, { call: "stat", path: "m/a" })).toBeUndefined();
  expect(table.call(1, 41, { call: "stat", path: "m/b" })).toBeUndefined();
  expect(table.peek("/m", { call: "stat", path: "a" })).toBeUndefined();
  expect(table.peek("/", { call: "stat", path: "m/.." })).toMatchObject({ ok: true });
  const [one] = requests;
  if (one !== undefined) table.answer(one.id, server.answer(one.request));
  table.gone(3);
  expect(heard).toMatchObject([
    [1, 40, { ok: true, value: "stat" }],
    [1, 41, { ok: false, errno: "ECONNABORTED" }],
  ]);
});
