/** Several nodes' trees as one: after every change of the group all have the state with the highest version, and say so as recorded (15, 16, 22, 23, 25, 27, 28). */
import { describe, expect, test } from "vitest";
import { fromUtf8 } from "../../src/engine/kernel/index.ts";
import { haveReference, reference, skipLine } from "../shared.ts";
import { GroupBus, write, type GroupNode } from "./group.ts";

skipLine("pmxcfs: recorded synchronisations");

const PIDS = [24_577, 29_508, 30_094];

/** Three members in step, with the recorded directory. */
function three(pids = PIDS): GroupBus {
  const bus = new GroupBus(pids);
  bus.split([1, 2, 3]);
  bus.run();
  for (const path of [
    "q",
    "q/dir",
    "priv",
    "priv/lock",
    "nodes",
    "nodes/pve1",
    "nodes/pve1/qemu-server",
    "nodes/pve2",
    "nodes/pve2/qemu-server",
  ])
    expect(bus.done(1, { op: "mkdir", path })).toBe("done");
  expect(bus.done(1, { op: "create", path: "q/full" })).toBe("done");
  expect(bus.done(1, write("q/full", "data\n"))).toBe("done");
  for (const node of bus.nodes) node.lines.length = 0;
  return bus;
}

const content = (node: GroupNode, path: string): string => fromUtf8(node.memdb.tree.lookup(path)?.data ?? new Uint8Array(0));
const names = (node: GroupNode, path: string): string[] => {
  const directory = node.memdb.tree.lookup(path);
  return directory === undefined
    ? []
    : node.memdb.tree
        .children(directory)
        .map((entry) => entry.name)
        .sort();
};

function same(bus: GroupBus): void {
  expect(new Set(bus.nodes.map((node) => node.digest())).size).toBe(1);
  for (const node of bus.nodes) expect(node.dfsm.mode).toBe("synced");
}

/** [dcdb] lines of a node in a recording; how often sending was tried again is the real machine's affair. */
function recorded(file: string, node: string): string[] {
  const all = reference(`pmxcfs/transcripts/${file}`).split(/^## syslog /m);
  const part = all.find((text) => text.startsWith(node)) ?? "";
  return part.split("\n").flatMap((line) => {
    const [, text] = /^\S+ <\w+> pmxcfs\[\d+\]: (\[dcdb\] .*)$/.exec(line) ?? [];
    return text === undefined || text.includes("retried") ? [] : [text.replace(/\/[0-9A-F]{8}\)$/, "/*)")];
  });
}

const said = (node: GroupNode): string[] => node.lines.map((line) => line.replace(/\/[0-9A-F]{8}\)$/, "/*)"));

describe.skipIf(!haveReference)("as recorded", () => {
  test("15, 14: a cable is pulled, the majority writes, the cable is back", () => {
    const bus = three();
    bus.split([1, 2], [3]);
    bus.run();
    expect(bus.done(1, write("q/full", "majority\n"))).toBe("done");
    expect(bus.done(1, { op: "create", path: "q/from-majority" })).toBe("done");
    expect(bus.done(1, write("q/from-majority", "new\n"))).toBe("done");
    expect(bus.done(1, { op: "delete", path: "q/dir" })).toBe("done");
    expect(bus.done(1, { op: "mkdir", path: "q/dir-maj" })).toBe("done");
    expect(bus.done(3, write("q/full", "minority\n"))).toBe("EACCES");
    expect(names(bus.node(3), "q")).toEqual(["dir", "full"]);
    bus.split([1, 2, 3]);
    bus.run();
    same(bus);
    expect(names(bus.node(3), "q")).toEqual(["dir-maj", "from-majority", "full"]);
    expect(content(bus.node(3), "q/full")).toBe("majority\n");
    for (const node of bus.nodes) expect(said(node)).toEqual(recorded("15-partition-and-heal-logs.txt", `pve${node.member.nodeId}`));
  });

  test("16: a write in flight when the cable is pulled is done by the majority and refused by the minority, which leaves and comes back", () => {
    const bus = three([24_577, 29_508, 13_273]);
    const [major, minor] = [bus.node(1).change(write("q/full", "pve1\n")), bus.node(3).change(write("q/full", "pve3\n"))] as [
      number,
      number,
    ];
    bus.split([1, 2], [3]);
    bus.run();
    expect(bus.node(1).outcomes.get(major)).toBe("done");
    expect(bus.node(3).outcomes.get(minor)).toBe("EPERM");
    expect(content(bus.node(3), "q/full")).toBe("data\n");
    bus.join(3);
    bus.split([1, 2, 3]);
    bus.run();
    same(bus);
    expect(content(bus.node(3), "q/full")).toBe("pve1\n");
    // The recorded majority made a directory more.
    const changed = (line: string): string => line.replace("(3)", "(2)").replace("got 3 inode", "got 2 inode");
    for (const id of [1, 2]) expect(said(bus.node(id))).toEqual(recorded("16-write-in-flight-at-partition.txt", `pve${id} `).map(changed));
    const rejoin = recorded("16-write-in-flight-at-partition.txt", "pve3 ").filter((line) => !/cpg_join|can't initialize/.test(line));
    expect(said(bus.node(3))).toEqual(rejoin.map(changed));
  });

  test.each([
    ["22: fewer changes in local mode than the cluster made are dropped", 1, 3],
    ["23: more changes in local mode win, deletions included", 9, 2],
  ])("%s", (_title, local, cluster) => {
    const bus = three();
    bus.leave(3);
    bus.run();
    for (let i = 0; i < local; i++) expect(bus.node(3).local(write("q/full", `local${i}\n`))).toBeUndefined();
    if (local > cluster) expect(bus.node(3).local({ op: "delete", path: "q/dir" })).toBeUndefined();
    for (let i = 0; i < cluster; i++) expect(bus.done(1, write("q/full", `maj${i}\n`))).toBe("done");
    for (const node of bus.nodes) node.lines.length = 0;
    bus.node(3).restart(13_273);
    bus.join(3);
    bus.run();
    same(bus);
    const winner = local > cluster ? "3/13273" : "1/24577";
    expect(said(bus.node(2))).toContain(`[dcdb] notice: leader is ${winner}`);
    expect(content(bus.node(1), "q/full")).toBe(local > cluster ? `local${local - 1}\n` : `maj${cluster - 1}\n`);
    expect(names(bus.node(1), "q")).toEqual(local > cluster ? ["full"] : ["dir", "full"]);
  });

  test("28: a daemon that was killed and begins with the same tree is synced from the start", () => {
    const bus = three();
    bus.leave(3);
    bus.run();
    bus.node(3).restart(28_044);
    bus.join(3);
    bus.run();
    same(bus);
    for (const id of [1, 2]) expect(said(bus.node(id))).toEqual(recorded("28-pmxcfs-killed.txt", `pve${id} `));
    const file = recorded("28-pmxcfs-killed.txt", "pve3 ");
    expect(said(bus.node(3)).slice(-file.length)).toEqual(file);
  });
});

test("of two states with one version the later wins, and of two equal ones the lower node id leads", () => {
  const bus = three();
  bus.leave(1);
  bus.leave(3);
  bus.run();
  bus.seconds = 2000;
  bus.node(3).local(write("q/full", "three\n"));
  bus.seconds = 1500;
  bus.node(1).local(write("q/full", "one\n"));
  for (const id of [1, 3]) bus.join(id);
  bus.run();
  same(bus);
  expect(content(bus.node(1), "q/full")).toBe("three\n");
});

test("25: of three nodes that create one VMID at once exactly one does", () => {
  const bus = three();
  const paths = ["nodes/pve1/qemu-server/700.conf", "nodes/pve2/qemu-server/700.conf"];
  const sent = paths.map((path, i) => bus.node(i + 1).change({ op: "create", path }) as number);
  bus.run();
  expect(sent.map((count, i) => bus.node(i + 1).outcomes.get(count))).toEqual(["done", "EEXIST"]);
  expect(bus.node(3).memdb.guests.text()).toBe(bus.node(1).memdb.guests.text());
});

test("27: a lock is renewed by its maker alone, and goes 121 s after it was last seen changed when somebody asks", () => {
  const bus = three();
  const path = "priv/lock/domain-ha";
  const ask = (id: number): void => {
    const { checksum } = bus.node(id).memdb.lockAge(path) ?? { checksum: new Uint8Array(32) };
    bus.done(id, { op: "unlock request", path, checksum });
  };
  expect(bus.done(2, { op: "mkdir", path })).toBe("done");
  expect(bus.done(1, { op: "mkdir", path })).toBe("EEXIST");
  bus.seconds += 60;
  expect(bus.done(1, { op: "mtime", path, seconds: bus.seconds })).toBe("EACCES");
  expect(bus.done(2, { op: "mtime", path, seconds: bus.seconds })).toBe("done");
  bus.seconds += 120;
  ask(3);
  expect(names(bus.node(3), "priv/lock")).toEqual(["domain-ha"]);
  bus.seconds += 1;
  ask(3);
  expect(names(bus.node(3), "priv/lock")).toEqual([]);
  expect(bus.done(1, { op: "mkdir", path })).toBe("done");
  same(bus);
});

test("a lock's time begins anew where its state was taken over", () => {
  const bus = three();
  const path = "priv/lock/x";
  bus.split([2, 3], [1]);
  bus.run();
  expect(bus.done(2, { op: "mkdir", path })).toBe("done");
  bus.seconds += 100;
  bus.split([1, 2, 3]);
  bus.run();
  bus.seconds += 100;
  bus.done(3, { op: "unlock request", path, checksum: bus.node(3).memdb.lockAge(path)?.checksum ?? new Uint8Array(32) });
  expect(names(bus.node(2), "priv/lock")).toEqual(["x"]);
  bus.seconds += 21;
  bus.done(3, { op: "unlock request", path, checksum: bus.node(3).memdb.lockAge(path)?.checksum ?? new Uint8Array(32) });
  expect(names(bus.node(2), "priv/lock")).toEqual([]);
});

test("a change while the members show each other their states is done after it, on all", () => {
  const bus = three();
  bus.split([1, 2], [3]);
  bus.run();
  bus.split([1, 2, 3]);
  // The request to synchronise is ordered first, then node 2's change, then the states.
  bus.step();
  const sent = bus.node(2).change(write("q/full", "between\n")) as number;
  bus.run((count) => count - 1);
  expect(bus.node(2).outcomes.get(sent)).toBe("done");
  expect(content(bus.node(3), "q/full")).toBe("between\n");
  same(bus);
});

test("a newcomer during a synchronisation gets what the others had queued, from who sent it", () => {
  const bus = three();
  bus.leave(3);
  const sent = bus.node(2).change(write("q/full", "queued\n")) as number;
  // The change is ordered before the synchronisation begins, and waits.
  bus.step((count) => count - 1);
  expect(bus.node(1).dfsm.queueLength).toBe(1);
  bus.node(3).restart(31_000);
  bus.join(3);
  expect(bus.node(1).dfsm.queueLength).toBe(0);
  bus.run();
  expect(bus.node(2).outcomes.get(sent)).toBe("done");
  expect(content(bus.node(3), "q/full")).toBe("queued\n");
  same(bus);
});

test("the hourly verification finds a tree that is another, and that node comes to the others' state", () => {
  const bus = three();
  bus.node(1).dfsm.verify();
  bus.run();
  for (const node of bus.nodes) expect(node.lines).toEqual(["[dcdb] notice: data verification successful"]);
  const entry = bus.node(3).memdb.tree.lookup("q/full");
  if (entry === undefined) throw new Error("no file");
  bus.node(3).memdb.tree.put({ ...entry, data: new Uint8Array(1) });
  bus.node(1).dfsm.verify();
  bus.run();
  expect(bus.node(3).lines.slice(1, 3).join()).toMatch(
    /wrong checksum [0-9A-F]{16} != [0-9A-F]{16} - restarting,\[dcdb\] crit: leaving CPG group/,
  );
  bus.join(3);
  bus.run();
  expect(bus.node(3).dfsm.mode).toBe("synced");
  expect(bus.node(3).digest()).toBe(bus.node(1).digest());
});

test("what was queued behind the leader's updates when the group changes again comes with the leader's state, once", () => {
  const bus = three();
  bus.split([1, 2], [3]);
  bus.run();
  expect(bus.done(1, write("q/full", "a"))).toBe("done");
  bus.split([1, 2, 3]);
  // The states are ordered, the updates not yet.
  while (bus.node(3).dfsm.mode !== "update") bus.step((count) => count - 1);
  bus.node(2).change(write("q/full", "b", false));
  bus.step((count) => count - 1);
  expect(bus.node(3).dfsm.queueLength).toBe(1);
  bus.leave(2);
  bus.run();
  expect(bus.apart()).toBeUndefined();
  expect(bus.node(3).memdb.version).toBe(bus.node(1).memdb.version);
});
