/** pmxcfs as a program on three nodes: what somebody at a prompt sees of /etc/pve while the cluster forms, splits and heals, and while the daemon stops, dies or runs by itself. */
import { describe, expect, test } from "vitest";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, replayWorld } from "../../src/engine/world/index.ts";
import { whyNot } from "../../src/main/lab/view/conditions.ts";
import { Cluster, design } from "./cluster.ts";

const NODES = ["pve1", "pve2", "pve3"];

const status = (cluster: Cluster, node: string) => cluster.world.status(node).pmxcfs;

const members = (quorate: 0 | 1, online: readonly (0 | 1)[]): string =>
  `"cluster": { "name": "lab", "version": 3, "nodes": 3, "quorate": ${quorate} },\n"nodelist": {\n` +
  `${online.map((on, i) => `  "pve${i + 1}": { "id": ${i + 1}, "online": ${on}, "ip": "10.99.0.1${i + 1}"}`).join(",\n")}\n  }\n}\n`;

describe("three nodes that have formed a cluster", () => {
  test("have one tree: what one writes the others read, and status says so", async () => {
    const cluster = Cluster.formed();
    expect(await cluster.say("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full")).toBe("");
    // Who has written waits for the message to come back to it alone.
    cluster.wait(0.1);
    for (const node of NODES) {
      expect(await cluster.say(node, "cat /etc/pve/q/full")).toBe("hi\n");
      expect(await cluster.say(node, "cat /etc/pve/.members")).toContain(members(1, [1, 1, 1]));
      expect(await cluster.say(node, "cmp /etc/pve/corosync.conf /etc/corosync/corosync.conf")).toBe("");
    }
    const [first] = NODES.map((node) => status(cluster, node));
    expect(first).toMatchObject({ mode: "cluster", writable: true, synced: true, online: [1, 2, 3] });
    for (const node of NODES) expect(status(cluster, node)).toEqual(first);
  });

  test("refuse what a file system of this kind has none of, in the C library's text", async () => {
    const cluster = Cluster.formed();
    expect(await cluster.say("pve1", "ln -s a /etc/pve/link")).toBe(
      "ln: failed to create symbolic link '/etc/pve/link': Function not implemented\nstatus 1\n",
    );
  });
});

describe("a node that has lost the others", () => {
  test("reads on and writes nothing; a write under way waits for the new membership and comes to nothing; healed, it has what the others wrote", async () => {
    const cluster = Cluster.formed();
    await cluster.type("pve1", "mkdir /etc/pve/q; echo before > /etc/pve/q/full");
    cluster.wait(0.1);
    const cut = cluster.world.now;
    cluster.split(["pve1", "pve2"], ["pve3"]);
    cluster.wait(0.5);
    expect(await cluster.say("pve3", "echo minority > /etc/pve/q/full")).toBe("bash: /etc/pve/q/full: Operation not permitted\nstatus 1\n");
    // The token's time-out of 3 s and 125 ms for the third node, and 1.2 times that for the consensus: 6.9 s, as recorded.
    expect((cluster.world.now - cut) / 1e6).toBeGreaterThan(6);
    expect((cluster.world.now - cut) / 1e6).toBeLessThan(8);
    expect(await cluster.say("pve3", "touch /etc/pve/q/new")).toBe("touch: cannot touch '/etc/pve/q/new': Permission denied\nstatus 1\n");
    expect(await cluster.say("pve3", "cat /etc/pve/q/full; ls -ld /etc/pve/q | cut -c1-10; cat /etc/pve/.members")).toContain(
      `before\ndr-xr-xr-x\n`,
    );
    expect(await cluster.say("pve3", "cat /etc/pve/.members")).toContain(members(0, [0, 0, 1]));
    expect(status(cluster, "pve3")).toMatchObject({ writable: false, online: [3] });
    expect(await cluster.say("pve1", "echo majority > /etc/pve/q/full")).toBe("");
    cluster.wait(10);
    cluster.heal();
    cluster.wait(15);
    expect(await cluster.say("pve3", "cat /etc/pve/q/full")).toBe("majority\n");
    expect(status(cluster, "pve3")).toEqual(status(cluster, "pve1"));
    const said = cluster.journal("pve3", cut);
    const order = [
      "[status] notice: node lost quorum",
      "[dcdb] crit: received write while not quorate - trigger resync",
      "[dcdb] crit: leaving CPG group",
      "[dcdb] notice: start cluster connection",
      "[dcdb] crit: cpg_join failed: CS_ERR_EXIST",
      "[dcdb] crit: can't initialize service",
      "[status] notice: node has quorum",
      "[dcdb] notice: waiting for updates from leader",
    ];
    expect(said.filter((line) => order.includes(line))).toEqual(order);
    expect(said.at(-1)).toBe("[dcdb] notice: all data is up to date");
  });
});

describe("a daemon that ends", () => {
  test("stopped, its mount is an empty directory and its database opens again with all rows, small ones too", async () => {
    const cluster = Cluster.formed();
    await cluster.type("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full");
    expect(await cluster.say("pve3", "systemctl stop pve-cluster; ls -A /etc/pve; ls /run/pve-cluster")).toBe("cfs-restart-flag\n");
    cluster.wait(1);
    expect(await cluster.say("pve1", "cat /etc/pve/.members")).toContain(members(1, [1, 1, 0]));
    expect(await cluster.say("pve1", "echo more > /etc/pve/q/more")).toBe("");
    expect(await cluster.say("pve3", "systemctl start pve-cluster; sleep 8; cat /etc/pve/q/*")).toBe("hi\nmore\n");
    expect(status(cluster, "pve3")).toEqual(status(cluster, "pve1"));
  });

  test("killed, whoever looks is told that nobody answers, until the service manager has started it again", async () => {
    const cluster = Cluster.formed();
    await cluster.type("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full");
    expect(await cluster.say("pve3", "kill -9 $(cat /run/pve-cluster.pid); ls /etc/pve; cat /etc/pve/q/full; cd /etc/pve")).toBe(
      "ls: cannot access '/etc/pve': Transport endpoint is not connected\n" +
        "cat: /etc/pve/q/full: Transport endpoint is not connected\n" +
        "bash: cd: /etc/pve: Transport endpoint is not connected\nstatus 1\n",
    );
    cluster.wait(10);
    expect(await cluster.say("pve3", "cat /etc/pve/q/full")).toBe("hi\n");
    expect(status(cluster, "pve3")).toEqual(status(cluster, "pve1"));
  });
});

describe("a node that is changed by itself (pmxcfs -l)", () => {
  const alone = async (writes: number): Promise<Cluster> => {
    const cluster = Cluster.formed();
    await cluster.type("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full; echo gone > /etc/pve/q/gone");
    await cluster.type("pve3", "systemctl stop pve-cluster corosync; pmxcfs -l; rm /etc/pve/q/gone");
    for (let i = 0; i < writes; i++) expect(await cluster.say("pve3", "echo local > /etc/pve/q/full")).toBe("");
    expect(status(cluster, "pve3")).toMatchObject({ mode: "local", writable: true });
    for (let i = 0; i < 4; i++) expect(await cluster.say("pve1", "echo majority > /etc/pve/q/full")).toBe("");
    await cluster.type("pve3", "kill $(cat /run/pve-cluster.pid); sleep 2; systemctl start pve-cluster corosync");
    cluster.wait(15);
    return cluster;
  };

  test("with fewer changes than the others it loses them", async () => {
    const cluster = await alone(1);
    for (const node of NODES) expect(await cluster.say(node, "cat /etc/pve/q/*")).toBe("majority\ngone\n");
  });

  test("with more changes than the others the whole cluster takes its tree over, what it removed too", async () => {
    const cluster = await alone(9);
    for (const node of NODES) expect(await cluster.say(node, "ls /etc/pve/q; cat /etc/pve/q/full")).toBe("full\nlocal\n");
  });
});

test("without a corosync.conf each node has a tree of its own, writable", async () => {
  const cluster = new Cluster(new World(design(false), makeMachine));
  cluster.wait(20);
  expect(await cluster.say("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full; cat /etc/pve/q/full")).toBe("hi\n");
  expect(await cluster.say("pve2", "ls /etc/pve/q")).toBe("ls: cannot access '/etc/pve/q': No such file or directory\nstatus 2\n");
  expect(status(cluster, "pve1")).toMatchObject({ mode: "standalone", writable: true });
});

test("the run goes on alike from a snapshot in its middle, and replays from its inputs", async () => {
  const cluster = Cluster.formed();
  await cluster.type("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full");
  cluster.split(["pve1", "pve2"], ["pve3"]);
  cluster.wait(3.2);
  const { world } = cluster;
  const middle = structuredClone(world.snapshot());
  const end = world.now + 40e6;
  const at = world.now + 9e6;
  world.schedule(at, { to: "fabric", act: { kind: "heal" } });
  world.runUntil(end);
  const resumed = new World(world.design, makeMachine);
  resumed.restore(middle);
  resumed.schedule(at, { to: "fabric", act: { kind: "heal" } });
  resumed.runUntil(end);
  expect(resumed.digest()).toBe(world.digest());
  const again = replayWorld(world.design, makeMachine, world.inputs());
  again.runUntil(end);
  expect(again.digest()).toBe(world.digest());
});

test("`wait --synced` waits until all that are quorate have the same tree", async () => {
  const cluster = Cluster.formed();
  await cluster.type("pve1", "mkdir /etc/pve/q");
  cluster.wait(0.1);
  const synced = (...nodes: string[]): string | undefined =>
    whyNot({ synced: true, nodes, timeout: 0 }, { names: NODES, status: (name) => cluster.world.status(name) });
  expect(synced()).toBeUndefined();
  await cluster.type("pve1", "echo hi > /etc/pve/q/full");
  // Its own message has come back to it; the others have yet to hear it.
  expect(synced()).toMatch(/^pve1 and pve[23] have different contents in \/etc\/pve$/);
  cluster.wait(0.1);
  expect(synced()).toBeUndefined();
  cluster.split(["pve1", "pve2"], ["pve3"]);
  cluster.wait(12);
  await cluster.type("pve1", "echo more > /etc/pve/q/full");
  cluster.wait(0.1);
  expect(synced()).toBeUndefined();
  // Where corosync has started again, pmxcfs has what it had until it looks for it the next time.
  await cluster.type("pve2", "systemctl restart corosync");
  for (let waited = 0; cluster.world.status("pve2").quorum?.quorate !== true && waited < 100; waited++) cluster.wait(0.1);
  expect(synced("pve2")).toMatch(/^pmxcfs of pve2 /);
  cluster.wait(12);
  expect(synced()).toBeUndefined();
  cluster.heal();
  for (let waited = 0; cluster.world.status("pve3").pmxcfs?.writable !== true && waited < 100; waited++) cluster.wait(0.1);
  expect(synced("pve3", "pve1")).toBeDefined();
  cluster.wait(10);
  expect(synced()).toBeUndefined();
});
