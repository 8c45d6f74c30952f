/** What a machine's kernel does with datagrams: to a port somebody listens on, to a closed port, to a machine that is off or still booting. */
import { describe, expect, test } from "vitest";
import { SEC, type Datagram, type Effect } from "../../src/engine/kernel/index.ts";
import { TestNetwork } from "./lab.ts";

const hello: Datagram = {
  proto: "udp",
  net: "net0",
  src: "10.10.0.9",
  srcPort: 5405,
  dst: "10.10.0.1",
  dstPort: 5405,
  bytes: Uint8Array.of(1, 2, 3),
};

function deliver(network: TestNetwork, datagram: Datagram): Effect[] {
  const effects: Effect[] = [];
  network.node(0).receive(network.now, datagram, (e) => effects.push(e));
  return effects;
}

const unreachable = {
  kind: "send",
  datagram: {
    proto: "icmp-port-unreachable",
    net: "net0",
    src: "10.10.0.1",
    srcPort: 5405,
    dst: "10.10.0.9",
    dstPort: 5405,
    bytes: new Uint8Array(0),
  },
};

describe("a datagram", () => {
  test("to a closed port is answered by port unreachable, before corosync has configured its links and after it has gone", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(0.3 * SEC);
    expect(deliver(network, hello)).toEqual([unreachable]);
    network.runTo(SEC);
    network.act(0, { kind: "service", op: "kill", unit: "corosync" });
    expect(deliver(network, hello)).toEqual([unreachable]);
  });

  test("that is not sealed with the cluster's key is complained of before anybody asks where it comes from", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    const short = { kind: "journal", line: { level: "error", text: "rx: Unable to decrypt packet from 10.10.0.9:5405 (size 3)!" } };
    expect(deliver(network, hello)).toMatchObject([short]);
    // with room for a digest, that is looked at first
    expect(deliver(network, { ...hello, bytes: new Uint8Array(80).fill(120) })).toMatchObject([
      { line: { level: "error", text: "nsscrypto: Digest does not match. Check crypto key and configuration." } },
      { line: { level: "error", text: "rx: Unable to decrypt packet from 10.10.0.9:5405 (size 80)!" } },
    ]);
    expect(deliver(network, { ...hello, bytes: new Uint8Array(0) })).toEqual([]);
  });

  test("to another of its ports is answered too; an ICMP message never is", () => {
    const network = new TestNetwork(["pve1"]);
    network.runTo(SEC);
    expect(deliver(network, { ...hello, dstPort: 5406 })).toMatchObject([
      { kind: "send", datagram: { proto: "icmp-port-unreachable", srcPort: 5406 } },
    ]);
    expect(deliver(network, { ...hello, proto: "icmp-port-unreachable", dstPort: 4000 })).toEqual([]);
  });

  test("to a machine that is off or still booting, or for another address, is lost", () => {
    const off = new TestNetwork(["pve1"], { power: "off" });
    expect(deliver(off, hello)).toEqual([]);
    const booting = new TestNetwork(["pve1"], { boot: 5 * SEC });
    booting.runTo(SEC);
    expect(deliver(booting, hello)).toEqual([]);
    const up = new TestNetwork(["pve1"]);
    up.runTo(SEC);
    expect(deliver(up, { ...hello, dst: "10.10.0.7" })).toEqual([]);
    expect(deliver(up, { ...hello, net: "net1" })).toEqual([]);
  });

  test("a killed daemon's peers see its link go down within 0.3 s, while the membership stands for token and consensus", () => {
    const network = new TestNetwork(["pve1", "pve2", "pve3"]);
    network.runTo(12 * SEC);
    network.act(2, { kind: "service", op: "kill", unit: "corosync" });
    const from = network.node(0).journalLength();
    network.runTo(14 * SEC);
    expect(network.lines(0, from)[0]).toBe("info    [KNET  ] link: host: 3 link: 0 is down");
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2, 3]);
    network.runTo(21 * SEC);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2]);
  });
});
