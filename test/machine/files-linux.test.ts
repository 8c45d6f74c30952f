/** The lab's root file system answers as Linux's tmpfs does: the same calls of two processes, made to both, compared call by call, and the trees at the end. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { FileCall, FileReply } from "../../src/engine/kernel/index.ts";
import { ABOVE, PRELUDE, comparable, sequences, withDescriptor, type Made } from "./file-sequences.ts";
import { LabFiles } from "./lab-files.ts";
import { LinuxCalls } from "./linux-calls.ts";

const here = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/dev/shm");
if (!here) console.log("files beside Linux: skipped, this needs root on Linux with /dev/shm");

const top = here ? mkdtempSync("/dev/shm/quorate-files-") : "";
const first = `${top}/u`;
const base = `${first}${"/u".repeat(ABOVE)}`;
const SEQUENCES = 2000;
const CALLS_MAX = 24;

afterAll(() => {
  // Some thousands of directories: node's own way takes seconds.
  if (here) spawnSync("rm", ["-rf", top]);
});

/** A machine with the directories above the base: made once, laid down for every sequence from its snapshot. */
function prepared(): () => LabFiles {
  const lab = new LabFiles();
  lab.files.attach(1);
  let path = "";
  for (const name of base.split("/").slice(1)) lab.must(1, { call: "mkdir", path: (path += `/${name}`), mode: 0o755 });
  lab.must(1, { call: "chmod", path: "/dev/shm", mode: 0o1777 });
  lab.must(1, { call: "chdir", path: base });
  lab.files.attach(2, 1);
  const state = lab.files.snapshot();
  return () => {
    const next = new LabFiles();
    next.files.restore(state);
    return next;
  };
}

/** Everything below a directory: one line a name. */
function tree(call: (made: Made["call"]) => FileReply, path: string): string[] {
  const listed = call({ call: "readdir", path });
  if (!listed.ok || listed.value !== "entries") return [`${path}: ${JSON.stringify(listed)}`];
  const names = listed.entries.map((e) => e.name).sort();
  return names.flatMap((name) => {
    const at = `${path}/${name}`;
    const stat = call({ call: "lstat", path: at });
    const line = `${at} ${JSON.stringify(comparable(stat))}`;
    if (!stat.ok || stat.value !== "stat") return [line];
    if (stat.stat.type === "directory") return [line, ...tree(call, at)];
    if (stat.stat.type === "symlink") return [`${line} ${JSON.stringify(call({ call: "readlink", path: at }))}`];
    return [`${line} ${contents(call, at)}`];
  });
}

function contents(call: (made: Made["call"]) => FileReply, path: string): string {
  const opened = call({ call: "open", path, flags: { access: "r" } });
  if (!opened.ok || opened.value !== "fd") return JSON.stringify(opened);
  const read = call({ call: "read", fd: opened.fd, length: 100_000 });
  call({ call: "close", fd: opened.fd });
  return JSON.stringify(comparable(read));
}

const counts = new Map<string, number>();
let calls = 0;
let aside = 0;

function make(lab: LabFiles, linux: LinuxCalls, sequence: readonly Made[]): void {
  for (const [number, { who, call }] of sequence.entries()) {
    lab.now += 1000;
    const made = withDescriptor(call, [...lab.files.views.view(who + 1).descriptors.keys()]);
    const reply = linux.call(who, made);
    const real = comparable(reply);
    const ours = comparable(lab.call(who + 1, made));
    calls++;
    const kind = `${made.call} ${reply.ok ? "ok" : reply.errno}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (JSON.stringify(ours) !== JSON.stringify(real)) expect(ours, `call ${number}: ${JSON.stringify(made)}`).toEqual(real);
  }
}

function sameTrees(lab: LabFiles, linux: LinuxCalls): void {
  const treeOf = (call: (made: Made["call"]) => FileReply): string[] => tree(call, first);
  const [ours, real] = [treeOf((call) => lab.call(1, call)), treeOf((call) => linux.call(0, call))];
  if (ours.join("\n") !== real.join("\n")) expect(ours).toEqual(real);
}

test.runIf(here)("2,000 random sequences of two processes give the same answers, errors and trees", () => {
  const laid = prepared();
  fc.assert(
    fc.property(sequences(base, CALLS_MAX), (sequence) => {
      // Put aside and taken away at the end: quicker than one by one.
      if (existsSync(first)) renameSync(first, `${top}/${aside++}`);
      mkdirSync(base, { recursive: true, mode: 0o755 });
      const linux = new LinuxCalls(base, 2);
      try {
        const lab = laid();
        make(lab, linux, [...PRELUDE, ...sequence]);
        sameTrees(lab, linux);
      } finally {
        linux.end();
      }
    }),
    { numRuns: SEQUENCES, seed: 20260101 },
  );
  console.log(`files beside Linux: ${calls} calls in ${SEQUENCES} sequences, ${counts.size} kinds of answer`);
  // The sequences are worth something only where most kinds of answer came up.
  for (const kind of WANTED) expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(2);
});

// ---- across a mount, which becomes read-only and writable again

function mounted(...args: string[]): boolean {
  return spawnSync(args[0] ?? "", args.slice(1)).status === 0;
}

const point = `${base}/m`;
const canMount = here && mounted("mount", "-t", "tmpfs", "-o", "mode=755", "none", top) && mounted("umount", top);
if (here && !canMount) console.log("files across a mount beside Linux: skipped, this system lets nobody mount");

/** Some of the paths lead into the mount. */
function intoMount(sequence: readonly Made[]): Made[] {
  return sequence.map(({ who, call }, n) => {
    const turned = Object.entries(call).map(([k, v]) => [
      k,
      typeof v === "string" && k !== "call" ? v.replace(/^(a|l)/, n % 3 === 0 ? "m" : "m/a") : v,
    ]);
    return { who, call: (n % 3 === 2 ? call : Object.fromEntries(turned)) as FileCall };
  });
}

test.runIf(canMount)("across a mount that becomes read-only: the same answers, errors and trees", () => {
  const laid = prepared();
  fc.assert(
    fc.property(sequences(base, CALLS_MAX).map(intoMount), (sequence) => {
      if (existsSync(first)) renameSync(first, `${top}/${aside++}`);
      mkdirSync(point, { recursive: true, mode: 0o755 });
      expect(mounted("mount", "-t", "tmpfs", "-o", "mode=755", "none", point)).toBe(true);
      const linux = new LinuxCalls(base, 2);
      const lab = laid();
      lab.must(1, { call: "mkdir", path: point, mode: 0o755 });
      lab.must(1, { call: "mount", path: point, type: "tmpfs", source: "none", mode: 0o755 });
      const remount = (readOnly: boolean): void => {
        const real = mounted("mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, point);
        expect(lab.call(1, { call: "remount", path: point, readOnly }).ok).toBe(real);
      };
      try {
        make(lab, linux, [...PRELUDE, ...inMount]);
        const [one, two] = [Math.floor(sequence.length / 4), Math.floor((sequence.length * 3) / 4)];
        make(lab, linux, sequence.slice(0, one));
        remount(true);
        make(lab, linux, sequence.slice(one, two));
        remount(false);
        make(lab, linux, sequence.slice(two));
        sameTrees(lab, linux);
      } finally {
        linux.end();
        expect(mounted("umount", point)).toBe(true);
      }
    }),
    { numRuns: 30, seed: 20260102 },
  );
  for (const kind of ["rename EXDEV", "link EXDEV", "open EROFS", "mkdir EROFS", "unlink EROFS", "rmdir EBUSY"]) {
    expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(0);
  }
});

const inMount: readonly Made[] = [
  { who: 0, call: { call: "mkdir", path: "m/a", mode: 0o755 } },
  { who: 1, call: { call: "mkdir", path: "m/b", mode: 0o755 } },
  { who: 0, call: { call: "symlink", target: "../c", path: "m/l" } },
  { who: 0, call: { call: "rmdir", path: "m" } },
];

const WANTED = [
  ...["open ok", "open ENOENT", "open EEXIST", "open EISDIR", "open ENOTDIR", "open ELOOP", "open EINVAL", "open ENAMETOOLONG"],
  ...["write ok", "write EBADF", "read ok", "read EBADF", "read EISDIR", "ftruncate ok", "ftruncate EINVAL", "truncate ok", "dup ok"],
  ...[
    "mkdir ok",
    "mkdir EEXIST",
    "mkdir ENOENT",
    "rmdir ok",
    "rmdir ENOTEMPTY",
    "rmdir EINVAL",
    "rmdir ENOTDIR",
    "unlink ok",
    "unlink EISDIR",
  ],
  ...[
    "rename ok",
    "rename EINVAL",
    "rename ENOTEMPTY",
    "rename EISDIR",
    "rename ENOTDIR",
    "rename EBUSY",
    "link ok",
    "link EPERM",
    "link EEXIST",
  ],
  ...[
    "symlink ok",
    "readlink ok",
    "readlink EINVAL",
    "chmod ok",
    "chown ok",
    "lchown ok",
    "chdir ok",
    "chdir ENOTDIR",
    "getcwd ok",
    "getcwd ENOENT",
  ],
];
