/** Whatever a person does to three nodes in whatever order, and whatever bytes reach their ports: nothing is thrown, and afterwards a power cycle of all heals all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEC, type Datagram, type MachineAct } from "../../src/engine/kernel/index.ts";
import { TestNetwork } from "./lab.ts";

const unit = "corosync";
const fixed: MachineAct[] = [
  { kind: "power-on" },
  { kind: "shutdown" },
  { kind: "reboot" },
  { kind: "power-cut" },
  { kind: "stall" },
  { kind: "resume" },
  { kind: "service-stall", unit },
  { kind: "service-resume", unit },
  { kind: "service-stall", unit: "nonesuch" },
  { kind: "service", op: "start", unit },
  { kind: "service", op: "stop", unit },
  { kind: "service", op: "restart", unit },
  { kind: "service", op: "kill", unit },
  { kind: "service", op: "start", unit: "nonesuch" },
  { kind: "file-remove", path: "/etc/corosync/corosync.conf", recursive: false },
  { kind: "file-remove", path: "/var", recursive: true },
  { kind: "file-write", path: "/etc/corosync/corosync.conf", data: Uint8Array.of(0, 255, 123), append: true },
  { kind: "command-signal", id: "c3", signal: "SIGINT" },
  { kind: "command-input", id: "c3", line: "yes" },
];
const lines = [
  "systemctl stop corosync",
  "systemctl start corosync",
  "systemctl restart corosync",
  "corosync-cfgtool -H",
  "corosync-cfgtool -k 2",
  "corosync-quorumtool -e 1",
  "corosync-quorumtool -m",
  "journalctl -f",
  "pvecm expected 1",
  "nonesuch",
];

const act = fc.oneof(
  fc.constantFrom(...fixed),
  fc
    .tuple(fc.constantFrom(...lines), fc.nat(5))
    .map(([line, n]): MachineAct => ({ kind: "command", id: `c${n}`, argv: line.split(" "), cwd: "/root", stdin: "" })),
);
const junk = fc.record({
  bytes: fc.uint8Array({ maxLength: 200 }),
  icmp: fc.boolean(),
  port: fc.constantFrom(5405, 5406, 0),
  from: fc.integer({ min: 1, max: 4 }),
});
const step = fc.record({
  node: fc.nat(2),
  what: fc.oneof({ weight: 3, arbitrary: act }, { weight: 1, arbitrary: junk }),
  wait: fc.oneof(fc.nat(50_000), fc.nat(4_000_000)),
});

const datagram = (to: number, j: { bytes: Uint8Array; icmp: boolean; port: number; from: number }): Datagram => ({
  proto: j.icmp ? "icmp-port-unreachable" : "udp",
  net: "net0",
  src: `10.10.0.${j.from}`,
  srcPort: 5405,
  dst: `10.10.0.${to + 1}`,
  dstPort: j.port,
  bytes: j.bytes,
});

describe("three nodes under anything", () => {
  test("throw nothing, and come back after a power cycle", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const names = ["pve1", "pve2", "pve3"];
        const network = new TestNetwork(names);
        network.runTo(4 * SEC);
        for (const { node, what, wait } of steps) {
          if ("kind" in what) network.act(node, what);
          else network.node(node).receive(network.now, datagram(node, what), () => undefined);
          network.runTo(network.now + wait);
        }
        const healthy = new TestNetwork(names);
        const files = (path: string): Uint8Array => {
          const reply = healthy.node(0).query(0, { kind: "file-read", path });
          return reply.kind === "file" ? reply.data : new Uint8Array(0);
        };
        for (let i = 0; i < 3; i++) {
          network.act(i, { kind: "power-cut" });
          network.act(i, { kind: "power-on" });
          network.runTo(network.now + 1);
          network.act(i, { kind: "file-mkdir", path: "/etc/corosync", parents: true });
          for (const path of ["/etc/corosync/corosync.conf", "/etc/corosync/authkey"]) {
            network.act(i, { kind: "file-write", path, data: files(path), append: false });
          }
          network.act(i, { kind: "service", op: "start", unit });
        }
        network.runTo(network.now + 30 * SEC);
        for (let i = 0; i < 3; i++) {
          expect(network.node(i).status(network.now)).toMatchObject({
            units: { corosync: "active" },
            corosync: { members: [1, 2, 3] },
            quorum: { quorate: true },
          });
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
