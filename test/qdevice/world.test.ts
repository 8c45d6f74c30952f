/**
 * The quorum device in a world: two nodes and an arbiter form, split, lose the arbiter and its machine; snapshots go on as the run they are of, and questions
 * change nothing.
 */
import { describe, expect, test } from "vitest";
import { SEC, fromUtf8, utf8 } from "../../src/engine/kernel/index.ts";
import { makeMachine } from "../../src/engine/node/index.ts";
import { World, type WorldAct, type WorldDesign } from "../../src/engine/world/index.ts";

const CONF = `totem {
  version: 2
  cluster_name: lab
  config_version: 1
}
nodelist {
  node {
    name: pve1
    nodeid: 1
    ring0_addr: 10.0.0.11
  }
  node {
    name: pve2
    nodeid: 2
    ring0_addr: 10.0.0.12
  }
}
quorum {
  provider: corosync_votequorum
  device {
    model: net
    votes: 1
    net {
      algorithm: ffsplit
      host: qnetd
      tls: off
    }
  }
}
`;

function design(seed = "1"): WorldDesign {
  const hosts = ["pve1", "pve2", "qnetd"].map((name, i) => ({ address: `10.0.0.${i === 2 ? 100 : 11 + i}`, names: [name] }));
  const machine = (name: string, i: number): WorldDesign["machines"][number] => ({
    kind: name === "qnetd" ? "qnetd" : "node",
    name,
    hostname: name,
    domain: "lab.local",
    nics: [{ name: "eno1", net: "net0", address: hosts[i]?.address ?? "" }],
    hosts,
    files:
      name === "qnetd"
        ? [{ path: "/etc/default/corosync-qnetd", data: utf8('COROSYNC_QNETD_OPTIONS="-s off"\n') }]
        : [
            { path: "/etc/corosync/corosync.conf", data: utf8(CONF) },
            { path: "/etc/corosync/authkey", data: new Uint8Array(256).fill(1) },
          ],
    boot: 5 * SEC,
    disabledUnits: [],
    packages: name === "qnetd" ? [] : ["corosync-qdevice"],
    power: "on",
  });
  return {
    name: "arbiter",
    seed,
    epochUnixMicros: 0,
    networks: [{ name: "net0", cidr: "10.0.0.0/24" }],
    machines: ["pve1", "pve2", "qnetd"].map(machine),
    faults: [],
  };
}

function formed(): World {
  const world = new World(design(), makeMachine);
  world.runUntil(25 * SEC);
  return world;
}

function act(world: World, what: WorldAct): void {
  const result = world.act(what);
  if (!result.ok) throw new Error(result.message);
}

const partition = (...groups: string[][]): WorldAct => ({ to: "fabric", act: { kind: "partition", groups } });

function quorum(world: World, node: string): { quorate: boolean; votes: number; cast: boolean; state: string } {
  const q = world.status(node).quorum;
  if (q === null) throw new Error(`${node} has no quorum service`);
  return { quorate: q.quorate, votes: q.totalVotes, cast: q.qdevice?.castVote === true, state: q.qdevice?.state ?? "" };
}

describe("two nodes and an arbiter", () => {
  test("form: both have the vote, and the arbiter says whom it gave it", () => {
    const world = formed();
    for (const node of ["pve1", "pve2"]) expect(quorum(world, node)).toEqual({ quorate: true, votes: 3, cast: true, state: "Connected" });
    expect(world.status("qnetd").qnetd?.clusters.map((c) => [c.name, c.holders, c.lastDecision?.winners])).toEqual([
      ["lab", [1, 2], [1, 2]],
    ]);
    const shown = world.query("qnetd", { kind: "command", argv: ["corosync-qnetd-tool", "-s"], cwd: "/", stdin: "" });
    expect(shown).toMatchObject({ kind: "result", status: 0, stdout: expect.stringContaining("Connected clients:\t\t2\n") });
  });

  test("apart, one half alone is quorate", () => {
    const world = formed();
    act(world, partition(["pve1"], ["pve2"]));
    world.runUntil(60 * SEC);
    expect([quorum(world, "pve1").quorate, quorum(world, "pve2").quorate]).toEqual([true, false]);
  });

  test("apart with the arbiter on the other side, that side is quorate once the silent client is dropped", () => {
    const world = formed();
    act(world, partition(["pve1"], ["pve2", "qnetd"]));
    world.runUntil(80 * SEC);
    expect([quorum(world, "pve1").quorate, quorum(world, "pve2").quorate]).toEqual([false, true]);
    act(world, { to: "fabric", act: { kind: "heal" } });
    world.runUntil(120 * SEC);
    for (const node of ["pve1", "pve2"]) expect(quorum(world, node)).toMatchObject({ quorate: true, votes: 3 });
  });

  test("without the arbiter's machine both keep their own votes, and are refused at once when it is back without its daemon", () => {
    const world = formed();
    act(world, { to: "machine", machine: "qnetd", act: { kind: "power-cut" } });
    world.runUntil(60 * SEC);
    expect(quorum(world, "pve1")).toMatchObject({ quorate: true, votes: 2, cast: false });
    act(world, { to: "machine", machine: "qnetd", act: { kind: "power-on" } });
    world.runUntil(90 * SEC);
    expect(quorum(world, "pve1")).toMatchObject({ votes: 3, state: "Connected" });
    act(world, { to: "machine", machine: "qnetd", act: { kind: "service", op: "stop", unit: "corosync-qnetd" } });
    world.runUntil(100 * SEC);
    expect(quorum(world, "pve1")).toMatchObject({ votes: 2, state: "Connect failed" });
  });

  test("a node without power closes no connection: the arbiter counts its client until it has been silent for too long", () => {
    const world = formed();
    const clients = (): number | undefined => world.status("qnetd").qnetd?.clusters[0]?.clients.filter((c) => c.connected).length;
    act(world, { to: "machine", machine: "pve2", act: { kind: "power-cut" } });
    world.runUntil(26 * SEC);
    expect(clients()).toBe(2);
    world.runUntil(26 * SEC + 12 * SEC);
    expect(clients()).toBe(1);
    expect(quorum(world, "pve1")).toMatchObject({ quorate: true, votes: 2, cast: true });
  });

  test("a reload that gives a node two votes ends every device under ffsplit, in order and with an error", () => {
    const world = formed();
    const conf = utf8(CONF.replace("nodeid: 2\n", "nodeid: 2\n    quorum_votes: 2\n").replace("config_version: 1", "config_version: 2"));
    for (const machine of ["pve1", "pve2"])
      act(world, {
        to: "machine",
        machine,
        act: { kind: "file-write", path: "/etc/corosync/corosync.conf", data: conf, append: false },
      });
    const reload = { kind: "command", id: "r", argv: ["corosync-cfgtool", "-R"], cwd: "/", stdin: "" } as const;
    act(world, { to: "machine", machine: "pve1", act: reload });
    world.runUntil(30 * SEC);
    for (const node of ["pve1", "pve2"]) {
      expect(world.status(node).units["corosync-qdevice"]).toBe("failed");
      expect(world.status(node).quorum).toMatchObject({ quorate: true, totalVotes: 3, expectedVotes: 4, flags: ["Quorate", "Qdevice"] });
      const said = world
        .named(node)
        .journalSince(0)
        .filter((l) => l.unit === "corosync-qdevice" && l.level === "crit");
      expect(said.map((l) => l.text)).toContain("50:50 split algorithm works only if all nodes have exactly 1 vote. Node 2 has 2 votes!");
    }
  });

  test("votes that ffsplit cannot work with are those of nodes that votequorum has heard of: alone a device starts", () => {
    const world = formed();
    const conf = utf8(CONF.replace("nodeid: 2\n", "nodeid: 2\n    quorum_votes: 2\n"));
    const told = (): (string | undefined)[] => [
      world.status("pve1").units["corosync-qdevice"],
      world.status("pve1").quorum?.qdevice?.state,
    ];
    const unit = (machine: string, op: "start" | "stop" | "restart"): void => {
      act(world, { to: "machine", machine, act: { kind: "service", op, unit: "corosync" } });
      world.runUntil(world.now + 8 * SEC);
      if (op !== "stop") act(world, { to: "machine", machine, act: { kind: "service", op: "start", unit: "corosync-qdevice" } });
      world.runUntil(world.now + 4 * SEC);
    };
    const path = "/etc/corosync/corosync.conf";
    for (const machine of ["pve1", "pve2"])
      act(world, { to: "machine", machine, act: { kind: "file-write", path, data: conf, append: false } });
    unit("pve2", "stop");
    unit("pve1", "restart");
    expect(told()).toEqual(["active", "Connected"]);
    unit("pve2", "start");
    const said = world
      .named("pve2")
      .journalSince(0)
      .filter((l) => l.unit === "corosync-qdevice" && l.level === "crit");
    expect(said.map((l) => l.text)).toContain("50:50 split algorithm works only if all nodes have exactly 1 vote. Node 2 has 2 votes!");
    expect(world.status("pve2").units["corosync-qdevice"]).toBe("failed");
  });

  test("the device ends with corosync, and comes and goes with it by systemd", () => {
    const world = formed();
    const from = world.named("pve1").journalLength();
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op: "kill", unit: "corosync" } });
    world.runUntil(40 * SEC);
    // Its own restart brings back what it requires.
    const told = world
      .named("pve1")
      .journalSince(from)
      .filter((l) => l.pid === 1)
      .map((l) => l.text);
    expect(told).toEqual([
      "corosync.service: Main process exited, code=killed, status=9/KILL",
      "corosync.service: Failed with result 'signal'.",
      "corosync-qdevice.service: Main process exited, code=exited, status=1/FAILURE",
      "corosync-qdevice.service: Failed with result 'exit-code'.",
      "corosync-qdevice.service: Scheduled restart job, restart counter is at 1.",
      "Stopped corosync-qdevice.service - Corosync Qdevice daemon.",
      "Starting corosync.service - Corosync Cluster Engine...",
      "Started corosync.service - Corosync Cluster Engine.",
      "Starting corosync-qdevice.service - Corosync Qdevice daemon...",
      "Started corosync-qdevice.service - Corosync Qdevice daemon.",
    ]);
    expect(world.status("pve1").units).toEqual({ corosync: "active", "corosync-qdevice": "active" });
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op: "stop", unit: "corosync" } });
    world.runUntil(70 * SEC);
    expect(world.status("pve1").units).toEqual({ corosync: "inactive", "corosync-qdevice": "inactive" });
  });
});

describe("Restart=on-failure", () => {
  const service = (world: World, op: "kill" | "start" | "restart" | "stop", unit = "corosync-qdevice"): void =>
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op, unit } });
  const state = (world: World): string | undefined => world.status("pve1").units["corosync-qdevice"];
  const systemctl = (world: World, ...argv: string[]): unknown =>
    world.query("pve1", { kind: "command", argv: ["systemctl", ...argv], cwd: "/", stdin: "" });
  const told = (world: World, from: number): string[] =>
    world
      .named("pve1")
      .journalSince(from)
      .filter((l) => l.pid === 1)
      .map((l) => l.text);

  /** Killed every half second: the sixth start within ten seconds is refused. */
  function worn(): World {
    const world = formed();
    for (let i = 0; i < 6; i++) {
      expect(state(world)).toBe("active");
      service(world, "kill");
      world.runUntil(world.now + SEC / 2);
    }
    return world;
  }

  test("five starts in ten seconds, then no more until the failure is reset or the interval is over", () => {
    const world = worn();
    expect(state(world)).toBe("failed");
    expect(told(world, 0).slice(-5)).toEqual([
      "corosync-qdevice.service: Scheduled restart job, restart counter is at 6.",
      "Stopped corosync-qdevice.service - Corosync Qdevice daemon.",
      "corosync-qdevice.service: Start request repeated too quickly.",
      "corosync-qdevice.service: Failed with result 'signal'.",
      "Failed to start corosync-qdevice.service - Corosync Qdevice daemon.",
    ]);
    service(world, "start");
    expect(state(world)).toBe("failed");
    act(world, {
      to: "machine",
      machine: "pve1",
      act: { kind: "command", id: "r", argv: ["systemctl", "reset-failed", "corosync-qdevice"], cwd: "/", stdin: "" },
    });
    world.runUntil(world.now + SEC);
    service(world, "start");
    world.runUntil(world.now + SEC);
    expect(state(world)).toBe("active");

    const later = worn();
    later.runUntil(later.now + 10 * SEC);
    service(later, "start");
    later.runUntil(later.now + SEC);
    expect(state(later)).toBe("active");
  });

  test("restarted by hand too often", () => {
    const world = formed();
    const command = { kind: "command", argv: ["systemctl", "restart", "corosync-qdevice"], cwd: "/", stdin: "" } as const;
    for (let i = 0; i < 5; i++) {
      act(world, { to: "machine", machine: "pve1", act: { ...command, id: `r${i}` } });
      world.runUntil(world.now + SEC / 2);
    }
    const from = world.named("pve1").journalLength();
    act(world, { to: "machine", machine: "pve1", act: { ...command, id: "last" } });
    world.runUntil(world.now + SEC);
    expect(told(world, from).slice(-3)).toEqual([
      "corosync-qdevice.service: Start request repeated too quickly.",
      "corosync-qdevice.service: Failed with result 'start-limit-hit'.",
      "Failed to start corosync-qdevice.service - Corosync Qdevice daemon.",
    ]);
  });

  test("a unit without Restart= stays down, unless a drop-in says otherwise; starts by hand count as well", () => {
    const corosync = (world: World): string | undefined => world.status("pve1").units["corosync"];
    // A device that is restarted would start the corosync that it requires.
    const alone = (): World => {
      const world = formed();
      service(world, "stop");
      world.runUntil(world.now + SEC);
      return world;
    };
    const world = alone();
    service(world, "kill", "corosync");
    world.runUntil(world.now + 11 * SEC);
    expect(corosync(world)).toBe("failed");
    for (let i = 0; i < 5; i++) {
      service(world, "start", "corosync");
      world.runUntil(world.now + SEC);
      expect(corosync(world)).toBe("active");
      service(world, "kill", "corosync");
    }
    const from = world.named("pve1").journalLength();
    service(world, "start", "corosync");
    expect(corosync(world)).toBe("failed");
    expect(told(world, from)).toEqual([
      "corosync.service: Start request repeated too quickly.",
      "corosync.service: Failed with result 'signal'.",
      "Failed to start corosync.service - Corosync Cluster Engine.",
    ]);

    const other = alone();
    const folder = "/etc/systemd/system/corosync.service.d";
    const data = utf8("[Service]\nRestart=on-failure\n");
    act(other, { to: "machine", machine: "pve1", act: { kind: "file-mkdir", path: folder, parents: true } });
    act(other, { to: "machine", machine: "pve1", act: { kind: "file-write", path: `${folder}/local.conf`, data, append: false } });
    act(other, {
      to: "machine",
      machine: "pve1",
      act: { kind: "command", id: "reload", argv: ["systemctl", "daemon-reload"], cwd: "/", stdin: "" },
    });
    service(other, "kill", "corosync");
    other.runUntil(other.now + 2 * SEC);
    expect(corosync(other)).toBe("active");
  });

  test("corosync-qnetd has Restart=on-abnormal: it comes back after a signal, and not after an exit status", () => {
    const world = formed();
    const qnetd = (): string | undefined => world.status("qnetd").units["corosync-qnetd"];
    const onServer = (op: "kill" | "stop"): void =>
      act(world, { to: "machine", machine: "qnetd", act: { kind: "service", op, unit: "corosync-qnetd" } });
    const pid = world.status("qnetd").qnetd;
    expect(pid).not.toBeNull();
    onServer("kill");
    expect(world.status("qnetd").qnetd).toBeNull();
    world.runUntil(world.now + SEC);
    expect(qnetd()).toBe("active");
    onServer("stop");
    world.runUntil(world.now + SEC);
    expect(qnetd()).toBe("inactive");
  });

  test("while it waits it is activating, and a stop ends the waiting", () => {
    const world = formed();
    service(world, "kill");
    world.runUntil(world.now + SEC / 20);
    expect(systemctl(world, "is-active", "corosync-qdevice")).toMatchObject({ stdout: "activating\n", status: 3 });
    expect(systemctl(world, "show", "-p", "ActiveState,SubState,MainPID", "corosync-qdevice")).toMatchObject({
      stdout: "ActiveState=activating\nSubState=auto-restart\nMainPID=0\n",
    });
    expect(systemctl(world, "status", "-n", "0", "corosync-qdevice")).toMatchObject({
      stdout: expect.stringContaining("     Active: activating (auto-restart) (Result: signal) since "),
    });
    service(world, "stop");
    world.runUntil(world.now + SEC);
    expect(state(world)).toBe("inactive");
    expect(told(world, 0).at(-1)).toBe("Stopped corosync-qdevice.service - Corosync Qdevice daemon.");
  });

  test.each([
    ["no", "failed"],
    ["on-success", "failed"],
    ["on-abort", "active"],
    ["always", "active"],
  ])("a drop-in with Restart=%s, after SIGKILL: %s", (value, then) => {
    const world = formed();
    const folder = "/etc/systemd/system/corosync-qdevice.service.d";
    const data = utf8(`[Service]\nRestart=${value}\n`);
    act(world, { to: "machine", machine: "pve1", act: { kind: "file-mkdir", path: folder, parents: true } });
    act(world, { to: "machine", machine: "pve1", act: { kind: "file-write", path: `${folder}/local.conf`, data, append: false } });
    act(world, {
      to: "machine",
      machine: "pve1",
      act: { kind: "command", id: "reload", argv: ["systemctl", "daemon-reload"], cwd: "/", stdin: "" },
    });
    service(world, "kill");
    world.runUntil(world.now + SEC);
    expect(state(world)).toBe(then);
  });
});

describe("corosync stopped by SIGSTOP", () => {
  const onPve1 = (kind: "service-stall" | "service-resume", unit = "corosync"): WorldAct => ({
    to: "machine",
    machine: "pve1",
    act: { kind, unit },
  });
  const clients = (world: World): number[] => world.status("qnetd").qnetd?.clusters[0]?.clients.map((c) => c.nodeId) ?? [];

  test("the device waits in its poll and is silent: the server drops it, and the other half has the vote", () => {
    const world = formed();
    act(world, onPve1("service-stall"));
    world.runUntil(50 * SEC);
    expect(clients(world)).toEqual([2]);
    expect(quorum(world, "pve2")).toMatchObject({ quorate: true, votes: 2, cast: true });
    act(world, onPve1("service-resume"));
    world.runUntil(80 * SEC);
    for (const node of ["pve1", "pve2"]) expect(quorum(world, node)).toMatchObject({ quorate: true, votes: 3, state: "Connected" });
  });

  test("an order to leave is followed when the poll is answered; a daemon that is killed ends the device", () => {
    const world = formed();
    act(world, onPve1("service-stall"));
    world.runUntil(40 * SEC);
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op: "stop", unit: "corosync-qdevice" } });
    world.runUntil(45 * SEC);
    expect(world.status("pve1").units["corosync-qdevice"]).toBe("deactivating");
    act(world, onPve1("service-resume"));
    world.runUntil(46 * SEC);
    expect(world.status("pve1").units["corosync-qdevice"]).toBe("inactive");
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op: "start", unit: "corosync-qdevice" } });
    world.runUntil(60 * SEC);
    act(world, onPve1("service-stall"));
    world.runUntil(70 * SEC);
    act(world, { to: "machine", machine: "pve1", act: { kind: "service", op: "kill", unit: "corosync" } });
    world.runUntil(75 * SEC);
    expect(world.status("pve1").units).toEqual({ corosync: "active", "corosync-qdevice": "active" });
  });

  test("a snapshot of a device that waits goes on as the run it is of", () => {
    const world = formed();
    act(world, onPve1("service-stall"));
    world.runUntil(33 * SEC);
    const again = new World(design(), makeMachine);
    again.restore(structuredClone(world.snapshot()));
    for (const each of [world, again]) {
      act(each, onPve1("service-resume"));
      each.runUntil(60 * SEC);
    }
    expect(again.digest()).toBe(world.digest());
  });
});

describe("what is kept", () => {
  test("a snapshot at any second goes on as the run it is of", () => {
    const world = new World(design("7"), makeMachine);
    world.runUntil(25 * SEC);
    act(world, partition(["pve1"], ["pve2", "qnetd"]));
    for (let at = 26; at < 60; at += 3) {
      world.runUntil(at * SEC + 123_457);
      const again = new World(design("7"), makeMachine);
      again.restore(structuredClone(world.snapshot()));
      const until = world.now + 20 * SEC;
      again.runUntil(until);
      const straight = new World(design("7"), makeMachine);
      straight.restore(world.snapshot());
      straight.runUntil(until);
      expect(again.digest()).toBe(straight.digest());
    }
  });

  test("asking changes nothing", () => {
    const [a, b] = [formed(), formed()];
    for (const argv of [
      ["corosync-qdevice-tool", "-sv"],
      ["corosync-quorumtool", "-s"],
      ["systemctl", "status", "corosync-qdevice"],
    ])
      a.query("pve1", { kind: "command", argv, cwd: "/", stdin: "" });
    a.query("qnetd", { kind: "command", argv: ["corosync-qnetd-tool", "-lv"], cwd: "/", stdin: "" });
    for (const world of [a, b]) world.runUntil(40 * SEC);
    expect(a.digest()).toBe(b.digest());
  });

  test("a file of the arbiter is read like any other", () => {
    const reply = formed().query("qnetd", { kind: "file-read", path: "/etc/hostname" });
    expect(reply.kind === "file" ? fromUtf8(reply.data) : "").toBe("qnetd\n");
  });
});
