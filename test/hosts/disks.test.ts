// Commits of machines' disks: with the worker's disk before it confirms them, with the hub's for a worker that is gone, each once, in their order, and none is missing.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { DiskSink } from "../../src/engine/host/disk-sink.ts";
import { InProcessDriver, UnpacedHost } from "../../src/engine/host/index.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { standingAt, World } from "../../src/engine/world/index.ts";
import { makeCommitter } from "./committer.ts";
import { talkers } from "./talker.ts";
import { buildProgram, type Built } from "./worker-program.ts";
import { startHub } from "./worlds.ts";

/** A disk in memory: what the hub writes. */
class MemoryDisks implements DiskSink {
  readonly written = new Map<string, number[]>();
  readonly upTo = new Map<string, number>();

  write(machine: string, commits: Parameters<DiskSink["write"]>[1]): void {
    this.written.set(machine, [...this.of(machine), ...commits.map(({ commit }) => commit.seq)]);
  }

  confirmed(machine: string, until: number): void {
    this.upTo.set(machine, until);
  }

  of(machine: string): readonly number[] {
    return this.written.get(machine) ?? [];
  }
}

const write = { to: "machine", machine: "m2", act: { kind: "file-write", path: "/x", data: new Uint8Array([1]), append: false } } as const;
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

let program: Built;
let pool: WorkerPool;
let dir = "";

beforeAll(async () => {
  program = await buildProgram("test/hosts/committing-worker.ts");
});

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "quorate-disks-"));
  process.env["QUORATE_TEST_DISKS"] = dir;
  pool = await WorkerPool.open({ program });
});

afterEach(async () => {
  await pool.close();
  delete process.env["QUORATE_TEST_DISKS"];
  rmSync(dir, { recursive: true });
});

afterAll(() => program.remove());

/** What the worker has on its disk. */
function onDisk(machine: string): number[] {
  const path = join(dir, machine);
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n").map(Number.parseFloat) : [];
}

function committed(world: World): Map<string, number> {
  const counts = new Map<string, number>();
  world.watch({
    effect: (_at, machine, effect) => {
      if (effect.kind === "commit") counts.set(world.nameOf(machine), effect.commit.seq);
    },
  });
  return counts;
}

test("what is confirmed is on the worker's disk", async () => {
  const { hub, host } = await startHub(talkers(3, "disks"), { pool, makeMachine: makeCommitter });
  const counts = committed(hub.world);
  for (let i = 1; i <= 10; i++) {
    await host.act(write);
    await hub.whenConfirmed();
    for (const name of hub.world.names) expect(onDisk(name)).toEqual(count(counts.get(name) ?? 0));
    await host.follow(standingAt(hub.world.now + 20 * MS));
  }
  await hub.whenConfirmed();
  for (const name of hub.world.names) expect(onDisk(name)).toEqual(count(counts.get(name) ?? 0));
  expect(counts.get("m2")).toBeGreaterThan(15);
  // A worker hears what all have confirmed, never more.
  const heard = readFileSync(join(dir, "m1.confirmed"), "utf8").trimEnd().split("\n").map(Number);
  expect(heard).toEqual([...heard].sort((a, b) => a - b));
  expect(heard.at(-1)).toBeLessThanOrEqual(hub.confirmed);
  await host.close();
});

test.each(["power-cut", "killed"] as const)(
  "of a worker that is %s while it is held back, the hub writes what was not confirmed",
  async (how) => {
    const disks = new MemoryDisks();
    const { hub, host, lost } = await startHub(talkers(3, "lost"), { pool, makeMachine: makeCommitter, disks });
    const counts = committed(hub.world);
    await host.runUntil(SEC / 10);
    const pid = hub.pidOf("m2") ?? 0;
    const before = onDisk("m2");
    process.kill(pid, "SIGSTOP");
    await host.act(write);
    await host.follow(standingAt(hub.world.now + 50 * MS));
    let told = false;
    const confirmed = hub.whenConfirmed().then(() => (told = true));
    await wallMs(100);
    expect([told, disks.of("m2"), onDisk("m2")]).toEqual([false, [], before]);
    const seq = counts.get("m2") ?? 0;
    expect(seq).toBeGreaterThan(before.length + 1);

    if (how === "killed") process.kill(pid, "SIGKILL");
    else await host.act({ to: "machine", machine: "m2", act: { kind: "power-cut" } });
    await confirmed;
    await hub.whenConfirmed();
    // All it had not confirmed, of which it may have written some itself.
    const all = [...onDisk("m2"), ...disks.of("m2")];
    expect([...new Set(all)].sort((a, b) => a - b)).toEqual(count(seq));
    expect(disks.of("m2")).toEqual(count(seq).slice(before.length));
    expect(lost).toEqual(how === "killed" ? ["m2 was ended by SIGKILL"] : []);
    expect([disks.of("m1"), disks.of("m3")]).toEqual([[], []]);
    await host.close();
  },
);

test("where there are no workers they are written as the world moves", async () => {
  const disks = new MemoryDisks();
  const world = new World(talkers(3, "here"), makeCommitter);
  const counts = committed(world);
  const host = new UnpacedHost(new InProcessDriver(world, disks));
  await host.act(write);
  expect(disks.of("m2")).toEqual([1]);
  await host.follow(standingAt(SEC / 5));
  for (const name of world.names) expect(disks.of(name)).toEqual(count(counts.get(name) ?? 0));
  expect(disks.upTo.get("m2")).toBe(SEC / 5);
});
