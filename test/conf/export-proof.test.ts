/**
 * The export works on real hosts. The files a lab exports are put where its README says, on three hosts with real corosync, and the daemons form a
 * quorate cluster. And the daemon's own `corosync -t` agrees with the lab's reading of a few hundred broken files, word for word.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { confKeys, parseConf, verifyConf } from "../../src/engine/config/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";
import { exportLab } from "../../src/main/lab/file/export.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { brokenConf } from "./arbitrary.ts";
import { node1 } from "./good.ts";
import { noRealHosts, RealHosts } from "./real-hosts.ts";
import { realVerdicts, verdictHere } from "./real-verdicts.ts";

const why = noRealHosts();
if (why !== undefined) console.log(`export proof: skipped, ${why} (it runs real corosync daemons as root on Debian)`);

const lab = defaultLabFile({ nodes: 3, links: 2, clustered: true, name: "lab", seed: "1", epoch: "2026-01-01T00:00:00Z" });
const names = Object.keys(lab.nodes);
const nets = Object.keys(lab.networks);
const CONF = "/etc/corosync/corosync.conf";
const KEY = "/etc/corosync/authkey";
const BROKEN_FILES = 300;

/** Waits for something another process does; wall time, because these are real daemons. */
async function until(what: string, seconds: number, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

describe.skipIf(why !== undefined)("on three real hosts", () => {
  let hosts: RealHosts;
  /** A fourth host, beside the cluster: the one the broken files are written for. */
  const reader = { hostname: node1.hostname, addresses: ["10.10.0.1/24", "10.10.1.1/24"] };
  const conf = exportLab(lab, new World(worldDesign(lab), makeNode)).find((f) => f.path === "corosync.conf")?.text ?? "";

  beforeAll(() => {
    const plans = names.map((name) => ({ name, addresses: nets.map((net) => `${lab.nodes[name]?.nets[net] ?? ""}/24`) }));
    hosts = new RealHosts([...plans, { name: reader.hostname, addresses: reader.addresses }]);
  }, 60_000);

  afterAll(async () => hosts.close());

  test("the exported corosync.conf and a new key make a quorate cluster", { timeout: 120_000 }, async () => {
    for (const name of names) hosts.write(name, CONF, conf, "0644");
    expect(hosts.run("pve1", "corosync-keygen", "-l").status).toBe(0);
    for (const name of names.slice(1)) hosts.copy("pve1", name, KEY);
    for (const name of names) expect(hosts.run(name, "corosync", "-t")).toMatchObject({ status: 0 });

    for (const name of names) hosts.startCorosync(name);
    const status = (name: string): string => hosts.run(name, "corosync-quorumtool", "-s").stdout;
    await until("three nodes, quorate, on every host", 60, () =>
      names.every((name) => /^Quorate: +Yes$/m.test(status(name)) && /^Nodes: +3$/m.test(status(name))),
    );
    const rings = names.map((name) => /^Ring ID: +(\S+)$/m.exec(status(name))?.[1]);
    expect(new Set(rings).size).toBe(1);

    // both links are up, between all three
    await until("every link connected", 30, () =>
      names.every((name) => (hosts.run(name, "corosync-cfgtool", "-n").stdout.match(/enabled connected/g) ?? []).length === 4),
    );

    // and every key of the running daemon that comes from the file is the one the lab's own daemon would show
    const fromFile = /^(logging|nodelist|quorum|totem)\./;
    for (const [i, name] of names.entries()) {
      const parsed = parseConf(conf);
      const here = verifyConf(parsed, {
        hostname: name,
        addresses: nets.map((net) => lab.nodes[name]?.nets[net] ?? ""),
        resolve: () => [],
      });
      if (!here.ok) throw new Error(here.messages.map((m) => m.text).join("\n"));
      expect(here.config.localPosition).toBe(i);
      const shown = hosts.run(name, "corosync-cmapctl").stdout.split("\n");
      expect(shown.filter((line) => fromFile.test(line))).toEqual(
        confKeys(here.config, parsed.values).map((k) => `${k.key} (${k.type}) = ${k.value}`),
      );
      expect(shown).toContain(`runtime.config.totem.token (u32) = ${here.config.totem.tokenMs}`);
    }
  });

  test(`corosync -t says of ${BROKEN_FILES} broken files what the lab says`, { timeout: 120_000 }, () => {
    const files = fc.sample(brokenConf, { numRuns: BROKEN_FILES, seed: 11 });
    hosts.write(reader.hostname, KEY, "k".repeat(256), "0400");
    const host = { ...node1, authkeyBytes: (path: string): number | null => (path === KEY ? 256 : null) };
    const tally = new Map<number, number>();
    realVerdicts(hosts, reader.hostname, files).forEach((real, i) => {
      const text = files[i] ?? "";
      expect({ text, ...verdictHere(text, host) }).toEqual({ text, ...real });
      tally.set(real.status, (tally.get(real.status) ?? 0) + 1);
    });
    // accepted and refused, by the parser and by the logging rules
    expect(tally.get(0) ?? 0).toBeGreaterThan(20);
    expect(tally.get(8) ?? 0).toBeGreaterThan(20);
  });
});
