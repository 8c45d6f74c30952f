/** The files of one machine: limits, faults of the disk, mounts, /proc, times, commits and snapshots. */
import { Packr } from "msgpackr";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageAfter, peek, peekRead, type Files } from "../../src/engine/machine/files/index.ts";
import { FILE_CHUNK_BYTES, Hasher, fromUtf8, utf8, type FileCall, type FileReply } from "../../src/engine/kernel/index.ts";
import { PRELUDE, sequences, withDescriptor, type Made } from "./file-sequences.ts";
import { LIMITS, LabFiles, ROOT_INO } from "./lab-files.ts";
import { TinyServer } from "./tiny-server.ts";

const packr = new Packr({ useRecords: false, moreTypes: true });

function lab(...directories: string[]): LabFiles {
  const made = new LabFiles();
  made.files.attach(1);
  for (const path of directories) made.must(1, { call: "mkdir", path, mode: 0o755 });
  return made;
}

function fd(l: LabFiles, path: string, flags: Extract<FileCall, { call: "open" }>["flags"] = { access: "rw", create: true }): number {
  const reply = l.must(1, { call: "open", path, flags });
  return reply.ok && reply.value === "fd" ? reply.fd : -1;
}

const errno = (reply: FileReply): string => (reply.ok ? "ok" : reply.errno);
const digest = (files: Files): string => {
  const h = new Hasher();
  files.digest(h);
  return h.hex();
};
const read = (l: LabFiles, path: string): string => {
  const reply = peekRead(l.files, 1, path);
  return reply !== "would-wait" && reply.ok && reply.value === "data" ? fromUtf8(reply.data) : JSON.stringify(reply);
};

describe("limits", () => {
  test("a full file system takes what fits, and then nothing", () => {
    const l = lab("/m");
    l.must(1, { call: "mount", path: "/m", type: "tmpfs", source: "tmpfs", bytes: 12_288 });
    const one = fd(l, "/m/a");
    expect(l.call(1, { call: "write", fd: one, data: new Uint8Array(10_000) })).toMatchObject({ count: 10_000 });
    expect(l.call(1, { call: "write", fd: one, data: new Uint8Array(10_000) })).toMatchObject({ count: 2288 });
    expect(errno(l.call(1, { call: "write", fd: one, data: utf8("x") }))).toBe("ENOSPC");
    expect(l.call(1, { call: "statfs", path: "/m" })).toMatchObject({ statfs: { blocks: 3, free: 0, type: "tmpfs" } });
    l.must(1, { call: "ftruncate", fd: one, length: 1 });
    expect(l.call(1, { call: "statfs", path: "/m" })).toMatchObject({ statfs: { free: 2 } });
    // A file without a name holds its room until it is closed.
    l.must(1, { call: "unlink", path: "/m/a" });
    expect(l.call(1, { call: "statfs", path: "/m" })).toMatchObject({ statfs: { free: 2 } });
    l.must(1, { call: "close", fd: one });
    expect(l.call(1, { call: "statfs", path: "/m" })).toMatchObject({ statfs: { free: 3 } });
  });

  test("inodes, descriptors, size", () => {
    const l = lab();
    for (let n = 1; n < LIMITS.inodes; n++) l.must(1, { call: "mkdir", path: `/${n}` });
    expect(errno(l.call(1, { call: "mkdir", path: "/more" }))).toBe("ENOSPC");
    l.must(1, { call: "rmdir", path: "/7" });
    const one = fd(l, "/file");
    for (let n = 0; n < 1024 - 4; n++) l.must(1, { call: "dup", fd: one });
    expect(errno(l.call(1, { call: "dup", fd: one }))).toBe("EMFILE");
    expect(errno(l.call(1, { call: "open", path: "/file", flags: { access: "r" } }))).toBe("EMFILE");
    expect(errno(l.call(1, { call: "write", fd: one, data: utf8("x"), at: FILE_CHUNK_BYTES * 2 ** 30 }))).toBe("EFBIG");
    expect(errno(l.call(1, { call: "truncate", path: "/file", length: FILE_CHUNK_BYTES * 2 ** 30 + 1 }))).toBe("EFBIG");
  });

  test("a file with as many names as ext4 allows takes no more", () => {
    const inode = { mode: 0o755, uid: 0, gid: 0, atime: 0, mtime: 0, ctime: 0, size: 0 };
    const inodes = [
      { ino: ROOT_INO, inode: { ...inode, type: "directory" as const } },
      { ino: 12, inode: { ...inode, type: "file" as const, chunks: [] } },
    ];
    const entries = Array.from({ length: 64_999 }, (_, n) => ({ dir: ROOT_INO, name: String(n), ino: 12 }));
    const l = LabFiles.of({ seq: 0, inodes, entries }, () => undefined);
    l.files.attach(1);
    expect(errno(l.call(1, { call: "link", from: "/7", to: "/last" }))).toBe("ok");
    expect(errno(l.call(1, { call: "link", from: "/7", to: "/more" }))).toBe("EMLINK");
  });

  test("a file with holes costs what is in it", () => {
    const l = lab();
    const one = fd(l, "/sparse");
    const far = 10 * 1024 * 1024 * 1024;
    l.must(1, { call: "write", fd: one, data: utf8("end"), at: far });
    expect(l.call(1, { call: "fstat", fd: one })).toMatchObject({ stat: { size: far + 3 } });
    const row = l.commits.at(-1)?.rows.find((r) => r.row === "inode");
    expect(row?.row === "inode" ? row.inode?.chunks?.length : 0).toBe(2);
    expect(l.call(1, { call: "read", fd: one, length: 5, at: far - 2 })).toMatchObject({ data: utf8("\0\0end") });
    const { image, chunks } = l.files.image();
    const again = LabFiles.of(image, (hash) => chunks.get(hash));
    expect(sameRoot(again.files)).toBe(sameRoot(rebooted(l)));
  });
});

/** The machine without power: what is on its disk. */
function rebooted(l: LabFiles): Files {
  l.files.powerLost();
  return l.files;
}

describe("faults of the disk", () => {
  const l = lab("/d");
  l.write(1, "/d/f", "text");
  const open = fd(l, "/d/f", { access: "rw" });

  test("read-only", () => {
    l.files.setDisk("read-only", 0);
    const of = (call: FileCall): string => errno(l.call(1, call));
    expect(of({ call: "mkdir", path: "/x" })).toBe("EROFS");
    expect(of({ call: "mkdir", path: "/d" })).toBe("EEXIST");
    expect(of({ call: "unlink", path: "/none" })).toBe("EROFS");
    expect(of({ call: "open", path: "/d/f", flags: { access: "w" } })).toBe("EROFS");
    expect(of({ call: "open", path: "/d/f", flags: { access: "r", create: true } })).toBe("ok");
    expect(of({ call: "access", path: "/d/f", mode: 2 })).toBe("EROFS");
    expect(of({ call: "write", fd: open, data: utf8("x") })).toBe("EROFS");
    expect(of({ call: "chmod", path: "/none", mode: 0 })).toBe("ENOENT");
    expect(of({ call: "chmod", path: "/d/f", mode: 0 })).toBe("EROFS");
    expect(of({ call: "statfs", path: "/" })).toBe("ok");
  });

  test("input and output errors", () => {
    l.files.setDisk("io-error", 0);
    expect(errno(l.call(1, { call: "read", fd: open, length: 1 }))).toBe("EIO");
    expect(errno(l.call(1, { call: "readdir", path: "/d" }))).toBe("EIO");
    expect(errno(l.call(1, { call: "mkdir", path: "/x" }))).toBe("EIO");
    expect(errno(l.call(1, { call: "fsync", fd: open }))).toBe("EIO");
    expect(errno(l.call(1, { call: "stat", path: "/d/f" }))).toBe("ok");
  });

  test("full, and how long a commit takes", () => {
    l.files.setDisk("full", 5000);
    expect(errno(l.call(1, { call: "mkdir", path: "/x" }))).toBe("ENOSPC");
    expect(errno(l.call(1, { call: "write", fd: open, data: new Uint8Array(5000) }))).toBe("ok");
    expect(errno(l.call(1, { call: "write", fd: open, data: new Uint8Array(5000) }))).toBe("ENOSPC");
    expect(l.files.root.commitMicros).toBe(5000);
    l.files.setDisk("none", 0);
    expect(errno(l.call(1, { call: "mkdir", path: "/x" }))).toBe("ok");
  });
});

describe("mounts", () => {
  test("tmpfs covers a directory, is another device, is gone with the power", () => {
    const l = lab("/m", "/proc", "/run");
    l.write(1, "/m/below", "1");
    l.files.powerOn();
    l.must(1, { call: "mount", path: "/m", type: "tmpfs", source: "none", bytes: 1 << 20, mode: 0o755 });
    l.write(1, "/m/file", "2");
    expect(l.call(1, { call: "readdir", path: "/m" })).toMatchObject({ entries: [{ name: "file" }] });
    expect(errno(l.call(1, { call: "rename", from: "/m/file", to: "/file" }))).toBe("EXDEV");
    expect(errno(l.call(1, { call: "link", from: "/m/file", to: "/file" }))).toBe("EXDEV");
    expect(errno(l.call(1, { call: "rmdir", path: "/m" }))).toBe("EBUSY");
    expect(errno(l.call(1, { call: "rename", from: "/m", to: "/n" }))).toBe("EBUSY");
    expect(l.call(1, { call: "realpath", path: "/m/../m/./file" })).toMatchObject({ path: "/m/file" });
    expect(read(l, "/proc/mounts")).toBe(
      "/dev/mapper/pve-root / ext4 rw,relatime,errors=remount-ro 0 0\n" +
        "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n" +
        "tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size=819200k,mode=755 0 0\n" +
        "none /m tmpfs rw,relatime,size=1024k,mode=755 0 0\n",
    );
    const commits = l.commits.length;
    l.write(1, "/run/pid", "700");
    expect(l.commits.length).toBe(commits);
    l.files.powerLost();
    l.files.attach(1);
    expect(l.call(1, { call: "readdir", path: "/m" })).toMatchObject({ entries: [{ name: "below" }] });
    expect(l.call(1, { call: "readdir", path: "/run" })).toMatchObject({ entries: [] });
  });

  test("umount: busy while it is used, later where it is lazy; read-only by remount", () => {
    const l = lab("/m");
    l.must(1, { call: "mount", path: "/m", type: "tmpfs", source: "tmpfs" });
    const one = fd(l, "/m/f");
    expect(errno(l.call(1, { call: "umount", path: "/m" }))).toBe("EBUSY");
    expect(errno(l.call(1, { call: "umount", path: "/m/f" }))).toBe("EINVAL");
    expect(errno(l.call(1, { call: "umount", path: "/" }))).toBe("EBUSY");
    expect(errno(l.call(1, { call: "remount", path: "/m", readOnly: true }))).toBe("EBUSY");
    l.must(1, { call: "umount", path: "/m", lazy: true });
    expect(l.call(1, { call: "write", fd: one, data: utf8("still") })).toMatchObject({ count: 5 });
    expect(l.call(1, { call: "readdir", path: "/m" })).toMatchObject({ entries: [] });
    l.must(1, { call: "close", fd: one });
    expect(l.files.table.all().length).toBe(1);
    l.must(1, { call: "remount", path: "/", readOnly: true });
    expect(errno(l.call(1, { call: "mkdir", path: "/x" }))).toBe("EROFS");
    l.must(1, { call: "remount", path: "/", readOnly: false });
    l.must(1, { call: "mkdir", path: "/x" });
  });
});

describe("processes", () => {
  test("a child has its parent's descriptors and they share the offset; all is closed at the end", () => {
    const l = lab();
    l.write(1, "/f", "abcdef");
    const one = fd(l, "/f", { access: "r" });
    l.files.attach(2, 1);
    expect(l.call(2, { call: "read", fd: one, length: 2 })).toMatchObject({ data: utf8("ab") });
    expect(l.call(1, { call: "read", fd: one, length: 2 })).toMatchObject({ data: utf8("cd") });
    expect(l.call(1, { call: "lseek", fd: one, offset: -1, whence: "end" })).toMatchObject({ count: 5 });
    expect(l.call(2, { call: "read", fd: one, length: 9 })).toMatchObject({ data: utf8("f") });
    expect(l.call(1, { call: "lseek", fd: one, offset: -7, whence: "cur" })).toMatchObject({ errno: "EINVAL" });
    l.must(1, { call: "unlink", path: "/f" });
    l.files.detach(1);
    expect(l.call(2, { call: "fstat", fd: one })).toMatchObject({ stat: { nlink: 0, size: 6 } });
    const inodes = (): number => l.files.root.inodesFree;
    const before = inodes();
    l.files.detach(2);
    expect(inodes()).toBe(before + 1);
  });

  test("times are the lab's; reading moves the access time once after a change, a question never", () => {
    const l = lab();
    l.now = 10;
    l.write(1, "/f", "x");
    l.now = 20;
    expect(peekRead(l.files, 1, "/f")).toMatchObject({ ok: true });
    const times = (): unknown => {
      const reply = peek(l.files, 1, { call: "stat", path: "/f" });
      return reply !== "acts" && reply !== "would-wait" && reply.ok && reply.value === "stat"
        ? [reply.stat.atime, reply.stat.mtime, reply.stat.ctime]
        : reply;
    };
    expect(times()).toEqual([10, 10, 10]);
    const one = fd(l, "/f", { access: "r" });
    l.call(1, { call: "read", fd: one, length: 1, at: 0 });
    l.now = 30;
    l.call(1, { call: "read", fd: one, length: 1, at: 0 });
    expect(times()).toEqual([20, 10, 10]);
    l.must(1, { call: "chmod", path: "/f", mode: 0o600 });
    expect(times()).toEqual([20, 10, 30]);
    l.must(1, { call: "utimens", path: "/f", mtime: 5, atime: "now" });
    expect(times()).toEqual([30, 5, 30]);
  });
});

test("/proc shows processes, mounts and the machine, to tools that read files", () => {
  const l = lab("/proc", "/run", "/root");
  l.files.powerOn();
  l.now = 61_250_000;
  const corosync = { pid: 712, ppid: 1, comm: "corosync", argv: ["/usr/sbin/corosync", "-f"], exe: "/usr/sbin/corosync" };
  l.processes.set(712, { ...corosync, state: "S", startedAt: 5_000_000, uid: 0, gid: 0, session: 712 });
  l.files.attach(712, 1);
  l.must(712, { call: "chdir", path: "/root" });
  l.must(712, { call: "open", path: "/run/corosync.pid", flags: { access: "w", create: true } });
  expect(read(l, "/proc/uptime")).toBe("61.25 122.50\n");
  expect(read(l, "/proc/712/cmdline")).toBe("/usr/sbin/corosync\0-f\0");
  const stat = read(l, "/proc/712/stat").trim().split(" ");
  expect([stat.length, stat.slice(0, 4), stat[21]]).toEqual([52, ["712", "(corosync)", "S", "1"], "500"]);
  expect(read(l, "/proc/712/status")).toMatch(/^Name:\tcorosync\nUmask:\t0022\nState:\tS \(sleeping\)\nTgid:\t712\n/);
  expect(l.call(1, { call: "readlink", path: "/proc/712/cwd" })).toMatchObject({ path: "/root" });
  expect(l.call(1, { call: "readlink", path: "/proc/712/fd/3" })).toMatchObject({ path: "/run/corosync.pid" });
  expect(l.call(712, { call: "readlink", path: "/proc/self" })).toMatchObject({ path: "712" });
  expect(l.call(712, { call: "realpath", path: "/proc/self/cwd" })).toMatchObject({ path: "/root" });
  expect(l.call(1, { call: "readdir", path: "/proc/712" })).toMatchObject({ ok: true });
  expect(read(l, "/proc/meminfo")).toMatch(/^MemTotal: {8}4194304 kB\n/);
  expect(l.call(1, { call: "statfs", path: "/proc" })).toMatchObject({ statfs: { type: "proc", blocks: 0 } });
  expect([errno(l.call(1, { call: "mkdir", path: "/proc/x" })), errno(l.call(1, { call: "unlink", path: "/proc/version" }))]).toEqual([
    "ENOENT",
    "EPERM",
  ]);
  expect(errno(l.call(1, { call: "open", path: "/proc/x", flags: { access: "w", create: true } }))).toBe("ENOENT");
  const version = fd(l, "/proc/version", { access: "w", truncate: true });
  expect(errno(l.call(1, { call: "write", fd: version, data: utf8("x") }))).toBe("EIO");
  const name = fd(l, "/proc/sys/kernel/hostname", { access: "w" });
  l.must(1, { call: "write", fd: name, data: utf8("pve9\n") });
  expect(l.name).toBe("pve9");
  l.processes.delete(712);
  expect(errno(l.call(1, { call: "stat", path: "/proc/712" }))).toBe("ENOENT");
});

// ---- commits and snapshots, for random sequences of calls

/** Two processes in /w, in which l is served by a process that answers now and then. */
function played(sequence: readonly Made[], each?: (l: LabFiles, at: number) => void): LabFiles {
  const l = lab("/w", "/w/s");
  l.must(1, { call: "chdir", path: "/w" });
  l.files.attach(2, 1);
  l.files.attach(3, 1);
  l.must(3, { call: "serve", path: "/w/s", source: "/dev/fuse", options: "" });
  goOn(
    l,
    [...PRELUDE, { who: 0, call: { call: "symlink", target: "s", path: "e" } }, ...sequence],
    0,
    new TinyServer().put("/a", "file", "served"),
    each,
  );
  return l;
}

function goOn(l: LabFiles, sequence: readonly Made[], from: number, server: TinyServer, each?: (l: LabFiles, at: number) => void): void {
  for (let n = from; n < sequence.length; n++) {
    const made = sequence[n];
    if (made === undefined) break;
    each?.(l, n);
    l.now = n * 1000;
    // The server wakes at every third call; a process that waits makes no other.
    if (n % 3 === 0) for (const request of l.requests.splice(0)) l.files.served(request.id, server.answer(request.request));
    const pid = made.who + 1;
    if (l.files.waitingCalls(pid).length > 0) continue;
    l.files.call(pid, withDescriptor(made.call, [...l.files.views.view(pid).descriptors.keys()]));
  }
}

/** Some of the paths of the sequences lead into the served mount. */
function intoServed(sequence: readonly Made[]): Made[] {
  return sequence.map(({ who, call }, n) => {
    if (n % 2 !== 0) return { who, call };
    const renamed = Object.fromEntries(
      Object.entries(call).map(([k, v]) => [k, typeof v === "string" && k !== "call" ? v.replace(/^a/, n % 4 === 0 ? "s" : "e") : v]),
    );
    return { who, call: renamed as unknown as FileCall };
  });
}

test("the commits since an image give the same file system, from the disk of a machine that lost its power too", () => {
  let commits = 0;
  fc.assert(
    fc.property(sequences("/w", 30), (sequence) => {
      const at = Math.floor(sequence.length / 2);
      let start = { image: lab().files.image(), commits: 0 };
      const l = played(sequence, (before, n) => {
        if (n === at) start = { image: before.files.image(), commits: before.commits.length };
      });
      const since = l.commits.slice(start.commits);
      commits += since.length;
      const { image, chunks } = l.files.image();
      expect(imageAfter(start.image.image, since)).toEqual(image);
      const had = new Map([...start.image.chunks, ...since.flatMap((c) => c.chunks.map(({ hash, data }) => [hash, data] as const))]);
      for (const hash of chunks.keys()) expect(had.has(hash)).toBe(true);
      const again = LabFiles.of(imageAfter(start.image.image, since), (hash) => had.get(hash));
      expect(digest(again.files)).not.toBe(digest(lab().files));
      expect(sameRoot(again.files)).toBe(sameRoot(rebooted(l)));
    }),
    { numRuns: 150, seed: 5 },
  );
  expect(commits).toBeGreaterThan(500);
});

function sameRoot(files: Files): string {
  const h = new Hasher();
  files.root.digest(h);
  return h.hex();
}

test("a run goes on from a snapshot at every call as if nothing had been, calls that wait among it", () => {
  let waited = 0;
  fc.assert(
    fc.property(sequences("/w", 16).map(intoServed), (sequence) => {
      const whole = [...PRELUDE, { who: 0, call: { call: "symlink", target: "s", path: "e" } } as Made, ...sequence];
      const taken: { at: number; packed: Uint8Array; requests: LabFiles["requests"]; server: TinyServer; digest: string }[] = [];
      const server = new TinyServer().put("/a", "file", "served");
      const l = lab("/w", "/w/s");
      l.must(1, { call: "chdir", path: "/w" });
      l.files.attach(2, 1);
      l.files.attach(3, 1);
      l.must(3, { call: "serve", path: "/w/s", source: "/dev/fuse", options: "" });
      goOn(l, whole, 0, server, (now, at) => {
        const copy = new TinyServer();
        copy.nodes.clear();
        for (const [path, node] of server.nodes) copy.nodes.set(path, { ...node });
        waited += now.files.waitingCalls(1).length + now.files.waitingCalls(2).length;
        taken.push({ at, packed: packr.pack(now.files.snapshot()), requests: [...now.requests], server: copy, digest: digest(now.files) });
      });
      for (const { at, packed, requests, server: served, digest: then } of taken) {
        const again = new LabFiles();
        again.files.restore(packr.unpack(packed) as ReturnType<Files["snapshot"]>);
        again.requests.push(...requests);
        expect(digest(again.files)).toBe(then);
        goOn(again, whole, at, served);
        expect(digest(again.files)).toBe(digest(l.files));
      }
    }),
    { numRuns: 40, seed: 6 },
  );
  expect(waited).toBeGreaterThan(50);
});

test("nothing is copied where nothing has changed", () => {
  const l = lab("/d");
  l.write(1, "/d/f", "x");
  const before = l.files.snapshot();
  expect(l.files.snapshot()).toBe(before);
  l.call(1, { call: "stat", path: "/d/f" });
  expect(peekRead(l.files, 1, "/d/f")).toMatchObject({ ok: true });
  expect(l.files.snapshot()).toBe(before);
  const [digestBefore, seq] = [digest(l.files), l.commits.length];
  l.must(1, { call: "chmod", path: "/d/f", mode: 0o600 });
  expect(l.files.snapshot()).not.toBe(before);
  expect([digest(l.files) === digestBefore, l.commits.length]).toEqual([false, seq + 1]);
});
