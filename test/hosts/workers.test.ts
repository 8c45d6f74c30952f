// The hub of a world whose nodes are processes: beside a world in one process it goes the same way, by whatever steps; and what the lives compared elsewhere hold.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { Hub } from "../../src/engine/host/hub.ts";
import { Hasher, SEC } from "../../src/engine/kernel/index.ts";
import type { Input } from "../../src/engine/world/index.ts";
import { bothCrews, scenarios } from "./lives.ts";
import { clusterDesign, scheduleFor, traceOf, worldHere } from "./worlds.ts";

const crewOf = bothCrews();

/** What a deed is, in a word or two. */
const sortOf = ({ act }: Input): string => (act.act.kind === "service" ? `service ${act.act.op}` : act.act.kind);

test("the scenarios have every kind of fault", () => {
  const sorts = new Set(scenarios.flatMap(([seed, nodes]) => scheduleFor(seed, nodes).acts.map(sortOf)));
  for (const sort of ["link-cut", "link-set", "link-heal", "partition", "switch", "heal", "power-cut", "shutdown", "reboot", "power-on"])
    expect([sort, sorts.has(sort)]).toEqual([sort, true]);
  for (const sort of ["stall", "resume", "service-stall", "service-resume", "service stop", "service kill", "service restart"])
    expect([sort, sorts.has(sort)]).toEqual([sort, true]);
});

describe("a hub", () => {
  test("listens on a socket file in a directory of its own, or on a port of the loopback interface", () => {
    expect(crewOf("ipc").address).toMatch(/^ipc:\/\/.*\/quorate-[^/]+\/hub\.sock$/);
    expect(existsSync(dirname(crewOf("ipc").address.slice("ipc://".length)))).toBe(true);
    expect(crewOf("tcp").address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  });

  test("goes on from a snapshot of a world that ran in one process, and comes to the same", async () => {
    const design = clusterDesign("handed over", 3);
    const world = worldHere(design);
    world.runUntil(30 * SEC);
    const hub = await Hub.start(design, { crew: crewOf("ipc"), snapshot: world.snapshot() });
    await hub.runUntil(40 * SEC);
    world.runUntil(40 * SEC);
    expect(traceOf(hub.world)).toEqual(traceOf(world));
    await hub.close();
  });

  test("goes the same way by events and by windows as in one go", async () => {
    const design = clusterDesign("in steps", 3);
    const start = worldHere(design);
    start.runUntil(20 * SEC);
    const hub = await Hub.start(design, { crew: crewOf("ipc"), snapshot: start.snapshot() });
    const cut = { to: "machine", machine: "pve2", act: { kind: "power-cut" } } as const;
    const at = start.now + SEC / 10;
    await hub.schedule(at, cut);
    start.schedule(at, cut);
    for (let i = 0; i < 300; i++) await hub.stepEvent();
    for (let i = 0; i < 300; i++) start.stepEvent();
    expect(hub.digest()).toBe(start.digest());
    expect(hub.now).toBe(start.now);
    const stamped = [await hub.act({ to: "fabric", act: { kind: "heal" } }), start.act({ to: "fabric", act: { kind: "heal" } })];
    expect(stamped[0]).toEqual(stamped[1]);
    for (let i = 0; i < 50; i++) expect([await hub.runWindow(), start.runWindow()]).toEqual([true, true]);
    expect(traceOf(hub.world)).toEqual(traceOf(start));
    await hub.close();
  });

  test("runs ahead alone, with its workers behind it, as a world in one process does", async () => {
    const design = clusterDesign("ahead", 3);
    const start = worldHere(design);
    start.runUntil(20 * SEC);
    const hub = await Hub.start(design, { crew: crewOf("ipc"), snapshot: start.snapshot() });
    const pids = hub.world.names.map((name) => hub.pidOf(name));
    const cut = { to: "machine", machine: "pve2", act: { kind: "power-cut" } } as const;
    await hub.schedule(25 * SEC, cut);
    start.schedule(25 * SEC, cut);
    await hub.alone(
      60 * SEC,
      0,
      () => false,
      () => Promise.resolve(true),
    );
    // The act is the workers': there it stops.
    expect(hub.now).toBe(25 * SEC);
    await hub.runUntil(26 * SEC);
    await hub.alone(
      600 * SEC,
      1000,
      () => hub.world.status("pve1").corosync?.members.length === 2,
      () => Promise.resolve(true),
    );
    const parted = hub.now;
    expect(parted).toBeLessThan(40 * SEC);
    start.runUntil(parted);
    expect(traceOf(hub.world)).toEqual(traceOf(start));
    expect([hub.pidOf("pve1"), hub.pidOf("pve2"), hub.pidOf("pve3")]).toEqual([pids[0], undefined, pids[2]]);
    await hub.runUntil(parted + 2 * SEC);
    start.runUntil(parted + 2 * SEC);
    expect(traceOf(hub.world)).toEqual(traceOf(start));
    await hub.close();
  });

  test("tells of a process that died while it ran ahead", async () => {
    const design = clusterDesign("ahead and lost", 3);
    const hub = await Hub.start(design, { crew: crewOf("ipc") });
    const lost: string[] = [];
    hub.attend({ lost: (machine) => lost.push(machine) });
    await hub.alone(
      30 * SEC,
      0,
      () => false,
      () => Promise.resolve(true),
    );
    await hub.runUntil(31 * SEC);
    expect(lost).toEqual([]);
    const pid = hub.pidOf("pve2") ?? 0;
    await hub.alone(
      40 * SEC,
      0,
      () => false,
      async () => {
        process.kill(pid, "SIGKILL");
        await new Promise((resolve) => setTimeout(resolve, 200));
        return false;
      },
    );
    await hub.runUntil(45 * SEC);
    expect(lost).toEqual(["pve2"]);
    expect(hub.world.status("pve2").power).toBe("off");
    const replayed = worldHere(design);
    for (const input of hub.world.inputs()) replayed.schedule(input.at, input.act);
    replayed.runUntil(45 * SEC);
    expect(traceOf(hub.world)).toEqual(traceOf(replayed));
    await hub.close();
  });

  test("is answered by a node's process as by the node in this one", async () => {
    const design = clusterDesign("questions", 3);
    const world = worldHere(design);
    world.runUntil(30 * SEC);
    const hub = await Hub.start(design, { crew: crewOf("tcp"), snapshot: world.snapshot() });
    await hub.runUntil(32 * SEC);
    const before = hub.digest();
    for (const name of hub.world.names) {
      expect(await hub.status(name)).toEqual(hub.world.status(name));
      for (const argv of [["pvecm", "status"], ["corosync-cfgtool", "-s"], ["no-such-tool"]]) {
        const query = { kind: "command", argv, cwd: "/root", stdin: "" } as const;
        expect(await hub.query(name, query)).toEqual(hub.world.query(name, query));
      }
      expect(await hub.query(name, { kind: "file-list", path: "/etc" })).toEqual(
        hub.world.query(name, { kind: "file-list", path: "/etc" }),
      );
    }
    // A node made from the snapshot of its process has the state of the one here.
    const twin = worldHere(design);
    const machines = await Promise.all(hub.world.names.map((name) => hub.snapshotOf(name)));
    twin.restore({ ...hub.snapshot(), machines: machines.map((m) => m ?? {}) });
    expect(twin.snapshot().machines.map(stateOf)).toEqual(hub.snapshot().machines.map(stateOf));
    expect(hub.digest()).toBe(before);
    await hub.close();
  });
});

/** A snapshot as one word: plain data, maps and sets in their order. */
function stateOf(snapshot: unknown): string {
  const flat = JSON.stringify(snapshot, (_key, value: unknown) => {
    if (value instanceof Map || value instanceof Set) return [...value];
    return value instanceof Uint8Array ? [...value] : value;
  });
  return new Hasher().text(flat).hex();
}
