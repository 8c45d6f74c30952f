/**
 * Standing still: a stopped process, and a machine whose processors stall. What arrives waits in a bounded buffer; what was due comes late, in the order of the real
 * daemon's threads; and a machine that stands still does nothing it is told until it runs again.
 */
import { describe, expect, test } from "vitest";
import { MS, NEVER, SEC, SOCKET_BUFFER_BYTES, utf8, type Datagram } from "../../src/engine/kernel/index.ts";
import { drain, emptySocket, enqueue } from "../../src/engine/machine/index.ts";
import { Bench } from "./lab.ts";

const quiet = (lines: string[]): string[] => lines.filter((l) => !/best link|no active links|Resetting MTU|pmtud/.test(l));

function three(): Bench {
  const bench = new Bench(["node1", "node2", "node3"]);
  bench.runTo(10 * SEC);
  return bench;
}

/** Stops and continues node 3's daemon, and gives what it logged from the stop on. */
function pause(bench: Bench, span: number, then: number): string[] {
  const from = bench.node(2).journalLength();
  bench.act(2, { kind: "service-stall", unit: "corosync" });
  bench.runTo(bench.now + span);
  bench.act(2, { kind: "service-resume", unit: "corosync" });
  bench.runTo(bench.now + then);
  return quiet(bench.lines(2, from));
}

describe("a stopped process", () => {
  test("half a second leaves no trace", () => {
    expect(pause(three(), 500 * MS, 10 * SEC)).toEqual([]);
  });

  test("fifteen seconds: own links down, the late main loop, then a token waited for in vain, then the others both joined and left", () => {
    const bench = three();
    const lines = pause(bench, 15 * SEC, 10 * SEC).map((l) => l.replace(/@\d+/, "@T").replace(/for \d+\.\d{4} ms/, "for N ms"));
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
    const bench = three();
    bench.act(2, { kind: "service-stall", unit: "corosync" });
    bench.runTo(11 * SEC);
    bench.effects = [];
    bench.act(2, { kind: "file-touch", path: "/root/x" });
    expect(bench.effects).toEqual([{ node: "node3", effect: { kind: "file-result", path: "/root/x", error: undefined } }]);
    const ask = (argv: string[]): string => bench.node(2).query(bench.now, { kind: "command", argv, cwd: "/", stdin: "" }).kind;
    expect(ask(["systemctl", "is-active", "corosync"])).toBe("result");
    expect(ask(["corosync-quorumtool", "-s"])).toBe("acts");
    bench.act(2, { kind: "command", id: "c", argv: ["corosync-quorumtool", "-s"], cwd: "/", stdin: "" });
    bench.runTo(12 * SEC);
    const exits = (): unknown[] => bench.effects.filter((e) => e.effect.kind === "exit").map((e) => e.effect);
    expect(exits()).toEqual([]);
    bench.act(2, { kind: "service-resume", unit: "corosync" });
    bench.runTo(13 * SEC);
    expect(exits()).toEqual([{ kind: "exit", id: "c", status: 0 }]);
  });
});

describe("a stalled machine", () => {
  test("has no timers and keeps acts for later", () => {
    const bench = three();
    bench.act(2, { kind: "stall" });
    expect(bench.node(2).nextTimerAt()).toBe(NEVER);
    expect(bench.node(2).status(bench.now)).toMatchObject({ power: "stalled", powerSince: 10 * SEC });
    bench.act(2, { kind: "file-write", path: "/root/x", data: utf8("x"), append: false });
    expect(bench.node(2).query(bench.now, { kind: "file-read", path: "/root/x" })).toEqual({ kind: "error", errno: "ENOENT" });
    bench.runTo(11 * SEC);
    bench.act(2, { kind: "resume" });
    expect(bench.node(2).query(bench.now, { kind: "file-read", path: "/root/x" }).kind).toBe("file");
    expect(bench.node(2).status(bench.now)).toMatchObject({ power: "on", powerSince: 11 * SEC });
  });

  test("long enough, the others go on without it, and it comes back by itself", () => {
    const bench = three();
    bench.act(2, { kind: "stall" });
    bench.runTo(25 * SEC);
    expect(bench.node(0).status(bench.now).corosync?.members).toEqual([1, 2]);
    bench.act(2, { kind: "resume" });
    bench.runTo(35 * SEC);
    for (let i = 0; i < 3; i++) expect(bench.node(i).status(bench.now).corosync?.members).toEqual([1, 2, 3]);
  });

  test("a process that was stopped before stays stopped when the machine runs again", () => {
    const bench = three();
    bench.act(2, { kind: "service-stall", unit: "corosync" });
    bench.act(2, { kind: "stall" });
    bench.runTo(11 * SEC);
    bench.act(2, { kind: "resume" });
    bench.runTo(25 * SEC);
    expect(bench.node(0).status(bench.now).corosync?.members).toEqual([1, 2]);
    bench.act(2, { kind: "service-resume", unit: "corosync" });
    bench.runTo(35 * SEC);
    expect(bench.node(0).status(bench.now).corosync?.members).toEqual([1, 2, 3]);
  });

  test("the power cord works also then", () => {
    const bench = three();
    bench.act(2, { kind: "stall" });
    bench.act(2, { kind: "power-cut" });
    expect(bench.node(2).status(bench.now).power).toBe("off");
    bench.act(2, { kind: "power-on" });
    bench.runTo(20 * SEC);
    expect(bench.node(2).status(bench.now)).toMatchObject({ power: "on", units: { corosync: "active" } });
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
