// Workers that die or fall silent, hubs that die, strangers at the door: the lab says so, the cluster does what a cluster does, and nothing stays behind.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dealer } from "zeromq";
import { LabFault, type Hub } from "../../src/engine/host/hub.ts";
import type { UnpacedHost } from "../../src/engine/host/index.ts";
import { pack, type Answer } from "../../src/engine/host/wire.ts";
import { WorkerPool } from "../../src/engine/host/worker-pool.ts";
import { MS, Rng, SEC } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { replayWorld, type World, type WorldAct } from "../../src/engine/world/index.ts";
import { newMachine } from "../../src/main/lab/act/addresses.ts";
import { notOneRing } from "../../src/engine/world/checkers/index.ts";
import { buildProgram, buildWorker, type Built } from "./worker-program.ts";
import { clusterDesign, startHub, worldHere } from "./worlds.ts";

/** `npm run nightly` has longer runs. */
const LONG = process.env["QUORATE_LONG"] === "1";
const KILLS = LONG ? 200 : 5;
const CYCLES = LONG ? 100 : 5;
const HUB_KILLS = LONG ? 20 : 2;

/** Gather, commit and recovery are quick beside the time-outs that lead there. */
const REFORM_WORK = SEC;
/** From the power button to one ring with the others: boot, units, links, a gather. */
const BOOT_MOST = 60 * SEC;

let program: Built;
let pool: WorkerPool;

beforeAll(async () => {
  program = await buildWorker();
  pool = await WorkerPool.open({ program });
});

afterAll(async () => {
  await pool.close();
  program.remove();
});

const powerOn = (machine: string): WorldAct => ({ to: "machine", machine, act: { kind: "power-on" } });

async function formedHub(seed: string, from: WorkerPool = pool): ReturnType<typeof startHub> {
  const design = clusterDesign(seed, 3);
  const world = worldHere(design);
  world.runUntil(30 * SEC);
  return startHub(design, { pool: from, snapshot: world.snapshot() });
}

/** Runs until `holds`, looked at every tenth of a second. Returns how long it took, or undefined. */
async function runUntilHolds(host: UnpacedHost, most: number, holds: (world: World) => boolean): Promise<number | undefined> {
  const { world } = host;
  const start = world.now;
  while (world.now - start <= most) {
    if (holds(world)) return world.now - start;
    await host.runUntil(world.now + SEC / 10);
  }
  return undefined;
}

/** The others notice at the latest a token time-out later, and give the lost one up a consensus time-out after that. */
function reformMost(world: World, name: string): number {
  const token = world.status(name).corosync?.token;
  if (token === undefined) throw new Error(`${name} runs no corosync`);
  return (token.tokenTimeoutMs + token.consensusMs) * MS + REFORM_WORK;
}

const membersOf = (world: World, name: string): string => world.status(name).corosync?.members.join(" ") ?? "";
const operational = (world: World, name: string): boolean => world.status(name).corosync?.state === "operational";

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits, at most `most` wall ms. True when it holds. */
async function soon(holds: () => boolean, most: number): Promise<boolean> {
  for (let waited = 0; waited <= most; waited += 20) {
    if (holds()) return true;
    await wallMs(20);
  }
  return holds();
}

test(`a worker killed at ${KILLS} random moments: told, re-formed, booted again, and replayed to the same digest`, async () => {
  const rng = Rng.from("kills", "moments");
  const { hub, host, lost } = await formedHub("kills");
  const start = hub.world.snapshot();
  for (let i = 0; i < KILLS; i++) {
    const victim = rng.pick(hub.world.names);
    const others = hub.world.names.filter((name) => name !== victim);
    const [pid, before] = [pidOf(hub, victim), lost.length];
    // While time runs, at a moment of the wall clock: in a stretch, between two, or while nothing happens.
    setTimeout(() => process.kill(pid, "SIGKILL"), rng.between(0, 40));
    for (const end = Date.now() + 5000; lost.length === before && Date.now() < end;) await host.runUntil(hub.world.now + SEC / 10);
    expect(lost.slice(before)).toEqual([`${victim} was ended by SIGKILL`]);
    const loss = hub.world.inputs().at(-1);
    expect(loss?.act).toEqual({ to: "machine", machine: victim, act: { kind: "worker-lost" } });
    expect(hub.world.status(victim)).toMatchObject({ power: "off", worker: "lost" });

    const ids = others.map((name) => String(hub.world.names.indexOf(name) + 1)).join(" ");
    const most = reformMost(hub.world, others[0] ?? "");
    const reformed = await runUntilHolds(host, most - (hub.world.now - (loss?.at ?? 0)), (world) =>
      others.every((name) => operational(world, name) && membersOf(world, name) === ids),
    );
    expect(reformed).not.toBeUndefined();

    expect(await host.act(powerOn(victim))).toMatchObject({ ok: true });
    expect(hub.world.status(victim).worker).toBe("alive");
    expect(pidOf(hub, victim)).not.toBe(pid);
    expect(await runUntilHolds(host, BOOT_MOST, (world) => notOneRing(world.statuses()) === undefined)).not.toBeUndefined();
  }
  const end = await host.closeInstant();
  const again = worldHere(hub.design);
  again.restore(start);
  for (const input of hub.world.inputs()) again.schedule(input.at, input.act);
  again.runUntil(end.at);
  expect(again.digest()).toBe(end.digest);
  // Also from the very beginning, by the inputs alone.
  const replayed = replayWorld(hub.design, makeNode, hub.world.inputs());
  replayed.runUntil(end.at);
  expect(replayed.digest()).toBe(end.digest);
  await host.close();
}, 3_600_000);

function pidOf(hub: Hub, machine: string): number {
  const pid = hub.pidOf(machine);
  if (pid === undefined) throw new Error(`no process runs ${machine}`);
  return pid;
}

describe("a worker", () => {
  test("that stops answering is given up, and its process ended", async () => {
    const impatient = await WorkerPool.open({ program, silentMs: 3_000 });
    const { hub, host, lost } = await formedHub("silent", impatient);
    const pid = pidOf(hub, "pve2");
    process.kill(pid, "SIGSTOP");
    // The hub is ahead of the silent one meanwhile; its machine loses its power where the hub stands when it is given up.
    await host.runUntil(hub.world.now + SEC);
    expect(lost).toEqual(["pve2 does not answer"]);
    expect(alive(pid)).toBe(false);
    expect(hub.world.inputs().at(-1)).toEqual({ at: hub.world.now, act: { to: "machine", machine: "pve2", act: { kind: "worker-lost" } } });
    await host.runUntil(hub.world.now + 10 * SEC);
    expect(membersOf(hub.world, "pve1")).toBe("1 3");
    await host.close();
    await impatient.close();
  });

  test("that dies while time stands is told at once", async () => {
    const { hub, host, lost } = await formedHub("standing");
    const before = hub.world.now;
    process.kill(pidOf(hub, "pve3"), "SIGKILL");
    expect(await soon(() => hub.world.status("pve3").worker === "lost", 5000)).toBe(true);
    expect([lost, hub.world.now]).toEqual([["pve3 was ended by SIGKILL"], before]);
    await host.close();
  });

  test("is really killed by a power cut, and a new one boots from the disk", async () => {
    const { hub, host, lost } = await formedHub("power");
    const pid = pidOf(hub, "pve1");
    const note = { kind: "file-write", path: "/root/note", data: new Uint8Array([1, 2, 3]), append: false } as const;
    await host.act({ to: "machine", machine: "pve1", act: note });
    await host.act({ to: "machine", machine: "pve1", act: { kind: "power-cut" } });
    // It is confirmed when the process has really ended.
    await hub.whenConfirmed();
    expect(alive(pid)).toBe(false);
    expect(hub.world.status("pve1")).toMatchObject({ power: "off", worker: "alive" });
    await host.runUntil(hub.world.now + SEC);
    await host.act(powerOn("pve1"));
    await host.runUntil(hub.world.now + 10 * SEC);
    await hub.whenConfirmed();
    expect(hub.world.query("pve1", { kind: "file-read", path: "/root/note" })).toEqual({ kind: "file", data: new Uint8Array([1, 2, 3]) });
    expect(lost).toEqual([]);
    await host.close();
  });

  test("that does not come up for a machine switched on, or plugged in, at a set instant: the machine is lost and the lab goes on", async () => {
    const fails = { ...program };
    const own = await WorkerPool.open({ program: fails });
    const { hub, host, lost } = await formedHub("set", own);
    await host.act({ to: "machine", machine: "pve3", act: { kind: "power-cut" } });
    expect(await soon(() => own.pids.length === 2, 2000)).toBe(true);
    fails.file = "/nowhere/worker.js";
    const nics = [{ name: "eno1", net: "net0", address: "10.0.0.14", prefix: 24 }];
    const pve4 = newMachine(hub.design, "pve4", nics, "node");
    await host.schedule(hub.world.now + SEC, powerOn("pve3"));
    await host.schedule(hub.world.now + 2 * SEC, { to: "lab", act: { kind: "machine-add", machine: pve4 } });
    await host.runUntil(hub.world.now + 10 * SEC);
    const why = "a worker did not start: it ended with status 1";
    expect(lost).toEqual([`pve3 ${why}`, `pve4 ${why}`]);
    for (const name of ["pve3", "pve4"]) expect(hub.world.status(name)).toMatchObject({ power: "off", worker: "lost" });
    expect(membersOf(hub.world, "pve1")).toBe("1 2");
    await expect(host.act(powerOn("pve3"))).rejects.toThrow(why);

    fails.file = program.file;
    for (const name of ["pve3", "pve4"]) expect(await host.act(powerOn(name))).toMatchObject({ ok: true });
    const back = await runUntilHolds(
      host,
      BOOT_MOST,
      (world) => membersOf(world, "pve1") === "1 2 3" && membersOf(world, "pve3") === "1 2 3",
    );
    expect(back).not.toBeUndefined();
    expect(hub.world.status("pve4")).toMatchObject({ power: "on", worker: "alive" });
    const end = await host.closeInstant();
    const replayed = replayWorld(hub.design, makeNode, hub.world.inputs());
    replayed.runUntil(end.at);
    expect(replayed.digest()).toBe(end.digest);
    await host.close();
    await own.close();
  }, 60_000);

  test("that is told what it does not understand says so, at once, and goes on", async () => {
    const worker = await pool.hire();
    const began = process.hrtime.bigint();
    const [design] = clusterDesign("refused", 1).machines;
    const facts = { seed: "s", epochUnixMicros: 0 };
    // A design that boots for half a microsecond, and one that is none at all.
    for (const wrong of [{ ...design, boot: 0.5 }, {}])
      expect(await worker.ask({ ask: "begin", facts, design: wrong } as unknown as Parameters<typeof worker.ask>[0])).toBeUndefined();
    const told: string[] = [];
    worker.employ({ confirmed: () => undefined, gone: () => undefined, failed: (message) => told.push(message) });
    worker.follow({ ask: "stretch", inputs: [{ at: 1, act: { kind: "rm-rf" } }] } as unknown as Parameters<typeof worker.follow>[0]);
    expect(await soon(() => told.length > 0, 5000)).toBe(true);
    expect(told).toEqual(["refused what it was told: sequence: is missing"]);
    expect(Number(process.hrtime.bigint() - began) / 1e9).toBeLessThan(5);
    expect(worker.gone).toBeUndefined();
    worker.kill();
  });

  test("that does not do what the node here does stops the lab, which says so", async () => {
    const design = clusterDesign("difference", 3);
    const world = worldHere(design);
    world.runUntil(30 * SEC);
    // The nodes here come from another seed than their processes know: their generators draw something else.
    const { hub, host } = await startHub(design, {
      pool,
      makeMachine: (facts, machine) => makeNode({ ...facts, seed: machine.name === "pve2" ? "another" : facts.seed }, machine),
    });
    const faults: unknown[] = [];
    hub.attend({ broken: (error) => faults.push(error) });
    await expect(host.runUntil(30 * SEC)).rejects.toThrow(/^pve2: its process /);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toBeInstanceOf(LabFault);
    await expect(host.act(powerOn("pve1"))).rejects.toThrow("pve2: its process");
    await expect(hub.whenConfirmed()).rejects.toThrow("pve2: its process");
    await host.close();
  });
});

describe("at the hub's door", () => {
  test("who does not know the secret is not heard, nor what is no message; each is counted", async () => {
    const own = await WorkerPool.open({ program, transport: "ipc" });
    const { hub, host, lost } = await formedHub("door", own);
    const stranger = new Dealer({ linger: 0 });
    stranger.connect(own.address);
    const before = own.dropped;
    const messages = [
      pack({ say: "hello", run: "0123456789abcdef", secret: "x".repeat(32), worker: 1 }),
      pack({ say: "confirm", sequence: 1, digest: [0, 0] } satisfies Answer),
      Buffer.from("no message at all"),
      Buffer.alloc(0),
      pack({ ask: "bye" }),
    ];
    for (const message of messages) await stranger.send(message);
    await stranger.send([Buffer.from("two"), Buffer.from("frames")]);
    expect(await soon(() => own.dropped === before + messages.length + 1, 5000)).toBe(true);
    const digest = hub.world.digest();
    await host.runUntil(hub.world.now + SEC);
    expect(hub.world.digest()).not.toBe(digest);
    expect(lost).toEqual([]);
    stranger.close();
    await host.close();
    await own.close();
  });

  test("on a port, who does not know the hub's key gets no message through at all, however long", async () => {
    const own = await WorkerPool.open({ program, transport: "tcp" });
    const { hub, host, lost } = await formedHub("port", own);
    const stranger = new Dealer({ linger: 0, sendTimeout: 0 });
    const monitor = (async () => {
      for await (const event of stranger.events) if (event.type.startsWith("handshake:error")) return event.type;
      return undefined;
    })();
    stranger.connect(own.address);
    // What does not even leave is refused here; what leaves must not arrive.
    await Promise.allSettled(Array.from({ length: 50 }, () => stranger.send(Buffer.alloc(1 << 20))));
    expect(await monitor).toMatch(/^handshake:error/);
    await host.runUntil(hub.world.now + SEC);
    expect([own.dropped, lost]).toEqual([0, []]);
    stranger.close();
    await host.close();
    await own.close();
  });

  test("a worker's program that is started by hand says so and ends", () => {
    const ran = spawnSync(process.execPath, [program.file], { encoding: "utf8" });
    expect([ran.status, ran.stderr]).toEqual([2, "quorate: this program is started by a lab, not by hand\n"]);
  });

  test("a worker whose lab is gone before it has its orders ends at once", async () => {
    for (const afterMs of [0, 20, 60, 120, 250]) {
      const child = fork(program.file, { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
      await wallMs(afterMs);
      child.disconnect();
      expect(await ended(child)).toBe(0);
    }
  }, 60_000);

  test("a program that is no worker does not start a lab", async () => {
    const wrong = await WorkerPool.open({ program: { file: "/nowhere/worker.js", execArgv: [] } });
    await expect(startHub(clusterDesign("nowhere", 3), { pool: wrong })).rejects.toThrow(/did not start: it ended with status 1/);
    await wrong.close();
    expect(wrong.pids).toEqual([]);
  });
});

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("exit", (status) => resolve(status)));
}

describe("when the hub ends", () => {
  test(`no process and no socket is left: ${CYCLES} times up and down`, async () => {
    for (let i = 0; i < CYCLES; i++) {
      const own = await WorkerPool.open({ program });
      const { hub, host } = await startHub(clusterDesign(`updown${i}`, 3), { pool: own });
      const pids = own.pids;
      expect(pids).toHaveLength(3);
      await host.runUntil(hub.world.now + SEC);
      await host.close();
      await own.close();
      expect(await soon(() => !pids.some(alive), 2000)).toBe(true);
      expect(existsSync(dirname(own.address.slice("ipc://".length)))).toBe(false);
    }
  }, 1_200_000);

  test(`by SIGKILL or SIGTERM, ${HUB_KILLS} times, its workers end within two seconds and the socket goes with them`, async () => {
    const hubProgram = await buildProgram("test/hosts/hub-process.ts");
    try {
      for (let i = 0; i < HUB_KILLS; i++) {
        const child = fork(hubProgram.file, [program.file], { execArgv: [], stdio: ["ignore", "inherit", "inherit", "ipc"] });
        const told = await new Promise<{ pids: number[]; address: string }>((resolve) =>
          child.once("message", (message) => resolve(message as { pids: number[]; address: string })),
        );
        expect(told.pids.filter(alive)).toHaveLength(3);
        child.kill(i % 2 === 0 ? "SIGKILL" : "SIGTERM");
        await ended(child);
        expect(await soon(() => !told.pids.some(alive), 2000)).toBe(true);
        expect(await soon(() => !existsSync(dirname(told.address.slice("ipc://".length))), 2000)).toBe(true);
      }
    } finally {
      hubProgram.remove();
    }
  }, 600_000);
});
