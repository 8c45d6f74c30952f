/** Lines on real nodes of a world: time passes only while a line waits, and the same lines give the same world. */
import { afterEach, describe, expect, it } from "vitest";
import { writePveConf } from "../../src/engine/config/index.ts";
import { SEC, utf8 } from "../../src/engine/kernel/index.ts";
import { makeNode } from "../../src/engine/node/index.ts";
import { InvariantWatch } from "../../src/engine/world/checkers/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { runLine } from "../../src/main/shell/exec.ts";
import { PortError } from "../../src/main/shell/port.ts";
import { WorldPort } from "../../src/main/shell/world-port.ts";

const NAMES = ["pve1", "pve2", "pve3"];

function lab(): World {
  const conf = writePveConf({
    clusterName: "lab",
    configVersion: 1,
    nodes: NAMES.map((name, i) => ({ name, nodeId: i + 1, votes: 1, addresses: [`10.0.0.${i + 11}`] })),
    links: [{ link: 0 }],
  });
  const world = new World(
    {
      name: "lab",
      seed: "shell",
      epochUnixMicros: 1_767_225_600 * SEC,
      networks: [{ name: "net0", cidr: "10.0.0.0/24" }],
      machines: NAMES.map((name, i) => ({
        kind: "node" as const,
        name,
        hostname: name,
        domain: "lab.local",
        nics: [{ name: "eno1", net: "net0", address: `10.0.0.${i + 11}` }],
        hosts: NAMES.map((n, j) => ({ address: `10.0.0.${j + 11}`, names: [`${n}.lab.local`, n] })),
        files: [
          { path: "/etc/corosync/corosync.conf", data: utf8(conf) },
          { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(7), mode: 0o400 },
        ],
        boot: 5 * SEC,
        disabledUnits: [],
        power: "on" as const,
      })),
      faults: [],
    },
    makeNode,
  );
  world.runUntil(20 * SEC);
  return world;
}

const ports: WorldPort[] = [];

async function on(world: World, node: string, line: string): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const port = new WorldPort(world, node);
  ports.push(port);
  const status = await runLine(port, line, { stdout: (text) => (out += text), stderr: (text) => (err += text) });
  return { status, out, err };
}

afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

describe("lines on the nodes of a world", () => {
  it("a status command answers at once: no virtual time passes", async () => {
    const world = lab();
    const before = world.now;
    expect((await on(world, "pve1", "pvecm status | grep Quorate")).out).toBe("Quorate:          Yes\nFlags:            Quorate \n");
    expect((await on(world, "pve1", "pvecm status | grep -E 'Expected|Total'")).out).toBe("Expected votes:   3\nTotal votes:      3\n");
    expect(
      (await on(world, "pve2", "corosync-quorumtool -s > /dev/null; echo $?; ls -la /var/lib/corosync | tail -n 1 | awk '{print $1, $9}'"))
        .out,
    ).toBe("0\n-rw------- ringid_2\n");
    expect(world.now).toBe(before);
  });

  it("sleep takes exactly its time, a command that acts as long as it acts", async () => {
    const world = lab();
    const before = world.now;
    expect((await on(world, "pve1", "date +%T; sleep 2.5; date +%T.%N")).out).toBe("00:00:20\n00:00:22.500000000\n");
    expect(world.now - before).toBe(2.5 * SEC);
    const { out } = await on(world, "pve3", "systemctl stop corosync; systemctl is-active corosync; corosync-quorumtool");
    expect(out).toBe("inactive\n");
    expect((await on(world, "pve1", "sleep 5; pvecm status | grep 'Total votes'")).out).toBe("Total votes:      2\n");
  });

  it("a followed journal ends with its reader", async () => {
    const world = lab();
    const { out, status } = await on(
      world,
      "pve1",
      "(sleep 3; systemctl restart corosync) & journalctl -f -n 0 -u corosync | grep -m 1 TOTEM | sed 's/.*TOTEM/TOTEM/'; wait",
    );
    expect(out).toMatch(/^TOTEM \] /);
    expect(status).toBe(0);
  });

  it("files written by the shell are files of the node", async () => {
    const world = lab();
    await on(world, "pve1", "echo hello > /root/a; mkdir -p /root/d/e; mv /root/a /root/d/e/b; chmod 600 /root/d/e/b");
    expect((await on(world, "pve1", "cd /root/d; cat */b; stat -c %a e/b; find . -type f")).out).toBe("hello\n600\n./e/b\n");
    expect((await on(world, "pve2", "ls /root/d")).err).toBe("ls: cannot access '/root/d': No such file or directory\n");
  });

  it("two worlds with the same lines end at the same digest", async () => {
    const digests = [];
    for (let run = 0; run < 2; run++) {
      const world = lab();
      await on(
        world,
        "pve1",
        "for i in 1 2 3; do echo $RANDOM >> /root/r; sleep 0.1; done; timeout 2 journalctl -f | while read l; do echo x; done | wc -l",
      );
      await on(world, "pve2", "corosync-quorumtool -e 3; sleep 1 & sleep 2; sort /etc/hosts | tee /root/s | md5sum > /root/m; wait");
      digests.push(`${world.now} ${world.closeInstant().digest}`);
    }
    expect(digests[0]).toBe(digests[1]);
  });

  it("queries leave the digest as it was", async () => {
    const [asked, silent] = [lab(), lab()];
    await on(
      asked,
      "pve1",
      "pvecm status; pvecm nodes; corosync-cfgtool -s; corosync-cmapctl | head; ls -R / > /dev/null; cat /etc/hosts; systemctl status corosync; journalctl | tail",
    );
    expect(asked.closeInstant().digest).toBe(silent.closeInstant().digest);
  });

  it("a node that is off or unknown is the lab's failure: 255", async () => {
    const world = lab();
    world.act({ to: "machine", machine: "pve3", act: { kind: "power-cut" } });
    expect(await on(world, "pve3", "echo x")).toEqual({ status: 255, out: "", err: "pve3 is powered off\n" });
    expect(() => new WorldPort(world, "pve9")).toThrow(PortError);
  });

  it("a node that loses its power under a command ends the line with 255", async () => {
    const world = lab();
    world.schedule(world.now + 2 * SEC, { to: "machine", machine: "pve2", act: { kind: "power-cut" } });
    const { status, err } = await on(world, "pve2", "journalctl -f > /dev/null; echo not reached");
    expect([status, err]).toEqual([255, "Connection to pve2 closed.\n"]);
  });

  it("the invariants know what is typed: who takes the ring's number away begins anew, who overrides votes may", async () => {
    const world = lab();
    const watch = new InvariantWatch(world);
    watch.begin(world.statuses(), world.inputs());
    world.watch(watch);
    for (const node of ["pve1", "pve2", "pve3"]) await on(world, node, "systemctl stop corosync");
    const { out } = await on(
      world,
      "pve3",
      "rm -r /var/lib/corosync/ringid_3; systemctl start corosync; sleep 8; pvecm expected 1; sleep 2; pvecm status | grep -E '^(Ring ID|Quorate):'",
    );
    expect(out).toMatch(/^Ring ID: {10}3\.[0-9a-f]\nQuorate: {10}Yes\n$/);
    await on(world, "pve1", "systemctl start corosync; sleep 8");
    expect(watch.violations).toEqual([]);
  });
});
