// Path MTU discovery as the real one was seen to go: interfaces of other MTUs, and networks that swallow large packets.
import { expect, test } from "vitest";
import { readFromAfar } from "../../src/engine/config/index.ts";
import { transportLines } from "../../src/engine/corosync/lines.ts";
import { KNET_NET_MTU, SEC, type Instant } from "../../src/engine/kernel/index.ts";
import { TotemPg } from "../../src/engine/totem/pg.ts";
import { World, type WorldDesign } from "../../src/engine/world/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { goodConf } from "../conf/good.ts";

function design(totem: Record<string, string | number> = {}): WorldDesign {
  const lab = defaultLabFile({ nodes: 2, links: 1, clustered: true, name: "mtu", seed: "mtu", epoch: "2026-01-01T00:00:00Z" });
  return worldDesign({ ...lab, cluster: { name: "lab", links: ["net0"], totem: { token: 1000, token_coefficient: 0, ...totem } } });
}

/** A formed cluster at 20 s. */
function formed(totem?: Record<string, string | number>): World {
  const world = new World(design(totem), makeNode);
  world.runUntil(20 * SEC);
  return world;
}

function setMtu(world: World, node: string, direction: "in" | "out" | "both", mtuBytes: number): void {
  world.act({ to: "fabric", act: { kind: "link-set", link: { node, net: "net0", direction }, settings: { mtuBytes } } });
}

const saidSince = (world: World, node: string, from: Instant): [number, string][] =>
  world
    .named(node)
    .journalSince(0)
    .filter((l) => l.instant >= from && l.text.startsWith("pmtud: ") && l.level !== "debug")
    .map((l) => [Math.round((l.instant - from) / SEC), l.text]);

const mtuOf = (world: World, node: string): number | undefined => world.status(node).corosync?.links[0]?.mtu;

test("1500 bytes of Ethernet carry 1397 of data, 1446 without encryption", () => {
  expect([formed(), formed({ secauth: "off" })].map((world) => mtuOf(world, "pve1"))).toEqual([1397, 1446]);
});

test.each([
  ["aes256", "md5", 485, 1413],
  ["aes256", "sha1", 485, 1397],
  ["aes128", "sha256", 469, 1397],
  ["aes256", "sha384", 453, 1381],
  ["aes256", "sha512", 437, 1365],
  ["none", "sha1", 502, 1426],
  ["none", "sha256", 490, 1414],
])("cipher %s and hash %s: at first %i, then %i, as recorded", (crypto_cipher, crypto_hash, first, then) => {
  const said = saidSince(formed({ crypto_cipher, crypto_hash }), "pve1", 0).map(([, text]) => text);
  expect(said.slice(-2)).toEqual([
    `pmtud: PMTUD link change for host: 2 link: 0 from ${first} to ${then}`,
    `pmtud: Global data MTU changed to: ${then}`,
  ]);
});

test("the kernel knows its own interface: the next round finds a lower or a higher MTU at once", () => {
  const world = formed();
  setMtu(world, "pve1", "out", 1400);
  world.runUntil(60 * SEC);
  expect([mtuOf(world, "pve1"), mtuOf(world, "pve2")]).toEqual([1285, 1397]);
  expect(saidSince(world, "pve1", 20 * SEC).map(([, text]) => text)).toEqual([
    "pmtud: PMTUD link change for host: 2 link: 0 from 1397 to 1285",
    "pmtud: Global data MTU changed to: 1285",
  ]);
  for (const node of ["pve1", "pve2"]) setMtu(world, node, "both", 9000);
  world.runUntil(100 * SEC);
  expect([mtuOf(world, "pve1"), mtuOf(world, "pve2")]).toEqual([8885, 8885]);
});

test("a network that swallows large packets is found out after two minutes of growing patience", () => {
  const world = formed();
  setMtu(world, "pve1", "in", 1400);
  setMtu(world, "pve2", "in", 1400);
  world.runUntil(400 * SEC);
  const said = saidSince(world, "pve1", 20 * SEC);
  // Recorded: 30 s to the next round, 127.2 s until the first warning, 64 s more for the one probe of the search that is lost.
  const first = said[0]?.[0] ?? 0;
  expect(said.slice(0, 4).map(([at, text]) => [at - first, text.slice(0, 70)])).toEqual([
    [0, "pmtud: possible MTU misconfiguration detected. kernel is reporting MTU"],
    [0, "pmtud: This can be caused by this node interface MTU too big or a netw"],
    [64, "pmtud: PMTUD link change for host: 2 link: 0 from 1397 to 1285"],
    [64, "pmtud: Global data MTU changed to: 1285"],
  ]);
  expect(world.status("pve1").corosync?.members).toEqual([1, 2]);
});

test("without encryption one silence is enough: two seconds for the four probes that are lost", () => {
  const world = formed({ secauth: "off" });
  setMtu(world, "pve1", "in", 1400);
  setMtu(world, "pve2", "in", 1400);
  world.runUntil(55 * SEC);
  expect(mtuOf(world, "pve1")).toBe(1346);
  const said = saidSince(world, "pve1", 20 * SEC);
  expect((said.at(-1)?.[0] ?? 0) - (said[0]?.[0] ?? 0)).toBeLessThanOrEqual(3);
});

test("while it searches, a snapshot goes on to the same digest", () => {
  const world = formed();
  setMtu(world, "pve1", "both", 1000);
  setMtu(world, "pve2", "in", 1000);
  world.runUntil(90 * SEC);
  const copy = world.fork();
  for (const one of [world, copy]) one.runUntil(300 * SEC);
  expect(copy.digest()).toBe(world.digest());
  expect(mtuOf(world, "pve1")).toBe(885);
});

test("netmtu: Totem's own packets end at it, and the daemon says so", () => {
  const set = readFromAfar(goodConf(2).replace("  version: 2", "  netmtu: 1300\n  version: 2"));
  expect(transportLines(set).filter((l) => l.text.endsWith("Maximum network MTU 1210"))).toHaveLength(1);
  expect(transportLines(readFromAfar(goodConf(2))).filter((l) => l.text.includes("65446"))).toHaveLength(1);
  const sizes = (netMtu: number): number[] => {
    const frames: number[] = [];
    const pg = new TotemPg(
      netMtu,
      (frame) => void frames.push(frame.length),
      () => 64,
    );
    pg.mcast(new Uint8Array(3000));
    pg.flush();
    return frames;
  };
  expect(sizes(KNET_NET_MTU)).toHaveLength(1);
  expect(sizes(1210)).toHaveLength(3);
  expect(Math.max(...sizes(1210))).toBeLessThanOrEqual(1210);
});
