// Machines, networks and cards that come, go and get other names while a cluster runs: refusals, snapshots, replays, and the same digest in one process,
// over socket files and over TCP.
import { describe, expect, test } from "vitest";
import { SEC, fromUtf8 } from "../../src/engine/kernel/index.ts";
import { parseRecord, printRecord, replay, type World, type WorldAct, type TopologyAct } from "../../src/engine/world/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { newMachine } from "../../src/main/lab/act/addresses.ts";
import { bothPools } from "./schedules.ts";
import { clusterDesign, startHub, worldHere } from "./worlds.ts";

const lab = (act: TopologyAct): WorldAct => ({ to: "lab", act });
const design = clusterDesign("topology", 3, 2);
const pve4 = newMachine(
  design,
  "pve4",
  [
    { name: "eno1", net: "net0", address: "10.0.0.14", prefix: 24 },
    { name: "eno2", net: "net1", address: "10.10.1.14", prefix: 24 },
  ],
  "node",
);

/** A run with every sort of change in it, and faults on what has changed. */
const acts: readonly (readonly [number, WorldAct])[] = [
  [20, lab({ kind: "machine-add", machine: pve4 })],
  [21, { to: "fabric", act: { kind: "block", block: { node: "pve1", port: 5405, proto: "udp" }, on: true } }],
  [25, { to: "fabric", act: { kind: "heal" } }],
  [28, lab({ kind: "net-rename", net: "net1", to: "ring" })],
  [
    29,
    {
      to: "fabric",
      act: { kind: "link-set", link: { node: "pve2", net: "ring", direction: "both" }, settings: { rateMbit: 1, mtuBytes: 900 } },
    },
  ],
  [30, { to: "fabric", act: { kind: "switch", net: "net0", on: false } }],
  [34, lab({ kind: "machine-rename", machine: "pve3", to: "gamma" })],
  [35, { to: "fabric", act: { kind: "link-cut", link: { node: "gamma", net: "ring", direction: "both" } } }],
  [40, lab({ kind: "machine-remove", machine: "pve2" })],
  [42, { to: "fabric", act: { kind: "heal" } }],
  [43, { to: "machine", machine: "pve2", act: { kind: "power-on" } }],
  [44, { to: "machine", machine: "pve1", act: { kind: "nic-up", net: "ring", up: false } }],
  [46, lab({ kind: "machine-restore", machine: "pve2" })],
  [47, { to: "machine", machine: "pve2", act: { kind: "power-on" } }],
  [48, lab({ kind: "net-add", net: { name: "net2", cidr: "10.10.2.0/24" } })],
  [49, lab({ kind: "nic-add", machine: "pve1", nic: { name: "eno3", net: "net2", address: "10.10.2.11" } })],
  [50, { to: "machine", machine: "pve1", act: { kind: "nic-up", net: "ring", up: true } }],
  [52, lab({ kind: "net-remove", net: "ring" })],
  [54, lab({ kind: "nic-rename", machine: "pve1", net: "net2", to: "ens3" })],
];
const END = 70 * SEC;

function traceOf(world: World): unknown {
  return { now: world.now, events: world.events, digest: world.digest(), seconds: world.checkpoints(), statuses: world.statuses() };
}

function live(world: World): World {
  for (const [at, act] of acts) world.expect(at * SEC, act);
  world.runUntil(END);
  return world;
}

const file = (world: World, node: string, path: string): string => {
  const reply = world.query(node, { kind: "file-read", path });
  return reply.kind === "file" ? fromUtf8(reply.data) : "";
};

describe("in one process", () => {
  const done = live(worldHere(design));

  test("everything has come about", () => {
    expect(done.names).toEqual(["pve1", "pve2", "gamma", "pve4"]);
    expect(done.design.networks.map((n) => n.name)).toEqual(["net0", "net2"]);
    expect(done.status("pve4").power).toBe("on");
    expect(done.status("pve4").units["corosync"]).toBe("inactive");
    expect(done.status("pve1").corosync?.members).toEqual([1, 2, 3]);
    expect(done.status("pve1").nics.map(({ name, net, up }) => [name, net, up])).toEqual([
      ["eno1", "net0", true],
      ["ens3", "net2", true],
    ]);
    expect(file(done, "gamma", "/etc/hostname")).toBe("gamma\n");
    expect(file(done, "gamma", "/etc/hosts")).toContain("10.0.0.13 gamma.lab.local gamma\n");
    expect(file(done, "pve1", "/etc/hosts")).toContain("10.0.0.13 pve3.lab.local pve3\n");
    expect(file(done, "pve1", "/etc/network/interfaces")).toBe(
      "auto lo\niface lo inet loopback\n\nauto eno1\niface eno1 inet static\n\taddress 10.0.0.11/24\n\nauto ens3\niface ens3 inet static\n\taddress 10.10.2.11/24\n",
    );
  });

  test("the cluster ran on over the renamed network while the other was off", () => {
    const world = worldHere(design);
    for (const [at, act] of acts.filter(([at]) => at <= 30)) world.expect(at * SEC, act);
    world.runUntil(33 * SEC);
    expect(world.status("pve1").corosync?.members).toEqual([1, 2, 3]);
    expect(
      world
        .status("pve1")
        .corosync?.links.filter((l) => l.active)
        .map((l) => l.link),
    ).toEqual([1, 1]);
  });

  test("a record of it, written and read again, replays to the same digests", () => {
    const text = printRecord({
      lab: "",
      inputs: [...done.inputs()],
      checkpoints: [...done.checkpoints()],
      end: { at: done.now, digest: done.digest() },
    });
    const outcome = parseRecord(text);
    if (!outcome.ok) throw new Error(outcome.message);
    const again = replay(design, makeNode, outcome.record);
    expect([again.equal, again.digest]).toEqual([true, done.digest()]);
  });

  test("a snapshot of any moment goes on to the same end, in a new world and in one that has gone further", () => {
    for (const at of [19, 27, 33, 38, 41, 45, 51, 60]) {
      const world = worldHere(design);
      for (const [when, act] of acts) world.expect(when * SEC, act);
      world.runUntil(at * SEC);
      const state = world.snapshot();
      const fork = world.fork();
      fork.runUntil(END);
      expect([at, traceOf(fork)]).toEqual([at, traceOf(done)]);
      world.runUntil(END);
      world.restore(state);
      world.runUntil(END);
      expect([at, traceOf(world)]).toEqual([at, traceOf(done)]);
    }
  });

  test.each<[string, TopologyAct]>([
    ["there is a machine pve1 already", { kind: "machine-add", machine: { ...pve4, name: "pve1" } }],
    [
      "10.0.0.11 is pve1's already",
      { kind: "machine-add", machine: { ...pve4, nics: [{ name: "eno1", net: "net0", address: "10.0.0.11" }] } },
    ],
    [
      "10.9.0.1 is not in net0, 10.0.0.0/24",
      { kind: "machine-add", machine: { ...pve4, nics: [{ name: "eno1", net: "net0", address: "10.9.0.1" }] } },
    ],
    ["pve4 would be on no network", { kind: "machine-add", machine: { ...pve4, nics: [] } }],
    ["no machine pve9; there are pve1, pve2, pve3", { kind: "machine-remove", machine: "pve9" }],
    ["no machine pve1 was taken away", { kind: "machine-restore", machine: "pve1" }],
    ["there is a machine pve2 already", { kind: "machine-rename", machine: "pve1", to: "pve2" }],
    ["there is a network net0 already", { kind: "net-add", net: { name: "net0", cidr: "10.5.0.0/24" } }],
    ["10.0.0.0/16 overlaps net0, 10.0.0.0/24", { kind: "net-add", net: { name: "big", cidr: "10.0.0.0/16" } }],
    ["10.5 is no network; an address with prefix length is, e.g. 10.10.1.0/24", { kind: "net-add", net: { name: "n", cidr: "10.5" } }],
    ["pve1 is on net1 already", { kind: "nic-add", machine: "pve1", nic: { name: "eno3", net: "net1", address: "10.10.1.99" } }],
    ["pve1 has an interface eno2 already", { kind: "nic-rename", machine: "pve1", net: "net0", to: "eno2" }],
  ])("%s", (said, act) => {
    const result = worldHere(design).act(lab(act));
    expect(result).toMatchObject({ ok: false, message: said });
  });

  test("the last network of a machine stays; the last machine may go, and come back into an empty lab", () => {
    const world = worldHere(clusterDesign("last", 2));
    expect(world.act(lab({ kind: "net-remove", net: "net0" }))).toMatchObject({ ok: false, message: "net0 is the last network of pve1" });
    expect(world.act(lab({ kind: "nic-remove", machine: "pve1", net: "net0" }))).toMatchObject({
      message: "net0 is the last network of pve1",
    });
    expect(world.act(lab({ kind: "machine-remove", machine: "pve1" })).ok).toBe(true);
    expect(world.act(lab({ kind: "machine-remove", machine: "pve2" })).ok).toBe(true);
    expect(world.names).toEqual([]);
    world.runUntil(world.now + 5_000_000);
    expect(world.act(lab({ kind: "machine-restore", machine: "pve1" })).ok).toBe(true);
    expect(world.names).toEqual(["pve1"]);
  });
});

describe("with every machine a process", () => {
  const poolOf = bothPools();

  test.each(["ipc", "tcp"] as const)(
    "over %s: the same trace, and a removed machine's process is gone",
    async (transport) => {
      const pool = poolOf(transport);
      const { hub, host, lost } = await startHub(design, { pool });
      try {
        for (const [at, act] of acts) await host.expect(at * SEC, act);
        await host.runUntil(39 * SEC);
        const pid = hub.pidOf("pve2") ?? 0;
        expect([pool.pids.includes(pid), pool.pids.includes(hub.pidOf("pve4") ?? 0), pool.pids.length]).toEqual([true, true, 4]);
        await host.runUntil(41 * SEC);
        expect([hub.pidOf("pve2"), hub.world.names]).toEqual([undefined, ["pve1", "gamma", "pve4"]]);
        const state = hub.world.snapshot();
        await host.runUntil(END);
        const first = traceOf(hub.world);
        expect(first).toEqual(traceOf(live(worldHere(design))));
        expect([pool.pids.includes(pid), pool.pids.length]).toEqual([false, 4]);
        await host.restore(state);
        await host.runUntil(END);
        expect(traceOf(hub.world)).toEqual(first);
        expect(lost).toEqual([]);
      } finally {
        await host.close();
      }
    },
    120_000,
  );
});
