/** What corosync-qdevice says when its server is lost, and how it goes on: lines of corosync-qdevice 3.0.3 with lms, whose numbers are its own reasons. */
import { describe, expect, test } from "vitest";
import { SEC } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct } from "../../src/engine/world/index.ts";
import { labOf } from "../conformance/lab.ts";

const NODES = [1, 2].map((i) => `  node {\n    name: node${i}\n    nodeid: ${i}\n    ring0_addr: 10.10.0.${i}\n  }\n`).join("");
const CONF =
  `logging {\n  debug: on\n  to_syslog: yes\n}\nnodelist {\n${NODES}}\nquorum {\n  provider: corosync_votequorum\n  device {\n    model: net\n    votes: 1\n` +
  "    net {\n      algorithm: lms\n      host: 10.10.0.200\n      tls: off\n    }\n  }\n}\ntotem {\n  cluster_name: lab\n  config_version: 1\n  version: 2\n}\n";

class Lab {
  readonly world = new World(labOf(CONF, "server-lost"), makeMachine);

  constructor() {
    this.run(20);
    for (const node of ["node1", "node2"]) this.unit(node, "start", "corosync");
    this.unit("qnetd", "start", "corosync-qnetd");
    this.run(6);
    for (const node of ["node1", "node2"]) this.unit(node, "start", "corosync-qdevice");
    this.run(12);
  }

  act(what: WorldAct): void {
    const done = this.world.act(what);
    if (!done.ok) throw new Error(done.message);
  }

  unit(machine: string, op: "start" | "kill", unit: string): void {
    this.act({ to: "machine", machine, act: { kind: "service", op, unit } });
  }

  stop(kind: "service-stall" | "service-resume"): void {
    this.act({ to: "machine", machine: "qnetd", act: { kind, unit: "corosync-qnetd" } });
  }

  run(seconds: number): void {
    this.world.runUntil(this.world.now + seconds * SEC);
  }

  /** What node1's device said since, the talk about lists and votes left out; pauses are drawn at random. */
  said(since: number): string[] {
    return this.world
      .named("node1")
      .journalSince(since)
      .filter((line) => line.identifier.includes("qdevice"))
      .map((line) => line.text)
      .filter((text) => /disconnected|Server|Connect timeout|connect to|Sleeping|Unhandled|Cast vote|decided to disconnect/.test(text))
      .map((text) => text.replace(/\d+ ms before/, "N ms before"));
  }

  get length(): number {
    return this.world.named("node1").journalLength();
  }
}

const LOST = (reason: number, quorate = 1): string[] => [
  `algo-lms: disconnected. quorate = ${quorate}, WFA = 0`,
  `algo-lms: disconnected. reason = ${reason}, WFA = 0`,
  "Cast vote timer remains scheduled every 5000ms voting NACK.",
];
const CONNECT = "Trying connect to qnetd server 10.10.0.200:5403 (timeout = 8000ms)";
const PAUSE = "Sleeping for N ms before reconnect";

describe("the server is lost", () => {
  test("killed: reason 22, and where nobody listens it tries again at every connect timeout without a pause", () => {
    const lab = new Lab();
    const before = lab.length;
    lab.unit("qnetd", "kill", "corosync-qnetd");
    lab.run(14);
    expect(lab.said(before)).toEqual([
      "Server closed connection",
      ...LOST(22),
      PAUSE,
      CONNECT,
      "Can't connect to qnetd host. (-5986): Network address not available (in use?)",
      "Connect timeout",
      ...LOST(27),
      CONNECT,
      "Can't connect to qnetd host. (-5986): Network address not available (in use?)",
    ]);
  });

  test("silent: reason 38, and where its host takes the connection all the same there is a pause after each", () => {
    const lab = new Lab();
    const before = lab.length;
    lab.stop("service-stall");
    lab.run(29);
    expect(lab.said(before)).toEqual([
      "Server didn't send echo reply message on time",
      "Algorithm decided to disconnect",
      ...LOST(38),
      PAUSE,
      CONNECT,
      "Connect timeout",
      ...LOST(27),
      PAUSE,
      CONNECT,
    ]);
  });

  test("killed with something unread: reason 23", () => {
    const lab = new Lab();
    lab.stop("service-stall");
    const before = lab.length;
    // Until a heartbeat has been sent, and not yet the next one.
    lab.run(8);
    lab.unit("qnetd", "kill", "corosync-qnetd");
    lab.run(1);
    expect(lab.said(before).slice(0, 4)).toEqual(["Unhandled error when reading from server. Disconnecting from server", ...LOST(23)]);
  });
});
