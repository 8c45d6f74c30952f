/**
 * How fast worlds run in this process: clusters of several sizes, idle and under multicast load, and what a snapshot and a boot cost. Prints one JSON object.
 * An event is a datagram or a timer delivered to a node's core. Run by scripts/bench.mjs, in a process of its own.
 */
import { makeNode } from "../../src/engine/node/index.ts";
import { World, type MachineFactory } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { sendingNodes, type Traffic } from "./sender.ts";

const second = 1_000_000;
const hour = 3_600 * second;
const sizes = [3, 8, 16, 32];
const rounds = 3;
/** A round ends after so much wall time, or one virtual hour. */
const roundMs = 1_500;

interface Rate {
  nodes: number;
  load: "idle" | "multicast";
  virtualPerWall: number;
  eventsPerSecond: number;
  eventsPerVirtualSecond: number;
  /** Messages delivered to all nodes together, per virtual second. */
  deliveredPerVirtualSecond?: number;
}

/** All nodes together send so many messages a virtual second, of so many bytes. */
const loadMessages = 2_000;
const loadBytes = 1_024;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** A cluster whose nodes are all members and quorate, three minutes after it began. */
function formed(nodes: number, make: MachineFactory = makeNode): World {
  const lab = defaultLabFile({ nodes, links: 1, clustered: true, name: "bench", seed: `bench-${nodes}`, epoch: "2026-01-01T00:00:00Z" });
  const world = new World(worldDesign(lab), make);
  const whole = (): boolean =>
    world.statuses().every((status) => status.quorum?.quorate === true && status.corosync?.members.length === nodes);
  while (!whole()) {
    if (world.now > hour) throw new Error(`${nodes} nodes did not form a cluster in a virtual hour`);
    world.runUntil(world.now + second);
  }
  world.runUntil(Math.max(world.now + 10 * second, 176 * second));
  return world;
}

/** Runs the world for a while of wall time, `slice` of virtual time at a go. */
function rate(world: World, nodes: number, load: Rate["load"], slice: number): Rate {
  const results = Array.from({ length: rounds }, () => {
    const [at, events, began] = [world.now, world.events, performance.now()];
    while (performance.now() - began < roundMs && world.now - at < hour) world.runUntil(world.now + slice);
    const ms = performance.now() - began;
    return {
      virtual: (world.now - at) / 1000 / ms,
      events: ((world.events - events) / ms) * 1000,
      perVirtual: ((world.events - events) * second) / (world.now - at),
    };
  });
  return {
    nodes,
    load,
    virtualPerWall: median(results.map((r) => r.virtual)),
    eventsPerSecond: median(results.map((r) => r.events)),
    eventsPerVirtualSecond: median(results.map((r) => r.perVirtual)),
  };
}

/** The same under load: 1 kB messages to a process group, from every node in turn. */
function loaded(nodes: number): Rate {
  const traffic: Traffic = { every: (nodes * second) / loadMessages, bytes: loadBytes, sent: 0, delivered: 0, refused: 0 };
  const world = formed(nodes, sendingNodes(traffic));
  const [at, delivered] = [world.now, traffic.delivered];
  const result = rate(world, nodes, "multicast", second / 10);
  const deliveredPerVirtualSecond = ((traffic.delivered - delivered) * second) / (world.now - at);
  if (traffic.refused > traffic.sent / 10) throw new Error(`${nodes} nodes: ${traffic.refused} of ${traffic.sent} messages were refused`);
  return { ...result, deliveredPerVirtualSecond };
}

/** Wall seconds for one virtual hour of three idle nodes. */
function idleHour(): number {
  return median(
    Array.from({ length: rounds }, () => {
      const world = formed(3);
      const began = performance.now();
      world.runUntil(world.now + hour);
      return (performance.now() - began) / 1000;
    }),
  );
}

function snapshots(world: World): { nodes: number; snapshotMs: number; restoreMs: number } {
  const times = Array.from({ length: 40 }, () => {
    const began = performance.now();
    const state = world.snapshot();
    const taken = performance.now();
    world.restore(state);
    return { snapshot: taken - began, restore: performance.now() - taken };
  });
  return { nodes: world.names.length, snapshotMs: median(times.map((t) => t.snapshot)), restoreMs: median(times.map((t) => t.restore)) };
}

/** ms of a boot without any daemon: the service manager reads its units, plans and runs them. Median of many, after some that compile it. */
function bootMs(): number {
  const lab = defaultLabFile({ nodes: 1, links: 1, clustered: true, name: "bench", seed: "bench-boot", epoch: "2026-01-01T00:00:00Z" });
  const nodes = Object.fromEntries(Object.entries(lab.nodes).map(([name, node]) => [name, { ...node, disable: ["corosync"] }]));
  const world = new World(worldDesign({ ...lab, nodes }), makeNode);
  const boot = (): number => {
    world.act({ to: "machine", machine: "pve1", act: { kind: "power-cut" } });
    world.act({ to: "machine", machine: "pve1", act: { kind: "power-on" } });
    const began = performance.now();
    while (world.status("pve1").booting) world.stepEvent();
    return performance.now() - began;
  };
  for (let i = 0; i < 40; i++) boot();
  return median(Array.from({ length: 60 }, boot));
}

/** Millions of steps of a fixed integer loop per second: how fast this machine is just now, so that runs elsewhere can be compared. */
function machineSpeed(): number {
  const once = (): number => {
    const began = performance.now();
    let x = 1;
    for (let i = 0; i < 20_000_000; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
    if (x === 0) throw new Error("the loop has been optimised away");
    return 20_000 / (performance.now() - began);
  };
  return median([once(), once(), once(), once(), once()]);
}

const rates: Rate[] = [];
let snapshot: ReturnType<typeof snapshots> | undefined;
const calibration = machineSpeed();
for (const nodes of sizes) {
  const world = formed(nodes);
  rates.push(rate(world, nodes, "idle", second));
  if (nodes === 16) snapshot = snapshots(world);
  rates.push(loaded(nodes));
}
process.stdout.write(`${JSON.stringify({ machineSpeed: calibration, rates, idleHourSeconds: idleHour(), snapshot, bootMs: bootMs() })}\n`);
