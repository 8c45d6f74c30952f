/** A corosync.conf with a quorum device becomes a lab whose device votes: the server's machine, the way to it, the package on the nodes, the file as it is. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World } from "../../src/engine/world/index.ts";
import { importConfFile } from "../../src/main/cli/files.ts";
import { beginLab } from "../../src/main/lab/scenario/advance.ts";
import { confOf, worldDesign } from "../../src/main/lab/file/design.ts";
import { importedLab } from "../../src/main/lab/file/import.ts";
import { parseLabFile, printLabFile } from "../../src/main/lab/file/labfile.ts";
import type { LabFile } from "../../src/main/lab/file/labfile-schema.ts";

const dir = mkdtempSync(join(tmpdir(), "quorate-import-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Names beside addresses on link 0; the lines of the device's net section. */
function conf(nodes: Record<string, string>, net: readonly string[], votes = "    votes: 1\n"): string {
  const list = Object.entries(nodes).map(
    ([name, address], i) => `  node {\n    name: ${name}\n    nodeid: ${i + 1}\n    quorum_votes: 1\n    ring0_addr: ${address}\n  }\n`,
  );
  const device = `  device {\n    model: net\n    net {\n${net.map((line) => `      ${line}\n`).join("")}    }\n${votes}  }\n`;
  return `nodelist {\n${list.join("")}}\nquorum {\n${device}  provider: corosync_votequorum\n}\ntotem {\n  cluster_name: office\n  config_version: 5\n  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n  secauth: on\n  version: 2\n}\n`;
}

const two = { a1: "10.9.0.1", a2: "10.9.0.2" };

/** The lab as \`up --import\` makes it of a file, begun. */
function begun(text: string): { lab: LabFile; world: World; why: string | undefined } {
  const path = join(dir, "corosync.conf");
  writeFileSync(path, text);
  const lab = parseLabFile(printLabFile({ ...importConfFile(path), seed: "i" }), "lab.yaml");
  const world = new World(worldDesign(lab), makeMachine);
  return { lab, world, why: beginLab(world, lab) };
}

describe("an imported quorum device", () => {
  it("has its server's machine, the package on the nodes and the file verbatim", () => {
    const text = conf(two, ["algorithm: ffsplit", "host: 10.9.0.5"]);
    const lab = importedLab(text, "corosync.conf");
    expect(lab.qnetd).toEqual({ qnetd: { nets: { net0: "10.9.0.5" } } });
    expect(lab.nodes).toEqual({
      a1: { nets: { net0: "10.9.0.1" }, packages: ["corosync-qdevice"] },
      a2: { nets: { net0: "10.9.0.2" }, packages: ["corosync-qdevice"] },
    });
    expect(confOf(lab)).toBe(text);
    expect(worldDesign(lab).machines.map((m) => `${m.name} ${m.kind}`)).toEqual(["a1 node", "a2 node", "qnetd qnetd"]);
  });

  it.each([
    ["on the link's network", two, ["algorithm: ffsplit", "host: 10.9.0.5", "tls: off"], "10.9.0.5"],
    ["on a network of its own", two, ["algorithm: ffsplit", "host: 192.168.3.4"], "192.168.3.4"],
    ["called by a name", two, ["host: witness.example.com"], "10.9.0.100"],
    ["called by the machine's name", two, ["host: qnetd"], "10.9.0.100"],
    ["of IPv6, written another way", two, ["host: FD00:0::5"], "fd00::5"],
    [
      "where the nodes are called by names too",
      { a1: "left.example.com", a2: "right.example.com" },
      ["host: far.example.com"],
      "10.0.0.100",
    ],
  ] as const)("votes: the server is %s", (_, nodes, net, address) => {
    const { world, why } = begun(conf(nodes, net));
    expect(why).toBeUndefined();
    expect(world.design.machines[2]?.nics.map((n) => n.address)).toEqual([address]);
    for (const name of ["a1", "a2"]) {
      expect(world.status(name).quorum).toMatchObject({ quorate: true, expectedVotes: 3, totalVotes: 3 });
      expect(world.status(name).quorum?.qdevice).toMatchObject({ registered: true, alive: true, castVote: true, state: "Connected" });
    }
    expect(world.status("qnetd").qnetd?.clusters.map((c) => [c.name, c.clients.map((one) => one.nodeId).sort()])).toEqual([
      ["office", [1, 2]],
    ]);
  });

  it("of lms, with the votes corosync counts itself, votes as well", () => {
    const { world, why } = begun(conf({ ...two, a3: "10.9.0.3" }, ["algorithm: lms", "host: 10.9.0.5"], ""));
    expect(why).toBeUndefined();
    expect(world.status("a3").quorum).toMatchObject({ quorate: true, expectedVotes: 5, totalVotes: 5 });
  });

  it("that its own daemon refuses is told when the cluster begins, in the daemon's words", () => {
    expect(begun(conf(two, ["algorithm: ffsplit", "host: 10.9.0.5"], "    votes: 2\n")).why).toBe(
      "corosync-qdevice failed on a1: 50:50 split algorithm works only if quorum.device.votes configuration key is set to 1!",
    );
    expect(begun(conf(two, ["algorithm: ffsplit"])).why).toBe(
      "corosync-qdevice failed on a1: Qdevice net daemon address is not defined (quorum.device.net.host)",
    );
  });

  it("whose server is one of the nodes is refused with its place", () => {
    expect(() => importedLab(conf(two, ["host: 10.9.0.2"]), "x.conf")).toThrow("x.conf:19:13: the quorum device's server is a2 itself");
  });
});
