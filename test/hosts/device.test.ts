// Clusters with a quorum device, its host a process as every node: the same digests in one process, over socket files and over TCP; and the host's process killed.
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, replayWorld, type WorldDesign } from "../../src/engine/world/index.ts";
import { drawSchedule, type FaultSchedule } from "../../src/engine/fuzz/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { buildWorker, type Built } from "./worker-program.ts";
import { startHub, traceOf } from "./worlds.ts";

const FORMED_BY = 30 * SEC;
/** Of the healing; then the device connects again. */
const REST = 15 * SEC;

let program: Built;
let pools: WorkerPool[] = [];

beforeAll(async () => {
  program = await buildWorker();
  pools = await Promise.all([WorkerPool.open({ program, transport: "ipc" }), WorkerPool.open({ program, transport: "tcp" })]);
});

afterAll(async () => {
  for (const pool of pools) await pool.close();
  program.remove();
});

function design(seed: string, nodes: number, links: number): WorldDesign {
  return worldDesign(defaultLabFile({ nodes, links, clustered: true, qdevice: true, name: seed, seed, epoch: "2026-01-01T00:00:00Z" }));
}

const actsOf = (schedule: FaultSchedule) => [...schedule.acts, ...schedule.mends].map(({ at, act }) => ({ at: at + FORMED_BY, act }));

test.each([
  ["arbiter2", 3],
  ["arbiter4", 2],
] as const)(
  "%s, %d nodes and the device's host: the same trace in one process, over ipc and over tcp",
  async (seed, nodes) => {
    const schedule = drawSchedule(seed, { nodes: [nodes, nodes], links: [1, 2], faultsFor: 60 * SEC, qdevice: true });
    const acts = actsOf(schedule);
    const end = (acts.at(-1)?.at ?? 0) + REST;
    const here = new World(design(seed, nodes, schedule.links), makeMachine);
    for (const { at, act } of acts) expect(here.schedule(at, act)).toMatchObject({ ok: true });
    here.runUntil(end);
    expect(here.status("qnetd").qnetd?.clusters.map((c) => c.clients.length)).toEqual([nodes]);
    const there = async (pool: WorkerPool): Promise<unknown> => {
      const { hub, host } = await startHub(design(seed, nodes, schedule.links), { pool });
      try {
        for (const { at, act } of acts) await host.schedule(at, act);
        await host.runUntil(end);
        return traceOf(hub.world);
      } finally {
        await host.close();
      }
    };
    for (const trace of await Promise.all(pools.map(there))) expect(trace).toEqual(traceOf(here));
  },
  300_000,
);

test("the process of the device's host, killed: the nodes lose its vote, have it again when it is back, and the run replays to the same digest", async () => {
  const [pool] = pools;
  if (pool === undefined) throw new Error("no pool");
  const { hub, host } = await startHub(design("killed", 2, 1), { pool });
  const votes = (): (number | undefined)[] => ["pve1", "pve2"].map((name) => hub.world.status(name).quorum?.totalVotes);
  await host.runUntil(FORMED_BY);
  expect(votes()).toEqual([3, 3]);
  const pid = hub.pidOf("qnetd");
  if (pid === undefined) throw new Error("no process runs the device's host");
  const lost = new Promise<string>((done) => hub.attend({ lost: (machine) => done(machine) }));
  process.kill(pid, "SIGKILL");
  expect(await lost).toBe("qnetd");
  await host.runUntil(hub.world.now + 40 * SEC);
  expect(hub.world.status("qnetd")).toMatchObject({ power: "off", worker: "lost", qnetd: null });
  expect(votes()).toEqual([2, 2]);
  expect(await host.act({ to: "machine", machine: "qnetd", act: { kind: "power-on" } })).toMatchObject({ ok: true });
  await host.runUntil(hub.world.now + 40 * SEC);
  expect(votes()).toEqual([3, 3]);
  const end = await host.closeInstant();
  const again = replayWorld(hub.design, makeMachine, hub.world.inputs());
  again.runUntil(end.at);
  expect(again.digest()).toBe(end.digest);
  await host.close();
}, 120_000);
