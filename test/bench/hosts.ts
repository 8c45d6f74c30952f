/**
 * How fast the two hosts are: the pace a lab of processes keeps beside the wall clock, idle and with one sender; events granted a second; messages a second and
 * the time of a delivery. Prints one JSON object. Usage: hosts WORKER-PROGRAM SECONDS SIZES [PART,PART…] with the parts pace, granted and messages. Run by scripts/bench.mjs, in a
 * process of its own.
 */
import { readFileSync } from "node:fs";
import { setTimeout as wallMs } from "node:timers/promises";
import { Hub } from "../../src/engine/host/hub.ts";
import { LiveHost, UnpacedHost, unpaced, type HostKind } from "../../src/engine/host/index.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { standingAt, World, type MachineFactory, type WorldSnapshot } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { sendingNodes, type Traffic } from "./sender.ts";

const [workerProgram = "", secondsWord = "60", sizesWord = "3,8,16,32", partsWord = "pace,granted,messages"] = process.argv.slice(2);
const seconds = Number(secondsWord);
const sizes = sizesWord.split(",").map(Number);
const parts = new Set(partsWord.split(","));
/** Shortly before the sender begins. */
const formedAt = 174 * SEC;
const sendingAt = 176 * SEC;
/** Where the sender that never rests is measured from: what it sends before is work for nothing. */
const floodingAt = 175 * SEC + 20_000;
/** Wall time of one unpaced measurement. */
const roundMs = 3_000;

const noTraffic = (): Pick<Traffic, "sent" | "delivered" | "refused"> => ({ sent: 0, delivered: 0, refused: 0 });
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

function designOf(nodes: number): World["design"] {
  const seed = `bench-${nodes}`;
  return worldDesign(defaultLabFile({ nodes, links: 1, clustered: true, name: "bench", seed, epoch: "2026-01-01T00:00:00Z" }));
}

const formed = new Map<string, WorldSnapshot>();

/** The cluster of `nodes`, formed, with the program on them that is going to send. */
function formedState(nodes: number, traffic: Traffic | undefined): WorldSnapshot {
  const key = `${nodes} ${traffic === undefined ? "idle" : (traffic.only ?? "all")}`;
  const known = formed.get(key);
  if (known !== undefined) return known;
  const world = new World(designOf(nodes), machines(traffic));
  world.runUntil(formedAt);
  const whole = world.statuses().every((s) => s.quorum?.quorate === true && s.corosync?.members.length === nodes);
  if (!whole) throw new Error(`${nodes} nodes did not form a cluster in ${formedAt / SEC} virtual seconds`);
  const state = world.snapshot();
  formed.set(key, state);
  return state;
}

const machines = (traffic: Traffic | undefined): MachineFactory => (traffic === undefined ? makeNode : sendingNodes(traffic));

function here(nodes: number, traffic: Traffic | undefined): UnpacedHost {
  const world = new World(designOf(nodes), machines(traffic));
  world.restore(formedState(nodes, traffic));
  return unpaced(world);
}

/** Lets `work` have the same on workers. */
async function there<T>(nodes: number, traffic: Traffic | undefined, work: (hub: Hub, pool: WorkerPool) => Promise<T>): Promise<T> {
  if (traffic === undefined) delete process.env["QUORATE_BENCH_TRAFFIC"];
  else process.env["QUORATE_BENCH_TRAFFIC"] = JSON.stringify(traffic);
  const pool = await WorkerPool.open({ program: { file: workerProgram, execArgv: [] } });
  try {
    const hub = await Hub.start(designOf(nodes), { pool, snapshot: formedState(nodes, traffic), makeMachine: machines(traffic) });
    const result = await work(hub, pool);
    await hub.close();
    return result;
  } finally {
    await pool.close();
  }
}

/** Processor time of a process so far, ms; NaN where the system does not tell. */
function processorMs(pid: number): number {
  try {
    const fields = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return NaN;
  }
}

interface Case {
  nodes: number;
  load: "idle" | "sender";
}

/** A lab beside the wall clock: at a speed, and with somebody who looks on or nobody. */
interface PacedCase extends Case {
  speed: number;
  watched: boolean;
}

const oneSender = (): Traffic => ({ ...noTraffic(), every: 10_000, bytes: 1_024, only: "pve1" });

/** Virtual over wall time, as a part of the speed that is asked for, and what it costs the hub and its workers together. */
async function pace({ nodes, load, speed, watched }: PacedCase): Promise<object> {
  return there(nodes, load === "idle" ? undefined : oneSender(), async (hub, pool) => {
    await new UnpacedHost(hub).runUntil(sendingAt);
    const host = new LiveHost(hub, { speed });
    host.watched(watched);
    // What starting costs is not what running costs.
    await wallMs(3000);
    const cost = (): number => [process.pid, ...pool.pids].reduce((sum, pid) => sum + processorMs(pid), 0);
    const [at, began, used] = [await host.catchUp(), performance.now(), cost()];
    await wallMs(seconds * 1000);
    const ms = performance.now() - began;
    const result = {
      nodes,
      load,
      speed,
      watched,
      pace: ((await host.catchUp()) - at) / 1000 / (performance.now() - began) / speed,
      processorPercent: ((cost() - used) / ms) * 100,
    };
    await host.close();
    return result;
  });
}

async function timed(host: UnpacedHost, slice: number): Promise<{ virtualUs: number; ms: number; events: number }> {
  const { world } = host;
  const [at, events, began] = [world.now, world.events, performance.now()];
  while (performance.now() - began < roundMs) await host.follow(standingAt(world.now + slice));
  // What is not confirmed has not been granted.
  await host.driver.whenConfirmed();
  return { virtualUs: world.now - at, ms: performance.now() - began, events: world.events - events };
}

/** Events confirmed a wall second, and the processor time of an event in the hub and in all workers together, µs. */
async function granted({ nodes, load }: Case): Promise<object> {
  return there(nodes, load === "idle" ? undefined : oneSender(), async (hub, pool) => {
    const host = new UnpacedHost(hub);
    await host.runUntil(sendingAt);
    const cost = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + processorMs(pid), 0);
    // What starting costs is not what running costs: a process that has just begun compiles most of what it runs.
    await timed(host, SEC / 10);
    const before = [cost([process.pid]), cost(pool.pids)] as const;
    const { virtualUs, ms, events } = await timed(host, SEC / 10);
    const us = (now: number, then: number): number => ((now - then) * 1000) / events;
    return {
      nodes,
      load,
      eventsPerSecond: (events / ms) * 1000,
      virtualPerWall: virtualUs / 1000 / ms,
      hubMicros: us(cost([process.pid]), before[0]),
      workerMicros: us(cost(pool.pids), before[1]),
    };
  });
}

/** One sender that sends as fast as it may, then one that sends now and then on an idle ring. */
async function messages({ host: kind, bytes }: { host: HostKind; bytes: number }): Promise<object> {
  const own = (): Required<Traffic>["own"] => ({ count: 0, virtualUs: [], wallUs: [] });
  const flood: Traffic = { ...noTraffic(), every: 200, bytes, only: "pve1", burst: 64, own: own() };
  const seldom: Traffic = { ...noTraffic(), every: 250_000, bytes, only: "pve1", own: own() };
  const on = <T>(traffic: Traffic, work: (host: UnpacedHost) => Promise<T>): Promise<T> =>
    kind === "inprocess" ? work(here(3, traffic)) : there(3, traffic, (hub) => work(new UnpacedHost(hub)));
  const rate = await on(flood, async (host) => {
    await host.follow(standingAt(floodingAt));
    const before = flood.own?.count ?? 0;
    const { virtualUs, ms } = await timed(host, SEC / 1000);
    const count = (flood.own?.count ?? 0) - before;
    return { perVirtualSecond: (count * SEC) / virtualUs, perSecond: (count * 1000) / ms };
  });
  await on(seldom, (host) => host.follow(standingAt(sendingAt + 10 * SEC)));
  return { host: kind, bytes, ...rate, latencyUs: median(seldom.own?.virtualUs ?? []), wallUs: median(seldom.own?.wallUs ?? []) };
}

async function inOrder<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  if (!parts.has(work.name)) return results;
  for (const item of items) {
    results.push(await work(item));
    console.error(`${work.name}: ${JSON.stringify(results.at(-1))}`);
  }
  return results;
}

const loads = ["idle", "sender"] as const;
const cases = sizes.flatMap((nodes) => loads.map((load) => ({ nodes, load })));
const paced: readonly PacedCase[] = [
  ...cases.map((c) => ({ ...c, speed: 1, watched: c.load === "sender" })),
  ...sizes.map((nodes) => ({ nodes, load: "idle" as const, speed: 1, watched: true })),
  ...sizes.filter((nodes) => nodes === 3).map((nodes) => ({ nodes, load: "idle" as const, speed: 100, watched: true })),
  ...sizes.filter((nodes) => nodes === 16).map((nodes) => ({ nodes, load: "idle" as const, speed: 10, watched: true })),
];
const kinds = (["inprocess", "workers"] as const).flatMap((host) => [64, 1_024, 16_384].map((bytes) => ({ host, bytes })));
const result = {
  pace: await inOrder(paced, pace),
  granted: await inOrder(cases, granted),
  messages: await inOrder(kinds, messages),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
