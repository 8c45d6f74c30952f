/** Which release of corosync a node runs: what `node set` changes and when, an upgrade of three nodes one at a time, and how long a dead link goes unnoticed after the token was changed by a reload. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { RELEASES, checkConf, type Release } from "../../src/engine/config/index.ts";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World, parseRecord, replay } from "../../src/engine/world/index.ts";
import { readAct } from "../../src/main/lab/act/table.ts";
import { sceneOf } from "../../src/main/lab/act/kind.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import { runScenario } from "../../src/main/lab/scenario/scenario.ts";
import { goodConf, replace, withKey } from "../conf/good.ts";
import { labOf } from "../conformance/lab.ts";
import { typed } from "../typing.ts";

const UPGRADE = new URL("../../resources/scenarios/upgrade-to-9.2.yaml", import.meta.url);

async function type(world: World, node: string, line: string): Promise<{ out: string; err: string; status: number }> {
  const { stdout, stderr, status } = await typed(world, node, line);
  return { out: stdout, err: stderr, status };
}

function started(conf: string, release: Release): World {
  const world = new World(labOf(conf, "release", release), makeNode);
  world.runUntil(20 * SEC);
  for (const machine of world.names) world.act({ to: "machine", machine, act: { kind: "service", op: "start", unit: "corosync" } });
  world.runUntil(30 * SEC);
  return world;
}

function write(world: World, text: string): void {
  for (const machine of world.names)
    world.act({
      to: "machine",
      machine,
      act: { kind: "file-write", path: "/etc/corosync/corosync.conf", data: utf8(text), append: false },
    });
}

describe("an upgrade", () => {
  test("of three nodes, one at a time, quorate throughout; its record replays to the same digest", async () => {
    const { result, record } = await runScenario(parseLabFile(readFileSync(UPGRADE, "utf8"), "upgrade"), "upgrade");
    expect(result.steps.filter((s) => !s.passed)).toEqual([]);
    expect(result.passed).toBe(true);
    const read = parseRecord(record);
    if (!read.ok) throw new Error(read.message);
    const again = replay(worldDesign(parseLabFile(read.record.lab, "record")), makeNode, read.record);
    expect([again.digest, again.equal]).toEqual([result.digest, true]);
  });
});

describe("the release of a node", () => {
  test("is in the lab file, for all and for one, and comes back as it was written", () => {
    const lab = parseLabFile(
      'quorate: 1\nrelease: 9.1\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n  pve1: { net0: 10.0.0.11 }\n  pve2: { net0: 10.0.0.12, release: "3.1.7" }\n',
      "lab.yaml",
    );
    expect(worldDesign(parseLabFile(printLabFile(lab), "again")).machines.map((m) => m.release)).toEqual(["9.1", "3.1.7"]);
    expect(() =>
      parseLabFile("quorate: 1\nrelease: 8\nnetworks: { net0: 10.0.0.0/24 }\nnodes:\n  pve1: { net0: 10.0.0.11 }\n", "lab.yaml"),
    ).toThrow("lab.yaml:2:10: release: one of 9.2, 9.1, 3.1.7 is allowed");
  });

  test("is set by a line, holds over a snapshot, and a line that names none is refused", () => {
    const world = started(goodConf(1), "3.1.7");
    const { acts, said } = readAct("node set node1 --release 9.2", sceneOf(world));
    expect(said).toBe("node1: packages of 9.2 installed");
    for (const act of acts) world.act(act);
    const fork = world.fork();
    expect(fork.design.machines.map((m) => m.release)).toEqual(["9.2"]);
    fork.act({ to: "machine", machine: "node1", act: { kind: "service", op: "restart", unit: "corosync" } });
    fork.runUntil(fork.now + 5 * SEC);
    const starts = fork
      .named("node1")
      .journalSince(0)
      .flatMap((l) => /Engine (\S+) starting/.exec(l.text)?.[1] ?? []);
    expect(starts).toEqual(["3.1.7", "3.1.10"]);
    expect(() => readAct("node set node1 --release 8", sceneOf(world))).toThrow('unknown release "8"; there are: 9.2, 9.1, 3.1.7');
    expect(() => readAct("node set node1", sceneOf(world))).toThrow("node set: NAME --release RELEASE");
  });
});

describe("a token changed by a reload", () => {
  /** From the cut of a node's cable to the line that says its link is down, seconds. */
  async function noticed(release: Release): Promise<{ timeout: string; seconds: number }> {
    const conf = goodConf(3);
    const world = started(conf, release);
    write(world, replace(withKey(conf, "totem", "token: 10000"), "config_version: 1", "config_version: 2"));
    expect((await type(world, "node1", "corosync-cfgtool -R")).status).toBe(0);
    world.runUntil(world.now + 30 * SEC);
    const { out } = await type(world, "node1", "corosync-cmapctl -g runtime.config.totem.interface.0.knet_ping_timeout");
    world.act({ to: "fabric", act: { kind: "link-cut", link: { node: "node3", net: "link0", direction: "both" } } });
    const cut = world.now;
    world.runUntil(cut + 30 * SEC);
    const down = world
      .named("node1")
      .journalSince(0)
      .find((l) => l.instant > cut && l.text === "link: host: 3 link: 0 is down");
    return { timeout: out.trim().replace(/^.* = /, ""), seconds: ((down?.instant ?? Infinity) - cut) / SEC };
  }

  test("3.1.7: a dead link is noticed as soon as before, since knet's timers stay", async () => {
    const { timeout, seconds } = await noticed("3.1.7");
    expect(timeout).toBe("1825");
    expect(seconds).toBeLessThan(2.2);
  });

  test("9.2: the timers follow, and it takes as long as the new token wants it", async () => {
    const { timeout, seconds } = await noticed("9.2");
    expect(timeout).toBe("5325");
    expect(seconds).toBeGreaterThan(2.6);
    expect(seconds).toBeLessThan(6);
  });
});

describe("a reload that cannot be applied", () => {
  const refused = replace(goodConf(3), "config_version: 1", "config_version: many");
  test.each<[Release, number]>([
    ["3.1.7", 134],
    ["9.2", 0],
  ])("%s: a config_version that is no number", async (release, status) => {
    const world = started(goodConf(1), release);
    write(world, refused);
    expect((await type(world, "node1", "corosync -t")).status).toBe(release === "9.2" ? 8 : status);
    if (release !== "9.2") return;
    const { err, status: exit } = await type(world, "node1", "corosync-cfgtool -R");
    expect([exit, err]).toEqual([0, "Could not reload configuration. Error CS_ERR_INVALID_PARAM\n"]);
  });

  test("9.2 tells of ping timers that libknet does not take, and keeps the old ones", async () => {
    const conf = goodConf(3);
    const world = started(conf, "9.2");
    write(world, replace(conf, "    linknumber: 0\n", "    knet_ping_interval: 300\n    knet_ping_timeout: 100\n    linknumber: 0\n"));
    const { out, err, status } = await type(world, "node1", "corosync-cfgtool -R");
    expect({ out, err, status }).toEqual({
      out: "Reloading corosync.conf...\nDone\nERROR from reload: Failed to set knet ping timers(2) - see syslog for more information\n",
      err: "Errors in appying config, corosync.conf might not match the running system\n",
      status: 1,
    });
    expect((await type(world, "node1", "corosync-cmapctl -g config.reload_error_message")).out).toBe(
      "config.reload_error_message (str) = Failed to set knet ping timers(2)\n",
    );
    world.runUntil(world.now + 10 * SEC);
    expect(world.status("node1").corosync?.links.every((l) => l.connected)).toBe(true);
    write(world, conf);
    expect((await type(world, "node1", "corosync-cfgtool -R")).status).toBe(0);
    expect((await type(world, "node1", "corosync-cmapctl -g config.reload_error_message")).status).toBe(1);
  });
});

describe("conf check by release", () => {
  const codes = (text: string, release: Release): string[] =>
    checkConf(text, release).flatMap((f) =>
      f.severity === "error" || f.code === "no-break-space" || f.code === "sctp" ? [`${f.severity} ${f.code}`] : [],
    );

  test.each<[string, string, Record<Release, string[]>]>([
    [
      "a ping timeout below 200 ms",
      withKey(goodConf(2), "totem", "token: 300"),
      { "9.2": ["error ping-timeout-low"], "9.1": ["error ping-timeout-low"], "3.1.7": [] },
    ],
    ["a mark that is none", withKey(goodConf(2), "totem", "ip_dscp: voice"), { "9.2": ["error invalid-value"], "9.1": [], "3.1.7": [] }],
    [
      "a number of redundant rings",
      withKey(goodConf(2), "totem", "rrp_problem_count_timeout: abc"),
      { "9.2": [], "9.1": ["error not-a-number"], "3.1.7": ["error not-a-number"] },
    ],
  ])("%s", (_, text, expected) => {
    for (const release of RELEASES) expect([release, codes(text, release)]).toEqual([release, expected[release]]);
  });

  test("SCTP and a no-break space are warned of in all", () => {
    const spaced = replace(goodConf(2), "secauth: on", "secauth: on\u00A0");
    const sctp = replace(goodConf(2), "    linknumber: 0\n", "    knet_transport: sctp\n    linknumber: 0\n");
    for (const release of RELEASES) {
      expect(codes(spaced, release)).toContain("warning no-break-space");
      expect(codes(sctp, release)).toContain("warning sctp");
    }
  });
});
