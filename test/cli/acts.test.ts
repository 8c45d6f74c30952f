/** Acting lines: what each means, and what a wrong one is told. */
import { describe, expect, it } from "vitest";
import type { FabricAct } from "../../src/engine/fabric/index.ts";
import type { MachineAct } from "../../src/engine/kernel/machine.ts";
import { unitNames } from "../../src/engine/node/index.ts";
import type { TopologyAct, WorldAct } from "../../src/engine/world/index.ts";
import { splitLine } from "../../src/main/lab/act/command-line.ts";
import { sceneAfter, type Scene } from "../../src/main/lab/act/kind.ts";
import { KINDS, lineOf, oppositeOf, readAct } from "../../src/main/lab/act/table.ts";
import { defaultLabFile } from "../../src/main/lab/file/default-lab.ts";
import { worldDesign } from "../../src/main/lab/file/design.ts";

/** pve1 and pve2 are on net0 and net1, pve3 is on net0 alone. */
function scene(): Scene {
  const file = defaultLabFile({
    nodes: 3,
    links: 2,
    clustered: false,
    qdevice: false,
    name: "lab",
    seed: "1",
    epoch: "2026-01-01T00:00:00Z",
  });
  delete file.nodes["pve3"]?.nets["net1"];
  const design = worldDesign(file);
  return { design, units: (name) => design.machines.filter((m) => m.name === name).flatMap(unitNames) };
}

const fabric = (act: FabricAct): WorldAct => ({ to: "fabric", act });
const lab = (act: TopologyAct): WorldAct => ({ to: "lab", act });
const machine = (name: string, act: MachineAct): WorldAct => ({ to: "machine", machine: name, act });

describe("an acting line is read the same wherever it comes from", () => {
  it.each<[string, WorldAct[], string]>([
    ["node start pve1 pve2", [machine("pve1", { kind: "power-on" }), machine("pve2", { kind: "power-on" })], "pve1, pve2 powered on"],
    ["node stop pve1", [machine("pve1", { kind: "shutdown" })], "pve1 shut down"],
    ["node pause pve1", [machine("pve1", { kind: "stall" })], "pve1 stalled"],
    [
      "service stop pve1 corosync.service",
      [machine("pve1", { kind: "service", op: "stop", unit: "corosync" })],
      "pve1: systemctl stop corosync",
    ],
    ["service pause pve1 corosync", [machine("pve1", { kind: "service-stall", unit: "corosync" })], "pve1: SIGSTOP to corosync"],
    [
      "link cut pve3:net0 --direction in",
      [fabric({ kind: "link-cut", link: { node: "pve3", net: "net0", direction: "in" } })],
      "cut cable pve3:net0 (in)",
    ],
    ["link cut pve1 --to pve2", [fabric({ kind: "link-cut", link: { node: "pve1", to: "pve2", direction: "both" } })], "cut pve1 to pve2"],
    [
      "link heal pve1:net1",
      [fabric({ kind: "link-heal", link: { node: "pve1", net: "net1", direction: "both" } })],
      "healed cable pve1:net1",
    ],
    [
      "link set pve2:net0 --delay 20 --jitter 5ms --loss 3% --dup=1 --reorder 2",
      [
        fabric({
          kind: "link-set",
          link: { node: "pve2", net: "net0", direction: "both" },
          settings: { delayUs: 20_000, jitterUs: 5000, lossPercent: 3, dupPercent: 1, reorderPercent: 2 },
        }),
      ],
      "cable pve2:net0: delay 20 ms, jitter 5 ms, loss 3 %, duplication 1 %, reordering 2 %",
    ],
    [
      "link set pve1:net0 --rate 10 --mtu 1400",
      [
        fabric({
          kind: "link-set",
          link: { node: "pve1", net: "net0", direction: "both" },
          settings: { rateMbit: 10, mtuBytes: 1400 },
        }),
      ],
      "cable pve1:net0: rate 10 Mbit/s, MTU 1400 bytes",
    ],
    ["switch off net1", [fabric({ kind: "switch", net: "net1", on: false })], "switch net1 off"],
    ["partition pve1,pve2 pve3", [fabric({ kind: "partition", groups: [["pve1", "pve2"], ["pve3"]] })], "partition pve1,pve2 | pve3"],
    ["heal", [fabric({ kind: "heal" })], "healed every network"],
    [
      "block pve1 5405/udp",
      [fabric({ kind: "block", block: { node: "pve1", port: 5405, proto: "udp" }, on: true })],
      "pve1 blocks 5405/udp",
    ],
    [
      "unblock pve1 22/tcp",
      [fabric({ kind: "block", block: { node: "pve1", port: 22, proto: "tcp" }, on: false })],
      "pve1 lets through 22/tcp",
    ],
    ["nic down pve1 net0", [machine("pve1", { kind: "nic-up", net: "net0", up: false })], "pve1: interface on net0 down"],
    ["disk pve1 full", [machine("pve1", { kind: "disk-device", fault: "full", commitMicros: 0 })], "disk of pve1: full"],
    ["disk pve1 read-only", [machine("pve1", { kind: "disk-device", fault: "read-only", commitMicros: 0 })], "disk of pve1: read-only"],
    ["disk pve1 error", [machine("pve1", { kind: "disk-device", fault: "io-error", commitMicros: 0 })], "disk of pve1: error"],
    ["disk pve1 ok", [machine("pve1", { kind: "disk-device", fault: "none", commitMicros: 0 })], "disk of pve1: ok"],
    [
      "disk pve1 slow 0.5ms",
      [machine("pve1", { kind: "disk-device", fault: "none", commitMicros: 500 })],
      "disk of pve1: slow, 0.5 ms a commit",
    ],
  ])("%s", (line, acts, said) => {
    const read = readAct(line, scene());
    expect(read.acts).toEqual(acts);
    expect(read.said).toBe(said);
    // And back: the line that is printed for each act does the same.
    expect(acts.flatMap((act) => readAct(lineOf(act), scene()).acts)).toEqual(acts);
  });

  it.each<[string, WorldAct, string]>([
    ["node rm pve3", lab({ kind: "machine-remove", machine: "pve3" }), "pve3 removed"],
    ["node rename pve3 alfa", lab({ kind: "machine-rename", machine: "pve3", to: "alfa" }), "pve3 renamed to alfa"],
    ["net add net2 10.9.0.0/16", lab({ kind: "net-add", net: { name: "net2", cidr: "10.9.0.0/16" } }), "network net2 added: 10.9.0.0/16"],
    ["net add net2", lab({ kind: "net-add", net: { name: "net2", cidr: "10.10.2.0/24" } }), "network net2 added: 10.10.2.0/24"],
    ["net rm net1", lab({ kind: "net-remove", net: "net1" }), "network net1 removed"],
    ["net rename net1 storage", lab({ kind: "net-rename", net: "net1", to: "storage" }), "network net1 renamed to storage"],
    [
      "nic add pve3 net1 10.10.1.13",
      lab({ kind: "nic-add", machine: "pve3", nic: { name: "eno2", net: "net1", address: "10.10.1.13", prefix: 24 } }),
      "pve3: eno2 added on net1, 10.10.1.13",
    ],
    ["nic rm pve1 net1", lab({ kind: "nic-remove", machine: "pve1", net: "net1" }), "pve1: NIC on net1 unplugged"],
    [
      "nic rename pve1 net1 ens19",
      lab({ kind: "nic-rename", machine: "pve1", net: "net1", to: "ens19" }),
      "pve1: interface on net1 renamed to ens19",
    ],
  ])("%s", (line, act, said) => {
    expect(readAct(line, scene())).toMatchObject({ acts: [act], said, afterUs: 0, needsPower: [], boots: [] });
  });

  it("says who boots, who must have power, and when it happens", () => {
    expect(readAct("node reboot pve1", scene())).toMatchObject({ boots: ["pve1"], needsPower: ["pve1"], afterUs: 0 });
    expect(readAct("node start pve1", scene())).toMatchObject({ boots: ["pve1"], needsPower: [] });
    expect(readAct("node kill pve2 --after 5", scene())).toMatchObject({ afterUs: 5_000_000, said: "pve2 power cut in 5 s", boots: [] });
    expect(readAct("node reboot pve2 --after 5s", scene())).toMatchObject({ afterUs: 5_000_000, boots: [], needsPower: [] });
    expect(readAct("service start pve1 corosync", scene())).toMatchObject({ needsPower: ["pve1"] });
    expect(readAct("nic up pve1 net0", scene())).toMatchObject({ needsPower: ["pve1"] });
  });

  it("finds addresses for a machine that is added, or the networks of those that are given", () => {
    const nics = (line: string): string[] =>
      readAct(line, scene()).acts.flatMap((act) =>
        act.to === "lab" && act.act.kind === "machine-add" ? act.act.machine.nics.map((nic) => `${nic.net} ${nic.address}`) : [],
      );
    expect(nics("node add pve4")).toEqual(["net0 10.0.0.14", "net1 10.10.1.14"]);
    expect(nics("node add q --address 10.0.0.100 --qnetd --address=10.10.1.100")).toEqual(["net0 10.0.0.100", "net1 10.10.1.100"]);
    expect(nics("node add q --qnetd")).toEqual(["net0 10.0.0.100"]);
    expect(readAct("node add pve4", scene()).boots).toEqual(["pve4"]);
  });

  it("reads a later line as the earlier ones leave the lab", () => {
    const lines = [
      "node add pve4",
      "net add net2",
      "nic add pve4 net2",
      "node rename pve4 alfa",
      "link cut alfa:net2",
      "nic rm alfa net2",
      "net rm net2",
    ];
    let now = scene();
    for (const line of lines) now = sceneAfter(now, readAct(line, now));
    expect(now.design.machines.map((m) => m.name)).toEqual(["pve1", "pve2", "pve3", "alfa"]);
    expect(() => readAct("link cut alfa:net2", now)).toThrow('unknown network of alfa "net2"');
    expect(now.units("pve1")).toContain("corosync");
  });

  it("takes back what can be taken back", () => {
    const back = (line: string): (WorldAct | undefined)[] => readAct(line, scene()).acts.map(oppositeOf);
    expect(back("node kill pve1")).toEqual([machine("pve1", { kind: "power-on" })]);
    expect(back("node reboot pve1")).toEqual([undefined]);
    expect(back("service stop pve1 corosync")).toEqual([machine("pve1", { kind: "service", op: "start", unit: "corosync" })]);
    expect(back("service restart pve1 corosync")).toEqual([undefined]);
    expect(back("service pause pve1 corosync")).toEqual([machine("pve1", { kind: "service-resume", unit: "corosync" })]);
    const sound = machine("pve1", { kind: "disk-device", fault: "none", commitMicros: 0 });
    expect([...back("disk pve1 full"), ...back("disk pve1 slow 20"), ...back("disk pve1 ok")]).toEqual([sound, sound, undefined]);
    expect(back("nic down pve1 net0")).toEqual([machine("pve1", { kind: "nic-up", net: "net0", up: true })]);
  });

  it("has a usage for every head", () => {
    for (const { head, usage } of KINDS) if (head !== "heal") expect(usage, head).toMatch(/[A-Z]|pve/);
  });

  it("keeps blanks in quotes, and refuses a quote that does not end", () => {
    expect(splitLine(`a 'b c' d"e f"g ""`)).toEqual(["a", "b c", "de fg", ""]);
    expect(() => splitLine("link 'cut")).toThrow("open quote");
  });
});

describe("what is wrong in an acting line is said with what is allowed", () => {
  it.each([
    ["", 'unknown act ""; there are: node, net, nic, service, link, block, unblock, switch, partition, heal'],
    ["node kill pve9", 'unknown node "pve9"; there are: pve1, pve2, pve3'],
    ["node kill", "which node? There are: pve1, pve2, pve3"],
    ["node explode pve1", "start|stop|kill|pause|resume|reboot"],
    ["node kill pve1 --after soon", "virtual seconds from 0 to 86400"],
    ["link cut pve3:net1", 'unknown network of pve3 "net1"; there is: net0'],
    ["link cut pve1 --direction up", "in, out, both"],
    ["link cut pve1 --to pve1", "is the node itself"],
    ["link cut pve1 --loss 3", "unknown option --loss; there are: --to --direction"],
    ["link set pve1:net0", "--delay --jitter --loss --dup --reorder --rate --mtu"],
    ["link set pve1:net0 --loss 101", "0 to 100"],
    ["link set pve1:net0 --delay -3", "0 to 60000"],
    ["switch off net9", 'unknown network "net9"; there are: net0, net1'],
    ["partition pve1", "two groups or more"],
    ["partition pve1 pve1,pve2", "pve1 stands in two groups"],
    ["service stop pve1 nginx", 'unknown unit of pve1 "nginx"; there is: corosync'],
    ["heal pve1", "link heal NODE[:NET]"],
    ["link set pve1:net0 --mtu 20", "68 to 65535"],
    ["link set pve1:net0 --rate 0", "0.001 to 100000 Mbit/s"],
    ["block pve1 5405", "PORT/udp|PORT/tcp"],
    ["block pve1 70000/udp", "1 to 65535"],
    ["node add pve1", "there is a machine pve1 already"],
    ["node add pve_4", "letters, digits and hyphens"],
    ["node rename pve1 pve2", "there is a machine pve2 already"],
    ["node rm pve9", 'unknown node "pve9"'],
    ["net add net0", "there is a network net0 already"],
    ["net rm net9", 'unknown network "net9"'],
    ["nic add pve1", "add NODE NET [ADDRESS]"],
    ["nic down pve3 net1", 'unknown network of pve3 "net1"'],
    ["disk pve9 full", 'unknown node "pve9"'],
    ["disk pve1", "NODE ok|full|read-only|error|slow MS"],
    ["disk pve1 broken", 'unknown state of a disk "broken"; there are: ok, full, read-only, error, slow'],
    ["disk pve1 full 5", "NODE ok|full|read-only|error|slow MS"],
    ["disk pve1 slow", "milliseconds of virtual time that each commit takes, more than 0, at most 60000"],
    ["disk pve1 slow 0", "more than 0"],
    ["disk pve1 slow 1e3", "more than 0"],
    ["disk pve1 slow 60001", "at most 60000"],
  ])("%s", (line, said) => {
    expect(() => readAct(line, scene())).toThrow(said);
  });

  it.each(["clock pve1 --skew 2"])("%s belongs to a later version, and says what this one has", (line) => {
    expect(() => readAct(line, scene())).toThrow(/is not part of this version; \S/);
  });
});
