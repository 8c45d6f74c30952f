// What a rate, an MTU and a packet filter do to single packets, straight at the fabric: when each arrives, or that it does not.
import { describe, expect, test } from "vitest";
import { Fabric, type FabricDesign } from "../../src/engine/fabric/index.ts";
import type { Datagram } from "../../src/engine/kernel/index.ts";

const design: FabricDesign = {
  seed: "f",
  networks: [{ name: "net0", cidr: "10.0.0.0/24" }],
  machines: ["a", "b", "c"],
  nics: ["a", "b", "c"].map((node, i) => ({ node, net: "net0", address: `10.0.0.${i + 1}` })),
};

function packet(to: number, bytes: number, port = 5405, proto: "udp" | "icmp-port-unreachable" = "udp"): Datagram {
  return { proto, net: "net0", src: "10.0.0.1", srcPort: port, dst: `10.0.0.${to}`, dstPort: port, bytes: new Uint8Array(bytes) };
}

/** Delays of the copies that arrive. */
function sent(fabric: Fabric, at: number, datagram: Datagram, from = 0): number[] {
  const out: number[] = [];
  fabric.route(at, from, datagram, (_path, after) => out.push(after));
  return out;
}

describe("rate", () => {
  test("a packet is on the wire as long as its frame takes, and waits for those before it", () => {
    const fabric = new Fabric(design);
    fabric.act({ kind: "link-set", link: { node: "a", net: "net0", direction: "out" }, settings: { rateMbit: 10 } });
    // 972 + 28 + 38 bytes at 10 Mbit/s: 830.4 µs.
    expect([1, 2, 3].flatMap(() => sent(fabric, 1000, packet(2, 972)))).toEqual([1031, 1861, 2692]);
    expect(sent(fabric, 1_000_000, packet(2, 972))).toEqual([1031]);
    expect(sent(fabric, 1000, packet(1, 972), 1)).toEqual([200]);
  });

  test("those that find the queue full are dropped, and only those", () => {
    const fabric = new Fabric(design);
    fabric.act({ kind: "link-set", link: { node: "b", net: "net0", direction: "in" }, settings: { rateMbit: 1 } });
    const arrived = Array.from({ length: 1000 }, () => sent(fabric, 0, packet(2, 1000)).length).reduce((a, b) => a + b);
    // 512 KiB, at 1028 bytes and 38 around them each; the last one must fit itself.
    expect(arrived).toBe(Math.floor((512 * 1024 - 1028) / 1066) + 1);
    expect(sent(fabric, 60_000_000, packet(2, 1000)).length).toBe(1);
    // Everybody shares the port towards b.
    const other = new Fabric(design);
    other.act({ kind: "link-set", link: { node: "b", net: "net0", direction: "in" }, settings: { rateMbit: 1 } });
    const [first] = sent(other, 0, packet(2, 962));
    const [second] = sent(other, 0, packet(2, 962), 2);
    expect([first, second]).toEqual([200 + 8224, 200 + 2 * 8224]);
  });

  test("the queue is in the snapshot and in the digest, and goes with the rate", () => {
    const fabric = new Fabric(design);
    const link = { node: "a", net: "net0", direction: "out" } as const;
    fabric.act({ kind: "link-set", link, settings: { rateMbit: 10 } });
    sent(fabric, 0, packet(2, 972));
    const copy = new Fabric(design);
    copy.restore(fabric.snapshot());
    expect(sent(copy, 0, packet(2, 972))).toEqual(sent(fabric, 0, packet(2, 972)));
    fabric.act({ kind: "link-heal", link });
    expect(fabric.snapshot().queues).toEqual([]);
    expect(sent(fabric, 0, packet(2, 972))).toEqual([200]);
  });
});

describe("MTU", () => {
  test("what is larger than the path's is dropped, as if fragmenting were forbidden", () => {
    const fabric = new Fabric(design);
    expect(sent(fabric, 0, packet(2, 1472))).toEqual([200]);
    expect(sent(fabric, 0, packet(2, 1473))).toEqual([]);
    fabric.act({ kind: "link-set", link: { node: "b", net: "net0", direction: "both" }, settings: { mtuBytes: 1400 } });
    expect([1372, 1373].map((n) => sent(fabric, 0, packet(2, n)).length)).toEqual([1, 0]);
    expect([1472, 1473].map((n) => sent(fabric, 0, packet(3, n)).length)).toEqual([1, 0]);
    expect(fabric.interfaceMtu("b", "net0")).toBe(1400);
    expect(fabric.cable("b", "net0").mtuBytes).toBe(1400);
  });

  test("jumbo frames pass where both ends have them", () => {
    const fabric = new Fabric(design);
    for (const node of ["a", "b"])
      fabric.act({ kind: "link-set", link: { node, net: "net0", direction: "both" }, settings: { mtuBytes: 9000 } });
    expect([2, 3].map((to) => sent(fabric, 0, packet(to, 8972)).length)).toEqual([1, 0]);
  });
});

describe("blocked ports", () => {
  test("are dropped at that machine, coming and going, that port and protocol alone", () => {
    const fabric = new Fabric(design);
    fabric.act({ kind: "block", block: { node: "b", port: 5405, proto: "udp" }, on: true });
    expect([sent(fabric, 0, packet(2, 10)), sent(fabric, 0, packet(1, 10), 1), sent(fabric, 0, packet(3, 10))]).toEqual([[], [], [200]]);
    expect(sent(fabric, 0, packet(2, 10, 5406))).toEqual([200]);
    expect(sent(fabric, 0, packet(2, 0, 5405, "icmp-port-unreachable"))).toEqual([200]);
    expect(fabric.arrives(0, 0, 1, packet(2, 10))).toBe(false);
    expect(fabric.list()).toEqual([{ kind: "block", node: "b", port: 5405, proto: "udp" }]);
    fabric.act({ kind: "block", block: { node: "b", port: 5405, proto: "udp" }, on: false });
    expect(sent(fabric, 0, packet(2, 10))).toEqual([200]);
  });

  test("heal undoes blocks, rates and MTUs like everything else", () => {
    const fabric = new Fabric(design);
    fabric.act({ kind: "block", block: { node: "b", port: 1, proto: "tcp" }, on: true });
    fabric.act({ kind: "link-set", link: { node: "a", direction: "both" }, settings: { rateMbit: 10, mtuBytes: 1000 } });
    expect(fabric.list()).toEqual([
      { kind: "link-setting", node: "a", net: "net0", direction: "both", rateMbit: 10, mtuBytes: 1000 },
      { kind: "block", node: "b", port: 1, proto: "tcp" },
    ]);
    fabric.act({ kind: "heal" });
    expect(fabric.list()).toEqual([]);
  });

  test.each([
    [{ rateMbit: 0 }, "rate must be"],
    [{ mtuBytes: 67 }, "mtu must be"],
    [{ mtuBytes: 1400.5 }, "mtu must be"],
  ])("%o is refused", (settings, said) => {
    expect(new Fabric(design).check({ kind: "link-set", link: { node: "a", direction: "both" }, settings })).toContain(said);
  });
});
