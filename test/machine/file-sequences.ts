/** Random sequences of file calls of two processes, and how the answers of two systems are compared: for property tests. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { FileCall, FileReply, OpenFlags } from "../../src/engine/kernel/index.ts";

/** A call, and which of the processes makes it. `fd` in it counts the process's open descriptors from the youngest. */
export interface Made {
  readonly who: number;
  readonly call: FileCall;
}

const name = fc.constantFrom("a", "b", "c", "d", "l", "m");
const known = fc.constantFrom("a", "a", "a/b", "c", "c", "a/d", "l", "l/d", "a/m", "l/b", "b", "d", "a/b/c");
const part = fc.oneof(
  { weight: 14, arbitrary: name },
  { weight: 1, arbitrary: fc.constant(".") },
  { weight: 2, arbitrary: fc.constant("..") },
);
const end = fc.constantFrom("", "", "", "", "", "", "", "", "", "/", "/.");

/** What every sequence begins with: two directories, one in the other, two files, each open in a process, and links to both kinds. */
export const PRELUDE: readonly Made[] = [
  ...(
    [
      { call: "mkdir", path: "a", mode: 0o755 },
      { call: "mkdir", path: "a/b", mode: 0o755 },
      { call: "open", path: "c", flags: { access: "rw", create: true } },
      { call: "write", fd: 0, data: Uint8Array.from([1, 2, 3, 4, 5]) },
      { call: "open", path: "a/d", flags: { access: "rw", create: true, append: true } },
      { call: "write", fd: 0, data: Uint8Array.from([6, 7, 8]) },
      { call: "symlink", target: "a", path: "l" },
      { call: "symlink", target: "../c", path: "a/m" },
    ] as const
  ).map((call) => ({ who: 0, call })),
  { who: 1, call: { call: "open", path: "c", flags: { access: "rw" } } },
];

/** Calls that meet only where they follow each other: a working directory that is removed, a file without a name, links in a circle. */
const STORIES: readonly (readonly (readonly [number, FileCall])[])[] = [
  [
    [1, { call: "chdir", path: "a/b" }],
    [0, { call: "rmdir", path: "a/b" }],
    [1, { call: "getcwd" }],
    [1, { call: "mkdir", path: "c" }],
    [1, { call: "readdir", path: "." }],
    [1, { call: "stat", path: "." }],
    [1, { call: "stat", path: "../d" }],
  ],
  [
    [1, { call: "unlink", path: "c" }],
    [1, { call: "write", fd: 0, data: Uint8Array.from([9, 9]) }],
    [1, { call: "fstat", fd: 0 }],
    [0, { call: "open", path: "c", flags: { access: "w", create: true, exclusive: true } }],
    [1, { call: "read", fd: 0, length: 9, at: 0 }],
  ],
  [
    [0, { call: "unlink", path: "l" }],
    [0, { call: "symlink", target: "a/../m", path: "l" }],
    [0, { call: "symlink", target: "l/", path: "m" }],
    [0, { call: "open", path: "l", flags: { access: "w", create: true } }],
    [1, { call: "mkdir", path: "l/c" }],
  ],
  [
    [0, { call: "rename", from: "a", to: "a/b/c" }],
    [0, { call: "rename", from: "a/b", to: "a" }],
    [0, { call: "rename", from: "a/b", to: "b" }],
    [1, { call: "rename", from: "b", to: "a" }],
  ],
];

/** `base`: what an absolute path begins with. */
export function sequences(base: string, length: number): fc.Arbitrary<Made[]> {
  const relative = fc.tuple(fc.array(part, { minLength: 1, maxLength: 3 }), end).map(([parts, tail]) => parts.join("/") + tail);
  const path = fc.oneof(
    { weight: 30, arbitrary: relative },
    { weight: 30, arbitrary: known },
    { weight: 6, arbitrary: relative.map((p) => `${base}/${p}`) },
    { weight: 1, arbitrary: fc.constantFrom("", ".", "..", "n".repeat(255), "n".repeat(256), `a/${"n".repeat(256)}`, "x/".repeat(2100)) },
  );
  const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o700, 0o1777, 0o2775, 0o4755, 0o2644, 0o6777, 0o000);
  const fd = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
  const small = fc.integer({ min: 0, max: 40 });
  const size = fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: fc.integer({ min: 16_000, max: 50_000 }) });
  const at = fc.option(size, { nil: undefined });
  const data = fc
    .tuple(
      fc.integer({ min: 0, max: 255 }),
      fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: fc.integer({ min: 3000, max: 40_000 }) }),
    )
    .map(([byte, n]) => Uint8Array.from({ length: n }, (_, i) => (byte + i) & 0xff));
  const flag = fc.option(fc.constant(true as const), { nil: undefined, freq: 3 });
  const rare = fc.option(fc.constant(true as const), { nil: undefined, freq: 12 }).map((on) => (on === undefined ? true : undefined));
  const flags = fc
    .record({
      access: fc.constantFrom("r", "w", "rw", "rw"),
      create: flag,
      exclusive: rare,
      truncate: rare,
      append: rare,
      directory: rare,
      nofollow: rare,
    })
    .map((f) => Object.fromEntries(Object.entries(f).filter(([, v]) => v !== undefined)) as unknown as OpenFlags);
  const some = <T extends object>(value: fc.Arbitrary<T>): fc.Arbitrary<FileCall> =>
    value.map((v) => Object.fromEntries(Object.entries(v).filter(([, x]) => x !== undefined)) as unknown as FileCall);
  const kind = <K extends FileCall["call"]>(...kinds: K[]): fc.Arbitrary<K> => fc.constantFrom(...kinds);
  const target = fc.oneof(
    { weight: 5, arbitrary: relative },
    { weight: 1, arbitrary: relative.map((p) => `${base}/${p}`) },
    { weight: 1, arbitrary: fc.constant("") },
  );
  const owner = fc.constantFrom(-1, 0, 33, 1000);
  const call = fc.oneof(
    { weight: 10, arbitrary: some(fc.record({ call: kind("open"), path, flags, mode })) },
    { weight: 6, arbitrary: some(fc.record({ call: kind("write"), fd, data, at })) },
    { weight: 5, arbitrary: some(fc.record({ call: kind("read"), fd, length: size.map((n) => n + 1), at })) },
    { weight: 3, arbitrary: some(fc.record({ call: kind("close", "dup", "fstat", "fsync"), fd })) },
    { weight: 2, arbitrary: some(fc.record({ call: kind("ftruncate"), fd, length: size })) },
    { weight: 1, arbitrary: some(fc.record({ call: kind("truncate"), path, length: size })) },
    { weight: 6, arbitrary: some(fc.record({ call: kind("mkdir"), path, mode })) },
    { weight: 5, arbitrary: some(fc.record({ call: kind("rmdir", "unlink", "unlink"), path })) },
    { weight: 8, arbitrary: some(fc.record({ call: kind("rename", "rename", "link"), from: path, to: path })) },
    { weight: 4, arbitrary: some(fc.record({ call: kind("symlink"), target, path })) },
    { weight: 6, arbitrary: some(fc.record({ call: kind("stat", "lstat", "readdir", "readlink", "realpath"), path })) },
    { weight: 1, arbitrary: some(fc.record({ call: kind("access"), path, mode: fc.integer({ min: 0, max: 7 }) })) },
    { weight: 3, arbitrary: some(fc.record({ call: kind("chmod"), path, mode })) },
    { weight: 2, arbitrary: some(fc.record({ call: kind("chown", "lchown"), path, uid: owner, gid: owner })) },
    { weight: 1, arbitrary: some(fc.record({ call: kind("utimens"), path, mtime: fc.constant(5) })) },
    { weight: 3, arbitrary: some(fc.record({ call: kind("chdir"), path })) },
    { weight: 1, arbitrary: some(fc.record({ call: kind("getcwd") })) },
    { weight: 1, arbitrary: some(fc.record({ call: kind("umask"), mask: fc.constantFrom(0, 0o022, 0o077, 0o027) })) },
  );
  const who = fc.integer({ min: 0, max: 1 });
  const made = fc.record({ who, call }).map((m) => [m]);
  const story = fc.constantFrom(...STORIES).map((calls) => calls.map(([by, c]) => ({ who: by, call: c })));
  return fc
    .array(fc.oneof({ weight: 20, arbitrary: made }, { weight: 1, arbitrary: story }), { minLength: 1, maxLength: length, size: "max" })
    .map((parts) => bounded(parts.flat()));
}

/** Steps up that a sequence may make: the directories above the base are that many and more. */
const UP_MAX = 8;
export const ABOVE = 9;

/** A sequence that goes up too often goes nowhere instead. */
function bounded(sequence: Made[]): Made[] {
  let ups = 0;
  const tame = (path: string, weight: number): string =>
    path
      .split("/")
      .map((p) => (p === ".." && (ups += weight) > UP_MAX ? "." : p))
      .join("/");
  return sequence.map(({ who, call }) => {
    const c = { ...call } as Record<string, unknown>;
    for (const key of ["path", "from", "to"]) if (typeof c[key] === "string") c[key] = tame(c[key], 1);
    if (typeof c["target"] === "string") c["target"] = tame(c["target"], 3);
    return { who, call: c as unknown as FileCall };
  });
}

/** With the descriptor that the number in it means: one of those this process has open, or one it has not. */
export function withDescriptor(call: FileCall, open: readonly number[]): FileCall {
  return "fd" in call ? { ...call, fd: open[open.length - 1 - call.fd] ?? 77 } : call;
}

/** What two systems have to agree about: no device and inode numbers, no times, no sizes of directories, no order of entries. */
export function comparable(reply: FileReply): unknown {
  if (!reply.ok) return reply.errno;
  if (reply.value === "stat") {
    const { type, mode, nlink, uid, gid, size } = reply.stat;
    return { type, mode: mode.toString(8), nlink, uid, gid, size: type === "directory" ? 0 : size };
  }
  if (reply.value === "entries") return reply.entries.map(({ name: n, type }) => `${n} ${type}`).sort();
  if (reply.value === "data") return `${reply.data.length} bytes ${createHash("md5").update(reply.data).digest("hex")}`;
  return reply;
}
