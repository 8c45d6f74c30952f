/**
 * Standing still: a stopped process, and a machine whose processors stall. What arrives waits in a bounded buffer; what was due comes late, in the order of the real
 * daemon's threads; and a machine that stands still does nothing it is told until it runs again.
 */
import { describe, expect, test } from "vitest";
import { MS, NEVER, SEC, SOCKET_BUFFER_BYTES, utf8, type Datagram } from "../../src/engine/kernel/index.ts";
import { drain, emptySocket, enqueue } from "../../src/engine/machine/index.ts";
import { TestNetwork } from "./lab.ts";

const quiet = (lines: string[]): string[] => lines.filter((l) => !/best link|no active links|Resetting MTU|pmtud/.test(l));

function three(): TestNetwork {
  const network = new TestNetwork(["node1", "node2", "node3"]);
  network.runTo(10 * SEC);
  return network;
}

/** Stops and continues node 3's daemon, and gives what it logged from the stop on. */
function pause(network: TestNetwork, span: number, then: number): string[] {
  const from = network.node(2).journalLength();
  network.act(2, { kind: "service-stall", unit: "corosync" });
  network.runTo(network.now + span);
  network.act(2, { kind: "service-resume", unit: "corosync" });
  network.runTo(network.now + then);
  return quiet(network.lines(2, from));
}

describe("a stopped process", () => {
  test("half a second leaves no trace", () => {
    expect(pause(three(), 500 * MS, 10 * SEC)).toEqual([]);
  });

  test("fifteen seconds: own links down, the late main loop, then a token waited for in vain, then the others both joined and left", () => {
    const network = three();
    const lines = pause(network, 15 * SEC, 10 * SEC).map((l) => l.replace(/@\d+/, "@T").replace(/for \d+\.\d{4} ms/, "for N ms"));
    expect(lines).toEqual([
      "info    [KNET  ] link: host: 1 link: 0 is down",
      "info    [KNET  ] link: host: 2 link: 0 is down",
      "warning [MAIN  ] Corosync main process was not scheduled (@T) for N ms (threshold is 2920.0000 ms). Consider token timeout increase.",
      "info    [KNET  ] rx: host: 1 link: 0 is up",
      "info    [KNET  ] rx: host: 2 link: 0 is up",
      "notice  [TOTEM ] Token has not been received in 2737 ms ",
      "notice  [TOTEM ] A processor failed, forming new configuration: token timed out (3650ms), waiting 4380ms for consensus.",
      "notice  [QUORUM] Sync members[3]: 1 2 3",
      "notice  [QUORUM] Sync joined[2]: 1 2",
      "notice  [QUORUM] Sync left[2]: 1 2",
      "notice  [TOTEM ] A new membership (1.11) was formed. Members joined: 1 2 left: 1 2",
      "notice  [TOTEM ] Failed to receive the leave message. failed: 1 2",
      "notice  [QUORUM] Members[3]: 1 2 3",
      "notice  [MAIN  ] Completed service synchronization, ready to provide service.",
    ]);
  });

  test("the machine itself goes on: files change, systemd answers, the daemon's tools wait", () => {
    const network = three();
    network.act(2, { kind: "service-stall", unit: "corosync" });
    network.runTo(11 * SEC);
    network.effects = [];
    network.act(2, { kind: "file-touch", path: "/root/x" });
    expect(network.effects).toEqual([{ node: "node3", effect: { kind: "file-result", path: "/root/x", error: undefined } }]);
    const ask = (argv: string[]): string => network.node(2).query(network.now, { kind: "command", argv, cwd: "/", stdin: "" }).kind;
    expect(ask(["systemctl", "is-active", "corosync"])).toBe("result");
    expect(ask(["corosync-quorumtool", "-s"])).toBe("acts");
    network.act(2, { kind: "command", id: "c", argv: ["corosync-quorumtool", "-s"], cwd: "/", stdin: "" });
    network.runTo(12 * SEC);
    const exits = (): unknown[] => network.effects.filter((e) => e.effect.kind === "exit").map((e) => e.effect);
    expect(exits()).toEqual([]);
    network.act(2, { kind: "service-resume", unit: "corosync" });
    network.runTo(13 * SEC);
    expect(exits()).toEqual([{ kind: "exit", id: "c", status: 0 }]);
  });
});

describe("a stalled machine", () => {
  test("has no timers and keeps acts for later", () => {
    const network = three();
    network.act(2, { kind: "stall" });
    expect(network.node(2).nextTimerAt()).toBe(NEVER);
    expect(network.node(2).status(network.now)).toMatchObject({ power: "stalled", powerSince: 10 * SEC });
    network.act(2, { kind: "file-write", path: "/root/x", data: utf8("x"), append: false });
    expect(network.node(2).query(network.now, { kind: "file-read", path: "/root/x" })).toEqual({ kind: "error", errno: "ENOENT" });
    network.runTo(11 * SEC);
    network.act(2, { kind: "resume" });
    expect(network.node(2).query(network.now, { kind: "file-read", path: "/root/x" }).kind).toBe("file");
    expect(network.node(2).status(network.now)).toMatchObject({ power: "on", powerSince: 11 * SEC });
  });

  test("long enough, the others go on without it, and it comes back by itself", () => {
    const network = three();
    network.act(2, { kind: "stall" });
    network.runTo(25 * SEC);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2]);
    network.act(2, { kind: "resume" });
    network.runTo(35 * SEC);
    for (let i = 0; i < 3; i++) expect(network.node(i).status(network.now).corosync?.members).toEqual([1, 2, 3]);
  });

  test("a process that was stopped before stays stopped when the machine runs again", () => {
    const network = three();
    network.act(2, { kind: "service-stall", unit: "corosync" });
    network.act(2, { kind: "stall" });
    network.runTo(11 * SEC);
    network.act(2, { kind: "resume" });
    network.runTo(25 * SEC);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2]);
    network.act(2, { kind: "service-resume", unit: "corosync" });
    network.runTo(35 * SEC);
    expect(network.node(0).status(network.now).corosync?.members).toEqual([1, 2, 3]);
  });

  test("the power cord works also then", () => {
    const network = three();
    network.act(2, { kind: "stall" });
    network.act(2, { kind: "power-cut" });
    expect(network.node(2).status(network.now).power).toBe("off");
    network.act(2, { kind: "power-on" });
    network.runTo(20 * SEC);
    expect(network.node(2).status(network.now)).toMatchObject({ power: "on", units: { corosync: "active" } });
  });
});

describe("the socket buffer", () => {
  test("drops and counts what does not fit, and gives back the rest in order", () => {
    const socket = emptySocket();
    const datagram = (n: number): Datagram => {
      const bytes = new Uint8Array(1024 * 1024).fill(n);
      return { proto: "udp", net: "net0", src: "10.0.0.1", srcPort: 5405, dst: "10.0.0.2", dstPort: 5405, bytes };
    };
    for (let n = 0; n < 10; n++) enqueue(socket, datagram(n));
    expect(socket.bytes).toBeLessThanOrEqual(SOCKET_BUFFER_BYTES);
    expect(socket.dropped).toBe(3);
    expect(drain(socket).map((d) => d.bytes[0])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(socket).toMatchObject({ queue: [], bytes: 0 });
  });
});

describe("a machine that is off", () => {
  test("has no processors to stop: told to stand still and then switched on, it boots and its daemon runs", () => {
    const network = new TestNetwork(["node1"]);
    network.runTo(10 * SEC);
    network.act(0, { kind: "power-cut" });
    network.act(0, { kind: "stall" });
    network.act(0, { kind: "power-on" });
    network.runTo(30 * SEC);
    expect(network.node(0).status(network.now)).toMatchObject({ power: "on", units: { corosync: "active" }, corosync: { members: [1] } });
  });
});
