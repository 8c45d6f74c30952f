// A worker that dies in the middle of putting its node's commits on the disk. Where the hub goes on, it writes what the worker had not confirmed, and the disk is what the
// node had in mind. Where the hub dies with it, the disk is what had been told, cut at that instant: nothing that was told is missing, and nothing is there by half.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { AllDisks, NodeDisks } from "../../src/engine/host/disk/node-disks.ts";
import { imageDigest } from "../../src/engine/host/disk/rows.ts";
import { Hub } from "../../src/engine/host/hub.ts";
import { UnpacedHost, type DiskDifference } from "../../src/engine/host/index.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { SEC, type DiskContents, type Instant } from "../../src/engine/kernel/index.ts";
import type { World, WorldAct } from "../../src/engine/world/index.ts";
import { buildProgram, type Built } from "./worker-program.ts";
import { clusterDesign, worldHere } from "./worlds.ts";

const POINTS = ["computed", "contents", "half", "committed", "applying"] as const;
/** Which of the times that a worker comes to the point. */
const TIMES = [1, 7];
const LATER = 7;
const FILES = 40;

let program: Built;
let dir: string;
let pool: WorkerPool;
let disks: NodeDisks;

beforeAll(async () => {
  program = await buildProgram("test/hosts/dying-worker.ts");
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "quorate-killed-"));
  disks = new NodeDisks(dir);
  pool = await WorkerPool.open({ program });
});
afterEach(async () => {
  delete process.env["QUORATE_TEST_DIE"];
  await pool.close();
  disks.close();
  rmSync(dir, { recursive: true });
});
afterAll(() => program.remove());

const pathOf = (i: number): string => `/srv/file-${i}`;
/** More than a piece of contents now and then. */
const dataOf = (i: number): Uint8Array => new Uint8Array(i % 5 === 0 ? 70_000 : 10).fill(i);
const writing = (i: number): WorldAct => ({
  to: "machine",
  machine: "pve1",
  act: { kind: "file-write", path: pathOf(i), data: dataOf(i), append: false },
});

const contentsOf = (world: World): DiskContents => {
  const machine = world.machineAt(0);
  if (machine === undefined) throw new Error("no machine 0");
  return machine.diskImage();
};

interface Ran {
  readonly host: UnpacedHost;
  readonly world: World;
  readonly lost: readonly string[];
  readonly differences: readonly DiskDifference[];
  /** Files that somebody was told of, and the instant and disk of the last time. */
  readonly told: number;
  readonly released: Instant;
  readonly disk: DiskContents;
}

/** Writes file after file, each told once it is confirmed, until the worker of the node is lost. */
async function writeUntilLost(point: string, count: number, hubWrites: boolean): Promise<Ran> {
  process.env["QUORATE_TEST_DIE"] = `${point} ${count}`;
  const design = clusterDesign("killed", 2);
  const start = worldHere(design);
  start.runUntil(25 * SEC);
  const hub: Hub = await Hub.start(design, {
    pool,
    snapshot: start.snapshot(),
    diskDir: dir,
    ...(hubWrites ? { disks: new AllDisks(disks, (name) => hub.world.numberOf(name), true) } : {}),
  });
  delete process.env["QUORATE_TEST_DIE"];
  const [lost, differences]: [string[], DiskDifference[]] = [[], []];
  hub.attend({ lost: (machine, why) => lost.push(`${machine} ${why}`), disk: (_machine, difference) => differences.push(difference) });
  const host = new UnpacedHost(hub, { lead: SEC });
  let [told, released, disk] = [0, hub.world.now, contentsOf(hub.world)];
  for (let i = 1; i <= FILES && lost.length === 0; i++) {
    await host.act(writing(i));
    const [at, now] = [hub.world.now, contentsOf(hub.world)];
    await hub.whenConfirmed();
    // What is confirmed because the hub wrote it is told as well; without its disks nobody is told any more.
    if (lost.length > 0 && !hubWrites) break;
    [told, released, disk] = [i, at, now];
    await host.runUntil(hub.world.now + SEC / 4);
  }
  return { host, world: hub.world, lost, differences, told, released, disk };
}

const cases = POINTS.flatMap((point) => TIMES.map((count) => [point, count] as const));

test.each(cases.filter(([, count]) => count === LATER))(
  "a worker that dies at %s, the %dth time: the hub writes the rest, and the node boots from all of it",
  async (point, count) => {
    const ran = await writeUntilLost(point, count, true);
    expect([ran.lost, ran.world.status("pve1").power]).toEqual([["pve1 was ended by SIGKILL"], "off"]);
    expect(imageDigest(disks.of(0).current())).toBe(imageDigest(contentsOf(ran.world).image));
    disks.release(0);
    await ran.host.act({ to: "machine", machine: "pve1", act: { kind: "power-on" } });
    await ran.host.runUntil(ran.world.now + 20 * SEC);
    // The disk was what the node had in mind, so that nothing about it had to be recorded.
    expect(ran.differences).toEqual([]);
    expect(ran.world.status("pve1").units["corosync"]).toBe("active");
    expect(ran.told).toBeGreaterThanOrEqual(1);
    for (let i = 1; i <= ran.told; i++)
      expect(ran.world.query("pve1", { kind: "file-read", path: pathOf(i) })).toEqual({ kind: "file", data: dataOf(i) });
    await ran.host.close();
  },
);

test.each(cases)("a worker that dies at %s, the %dth time, and the hub with it: the disk is what had been told", async (point, count) => {
  const ran = await writeUntilLost(point, count, false);
  expect(ran.lost).toEqual(["pve1 was ended by SIGKILL"]);
  // What the hub does to its machines from here on reaches no disk.
  disks.contents.release(ran.released, new Map([[0, ran.disk.image.seq]]));
  const cut = disks.toldCut();
  const found = disks.look(0, cut.until(0), ran.disk, cut.seq(0));
  expect(found).toEqual({ found: "same" });
  for (const { inode } of ran.disk.image.inodes)
    for (const hash of inode.chunks ?? []) if (!hash.startsWith("-")) expect(disks.contents.get(hash)).toEqual(ran.disk.chunks.get(hash));
  // Nothing of what was not told is left for later.
  expect(imageDigest(disks.of(0).current())).toBe(imageDigest(ran.disk.image));
  await ran.host.close();
});
