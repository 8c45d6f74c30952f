// The hub of a world whose nodes are followed by processes: it goes the same way as a world in one process, by whatever steps; and it is never further ahead than its lead.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wallMs } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { makeEndpoint, removeEndpoint } from "../../src/engine/host/endpoint.ts";
import { MS, SEC } from "../../src/engine/kernel/index.ts";
import { standingAt, type Input, type Plan, type World } from "../../src/engine/world/index.ts";
import { bothPools, schedules } from "./schedules.ts";
import { clusterDesign, scheduleFor, startHub, traceOf, worldHere } from "./worlds.ts";

const poolOf = bothPools();

/** What a fault is, in a word or two. */
const sortOf = ({ act }: Input): string => (act.act.kind === "service" ? `service ${act.act.op}` : act.act.kind);

test("the schedules have every kind of fault", () => {
  const sorts = new Set(schedules.flatMap(([seed, nodes]) => scheduleFor(seed, nodes).acts.map(sortOf)));
  for (const sort of ["link-cut", "link-set", "link-heal", "partition", "switch", "heal", "power-cut", "shutdown", "reboot", "power-on"])
    expect([sort, sorts.has(sort)]).toEqual([sort, true]);
  for (const sort of ["stall", "resume", "service-stall", "service-resume", "service stop", "service kill", "service restart"])
    expect([sort, sorts.has(sort)]).toEqual([sort, true]);
});

function* events(count: number): Plan<void> {
  for (let i = 0; i < count; i++) yield "event";
}

function* windows(world: World, count: number): Plan<void> {
  for (let i = 0; i < count; i++) yield world.nextAt() + world.fabric.windowUs();
}

describe("a hub", () => {
  test("listens on a socket file in a directory of its own, or on a port of the loopback interface", () => {
    expect(poolOf("ipc").address).toMatch(/^ipc:\/\/.*\/quorate-[^/]+\/hub\.sock$/);
    expect(existsSync(dirname(poolOf("ipc").address.slice("ipc://".length)))).toBe(true);
    expect(poolOf("tcp").address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  });

  test("listens on a socket file also where the directory's path is too long for one", () => {
    const { address, transport } = makeEndpoint(undefined, `/${"x".repeat(120)}`);
    expect([transport, Buffer.byteLength(address.slice("ipc://".length)) <= 107]).toEqual(["ipc", true]);
    removeEndpoint(address);
  });

  test("goes on from a snapshot of a world that ran in one process, and comes to the same", async () => {
    const design = clusterDesign("handed over", 3);
    const world = worldHere(design);
    world.runUntil(30 * SEC);
    const { hub, host } = await startHub(design, { pool: poolOf("ipc"), snapshot: world.snapshot() });
    await host.runUntil(40 * SEC);
    world.runUntil(40 * SEC);
    expect(traceOf(hub.world)).toEqual(traceOf(world));
    await host.close();
  });

  test("goes the same way by events and by windows as in one go, told about each at once or not", async () => {
    const design = clusterDesign("in steps", 3);
    const start = worldHere(design);
    start.runUntil(20 * SEC);
    const { hub, host } = await startHub(design, { pool: poolOf("ipc"), snapshot: start.snapshot() });
    const cut = { to: "machine", machine: "pve2", act: { kind: "power-cut" } } as const;
    const at = start.now + SEC / 10;
    await host.schedule(at, cut);
    start.schedule(at, cut);
    // A stretch for each event: it may end in the middle of an instant.
    for (let i = 0; i < 100; i++) await host.follow(events(1));
    await host.follow(events(200));
    for (let i = 0; i < 300; i++) start.stepEvent();
    expect(hub.world.digest()).toBe(start.digest());
    expect(hub.world.now).toBe(start.now);
    const stamped = [await host.act({ to: "fabric", act: { kind: "heal" } }), start.act({ to: "fabric", act: { kind: "heal" } })];
    expect(stamped[0]).toEqual(stamped[1]);
    await host.follow(windows(hub.world, 50));
    for (let i = 0; i < 50; i++) expect(start.runWindow()).toBe(true);
    await hub.whenConfirmed();
    expect(traceOf(hub.world)).toEqual(traceOf(start));
    await host.close();
  });

  test("runs ahead of its workers, who do the same; a power cut on the way ends the process of that node alone", async () => {
    const design = clusterDesign("ahead", 3);
    const start = worldHere(design);
    start.runUntil(20 * SEC);
    const { hub, host, lost } = await startHub(design, { pool: poolOf("ipc"), snapshot: start.snapshot() });
    const pids = hub.world.names.map((name) => hub.pidOf(name));
    const cut = { to: "machine", machine: "pve2", act: { kind: "power-cut" } } as const;
    await host.schedule(25 * SEC, cut);
    start.schedule(25 * SEC, cut);
    await host.runUntil(60 * SEC);
    start.runUntil(60 * SEC);
    expect(hub.world.status("pve1").corosync?.members).toEqual([1, 3]);
    expect(traceOf(hub.world)).toEqual(traceOf(start));
    expect([hub.pidOf("pve1"), hub.pidOf("pve2"), hub.pidOf("pve3")]).toEqual([pids[0], undefined, pids[2]]);
    expect(lost).toEqual([]);
    await host.close();
  });

  test("a machine that is switched on at a set instant has its process from then on", async () => {
    const design = clusterDesign("switched on", 3);
    const { hub, host, lost } = await startHub(design, { pool: poolOf("tcp") });
    const here = worldHere(design);
    for (const [at, kind] of [
      [20, "power-cut"],
      [21, "power-on"],
      [21, "power-cut"],
      [22, "power-on"],
    ] as const) {
      await host.schedule(at * SEC, { to: "machine", machine: "pve3", act: { kind } });
      here.schedule(at * SEC, { to: "machine", machine: "pve3", act: { kind } });
    }
    await host.runUntil(50 * SEC);
    here.runUntil(50 * SEC);
    expect(traceOf(hub.world)).toEqual(traceOf(here));
    expect(hub.pidOf("pve3")).toBeGreaterThan(0);
    expect(lost).toEqual([]);
    await host.close();
  });
});

describe("while one worker is held back", () => {
  async function heldBack(lead: number | undefined): Promise<Awaited<ReturnType<typeof startHub>> & { pid: number; at: number }> {
    const options = lead === undefined ? {} : { lead };
    const started = await startHub(clusterDesign("held back", 3), { pool: poolOf("ipc") }, options);
    await started.host.runUntil(20 * SEC);
    const pid = started.hub.pidOf("pve2") ?? 0;
    process.kill(pid, "SIGSTOP");
    return { ...started, pid, at: started.hub.world.now };
  }

  test.each([0, 5, 50, 250])("the hub is ahead by its lead of %d ms and no more", async (leadMs) => {
    const { hub, host, pid, at } = await heldBack(leadMs * MS);
    const running = host.follow(standingAt(at + 150 * SEC));
    await wallMs(300);
    const stood = hub.world.now;
    await wallMs(200);
    expect(hub.world.now).toBe(stood);
    if (leadMs > 0) expect(stood - hub.confirmed - 1).toBeLessThanOrEqual(leadMs * MS);
    expect(hub.confirmed).toBeLessThan(stood);
    expect(stood).toBeLessThan(at + 150 * SEC);
    process.kill(pid, "SIGCONT");
    await running;
    await hub.whenConfirmed();
    expect(hub.confirmed).toBe(at + 150 * SEC);
    await host.close();
  });

  test("nothing that depends on it is confirmed, and everything once it goes on", async () => {
    const { hub, host, pid, at } = await heldBack(undefined);
    await host.follow(standingAt(at + SEC));
    const order: string[] = [];
    const first = hub.whenConfirmed(at + SEC / 2).then(() => order.push("first"));
    const second = hub.whenConfirmed().then(() => order.push("second"));
    await hub.whenConfirmed(at - 1);
    await wallMs(200);
    expect(order).toEqual([]);
    expect(hub.confirmed).toBeLessThan(at + SEC);
    expect(hub.awaited).toBe(true);
    process.kill(pid, "SIGCONT");
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
    expect([hub.confirmed, hub.awaited]).toEqual([at + SEC, false]);
    await host.close();
  });
});
