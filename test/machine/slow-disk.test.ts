/** A disk that takes its time: whoever changes a file, or asks for what was written to be durable, has its reply when the disk is done, one commit after the other. */
import { describe, expect, test } from "vitest";
import { Hasher, MS, utf8, type FileCall, type FileReply } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { waitForBoot } from "../../src/main/lab/scenario/advance.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";
import { LabFiles } from "./lab-files.ts";

/** Process 1 on a disk whose commits take 10 ms. */
function slow(): LabFiles {
  const l = new LabFiles();
  l.files.attach(1);
  l.files.setDisk("none", 10 * MS);
  return l;
}

/** Undefined: it waits. */
function made(l: LabFiles, call: FileCall, pid = 1): FileReply | undefined {
  const reply = l.files.call(pid, call);
  return "done" in reply ? reply.done : undefined;
}

/** What comes when it is `now`. */
function at(l: LabFiles, now: number): string[] {
  l.now = now;
  return l.files.written().map(({ pid, reply }) => `${pid}: ${reply.ok ? reply.value : reply.errno}`);
}

const mkdir = (path: string): FileCall => ({ call: "mkdir", path });

describe("calls on a slow disk", () => {
  test("what changes something waits, one commit after the other; what reads or fails does not", () => {
    const l = slow();
    l.files.attach(2);
    expect([made(l, mkdir("/a")), made(l, mkdir("/b"), 2)]).toEqual([undefined, undefined]);
    // It is there for everybody at once, and in its order on the disk.
    expect(made(l, { call: "readdir", path: "/a" })).toEqual({ ok: true, value: "entries", entries: [] });
    expect(made(l, mkdir("/a"))).toEqual({ ok: false, errno: "EEXIST" });
    expect([l.wakes[0], l.files.diskBusyUntil]).toEqual([10 * MS, 20 * MS]);
    expect(at(l, 10 * MS - 1)).toEqual([]);
    expect(at(l, 10 * MS)).toEqual(["1: done"]);
    expect(l.wakes.at(-1)).toBe(20 * MS);
    expect(at(l, 20 * MS)).toEqual(["2: done"]);
    expect(l.files.diskBusyUntil).toBeUndefined();
    expect(made(l, mkdir("/c"))).toBeUndefined();
    expect(at(l, 30 * MS)).toEqual(["1: done"]);
  });

  test("fsync waits for what was written before it, and for nothing where nothing was", () => {
    const l = slow();
    l.files.setDisk("none", 0);
    const opened = made(l, { call: "open", path: "/f", flags: { access: "w", create: true } });
    const fd = opened?.ok === true && opened.value === "fd" ? opened.fd : -1;
    l.files.setDisk("none", 10 * MS);
    expect(made(l, { call: "fsync", fd })).toMatchObject({ ok: true });
    // A program that blocks in its calls goes on; the disk is busy all the same.
    expect(l.files.blocking(1, { call: "write", fd, data: utf8("x") })).toMatchObject({ ok: true });
    expect(made(l, { call: "fsync", fd })).toBeUndefined();
    expect([at(l, 10 * MS - 1), at(l, 10 * MS)]).toEqual([[], ["1: done"]]);
  });

  test("nobody answers a process that has ended, or one whose machine has lost its power; what it wrote is there", () => {
    const l = slow();
    l.files.attach(2);
    expect([made(l, mkdir("/a")), made(l, mkdir("/b"), 2)]).toEqual([undefined, undefined]);
    l.files.detach(1);
    expect(at(l, 20 * MS)).toEqual(["2: done"]);
    expect(made(l, mkdir("/c"), 2)).toBeUndefined();
    l.files.powerLost();
    expect(at(l, 1_000 * MS)).toEqual([]);
    expect(l.files.root.commitMicros).toBe(10 * MS);
    l.files.attach(3);
    expect(made(l, { call: "stat", path: "/c" }, 3)).toMatchObject({ ok: true });
  });

  test("goes on from a snapshot, and stands in the digest", () => {
    const l = slow();
    const digest = (): string => {
      const h = new Hasher();
      l.files.digest(h);
      return h.hex();
    };
    expect(made(l, mkdir("/a"))).toBeUndefined();
    const [before, state] = [digest(), structuredClone(l.files.snapshot())];
    expect(at(l, 10 * MS)).toEqual(["1: done"]);
    expect(digest()).not.toBe(before);
    l.files.restore(state);
    expect(digest()).toBe(before);
    expect(at(l, 10 * MS)).toEqual(["1: done"]);
  });
});

describe("a shell on a node with a slow disk", () => {
  const world = new World(
    worldDesign(defaultLabFile({ nodes: 1, links: 1, clustered: false, name: "lab", seed: "slow", epoch: "2026-01-01T00:00:00Z" })),
    makeNode,
  );
  waitForBoot(world);
  const device = (fault: "none" | "full", commitMicros: number): void => {
    const act = { kind: "disk-device", fault, commitMicros } as const;
    expect(world.act({ to: "machine", machine: "pve1", act })).toMatchObject({ ok: true });
  };

  async function run(line: string): Promise<{ status: number; stdout: string; stderr: string; tookMs: number }> {
    const port = new WorldPort(world, "pve1");
    const before = world.now;
    let [stdout, stderr] = ["", ""];
    const status = await runLine(port, line, { stdout: (text) => (stdout += text), stderr: (text) => (stderr += text) });
    port.close();
    return { status, stdout, stderr, tookMs: Math.floor((world.now - before) / MS) };
  }

  test("each change of a file takes it as long as the disk needs", async () => {
    expect(await run("echo one > /root/a")).toMatchObject({ status: 0, tookMs: 0 });
    device("none", 250 * MS);
    expect(world.status("pve1").disk).toEqual({ state: "slow", commitUs: 250 * MS, busyUntil: null });
    const one = await run("mkdir /root/d");
    expect(one).toMatchObject({ status: 0, tookMs: 250 });
    expect((await run("mkdir /root/e; mkdir /root/f; mkdir /root/g")).tookMs).toBe(750);
    expect(await run("cat /root/a; ls -d /root/d")).toMatchObject({ status: 0, stdout: "one\n/root/d\n", tookMs: 0 });
    device("none", 0);
    expect(await run("mkdir /root/h")).toMatchObject({ status: 0, tookMs: 0 });
  });

  test("a full one takes nothing more, and says so", async () => {
    device("full", 0);
    const ran = await run("echo two > /root/new");
    expect([ran.status, ran.stderr]).toEqual([1, expect.stringContaining("No space left on device")]);
    device("none", 0);
    expect(await run("echo two > /root/new; cat /root/new")).toMatchObject({ status: 0, stdout: "two\n" });
  });
});
